"""What a MIDI controller moves: the values that a MIDI map is made of."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from semeq.engine.errors import SettingsError
from semeq.engine.spelling import normalise_word


class Control(StrEnum):
    """What a controller moves."""

    WORD = "word"
    PARAMETER = "parameter"
    AMOUNT = "amount"
    ADAPT = "adapt"
    TRIM = "trim"
    BYPASS = "bypass"
    FREEZE = "freeze"
    RESET = "reset"

    @property
    def is_switch(self) -> bool:
        """Whether it is a button that stays on or off."""
        return self in (Control.BYPASS, Control.FREEZE)

    @property
    def is_named(self) -> bool:
        """Whether there are many of it, each with a name of its own."""
        return self in (Control.WORD, Control.PARAMETER)


class Encoding(StrEnum):
    """How a controller says its position, or its movement."""

    ABSOLUTE = "absolute"
    ABSOLUTE14 = "absolute14"
    TWOS = "relative-twos"
    OFFSET = "relative-offset"
    SIGN = "relative-sign"

    @property
    def is_relative(self) -> bool:
        """Whether the controller sends movements."""
        return self in (Encoding.TWOS, Encoding.OFFSET, Encoding.SIGN)


class TakeOver(StrEnum):
    """What a knob does while it is not where the value is."""

    PICKUP = "pickup"
    JUMP = "jump"
    SCALE = "scale"


class Curve(StrEnum):
    """The law between position and value."""

    LINEAR = "linear"
    SQUARE = "square"
    CUBIC = "cubic"
    ROOT = "root"

    @property
    def exponent(self) -> float:
        """The power that the position is raised to."""
        return {"linear": 1.0, "square": 2.0, "cubic": 3.0, "root": 0.5}[self.value]


class Press(StrEnum):
    """How a button speaks."""

    TOGGLE = "toggle"
    SWITCH = "switch"
    MOMENTARY = "momentary"


class Order(StrEnum):
    """Which half of a 14-bit value is sent first."""

    AUTO = "auto"
    MSB = "msb"
    LSB = "lsb"


#: Range that each continuous control may take, and the range a knob gets when the map says nothing.
#: A plugin's parameter is a share of its range, as the plugin keeps it.
LIMITS: Mapping[Control, tuple[float, float]] = {
    Control.WORD: (-4.0, 4.0),
    Control.PARAMETER: (0.0, 1.0),
    Control.AMOUNT: (0.0, 2.0),
    Control.ADAPT: (0.0, 1.0),
    Control.TRIM: (-24.0, 12.0),
}
_DEFAULTS: Mapping[Control, tuple[float, float]] = {
    Control.WORD: (-1.0, 1.0),
    Control.AMOUNT: (0.0, 1.0),
    Control.ADAPT: (0.0, 1.0),
    Control.TRIM: (-24.0, 6.0),
}


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise SettingsError(f"{name} must be in [{low:g}, {high:g}], got {value:g}")


@dataclass(frozen=True, slots=True)
class Binding:
    """One controller and what it moves; the fields are the keys of `semeq.presets.midi_maps`.

    Parameters
    ----------
    cc : int
        Controller number, 0–127; 0–31 for `Encoding.ABSOLUTE14` (its low half is ``cc + 32``).
    control : Control
        What it moves.
    word : str
        The word, when `control` is a word.
    param : str
        Insert and parameter as ``--set`` names them (``comp.threshold_db``), when `control` is a parameter.
        `low` and `high` are then in the plugin's unit, None its ends; between them a knob moves as the
        plugin's own scale does, and `step` is a share of that.
    low, high : float or None
        Value at the lowest and highest position (``min`` and ``max`` in the file; ``min`` above
        ``max`` turns the knob round). None takes the control's usual range.
    detent : float
        Share of the range, 0–0.5, around the value 0 that counts as 0.
    step : float or None
        Value of one click of a relative encoder; negative turns it round. None: 1/100 of the range.
    channel : int or None
        1–16, or None for any.

    Raises
    ------
    SettingsError
        If a field is out of its range or contradicts another.
    """

    cc: int
    control: Control
    word: str = ""
    encoding: Encoding = Encoding.ABSOLUTE
    low: float | None = None
    high: float | None = None
    curve: Curve = Curve.LINEAR
    detent: float = 0.0
    step: float | None = None
    order: Order = Order.AUTO
    press: Press = Press.TOGGLE
    invert: bool = False
    takeover: TakeOver = TakeOver.PICKUP
    channel: int | None = None
    param: str = ""

    def __post_init__(self) -> None:
        _within("cc", self.cc, 0, 127)
        if self.encoding is Encoding.ABSOLUTE14 and self.cc > 31:
            raise SettingsError(f"cc must be in [0, 31] where 14 bits are sent, got {self.cc}")
        if self.channel is not None:
            _within("channel", self.channel, 1, 16)
        object.__setattr__(self, "word", normalise_word(self.word))
        if (self.control is Control.WORD) != bool(self.word):
            raise SettingsError(f"word must be a word for a knob of words alone, got {self.word!r}")
        object.__setattr__(self, "param", self.param.strip())
        if self.control is Control.PARAMETER:
            self._check_parameter()
            return
        if self.param:
            raise SettingsError(f"param must be for a plugin's parameter alone, got {self.param!r}")
        limits = LIMITS.get(self.control)
        if limits is None:  # a button
            if self.encoding is not Encoding.ABSOLUTE:
                raise SettingsError(
                    f"encoding must be absolute for {self.control}, got {self.encoding}"
                )
            return
        default = _DEFAULTS[self.control]
        low = default[0] if self.low is None else float(self.low)
        high = default[1] if self.high is None else float(self.high)
        _within("min", low, *limits)
        _within("max", high, *limits)
        if low == high:
            raise SettingsError(f"min and max must differ, got {low:g} twice")
        _within("detent", self.detent, 0.0, 0.5)
        room = min(abs(side) for side in (low, high) if side != 0.0)
        if self.detent and (low * high > 0.0 or self.detent * abs(high - low) / 2.0 >= room):
            raise SettingsError(
                f"detent must lie inside the range {low:g} to {high:g}, got {self.detent:g}"
            )
        step = (high - low) / 100.0 if self.step is None else float(self.step)
        if not math.isfinite(step) or not 0.0 < abs(step) <= abs(high - low):
            raise SettingsError(f"step must be within the range and not 0, got {step:g}")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "step", step)

    def _check_parameter(self) -> None:
        """Check what can be checked without the plugin."""
        plugin, dot, name = self.param.partition(".")
        if not (plugin and dot and name):
            raise SettingsError(
                f"param must be PLUGIN.PARAMETER, such as 'comp.threshold_db', got {self.param!r}"
            )
        for name, end in (("min", self.low), ("max", self.high)):
            if end is not None and not math.isfinite(end):
                raise SettingsError(f"{name} must be a finite number, got {end:g}")
        if self.low is not None and self.low == self.high:
            raise SettingsError(f"min and max must differ, got {self.low:g} twice")
        if self.detent:
            raise SettingsError(f"detent must be 0 for a plugin's parameter, got {self.detent:g}")
        if self.step is not None and not 0.0 < abs(self.step) <= 1.0:
            raise SettingsError(
                f"step must be a share of the parameter's range, not 0, got {self.step:g}"
            )

    @property
    def target(self) -> str:
        """Which of its kind it moves: the word, or the parameter."""
        return self.word or self.param

    @property
    def ccs(self) -> tuple[int, ...]:
        """The controller numbers that this binding listens to."""
        if self.encoding is Encoding.ABSOLUTE14:
            return (self.cc, self.cc + 32)
        return (self.cc,)

    @property
    def span(self) -> tuple[float, float]:
        """The lower and the upper end of the range."""
        low, high = cast(float, self.low), cast(float, self.high)
        return min(low, high), max(low, high)

    @property
    def label(self) -> str:
        """What it moves, for people."""
        return self.target or self.control.value

    def overlaps(self, other: "Binding") -> bool:
        """Whether one message could move both."""
        channels = self.channel is None or other.channel in (None, self.channel)
        return channels and bool(set(self.ccs) & set(other.ccs))


@dataclass(frozen=True, slots=True)
class MidiMap:
    """A named set of bindings.

    Raises
    ------
    SettingsError
        If two bindings need the same controller in different senses.
    """

    name: str
    bindings: tuple[Binding, ...]
    description: str = ""
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for number, one in enumerate(self.bindings):
            for other in self.bindings[:number]:
                if not one.overlaps(other):
                    continue
                if (one.label, one.control) == (other.label, other.control):
                    raise SettingsError(f"CC {one.cc} is bound to {one.label} twice")
                if one.cc != other.cc or one.encoding is not other.encoding:
                    raise SettingsError(
                        f"CC {one.cc} ({one.label}, {one.encoding}) clashes with CC {other.cc} "
                        f"({other.label}, {other.encoding})"
                    )

    @property
    def words(self) -> tuple[str, ...]:
        """The words that have a knob, in the order of the map."""
        return tuple(dict.fromkeys(b.word for b in self.bindings if b.control is Control.WORD))

    @property
    def params(self) -> tuple[str, ...]:
        """The plugins' parameters that have a knob, in the order of the map."""
        return tuple(dict.fromkeys(b.param for b in self.bindings if b.param))


def word_or_param(control: Control, target: str) -> tuple[str, str]:
    """Return ``word`` and ``param`` of a binding that moves `target`; one of them, or both, are empty."""
    return ("", target) if control is Control.PARAMETER else (target, "")
