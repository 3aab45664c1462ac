"""Where a session begins: what the command line says, then what is remembered, then the defaults."""

from collections.abc import Callable
from dataclasses import dataclass

from semeq.engine.errors import AudioFileError, DataError, DeviceError
from semeq.engine.recipe import Recipe
from semeq.engine.words import Vocabulary
from semeq.presets.midi_bindings import MidiMap
from semeq.presets.midi_maps import DEFAULT_MAP, load_map
from semeq.presets.remembered import Remembered, remember
from semeq.realtime import devices as listing
from semeq.realtime.control import NO_TRIMS, ControlState
from semeq.realtime.desk import Desk
from semeq.realtime.devices import Device

#: How often a changed state is written down while a session runs, s.
WRITE_EVERY_S = 5.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for; None where it says nothing.

    Parameters
    ----------
    make, amount, adapt
        Recipe, strength, and how much the sound has a say.
    locks, band_trims_db
        As in `semeq.realtime.control.ControlState`.
    input, output, midi, midi_map : str, optional
        By name.
    """

    make: str | None = None
    amount: float | None = None
    adapt: float | None = None
    locks: frozenset[int] = frozenset()
    band_trims_db: tuple[float, ...] = NO_TRIMS
    input: str | None = None
    output: str | None = None
    midi: str | None = None
    midi_map: str | None = None


class Start:
    """How a session begins.

    Parameters
    ----------
    wishes : Wishes
        What the command line asks for; it wins.
    memory : Remembered
        What the last session ended with. Its recipe, amount and adapt belong together: with a recipe on the
        command line none of them is taken.
    vocabulary : Vocabulary
        Unknown words are an error here, not later.
    deaf_because : str
        Why nothing can be heard; empty when it can.
    say : callable
        Takes one line about each thing that is not as it was asked for.
    """

    def __init__(
        self,
        wishes: Wishes,
        memory: Remembered,
        vocabulary: Vocabulary,
        deaf_because: str,
        say: Say,
    ) -> None:
        self._wishes, self._memory, self._say = wishes, memory, say
        is_resumed = wishes.make is None and memory.is_found
        weights = memory.weights if is_resumed else _weights(wishes.make, vocabulary)
        amount, adapt = wishes.amount, wishes.adapt
        if amount is None:
            amount = memory.amount if is_resumed else 1.0
        if adapt is None and is_resumed:
            adapt = memory.adapt
        if deaf_because and (adapt is None or adapt > 0.0):
            say(f"the sound has no say (adapt 0): {deaf_because}")
            adapt = 0.0
        adapt = 1.0 if adapt is None else adapt
        self.state = ControlState(
            weights,
            amount,
            adapt,
            locks=wishes.locks,
            band_trims_db=wishes.band_trims_db,
        )
        self.midi = wishes.midi if wishes.midi is not None else memory.midi
        self._is_deaf = bool(deaf_because)
        self._tell(is_resumed)

    def _tell(self, is_resumed: bool) -> None:
        memory, wishes = self._memory, self._wishes
        parts = []
        if is_resumed and self.state.recipe.terms:
            parts.append(
                f"{self.state.recipe} (amount {self.state.amount:g}, adapt {self.state.adapt:g})"
            )
        for name in ("input", "output", "midi", "midi_map"):
            old = getattr(memory, name)
            if old is not None and getattr(wishes, name) is None:
                parts.append(f"{name.replace('midi', 'MIDI').replace('_', ' ')} {old}")
        if parts:
            self._say(f"as in the last session: {', '.join(parts)}; --fresh starts without")

    def device(self, kind: str) -> Device:
        """Return the input or output device; one that is remembered and gone is said and replaced.

        Raises
        ------
        DeviceError
            If the command line asks for one that is not there, or there is none at all.
        """
        wanted, old = getattr(self._wishes, kind), getattr(self._memory, kind)
        if wanted is None and old is not None:
            try:
                return listing.find(old, kind)
            except DeviceError as error:
                found = listing.find(None, kind)
                self._say(f"{error}; {found.name} is taken instead")
                return found
        return listing.find(wanted, kind)

    def map(self) -> MidiMap:
        """Return the MIDI map; one that is remembered and cannot be read is said and replaced.

        Raises
        ------
        DataError
            If the command line asks for one that cannot be used.
        """
        wanted, old = self._wishes.midi_map, self._memory.midi_map
        if wanted is None and old is not None:
            try:
                return load_map(old)
            except DataError as error:
                self._say(f"{error}; the map {DEFAULT_MAP!r} is taken instead")
                return load_map()
        return load_map(wanted or DEFAULT_MAP)

    def remembered(self, state: ControlState) -> Remembered:
        """Return what is to be remembered of a session that stands at `state`."""
        wishes, memory = self._wishes, self._memory
        names = [
            getattr(wishes, name) if getattr(wishes, name) is not None else getattr(memory, name)
            for name in ("midi", "midi_map", "input", "output")
        ]
        adapt = memory.adapt if self._is_deaf else state.adapt
        return Remembered(state.weights, state.amount, adapt, *names)


def _weights(make: str | None, vocabulary: Vocabulary) -> tuple[tuple[str, float], ...]:
    recipe = Recipe.parse(make) if make else Recipe(())
    weights: dict[str, float] = {}
    for name, weight in recipe.terms:
        word = vocabulary.get(name).word
        weights[word] = weights.get(word, 0.0) + weight
    return tuple(weights.items())


class Keeper:
    """Writes down where the knobs stand: now and then, and at the end.

    Parameters
    ----------
    desk : Desk
        What is remembered.
    start : Start
        How it began.
    say : callable
        Told once when it cannot be written.
    """

    def __init__(self, desk: Desk, start: Start, say: Say) -> None:
        self._desk, self._start, self._say = desk, start, say
        self._written: Remembered | None = None
        self._next_s = 0.0
        self._is_broken = False

    def tick(self, now_s: float) -> None:
        """Write what has changed, when it is time."""
        if now_s >= self._next_s:
            self._next_s = now_s + WRITE_EVERY_S
            self.write()

    def write(self) -> None:
        """Write what has changed."""
        state = self._start.remembered(self._desk.state)
        if self._is_broken or state == self._written:
            return
        try:
            remember(state)
        except AudioFileError as error:
            self._is_broken = True
            self._say(f"where the knobs stand is not remembered: {error}")
        self._written = state
