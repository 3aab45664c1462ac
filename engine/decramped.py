"""Biquads that follow the analogue prototype up to 20 kHz, where the bilinear transform cramps.

Conventions
-----------
The prototype of a band is the cookbook's analogue filter [1]_: a quotient of two resonances,
``|H|² = dc² R(f; fz, kz) / R(f; fp, kp)`` with ``R(f; f0, k) = (1 - f²/f0²)² + k² f²/f0²``, `k` being the
damping 1/q. A peak has fz = fp = its centre and its gain in the ratio kz/kp; a shelf has one damping and
the two centres a gain apart. A digital biquad has the same form in ``tan(π f / fs)``, with centres `g`. So
it has five numbers, ln gz, ln kz, ln gp, ln kp and ln dc, all of them free: whatever their values, the
filter is stable and of minimum phase, and nothing cancels at low frequencies.

These five are fitted: a start by the matched z transform [2]_, two Gauss-Newton steps on the logarithm of
the magnitude, and three more in which every point weighs the more the further it was missed (Lawson's way
to the smallest maximum). The number of steps is fixed, every step is a smooth function of frequency, gain and
q, and a slight pull towards the start keeps apart what the response cannot tell apart: a turning knob never
hops between two solutions. Only boosts are fitted; a cut is the same filter upside down, exactly, and so is
a high shelf, exactly, a low shelf of the opposite gain.

The fit costs 15 µs a band where it is compiled (`semeq.engine.sections_kernel`). Commands that need no audio
path run the same source uncompiled, because loading the compiler takes longer than they do.

References
----------
.. [1] R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
.. [2] M. Vicanek, "Matched second order digital filters", 2016, for the poles.
.. [3] C. L. Lawson, "Contributions to the theory of linear least maximum approximation", 1961.
"""

import math
from functools import lru_cache

import numpy as np

from semeq.engine.settings import Band, Kind
from semeq.engine.units import Floats

#: Up to where the prototype is followed, and at low rates up to which share of fs.
TOP_HZ = 20_000.0
TOP_OF_FS = 0.4535
#: Below this gain (dB) zeros and poles are moved together by interpolation: their difference is all
#: there is, and it is proportional to the gain.
SMALLEST_FIT_DB = 0.05

#: The shapes of bands as numbers.
LOW_SHELF, PEAK, HIGH_SHELF = range(3)
SHAPES = {Kind.LOW_SHELF: LOW_SHELF, Kind.PEAK: PEAK, Kind.HIGH_SHELF: HIGH_SHELF}


def solve(x: float, gain_db: float, q: float, is_shelf: bool, top: float, out: Floats) -> None:
    """Write ``ln gz, ln kz, ln gp, ln kp, ln dc`` of a boosting peak or low shelf to `out`.

    Parameters
    ----------
    x : float
        Centre as a share of fs; it may lie above 1/2.
    gain_db : float
        Above 0.
    q : float
        Of the prototype.
    is_shelf : bool
        Low shelf or peak.
    top : float
        Highest frequency that is followed, as a share of fs, below 1/2.
    out : Floats
        Shape ``(5,)``.
    """
    spread, near = 36, 6  # points up to `top`, and around each of the two resonances
    steps, plain_steps = 6, 2
    pull = 3e-3  # what (ln)² from the start costs beside the mean squared miss
    longest = 0.7  # where a step saturates
    highest = 0.48  # no start lies above
    count = spread + 2 * near

    a = 10.0 ** (gain_db / 40.0)
    # the prototype: centres as shares of fs, dampings
    fz = x * math.sqrt(a) if is_shelf else x
    fp = x / math.sqrt(a) if is_shelf else x
    kz = 1.0 / q if is_shelf else a / q
    kp = 1.0 / q if is_shelf else 1.0 / (a * q)

    # where it is followed, and the wanted ln |H|² / dc²
    tan2 = np.empty(count)
    wanted = np.empty(count)
    weight = np.ones(count)
    for i in range(count):
        if i < spread:
            f = top * math.sin(0.5 * math.pi * i / (spread - 1))
        else:
            centre = fz if i < spread + near else fp
            j = (i - spread) % near
            width = 0.5 * math.tan(math.pi * ((j + 0.5) / near - 0.5)) / q
            if i >= spread + near:
                width *= 0.5
            f = centre * (width + math.sqrt(width * width + 1.0))
            share = (f / top) ** 12
            f = 0.9999 * f / (1.0 + share) ** (1.0 / 12.0)
        t = math.tan(math.pi * f)
        tan2[i] = t * t
        uz, up = (f / fz) ** 2, (f / fp) ** 2
        wanted[i] = math.log(((1.0 - uz) ** 2 + kz * kz * uz) / ((1.0 - up) ** 2 + kp * kp * up))

    # the start: both resonances by the matched z transform
    start = np.zeros(5)
    for i in range(2):
        centre, k = (fz, kz) if i == 0 else (fp, kp)
        centre /= (1.0 + (centre / highest) ** 32) ** 0.03125
        damped = 0.5 * math.pi * centre * k
        square = (math.pi * centre) ** 2 - damped * damped
        turned = math.sqrt(abs(square))
        s = math.sin(turned) ** 2 if square >= 0.0 else -(math.sinh(turned) ** 2)
        sinh2 = math.sinh(damped) ** 2
        above, below = sinh2 + s, 1.0 + sinh2 - s
        start[2 * i] = 0.5 * math.log(above / below)
        start[2 * i + 1] = math.log(math.sinh(2.0 * damped) / below) - start[2 * i]
    for i in range(5):
        out[i] = start[i]

    # Zeros and poles that move together do nothing at gain 0: their pull shrinks with what they do.
    together = (gain_db / 12.0) ** 2
    same, crossed = 0.5 * pull * count * (together + 1.0), 0.5 * pull * count * (together - 1.0)
    missed = np.empty(count)
    slope = np.empty(5)
    slope[4] = 1.0
    hessian = np.empty((5, 5))
    step = np.empty(5)
    for turn in range(steps):
        gz2, kz2 = math.exp(-2.0 * out[0]), math.exp(2.0 * out[1])
        gp2, kp2 = math.exp(-2.0 * out[2]), math.exp(2.0 * out[3])
        total = 0.0
        for i in range(count):
            uz, up = tan2[i] * gz2, tan2[i] * gp2
            rz, rp = (1.0 - uz) ** 2 + kz2 * uz, (1.0 - up) ** 2 + kp2 * up
            missed[i] = wanted[i] - math.log(rz / rp) - out[4]
            total += weight[i] * missed[i] ** 2
        if turn >= plain_steps:
            # dimensionless, and the same weight everywhere where nothing is missed at all
            sum_weights = weight.sum()
            mean = total / sum_weights + 1e-30
            for i in range(count):
                weight[i] *= math.sqrt(missed[i] ** 2 / mean + 0.02)
            weight *= count / weight.sum()
        hessian[:, :] = 0.0
        step[:] = 0.0
        for i in range(count):
            uz, up = tan2[i] * gz2, tan2[i] * gp2
            az, ap = kz2 * uz, kp2 * up
            rz, rp = (1.0 - uz) ** 2 + az, (1.0 - up) ** 2 + ap
            slope[0] = (4.0 * (1.0 - uz) * uz - 2.0 * az) / rz
            slope[1] = 2.0 * az / rz
            slope[2] = -(4.0 * (1.0 - up) * up - 2.0 * ap) / rp
            slope[3] = -2.0 * ap / rp
            for j in range(5):
                weighted = weight[i] * slope[j]
                step[j] += weighted * missed[i]
                for k in range(j + 1):
                    hessian[j, k] += weighted * slope[k]
        for j in range(2):
            hessian[j, j] += same
            hessian[j + 2, j + 2] += same
            hessian[j + 2, j] += crossed
            z, p = start[j] - out[j], start[j + 2] - out[j + 2]
            step[j] += same * z + crossed * p
            step[j + 2] += same * p + crossed * z
        # Cholesky: hessian = L Lᵀ, then L (Lᵀ step) = right-hand side
        for j in range(5):
            for k in range(j + 1):
                s = hessian[j, k]
                for i in range(k):
                    s -= hessian[j, i] * hessian[k, i]
                hessian[j, k] = math.sqrt(s) if j == k else s / hessian[k, k]
        for j in range(5):
            for k in range(j):
                step[j] -= hessian[j, k] * step[k]
            step[j] /= hessian[j, j]
        for j in range(4, -1, -1):
            for k in range(j + 1, 5):
                step[j] -= hessian[k, j] * step[k]
            step[j] /= hessian[j, j]
        for j in range(5):
            out[j] += step[j] / math.sqrt(1.0 + (step[j] / longest) ** 2)


def finish(shape: int, gain_db: float, fitted_db: float, numbers: Floats, out: Floats) -> None:
    """Write ``g, k, m0, m1, m2`` of a band to `out`, see `semeq.engine.design`.

    Parameters
    ----------
    shape : int
        One of `SHAPES`.
    gain_db : float
        Of the band, of either sign.
    fitted_db : float
        The gain that was fitted: its size, or `SMALLEST_FIT_DB` where that is more.
    numbers : Floats
        What `solve` found, shape ``(5,)``.
    out : Floats
        Shape ``(5,)``.
    """
    zg, zk, pg, pk, dc = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    size_db = abs(gain_db)
    if size_db < fitted_db:
        part = 0.5 * (1.0 - size_db / fitted_db)
        zg, pg = zg + part * (pg - zg), pg + part * (zg - pg)
        zk, pk = zk + part * (pk - zk), pk + part * (zk - pk)
        dc *= size_db / fitted_db
    dc *= 0.5
    if shape != PEAK:
        dc += size_db * (math.log(10.0) / 20.0)
    if (gain_db < 0.0) != (shape == HIGH_SHELF):
        zg, zk, pg, pk, dc = pg, pk, zg, zk, -dc
    if shape == HIGH_SHELF:
        dc += gain_db * (math.log(10.0) / 20.0)
    g, k = math.exp(pg), math.exp(pk)
    out[0], out[1], out[2], out[3], out[4] = g, k, 1.0, 0.0, 0.0
    if gain_db != 0.0:
        # H = low ((s/gz)² + kz s/gz + 1) / ((s/g)² + k s/g + 1), its numerator in powers of s/g
        low = math.exp(dc)
        ratio = math.exp(pg - zg)
        high = low * ratio * ratio
        out[2], out[3], out[4] = high, low * math.exp(zk) * ratio - high * k, low - high


def highest_followed(fs: float) -> float:
    """Return up to where the prototype is followed, as a share of `fs` (Hz)."""
    return min(TOP_HZ / fs, TOP_OF_FS)


@lru_cache(maxsize=256)
def decramped(band: Band, fs: float) -> tuple[float, float, float, float, float]:
    """Return the filter of a band as ``(g, k, m0, m1, m2)``, see `semeq.engine.design`; uncompiled."""
    numbers, out = np.empty(5), np.empty(5)
    fitted_db = max(abs(band.gain_db), SMALLEST_FIT_DB)
    is_shelf = band.kind is not Kind.PEAK
    solve(band.freq_hz / fs, fitted_db, band.q, is_shelf, highest_followed(fs), numbers)
    finish(SHAPES[band.kind], band.gain_db, fitted_db, numbers, out)
    g, k, m0, m1, m2 = out.tolist()
    return g, k, m0, m1, m2
