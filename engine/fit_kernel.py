"""The steps of a fit for one set of bands, compiled: a knob waits for it, and the interpreter does not.

They say the same as the arrays of `semeq.engine.fit.refine`, up to rounding, in a fraction of the time, and
the same on any processor: no BLAS is asked. Imported only where the compiler is loaded anyway, since loading
it takes longer than a fit does.
"""

import math

import numpy as np

from semeq.engine.jit import jit_short
from semeq.engine.units import Floats, Ints

_C = 10.0 / math.log(10.0)
_BANDS = 7
_NUMBERS = 3 * _BANDS


@jit_short
def _prepare(parameters: Floats, places: Floats) -> None:
    """Write what does not depend on the frequency, ``(7, 3)``: 1 / f, 1 / q² and the gain's factor."""
    for band in range(_BANDS):
        is_peak = 0 < band < _BANDS - 1
        places[band, 0] = math.exp(-parameters[band, 1])
        places[band, 1] = math.exp(-2.0 * parameters[band, 2])
        places[band, 2] = math.exp(
            parameters[band, 0] * (math.log(10.0) / (20.0 if is_peak else 40.0))
        )


@jit_short
def _response(parameters: Floats, places: Floats, freq_hz: float, slopes: Floats) -> float:
    """Return the response at one frequency in dB; write its slopes, ``(21,)``."""
    total = 0.0
    for band in range(_BANDS):
        y = freq_hz * places[band, 0]
        y2 = y * y
        u = y2 * places[band, 1]
        a = places[band, 2]
        if 0 < band < _BANDS - 1:
            low = 1.0 - y2
            n = low * low + a * u
            d = low * low + u / a
            top, bottom, turn = a * u / n, u / a / d, 4.0 * low * y2
            total += _C * math.log(n / d)
            by_gain = 0.5 * (top + bottom)
            by_freq = _C * (turn / n - turn / d - 2.0 * (top - bottom))
            by_q = -2.0 * _C * (top - bottom)
        else:
            sign = 1.0 if band == 0 else -1.0
            au = a * u
            above, below = a - y2, 1.0 - a * y2
            n = above * above + au
            d = below * below + au
            total += 0.5 * parameters[band, 0] + sign * _C * math.log(n / d)
            by_gain = 0.5 + sign * 0.25 * (
                (2.0 * a * above + au) / n - (au - 2.0 * a * y2 * below) / d
            )
            by_freq = (
                sign
                * _C
                * ((4.0 * y2 * above - 2.0 * au) / n - (4.0 * a * y2 * below - 2.0 * au) / d)
            )
            by_q = sign * -2.0 * _C * (au / n - au / d)
        slopes[3 * band] = by_gain
        slopes[3 * band + 1] = by_freq
        slopes[3 * band + 2] = by_q
    return total


@jit_short
def write_response(
    parameters: Floats, freqs_hz: Floats, response_db: Floats, slopes: Floats
) -> None:
    """Write the response of analogue prototypes and its slopes.

    Parameters
    ----------
    parameters : Floats
        Shape ``(7, 3)``.
    freqs_hz : Floats
        Shape ``(n,)``.
    response_db, slopes : Floats
        Where they are put, shapes ``(n,)`` and ``(n, 21)``.
    """
    places = np.empty((_BANDS, 3))
    _prepare(parameters, places)
    for i in range(len(freqs_hz)):
        response_db[i] = _response(parameters, places, freqs_hz[i], slopes[i])


@jit_short
def _solve(matrix: Floats, x: Floats) -> None:
    """Solve for a symmetric, positive definite matrix in place, by Cholesky; only the lower half is read."""
    size = len(x)
    for j in range(size):
        for k in range(j):
            matrix[j, j] -= matrix[j, k] * matrix[j, k]
        matrix[j, j] = math.sqrt(matrix[j, j])
        for i in range(j + 1, size):
            for k in range(j):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
            matrix[i, j] /= matrix[j, j]
    for i in range(size):
        for k in range(i):
            x[i] -= matrix[i, k] * x[k]
        x[i] /= matrix[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            x[i] -= matrix[k, i] * x[k]
        x[i] /= matrix[i, i]


@jit_short
def take_steps(
    parameters: Floats,
    target_db: Floats,
    freqs_hz: Floats,
    held: Floats,
    limits: Floats,
    costs: Floats,
    frozen: Ints,
    iterations: int,
) -> None:
    """Move the bands, as `semeq.engine.fit.refine` does.

    Parameters
    ----------
    parameters : Floats
        Where to start, shape ``(7, 3)``; where it ended is written over it.
    target_db, freqs_hz : Floats
        The curve to follow and where, shape ``(n,)``.
    held : Floats
        Where the anchor holds, shape ``(7, 3)``.
    limits : Floats
        Lowest and highest parameters, shape ``(2, 7, 3)``.
    costs : Floats
        Of a step, of the distance from the anchor, and where a step saturates, shape ``(3, 3)``: for gain,
        ln f and ln q.
    frozen : Ints
        Bands that stay where they are, from 0.
    iterations : int
        Number of steps.
    """
    n = len(freqs_hz)
    places, slopes = np.empty((_BANDS, 3)), np.empty(_NUMBERS)
    hessian, step = np.empty((_NUMBERS, _NUMBERS)), np.empty(_NUMBERS)
    for _ in range(iterations):
        _prepare(parameters, places)
        hessian[:, :] = 0.0
        step[:] = 0.0
        for i in range(n):
            missing = target_db[i] - _response(parameters, places, freqs_hz[i], slopes)
            for band in frozen:
                slopes[3 * band : 3 * band + 3] = 0.0
            for a in range(_NUMBERS):
                slope, row = slopes[a], hessian[a]
                step[a] += slope * missing
                for b in range(a + 1):
                    row[b] += slope * slopes[b]
        for a in range(_NUMBERS):
            band, part = a // 3, a % 3
            step[a] = step[a] / n - costs[1, part] * (parameters[band, part] - held[band, part])
            for b in range(a + 1):
                hessian[a, b] /= n
            hessian[a, a] += costs[0, part] + costs[1, part]
        _solve(hessian, step)
        for a in range(_NUMBERS):
            band, part = a // 3, a % 3
            moved = step[a] / math.sqrt(1.0 + (step[a] / costs[2, part]) ** 2)
            wanted = parameters[band, part] + moved
            parameters[band, part] = min(max(wanted, limits[0, band, part]), limits[1, band, part])
