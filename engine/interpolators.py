"""What lies between the samples: the two interpolators of limiter and true-peak meter.

How high a waveform goes between its samples depends on who draws the line: where the sound is full near half
the rate, answers differ by decibels. Hence two interpolators, of which the higher one counts: a steep one,
flat to 0.4535 fs (20 kHz at 44.1 kHz) as converters are, and a gentle one, flat to 0.375 fs, as meters are.

The numbers are compiled into kernels (`semeq.engine.jit` watches files that name it).
"""

import numpy as np

from semeq.engine.units import Floats, read_only

TAPS = 48
REACH = TAPS // 2
#: Taps of the gentle interpolator, in the middle of the others.
GENTLE_TAPS = 24
GENTLE_FIRST = REACH - GENTLE_TAPS // 2
GENTLE_LAST = REACH + GENTLE_TAPS // 2
#: Times oversampled.
PHASES = 8
_STEEP_BETA, _GENTLE_BETA = 6.0, 9.0


def interpolators() -> Floats:
    """Return the fractional-delay filters of the points between two samples, steep then gentle.

    Shape ``(2, 7, 48)``. The newest sample comes last in a window: a filter is a plain dot product.
    """
    at = np.arange(TAPS) - (REACH - 1) - np.arange(1, PHASES)[:, None] / PHASES
    taps = np.empty((2, PHASES - 1, TAPS))
    for row, reach, beta in zip(
        taps, (REACH, GENTLE_TAPS // 2), (_STEEP_BETA, _GENTLE_BETA), strict=True
    ):
        inside = np.abs(at) < reach
        window = np.i0(beta * np.sqrt(np.maximum(0.0, 1.0 - (at / reach) ** 2))) / np.i0(beta)
        row[:] = np.where(inside, np.sinc(at) * window, 0.0)
    taps /= taps.sum(axis=2, keepdims=True)
    return np.asarray(read_only(np.ascontiguousarray(taps)))


def interpolator_rows() -> Floats:
    """Return them tap by tap, flat: eight steep phases, eight gentle ones, the last of each 0."""
    padded = np.pad(interpolators(), ((0, 0), (0, 1), (0, 0)))
    rows: Floats = padded.reshape(2 * PHASES, TAPS).T.ravel()
    return rows
