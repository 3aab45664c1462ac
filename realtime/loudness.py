"""How loud a session is: the output as it is heard, measured beside the sound."""

import numpy as np

from semeq.engine.loudness_running import LoudnessNow, RunningLoudness
from semeq.engine.units import Audio
from semeq.realtime import callback as native
from semeq.realtime.stream import LiveStream

#: Who comes later than this finds frames that are being written over.
_MOST_FRAMES = native.HEARD_FRAMES - 4 * native.MAX_FRAMES


class LiveLoudness:
    """Measures the output of a stream; one owner, who calls `look` some ten times a second.

    Parameters
    ----------
    stream : LiveStream
        What is measured.
    before : LiveLoudness, optional
        What measured the session's last stream; its integrated loudness goes on.

    Attributes
    ----------
    now : LoudnessNow
        The newest figures; those of the last seconds are None while nothing is measured.
    """

    def __init__(self, stream: LiveStream, before: "LiveLoudness | None" = None) -> None:
        self._stream = stream
        earlier = None if before is None else before._running
        self._running: RunningLoudness = RunningLoudness(round(stream.fs), stream.channels, earlier)
        self._read = 0
        self.now = LoudnessNow(integrated=self._running.integrated())

    def look(self, *, is_measured: bool = True) -> None:
        """Take what was heard since the last look; nothing is where there is no time for meters."""
        counters, ring = self._stream.state.counters, self._stream.state.heard
        written = int(counters[native.HEARD])
        if not is_measured or written - self._read > _MOST_FRAMES:
            self._running.gap()
            self._read = written
        elif written > self._read:
            at = np.arange(self._read, written) & (native.HEARD_FRAMES - 1)
            block: Audio = ring[at]
            if int(counters[native.HEARD]) - self._read <= native.HEARD_FRAMES - native.MAX_FRAMES:
                self._running.feed(block)
            else:  # written over while it was copied
                self._running.gap()
            self._read = written
        self.now = self._running.now()
