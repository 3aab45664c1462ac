"""The bands that another program has to run to sound as semeq does: cookbook biquads at its own rate.

Equalizer APO, EasyEffects, CamillaDSP, PipeWire and their like run the audio-EQ cookbook's filters [1]_.
Where the response that semeq applies is not one of seven such filters (the bilinear transform cramps them
near the top), bands are fitted to it: the same seven moved a little and, where these do not reach, up to
three more. What remains is measured on the numbers as they are written, rounding included.

References
----------
.. [1] R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from semeq.engine.design import response_db
from semeq.engine.errors import SettingsError
from semeq.engine.exports_fit import cookbook_db, fitted, with_helper
from semeq.engine.settings import Band, EQSettings, Kind
from semeq.engine.units import Floats

#: The response is held to `PROMISED_DB` from 20 Hz to here, and measured up to `TOP_HZ`.
CHECKED_HZ, TOP_HZ = 16_000.0, 20_000.0
PROMISED_DB = 0.1
#: Both end earlier at low rates: as a share of fs.
CHECKED_OF_FS, TOP_OF_FS = 0.45, 0.475
#: No band is written above these: EasyEffects stops at 24 kHz, and nothing is defined above fs/2.
HIGHEST_HZ, HIGHEST_OF_FS = 24_000.0, 0.49
#: Bands that come as near as this are written as they are, and a fit as near as that is good enough.
KEPT_DB, GOOD_DB = 0.02, 0.05
MOST_HELPERS = 3
#: How much a miss above the promise counts beside one below it.
TOP_WEIGHT = 0.25
RATE_RANGE_HZ = (8000.0, 384_000.0)

_FIT_POINTS, _CHECK_POINTS, _TELL_POINTS, _PEAK_POINTS = 240, 1200, 8192, 8192
#: A response in dB as a function of frequencies in Hz.
Target = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Decimals:
    """How many decimals a format is written with."""

    freq: int = 2
    gain: int = 3
    q: int = 4


@dataclass(frozen=True, slots=True)
class Demands:
    """What a format asks of the bands.

    Parameters
    ----------
    decimals : Decimals
        How the numbers are written.
    shelf_q : float, optional
        The only q that shelves may have; any if not given.
    """

    decimals: Decimals = Decimals()
    shelf_q: float | None = None


ANY = Demands()


@dataclass(frozen=True, slots=True)
class Portable:
    """Cookbook bands for another program, as they are written.

    Parameters
    ----------
    bands : tuple of Band
        Rounded; seven or more, all below fs/2.
    fs : float
        The sample rate they are right at, in Hz.
    peak_db : float
        The largest value of their response over all frequencies.
    error_db : float
        Largest distance from the response that semeq applies, 20 Hz to `checked_hz`.
    top_error_db : float
        The same up to `top_hz`.
    is_fitted : bool
        Whether the bands differ from semeq's own.
    """

    bands: tuple[Band, ...]
    fs: float
    peak_db: float
    error_db: float
    top_error_db: float
    is_fitted: bool

    @property
    def preamp_db(self) -> float:
        """The gain that keeps a full-scale tone of any frequency from clipping: never above 0."""
        return preamp_for(self.peak_db)

    @property
    def checked_hz(self) -> float:
        """Where the promise ends."""
        return checked_hz(self.fs)

    @property
    def top_hz(self) -> float:
        """Where the measurement ends."""
        return top_hz(self.fs)


def preamp_for(peak_db: float) -> float:
    """Return the gain in dB that takes a peak to 0 dB or below, in steps of 0.01 dB.

    >>> preamp_for(3.001), preamp_for(-1.0)
    (-3.01, 0.0)
    """
    # a little is taken off first: 3.0 is not to become 3.01 by rounding
    return 0.0 - max(0.0, math.ceil(peak_db * 100.0 - 1e-6) / 100.0)


def checked_hz(fs: float) -> float:
    """Return up to where an export is held to `PROMISED_DB`."""
    return min(CHECKED_HZ, CHECKED_OF_FS * fs)


def top_hz(fs: float) -> float:
    """Return up to where an export is measured."""
    return min(TOP_HZ, TOP_OF_FS * fs)


def peak_db(bands: tuple[Band, ...], fs: float) -> float:
    """Return the largest response of cookbook bands over all frequencies up to fs/2."""
    freqs = np.concatenate(
        (np.geomspace(1.0, 0.4999 * fs, _PEAK_POINTS), [band.freq_hz for band in bands])
    )
    return float(cookbook_db(bands, fs, freqs).max())


def portable(settings: EQSettings, fs: float, demands: Demands = ANY) -> Portable:
    """Return the cookbook bands that sound as `settings` do at `fs`.

    Parameters
    ----------
    settings : EQSettings
        What semeq applies, with its own design of filters.
    fs : float
        The other program's sample rate in Hz.
    demands : Demands
        What the format asks for.

    Raises
    ------
    SettingsError
        If the rate is out of range.
    """
    check_rate(fs)
    return portable_to(lambda freqs: response_db(settings, fs, freqs), settings, fs, demands)


def check_rate(fs: float) -> float:
    """Return a sample rate that can be exported for, or refuse it."""
    low, high = RATE_RANGE_HZ
    if not (math.isfinite(fs) and low <= fs <= high):
        raise SettingsError(f"fs must be in [{low:g}, {high:g}] Hz, got {fs:g}")
    return fs


def portable_to(
    target: Target, settings: EQSettings, fs: float, demands: Demands = ANY
) -> Portable:
    """Return cookbook bands near `settings` that follow `target`, a response in dB of frequencies."""
    best = _search(target, settings, fs, demands)
    # a narrow band near the top of the range slips between the points that are enough to search by
    return _measure(target, fs, _TELL_POINTS)(best.bands, best.is_fitted)


def _measure(
    target: Target, fs: float, points: int
) -> Callable[[tuple[Band, ...], bool], Portable]:
    """Return what tells how far bands are from a target, at so many frequencies."""
    grid = np.geomspace(20.0, top_hz(fs), points)
    wanted = target(grid)

    def measured(bands: tuple[Band, ...], is_fitted: bool) -> Portable:
        miss = np.abs(cookbook_db(bands, fs, grid) - wanted)
        return Portable(
            bands,
            fs,
            peak_db(bands, fs),
            float(miss[grid <= checked_hz(fs)].max()),
            float(miss.max()),
            is_fitted,
        )

    return measured


def _search(target: Target, settings: EQSettings, fs: float, demands: Demands) -> Portable:
    decimals = demands.decimals
    measured = _measure(target, fs, _CHECK_POINTS)
    given = tuple(_allowed(band, fs, demands) for band in settings.bands)
    own = tuple(_rounded(band, decimals) for band in given)
    best = measured(own, False)
    if best.error_db <= KEPT_DB:
        return best if given == settings.bands else replace(best, is_fitted=True)
    at = np.geomspace(20.0, top_hz(fs), _FIT_POINTS)
    curve = target(at)
    # what lies above the promise may be missed a little sooner
    weight = np.where(at <= checked_hz(fs), 1.0, TOP_WEIGHT)
    search = partial(
        fitted,
        curve_db=curve,
        freqs_hz=at,
        fs=fs,
        weight=weight,
        highest_hz=highest_hz(fs),
        hold_shelf_q=demands.shelf_q is not None,
    )
    bands = given
    for helpers in range(MOST_HELPERS + 1):
        if helpers:
            bands = with_helper(bands, curve, at, fs)
        bands = search(bands)
        # A format of few decimals moves the frequencies: gain and q then make up for it.
        rough = tuple(_rounded(band, decimals) for band in bands)
        held = search(rough, hold_freqs=True)
        for found in (rough, tuple(_rounded(band, decimals) for band in held)):
            one = measured(found, True)
            if (one.error_db, one.top_error_db) < (best.error_db, best.top_error_db):
                best = one
        if best.error_db <= GOOD_DB:
            break
    return best


def highest_hz(fs: float) -> float:
    """Return the highest frequency that a band is written with."""
    return min(HIGHEST_HZ, HIGHEST_OF_FS * fs)


def _allowed(band: Band, fs: float, demands: Demands) -> Band:
    q = band.q if demands.shelf_q is None or band.kind is Kind.PEAK else demands.shelf_q
    return replace(band, freq_hz=min(band.freq_hz, highest_hz(fs)), q=q)


def _rounded(band: Band, decimals: Decimals) -> Band:
    return replace(
        band,
        freq_hz=round(band.freq_hz, decimals.freq),
        gain_db=round(band.gain_db, decimals.gain) + 0.0,
        q=round(band.q, decimals.q),
    )
