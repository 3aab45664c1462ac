"""A held move on one piece of music, compiled: a knob waits for it, and the interpreter does not.

It says the same as the arrays of `semeq.engine.morph.make_move`, up to rounding, in a fraction of the time,
and the same on any processor: no BLAS is asked. Imported only where the compiler is loaded anyway.
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


@jit_short
def write_held_move(
    words_db: Floats,
    in_the_way_db: Floats,
    spectrum_db: Floats,
    weights: Floats,
    inside: Floats,
    outside: Floats,
    step_db: Floats,
    least_db: float,
    hold: float,
    move_limit_db: float,
    highest_db: float,
    halvings: int,
    power: Floats,
    curve_db: Floats,
) -> float:
    """Write the move of words on one piece of music, and the music's power.

    Parameters
    ----------
    words_db : Floats
        The words' own move, shape ``(n,)``.
    in_the_way_db : Floats
        What of that which was heard is to be taken away, shape ``(n,)``.
    spectrum_db : Floats
        The music's long-term spectrum (dB, pink noise flat), shape ``(n,)``.
    least_db, hold : float
        Least effect in dB, and as a part of the words' own.
    move_limit_db : float
        How far a move goes at any frequency.
    power, curve_db : Floats
        Where they are put, shape ``(n,)``.

    Others as for `enough_step_db`.

    Returns
    -------
    float
        How much the words' bands have to stand out after a move, in dB.
    """
    n = len(words_db)
    top = spectrum_db.max()
    for i in range(n):
        power[i] = math.exp((spectrum_db[i] - top) * (_LN10 / 10.0))
    rest_db = contrast_db(power, np.zeros(n), weights, inside, outside)
    # First the words' own move: on this music it may not show where it should.
    words_db = _held(
        words_db,
        rest_db + least_db,
        power,
        weights,
        inside,
        outside,
        step_db,
        highest_db,
        halvings,
    )
    effect_db = contrast_db(power, words_db, weights, inside, outside) - rest_db
    needed_db = rest_db + max(hold * effect_db, least_db)

    along = whole = 0.0
    for i in range(n):
        curve_db[i] = words_db[i] - in_the_way_db[i]
        along += curve_db[i] * words_db[i]
        whole += words_db[i] * words_db[i]
    back = max(-along / whole, 0.0)
    for i in range(n):
        curve_db[i] += back * words_db[i]
    mean = curve_db.sum() / n
    for i in range(n):
        curve_db[i] = min(max(curve_db[i] - mean, -move_limit_db), move_limit_db)
    furthest = 0.0
    for turn in range(2):
        held = _held(
            curve_db, needed_db, power, weights, inside, outside, step_db, highest_db, halvings
        )
        mean = held.sum() / n
        for i in range(n):
            curve_db[i] = held[i] - mean
            furthest = max(furthest, abs(curve_db[i]))
        if turn == 0 and furthest > move_limit_db:
            # As a whole, so that it keeps its shape; and the hold comes before the limit.
            for i in range(n):
                curve_db[i] *= move_limit_db / furthest
    return needed_db


@jit_short
def _held(
    move_db: Floats,
    needed_db: float,
    power: Floats,
    weights: Floats,
    inside: Floats,
    outside: Floats,
    step_db: Floats,
    highest_db: float,
    halvings: int,
) -> Floats:
    """Return a move with as much of the step as it needs."""
    if contrast_db(power, move_db, weights, inside, outside) >= needed_db:
        return move_db
    enough_db = enough_step_db(
        needed_db, power, move_db, step_db, weights, inside, outside, highest_db, halvings
    )
    return move_db + enough_db * step_db
