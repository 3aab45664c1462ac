"""What is done to music before a method is asked to make up for it: pre-tilts and SonicMaster's recipe.

Both are curves in dB at `FREQS_HZ`, put on the long-term spectrum (exact, since an equaliser is linear and
time-invariant) or on the sound with zero phase.

The recipe [1]_ names a filter and a range of strength a word (`RECIPE`); strengths are drawn evenly from
the range with a given generator. Where it leaves something open, this is our reading: shelves are the
cookbook's with q 0.71; a Chebyshev-II band is of order 2 (4 poles) with 20 dB of stop-band, its
zero-phase response ``|B|²`` mixed with the input so that the middle of the band changes by the strength;
the low-pass of *clarity* is a Butterworth.

*Muddy* is undone by asking for the word with a negative amount. *Clarity* (no shelf undoes a low-pass) and
*vocals* (no one taught the word, *presence* stands in) are reported apart and count in no mean.

References
----------
.. [1] J. Melechovsky, A. Mehrish, D. Herremans, "SonicMaster: Towards controllable all-in-one music
       restoration and mastering", 2025 (appendix A.4, A.5).
"""

from dataclasses import dataclass

import numpy as np

from semeq.engine.responses import responses_db
from semeq.engine.settings import LAYOUT, SHELF_Q
from semeq.engine.units import Floats
from semeq.training.judges import TOP_HZ, BandJudge
from semeq.training.spectra import FREQS_HZ

#: Pre-tilts in dB between 100 Hz and 10 kHz.
PRE_TILTS_DB = (-9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0)
_FS = 44_100.0
_BELOW_NYQUIST = 0.499 * _FS


def tilt_curves(tilts_db: Floats | tuple[float, ...]) -> Floats:
    """Return straight lines over log-frequency, level removed, shape ``(tilts, m)``.

    A tilt of t dB rises by t from 100 Hz to 10 kHz (t / 6.64 dB an octave) and goes on to both ends.
    """
    line = np.log(FREQS_HZ / 1000.0) / np.log(100.0)
    return np.outer(np.asarray(tilts_db), line - line.mean())


@dataclass(frozen=True, slots=True)
class Degradation:
    """One line of the recipe.

    Parameters
    ----------
    name : str
        As the recipe calls it.
    asked : str
        The word that should make up for it.
    sign : int
        +1 to ask for the word, -1 for its reverse.
    kind : str
        "low_shelf", "high_shelf", "band" or "low_pass".
    freqs_hz : tuple of float
        Corner, or both edges of the band.
    range_db : tuple of float
        Weakest and strongest change in dB; for a low-pass, the lowest and highest order.
    judge : BandJudge
        The band whose share should come back.
    counts : bool
        Whether it counts in the mean over words.
    """

    name: str
    asked: str
    sign: int
    kind: str
    freqs_hz: tuple[float, ...]
    range_db: tuple[float, float]
    judge: BandJudge
    counts: bool = True

    def curves_db(self, strengths: Floats) -> Floats:
        """Return the curves in dB at `FREQS_HZ` for strengths in dB, shape ``(n, m)``."""
        at = np.minimum(FREQS_HZ, _BELOW_NYQUIST)
        if self.kind == "low_pass":
            octaves = (at / self.freqs_hz[0])[None, :]
            orders = np.round(strengths)[:, None]
            return np.asarray(-10.0 * np.log10(1.0 + octaves ** (2.0 * orders)))
        if self.kind == "band":
            share = _band_response(self.freqs_hz, at)
            gains = 10.0 ** (strengths[:, None] / 20.0)
            return np.asarray(20.0 * np.log10(1.0 + (gains - 1.0) * share))
        bands = np.zeros((len(strengths), len(LAYOUT), 3))
        bands[:, :, 1] = np.log(1000.0)
        bands[:, :, 2] = np.log(SHELF_Q)
        end = 0 if self.kind == "low_shelf" else -1
        bands[:, end, 0] = strengths
        bands[:, end, 1] = np.log(self.freqs_hz[0])
        return responses_db(bands, at, _FS)[0]

    def draw(self, rng: np.random.Generator, count: int) -> Floats:
        """Return curves of random strength, shape ``(count, m)``."""
        return self.curves_db(rng.uniform(*self.range_db, size=count))


def _band_response(edges_hz: tuple[float, ...], at_hz: Floats) -> Floats:
    """Return ``|B|²`` of the Chebyshev-II band-pass, at most 1."""
    from scipy.signal import cheby2, sosfreqz

    sos = cheby2(2, 20.0, edges_hz, btype="bandpass", fs=_FS, output="sos")
    _, response = sosfreqz(sos, worN=at_hz, fs=_FS)
    power: Floats = np.minimum(np.abs(response) ** 2, 1.0)
    return power


def _judge(name: str, low_hz: float, high_hz: float = TOP_HZ) -> BandJudge:
    return BandJudge(name, low_hz, high_hz)


RECIPE = (
    Degradation(
        "bright", "bright", 1, "high_shelf", (6e3,), (-15.0, -6.0), _judge("bright", 6000.0)
    ),
    Degradation("dark", "dark", 1, "high_shelf", (6e3,), (6.0, 15.0), _judge("dark", 6000.0)),
    Degradation("airy", "airy", 1, "high_shelf", (10e3,), (-20.0, -10.0), _judge("airy", 10_000.0)),
    Degradation(
        "boom", "boomy", 1, "low_shelf", (120.0,), (-20.0, -10.0), _judge("boom", 20.0, 150.0)
    ),
    Degradation(
        "muddy", "muddy", -1, "band", (200.0, 500.0), (6.0, 15.0), _judge("muddy", 200.0, 500.0)
    ),
    Degradation(
        "warm", "warm", 1, "low_shelf", (400.0,), (-20.0, -6.0), _judge("warm", 20.0, 400.0)
    ),
    Degradation(
        "clarity", "clear", 1, "low_pass", (2000.0,), (3.0, 5.0), _judge("clarity", 4000.0), False
    ),
    Degradation(
        *("vocals", "presence", 1, "band", (350.0, 3500.0), (-20.0, -6.0)),
        _judge("vocals", 350.0, 3500.0),
        False,
    ),
)
#: Those that count in the mean.
COUNTED = tuple(line for line in RECIPE if line.counts)
