"""The hold on one piece of music, compiled: a knob waits for it, and the interpreter does not.

They say the same as the arrays of `semeq.engine.hold.Hold`, up to rounding, in a fraction of the time, and
the same on any processor: no BLAS is asked. Imported only where the compiler is loaded anyway.
"""

import math

import numpy as np

from semeq.engine.jit import jit_short
from semeq.engine.units import Floats

_LN10 = math.log(10.0)


@jit_short
def contrast_db(
    power: Floats, move_db: Floats, weights: Floats, inside: Floats, outside: Floats
) -> float:
    """Return by how much the bands stand out in music under a move.

    Parameters
    ----------
    power, move_db : Floats
        The music's power and what is done to it, shape ``(n,)``.
    weights : Floats
        Of the words, shape ``(k,)``.
    inside, outside : Floats
        Shares of each grid point that lie in the words' bands and out of them, shape ``(k, n)``.
    """
    moved = np.empty(len(power))
    for i in range(len(power)):
        moved[i] = power[i] * math.exp(move_db[i] * (_LN10 / 10.0))
    total = 0.0
    for k in range(len(weights)):
        of_band = of_rest = 0.0
        for i in range(len(power)):
            of_band += moved[i] * inside[k, i]
            of_rest += moved[i] * outside[k, i]
        total += weights[k] * (10.0 / _LN10) * math.log(of_band / of_rest)
    return total


@jit_short
def enough_step_db(
    needed_db: float,
    power: Floats,
    move_db: Floats,
    step_db: Floats,
    weights: Floats,
    inside: Floats,
    outside: Floats,
    highest_db: float,
    halvings: int,
) -> float:
    """Return how much of the step a move needs to make the bands stand out by `needed_db`, in dB.

    Parameters
    ----------
    needed_db : float
        What `contrast_db` must be at least.
    step_db : Floats
        What may be added, shape ``(n,)``.
    highest_db : float
        No more of it is looked for, by so many halvings.

    Others as for `contrast_db`.
    """
    low, high = 0.0, highest_db
    for _ in range(halvings):
        middle = 0.5 * (low + high)
        if contrast_db(power, move_db + middle * step_db, weights, inside, outside) >= needed_db:
            high = middle
        else:
            low = middle
    return high
