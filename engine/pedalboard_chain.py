"""The same equaliser as a Pedalboard chain, for those who have one to put it into.

JUCE's filters follow the same cookbook as `semeq.engine.design.rbj`, in float32 throughout: the responses
agree until rounding shows. A band at 0 dB is left out; flat settings are an empty chain.
"""

import math

from pedalboard import HighShelfFilter, LowShelfFilter, PeakFilter, Plugin
from pedalboard._pedalboard import Pedalboard

from semeq.engine.design import MAX_FREQ_OF_FS
from semeq.engine.errors import SettingsError
from semeq.engine.settings import EQSettings, Kind

_FILTERS: dict[Kind, type[LowShelfFilter | PeakFilter | HighShelfFilter]] = {
    Kind.LOW_SHELF: LowShelfFilter,
    Kind.PEAK: PeakFilter,
    Kind.HIGH_SHELF: HighShelfFilter,
}


def to_pedalboard(settings: EQSettings, fs: float | None = None) -> Pedalboard:
    """Return the Pedalboard chain that does what `settings` do.

    Parameters
    ----------
    settings : EQSettings
        The seven bands.
    fs : float, optional
        Sample rate in Hz of the sound it will process: centres above 0.49 fs are moved there, as `design`
        does. Only needed where a band may be that high.

    Returns
    -------
    Pedalboard
        One filter for each band that does something.

    Examples
    --------
    >>> from dataclasses import replace
    >>> low, *rest = EQSettings.flat().bands
    >>> board = to_pedalboard(EQSettings((replace(low, gain_db=3.0), *rest)))
    >>> len(board), round(board[0].gain_db, 1)
    (1, 3.0)
    """
    if fs is not None and not fs > 0.0:
        raise SettingsError(f"fs must be a positive number of Hz, got {fs:g}")
    highest_hz = math.inf if fs is None else MAX_FREQ_OF_FS * fs
    plugins: list[Plugin] = [
        _FILTERS[band.kind](
            cutoff_frequency_hz=min(band.freq_hz, highest_hz),
            gain_db=band.gain_db,
            q=band.q,
        )
        for band in settings.bands
        if band.gain_db != 0.0
    ]
    return Pedalboard(plugins)
