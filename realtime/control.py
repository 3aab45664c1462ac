"""The actions that change what a person has asked for, and the one rule by which they do.

Everything that turns a knob (MIDI, keys, a file, later a panel) says an `Action`; `apply` is the only
rule that turns a state and an action into the next state. A knob cannot fail: a value beyond its range
stops at the end of it. `semeq.realtime.desk` owns the newest state.
"""

import math
from dataclasses import dataclass, replace

from semeq.engine.errors import SettingsError
from semeq.engine.recipe import MAX_TERMS, Recipe
from semeq.engine.spelling import normalise_word
from semeq.presets.midi_bindings import LIMITS, Control
from semeq.realtime.control_state import (
    ADAPT_RANGE,
    AMOUNT_RANGE,
    BAND_TRIM_RANGE_DB,
    BANDS,
    NO_TRIMS,
    TRIM_RANGE_DB,
    ControlState,
    checked_band,
)

__all__ = [
    "ADAPT_RANGE",
    "AMOUNT_RANGE",
    "BANDS",
    "BAND_TRIM_RANGE_DB",
    "NO_TRIMS",
    "TRIM_RANGE_DB",
    "Action",
    "AddParameters",
    "AddWords",
    "Bypass",
    "ControlState",
    "Delta",
    "Freeze",
    "Lock",
    "Recall",
    "Reset",
    "Set",
    "Step",
    "TrimBand",
    "apply",
]

# ---------------------------------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class Set:
    """Put a continuous control to a value; `word` says which word, or which parameter of a plugin."""

    control: Control
    value: float
    word: str = ""

    def __post_init__(self) -> None:
        _check_target(self.control, self.word)
        if not math.isfinite(self.value):
            raise SettingsError(f"{self.control} must be a finite number, got {self.value}")


@dataclass(frozen=True, slots=True)
class Step:
    """Move a continuous control by `delta`, no further than `low` or `high`.

    A value that lies outside that range already may come back in steps, but is not thrown to its end.
    """

    control: Control
    delta: float
    word: str = ""
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        _check_target(self.control, self.word)
        if not math.isfinite(self.delta):
            raise SettingsError(f"a step must be a finite number, got {self.delta}")


@dataclass(frozen=True, slots=True)
class Bypass:
    """Switch bypass on or off, or over (None)."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """Let only what the EQ changes be heard (True), all of the sound (False), or change over (None)."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Freeze:
    """Hold what was heard up to now (True), go on listening (False), or change over (None)."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """Lock a band (1 to 7) at its trim, free it, or change over (None)."""

    band: int
    on: bool | None = None

    def __post_init__(self) -> None:
        checked_band(self.band)


@dataclass(frozen=True, slots=True)
class TrimBand:
    """Move a band's trim by `delta_db`; it stops at the end of its range."""

    band: int
    delta_db: float

    def __post_init__(self) -> None:
        checked_band(self.band)
        if not math.isfinite(self.delta_db):
            raise SettingsError(f"a trim must be a finite number, got {self.delta_db}")


@dataclass(frozen=True, slots=True)
class Reset:
    """All words to 0, the amount to 1. All else stays: a reset is never louder."""


@dataclass(frozen=True, slots=True)
class AddWords:
    """Give words a knob, at 0 where they have none; no more than 32 in all."""

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        for word in self.words:
            _check_target(Control.WORD, word)


@dataclass(frozen=True, slots=True)
class AddParameters:
    """Give parameters of plugins a knob, where they stand; those that have one keep it."""

    parameters: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """Replace the whole state."""

    state: ControlState


Action = (
    Set
    | Step
    | Bypass
    | Delta
    | Freeze
    | Lock
    | TrimBand
    | Reset
    | AddWords
    | AddParameters
    | Recall
)


def _check_target(control: Control, word: str) -> None:
    if control not in LIMITS:
        raise SettingsError(f"{control} is a button and has no value")
    if control.is_named != bool(word):
        raise SettingsError(f"word must be given for a word or a parameter alone, got {word!r}")
    if control is Control.WORD:
        Recipe(((word, 0.0),))


def _with_value(state: ControlState, control: Control, word: str, value: float) -> ControlState:
    low, high = LIMITS[control]
    value = min(max(value, low), high)
    if control is Control.WORD:
        weights = {**dict(state.weights), normalise_word(word): value}
        return replace(state, weights=tuple(weights.items())[:MAX_TERMS])
    if control is Control.PARAMETER:
        known = dict(state.parameters)
        return replace(state, parameters=tuple({**known, word: value}.items()))
    if control is Control.AMOUNT:
        return replace(state, amount=value)
    if control is Control.ADAPT:
        return replace(state, adapt=value)
    return replace(state, trim_db=value)


def _with_band_trim(state: ControlState, band: int, delta_db: float) -> ControlState:
    low, high = BAND_TRIM_RANGE_DB
    trims = list(state.band_trims_db)
    trims[band - 1] = round(min(max(trims[band - 1] + delta_db, low), high), 9)
    return replace(state, band_trims_db=tuple(trims))


def apply(state: ControlState, action: Action) -> ControlState:
    """Return the state after an action; the very same object where nothing changes.

    >>> apply(ControlState(), Set(Control.WORD, 9.0, "warm")).weights
    (('warm', 4.0),)
    """
    match action:
        case Set(control, value, word):
            after = _with_value(state, control, word, value)
        case Step(control, delta, word, low, high):
            value = state.value(control, normalise_word(word) if control is Control.WORD else word)
            moved = min(max(value + delta, min(low, value)), max(high, value))
            # Ten steps of 0.1 must end on 1 and come back to 0 exactly.
            after = _with_value(state, control, word, round(moved, 9))
        case Bypass(on):
            after = replace(state, bypass=not state.bypass if on is None else on)
        case Delta(on):
            after = replace(state, delta=not state.delta if on is None else on)
        case Freeze(on):
            after = replace(state, frozen=not state.frozen if on is None else on)
        case Lock(band, on):
            is_on = band not in state.locks if on is None else on
            after = replace(state, locks=state.locks | {band} if is_on else state.locks - {band})
        case TrimBand(band, delta_db):
            after = _with_band_trim(state, band, delta_db)
        case Reset():
            after = replace(state, weights=tuple((w, 0.0) for w in state.words), amount=1.0)
        case AddWords(words):
            weights = {**dict.fromkeys(map(normalise_word, words), 0.0), **dict(state.weights)}
            order = dict.fromkeys([*state.words, *weights])
            after = replace(state, weights=tuple((w, weights[w]) for w in order)[:MAX_TERMS])
        case AddParameters(parameters):
            known = {**dict(parameters), **dict(state.parameters)}
            order = dict.fromkeys([*dict(state.parameters), *known])
            after = replace(state, parameters=tuple((name, known[name]) for name in order))
        case Recall(recalled):
            after = recalled
    return state if after == state else after
