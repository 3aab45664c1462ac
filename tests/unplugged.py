"""A live session without device and clock: the audio thread's code and the conductor's, in step."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import SimpleNamespace
from unittest import mock

import numpy as np

from semeq.engine.timeline import Event
from semeq.engine.units import Audio
from semeq.presets.library import load_vocabulary
from semeq.realtime import callback as native
from semeq.realtime import conductor as conducting
from semeq.realtime.conductor import LISTEN_EVERY_S, PERIOD_S, Conductor
from semeq.realtime.control import Action, ControlState
from semeq.realtime.desk import Desk
from semeq.realtime.plan import Means
from semeq.realtime.stream import LiveStream


class UnpluggedStream(LiveStream):
    """A stream whose blocks are asked for by hand."""

    def __init__(
        self, fs: float, channels: int, lookahead_frames: int, ceiling_db: float | None
    ) -> None:
        self.fs, self.channels, self.in_channels = fs, channels, channels
        self.state = native.live_state(
            fs, channels, channels, lookahead_frames=lookahead_frames, ceiling_db=ceiling_db
        )

    @property
    def is_active(self) -> bool:
        """No device: nothing is waited for."""
        return False


class Unplugged:
    """Plays sound through a session; every 10 ms of it the conductor has its say.

    Parameters
    ----------
    state : ControlState
        What the session starts with.
    fs, channels
        Of the sound.
    means : Means, optional
        By default the words' typical moves.
    lookahead_frames, ceiling_db
        Of the limiter.

    Attributes
    ----------
    events : list of Event
        The sets that took effect.
    """

    def __init__(
        self,
        state: ControlState,
        fs: float = 48_000.0,
        channels: int = 1,
        *,
        means: Means | None = None,
        lookahead_frames: int = 0,
        ceiling_db: float | None = 0.0,
    ) -> None:
        self.desk = Desk(state)
        self.stream = UnpluggedStream(fs, channels, lookahead_frames, ceiling_db)
        self.conductor = Conductor(self.desk, self.stream, means or Means(load_vocabulary()))
        self.events: list[Event] = []
        self.conductor.on_event = self.events.append
        self._beat = round(PERIOD_S * fs)
        self._position = 0
        with self._clock():
            self.conductor.prepare()

    def _clock(self) -> AbstractContextManager[object]:
        clock = SimpleNamespace(perf_counter=lambda: self._position / self.stream.fs)
        return mock.patch.object(conducting, "time", clock)

    def play(
        self, x: Audio, actions: Mapping[int, Action | Callable[[], object]] | None = None
    ) -> Audio:
        """Return what comes out for `x`; `actions` happen at these frames of it, rounded up to 10 ms."""
        waiting = sorted((actions or {}).items())
        y = np.empty_like(x)
        listen = round(LISTEN_EVERY_S / PERIOD_S)
        conductor, programme = self.conductor, self.conductor._programme
        with self._clock():
            for beat, start in enumerate(range(0, len(x), self._beat)):
                while waiting and waiting[0][0] <= start:
                    _, action = waiting.pop(0)
                    if callable(action):
                        action()
                    else:
                        self.desk.act(action)
                if not conductor._stop_requested.is_set():
                    if beat % listen == 0:
                        programme.feed(self.stream.newest_input(programme.frames))
                    conductor._drain()
                    conductor._follow(self.desk.state)
                block = x[start : start + self._beat]
                native.run_block(self.stream.state, block, y[start : start + self._beat])
                self._position += len(block)
                conductor._drain()
        return y

    def stop(self) -> None:
        """End the session: it fades out."""
        self.conductor.finish()
