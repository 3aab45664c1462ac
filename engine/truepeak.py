"""True peak of a stream (ITU-R BS.1770-4, annex 2): how high the waveform goes between the samples.

Conventions
-----------
Eight times oversampled by `semeq.engine.interpolators` (closer than the standard's example
filter), the higher one counting, so that meter and limiter mean the same thing. A peak is never below
the sample peak.

The interpolators run only where it can matter. Two bounds hold for the waveform between samples that
reach ``a`` and whose second differences reach ``b``: it stays under ``a`` times the L1 norm of the filter,
and, because the filter is a straight line plus a filter on second differences, under ``a`` plus ``b``
times the L1 norm of the latter. The second is tight for music, and tighter still for the two samples that
the line joins. A third is the sum of all samples in reach, each times the greatest tap that it can meet.
A stretch, and then a pair of samples, with a bound under the highest peak so far is skipped, and the result
is the same.
"""

import math

import numpy as np
import numpy.typing as npt

from semeq.engine.errors import SettingsError
from semeq.engine.interpolators import PHASES, REACH, TAPS, interpolator_rows, interpolators
from semeq.engine.jit import jit
from semeq.engine.simd import load_4, splat_4, store_4
from semeq.engine.units import Audio, Floats

#: Frames that are skipped or interpolated together; at least as long as the filter.
STRETCH = 64
_HISTORY = TAPS - 1
#: Guards the bounds against the rounding of float32 sums.
_SLACK = 1e-5


def _norms(taps: Floats) -> tuple[float, float]:
    """Return the greatest L1 norms of the filters and of what they do to second differences."""
    bend = 0.0
    for row in taps:
        centre = float(np.dot(row, np.arange(TAPS)))
        first = math.floor(centre)
        line = np.zeros(TAPS)
        line[first], line[first + 1] = 1.0 - (centre - first), centre - first
        # same sum and same centre of mass: the rest is a filter on second differences
        bend = max(bend, float(np.abs(np.cumsum(np.cumsum(row - line))).sum()))
    return float(np.abs(taps).sum(axis=1).max()), bend


@jit
def _highest(row: Audio) -> int:
    """Return the highest magnitude as the bits of a float32: those order as the numbers do."""
    highest = np.int32(0)
    for bits in row.view(np.int32):
        highest = max(highest, bits & np.int32(0x7FFFFFFF))
    return highest  # type: ignore[return-value]  # to numba it is an integer like others


@jit
def _survey(
    x: Audio, step: int, stretch: int, reach: npt.NDArray[np.int32], bends: npt.NDArray[np.int32]
) -> None:
    """Write the highest sample and the greatest second difference of each stretch, as `_highest` does."""
    inner = max(0, x.size - 2 * step)
    for k in range(reach.size):
        first = k * stretch
        reach[k] = _highest(x[first : first + stretch])
        one, two = x[first + step :], x[first + 2 * step :]
        steepest = np.int32(0)
        for n in range(min(stretch, inner - first)):
            second = (x[first + n] - one[n]) - (one[n] - two[n])
            steepest = max(steepest, np.float32(second).view(np.int32) & np.int32(0x7FFFFFFF))
        bends[k] = steepest


@jit
def _reach(x: Audio, step: int, envelope: Audio, bounds: Audio) -> None:
    """Write what no point can exceed in the windows that begin at the first samples of `x`."""
    bounds[:] = 0.0
    for tap in range(TAPS):
        for n in range(bounds.size):
            bounds[n] += envelope[tap] * abs(x[n + tap * step])


@jit
def _between(window: Audio, step: int, taps: Floats, points: Floats) -> float:
    """Return the highest of the points between the two middle samples of a window."""
    one, two, three, four = splat_4(0.0), splat_4(0.0), splat_4(0.0), splat_4(0.0)
    for tap in range(TAPS):
        sample = splat_4(np.float64(window[tap * step]))
        row = 2 * PHASES * tap
        one = one + sample * load_4(taps, row)
        two = two + sample * load_4(taps, row + 4)
        three = three + sample * load_4(taps, row + 8)
        four = four + sample * load_4(taps, row + 12)
    store_4(points, 0, one)
    store_4(points, 4, two)
    store_4(points, 8, three)
    store_4(points, 12, four)
    highest = 0.0
    for point in range(points.size):
        highest = max(highest, abs(points[point]))
    return highest


@jit
def _raise_peaks(
    x: Audio, step: int, taps: Floats, envelope: Audio, norm: float, bend: float, peaks: Audio
) -> None:
    """Raise ``peaks``, the sample peak and the true peak so far, to those of the channels in `x`.

    `x` holds interleaved frames of `step` channels, and windows begin at all but the last `_HISTORY`.
    All channels are treated as one long row: what is next to a sample is `step` further on.
    """
    stretch = STRETCH * step
    count = max(0, x.size - _HISTORY * step)
    stretches = (count + stretch - 1) // stretch
    surveyed = (x.size + stretch - 1) // stretch
    bits = np.zeros((2, max(surveyed, stretches + 1)), dtype=np.int32)
    _survey(x, step, stretch, bits[0, :surveyed], bits[1, :surveyed])
    reach, bends = bits[0].view(np.float32), bits[1].view(np.float32)
    peaks[0] = max(peaks[0], reach.max())
    peaks[1] = max(peaks[1], peaks[0])
    points = np.empty(2 * PHASES)
    scratch = np.empty(stretch, dtype=np.float32)
    left, right = (REACH - 1) * step, REACH * step
    for k in range(stretches):
        nearby = max(reach[k], reach[k + 1])
        over_line = bend * max(bends[k], bends[k + 1])
        enough = peaks[1] * np.float32(1.0 - _SLACK)
        if min(nearby * norm, nearby + over_line) <= enough:
            continue
        window = x[k * stretch :]
        bounds = scratch[: min(stretch, count - k * stretch)]
        _reach(window, step, envelope, bounds)
        for n in range(bounds.size):
            line = max(abs(window[n + left]), abs(window[n + right]))
            if min(line + over_line, bounds[n]) <= peaks[1] * np.float32(1.0 - _SLACK):
                continue
            peaks[1] = max(peaks[1], np.float32(_between(window[n:], step, taps, points)))


class TruePeakMeter:
    """True peak and sample peak of one stream.

    Parameters
    ----------
    channels : int
        At least 1.

    Examples
    --------
    >>> meter = TruePeakMeter(1)
    >>> t = np.arange(4800) + 0.5  # a sine at fs / 4 whose samples all miss its crest
    >>> meter.feed(np.sin(np.pi / 2.0 * t).astype(np.float32)[:, None])
    >>> round(meter.sample_peak, 2), round(meter.true_peak(), 1)
    (0.71, 1.0)
    """

    def __init__(self, channels: int) -> None:
        if channels < 1:
            raise SettingsError(f"channels must be at least 1, got {channels}")
        taps = interpolators().reshape(-1, TAPS)
        self._norms = _norms(taps)
        self._taps = interpolator_rows()
        self._envelope: Audio = np.abs(taps).max(axis=0).astype(np.float32)
        self._history = np.zeros((_HISTORY, channels), dtype=np.float32)
        self._peaks = np.zeros(2, dtype=np.float32)

    def _measure(self, block: Audio, peaks: Audio) -> Audio:
        """Raise `peaks` to those of `block` and return the frames to remember."""
        # the windows that begin in the previous block, then, without copying, those that begin in this
        step = block.shape[1]
        joint: Audio = np.concatenate((self._history, block[:_HISTORY]))
        _raise_peaks(joint.ravel(), step, self._taps, self._envelope, *self._norms, peaks)
        _raise_peaks(np.ravel(block), step, self._taps, self._envelope, *self._norms, peaks)
        return (block if len(block) >= _HISTORY else joint)[-_HISTORY:].copy()

    def feed(self, block: Audio) -> None:
        """Measure the next block, shape ``(frames, channels)``."""
        if len(block):
            self._history = self._measure(block, self._peaks)

    @property
    def sample_peak(self) -> float:
        """The highest magnitude of a sample so far."""
        return float(self._peaks[0])

    def true_peak(self) -> float:
        """Return the highest magnitude of the waveform so far, as if silence followed."""
        peaks = self._peaks.copy()
        self._measure(np.zeros((REACH, self._history.shape[1]), dtype=np.float32), peaks)
        return float(peaks[1])
