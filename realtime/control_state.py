"""What a person has asked for: one frozen state, whose every value is within its range."""

from dataclasses import dataclass, field

from semeq.engine.errors import SettingsError
from semeq.engine.recipe import Recipe
from semeq.presets.midi_bindings import LIMITS, Control

#: Ranges, shared with the MIDI maps.
AMOUNT_RANGE = LIMITS[Control.AMOUNT]
ADAPT_RANGE = LIMITS[Control.ADAPT]
PARAMETER_RANGE = LIMITS[Control.PARAMETER]
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


def checked_band(band: int) -> int:
    """Return the band, or raise where there is none of this number."""
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
    delta : bool
        Whether only what the EQ changes is heard; bypass has the last word.
    parameters : tuple of (str, float)
        The parameters of plugins that have a knob, ``1.gain_db`` for one of the first insert, each as a share
        of its range in [0, 1].

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
    delta: bool = False
    parameters: tuple[tuple[str, float], ...] = ()
    #: The recipe of the words that are not at 0.
    recipe: Recipe = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A state that exists has a recipe: the conductor need not be ready for anything else.
        weights = tuple((word, weight + 0.0) for word, weight in Recipe(self.weights).terms)
        object.__setattr__(self, "weights", weights)
        # once: the control loop asks for it a hundred times a second
        asked = tuple((word, weight) for word, weight in weights if weight != 0.0)
        object.__setattr__(self, "recipe", Recipe(asked))
        object.__setattr__(self, "amount", _finite("amount", self.amount, AMOUNT_RANGE))
        object.__setattr__(self, "adapt", _finite("adapt", self.adapt, ADAPT_RANGE))
        object.__setattr__(self, "bypass", bool(self.bypass))
        object.__setattr__(self, "trim_db", _finite("trim_db", self.trim_db, TRIM_RANGE_DB))
        object.__setattr__(self, "frozen", bool(self.frozen))
        object.__setattr__(self, "delta", bool(self.delta))
        object.__setattr__(self, "locks", frozenset(map(checked_band, self.locks)))
        if len(self.band_trims_db) != len(BANDS):
            raise SettingsError(f"band trims must be {len(BANDS)}, got {len(self.band_trims_db)}")
        trims = tuple(_finite("band trim", t, BAND_TRIM_RANGE_DB) for t in self.band_trims_db)
        object.__setattr__(self, "band_trims_db", trims)
        shares = tuple((name, _finite(name, v, PARAMETER_RANGE)) for name, v in self.parameters)
        object.__setattr__(self, "parameters", shares)

    @property
    def words(self) -> tuple[str, ...]:
        """The words that have a knob."""
        return tuple(word for word, _ in self.weights)

    def weight(self, word: str) -> float:
        """Return the weight of a word; 0 for one that has no knob."""
        return dict(self.weights).get(word, 0.0)

    @property
    def wish(self) -> tuple[object, ...]:
        """What the bands are designed from."""
        return self.recipe, self.amount, self.adapt, self.locks, self.band_trims_db

    @property
    def touched(self) -> tuple[object, ...]:
        """All that a hand may turn and that is to be heard at once."""
        return *self.wish, self.bypass, self.delta, self.trim_db

    def value(self, control: Control, name: str = "") -> float:
        """Return what a continuous control stands at; `name` says which word or parameter.

        Raises
        ------
        KeyError
            If the control is a button, or a parameter without a knob.
        """
        if control is Control.WORD:
            return self.weight(name)
        if control is Control.PARAMETER:
            return dict(self.parameters)[name]
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
            "delta": self.delta,
            "parameters": dict(self.parameters),
            "frozen": self.frozen,
            "locks": sorted(self.locks),
            "band_trims_db": list(self.band_trims_db),
        }
