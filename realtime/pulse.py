"""Whether a stream is still asked for blocks, and how that is called."""

import time
from dataclasses import dataclass
from enum import StrEnum

from semeq.realtime.stream import LiveStream

#: A stream that asks for nothing this long is lost, s, and so many of its blocks.
SILENT_S, SILENT_BLOCKS = 0.3, 4
#: The first block may come so late, s.
FIRST_BLOCK_S = 2.0


class Link(StrEnum):
    """How a session stands with its device."""

    RUNNING = "running"
    LOST = "lost"
    REOPENING = "reopening"


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a device is lost; `may_pass` where it may come back by itself."""

    reason: str
    may_pass: bool = False


class Pulse:
    """Watches whether a stream is still asked for blocks."""

    def __init__(self, stream: LiveStream) -> None:
        self._stream = stream
        self._callbacks = -1
        self._moved_at = time.perf_counter()
        self._first = stream.counts().callbacks

    def loss(self) -> Loss | None:
        """Return why the device is lost, or None while all is well."""
        stream, now = self._stream, time.perf_counter()
        counts = stream.counts()
        if counts.callbacks != self._callbacks:
            self._callbacks, self._moved_at = counts.callbacks, now
        if not stream.is_active:
            return Loss("its server or driver has ended the stream")
        if abs(stream.fs_now - stream.fs) > 0.5:
            return Loss(f"it runs at {stream.fs_now:g} Hz now, not at {stream.fs:g}")
        patience_s = max(SILENT_S, SILENT_BLOCKS * counts.blocksize / stream.fs)
        if counts.callbacks == self._first:
            patience_s = FIRST_BLOCK_S
        if now - self._moved_at > patience_s:
            return Loss("it asks for no sound", may_pass=True)
        return None
