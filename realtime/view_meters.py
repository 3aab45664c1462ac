"""The level meters of the view."""

from rich.text import Text

from semeq.realtime.bars import level_bar
from semeq.realtime.chart import Glyphs
from semeq.realtime.view_model import Level, ViewModel, level_text, lufs_text

#: Scale of the level meters, dBFS.
METER_RANGE_DB = (-60.0, 0.0)


def levels(model: ViewModel, width: int, glyphs: Glyphs) -> list[Text]:
    """Return a line a channel, no more than two, the input beside the output; and the loudness."""
    if model.engine.left_out:
        return [Text(" levels are not measured: there is no time for it", "dim")]
    rows = max(len(model.levels_in), len(model.levels_out))
    out = []
    for row in range(min(rows, 2)):
        line = Text()
        for name, levels in ((" in ", model.levels_in), (" out ", model.levels_out)):
            if row < len(levels):
                line.append_text(_meter(name, levels[row], width // 2, glyphs))
        out.append(line)
    now = model.loudness
    if out and now.integrated is not None:
        parts = (("400 ms", now.momentary), ("3 s", now.short_term), ("all", now.integrated))
        line = Text(" LUFS", "dim")
        for name, value in parts:
            line.append_text(Text.assemble((f"  {name} ", "dim"), lufs_text(value)))
        out.append(line)
    return out


def _meter(name: str, level: Level, size: int, glyphs: Glyphs) -> Text:
    low, high = METER_RANGE_DB
    share = (level.peak_db - low) / (high - low)
    hold = (level.hold_db - low) / (high - low)
    text = Text.assemble((f"{name:<5}", "dim"))
    text.append_text(level_bar(share, max(size - 13, 3), glyphs, hold))
    over = level.hold_db >= 0.0
    text.append(f"{level_text(level.hold_db):>6}", "red bold" if over else "")
    text.append("!" if over else " ", "red bold")
    text.append(" ")
    return text
