"""A held move on one piece of music, and its bands: the compiled way, which a turned knob waits for.

Numba makes code for each type of array, and a read-only one is another type: hence the copies.
"""

import numpy as np

from semeq.engine.bands_kernel import write_held_bands
from semeq.engine.fit import bounds, costs_of
from semeq.engine.hold import HALVINGS, STEP_LIMIT_DB, Aim, Hold
from semeq.engine.hold_kernel import write_held_move
from semeq.engine.settings import DEFAULT_GAIN_LIMIT_DB
from semeq.engine.units import Floats


def held_move(
    aim: Aim,
    words_db: Floats,
    in_the_way_db: Floats,
    spectrum_db: Floats,
    *,
    least_db: float,
    hold: float,
    limit_db: float,
) -> tuple[Floats, Hold]:
    """Return the curve of a move, ``(n,)``, and what holds it, as `semeq.engine.morph.make_move` does.

    Parameters
    ----------
    aim : Aim
        Where the words must show.
    words_db : Floats
        The words' own move in dB, shape ``(n,)``.
    in_the_way_db : Floats
        What of that which was heard is to be taken away, shape ``(n,)``.
    spectrum_db : Floats
        The music's long-term spectrum, shape ``(n,)``.
    least_db, hold : float
        Least effect in dB, and as a part of the words' own.
    limit_db : float
        How far a move goes.
    """
    power: Floats = np.empty(len(words_db))
    curve_db: Floats = np.empty(len(words_db))
    least_contrast_db = write_held_move(
        np.array(words_db, dtype=np.float64),
        np.array(in_the_way_db, dtype=np.float64),
        np.array(spectrum_db, dtype=np.float64),
        aim.weights,
        aim.inside,
        aim.outside,
        aim.step_db,
        least_db,
        hold,
        limit_db,
        STEP_LIMIT_DB,
        HALVINGS,
        power,
        curve_db,
    )
    return curve_db, Hold(aim, power, np.array([least_contrast_db]))


def held_bands(
    curve_db: Floats,
    hold: Hold,
    freqs_hz: Floats,
    start: Floats,
    *,
    fixed: frozenset[int],
    iterations: int,
    rounds: tuple[int, float, int],
) -> Floats:
    """Return the bands of a held move, ``(7, 3)``, as `semeq.engine.morph.bands_for` does.

    Parameters
    ----------
    curve_db : Floats
        The move, shape ``(n,)``.
    hold : Hold
        What it has to do.
    freqs_hz : Floats
        The grid, shape ``(n,)``.
    start : Floats
        The recipe's own bands, shape ``(7, 3)``.
    fixed : frozenset of int
        Bands, counted from 0, that stay where they start.
    iterations : int
        Steps of the first fit.
    rounds : tuple of (int, float, int)
        How often what the bands lack is asked for again, how much more than lacks, and the steps of each fit.
    """
    aim, (count, eager, steps) = hold.aim, rounds
    bands: Floats = np.array(start, dtype=np.float64)
    write_held_bands(
        np.array(curve_db, dtype=np.float64),
        float(hold.least_contrast_db[0]),
        hold.power,
        aim.weights,
        aim.inside,
        aim.outside,
        aim.step_db,
        np.array(freqs_hz, dtype=np.float64),
        np.array(bounds(None, DEFAULT_GAIN_LIMIT_DB)),
        costs_of(),
        np.array(sorted(fixed), dtype=np.int64),
        iterations,
        count,
        eager,
        steps,
        bands,
    )
    return bands
