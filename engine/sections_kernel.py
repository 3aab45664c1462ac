"""The filters of all bands at once, and their response, compiled: a turned knob waits for both."""

import math

import numpy as np

from semeq.engine.decramped import PEAK, SMALLEST_FIT_DB, finish, solve
from semeq.engine.jit import jit_short
from semeq.engine.units import Floats

_solve, _finish = jit_short(solve), jit_short(finish)


@jit_short
def write_decramped(bands: Floats, fs: float, highest: float, sections: Floats) -> None:
    """Write the decramped filters of bands, as `semeq.engine.decramped.decramped` does.

    Parameters
    ----------
    bands : Floats
        Shape as a number, frequency in Hz, gain in dB and q of each, shape ``(n, 4)``.
    fs : float
        Sample rate in Hz.
    highest : float
        Up to where the prototypes are followed, as a share of `fs`.
    sections : Floats
        Where ``g, k, m0, m1, m2`` of each are put, shape ``(n, 5)``.
    """
    numbers = np.empty(5)
    for band in range(len(bands)):
        shape, freq_hz, gain_db, q = bands[band]
        fitted_db = max(abs(gain_db), SMALLEST_FIT_DB)
        _solve(freq_hz / fs, fitted_db, q, shape != PEAK, highest, numbers)
        _finish(int(shape), gain_db, fitted_db, numbers, sections[band])


@jit_short
def write_response(sections: Floats, omega: Floats, response_db: Floats) -> None:
    """Write the response of sections ``(n, 5)`` in dB, as `semeq.engine.design.response_db` has it.

    Parameters
    ----------
    sections : Floats
        Rows ``g, k, m0, m1, m2``, shape ``(n, 5)``.
    omega : Floats
        Where: ``tan(π f / fs)``, or f where g is in Hz, shape ``(m,)``.
    response_db : Floats
        Where it is put, shape ``(m,)``.
    """
    for i in range(len(omega)):
        ratio = 1.0  # of all sections: one logarithm does
        for n in range(len(sections)):
            k, m1 = sections[n, 1], sections[n, 3]
            w = omega[i] / sections[n, 0]
            low = 1.0 - w * w
            above = (sections[n, 2] * low + sections[n, 4]) ** 2
            above += ((sections[n, 2] * k + m1) * w) ** 2
            ratio *= above / (low * low + (k * w) ** 2)
        response_db[i] = 10.0 * math.log10(ratio)
