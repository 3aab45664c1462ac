"""What a person has asked for: one frozen state, and the actions that change it.

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

#: Ranges, shared with the MIDI maps.
AMOUNT_RANGE = LIMITS[Control.AMOUNT]
ADAPT_RANGE = LIMITS[Control.ADAPT]
TRIM_RANGE_DB = LIMITS[Control.TRIM]
#: The bands of the EQ; people count them from 1.
BANDS = range(1, 8)
BAND_TRIM_RANGE_DB = (-12.0, 12.0)
NO_TRIMS = (0.0,) * len(BANDS)


def _finite(name: str, value: float, limits: tuple[float, float]) -> float:
    value = float(value)
    if not limits[0] <= value <= limits[1]:  # false for NaN, too
        raise SettingsError(f"{name} must be in [{limits[0]:g}, {limits[1]:g}], got {value:g}")
    return value + 0.0  # no minus zero


def _band(band: int) -> int:
    if isinstance(band, bool) or band not in BANDS:
        raise SettingsError(f"a band must be in {BANDS[0]}..{BANDS[-1]}, got {band}")
    return int(band)


@dataclass(frozen=True, slots=True)
class ControlState:
    """All that a person controls.

    Parameters
    ----------
    weights : tuple of (str, float)
        The words that have a knob, in the order they are shown, each with its weight in [-4, 4]; at
        most 32. A word at 0 stays.
    amount : float
        Strength of the whole, in [0, 2]; 0 is flat.
    adapt : float
        How much the sound itself has a say, in [0, 1].
    bypass : bool
        Whether the input passes as it is.
    trim_db : float
        Output level, in [-24, 12] dB.
    frozen : bool
        Whether what was heard up to now holds.
    locks : frozenset of int
        Bands (1 to 7) that stay at their trim, whatever is asked or heard.
    band_trims_db : tuple of float
        What a person adds to each band, seven values in [-12, 12] dB.

    Raises
    ------
    SettingsError
        If a value is out of its range.
    RecipeError
        If the weights could be no recipe.
    """

    weights: tuple[tuple[str, float], ...] = ()
    amount: float = 1.0
    adapt: float = 0.0
    bypass: bool = False
    trim_db: float = 0.0
    frozen: bool = False
    locks: frozenset[int] = frozenset()
    band_trims_db: tuple[float, ...] = NO_TRIMS

    def __post_init__(self) -> None:
        # A state that exists has a recipe: the conductor need not be ready for anything else.
        weights = tuple((word, weight + 0.0) for word, weight in Recipe(self.weights).terms)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "amount", _finite("amount", self.amount, AMOUNT_RANGE))
        object.__setattr__(self, "adapt", _finite("adapt", self.adapt, ADAPT_RANGE))
        object.__setattr__(self, "bypass", bool(self.bypass))
        object.__setattr__(self, "trim_db", _finite("trim_db", self.trim_db, TRIM_RANGE_DB))
        object.__setattr__(self, "frozen", bool(self.frozen))
        object.__setattr__(self, "locks", frozenset(map(_band, self.locks)))
        if len(self.band_trims_db) != len(BANDS):
            raise SettingsError(f"band trims must be {len(BANDS)}, got {len(self.band_trims_db)}")
        trims = tuple(_finite("band trim", t, BAND_TRIM_RANGE_DB) for t in self.band_trims_db)
        object.__setattr__(self, "band_trims_db", trims)

    @property
    def words(self) -> tuple[str, ...]:
        """The words that have a knob."""
        return tuple(word for word, _ in self.weights)

    @property
    def recipe(self) -> Recipe:
        """The recipe of the words that are not at 0."""
        return Recipe(tuple((word, value) for word, value in self.weights if value != 0.0))

    def weight(self, word: str) -> float:
        """Return the weight of a word; 0 for one that has no knob."""
        return dict(self.weights).get(word, 0.0)

    def value(self, control: Control, word: str = "") -> float:
        """Return what a continuous control stands at.

        Raises
        ------
        KeyError
            If the control is a button.
        """
        if control is Control.WORD:
            return self.weight(word)
        values = {
            Control.AMOUNT: self.amount,
            Control.ADAPT: self.adapt,
            Control.TRIM: self.trim_db,
        }
        return values[control]

    def as_dict(self) -> dict[str, object]:
        """Return the state as plain values for JSON."""
        return {
            "weights": dict(self.weights),
            "amount": self.amount,
            "adapt": self.adapt,
            "bypass": self.bypass,
            "trim_db": self.trim_db,
            "frozen": self.frozen,
            "locks": sorted(self.locks),
            "band_trims_db": list(self.band_trims_db),
        }


# ---------------------------------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class Set:
    """Put a continuous control to a value (`word` for `Control.WORD` alone)."""

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
class Freeze:
    """Hold what was heard up to now (True), go on listening (False), or change over (None)."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """Lock a band (1 to 7) at its trim, free it, or change over (None)."""

    band: int
    on: bool | None = None

    def __post_init__(self) -> None:
        _band(self.band)


@dataclass(frozen=True, slots=True)
class TrimBand:
    """Move a band's trim by `delta_db`; it stops at the end of its range."""

    band: int
    delta_db: float

    def __post_init__(self) -> None:
        _band(self.band)
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
class Recall:
    """Replace the whole state."""

    state: ControlState


Action = Set | Step | Bypass | Freeze | Lock | TrimBand | Reset | AddWords | Recall


def _check_target(control: Control, word: str) -> None:
    if control not in LIMITS:
        raise SettingsError(f"{control} is a button and has no value")
    if (control is Control.WORD) != bool(word):
        raise SettingsError(f"word must be given for the weight of a word alone, got {word!r}")
    if word:
        Recipe(((word, 0.0),))


def _with_value(state: ControlState, control: Control, word: str, value: float) -> ControlState:
    low, high = LIMITS[control]
    value = min(max(value, low), high)
    if control is Control.WORD:
        weights = {**dict(state.weights), normalise_word(word): value}
        return replace(state, weights=tuple(weights.items())[:MAX_TERMS])
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
            value = state.value(control, normalise_word(word) if word else "")
            moved = min(max(value + delta, min(low, value)), max(high, value))
            # Ten steps of 0.1 must end on 1 and come back to 0 exactly.
            after = _with_value(state, control, word, round(moved, 9))
        case Bypass(on):
            after = replace(state, bypass=not state.bypass if on is None else on)
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
        case Recall(recalled):
            after = recalled
    return state if after == state else after
