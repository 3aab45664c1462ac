"""Bars of characters, and parts of text set side by side."""

from rich.text import Text

from semeq.realtime.chart import Glyphs


def level_bar(share: float, size: int, glyphs: Glyphs, hold: float | None = None) -> Text:
    """Return a bar from the left, `share` of `size` long, with a mark at `hold`."""
    filled = round(min(max(share, 0.0), 1.0) * size)
    bar = glyphs.strong * filled + glyphs.line * (size - filled)
    text = Text()
    at = size if hold is None or hold <= 0.0 else min(int(hold * size), size - 1)
    text.append(bar[: min(filled, at)])
    text.append(bar[filled:at], "dim")
    if at < size:
        text.append(glyphs.hold, "bold")
        text.append(bar[at + 1 : max(filled, at + 1)])
        text.append(bar[max(filled, at + 1) :], "dim")
    return text


def weight_bar(weight: float, limit: float, size: int, glyphs: Glyphs) -> Text:
    """Return a bar from the middle to the left or right."""
    half = size // 2
    filled = min(round(abs(weight) / limit * half), half)
    filled = max(filled, 1) if weight else 0
    low = glyphs.line * (half - (filled if weight < 0 else 0))
    high = glyphs.line * (half - (filled if weight > 0 else 0))
    return Text.assemble(
        (low, "dim"),
        (glyphs.strong * filled if weight < 0 else "", "magenta"),
        (glyphs.centre, "dim"),
        (glyphs.strong * filled if weight > 0 else "", "cyan"),
        (high, "dim"),
    )


def flow(parts: list[Text], width: int, glyphs: Glyphs) -> list[Text]:
    """Set parts side by side, in as many lines as they need."""
    lines: list[Text] = []
    for part in parts:
        part.truncate(width - 1, overflow="ellipsis" if glyphs.is_braille else "crop")
        if lines and len(lines[-1]) + len(part) + 3 <= width:
            lines[-1].append(f" {glyphs.dot} ", "dim")
            lines[-1].append_text(part)
        else:
            lines.append(Text.assemble(" ", part))
    return lines
