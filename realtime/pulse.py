"""Whether a stream is still asked for blocks, and how that is called."""

import math
import time
from dataclasses import dataclass
from enum import StrEnum

from semeq.realtime.rig import Rig

#: A stream that asks for nothing this long is lost, s, and so many of its blocks.
SILENT_S, SILENT_BLOCKS = 0.3, 4
#: The first block may come so late, s.
FIRST_BLOCK_S = 2.0
#: How long a silent stream may come back by itself, s. JACK tells when it is over, so it is trusted longer.
PATIENCE_S, JACK_PATIENCE_S = 1.0, 10.0


class Link(StrEnum):
    """How a session stands with its device."""

    RUNNING = "running"
    LOST = "lost"
    REOPENING = "reopening"


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a device is lost; how long it may come back by itself, in s, before it is opened anew."""

    reason: str
    patience_s: float = 0.0


class Pulse:
    """Watches whether a rig's stream is asked for blocks, and has something at both ends."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        stream = self._stream = rig.stream
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
        pause_s = max(SILENT_S, SILENT_BLOCKS * counts.blocksize / stream.fs)
        if counts.callbacks == self._first:
            pause_s = FIRST_BLOCK_S
        if now - self._moved_at > pause_s:
            return Loss("it asks for no sound", JACK_PATIENCE_S if stream.is_jack else PATIENCE_S)
        if (wiring := self._rig.wiring) is not None:
            for device in (stream.config.input, stream.config.output):
                if wiring.is_gone(device.name):
                    return Loss(f"{device.name} has no ports any more", math.inf)
        return None
