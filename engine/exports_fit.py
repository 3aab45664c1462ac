"""Any number of cookbook bands fitted to a response: least squares whose worst points gain weight.

Unlike `semeq.engine.fit` this need not be fast or smooth, but close: it is asked once for a file.
"""

import math

import numpy as np

from semeq.engine.design import MAX_FREQ_OF_FS
from semeq.engine.settings import FREQ_RANGE_HZ, GAIN_LIMIT_DB, Q_RANGE, Band, Kind
from semeq.engine.units import Floats

#: Rounds in which the weight of the worst points grows, so that the largest miss shrinks.
ROUNDS = 5
#: Steps of the search in a round.
STEPS = 60
#: What a change costs beside the misses: per dB of gain, per ln f and ln q. It only breaks ties.
ANCHOR = (1e-3, 1e-2, 1e-2)
HELPER_Q = 0.7
_DIFFERENCE = 1e-5

Kinds = tuple[Kind, ...]


def cookbook_db(bands: tuple[Band, ...], fs: float, freqs_hz: Floats) -> Floats:
    """Return the summed response in dB of any number of cookbook bands."""
    return _response(tuple(band.kind for band in bands), _numbers(bands), fs, freqs_hz)


def with_helper(
    bands: tuple[Band, ...], curve_db: Floats, freqs_hz: Floats, fs: float
) -> tuple[Band, ...]:
    """Return the bands and one more peak, where the miss is largest."""
    miss = curve_db - cookbook_db(bands, fs, freqs_hz)
    worst = int(np.argmax(np.abs(miss)))
    gain_db = float(np.clip(miss[worst], -GAIN_LIMIT_DB, GAIN_LIMIT_DB))
    helper = Band(Kind.PEAK, float(freqs_hz[worst]), gain_db, HELPER_Q)
    return (*bands[:-1], helper, bands[-1])


def fitted(
    bands: tuple[Band, ...],
    curve_db: Floats,
    freqs_hz: Floats,
    fs: float,
    weight: Floats,
    *,
    highest_hz: float,
    hold_freqs: bool = False,
    hold_shelf_q: bool = False,
) -> tuple[Band, ...]:
    """Return bands of the same kinds whose response follows a curve as closely as it can.

    Parameters
    ----------
    bands : tuple of Band
        Where the search starts.
    curve_db : Floats
        The wanted response, shape ``(n,)``.
    freqs_hz : Floats
        Where, shape ``(n,)``, below fs/2.
    fs : float
        Sample rate in Hz.
    weight : Floats
        How much a miss counts, shape ``(n,)``.
    highest_hz : float
        No band is moved above this.
    hold_freqs : bool
        Whether the frequencies stay as they are.
    hold_shelf_q : bool
        Whether the q of shelves stays as it is.

    Returns
    -------
    tuple of Band
        The one with the smallest largest miss, the start included.
    """
    from scipy.optimize import least_squares

    kinds = tuple(band.kind for band in bands)
    start = _numbers(bands)
    low, high = np.empty_like(start), np.empty_like(start)
    low[:] = (-GAIN_LIMIT_DB, math.log(FREQ_RANGE_HZ[0]), math.log(Q_RANGE[0]))
    high[:] = (GAIN_LIMIT_DB, math.log(highest_hz), math.log(Q_RANGE[1]))
    free = np.ones(start.shape, dtype=bool)
    free[:, 1] = not hold_freqs
    if hold_shelf_q:
        free[:, 2] = [kind is Kind.PEAK for kind in kinds]
    pull = np.broadcast_to(ANCHOR, start.shape)[free]
    inside = (low[free], high[free])

    def whole(x: Floats) -> Floats:
        numbers = start.copy()
        numbers[free] = x
        return numbers

    def misses(x: Floats, push: Floats) -> Floats:
        miss = push * (_response(kinds, whole(x), fs, freqs_hz) - curve_db)
        return np.concatenate((miss, pull * (x - start[free])))

    def slopes(x: Floats, push: Floats) -> Floats:
        # a number changes the response of its own band alone: all bands take the same step at once
        step = _DIFFERENCE * np.eye(3)[:, None, :]
        up, down = (_each(kinds, whole(x) + way * step, fs, freqs_hz) for way in (1.0, -1.0))
        each = np.moveaxis(up - down, 0, 1)[free] / (2.0 * _DIFFERENCE)
        return np.concatenate(((push * each).T, np.diag(pull)))

    def largest(x: Floats) -> float:
        return float(np.max(weight * np.abs(_response(kinds, whole(x), fs, freqs_hz) - curve_db)))

    x = np.clip(start[free], inside[0] + 1e-9, inside[1] - 1e-9)
    best, best_miss = start[free], largest(start[free])
    push = weight / math.sqrt(len(freqs_hz))
    for _ in range(ROUNDS):
        x = least_squares(
            misses, x, slopes, bounds=inside, args=(push,), max_nfev=STEPS, x_scale="jac"
        ).x
        miss = weight * np.abs(_response(kinds, whole(x), fs, freqs_hz) - curve_db)
        if miss.max() < best_miss:
            best, best_miss = x, float(miss.max())
        # Lawson's rule, softened: points that are missed most count for more in the next round.
        push = push * np.sqrt(0.1 + miss / max(float(miss.mean()), 1e-12))
        push *= float(np.linalg.norm(weight)) / (
            math.sqrt(len(freqs_hz)) * float(np.linalg.norm(push))
        )
    return _bands(kinds, whole(best))


def _numbers(bands: tuple[Band, ...]) -> Floats:
    return np.array([(b.gain_db, math.log(b.freq_hz), math.log(b.q)) for b in bands])


def _bands(kinds: Kinds, numbers: Floats) -> tuple[Band, ...]:
    def within(value: float, limits: tuple[float, float]) -> float:
        return min(max(value, limits[0]), limits[1])

    return tuple(
        Band(
            kind,
            within(math.exp(ln_f), FREQ_RANGE_HZ),
            within(gain_db, (-GAIN_LIMIT_DB, GAIN_LIMIT_DB)),
            within(math.exp(ln_q), Q_RANGE),
        )
        for kind, (gain_db, ln_f, ln_q) in zip(kinds, numbers.tolist(), strict=True)
    )


def _response(kinds: Kinds, numbers: Floats, fs: float, freqs_hz: Floats) -> Floats:
    """Return the summed response of bands ``(bands, 3)``, shape ``(n,)``."""
    total: Floats = _each(kinds, numbers, fs, freqs_hz).sum(axis=-2)
    return total


def _each(kinds: Kinds, numbers: Floats, fs: float, freqs_hz: Floats) -> Floats:
    """Return the response of each of the bands ``(..., bands, 3)``, shape ``(..., bands, n)``.

    The forms of `semeq.engine.design.rbj`, all bands at once: ``m0 + (m1 jw + m2) / (1 - w² + j k w)``.
    """
    gain, ln_f, ln_q = numbers[..., 0], numbers[..., 1], numbers[..., 2]
    is_peak = np.array([kind is Kind.PEAK for kind in kinds])
    is_low = np.array([kind is Kind.LOW_SHELF for kind in kinds])
    a = 10.0 ** (gain / 40.0)
    t = np.tan(np.pi * np.minimum(np.exp(ln_f), MAX_FREQ_OF_FS * fs) / fs)
    g = t * np.where(is_peak, 1.0, np.where(is_low, a**-0.5, a**0.5))
    k = np.exp(-ln_q) / np.where(is_peak, a, 1.0)
    m0 = np.where(is_peak | is_low, 1.0, a * a)
    m1 = k * np.where(is_peak, a * a - 1.0, np.where(is_low, a - 1.0, (1.0 - a) * a))
    m2 = np.where(is_peak, 0.0, np.where(is_low, a * a - 1.0, 1.0 - a * a))
    g, k, m0, m1, m2 = (part[..., None] for part in (g, k, m0, m1, m2))
    w = np.tan(np.pi * np.asarray(freqs_hz, dtype=np.float64) / fs) / g
    low = 1.0 - w * w
    top = (m0 * low + m2) ** 2 + ((m0 * k + m1) * w) ** 2
    each: Floats = 10.0 * np.log10(top / (low * low + (k * w) ** 2))
    return each
