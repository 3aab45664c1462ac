"""The response of seven bands and its slopes, for one set of bands, compiled: a knob waits for it.

It says the same as `semeq.engine.responses.prototypes_db`, up to rounding, in a fraction of the time. It is
used where the compiler is loaded anyway, since loading it takes longer than a fit does.
"""

import math
import sys
from collections.abc import Callable
from functools import lru_cache

from semeq.engine.units import Floats

_C = 10.0 / math.log(10.0)
_BANDS = 7

Response = Callable[[Floats, Floats, Floats, Floats], None]


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
        Where they are put, shapes ``(n,)`` and ``(21, n)``.
    """
    for i in range(len(freqs_hz)):
        total = 0.0
        for band in range(_BANDS):
            gain, ln_f, ln_q = parameters[band, 0], parameters[band, 1], parameters[band, 2]
            y = freqs_hz[i] * math.exp(-ln_f)
            y2 = y * y
            u = y2 * math.exp(-2.0 * ln_q)
            if 0 < band < _BANDS - 1:
                a2 = math.exp(gain * (math.log(10.0) / 20.0))
                low = 1.0 - y2
                n = low * low + a2 * u
                d = low * low + u / a2
                top, bottom, turn = a2 * u / n, u / a2 / d, 4.0 * low * y2
                total += _C * (math.log(n) - math.log(d))
                by_gain = 0.5 * (top + bottom)
                by_freq = _C * (turn / n - turn / d - 2.0 * (top - bottom))
                by_q = -2.0 * _C * (top - bottom)
            else:
                sign = 1.0 if band == 0 else -1.0
                a = math.exp(gain * (math.log(10.0) / 40.0))
                au = a * u
                above, below = a - y2, 1.0 - a * y2
                n = above * above + au
                d = below * below + au
                total += 0.5 * gain + sign * _C * (math.log(n) - math.log(d))
                by_gain = 0.5 + sign * 0.25 * (
                    (2.0 * a * above + au) / n - (au - 2.0 * a * y2 * below) / d
                )
                by_freq = (
                    sign
                    * _C
                    * ((4.0 * y2 * above - 2.0 * au) / n - (4.0 * a * y2 * below - 2.0 * au) / d)
                )
                by_q = sign * -2.0 * _C * (au / n - au / d)
            slopes[3 * band, i] = by_gain
            slopes[3 * band + 1, i] = by_freq
            slopes[3 * band + 2, i] = by_q
        response_db[i] = total


@lru_cache(maxsize=1)
def _compiled() -> Response:
    from semeq.engine.jit import jit

    return jit(write_response)


def compiled_response() -> Response | None:
    """Return the compiled loop, or None where the compiler is not loaded."""
    return _compiled() if "semeq.engine.jit" in sys.modules else None
