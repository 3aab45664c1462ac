"""An independent look at a spectrum, next to what the encoder says: shares of regions, centroid, tilt.

Nothing here is learned. Levels are left out: shares are parts of the whole power, and the centroid and the
tilt do not change with a gain.
"""

import numpy as np

from semeq.engine.analysis_types import Meter
from semeq.engine.frontend import BANDS, GRID_HZ, HIGHEST_OF_FS
from semeq.engine.spectrum import REGIONS
from semeq.engine.units import Floats, read_only

#: The tilt is a straight line through the bands in this range.
TILT_RANGE_HZ = (100.0, 10_000.0)
#: Bands further below the loudest do not count for the tilt.
_TILT_FLOOR_DB = 80.0


def bands_at(fs: float) -> int:
    """Return how many of the bands exist at a sample rate."""
    return int(np.count_nonzero(HIGHEST_OF_FS * fs >= GRID_HZ))


def shares(power: Floats, fs: float) -> Floats:
    """Return the part of the power in each of `semeq.engine.spectrum.REGIONS`, shape ``(..., 7)``.

    Parameters
    ----------
    power : Floats
        Power of the bands, shape ``(..., 61)``.
    fs : float
        Sample rate in Hz: what lies above half of it is none.
    """
    exist = bands_at(fs)
    # A band on the border of two regions belongs to the upper one; 20 kHz to the last.
    borders = [region.low_hz for region in REGIONS[1:]]
    region_of = np.searchsorted(borders, GRID_HZ * 1.0001, side="right")
    member = (region_of[:, None] == np.arange(len(REGIONS))) & (np.arange(BANDS) < exist)[:, None]
    sums = power @ member.astype(np.float64)
    return np.asarray(sums / np.maximum(sums.sum(axis=-1, keepdims=True), 1e-30))


def centroid_hz(power: Floats, fs: float) -> Floats:
    """Return the frequency that has half of the weight on each side in octaves: the mean of log f."""
    exist = bands_at(fs)
    heard = power[..., :exist]
    total = np.maximum(heard.sum(axis=-1), 1e-30)
    return np.asarray(np.exp(heard @ np.log(GRID_HZ[:exist]) / total))


def tilt_db_octave(power: Floats, fs: float) -> Floats:
    """Return the slope of the spectrum in dB an octave; pink noise has 0."""
    low, high = TILT_RANGE_HZ
    inside = (np.clip(GRID_HZ, low, high) == GRID_HZ) & (np.arange(BANDS) < bands_at(fs))
    octaves = np.log2(GRID_HZ[inside])
    octaves -= octaves.mean()
    level = 10.0 * np.log10(power[..., inside] + 1e-20)
    level = np.maximum(level, level.max(axis=-1, keepdims=True) - _TILT_FLOOR_DB)
    return np.asarray(level @ octaves / (octaves @ octaves))


def meter(power: Floats, fs: float) -> Meter:
    """Return all of it for bands of shape ``(..., 61)``."""
    return Meter(
        read_only(shares(power, fs)),
        read_only(centroid_hz(power, fs)),
        read_only(tilt_db_octave(power, fs)),
    )
