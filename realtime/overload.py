"""Watches the audio thread's load beside the sound, and relieves it when it has too little time."""

import time
from collections.abc import Callable
from typing import Any

from semeq.engine import shed
from semeq.engine.path import POSITION
from semeq.realtime import callback as native
from semeq.realtime.conductor import Conductor
from semeq.realtime.governor import Governor, levels
from semeq.realtime.stream import LiveStream

EVERY_S = 0.1


class Overload:
    """The load of one stream, and what is done about it.

    Parameters
    ----------
    stream : LiveStream
        Whose callback is watched.
    conductor : Conductor
        Who tells it what to leave out.
    say : callable
        Shows one line to the person.
    before : Overload, optional
        What watched the session's last stream; its count goes on.
    """

    def __init__(
        self,
        stream: LiveStream,
        conductor: Conductor,
        say: Callable[[str], None],
        before: "Overload | None" = None,
    ) -> None:
        self._stream, self._conductor, self._say = stream, conductor, say
        self._steps_before = 0 if before is None else before.steps
        self._governor = Governor(levels(looks_ahead=stream.config.lookahead_frames > 0))

    @property
    def level(self) -> int:
        """The level of `semeq.engine.shed` that is left out."""
        return self._governor.relief.level

    @property
    def has_meters(self) -> bool:
        """Whether there are levels to be shown."""
        return self.level < shed.METERS

    @property
    def dropped(self) -> tuple[str, ...]:
        """What is left out, for a view."""
        return self._governor.dropped

    @property
    def steps(self) -> int:
        """How often something was left out in this session."""
        return self._steps_before + self._governor.steps

    def as_dict(self) -> dict[str, Any]:
        """Return how it stands as plain values for JSON."""
        return {
            "level": self.level,
            "dropped": list(self.dropped),
            "load": round(self._governor.load, 5),
            "steps": self.steps,
        }

    def look(self) -> None:
        """See how the load is; call it ten times a second."""
        state = self._stream.state
        busy_s = 1e-9 * float(state.counters[native.BUSY_NS])
        sound_s = float(state.chain.ints[POSITION]) / self._stream.fs
        change = self._governor.look(busy_s, sound_s, time.perf_counter())
        self._conductor.relieve(self._governor.relief)
        if change is not None:
            self._say(change)
