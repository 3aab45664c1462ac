"""The view of a live session, drawn by a pure function of its model.

The layout adapts to the terminal: first comes what is played with (words, amount, bypass), then levels
and the curve, then the machine. Everything is told by characters; colour only helps.
"""

import textwrap
from functools import lru_cache

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from semeq.realtime.bars import flow, level_bar, weight_bar
from semeq.realtime.chart import UNICODE, Glyphs, frequency_axis, plot
from semeq.realtime.view_ear import ear_lines
from semeq.realtime.view_help import help_lines
from semeq.realtime.view_meters import levels
from semeq.realtime.view_model import LIVE, KnobRow, ViewModel, WordRow, clock

MIN_WIDTH = 24
_ASCII = str.maketrans("↑↓←→−–…", "^v<>--~")
MAX_CURVE_ROWS = 25
MAX_WORD_ROWS = 8
#: Load, as a share of the block's duration, from which it is shown as a warning.
HIGH_LOAD = 0.25


def render(
    model: ViewModel, width: int, height: int = 24, glyphs: Glyphs = UNICODE
) -> RenderableType:
    """Return the view as something that rich prints; `view_lines` says how."""
    return Group(*view_lines(model, width, height, glyphs))


def view_lines(
    model: ViewModel, width: int, height: int = 24, glyphs: Glyphs = UNICODE
) -> list[Text]:
    """Return the view as at most `height` lines of at most `width` characters.

    Parameters
    ----------
    model : ViewModel
        What is shown.
    width, height : int
        Size of the terminal in characters.
    glyphs : Glyphs
        What to draw with.
    """
    width = max(width, MIN_WIDTH)
    header, last = _header(model, width, glyphs), _last(model, width)
    words = _words(model, width, max(min(MAX_WORD_ROWS, height // 3), 1), glyphs)
    # In a low terminal the machine goes first, then its notes, the meters, the ear and the knobs.
    room = height - 2 - len(words)
    optional = []
    for part in (
        [_knobs(model, width)],
        ear_lines(model, width, glyphs),
        levels(model, width, glyphs),
        _notes(model, width, height),
        _machine(model, width, glyphs),
    ):
        optional.append(part[: max(room, 0)])
        room -= len(part)
    knobs, ear, meters, notes, machine = optional
    lines = [header, *_upper(model, width, room, glyphs), *words, *knobs, *ear, *meters, *machine]
    lines += [*notes, last]
    for line in lines:
        line.no_wrap = True
        line.truncate(width, overflow="ellipsis" if glyphs.is_braille else "crop")
    if not glyphs.is_braille:
        lines = [
            Text(line.plain.translate(_ASCII), spans=line.spans, no_wrap=True) for line in lines
        ]
    return lines[:height]


# ------------------------------------------------------------------------------------------- parts


def _header(model: ViewModel, width: int, glyphs: Glyphs) -> Text:
    right = Text()
    if model.engine.left_out:
        right.append(" OVERLOAD ", "red reverse bold")
        right.append(" ")
    if model.bypass:
        right.append(" BYPASS ", "reverse bold")
        right.append(" ")
    elif model.delta:
        right.append(" ONLY THE CHANGE ", "reverse bold")
        right.append(" ")
    right.append(model.state, "" if model.state == LIVE else "red bold reverse")
    right.append(f" {clock(model.elapsed_s)}")
    room = max(width - len(right) - 8, 4)
    left = Text.assemble(("semeq ", "bold"), (model.recipe_text, "cyan"))
    left.truncate(room + 6, overflow="ellipsis" if glyphs.is_braille else "crop")
    return Text.assemble(left, " " * max(width - len(left) - len(right), 1), right)


def _upper(model: ViewModel, width: int, room: int, glyphs: Glyphs) -> list[Text]:
    """Return what fills the room that is left: the curve, or the help."""
    if model.shows_help:
        return help_lines(width, room)
    rows = min(room - 1, MAX_CURVE_ROWS)
    rows -= 1 - rows % 2  # odd, for 0 dB in the middle
    return _curve(model, width, rows, glyphs) if rows >= 3 else []


def _curve(model: ViewModel, width: int, rows: int, glyphs: Glyphs) -> list[Text]:
    style = "dim" if model.bypass else "green"
    if model.freqs_hz.size == 0:
        return [Text() for _ in range(rows + 1)]
    lines = _plotted(model.freqs_hz.tobytes(), model.response_db.tobytes(), width, rows, glyphs)
    drawn = [Text.assemble((line[:5], "dim"), (line[5:], style)) for line in lines]
    return [*drawn, Text(frequency_axis(width), "dim")]


@lru_cache(maxsize=4)
def _plotted(freqs: bytes, response: bytes, width: int, rows: int, glyphs: Glyphs) -> list[str]:
    """Return the plot, which stays the same for many pictures."""
    return plot(np.frombuffer(freqs), np.frombuffer(response), width, rows, glyphs)


def _words(model: ViewModel, width: int, max_rows: int, glyphs: Glyphs) -> list[Text]:
    every = (*model.words, *model.knobs)
    if not every:
        return [Text("no word yet" + (": / adds one" if model.selected is not None else ""), "dim")]
    columns = min(max(width // 36, 2 if width >= 56 else 1), 4, len(every))
    cell = width // columns
    rows = -(-len(every) // columns)
    first = 0
    if rows > max_rows:
        chosen = (model.selected or 0) // columns
        first = min(max(chosen - max_rows // 2, 0), rows - max_rows)
    shown = every[first * columns : (first + max_rows) * columns]
    names = [*(row.word for row in model.words), *(row.name for row in model.knobs)]
    longest = min(max(map(len, names)) + 1, cell // 2 - 4)
    limit = max(1.0, max((abs(row.weight) for row in model.words), default=1.0))
    out = []
    for start in range(0, len(shown), columns):
        line = Text()
        for offset, row in enumerate(shown[start : start + columns]):
            number = first * columns + start + offset
            is_selected = number == model.selected
            if isinstance(row, KnobRow):
                line.append_text(_knob(row, is_selected, cell - 1, longest, glyphs))
            else:
                line.append_text(_word(row, is_selected, cell - 1, longest, limit, glyphs))
            line.append(" ")
        out.append(line)
    return out


@lru_cache(maxsize=128)
def _word(
    row: WordRow, is_selected: bool, size: int, longest: int, limit: float, glyphs: Glyphs
) -> Text:
    name = row.word + ("?" if row.note else "")
    if len(name) > longest:
        name = name[: longest - 1] + glyphs.ellipsis
    value = f"{row.weight:+.2f}" if row.weight else "0.00"
    text = Text(f"{glyphs.pointer if is_selected else ' '}{name:<{longest}} ")
    text.append_text(weight_bar(row.weight, limit, size - longest - 9, glyphs))
    text.append(f" {value:>5} ")
    text.truncate(size, pad=True)
    if is_selected:
        text.stylize("bold")
    return text


@lru_cache(maxsize=128)
def _knob(row: KnobRow, is_selected: bool, size: int, longest: int, glyphs: Glyphs) -> Text:
    name = row.name
    if len(name) > longest:
        name = name[: longest - 1] + glyphs.ellipsis
    text = Text(f"{glyphs.pointer if is_selected else ' '}{name:<{longest}} ")
    text.append_text(level_bar(row.share, size - longest - 12, glyphs))
    text.append(f" {row.value[:8]:>8} ")
    text.truncate(size, pad=True)
    if is_selected:
        text.stylize("bold")
    return text


def _knobs(model: ViewModel, width: int) -> Text:
    parts = [
        ("amount", f"{model.amount:.2f}"),
        ("adapt", f"{model.adapt:.2f}"),
        ("trim", f"{model.trim_db:+.1f} dB"),
        ("bypass", "ON" if model.bypass else "off"),
    ]
    text = Text(" ")
    for name, value in parts:
        text.append(f"{name} ", "dim")
        text.append(value, "bold")
        text.append("   " if width >= 56 else " ")
    return text


def _machine(model: ViewModel, width: int, glyphs: Glyphs) -> list[Text]:
    engine = model.engine
    high = engine.load_max >= HIGH_LOAD
    latency = "" if engine.latency_ms is None else f" {engine.latency_ms:.1f} ms"
    parts = [
        Text(engine.device or "no device"),
        Text(f"{engine.fs / 1000.0:g} kHz/{engine.blocksize}{latency}"),
        Text(
            f"load {engine.load:.1%} p99.9 {engine.load_p999:.1%} max {engine.load_max:.1%}"
            + ("!" if high else ""),
            "yellow" if high else "",
        ),
    ]
    for name, count in (
        ("xruns", engine.xruns),
        ("missed", engine.missed),
        ("bad", engine.bad_samples),
        ("clipped", engine.clipped),
        ("limited", engine.limited),
    ):
        if count or name == "xruns":
            parts.append(Text(f"{name} {count}", "yellow" if count else ""))
    if engine.left_out:
        parts.insert(0, Text(engine.overload_text, "red bold"))
    if engine.ducked_db:
        parts.append(Text(f"HOWL {engine.ducked_db:+g} dB", "red bold"))
    elif engine.howls:
        parts.append(Text(f"howls {engine.howls}", "yellow"))
    if model.midi:
        parts.append(Text(f"MIDI {model.midi}"))
        if model.midi_last:
            parts.append(Text(model.midi_last, "cyan"))
    return flow(parts, width, glyphs)[:3]


def _notes(model: ViewModel, width: int, height: int) -> list[Text]:
    notes = list(model.warnings)
    if model.selected is not None and model.selected < len(model.words):
        row = model.words[model.selected]
        if row.note:
            notes.append(f"{row.word}: {row.note}")
    room = 1 if height < 20 else 4
    lines: list[Text] = []
    for note in reversed(notes):  # the newest is the last to be left out
        wrapped = textwrap.wrap(note, width - 4)[: min(2, room - len(lines))]
        for number, part in reversed(list(enumerate(wrapped))):
            lines.insert(
                0, Text.assemble(("   " if number else " ! ", "yellow bold"), (part, "yellow"))
            )
    return lines


def _last(model: ViewModel, width: int) -> Text:
    if model.prompt is not None:
        return Text.assemble(
            (" / ", "bold"), model.prompt, ("_", "blink"), (f"  {model.message}", "yellow")
        )
    if model.message:
        return Text(f" {model.message}", "yellow")
    if model.selected is None:
        return Text(" Ctrl-C ends", "dim")
    wide = " ↑↓ word  ←→ weight  space bypass  a/A amount  / add  0 reset  ? help  q quit"
    return Text(wide if width >= len(wide) else " ? help  space bypass  q quit", "dim")
