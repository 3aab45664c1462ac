"""An EQ that follows the sound of a file: listener and designer of a live session, on the file's clock.

Conventions
-----------
- *causal*, as live: what was heard up to a sample moves the bands from that sample on. It begins with the
  words' typical move, and what is heard moves in as it does live.
- *ahead*: every hearing takes effect half a window earlier, in the middle of what it heard.
- *whole*: the file is heard first and gets one EQ, see `semeq.engine.render_whole`.

Loudness
--------
With every move goes the gain that keeps the loudness of what was heard under the new bands, in the same ramp:
otherwise a passage that gets more treble than the next would be louder than it was beside it. What is left
over the whole file is taken back by one gain, measured, as it is with an EQ that stands still.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from semeq.engine.adaptive import Designer
from semeq.engine.chain import Chain
from semeq.engine.compensation import MAX_DOWN_DB, MAX_UP_DB
from semeq.engine.design import DEFAULT_DESIGN, prototype_db
from semeq.engine.encoder import Heard, Model
from semeq.engine.eq_track import EQTrack
from semeq.engine.frontend import GRID_HZ
from semeq.engine.limits import Limits
from semeq.engine.listener import Hearing, Listener, ListenerConfig, k_weights
from semeq.engine.meaning import Meaning, interpret
from semeq.engine.recipe import Recipe
from semeq.engine.settings import EQSettings
from semeq.engine.timeline import Event
from semeq.engine.units import Audio
from semeq.engine.words import Vocabulary

NOTHING_HEARD = (
    "there was nothing to hear (silence, or less than a second): the words' typical move was made"
)


class Look(StrEnum):
    """What part of a file the EQ knows."""

    CAUSAL = "causal"
    AHEAD = "ahead"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Adaption:
    """What a file is to become, and how the sound has a say.

    Parameters
    ----------
    recipe : Recipe
        Words with weights.
    amount, adapt : float
        Strength of the recipe, and of what is heard.
    look : Look
        What part of the file is known.
    listening : ListenerConfig
        How to listen.
    limits : Limits
        How far and how fast the bands may go.
    """

    recipe: Recipe
    amount: float = 1.0
    adapt: float = 1.0
    look: Look = Look.CAUSAL
    listening: ListenerConfig = field(default_factory=ListenerConfig)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Mind:
    """What listening and designing is done with."""

    model: Model
    vocabulary: Vocabulary


class _Compensation:
    """The gain that keeps the loudness of what was heard under some bands."""

    def __init__(self, fs: float) -> None:
        inside = 0.49 * fs > GRID_HZ
        self._inside, self._freqs_hz = inside, GRID_HZ[inside]
        self._weights = k_weights(fs)[inside]

    def gain_db(self, settings: EQSettings, heard: Heard | None) -> float:
        """Return the gain in dB; without a hearing, for pink noise."""
        if settings.is_flat:
            return 0.0
        power = self._weights.copy()
        if heard is not None:
            power *= 10.0 ** (heard.spectrum_db[self._inside] / 10.0)
        response = prototype_db(settings, self._freqs_hz)
        change_db = 10.0 * math.log10(
            max(float(power @ 10.0 ** (response / 10.0)) / float(power.sum()), 1e-12)
        )
        return float(np.clip(-change_db, -MAX_DOWN_DB, MAX_UP_DB))


class AdaptiveEQ:
    """Filters the blocks of a file with bands that follow it.

    Parameters
    ----------
    adaption : Adaption
        What is asked for; *whole* is not for this class.
    mind : Mind
        What is heard and designed with.
    fs : float
        Sample rate in Hz.
    channels : int
        1 to 8.
    design : str
        How bands become filters, see `semeq.engine.design.DESIGNERS`.

    Attributes
    ----------
    track : EQTrack
        The bands and their compensation so far.
    heard_share : float
        Share of the hearings in which there was something to hear.
    warnings : tuple of str
        What the designer had to say, each once; what the recipe itself warns of is known before.
    """

    def __init__(
        self,
        adaption: Adaption,
        mind: Mind,
        fs: float,
        channels: int,
        *,
        design: str = DEFAULT_DESIGN,
    ) -> None:
        self._adaption, self._fs, self._channels = adaption, fs, channels
        self._listener = Listener(mind.model, fs, channels, adaption.listening)
        self._designer = Designer(mind.model, mind.vocabulary, fs, adaption.limits)
        self._compensation = _Compensation(fs)
        self._shift = 0
        if adaption.look is Look.AHEAD:
            self._shift = round(0.5 * adaption.listening.window_s * fs)
        self.track = EQTrack(fs, self._listener.every, design)
        self.warnings: tuple[str, ...] = ()
        self._hearings = self._with_sound = 0
        self._made: Meaning | None = None
        self._known = interpret(adaption.recipe, mind.vocabulary, amount=adaption.amount).warnings
        self._follow(0, None, 0.0)

    @property
    def heard_share(self) -> float:
        """Return in what share of the hearings something was heard."""
        return self._with_sound / self._hearings if self._hearings else 0.0

    def _follow(self, frame: int, heard: Heard | None, dt_s: float) -> None:
        wish = self._adaption
        made = self._designer.design(wish.recipe, wish.amount, wish.adapt, heard, dt_s)
        if made is self._made:
            return
        self._made = made
        gain_db = self._compensation.gain_db(made.settings, self._designer.heard)
        self.track.append(frame, made.settings, gain_db)
        new = [warning for warning in made.warnings if warning not in self._known]
        self.warnings = tuple(dict.fromkeys((*self.warnings, *new)))

    def _listen(self, hearing: Hearing) -> None:
        self._hearings += 1
        self._with_sound += not hearing.is_held
        frame = max(0, hearing.frame - self._shift)
        self._follow(frame, hearing.heard, self._listener.every / self._fs)

    def _listened(self, blocks: Iterable[Audio]) -> Iterator[tuple[Audio, list[Event]]]:
        """Yield blocks, each once all hearings that concern it are in, and the events that are new."""
        waiting: deque[Audio] = deque()
        heard = passed = told = 0

        def ready() -> tuple[Audio, list[Event]]:
            nonlocal passed, told
            block = waiting.popleft()
            passed += len(block)
            events = [self.track.event(index) for index in range(told, len(self.track))]
            told = len(self.track)
            return block, events

        for block in blocks:
            for hearing in self._listener.feed(block):
                self._listen(hearing)
            heard += len(block)
            waiting.append(block)
            while waiting and passed + len(waiting[0]) + self._shift <= heard:
                yield ready()
        while waiting:
            yield ready()

    def filtered(self, blocks: Iterable[Audio]) -> Iterator[tuple[Audio, Audio]]:
        """Yield each block and what becomes of it."""
        player = _Player(Chain(self._fs, self._channels))
        for block, events in self._listened(blocks):
            yield block, player.play(block, events)

    def again(self, blocks: Iterable[Audio]) -> Iterator[Audio]:
        """Yield what becomes of the blocks, with the bands as they were found."""
        player = _Player(Chain(self._fs, self._channels))
        told = at = 0
        for block in blocks:
            at += len(block)
            events = []
            while told < len(self.track) and self.track.frame(told) < at:
                events.append(self.track.event(told))
                told += 1
            yield player.play(block, events)


class _Player:
    """Runs a chain, with each event at its very frame."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._events: deque[Event] = deque()

    def play(self, block: Audio, events: list[Event]) -> Audio:
        """Return a block, filtered; `events` are those that are new."""
        self._events.extend(events)
        chain = self._chain
        block = np.ascontiguousarray(block, dtype=np.float32)
        out = np.empty_like(block)
        start, done = chain.position, 0
        while done < len(block):
            while self._events and self._events[0].frame <= start + done:
                control = self._events.popleft().control
                chain.set_target(control.coefficients, ramp_frames=control.ramp_frames)
            end = len(block)
            if self._events:
                end = min(end, self._events[0].frame - start)
            chain.process(block[done:end], out[done:end])
            done = end
        return out


def beyond_the_words(made: Meaning, adaption: Adaption, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the warnings that the recipe alone does not give."""
    known = interpret(adaption.recipe, vocabulary, amount=adaption.amount).warnings
    return tuple(warning for warning in made.warnings if warning not in known)


def as_notes(adaption: Adaption, heard_share: float, moves: int) -> dict[str, Any]:
    """Return how the sound had its say, for a report."""
    return {
        "look": adaption.look.value,
        "speed_s": adaption.listening.speed_s,
        "window_s": adaption.listening.window_s,
        "ahead_s": 0.5 * adaption.listening.window_s if adaption.look is Look.AHEAD else 0.0,
        "heard_share": round(heard_share, 4),
        "moves": moves,
    }
