"""From controller messages to actions: the law of each knob, its take-over, and the desk it turns.

`Mapper` is pure bookkeeping (messages and times in, actions out); `MidiDesk` lets it act on a desk.
Both belong to the one thread that reads the MIDI port.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import cast

from semeq.engine.errors import SemeqError
from semeq.presets.midi_bindings import (
    Binding,
    Control,
    Encoding,
    MidiMap,
    Order,
    Press,
    TakeOver,
)
from semeq.realtime.control import Action, Bypass, ControlState, Freeze, Reset, Set, Step, apply
from semeq.realtime.desk import Desk
from semeq.realtime.midi import TOP7, TOP14, ControlChange, Pair, clicks, parse
from semeq.realtime.takeover import Grip, take

PRESSED = 64


def knob_value(binding: Binding, raw: int, top: int) -> float:
    """Return the value that a position stands for.

    Parameters
    ----------
    binding : Binding
        Range, curve and detent.
    raw : int
        The position, in [0, top].
    top : int
        127 or 16383.

    Notes
    -----
    MIDI has no middle (0–127 is an even number of steps); where the range is symmetric about 0 the
    usual centre, 64 or 8192, is exactly 0; it is the middle of a plugin's parameter, too.
    """
    low, high = cast(float, binding.low), cast(float, binding.high)
    exponent = binding.curve.exponent
    centre = (top + 1) // 2
    share = raw / top
    if low == -high or binding.control is Control.PARAMETER:
        share = 0.5 * raw / centre if raw <= centre else 1.0 - 0.5 * (top - raw) / (top - centre)
    if low * high > 0.0:  # the range does not hold 0
        return float(low + (high - low) * share**exponent)
    linear = low * (1.0 - share) + high * share
    side = high if linear * high > 0.0 else low
    if side == 0.0 or linear == 0.0:
        return 0.0
    dead = binding.detent * abs(high - low) / 2.0 / abs(side)
    way = max(linear / side - dead, 0.0) / (1.0 - dead)
    return float(side * way**exponent) + 0.0  # no minus zero


class _Knob:
    """What one binding remembers of one channel."""

    __slots__ = ("grip", "pair", "pressed_value")

    def __init__(self, binding: Binding) -> None:
        self.grip = Grip()
        self.pair = Pair(binding.order)
        self.pressed_value = -1


class Mapper:
    """Turns controller messages into actions by a map.

    Parameters
    ----------
    midi_map : MidiMap
        The bindings.
    knows : callable, optional
        Says whether a word is in the vocabulary; a binding of any other is left out, with a line in
        `warnings`.
    find : callable, optional
        Returns a binding of a plugin's parameter as it is to be used, its range in shares of the parameter's,
        or raises a `SemeqError`: then it is left out, with a line in `warnings`.

    Attributes
    ----------
    warnings : tuple of str
        One line for all unknown words of the map, and one for each unknown parameter.
    words : tuple of str
        The words that have a knob.
    """

    def __init__(
        self,
        midi_map: MidiMap,
        knows: Callable[[str], bool] | None = None,
        find: Callable[[Binding], Binding] | None = None,
    ) -> None:
        unknown = [word for word in midi_map.words if knows is not None and not knows(word)]
        self.words = tuple(word for word in midi_map.words if word not in unknown)
        self.warnings: tuple[str, ...] = ()
        if unknown:
            listed = ", ".join(repr(word) for word in unknown)
            self.warnings = (
                f"MIDI map {midi_map.name}: no one has taught us {listed}: "
                "these knobs do nothing, all others work ('semeq words' lists all words)",
            )
        self._by_cc: dict[int, list[Binding]] = {}
        for binding in midi_map.bindings:
            if binding.control is Control.WORD and binding.word not in self.words:
                continue
            if binding.control is Control.PARAMETER and find is not None:
                try:
                    binding = find(binding)
                except SemeqError as error:
                    self.warnings += (f"MIDI map {midi_map.name}: {error}: this knob does nothing",)
                    continue
            for cc in binding.ccs:
                self._by_cc.setdefault(cc, []).append(binding)
        self._knobs: dict[tuple[Binding, int], _Knob] = {}
        self._has_pairs = any(b.encoding is Encoding.ABSOLUTE14 for b in midi_map.bindings)

    @property
    def due(self) -> float | None:
        """When `flush` is to be called at the latest, or None."""
        if not self._has_pairs:
            return None  # asked hundreds of times a second
        times = [knob.pair.due for knob in self._knobs.values() if knob.pair.due is not None]
        return min(times, default=None)

    def feed(self, message: ControlChange, state: ControlState) -> list[Action]:
        """Return the actions of one message, where `state` is what the desk holds now."""
        actions: list[Action] = []
        for binding in self._by_cc.get(message.cc, ()):
            if binding.channel not in (None, message.channel):
                continue
            key = (binding, message.channel)
            knob = self._knobs.get(key) or self._knobs.setdefault(key, _Knob(binding))
            actions += self._turn(binding, knob, message, state)
        return actions

    def labels(self, message: ControlChange) -> list[str]:
        """Return what a message is bound to, for people."""
        bound = self._by_cc.get(message.cc, ())
        return [b.label for b in bound if b.channel in (None, message.channel)]

    def flush(self, now_s: float, state: ControlState) -> list[Action]:
        """Return the actions of the 14-bit halves that have waited long enough for the other."""
        actions: list[Action] = []
        for (binding, _), knob in self._knobs.items():
            actions += _move(binding, knob, knob.pair.flush(now_s), TOP14, state)
        return actions

    @staticmethod
    def _turn(
        binding: Binding, knob: _Knob, message: ControlChange, state: ControlState
    ) -> list[Action]:
        if binding.control.is_switch or binding.control is Control.RESET:
            return _press(binding, knob, message.value)
        if binding.encoding.is_relative:
            delta = clicks(message.value, binding.encoding) * cast(float, binding.step)
            return [Step(binding.control, delta, binding.target, *binding.span)] if delta else []
        if binding.encoding is Encoding.ABSOLUTE14:
            half = Order.MSB if message.cc == binding.cc else Order.LSB
            values = knob.pair.feed(half, message.value, message.at_s)
            return _move(binding, knob, values, TOP14, state)
        return _move(binding, knob, [message.value], TOP7, state)


def _move(
    binding: Binding, knob: _Knob, raws: Sequence[int], top: int, state: ControlState
) -> list[Action]:
    actions: list[Action] = []
    low, high = binding.span
    for raw in raws:
        current = state.value(binding.control, binding.target)
        # A word at 0 is not in use: there is nothing to jump away from, and a knob that seems dead at
        # its first touch is worse. The audio path ramps whatever comes.
        is_idle = binding.control is Control.WORD and current == 0.0 and knob.grip.knob is None
        knob.grip, value = take(
            knob.grip,
            knob_value(binding, raw, top),
            current,
            mode=TakeOver.JUMP if is_idle else binding.takeover,
            span=(low, high),
            window=(high - low) / TOP7,
        )
        if value is not None:
            action = Set(binding.control, value, binding.target)
            state = apply(state, action)
            actions.append(action)
    return actions


def _press(binding: Binding, knob: _Knob, value: int) -> list[Action]:
    before, knob.pressed_value = knob.pressed_value, value
    is_on = (value >= PRESSED) is not binding.invert
    switch = Freeze if binding.control is Control.FREEZE else Bypass
    if binding.control.is_switch and binding.press is not Press.TOGGLE:
        return [switch(is_on)]
    was_on = before >= 0 and (before >= PRESSED) is not binding.invert
    # A button that sends no release repeats its value; a knob that is turned through does not.
    if not is_on or (was_on and value != before):
        return []
    return [Reset() if binding.control is Control.RESET else switch()]


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The last controller message: as text, what it moves (may be empty), and when it came (s)."""

    text: str
    moves: str
    at_s: float


class MidiDesk:
    """Lets a mapper act on a desk; one port's messages go in.

    Parameters
    ----------
    desk : Desk
        What is turned.
    midi_map : MidiMap
        The bindings.
    vocabulary : collection of str, optional
        All known words.
    find : callable, optional
        As for `Mapper`.

    Attributes
    ----------
    last : LastMessage or None
        For the display.
    messages : int
        How many controller messages have come.
    """

    def __init__(
        self,
        desk: Desk,
        midi_map: MidiMap,
        vocabulary: Collection[str] | None = None,
        find: Callable[[Binding], Binding] | None = None,
    ) -> None:
        self._desk = desk
        knows = None if vocabulary is None else vocabulary.__contains__
        self._mapper = Mapper(midi_map, knows, find)
        self.words = self._mapper.words
        self.warnings = self._mapper.warnings
        self.last: LastMessage | None = None
        self.messages = 0

    @property
    def due(self) -> float | None:
        """When `tick` is to be called at the latest, or None."""
        return self._mapper.due

    def receive(self, message: Sequence[int], at_s: float) -> None:
        """Take one raw message that came at `at_s` (``time.perf_counter``)."""
        change = parse(message, at_s)
        if change is None:
            return
        self.messages += 1
        actions = self._mapper.feed(change, self._desk.state)
        if actions:
            self._desk.act(*actions)
        self.last = LastMessage(str(change), ", ".join(self._mapper.labels(change)), at_s)

    def tick(self, now_s: float) -> None:
        """Act on what has waited long enough."""
        actions = self._mapper.flush(now_s, self._desk.state)
        if actions:
            self._desk.act(*actions)
