"""Files that hold a plugin's state: written from a guest, checked before they go back.

A plugin takes any bytes as its state, also another plugin's or half a file, and may crash over them. So the
file says whose state it is, holds a checksum, and what the parameters were; after it was restored they are
compared. The plugin's own ``.vstpreset`` files can be read as well.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeq.engine.atomic import write_text
from semeq.engine.errors import DataError, PluginError
from semeq.engine.plugin_guest import Guest
from semeq.engine.texts import load_json, read_limited

VERSION = 1
#: A parameter that comes back within this share of its range has come back.
TOLERANCE = 2e-3
PRESET_MARK = b"VST3"
_LARGEST = 256 << 20


@dataclass(frozen=True, slots=True)
class PluginState:
    """A state that was read from a file.

    Parameters
    ----------
    file : Path
        Where it is from.
    text : str
        The state in base64; empty for a preset file, which the plugin reads by itself.
    plugin : tuple of str
        Name, vendor and class of the plugin that it is of; empty for a preset file.
    raws : tuple of (str, float)
        What the parameters were, in [0, 1].
    """

    file: Path
    text: str = ""
    plugin: tuple[str, ...] = ()
    raws: tuple[tuple[str, float], ...] = ()


def _who(facts: Mapping[str, str]) -> tuple[str, ...]:
    # an identifier is format-name-hash of the path-class
    return facts["name"], facts["vendor"], facts["identifier"].rpartition("-")[2]


def save_state(guest: Guest, path: Path, *, inputs: Iterable[Path] = ()) -> None:
    """Write the state of a guest that was prepared; none of `inputs` is replaced."""
    raws = {facts.name: facts.raw for facts in guest.parameters()}
    write_state(path, guest.facts, raws, guest.state(), inputs=inputs)


def write_state(
    path: Path,
    facts: Mapping[str, str],
    raws: Mapping[str, float],
    text: str,
    *,
    inputs: Iterable[Path] = (),
) -> None:
    """Write the state of a plugin: what it is, its parameters as raw values, and its own text in base64."""
    content = {
        "semeq_plugin_state": VERSION,
        "plugin": dict(facts),
        "parameters": dict(raws),
        "state": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    write_text(path, json.dumps(content, indent=1) + "\n", inputs=tuple(inputs))


def read_state(path: Path) -> PluginState:
    """Read a state file, or find that it is a preset.

    Raises
    ------
    DataError
        If it is neither, or damaged.
    """
    try:
        data = read_limited(path, _LARGEST)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{path} must be a plugin's state, got {error}") from None
    if path.suffix.casefold() == ".vstpreset":
        if not data.startswith(PRESET_MARK):
            raise DataError(f"{path} is damaged: a preset must begin with {PRESET_MARK.decode()}")
        return PluginState(path.absolute())
    try:
        content: dict[str, Any] = load_json(data)
        version = content["semeq_plugin_state"]
        text, digest = str(content["state"]), content["sha256"]
        base64.b64decode(text, validate=True)
        who = _who(content["plugin"])
        raws = tuple((str(name), float(raw)) for name, raw in content["parameters"].items())
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise DataError(f"{path} is not a state that semeq saved, nor a .vstpreset") from None
    if version != VERSION:
        raise DataError(f"{path} must be of version {VERSION}, got {version!r}")
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise DataError(f"{path} is damaged: its checksum is not that of its state")
    return PluginState(path.absolute(), text, who, raws)


def restore_state(guest: Guest, state: PluginState) -> None:
    """Give a guest its state back.

    Raises
    ------
    DataError
        If it is another plugin's.
    PluginError
        If the plugin does not take it.
    """
    if not state.text:
        guest.preset(state.file)
        return
    who = _who(guest.facts)
    if state.plugin != who:
        raise DataError(
            f"{state.file} must be a state of {who[0]} by {who[1]}, got one of {state.plugin[0]} by "
            f"{state.plugin[1]}"
        )
    guest.restore(state.text)


def check_restored(guest: Guest, state: PluginState) -> None:
    """Compare the parameters with what they were; only right before they are set anew.

    Raises
    ------
    PluginError
        If one did not come back.
    """
    now = {facts.name: facts.raw for facts in guest.parameters()}
    for name, raw in state.raws:
        if name not in now or abs(now[name] - raw) > TOLERANCE:
            raise PluginError(
                f"{guest.name} did not take its state back: {name} should be {raw:.3f} of its range, is "
                f"{now.get(name, float('nan')):.3f}"
            )
