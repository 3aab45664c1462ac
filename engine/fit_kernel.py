"""The steps of a fit for one set of bands, compiled: a knob waits for it, and the interpreter does not.

They say the same as the arrays of `semeq.engine.fit.refine`, up to rounding, in a fraction of the time, and
the same on any processor: no BLAS is asked. Imported only where the compiler is loaded anyway, since loading
it takes longer than a fit does.
"""

import math

import numpy as np

from semeq.engine.jit import jit_short
from semeq.engine.simd import FEW, load_4, splat_4, store_4
from semeq.engine.units import Floats, Ints

_C = 10.0 / math.log(10.0)
_BANDS = 7
_NUMBERS = 3 * _BANDS
#: The slopes at a frequency take this much room: they are multiplied four at once.
_ROW = 24


@jit_short
def _prepare(parameters: Floats, places: Floats) -> None:
    """Write what no frequency changes, ``(7, 4)``: 1 / f², 1 / q², the gain's factor and its inverse."""
    for band in range(_BANDS):
        is_peak = 0 < band < _BANDS - 1
        places[band, 0] = math.exp(-2.0 * parameters[band, 1])
        places[band, 1] = math.exp(-2.0 * parameters[band, 2])
        places[band, 2] = math.exp(
            parameters[band, 0] * (math.log(10.0) / (20.0 if is_peak else 40.0))
        )
        places[band, 3] = 1.0 / places[band, 2]


@jit_short
def _response(parameters: Floats, places: Floats, freq_hz: float, slopes: Floats) -> float:
    """Return the response at one frequency in dB; write its slopes, ``(21,)``."""
    f2 = freq_hz * freq_hz
    ratio = 1.0  # of all bands: one logarithm does
    for band in range(1, _BANDS - 1):
        y2 = f2 * places[band, 0]
        u = y2 * places[band, 1]
        low = 1.0 - y2
        top, bottom = u * places[band, 2], u * places[band, 3]
        n, d = low * low + top, low * low + bottom
        over_n, over_d = 1.0 / n, 1.0 / d
        ratio *= n * over_d
        top, bottom, turn = top * over_n, bottom * over_d, 4.0 * low * y2
        slopes[3 * band] = 0.5 * (top + bottom)
        slopes[3 * band + 1] = _C * (turn * (over_n - over_d) - 2.0 * (top - bottom))
        slopes[3 * band + 2] = -2.0 * _C * (top - bottom)
    for band in (0, _BANDS - 1):
        sign = 1.0 if band == 0 else -1.0
        y2 = f2 * places[band, 0]
        a = places[band, 2]
        au = a * y2 * places[band, 1]
        above, below = a - y2, 1.0 - a * y2
        n, d = above * above + au, below * below + au
        over_n, over_d = 1.0 / n, 1.0 / d
        ratio *= n * over_d if band == 0 else d * over_n
        slopes[3 * band] = 0.5 + sign * 0.25 * (
            (2.0 * a * above + au) * over_n - (au - 2.0 * a * y2 * below) * over_d
        )
        slopes[3 * band + 1] = (
            sign
            * _C
            * ((4.0 * y2 * above - 2.0 * au) * over_n - (4.0 * a * y2 * below - 2.0 * au) * over_d)
        )
        slopes[3 * band + 2] = sign * -2.0 * _C * au * (over_n - over_d)
    ends_db: float = 0.5 * (parameters[0, 0] + parameters[_BANDS - 1, 0])
    return ends_db + _C * math.log(ratio)


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
    places = np.empty((_BANDS, 4))
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
    places, hessian = np.empty((_BANDS, 4)), np.empty((_NUMBERS, _NUMBERS))
    # of two frequencies, one after the other; beyond the 21 of each are zeros
    slopes = np.zeros(2 * _ROW)
    products, step = np.empty(_NUMBERS * _ROW), np.empty(_ROW)
    for _ in range(iterations):
        _prepare(parameters, places)
        products[:] = 0.0
        step[:] = 0.0
        for i in range(0, n, 2):
            missing = target_db[i] - _response(parameters, places, freqs_hz[i], slopes[:_ROW])
            missing_next = 0.0
            if i + 1 < n:
                missing_next = target_db[i + 1] - _response(
                    parameters, places, freqs_hz[i + 1], slopes[_ROW:]
                )
            else:
                slopes[_ROW:] = 0.0
            for band in frozen:
                slopes[3 * band : 3 * band + 3] = 0.0
                slopes[_ROW + 3 * band : _ROW + 3 * band + 3] = 0.0
            x, y = splat_4(missing), splat_4(missing_next)
            for b in range(0, _ROW, FEW):
                sums = load_4(step, b) + x * load_4(slopes, b) + y * load_4(slopes, _ROW + b)
                store_4(step, b, sums)
            for a in range(_NUMBERS):
                x, y = splat_4(slopes[a]), splat_4(slopes[_ROW + a])
                for b in range(0, a + 1, FEW):
                    at = _ROW * a + b
                    sums = load_4(products, at)
                    sums = sums + x * load_4(slopes, b) + y * load_4(slopes, _ROW + b)
                    store_4(products, at, sums)
        for a in range(_NUMBERS):
            band, part = a // 3, a % 3
            step[a] = step[a] / n - costs[1, part] * (parameters[band, part] - held[band, part])
            for b in range(a + 1):
                hessian[a, b] = products[_ROW * a + b] / n
            hessian[a, a] += costs[0, part] + costs[1, part]
        _solve(hessian, step[:_NUMBERS])
        for a in range(_NUMBERS):
            band, part = a // 3, a % 3
            moved = step[a] / math.sqrt(1.0 + (step[a] / costs[2, part]) ** 2)
            wanted = parameters[band, part] + moved
            parameters[band, part] = min(max(wanted, limits[0, band, part]), limits[1, band, part])
