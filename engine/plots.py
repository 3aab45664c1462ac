"""Charts as plain SVG and a page to hold them: no plotting library, nothing fetched.

Conventions
-----------
A chart is one ``<svg>`` string that carries its own style: light or dark as the reader's system
asks, text in pixels of its own width. Lines differ in colour (a set that colour-blind readers can
tell apart [1]_) and in dashes. The legend stands above the plot, never on it. Functions that return
HTML escape every text that they are given.

References
----------
.. [1] M. Okabe and K. Ito, "Color Universal Design", 2008.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from semeq.engine.units import Floats

WIDE, NARROW = 760, 360
_LIMITS_HZ = (20.0, 20_000.0)
_GRID_HZ = tuple(
    m * 10.0**e for e in (1, 2, 3, 4) for m in range(1, 10) if 20 <= m * 10**e <= 20_000
)
_LABELS_HZ = {20: "20", 50: "50", 100: "100", 200: "200", 500: "500", 1000: "1k", 2000: "2k"} | {
    5000: "5k",
    10_000: "10k",
    20_000: "20k",
}
_NARROW_LABELS_HZ = (20, 100, 1000, 10_000)
_DASHES = ("", "9 4", "2.5 3.5", "11 4 2.5 4", "5 3", "14 3 2 3 2 3")
_STYLE = """
.sq{--bg:#fff;--ink:#1f2933;--soft:#5b6670;--grid:#e6e9ec;--zero:#9aa5b1;--ref:#8a949e;
--c0:#d55e00;--c1:#0072b2;--c2:#007a5a;--c3:#b3467f;--c4:#8a6d00;--c5:#4b4b9b;
font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
@media (prefers-color-scheme:dark){.sq{--bg:#14181d;--ink:#e8ecf0;--soft:#a4afb9;--grid:#29313a;
--zero:#66727e;--ref:#8f9aa5;--c0:#ff9a4d;--c1:#56b4e9;--c2:#3fd0a4;--c3:#ee9ac6;--c4:#f0e442;--c5:#b3b3ff}}
.sq text{fill:var(--soft)}.sq .name{fill:var(--ink)}.sq .title{fill:var(--ink);font-weight:600}
.sq .grid{stroke:var(--grid)}.sq .zero{stroke:var(--zero)}
.sq path{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
.sq .area{fill:var(--ref);fill-opacity:.22;stroke:none}
""".replace("\n", "")


@dataclass(frozen=True, slots=True)
class _Line:
    label: str
    freqs_hz: Floats
    db: Floats
    colour: str
    dash: str = ""
    filled: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the plot lies inside the picture, and how values map to pixels."""

    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float
    low_db: float
    high_db: float

    def x(self, freq_hz: float) -> float:
        low, high = (math.log(f) for f in _LIMITS_HZ)
        return self.left + (math.log(freq_hz) - low) / (high - low) * (self.right - self.left)

    def y(self, db: float) -> float:
        share = (self.high_db - db) / (self.high_db - self.low_db)
        return self.top + min(max(share, 0.0), 1.0) * (self.bottom - self.top)


def _legend(lines: Sequence[_Line], width: int, top: float) -> tuple[str, float]:
    """Return the legend, wrapped to `width`, and its height."""
    x, y, parts = 12.0, top, []
    for line in lines:
        length = 34.0 + 7.3 * len(line.label)
        if x > 12.0 and x + length > width - 8:
            x, y = 12.0, y + 20.0
        parts.append(
            f'<path d="M{x:.0f} {y:.0f}h24" stroke="{line.colour}" stroke-dasharray="{line.dash}"/>'
            f'<text class="name" x="{x + 30:.0f}" y="{y + 4.5:.0f}">{escape(line.label)}</text>'
        )
        x += length + 16.0
    return "".join(parts), y - top + 24.0


def _text(x: float, y: float, label: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(label)}</text>'


def _rule(kind: str, path: str) -> str:
    return f'<path class="{kind}" style="stroke-width:1" d="{path}"/>'


def _path(line: _Line, frame: _Frame) -> str:
    inside = (line.freqs_hz >= _LIMITS_HZ[0] * 0.999) & (line.freqs_hz <= _LIMITS_HZ[1] * 1.001)
    points = [
        f"{frame.x(min(max(f, _LIMITS_HZ[0]), _LIMITS_HZ[1])):.1f} {frame.y(db):.1f}"
        for f, db in zip(line.freqs_hz[inside], line.db[inside], strict=True)
        if math.isfinite(db)
    ]
    if not points:
        return ""
    path = "M" + "L".join(points)
    drawn = f'<path d="{path}" stroke="{line.colour}" stroke-dasharray="{line.dash}"/>'
    if line.filled:
        first, last = points[0].split()[0], points[-1].split()[0]
        floor = f"{frame.bottom:.1f}"
        drawn = f'<path class="area" d="{path}L{last} {floor}L{first} {floor}Z"/>{drawn}'
    return drawn


def _axes(frame: _Frame, step_db: float, y_name: str) -> str:
    parts = [
        _rule("grid", f"M{frame.x(f):.1f} {frame.top:.1f}V{frame.bottom:.1f}") for f in _GRID_HZ
    ]
    for freq, label in _LABELS_HZ.items():
        if frame.width > 500 or freq in _NARROW_LABELS_HZ:
            anchor = "end" if freq == 20_000 else "middle"
            parts.append(_text(frame.x(freq), frame.bottom + 17, label, anchor))
    two_sided = frame.low_db < 0 < frame.high_db
    db = math.ceil(frame.low_db / step_db) * step_db
    while db <= frame.high_db + 1e-9:
        y = frame.y(db)
        sign = "−" if db < 0 else "+" if db > 0 and two_sided else ""
        kind = "zero" if db == 0 else "grid"
        parts.append(_rule(kind, f"M{frame.left:.1f} {y:.1f}H{frame.right:.1f}"))
        parts.append(_text(frame.left - 6, y + 4.5, f"{sign}{abs(db):g}", "end"))
        db += step_db
    middle = (frame.top + frame.bottom) / 2
    parts.append(_text((frame.left + frame.right) / 2, frame.bottom + 35, "Frequency (Hz)"))
    parts.append(f'<g transform="translate(14 {middle:.0f}) rotate(-90)">{_text(0, 0, y_name)}</g>')
    return "".join(parts)


def _chart(
    lines: Sequence[_Line],
    *,
    title: str,
    width: int,
    low_db: float,
    high_db: float,
    step_db: float,
    y_name: str,
) -> str:
    top = 12.0
    head = ""
    if title:
        head = f'<text class="title" x="12" y="{top + 10:.0f}">{escape(title)}</text>'
        top += 28.0
    legend, used = _legend(lines, width, top)
    top += used
    height = round(top + (0.36 if width > 500 else 0.58) * width + 44)
    frame = _Frame(width, height, 52.0, top, width - 14.0, height - 44.0, low_db, high_db)
    spoken = f"{title or y_name}: {', '.join(line.label for line in lines)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sq" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(spoken)}"><style>{_STYLE}</style>'
        f'<rect width="{width}" height="{height}" rx="8" style="fill:var(--bg)"/>{head}{legend}'
        f"{_axes(frame, step_db, y_name)}{''.join(_path(line, frame) for line in lines)}</svg>"
    )


def response_svg(
    responses_db: Mapping[str, Floats], freqs_hz: Floats, *, title: str = "", width: int = WIDE
) -> str:
    """Return a chart of magnitude responses.

    Parameters
    ----------
    responses_db : mapping of str to Floats
        Label of each curve and its gain in dB at `freqs_hz`, shape ``(n,)``.
    freqs_hz : Floats
        Frequencies in Hz, shape ``(n,)``; those outside 20 Hz to 20 kHz are not drawn.
    title : str
        Written above the chart.
    width : int
        Width in pixels: `WIDE` for a screen, `NARROW` for a phone.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    lines = [
        _Line(label, freqs_hz, np.asarray(db), f"var(--c{i % 6})", _DASHES[i % 6])
        for i, (label, db) in enumerate(responses_db.items())
    ]
    reach = max([5.5, *(float(np.max(np.abs(line.db))) for line in lines)])
    limit = 3.0 * math.ceil((reach + 0.5) / 3.0)
    return _chart(
        lines,
        title=title,
        width=width,
        low_db=-limit,
        high_db=limit,
        step_db=3.0 if limit <= 12.0 else 6.0,
        y_name="Gain (dB)",
    )


def spectra_svg(
    spectra: Mapping[str, tuple[Floats, Floats]],
    *,
    title: str = "",
    width: int = WIDE,
    colour: int = 0,
) -> str:
    """Return a chart of spectra; the first is the ground that the others stand before.

    Parameters
    ----------
    spectra : mapping of str to (Floats, Floats)
        Label, and ``(freqs_hz, db)`` as `semeq.engine.spectrum.spectrum_db` returns them.
    title, width
        As for `response_svg`.
    colour : int
        Number of the second spectrum's colour and dashes: a recipe keeps those it has elsewhere.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    lines = []
    for i, (label, (freqs_hz, db)) in enumerate(spectra.items()):
        n = (i - 1 + colour) % 6
        if i == 0:
            lines.append(_Line(label, freqs_hz, db, "var(--ref)", filled=True))
        else:
            lines.append(_Line(label, freqs_hz, db, f"var(--c{n})", _DASHES[n]))
    peak = max((float(np.max(line.db)) for line in lines), default=0.0)
    high = 10.0 * math.ceil((peak + 2.0) / 10.0)
    lowest = min((float(np.min(line.db)) for line in lines), default=high - 60.0)
    low = 10.0 * math.floor(min(max(lowest, high - 80.0), high - 40.0) / 10.0)
    return _chart(
        lines, title=title, width=width, low_db=low, high_db=high, step_db=10.0, y_name="Level (dB)"
    )
