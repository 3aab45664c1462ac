"""Writing MIDI maps: one binding added to a file that keeps its comments."""

import json
from enum import StrEnum
from pathlib import Path

from semeq.engine.atomic import explain, write_text
from semeq.engine.errors import AudioFileError, DataError
from semeq.presets.midi_bindings import Binding
from semeq.presets.midi_maps import SCHEMA, bind_spans, parse_map


def format_binding(binding: Binding) -> str:
    """Return a binding as a ``[[bind]]`` table, leaving out what is said by default."""
    plain = Binding(binding.cc, binding.control, binding.word, param=binding.param)
    what = "word" if binding.word else "param" if binding.param else "control"
    lines = ["[[bind]]", f"cc = {binding.cc}", f"{what} = {_quoted(binding.label)}"]
    names = {"low": "min", "high": "max"}
    for field in ("encoding", "low", "high", "curve", "detent", "step", "order", "press"):
        value = getattr(binding, field)
        if value != getattr(plain, field):
            text = _quoted(value.value) if isinstance(value, StrEnum) else f"{float(value):g}"
            lines.append(f"{names.get(field, field)} = {text}")
    if binding.invert:
        lines.append("invert = true")
    if binding.takeover is not plain.takeover:
        lines.append(f"takeover = {_quoted(binding.takeover.value)}")
    if binding.channel is not None:
        lines.append(f"channel = {binding.channel}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # what JSON escapes, TOML reads


def with_binding(text: str, binding: Binding, *, name: str = "mine") -> str:
    """Return a map's text with a binding added.

    Bindings of the same target or of the same controller give way; everything else, comments too,
    stays as it was written. An empty text becomes a new map.

    Raises
    ------
    DataError
        If the text is no map, or holds its bindings as inline tables.
    """
    if not text.strip():
        head = f"schema = {SCHEMA}\nname = {_quoted(name)}\n"
        return f"{head}\n{format_binding(binding)}"
    old = parse_map(text, name=name).bindings
    spans = bind_spans(text)
    if len(spans) != len(old):
        raise DataError(f"{name}: only maps with [[bind]] tables can be extended")
    lines = text.splitlines()
    for (first, last), other in reversed(list(zip(spans, old, strict=True))):
        same = (other.control, other.target) == (binding.control, binding.target)
        if same or other.overlaps(binding):
            while last > first and not _says_something(lines[last - 1]):
                last -= 1  # what stands before the next table belongs to it
            del lines[first:last]
    extended = "\n".join(lines).rstrip() + f"\n\n{format_binding(binding)}"
    parse_map(extended, name=name)
    return extended


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def write_map(path: Path, text: str) -> None:
    """Write a map whole or not at all; its folder is made.

    Raises
    ------
    AudioFileError
        If the folder or the file cannot be written; what was there stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(f"{path} cannot be written: {explain(error)}") from None
    write_text(path, text)
