"""Curves to put on music, so that an encoder can learn to find them: what people do, and worse.

A curve is the sum of up to three kinds, each in a share of the draws:

- *human* (four in ten): one person's curve of SAFE-DB or SocialEQ, weaker or stronger than it was;
- *tilt* (three in ten): a straight line over log-frequency;
- *bands* (four in ten): random shelves and peaks, up to ±20 dB, such as restoration benchmarks degrade with.

One draw in ten is flat. The kinds overlap, and the strengths are wide on purpose: an encoder that is asked
"how much of this was put on?" answers with the mean over all that is likely, so weak training curves
make a timid encoder. Level is removed.
"""

import numpy as np
from numpy.random import Generator

from semeq.engine.responses import responses_db
from semeq.engine.settings import LAYOUT, SHELF_Q
from semeq.engine.units import Floats
from semeq.training.human import without_level
from semeq.training.words import GRID_HZ

#: Strength of a person's curve against what it was.
HUMAN_SCALE = (0.3, 3.2)
#: Standard deviation of tilts (dB an octave) and of band gains (dB).
TILT_DB_OCTAVE, BAND_DB = 1.5, 14.0
BAND_LIMIT_DB = 20.0
_FS = 44_100.0


class PutOn:
    """Draws curves.

    Parameters
    ----------
    human : Floats
        People's curves in dB, shape ``(rows, 61)``.
    strength : float
        Factor on everything, > 0.
    """

    def __init__(self, human: Floats, *, strength: float = 1.0) -> None:
        self._human = np.asarray(human, dtype=np.float64)
        self._strength = strength

    def draw(self, rng: Generator, count: int) -> Floats:
        """Return `count` curves in dB, shape ``(count, 61)``, level removed."""
        kind = rng.integers(0, 10, size=count)
        rows = rng.integers(len(self._human), size=count)
        human = self._human[rows] * rng.uniform(*HUMAN_SCALE, size=(count, 1))
        slope = rng.normal(0.0, TILT_DB_OCTAVE, size=(count, 1))
        tilt = slope * np.log2(GRID_HZ / 1000.0)
        bands = _bands(rng, count)
        curves = (
            np.where((kind < 4)[:, None], human, 0.0)
            + np.where(((kind >= 3) & (kind < 6))[:, None], tilt, 0.0)
            + np.where(((kind >= 5) & (kind < 9))[:, None], bands, 0.0)
        )
        return without_level(self._strength * curves)


def _bands(rng: Generator, count: int) -> Floats:
    """Return responses of random bands: on the average two of seven do something."""
    chance = np.full(len(LAYOUT), 0.3)
    chance[[0, -1]] = 0.45
    parameters = np.empty((count, len(LAYOUT), 3))
    gains = rng.normal(0.0, BAND_DB, size=(count, len(LAYOUT)))
    active = rng.random((count, len(LAYOUT))) < chance
    parameters[:, :, 0] = np.where(active, np.clip(gains, -BAND_LIMIT_DB, BAND_LIMIT_DB), 0.0)
    parameters[:, :, 1] = np.log(10.0) * rng.uniform(1.7, 4.15, size=(count, len(LAYOUT)))
    parameters[:, 0, 1] = np.log(10.0) * rng.uniform(1.9, 3.0, size=count)
    parameters[:, -1, 1] = np.log(10.0) * rng.uniform(3.3, 4.1, size=count)
    parameters[:, :, 2] = np.log(rng.uniform(0.5, 2.0, size=(count, len(LAYOUT))))
    parameters[:, [0, -1], 2] = np.log(SHELF_Q)
    return responses_db(parameters, np.minimum(GRID_HZ, 0.45 * _FS), _FS)[0]
