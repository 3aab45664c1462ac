"""The help of the view: what each key does."""

from rich.text import Text

from semeq.realtime.keypad import HELP


def help_lines(width: int, rows: int) -> list[Text]:
    """Return the keys and what they do, in `rows` lines; in two columns where one has no room."""
    lines = [Text.assemble((f" {keys:<9}", "bold"), f" {what}") for keys, what in HELP]
    columns = 2 if width >= 60 and rows < len(lines) else 1
    per = -(-len(lines) // columns)
    out = []
    for row in range(min(per, max(rows, 0))):
        line = lines[row]
        for other in lines[row + per :: per]:
            line = Text.assemble(line, " " * max(width // columns - len(line), 1), other)
        out.append(line)
    return out + [Text() for _ in range(rows - len(out))]
