"""The lines of the view about what is heard, what became of it, and the bands under a hand."""

from rich.text import Text

from semeq.realtime.bars import flow
from semeq.realtime.chart import Glyphs
from semeq.realtime.view_model import ViewModel


def ear_lines(model: ViewModel, width: int, glyphs: Glyphs) -> list[Text]:
    """Return the line about what is heard and, where a hand has been on them, the bands."""
    ear = model.ear
    parts = []
    if ear.state != "off":
        is_odd = ear.state in ("frozen", "stale")
        parts.append(
            Text.assemble(("ear ", "dim"), (ear.text, "yellow bold" if is_odd else "bold"))
        )
        if ear.regions_db:
            heard = " ".join(f"{name} {value:+.1f}" for name, value in ear.regions_db)
            parts.append(Text.assemble(("hears ", "dim"), f"{heard} dB"))
        if ear.age_s is not None and ear.state != "frozen":
            parts.append(Text(f"{ear.age_s:.1f} s old"))
        parts.append(Text(f"{ear.updates_per_s:.0f}/s {ear.core:.1%} of a core"))
        if ear.stale:
            parts.append(Text(f"late {ear.stale}", "yellow"))
    if model.locks or any(model.band_trims_db) or model.band is not None:
        parts.append(_bands(model))
    parts += [Text(said, "yellow" if is_miss else "green") for said, is_miss in model.verdicts]
    return flow(parts, width, glyphs)[:3]


def _bands(model: ViewModel) -> Text:
    text = Text.assemble(("bands", "dim"))
    for number, trim_db in enumerate(model.band_trims_db, start=1):
        label = f"{number}{'L' if number in model.locks else ''}"
        label += f"{trim_db:+g}" if trim_db else ""
        text.append(" ")
        text.append(label, "reverse" if number == model.band else "")
    return text
