"""Judges of a sound: measures from the literature that share nothing with any encoder.

Band-energy ratio
-----------------
The share of a band in the whole power, in dB: ``10 lg(E_band / E_20 Hz..22.05 kHz)``. The bands are those of
SonicMaster [1]_, whose recipe `semeq.training.degrade` follows; *deep* shares the band of *boomy*,
*tinny* is 2–6 kHz, where thin loudspeakers ring. A word is *right* when its share moved in its
direction (down for *dark*) by more than `HIT_DB`. A clip with less than `LOWEST_SHARE` in the band is
not judged for that word: lossy coding left nothing there to move.

Spectral tilt
-------------
The slope of the spectrum in dB an octave: least squares of the narrow bands' density (dB a hertz plus 3 dB
an octave, so that pink noise is 0) over log-frequency, 50 Hz to 12.5 kHz. The tilt of an output
is the tilt of the input plus the tilt of the curve, exactly.

Spectral centroid
-----------------
The power-weighted mean of log-frequency, in octaves above 1 kHz.

Timbral models
--------------
See `semeq.training.timbral`; people's curves: `semeq.training.people`.

References
----------
.. [1] J. Melechovsky, A. Mehrish, D. Herremans, "SonicMaster: Towards controllable all-in-one music
       restoration and mastering", 2025 (appendix A.4, A.5).
"""

from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from semeq.engine.units import Floats, read_only
from semeq.training.spectra import BAND_EDGES_HZ, FREQS_HZ, JUDGE_EDGES_HZ

TOP_HZ = JUDGE_EDGES_HZ[-1]
#: What counts as a move (dB of band-energy ratio).
HIT_DB = 0.01
#: A share of the whole power below which a band is empty.
LOWEST_SHARE = 1e-7
TILT_RANGE_HZ = (50.0, 12_500.0)
#: Edges of the nine-band profile in Hz (SonicMaster's X-band).
PROFILE_HZ = (20.0, 60.0, 250.0, 500.0, 2000.0, 4000.0, 6000.0, 10_000.0, 16_000.0, 20_000.0)
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True)
class BandJudge:
    """The share of one band: ``sign`` +1 when the word wants more of it, -1 when less."""

    word: str
    low_hz: float
    high_hz: float
    sign: int = 1

    @property
    def bands(self) -> slice:
        """The narrow bands that make the band."""
        low, high = np.searchsorted(BAND_EDGES_HZ, (self.low_hz - 1e-6, self.high_hz - 1e-6))
        return slice(int(low), int(high))

    def share(self, power: Floats) -> Floats:
        """Return ``E_band / E_total`` of band powers ``(..., m)``, in [0, 1]."""
        share: Floats = power[..., self.bands].sum(axis=-1) / power.sum(axis=-1)
        return share

    def score_db(self, power: Floats) -> Floats:
        """Return how much a sound is as the word says, in dB, any sign of the word included."""
        score: Floats = self.sign * 10.0 * np.log10(np.maximum(self.share(power), _FLOOR))
        return score

    def can_judge(self, power: Floats) -> Floats:
        """Return for each sound whether the band holds enough to be judged (as 0 or 1)."""
        return (self.share(power) >= LOWEST_SHARE).astype(np.float64)


#: The words that have a judge, fixed before any model was trained.
BAND_JUDGES = MappingProxyType(
    {
        judge.word: judge
        for judge in (
            BandJudge("warm", 20.0, 400.0),
            BandJudge("bright", 6000.0, TOP_HZ),
            BandJudge("airy", 10_000.0, TOP_HZ),
            BandJudge("boomy", 20.0, 150.0),
            BandJudge("muddy", 200.0, 500.0),
            BandJudge("tinny", 2000.0, 6000.0),
            BandJudge("dark", 6000.0, TOP_HZ, -1),
            BandJudge("deep", 20.0, 150.0),
        )
    }
)

_beyond = (TILT_RANGE_HZ[0] > FREQS_HZ) | (TILT_RANGE_HZ[1] < FREQS_HZ)
_in_range = ~_beyond
_octaves = np.where(_in_range, np.log2(FREQS_HZ / 1000.0), 0.0)
# Narrow bands are unequal where a judge's edge cuts one: each weighs by its width in octaves.
_width = np.where(_in_range, np.diff(np.log2(BAND_EDGES_HZ)), 0.0)
_centred = np.where(_in_range, _octaves - (_octaves * _width).sum() / _width.sum(), 0.0)
#: The tilt of a curve in dB at `FREQS_HZ` is its product with this, in dB an octave.
TILT_WEIGHTS: Floats = read_only(_centred * _width / (_centred**2 * _width).sum())


def tilt_of_curve(curves_db: Floats) -> Floats:
    """Return the tilt in dB an octave of curves ``(..., m)`` at `FREQS_HZ`."""
    tilt: Floats = curves_db @ TILT_WEIGHTS
    return tilt


def spectral_tilt(power: Floats) -> Floats:
    """Return the tilt in dB an octave of band powers ``(..., m)``; pink noise is 0."""
    share = power / power.sum(axis=-1, keepdims=True)
    density = share / np.diff(np.log2(BAND_EDGES_HZ))
    return tilt_of_curve(10.0 * np.log10(np.maximum(density, _FLOOR)))


def spectral_centroid(power: Floats) -> Floats:
    """Return the power-weighted mean of log-frequency in octaves above 1 kHz."""
    centroid: Floats = (power @ np.log2(FREQS_HZ / 1000.0)) / power.sum(axis=-1)
    return centroid


def profile(power: Floats) -> Floats:
    """Return the shares of the nine bands between `PROFILE_HZ`, shape ``(..., 9)``."""
    judges = (BandJudge("", low, high) for low, high in pairwise(PROFILE_HZ))
    return np.stack([judge.share(power) for judge in judges], axis=-1)


def with_curves(power: Floats, curves_db: Floats) -> Floats:
    """Return band powers after curves in dB at `FREQS_HZ`; both ``(..., m)``."""
    after: Floats = power * 10.0 ** (curves_db / 10.0)
    return after
