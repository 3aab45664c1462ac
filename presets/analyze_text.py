"""Analyses as text for a terminal."""

from collections.abc import Sequence
from typing import Any

from semeq.engine.analysis_draw import clock
from semeq.presets.cli_demo import as_text, hertz, signed

#: A bar of so many characters is a score of `_FULL`.
_BAR, _FULL = 10, 2.0
_MOST_SECTIONS = 40
_MOST_COLUMNS = 8


def _bar(score: float) -> str:
    """Return a score as a bar to the left or right of a middle line.

    >>> _bar(1.0), _bar(-0.4)
    ('          |=====     ', '        ==|          ')
    """
    length = min(_BAR, round(abs(score) / _FULL * _BAR))
    left = "=" * length if score < 0 else ""
    right = "=" * length if score > 0 else ""
    return f"{left:>{_BAR}}|{right:<{_BAR}}"


def tell(content: dict[str, Any]) -> str:
    """Return one file: words, sections, what is measured, and the EQ that recipes need."""
    whole = content["overall"]
    kilohertz = f"{content['samplerate'] / 1000:g} kHz"
    head = (
        f"{content['file']}: {clock(content['duration_s'])}, {kilohertz}, "
        f"{content['channels']} ch, {len(content['windows'])} windows of {content['window_s']:g} s"
    )
    parts = [head, f"On the whole: {whole['description']}."]
    if whole["silent"]:
        return "\n".join(parts)
    parts += ["", _words(content), "", _ranked(whole), "", _sections(content)]
    for number in range(len(content["targets"])):
        parts += ["", _target(content, number)]
    parts += ["", "0 is neutral, 1 as if the word's typical EQ move had been put on."]
    return "\n".join(parts)


def _words(content: dict[str, Any]) -> str:
    whole, when = content["overall"]["scores"], content["overall"]["when"]
    rows = []
    for word in sorted(whole, key=lambda word: -whole[word]):
        ends = when[word]
        rows.append(
            [
                word,
                signed(whole[word], 2),
                _bar(whole[word]),
                f"{signed(ends['most']['score'], 2)} at {clock(ends['most']['t_s'])}",
                f"{signed(ends['least']['score'], 2)} at {clock(ends['least']['t_s'])}",
            ]
        )
    return as_text(["word", "score", "", "most", "least"], rows)


def _ranked(whole: dict[str, Any]) -> str:
    most = ", ".join(fit["word"] for fit in whole["most"])
    least = ", ".join(fit["word"] for fit in whole["least"])
    return f"Of all words, most like:   {most}\n              least like:  {least}"


def _sections(content: dict[str, Any]) -> str:
    sections = content["sections"]
    rows = [
        [
            f"{clock(part['t_s'])}–{clock(part['end_s'])}",
            f"{signed(part['level_dbfs'])}",
            hertz(part["centroid_hz"]),
            f"  {part['description']}",
        ]
        for part in sections[:_MOST_SECTIONS]
    ]
    lines = as_text(["section", "dBFS", "centroid", ""], rows).splitlines()
    # The last column is prose: it stands to the left.
    text = [
        line[: line.index(row[3])] + row[3].strip()
        for line, row in zip(lines[1:], rows, strict=True)
    ]
    more = len(sections) - _MOST_SECTIONS
    rest = [f"… and {more} more sections"] if more > 0 else []
    return "\n".join([lines[0].rstrip(), *text, *rest])


def _target(content: dict[str, Any], number: int) -> str:
    target = content["targets"][number]
    needs = [("whole", target["overall"])]
    for k, need in enumerate(target["sections"]):
        needs.append((clock(content["sections"][k]["t_s"]), need))
    if len(target["sections"]) == 1:
        needs = needs[:1]
    shown = [(name, need) for name, need in needs if need is not None][:_MOST_COLUMNS]
    rows = [["strength, dB rms", *(f"{need['strength_db']:.1f}" for _, need in shown)]]
    for k in range(len(shown[0][1]["bands"]) if shown else 0):
        bands = [need["bands"][k] for _, need in shown]
        kind = bands[0]["kind"].replace("_", " ")
        rows.append(
            [kind, *(f"{signed(band['gain_db'])} at {hertz(band['freq_hz'])}" for band in bands)]
        )
    title = f"EQ to make it {target['recipe']} (dB):"
    notes = [f"note: {warning}" for warning in target["warnings"]]
    return "\n".join([title, as_text(["", *(name for name, _ in shown)], rows), *notes])


def tell_many(contents: Sequence[dict[str, Any]]) -> str:
    """Return a table of files."""
    done = [content for content in contents if content.get("status") != "failed"]
    words = [entry["word"] for entry in done[0]["words"]][:_MOST_COLUMNS]
    rows = []
    for content in done:
        whole = content["overall"]
        rows.append(
            [
                content["file"],
                clock(content["duration_s"]),
                *(signed(whole["scores"][word]) for word in words),
                whole["description"],
            ]
        )
    return as_text(["file", "length", *words, "on the whole"], rows)
