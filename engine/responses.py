"""Magnitude responses of seven bands and their slopes, in closed form, for many settings at once.

Conventions
-----------
Parameters are arrays of shape ``(..., 7, 3)``: gain in dB, ln(frequency in Hz), ln(q), bands in the order of
`semeq.engine.settings.LAYOUT`. The forms are those of the cookbook filters [1]_ in ``y = f / fc`` for the
analogue prototypes, and in ``y = tan(π f / fs) / tan(π fc / fs)`` for the bilinear filters of a rate: those
of `semeq.engine.design.rbj`, of dasp-pytorch and of the people whose settings were collected.

References
----------
.. [1] R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
"""

import math

import numpy as np

from semeq.engine.design import MAX_FREQ_OF_FS
from semeq.engine.settings import LAYOUT
from semeq.engine.units import Floats

_C = 10.0 / math.log(10.0)


def prototypes_db(parameters: Floats, freqs_hz: Floats) -> tuple[Floats, Floats]:
    """Return the summed response of the analogue prototypes and its slopes.

    Parameters
    ----------
    parameters : Floats
        Shape ``(..., 7, 3)``.
    freqs_hz : Floats
        Shape ``(n,)``.

    Returns
    -------
    tuple of Floats
        Response in dB, shape ``(..., n)``; slopes, shape ``(..., 21, n)``, ordered as the parameters.
    """
    return _responses(parameters, (freqs_hz * np.exp(-parameters[..., 1, None])) ** 2)


def responses_db(parameters: Floats, freqs_hz: Floats, fs: float) -> tuple[Floats, Floats]:
    """Return the same for the bilinear filters at sample rate `fs` in Hz; `freqs_hz` below fs/2."""
    centre = np.minimum(np.exp(parameters[..., 1, None]), MAX_FREQ_OF_FS * fs)
    t = np.tan(np.pi * centre / fs)
    total, slopes = _responses(parameters, (np.tan(np.pi * freqs_hz / fs) / t) ** 2)
    # d ln t / d ln fc, which is 1 far below Nyquist and grows towards it.
    slopes[..., 1::3, :] *= (np.pi * centre / fs) * (1.0 + t * t) / t
    return total, slopes


def _responses(parameters: Floats, y2: Floats) -> tuple[Floats, Floats]:
    """Return response and slopes at ``y2 = (f / fc)²``, shape ``(..., 7, n)``."""
    gain, ln_q = parameters[..., 0, None], parameters[..., 2, None]
    u = y2 * np.exp(-2.0 * ln_q)
    slopes = np.empty((*y2.shape[:-2], len(LAYOUT), 3, y2.shape[-1]))

    peaks = slice(1, -1)
    yp, up = y2[..., peaks, :], u[..., peaks, :]
    a2 = np.exp(gain[..., peaks, :] * (math.log(10.0) / 20.0))
    low = 1.0 - yp
    top, bottom = a2 * up, up / a2
    n = low * low + top
    d = low * low + bottom
    top, bottom, turn = top / n, bottom / d, 4.0 * low * yp
    peak_db = _C * (np.log(n) - np.log(d))
    slopes[..., peaks, 0, :] = 0.5 * (top + bottom)
    slopes[..., peaks, 1, :] = _C * (turn / n - turn / d - 2.0 * (top - bottom))
    slopes[..., peaks, 2, :] = -2.0 * _C * (top - bottom)

    ends = slice(None, None, len(LAYOUT) - 1)
    sign = np.array([[1.0], [-1.0]])
    ye, shelf_gain = y2[..., ends, :], gain[..., ends, :]
    a = np.exp(shelf_gain * (math.log(10.0) / 40.0))
    au = a * u[..., ends, :]
    above, below = a - ye, 1.0 - a * ye
    n = above * above + au
    d = below * below + au
    shelf_db = 0.5 * shelf_gain + sign * _C * (np.log(n) - np.log(d))
    slopes[..., ends, 0, :] = 0.5 + sign * 0.25 * (
        (2.0 * a * above + au) / n - (au - 2.0 * a * ye * below) / d
    )
    slopes[..., ends, 1, :] = (
        sign * _C * ((4.0 * ye * above - 2.0 * au) / n - (4.0 * a * ye * below - 2.0 * au) / d)
    )
    slopes[..., ends, 2, :] = sign * -2.0 * _C * (au / n - au / d)

    total = peak_db.sum(axis=-2) + shelf_db.sum(axis=-2)
    return total, slopes.reshape(*slopes.shape[:-3], 3 * len(LAYOUT), y2.shape[-1])
