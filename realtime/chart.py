"""A response curve drawn in characters: braille dots, or plain ASCII where a terminal knows no more."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semeq.engine.units import Floats

#: Frequency axis, Hz: its ends, and where a label goes, the most welcome first.
FREQ_RANGE_HZ = (20.0, 20_000.0)
LABELS_HZ = (100, 1000, 10_000, 20, 20_000, 200, 2000, 5000, 500, 50)
#: Half-heights of the dB axis; the smallest that holds the curve is taken.
RANGES_DB = (6.0, 12.0, 18.0, 24.0, 36.0, 48.0)
LABEL_WIDTH = 4
#: Bits of a braille character by row (0–3) and column (0–1).
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that the view is drawn with."""

    line: str
    strong: str
    centre: str
    hold: str
    axis: str
    pointer: str
    dot: str
    ellipsis: str
    is_braille: bool


UNICODE = Glyphs("─", "━", "┼", "╋", "┤", "▸", "·", "…", True)
ASCII = Glyphs("-", "=", "+", "|", "|", ">", "-", "~", False)


def range_db(response_db: Floats) -> float:
    """Return the half-height of the dB axis for a curve."""
    finite = response_db[np.isfinite(response_db)]
    highest = float(np.max(np.abs(finite), initial=0.0))
    return next((size for size in RANGES_DB if highest <= size), RANGES_DB[-1])


def plot(
    freqs_hz: Floats, response_db: Floats, width: int, rows: int, glyphs: Glyphs = UNICODE
) -> list[str]:
    """Return a curve as `rows` lines of `width` characters, dB labels included.

    Parameters
    ----------
    freqs_hz : Floats
        Rising frequencies in Hz, shape ``(n,)``.
    response_db : Floats
        The curve in dB, shape ``(n,)``; what is not finite is not drawn.
    width, rows : int
        Size in characters; an odd number of rows has 0 dB in the middle of one.

    Notes
    -----
    The lines hold the curve; `frequency_axis` gives the line below them.
    """
    columns = width - LABEL_WIDTH - 1
    if columns < 4 or rows < 1:
        return [""] * max(rows, 0)
    wide, tall = (2, 4) if glyphs.is_braille else (1, 1)
    limit = range_db(response_db)
    dots = _heights(freqs_hz, response_db, columns * wide, rows * tall, limit)
    cells = _lit(dots, columns, rows, wide, tall)
    middle = (rows - 1) // 2
    lines = []
    for row in range(rows):
        text = "".join(
            _cell(cells[row][column], row == middle and rows % 2 == 1, glyphs)
            for column in range(columns)
        )
        lines.append(f"{_label(row, rows, limit):>{LABEL_WIDTH}}{glyphs.axis}{text}")
    return lines


def _label(row: int, rows: int, limit: float) -> str:
    if row == 0:
        return f"+{limit:.0f}"
    if row == rows - 1:
        return f"-{limit:.0f}"
    return "0" if row == (rows - 1) // 2 and rows % 2 == 1 else ""


def _heights(
    freqs_hz: Floats, response_db: Floats, wide: int, tall: int, limit: float
) -> list[int | None]:
    """Return the row of dots (0 on top) of each column of dots."""
    low, high = np.log(FREQ_RANGE_HZ)
    at = np.exp(np.linspace(low, high, wide))
    curve = np.interp(at, freqs_hz, response_db, left=np.nan, right=np.nan)
    rows = np.rint((limit - curve) / (2.0 * limit) * (tall - 1))
    return [None if not math.isfinite(r) else min(max(int(r), 0), tall - 1) for r in rows]


def _lit(
    dots: Sequence[int | None], columns: int, rows: int, wide: int, tall: int
) -> list[list[int]]:
    """Return the dot bits of each cell; columns of dots are joined to their left neighbour's height."""
    cells = [[0] * columns for _ in range(rows)]
    before: int | None = None
    for x, y in enumerate(dots):
        if y is None:
            before = None
            continue
        start = y if before is None or abs(before - y) <= 1 else before + (1 if y > before else -1)
        for dot in range(min(start, y), max(start, y) + 1):
            bit = _DOTS[dot % tall][x % wide]
            cells[dot // tall][x // wide] |= bit
        before = y
    return cells


def _cell(bits: int, is_middle: bool, glyphs: Glyphs) -> str:
    if bits:
        return chr(_BLANK + bits) if glyphs.is_braille else "*"
    return glyphs.dot if is_middle else " "


def frequency_axis(width: int) -> str:
    """Return the labels of the frequency axis for a plot of `width` characters."""
    columns = width - LABEL_WIDTH - 1
    if columns < 4:
        return ""
    line = [" "] * columns
    low, high = np.log(FREQ_RANGE_HZ)
    for freq_hz in LABELS_HZ:
        text = f"{freq_hz // 1000}k" if freq_hz >= 1000 else str(freq_hz)
        centre = (math.log(freq_hz) - low) / (high - low) * (columns - 1)
        start = min(max(round(centre - (len(text) - 1) / 2), 0), columns - len(text))
        around = line[max(start - 1, 0) : start + len(text) + 1]
        if all(letter == " " for letter in around):
            line[start : start + len(text)] = text
    return " " * (LABEL_WIDTH + 1) + "".join(line)
