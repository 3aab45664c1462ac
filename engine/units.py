"""Units and array types: decibels, and the names of the arrays that everything else uses."""

from typing import Any

import numpy as np
import numpy.typing as npt

#: Audio as the live side and the kernel hold it: shape ``(frames, channels)``.
Audio = npt.NDArray[np.float32]
#: Numbers in double precision: curves, coefficients, filter state.
Floats = npt.NDArray[np.float64]
#: Counters and positions of compiled state.
Ints = npt.NDArray[np.int64]


def db_to_gain(db: float) -> float:
    """Return the amplitude factor of a level in dB.

    >>> round(db_to_gain(6.0206), 3)
    2.0
    """
    return float(10.0 ** (db / 20.0))


def gain_to_db(gain: float, *, floor_db: float = -200.0) -> float:
    """Return an amplitude factor in dB, never below `floor_db`.

    >>> gain_to_db(0.0)
    -200.0
    """
    magnitude = abs(gain)
    if magnitude <= 10.0 ** (floor_db / 20.0):
        return floor_db
    return float(20.0 * np.log10(magnitude))


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return `array`, locked against writing: what is derived is not changed in place."""
    array.flags.writeable = False
    return array
