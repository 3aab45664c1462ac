"""MIDI maps: which controller moves what; found, read and validated.

A map is a TOML file. Ours are shipped here as ``midi_<name>.toml``; a user's own lie in
`user_maps_dir` and may carry the name of one of ours, which they then replace::

    schema = 1
    name = "mine"
    takeover = "pickup"       # pickup | jump | scale: what a knob does that is not where the value is
                              # (a word at 0 is taken at the first touch, whatever this says)
    channel = 3               # 1–16; left out: any channel

    [[bind]]
    cc = 20                   # controller number, 0–127 (0–31 where 14 bits are sent)
    word = "warm"             # or: control = "amount" | "adapt" | "trim" | "bypass" | "freeze" | "reset"
                              # or: param = "comp.threshold_db", a parameter of a plugin (live --insert)
    encoding = "absolute"     # absolute | absolute14 | relative-twos | relative-offset | relative-sign
    min = -1.0                # the value at the controller's lowest and highest position
    max = 1.0
    curve = "linear"          # linear | square | cubic | root, outwards from 0 when the range holds 0
    detent = 0.03             # share of the range around 0 that counts as 0
    step = 0.02               # for relative encoders: the value of one click
    order = "auto"            # for absolute14: auto | msb | lsb, the half that is sent first
    press = "toggle"          # bypass and freeze: toggle | switch (on while >= 64) | momentary (held)
    invert = false            # for bypass and freeze: the other way
    takeover = "pickup"       # this knob alone
    channel = 1               # this knob alone

Only ``schema``, ``cc`` and one of ``word``, ``control`` and ``param`` are needed. A parameter's ``min`` and
``max`` are in the plugin's unit (left out: its whole range), its ``step`` is a share of the range.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import cast

import click

from semeq.engine.errors import DataError, SettingsError
from semeq.engine.texts import load_toml, read_limited
from semeq.presets.midi_bindings import (
    Binding,
    Control,
    Curve,
    Encoding,
    MidiMap,
    Order,
    Press,
    TakeOver,
)

SCHEMA = 1
PREFIX = "midi_"
DEFAULT_MAP = "default"
_LARGEST = 1 << 20

_NUMBER = (int, float)
_Types = type | tuple[type, ...]
_MAP_KEYS: Mapping[str, _Types] = {
    "schema": int,
    "name": str,
    "description": str,
    "takeover": TakeOver,
    "channel": int,
    "bind": list,
}
_BIND_KEYS: Mapping[str, _Types] = {
    "cc": int,
    "word": str,
    "control": Control,
    "param": str,
    "encoding": Encoding,
    "min": _NUMBER,
    "max": _NUMBER,
    "curve": Curve,
    "detent": _NUMBER,
    "step": _NUMBER,
    "order": Order,
    "press": Press,
    "invert": bool,
    "takeover": TakeOver,
    "channel": int,
}
_HEADER = re.compile(r"\s*\[\[\s*bind\s*\]\]")
_KIND_NAMES = {int: "a whole number", str: "text", bool: "true or false", list: "a list of tables"}


class _FaultError(Exception):
    """A fault and the key it lies at."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


def bind_spans(text: str) -> list[tuple[int, int]]:
    """Return first line and line after the last of each ``[[bind]]`` table, counted from 0."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    return list(zip(starts, [*starts, len(lines)][1:], strict=True))


def _line_of(text: str, key: str, table: int | None) -> int | None:
    """Return the line (from 1) of a key of one bind table, or of the top of the file."""
    lines, spans = text.splitlines(), bind_spans(text)
    if table is None:
        first, last = 0, (spans[0][0] if spans else len(lines))
    elif table < len(spans):
        first, last = spans[table]
    else:
        return None  # written as an inline table
    pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    for number in range(first, last):
        if key and pattern.match(lines[number]):
            return number + 1
    return None if table is None else first + 1


def _checked(entry: Mapping[str, object], keys: Mapping[str, _Types]) -> dict[str, object]:
    """Return the entries of a table with their types put right."""
    values: dict[str, object] = {}
    for key, value in entry.items():
        kind = keys.get(key)
        if kind is None:
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f": did you mean {near[0]!r}?" if near else f": known are {', '.join(keys)}"
            raise _FaultError(f"unknown key {key!r}{hint}", key)
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            try:
                values[key] = kind(cast(str, value))
            except ValueError:
                choices = ", ".join(
                    c.value for c in kind if not (isinstance(c, Control) and c.is_named)
                )
                raise _FaultError(f"{key} must be one of {choices}, got {value!r}", key) from None
        elif (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
            name = "a number" if kind is _NUMBER else _KIND_NAMES[cast(type, kind)]
            raise _FaultError(f"{key} must be {name}, got {value!r}", key)
        else:
            values[key] = value
    return values


def _binding(entry: object, common: Mapping[str, object]) -> Binding:
    if not isinstance(entry, dict):
        raise _FaultError(f"bind must be a list of tables, got {entry!r} in it", "bind")
    values = _checked(entry, _BIND_KEYS)
    if "cc" not in values:
        raise _FaultError("cc is missing: a binding needs its controller's number")
    if sum(key in values for key in ("word", "control", "param")) != 1:
        raise _FaultError("a binding needs one of word, control and param")
    if values.get("control") in (Control.WORD, Control.PARAMETER):
        message = f'control = "{values["control"]}" is not needed: give word or param'
        raise _FaultError(message, "control")
    values.setdefault("control", Control.PARAMETER if "param" in values else Control.WORD)
    for file_key, field_key in (("min", "low"), ("max", "high")):
        if file_key in values:
            values[field_key] = values.pop(file_key)
    for key in ("takeover", "channel"):
        if key in common:
            values.setdefault(key, common[key])
    try:
        return Binding(**values)  # type: ignore[arg-type]  # checked against _BIND_KEYS above
    except SettingsError as error:
        raise _FaultError(str(error), str(error).split()[0]) from None


def parse_map(text: str, *, name: str = "map", source: str = "") -> MidiMap:
    """Read a map from TOML.

    Parameters
    ----------
    text : str
        The file's text.
    name : str
        The map's name when the text gives none.
    source : str
        Where the text comes from, for messages; `name` when empty.

    Raises
    ------
    DataError
        With the source and the line of the fault.
    """
    where = source or name

    def located(message: str, line: int | None) -> DataError:
        return DataError(f"{where}{f':{line}' if line else ''}: {message}")

    try:
        table = load_toml(text)
    except ValueError as error:
        found = re.search(r"line (\d+)", str(error))
        message = re.sub(r"\s*\(at .*\)", "", str(error))
        line = int(found[1]) if found else len(text.splitlines())  # else "at end of document"
        raise located(f"not TOML: {message}", line) from None
    try:
        if table.get("schema") != SCHEMA:
            got = table.get("schema", "none")
            raise _FaultError(f"schema must be {SCHEMA}, got {got}: is this a MIDI map?", "schema")
        values = _checked(table, _MAP_KEYS)
        channel = values.get("channel", 1)
        if not 1 <= cast(int, channel) <= 16:
            raise _FaultError(f"channel must be in [1, 16], got {channel}", "channel")
        if not values.get("bind"):
            raise _FaultError("bind is missing: a map needs at least one [[bind]] table")
    except _FaultError as fault:
        raise located(str(fault), _line_of(text, fault.key, None)) from None
    bindings: list[Binding] = []
    for number, entry in enumerate(cast(list[object], values["bind"])):
        try:
            bindings.append(_binding(entry, values))
            MidiMap(name, tuple(bindings))  # here, so that a clash has its line
        except _FaultError as fault:
            raise located(str(fault), _line_of(text, fault.key, number)) from None
        except SettingsError as error:
            raise located(str(error), _line_of(text, "cc", number)) from None
    return MidiMap(
        cast(str, values.get("name", name)),
        tuple(bindings),
        cast(str, values.get("description", "")),
        where,
    )


@dataclass(frozen=True, slots=True)
class MapInfo:
    """Where a map can be found: its ``name``, ``factory`` or ``user``, and the path."""

    name: str
    origin: str
    path: str


def user_maps_dir() -> Path:
    """Return the folder of the user's own maps (it need not exist)."""
    return Path(click.get_app_dir("semeq")) / "midi"


def available_maps() -> tuple[MapInfo, ...]:
    """Return all maps by name, the user's before ours, which theirs of the same name replace."""
    found: dict[str, MapInfo] = {}
    folder = user_maps_dir()
    if folder.is_dir():
        for path in sorted(folder.glob("*.toml")):
            found[path.stem] = MapInfo(path.stem, "user", str(path))
    for item in sorted(resources.files("semeq.presets").iterdir(), key=lambda item: item.name):
        if item.name.startswith(PREFIX) and item.name.endswith(".toml"):
            name = item.name.removeprefix(PREFIX).removesuffix(".toml")
            found.setdefault(name, MapInfo(name, "factory", str(item)))
    return tuple(found.values())


def map_text(wanted: str) -> tuple[str, str, str]:
    """Return name, path and text of a map.

    Parameters
    ----------
    wanted : str
        The path of a file (with a separator or ending in ``.toml``), or a name of `available_maps`.

    Raises
    ------
    DataError
        If there is no such map or it cannot be read.
    """
    path = Path(wanted)
    if path.suffix != ".toml" and path.name == wanted:
        maps = {info.name: info for info in available_maps()}
        if wanted not in maps:
            raise DataError(
                f"no MIDI map is called {wanted!r}: there are {', '.join(sorted(maps))}"
            )
        path = Path(maps[wanted].path)
    else:
        wanted = path.stem
    try:
        return wanted, str(path), read_limited(path, _LARGEST).decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a text file in UTF-8") from None
    except ValueError as error:
        raise DataError(f"{path}: no MIDI map has {error}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None


def load_map(wanted: str = DEFAULT_MAP) -> MidiMap:
    """Return a map by name or path, validated.

    Raises
    ------
    DataError
        If it is missing, unreadable or wrong, with file and line.
    """
    name, path, text = map_text(wanted)
    return parse_map(text, name=name, source=path)
