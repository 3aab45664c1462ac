"""Loudness while it plays (ITU-R BS.1770-4, EBU Tech 3341): momentary, short-term, integrated; without end.

`semeq.engine.loudness` keeps a number for each 100 ms, which is right for a file. A session has no end: here
the gating blocks since the start are counted in bins of 0.05 LU, each with the sum of its powers, so that
hours cost what seconds cost. The mean is exact; only where the relative gate falls into a bin, the
whole bin counts or does not.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from semeq.engine.loudness import (
    ABSOLUTE_GATE_LUFS,
    RELATIVE_GATE_LU,
    STEPS_PER_BLOCK,
    LoudnessMeter,
    lufs,
)
from semeq.engine.units import Audio, Floats, Ints

#: Steps of 100 ms in the short-term window of 3 s.
_SHORT_STEPS = 30
_BIN_LU = 0.05
_BINS = round(100.0 / _BIN_LU)
#: Less than this is silence, LUFS.
_SILENCE_LUFS = -100.0


@dataclass(frozen=True, slots=True)
class LoudnessNow:
    """Loudness in LUFS; None for silence.

    Parameters
    ----------
    momentary : float or None
        Of the last 400 ms.
    short_term : float or None
        Of the last 3 s.
    integrated : float or None
        Of all so far, gated.
    """

    momentary: float | None = None
    short_term: float | None = None
    integrated: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        """Return it as plain values for JSON."""
        return {
            "momentary_lufs": _rounded(self.momentary),
            "short_term_lufs": _rounded(self.short_term),
            "integrated_lufs": _rounded(self.integrated),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


class RunningLoudness:
    """The loudness of a stream that goes on.

    Parameters
    ----------
    fs : float
        Sample rate in Hz, a whole number.
    channels : int
        1 to 8.
    before : RunningLoudness, optional
        What was heard before, at whatever rate: its integrated loudness goes on.

    Examples
    --------
    >>> running = RunningLoudness(48000, 1)
    >>> t = np.arange(192000) / 48000.0
    >>> running.feed(np.sin(2.0 * np.pi * 997.0 * t).astype(np.float32)[:, None])
    >>> running.now().as_dict()
    {'momentary_lufs': -3.01, 'short_term_lufs': -3.01, 'integrated_lufs': -3.01}
    """

    def __init__(self, fs: float, channels: int, before: "RunningLoudness | None" = None) -> None:
        self._meter = LoudnessMeter(fs, channels)
        self._steps: deque[tuple[float, int]] = deque(maxlen=_SHORT_STEPS)
        self._counts: Ints = np.zeros(_BINS, dtype=np.int64)
        self._sums: Floats = np.zeros(_BINS)
        if before is not None:
            self._counts, self._sums = before._counts, before._sums

    def feed(self, block: Audio) -> None:
        """Take the next frames, ``(frames, channels)``."""
        self._meter.feed(block)
        for energy, frames in self._meter.take_steps():
            self._steps.append((energy, frames))
            if len(self._steps) >= STEPS_PER_BLOCK:
                self._count(self._power(STEPS_PER_BLOCK))

    def gap(self) -> None:
        """Forget the last seconds: what comes next does not follow on them."""
        self._steps.clear()

    def _power(self, steps: int) -> float:
        newest = list(self._steps)[-steps:]
        return sum(energy for energy, _ in newest) / sum(frames for _, frames in newest)

    def _count(self, power: float) -> None:
        if power <= 0.0 or (level := lufs(power)) <= ABSOLUTE_GATE_LUFS:
            return
        at = min(int((level - ABSOLUTE_GATE_LUFS) / _BIN_LU), _BINS - 1)
        self._counts[at] += 1
        self._sums[at] += power

    def _last(self, steps: int) -> float | None:
        if len(self._steps) < steps or (power := self._power(steps)) <= 0.0:
            return None
        level = lufs(power)
        return level if level > _SILENCE_LUFS else None

    def integrated(self) -> float | None:
        """Return the gated loudness of all so far in LUFS, or None where nothing passed the gate."""
        total = int(self._counts.sum())
        if total == 0:
            return None
        gate = lufs(float(self._sums.sum()) / total) + RELATIVE_GATE_LU
        first = max(round((gate - ABSOLUTE_GATE_LUFS) / _BIN_LU), 0)
        return lufs(float(self._sums[first:].sum()) / int(self._counts[first:].sum()))

    def now(self) -> LoudnessNow:
        """Return the three."""
        return LoudnessNow(self._last(STEPS_PER_BLOCK), self._last(_SHORT_STEPS), self.integrated())
