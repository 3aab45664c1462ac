"""The impulse response of an equaliser, for programs that convolve.

Every band is minimum-phase, so what comes out when an impulse goes in is the minimum-phase response itself;
it only has to be long enough. `missed_db` says by how much its spectrum differs from the response asked for.
"""

import math

import numpy as np

from semeq.engine.design import design_sos, response_db
from semeq.engine.errors import SettingsError
from semeq.engine.exports import PROMISED_DB, check_rate, preamp_for, top_hz
from semeq.engine.settings import EQSettings
from semeq.engine.units import Floats, db_to_gain

LENGTH_RANGE = (64, 1 << 20)
#: Lengths that are tried if none is asked for: powers of two, until this is reached.
GOOD_DB = 0.01
SHORTEST, LONGEST = 4096, 1 << 18
_POINTS = 400


def impulse(settings: EQSettings, fs: float, length: int | None = None) -> tuple[Floats, float]:
    """Return the impulse response of `settings` at `fs` with its preamp, and the preamp in dB.

    Parameters
    ----------
    settings : EQSettings
        Seven bands, filtered with semeq's own design.
    fs : float
        Sample rate in Hz.
    length : int, optional
        Frames; if not given, the shortest power of two from 4096 on that misses nothing audible.

    Raises
    ------
    SettingsError
        If the rate or the length is out of range.
    """
    from scipy.signal import sosfilt

    check_rate(fs)
    if length is not None and not LENGTH_RANGE[0] <= length <= LENGTH_RANGE[1]:
        raise SettingsError(
            f"length must be in [{LENGTH_RANGE[0]}, {LENGTH_RANGE[1]}] frames, got {length}"
        )
    freqs = np.geomspace(1.0, 0.4999 * fs, 8192)
    preamp_db = preamp_for(float(response_db(settings, fs, freqs).max()))
    start = np.zeros(length or LONGEST)
    start[0] = db_to_gain(preamp_db)
    whole: Floats = sosfilt(design_sos(settings, fs), start)
    if length is None:
        length = SHORTEST
        while length < LONGEST and missed_db(whole[:length], settings, fs, preamp_db) > GOOD_DB:
            length *= 2
    return whole[:length].copy(), preamp_db


def missed_db(response: Floats, settings: EQSettings, fs: float, preamp_db: float) -> float:
    """Return by how much the spectrum of an impulse response misses the settings, 20 Hz to the top."""
    points = 1 << max(math.ceil(math.log2(4.0 * len(response))), math.ceil(math.log2(fs)))
    spectrum = np.abs(np.fft.rfft(response, points))
    at = np.arange(len(spectrum)) * (fs / points)
    first, last = np.searchsorted(at, [20.0, top_hz(fs)])
    chosen = np.unique(np.geomspace(first, last - 1, _POINTS).astype(int))
    level = 20.0 * np.log10(np.maximum(spectrum[chosen], 1e-12)) - preamp_db
    return float(np.max(np.abs(level - response_db(settings, fs, at[chosen]))))


def is_long_enough(miss_db: float) -> bool:
    """Whether an impulse response keeps what is promised."""
    return miss_db <= PROMISED_DB
