"""Where a word shows in a spectrum: the band whose share of the whole it wants to rise or fall.

Conventions
-----------
Words whose band is published are judged by it (`PUBLISHED`, after SonicMaster's recipe of degradations [1]_;
*deep* shares the band of *boomy*, *tinny* is where thin loudspeakers ring).

Any other word is judged by its own human curve: the stretch, an octave or wider, in which the curve differs
most from the rest. Among all stretches it is the one whose two-level step (inside, outside) takes up most
of the curve's variance: with ``n`` points, ``k`` of them inside, the difference of the means squared times
``k (n - k)``. The word wants more there if the curve is higher inside than outside, else less. A stretch
that ends where the spectrum does has a complement that says the same with the other sign; the one that is
raised is named.

References
----------
.. [1] J. Melechovsky, A. Mehrish, D. Herremans, "SonicMaster: Towards controllable all-in-one music
       restoration and mastering", 2025 (appendix A.4, A.5).
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from semeq.engine.balance import TOP_HZ
from semeq.engine.units import Floats

BOTTOM_HZ = 20.0
#: No derived stretch is narrower (octaves).
NARROWEST = 1.0


@dataclass(frozen=True, slots=True)
class Direction:
    """A band, and whether more (+1) or less (-1) of it is wanted."""

    low_hz: float
    high_hz: float
    sign: int = 1

    @property
    def where(self) -> str:
        """The band for people.

        >>> Direction(6000.0, TOP_HZ).where, Direction(200.0, 500.0).where, Direction(20.0, 400.0).where
        ('above 6 kHz', 'at 200-500 Hz', 'below 400 Hz')
        """
        if self.high_hz >= TOP_HZ:
            return f"above {hertz(self.low_hz)}"
        if self.low_hz <= BOTTOM_HZ:
            return f"below {hertz(self.high_hz)}"
        if self.low_hz < 1000.0 <= self.high_hz:
            return f"at {hertz(self.low_hz)}-{hertz(self.high_hz)}"
        low, unit = hertz(self.low_hz).split()
        return f"at {low}-{hertz(self.high_hz).split()[0]} {unit}"


#: The words that have a published band.
PUBLISHED = MappingProxyType(
    {
        "warm": Direction(BOTTOM_HZ, 400.0),
        "bright": Direction(6000.0, TOP_HZ),
        "dark": Direction(6000.0, TOP_HZ, -1),
        "airy": Direction(10_000.0, TOP_HZ),
        "boomy": Direction(BOTTOM_HZ, 150.0),
        "deep": Direction(BOTTOM_HZ, 150.0),
        "muddy": Direction(200.0, 500.0),
        "tinny": Direction(2000.0, 6000.0),
    }
)


def hertz(freq_hz: float) -> str:
    """Return a frequency for people, two or three figures.

    >>> hertz(12_500.0), hertz(471.3)
    ('12.5 kHz', '470 Hz')
    """
    if freq_hz >= 1000.0:
        return f"{freq_hz / 1000.0:.3g} kHz"
    return f"{round(freq_hz, -1) if freq_hz >= 100.0 else round(freq_hz):g} Hz"


def direction_of(word: str, curve_db: Floats, freqs_hz: Floats) -> Direction:
    """Return what a word is judged by: its published band, or the one that its curve tells.

    Parameters
    ----------
    word : str
        In lower case.
    curve_db, freqs_hz : Floats
        Its human curve in dB, shape ``(n,)``, at log-spaced frequencies.
    """
    return PUBLISHED.get(word) or derived(curve_db, freqs_hz)


def derived(curve_db: Floats, freqs_hz: Floats) -> Direction:
    """Return the stretch in which a curve differs most from the rest of itself."""
    n = len(curve_db)
    octaves = np.log2(freqs_hz)
    shortest = max(1, round(NARROWEST * (n - 1) / float(octaves[-1] - octaves[0])))
    below = np.concatenate(([0.0], np.cumsum(curve_db - curve_db.mean())))
    first, last = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    inside = last - first
    allowed = (inside >= shortest) & (n - inside >= shortest)
    total = below[last] - below[first]
    # The mean of all is 0, so the means inside and outside differ by total n / (k (n - k)).
    contrast = np.where(allowed, total**2 / np.maximum(inside * (n - inside), 1), -1.0)
    i, j = np.unravel_index(int(contrast.argmax()), contrast.shape)
    sign = 1 if total[i, j] >= 0.0 else -1
    if sign < 0 and i == 0:
        i, j, sign = j, np.intp(n), 1
    elif sign < 0 and j == n:
        i, j, sign = np.intp(0), i, 1
    edges = np.concatenate(([BOTTOM_HZ], np.sqrt(freqs_hz[1:] * freqs_hz[:-1]), [TOP_HZ]))
    return Direction(float(edges[i]), float(edges[j]), sign)
