"""What the last live session ended with: kept in the user's state directory, read back with care.

The file is small JSON of a versioned form, written beside its target and moved into place. Whatever it
says, a session starts safely: not bypassed, the output at unity, every value within its range, and only
words that are known. A file that is damaged, or of a later version, is moved aside and said in one line.
"""

import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from semeq.engine.atomic import write_text
from semeq.engine.errors import AudioFileError, SemeqError
from semeq.engine.recipe import Recipe
from semeq.engine.texts import load_json
from semeq.presets.midi_bindings import LIMITS, Control

FORMAT = "semeq-live-state"
VERSION = 1
FILE = "live.json"
#: Where the state is kept instead, for whoever wants it elsewhere.
FOLDER_VARIABLE = "SEMEQ_STATE_DIR"
_LARGEST = 65_536
_LONGEST_NAME = 1000


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is taken up again.

    Parameters
    ----------
    weights : tuple of (str, float)
        The words that had a knob, in their order.
    amount, adapt : float
        As in a session.
    midi, midi_map, input, output : str or None
        What was asked for by name; None where the default was.
    """

    weights: tuple[tuple[str, float], ...] = ()
    amount: float = 1.0
    adapt: float | None = None
    midi: str | None = None
    midi_map: str | None = None
    input: str | None = None
    output: str | None = None
    is_found: bool = field(default=True, compare=False)

    @property
    def recipe(self) -> Recipe:
        """The words that are not at 0."""
        return Recipe(tuple((word, weight) for word, weight in self.weights if weight))


NOTHING = Remembered(is_found=False)


def state_folder() -> Path:
    """Return where the state lies; the folder need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "semeq"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "semeq"
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "semeq"


def remember(state: Remembered, folder: Path | None = None) -> None:
    """Write the state, whole or not at all.

    Raises
    ------
    AudioFileError
        If the folder cannot be written to.
    """
    folder = folder or state_folder()
    content = asdict(state)
    del content["is_found"]
    content["weights"] = [[word, weight] for word, weight in state.weights]
    text = json.dumps({"format": FORMAT, "version": VERSION, **content}, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(f"{folder} cannot be made: {error.strerror or error}") from None
    write_text(folder / FILE, text + "\n")


def recall(
    say: Callable[[str], None],
    knows: Callable[[str], bool] = lambda word: True,
    folder: Path | None = None,
) -> Remembered:
    """Return what was remembered, made safe; `NOTHING` where there is none.

    Parameters
    ----------
    say : callable
        Takes one line about what could not be taken up.
    knows : callable
        Says whether a word is in the vocabulary.
    folder : Path, optional
        Where to look; `state_folder` by default.
    """
    path = (folder or state_folder()) / FILE
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return NOTHING
    except OSError as error:
        say(f"{path} cannot be read ({error.strerror or error}): starting from the defaults")
        return NOTHING
    try:
        content = _content(raw)
    except _OtherVersionError as error:
        _set_aside(path, "newer", say, f"is of {error}")
        return NOTHING
    except ValueError as error:
        _set_aside(path, "damaged", say, f"is damaged ({error})")
        return NOTHING
    return _safe(content, knows, say)


class _OtherVersionError(Exception):
    """The file was written by another version of semeq."""


def _content(raw: bytes) -> Mapping[str, Any]:
    if len(raw) > _LARGEST:
        raise ValueError(f"more than {_LARGEST:,} bytes")
    content = load_json(raw.decode("utf-8"))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError("not a state of semeq")
    version = content.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(f"version {version!r}")
    if version > VERSION:
        raise _OtherVersionError(f"version {version}, this semeq reads {VERSION}")
    weights = content.get("weights", [])
    if not isinstance(weights, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in weights
    ):
        raise ValueError("weights")
    for key in ("midi", "midi_map", "input", "output"):
        name = content.get(key)
        if name is not None and not (isinstance(name, str) and len(name) <= _LONGEST_NAME):
            raise ValueError(key)
    return content


def _safe(
    content: Mapping[str, Any], knows: Callable[[str], bool], say: Callable[[str], None]
) -> Remembered:
    weights: dict[str, float] = {}
    lost: list[str] = []
    for word, weight in content.get("weights", []):
        value = _within(weight, LIMITS[Control.WORD], 0.0)
        try:
            ((name, _),) = Recipe(((word, value),)).terms
        except SemeqError:
            lost.append(word)
            continue
        if not knows(name):
            lost.append(name)
            continue
        weights[name] = value
    if lost:
        listed = ", ".join(repr(word[:40]) for word in lost[:5])
        say(f"no one has taught us {listed}, which the last session had: left out")
    try:
        kept = Recipe(tuple(weights.items())).terms
    except SemeqError:  # more words than a recipe may have
        kept = tuple(weights.items())[:1]
    adapt = content.get("adapt")
    return Remembered(
        kept,
        _within(content.get("amount"), LIMITS[Control.AMOUNT], 1.0),
        None if adapt is None else _within(adapt, LIMITS[Control.ADAPT], 1.0),
        content.get("midi"),
        content.get("midi_map"),
        content.get("input"),
        content.get("output"),
    )


def _within(value: object, limits: tuple[float, float], otherwise: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return otherwise
    return float(min(max(value, limits[0]), limits[1]))


def _set_aside(path: Path, what: str, say: Callable[[str], None], why: str) -> None:
    """Move a file out of the way, so that it can be looked at and is not written over."""
    aside = path.with_name(f"{path.stem}.{what}{path.suffix}")
    try:
        os.replace(path, aside)
        kept = f"kept as {aside.name}"
    except OSError as error:
        kept = f"it stays where it is ({error.strerror or error})"
    say(f"{path} {why}: starting from the defaults, {kept}")
