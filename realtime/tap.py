"""The tap: the newest input, written by the audio thread and read by whoever listens, in step or late.

A ring of frames and a counter of how many were ever written. The audio thread never waits for a reader:
who is too slow loses frames, and `TapReader` knows how many. The ring may lie in memory that a second
process shares, so that a listener there costs the audio thread nothing more.

This module needs NumPy alone: the listening process imports it. Its constants are compiled into the callback
(`semeq.engine.jit` watches files that name it).
"""

from typing import Any

import numpy as np

from semeq.engine.units import Audio, Ints

TAP_FRAMES = 1 << 18
#: int64 counters of the callback that stand beside the ring; `TAPPED` is how many frames were written.
COUNTERS = 14
TAPPED = 7
#: In shared memory the counters stand first, in so many bytes, and the ring follows.
HEAD_BYTES = 128
#: A sample above this (24 dB over full scale, as in `semeq.engine.chain_state`), or one that is no number, is
#: heard as silence.
BAD_ABOVE = 16.0
#: As many frames are handed out at once as a listener can digest in a moment.
MOST_FRAMES = 1 << 15


class Tap:
    """The counters of the callback and its ring of input.

    Parameters
    ----------
    counters : Ints
        Shape ``(14,)``.
    ring : Audio
        Shape ``(TAP_FRAMES, channels)``.
    memory : object, optional
        What the two lie in, where a second process shares it; handed to that process when it starts.
    """

    def __init__(self, counters: Ints, ring: Audio, memory: Any = None) -> None:  # noqa: ANN401 (a ctypes array)
        self.counters, self.ring, self.memory = counters, ring, memory

    @property
    def written(self) -> int:
        """How many frames were ever written."""
        return int(self.counters[TAPPED])

    @property
    def channels(self) -> int:
        """How many channels come in."""
        return int(self.ring.shape[1])


def private_tap(channels: int) -> Tap:
    """Return a tap in this process's own memory, every page touched."""
    counters = np.zeros(COUNTERS, dtype=np.int64)
    ring = np.zeros((TAP_FRAMES, channels), dtype=np.float32)
    ring.fill(0)
    return Tap(counters, ring)


def opened(memory: Any, channels: int) -> Tap:  # noqa: ANN401 (a ctypes array)
    """Return the tap that lies in shared memory."""
    counters = np.frombuffer(memory, dtype=np.int64, count=COUNTERS)
    ring = np.frombuffer(memory, dtype=np.float32, offset=HEAD_BYTES)
    return Tap(counters, ring.reshape(TAP_FRAMES, channels), memory)


def cleaned(audio: Audio) -> Audio:
    """Return the frames with damaged samples as silence; in place."""
    magnitude = np.abs(audio)
    if not magnitude.max(initial=0.0) <= BAD_ABOVE:  # nor does a NaN pass
        audio[~(magnitude <= BAD_ABOVE)] = 0.0
    return audio


class TapReader:
    """Reads the input from one frame to the next; one owner.

    Parameters
    ----------
    tap : Tap
        Where it comes from.

    Attributes
    ----------
    position : int
        The frame that comes next.
    lost : int
        How many frames were overwritten before they were read.
    """

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self.position = tap.written
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many frames there are to read."""
        return max(self._tap.written - self.position, 0)

    def read(self, most: int = MOST_FRAMES) -> tuple[Audio, bool]:
        """Return the next frames, at most so many, and whether some before them were lost.

        Who lags more than half a ring behind goes on at the newest frames: what was left is no longer
        worth hearing.
        """
        written = self._tap.written
        is_gap = False
        if written - self.position > TAP_FRAMES // 2:
            is_gap = self._skip(written - most)
        last = min(written, self.position + most)
        audio = self._copy(self.position & (TAP_FRAMES - 1), last - self.position)
        if self._tap.written - self.position > TAP_FRAMES - 8192:  # overwritten while it was copied
            self._skip(last)
            return audio[:0], True
        self.position = last
        return cleaned(audio), is_gap

    def _copy(self, at: int, frames: int) -> Audio:
        ring, beyond = self._tap.ring, at + frames - TAP_FRAMES
        if beyond <= 0:
            return ring[at : at + frames].copy()
        return np.concatenate([ring[at:], ring[:beyond]])

    def _skip(self, to: int) -> bool:
        self.lost += max(to - self.position, 0)
        self.position = to
        return True
