"""Seven bands for what another program's equaliser does: from several starts, the best one kept."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from semeq.engine.design import response_db
from semeq.engine.errors import DataError
from semeq.engine.exports_fit import cookbook_db
from semeq.engine.fit import FIT_FREQ_RANGES_HZ, FIT_FS, fit_bands
from semeq.engine.imports import Read
from semeq.engine.settings import (
    DEFAULT_GAIN_LIMIT_DB,
    LAYOUT,
    REST_FREQS_HZ,
    SHELF_Q,
    Band,
    EQSettings,
    Kind,
)
from semeq.engine.units import Floats, read_only

POINTS = 240
#: Each call of the fit is held near its start: repeating it lets the bands find their places.
CALLS, STEPS = 14, 8
#: Centre frequencies (Hz) and peak q of the starts.
STARTS = (
    ((150.0, 300.0, 700.0, 1400.0, 2800.0, 5600.0, 11_000.0), 1.0),
    ((80.0, 110.0, 300.0, 800.0, 2200.0, 6000.0, 10_000.0), 1.0),
    ((60.0, 200.0, 500.0, 1200.0, 3000.0, 8000.0, 13_000.0), 2.0),
)
READ_OFF_Q = 2.0
#: A fit that is as near as this (dB rms) is not tried to better.
GOOD_DB = 0.01


@dataclass(frozen=True, slots=True)
class Imported:
    """Seven bands, what they are to do, and how far they are from it.

    Parameters
    ----------
    settings : EQSettings
        The bands.
    freqs_hz, wanted_db : Floats
        What was asked for, 20 Hz to 20 kHz, or as far as it reaches.
    rms_db, largest_db : float
        How far the bands' response is from it.
    level_db : float
        The level that was taken off a curve: seven bands cannot move everything.
    """

    settings: EQSettings
    freqs_hz: Floats
    wanted_db: Floats
    rms_db: float
    largest_db: float
    level_db: float


def seven_bands(read: Read, fs: float = FIT_FS, *, as_word: bool = False) -> Imported:
    """Return the seven bands that do what was read, at `fs`.

    Parameters
    ----------
    read : Read
        Filters or a curve.
    fs : float
        Sample rate in Hz.
    as_word : bool
        Whether the bands have to stay where recipes let bands be (`semeq.engine.fit.bounds`); else seven
        filters that fit our layout are taken as they are.

    Raises
    ------
    DataError
        If a curve does not reach into what can be heard.
    """
    freqs, wanted, level = _wanted(read, fs)
    best, best_rms = EQSettings.flat(), np.inf
    for start in _starts(read, freqs, wanted):
        settings = start
        for _ in range(CALLS):
            settings = fit_bands(wanted, freqs, start=settings, iterations=STEPS)
        for one in (settings,) if as_word else (start, settings):
            rms = _rms(response_db(one, fs, freqs) - wanted)
            if rms < best_rms:
                best, best_rms = one, rms
        if best_rms <= GOOD_DB:
            break
    miss = np.abs(response_db(best, fs, freqs) - wanted)
    return Imported(best, freqs, wanted, _rms(miss), float(miss.max()), level)


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _wanted(read: Read, fs: float) -> tuple[Floats, Floats, float]:
    top = min(20_000.0, 0.475 * fs)
    if read.bands:
        freqs = np.geomspace(20.0, top, POINTS)
        return read_only(freqs), read_only(cookbook_db(read.bands, fs, freqs)), 0.0
    low, high = max(20.0, float(read.freqs_hz[0])), min(top, float(read.freqs_hz[-1]))
    if not high >= 2.0 * low:
        raise DataError(
            f"a curve must span an octave between 20 Hz and {top:g} Hz, got "
            f"{read.freqs_hz[0]:g} to {read.freqs_hz[-1]:g} Hz"
        )
    freqs = np.geomspace(low, high, POINTS)
    curve = np.interp(np.log(freqs), np.log(read.freqs_hz), read.curve_db)
    # A curve's level says how loud, not how it sounds.
    level = float(curve.mean())
    return read_only(freqs), read_only(curve - level), level


def _starts(read: Read, freqs: Floats, wanted: Floats) -> list[EQSettings]:
    starts = [_embedded(read.bands)] if read.bands else []
    for centres, q in STARTS:
        gains = 0.5 * np.interp(np.log(centres), np.log(freqs), wanted)
        limit = DEFAULT_GAIN_LIMIT_DB
        starts.append(
            EQSettings(
                tuple(
                    Band(
                        kind,
                        f,
                        float(np.clip(gain, -limit, limit)),
                        q if kind is Kind.PEAK else SHELF_Q,
                    )
                    for kind, f, gain in zip(LAYOUT, centres, gains, strict=True)
                )
            )
        )
    starts.append(_read_off(freqs, wanted))
    return [one for one in starts if one is not None]


def _read_off(freqs: Floats, wanted: Floats) -> EQSettings:
    """Place the shelves at the ends, and each peak where most is left to do."""
    limit, tenth = DEFAULT_GAIN_LIMIT_DB, max(1, len(freqs) // 10)
    ends = [
        float(np.clip(part.mean(), -limit, limit)) for part in (wanted[:tenth], wanted[-tenth:])
    ]
    shelves = (Band(Kind.LOW_SHELF, 100.0, ends[0]), Band(Kind.HIGH_SHELF, 9000.0, ends[1]))
    left = wanted - cookbook_db(shelves, FIT_FS, freqs)
    peaks: list[Band] = []
    for _ in range(len(LAYOUT) - 2):
        worst = int(np.argmax(np.abs(left)))
        peak = Band(
            Kind.PEAK, float(freqs[worst]), float(np.clip(left[worst], -limit, limit)), READ_OFF_Q
        )
        peaks.append(peak)
        left = left - cookbook_db((peak,), FIT_FS, freqs)
    return EQSettings((shelves[0], *sorted(peaks, key=lambda b: b.freq_hz), shelves[1]))


def _embedded(bands: tuple[Band, ...]) -> EQSettings | None:
    """Return the bands in our layout, or None where there are too many of a kind."""
    chosen = [Band(kind, f) for kind, f in zip(LAYOUT, REST_FREQS_HZ, strict=True)]
    for kind in Kind:
        own = sorted((b for b in bands if b.kind is kind), key=lambda b: b.freq_hz)
        places = [k for k, place in enumerate(LAYOUT) if place is kind]
        if len(own) > len(places):
            return None
        ways = combinations(places, len(own))
        best = min((_strain(own, way), way) for way in ways)[1]
        for k, band in zip(best, own, strict=True):
            chosen[k] = band
    return EQSettings(tuple(chosen))


def _strain(bands: list[Band], places: tuple[int, ...]) -> float:
    """Return how far bands would sit from where their places may be, and then from their rest."""
    strain = 0.0
    for band, k in zip(bands, places, strict=True):
        low, high = FIT_FREQ_RANGES_HZ[k]
        outside = max(low / band.freq_hz, band.freq_hz / high, 1.0)
        strain += 100.0 * math.log(outside) + abs(math.log(band.freq_hz / REST_FREQS_HZ[k]))
    return strain
