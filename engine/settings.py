"""What an equaliser is told: seven bands, as an immutable value.

Conventions
-----------
``gain_db`` is within ±18 dB (words stay within ±12), ``freq_hz`` within 10 Hz–30 kHz and ``q`` within
0.1–10. A shelf's ``q`` of 0.71 has no hump. Band 1 is a low shelf, bands 2–6 are peaks, band 7 is a
high shelf; a band at 0 dB does nothing, whatever its frequency and Q.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from semeq.engine.errors import SettingsError

GAIN_LIMIT_DB = 18.0
DEFAULT_GAIN_LIMIT_DB = 12.0
FREQ_RANGE_HZ = (10.0, 30_000.0)
Q_RANGE = (0.1, 10.0)
SHELF_Q = 0.71


class Kind(StrEnum):
    """The shape of a band."""

    LOW_SHELF = "low_shelf"
    PEAK = "peak"
    HIGH_SHELF = "high_shelf"


#: The kinds of the seven bands, in their order.
LAYOUT = (Kind.LOW_SHELF, *(Kind.PEAK,) * 5, Kind.HIGH_SHELF)
#: Where a band rests while it does nothing.
REST_FREQS_HZ = (100.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0, 10_000.0)


def _check(name: str, value: float, low: float, high: float) -> float:
    value = float(value)
    if not (math.isfinite(value) and low <= value <= high):
        raise SettingsError(f"{name} must be in [{low:g}, {high:g}], got {value:g}")
    return value


@dataclass(frozen=True, slots=True)
class Band:
    """One band.

    Parameters
    ----------
    kind : Kind
        Low shelf, peak or high shelf.
    freq_hz : float
        Centre of a peak, mid-gain point of a shelf, in [10, 30000] Hz.
    gain_db : float
        In [-18, 18] dB.
    q : float
        In [0.1, 10].

    Raises
    ------
    SettingsError
        If a value is out of its range or not finite.
    """

    kind: Kind
    freq_hz: float
    gain_db: float = 0.0
    q: float = SHELF_Q

    def __post_init__(self) -> None:
        if self._is_plain():  # nearly always, and seven times for each step of a knob
            return
        object.__setattr__(self, "kind", Kind(self.kind))
        object.__setattr__(self, "freq_hz", _check("freq_hz", self.freq_hz, *FREQ_RANGE_HZ))
        object.__setattr__(
            self, "gain_db", _check("gain_db", self.gain_db, -GAIN_LIMIT_DB, GAIN_LIMIT_DB)
        )
        object.__setattr__(self, "q", _check("q", self.q, *Q_RANGE))

    def _is_plain(self) -> bool:
        """Whether nothing is to be converted or refused."""
        return (
            type(self.kind) is Kind
            and type(self.freq_hz) is type(self.gain_db) is type(self.q) is float
            and FREQ_RANGE_HZ[0] <= self.freq_hz <= FREQ_RANGE_HZ[1]
            and -GAIN_LIMIT_DB <= self.gain_db <= GAIN_LIMIT_DB
            and Q_RANGE[0] <= self.q <= Q_RANGE[1]
        )

    def as_dict(self) -> dict[str, str | float]:
        """Return the band as plain values for JSON."""
        return {
            "kind": self.kind.value,
            "freq_hz": self.freq_hz,
            "gain_db": self.gain_db,
            "q": self.q,
        }


@dataclass(frozen=True, slots=True)
class EQSettings:
    """Seven bands: the meeting point of live, offline, presets, exports and training.

    Raises
    ------
    SettingsError
        If there are not seven bands in the order of `LAYOUT`.

    Examples
    --------
    >>> EQSettings.flat().is_flat
    True
    """

    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "bands", tuple(self.bands))
        kinds = tuple(band.kind for band in self.bands)
        if kinds != LAYOUT:
            raise SettingsError(
                "bands must be a low shelf, five peaks and a high shelf, got "
                + ", ".join(kind.value for kind in kinds)
            )

    @classmethod
    def flat(cls) -> Self:
        """Return the settings that change nothing."""
        return cls(tuple(Band(k, f) for k, f in zip(LAYOUT, REST_FREQS_HZ, strict=True)))

    @property
    def is_flat(self) -> bool:
        """Whether every band is at exactly 0 dB."""
        return all(band.gain_db == 0.0 for band in self.bands)

    def scaled(self, amount: float) -> Self:
        """Return the settings with every gain multiplied by `amount`, kept within ±18 dB."""
        return type(self)(
            tuple(
                replace(b, gain_db=min(max(b.gain_db * amount, -GAIN_LIMIT_DB), GAIN_LIMIT_DB))
                for b in self.bands
            )
        )

    def as_dicts(self) -> list[dict[str, str | float]]:
        """Return the bands as plain values for JSON."""
        return [band.as_dict() for band in self.bands]
