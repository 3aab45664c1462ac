"""The memory between the audio thread and a process that runs plugins: two rings and a few words.

Both rings are indexed by the stream's own frame numbers. What is to be processed stands in `send`; at frame
``p`` of `back` stands what belongs to the input of ``p - latency``, whenever the host began. So a host that
is started again needs to be told nothing, and neither side ever waits for the other.

This module needs NumPy alone: the host process imports it. Its constants are compiled into the callback
(`semeq.engine.jit` watches files that name it).
"""

import threading
from typing import Any

import numpy as np

from semeq.engine.units import Audio, Floats, Ints

RING_FRAMES = 1 << 17
#: The whole delay of an insert must fit into the rings, and a block besides.
MAX_DELAY = RING_FRAMES - (1 << 15)
MAX_PLUGINS = 16
#: Parameters of one plugin that can be turned while it runs.
MAX_PARAMETERS = 512

# int64 words; what one side writes has a cache line of its own
#: By the audio thread: frames that were ever sent.
SENT = 0
#: By the host: frame up to which `back` is filled, and the first that is worth hearing.
RETURNED, VALID_FROM = 8, 9
#: By the host: turns of its loop; which plugin it is at (from 1); longest block in ns, and whose it was.
BEAT, AT_WORK, SLOWEST_NS, SLOWEST = 16, 17, 18, 19
#: By the keeper: how often a parameter was turned; where the host is to put its frames, see `Host`.
TURNS, WHOLE_LATENCY = 24, 25
HEAD = 64
HEAD_BYTES = HEAD * 8
_TURNED_BYTES = MAX_PLUGINS * MAX_PARAMETERS * 8


class Ring:
    """The shared memory of one place of inserts.

    Attributes
    ----------
    head : Ints
        Shape ``(64,)``, see the constants of this module.
    turned : Floats
        Shape ``(16, 512)``: raw values of parameters, NaN for one that nobody has turned.
    send, back : Audio
        Shape ``(RING_FRAMES, channels)``.
    """

    def __init__(self, memory: Any, channels: int) -> None:  # noqa: ANN401 (a ctypes array, or bytes)
        self.memory, self.channels = memory, channels
        self.head: Ints = np.frombuffer(memory, dtype=np.int64, count=HEAD)
        turned: Floats = np.frombuffer(
            memory, dtype=np.float64, count=MAX_PLUGINS * MAX_PARAMETERS, offset=HEAD_BYTES
        )
        self.turned = turned.reshape(MAX_PLUGINS, MAX_PARAMETERS)
        rings: Audio = np.frombuffer(
            memory, dtype=np.float32, offset=HEAD_BYTES + _TURNED_BYTES
        ).reshape(2, RING_FRAMES, channels)
        self.send, self.back = rings[0], rings[1]
        self._fence = threading.Lock()

    @staticmethod
    def size(channels: int) -> int:
        """Return how many bytes one needs."""
        return HEAD_BYTES + _TURNED_BYTES + 2 * RING_FRAMES * channels * 4

    def fence(self) -> None:
        """Let all that was written before be seen before what is written from here on."""
        for _ in range(2):  # taking a lock lets nothing rise, leaving it lets nothing sink
            with self._fence:
                pass

    def clear(self) -> None:
        """Begin anew; this also touches every page."""
        self.head.fill(0)
        self.turned.fill(np.nan)
        self.send.fill(0)
        self.back.fill(0)

    def read(self, first: int, frames: int) -> Audio:
        """Return a copy of what was sent from frame `first` on."""
        audio: Audio = self.send[np.arange(first, first + frames) & (RING_FRAMES - 1)]
        return audio

    def write(self, first: int, block: Audio) -> None:
        """Put a block where frame `first` is."""
        self.back[np.arange(first, first + len(block)) & (RING_FRAMES - 1)] = block


def private_ring(channels: int) -> Ring:
    """Return a ring in this process's own memory."""
    ring = Ring(bytearray(Ring.size(channels)), channels)
    ring.clear()
    return ring
