"""What a person allows the bands: how far, how fast, and which of them are their own."""

import math
from dataclasses import dataclass, replace

import numpy as np

from semeq.engine.design import prototype_db
from semeq.engine.errors import SettingsError
from semeq.engine.fit import to_parameters
from semeq.engine.settings import (
    DEFAULT_GAIN_LIMIT_DB,
    GAIN_LIMIT_DB,
    LAYOUT,
    REST_FREQS_HZ,
    Band,
    EQSettings,
)
from semeq.engine.units import Floats

BANDS = len(LAYOUT)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far and how fast the bands may go, and which of them are a person's own.

    Parameters
    ----------
    max_db : float
        Largest gain of a band, in (0, 12] dB. Below 12 the curve stays within it, too: the move is
        held back as a whole and keeps its shape.
    slew_db_s : float
        How fast the curve may move on account of what is heard, in [0.1, 1000] dB/s.
    locks : frozenset of int
        Bands, counted from 0, that stay at their trim.
    trims : tuple of float
        What is added to each of the seven bands, in [-12, 12] dB.

    Raises
    ------
    SettingsError
        If a value is out of its range.
    """

    max_db: float = DEFAULT_GAIN_LIMIT_DB
    slew_db_s: float = 12.0
    locks: frozenset[int] = frozenset()
    trims: tuple[float, ...] = (0.0,) * BANDS

    def __post_init__(self) -> None:
        if not (math.isfinite(self.max_db) and 0.0 < self.max_db <= DEFAULT_GAIN_LIMIT_DB):
            raise SettingsError(
                f"max_db must be in (0, {DEFAULT_GAIN_LIMIT_DB:g}], got {self.max_db:g}"
            )
        if not (math.isfinite(self.slew_db_s) and 0.1 <= self.slew_db_s <= 1000.0):
            raise SettingsError(f"slew_db_s must be in [0.1, 1000], got {self.slew_db_s:g}")
        if not all(band in range(BANDS) for band in self.locks):
            raise SettingsError(f"locks must be bands 0 to {BANDS - 1}, got {sorted(self.locks)}")
        if len(self.trims) != BANDS or not all(
            math.isfinite(trim) and abs(trim) <= DEFAULT_GAIN_LIMIT_DB for trim in self.trims
        ):
            raise SettingsError(
                f"trims must be {BANDS} gains within ±{DEFAULT_GAIN_LIMIT_DB:g} dB, got {self.trims}"
            )

    def locked(self, settings: EQSettings) -> EQSettings:
        """Return settings with the locked bands at rest."""
        if not self.locks:
            return settings
        rest = [Band(kind, f) for kind, f in zip(LAYOUT, REST_FREQS_HZ, strict=True)]
        bands = enumerate(settings.bands)
        return EQSettings(tuple(rest[k] if k in self.locks else band for k, band in bands))

    def resting(self, bands: Floats) -> Floats:
        """Return the same for bands as numbers, ``(7, 3)`` (`semeq.engine.fit.to_parameters`)."""
        if not self.locks:
            return bands
        rest = to_parameters(EQSettings.flat())
        locked = [[k in self.locks] for k in range(BANDS)]
        return np.where(locked, rest, bands)

    def within(self, settings: EQSettings, freqs_hz: Floats) -> tuple[EQSettings, float]:
        """Return settings whose bands and curve stay within `max_db`, and what part of them is left."""
        kept, scaled = 1.0, settings
        # A response grows a little faster than its gains: a few steps settle it.
        for _ in range(6):
            peak = max(abs(band.gain_db) for band in scaled.bands)
            peak = max(peak, float(np.abs(prototype_db(scaled, freqs_hz)).max()))
            if peak <= self.max_db:
                break
            kept *= 0.9999 * self.max_db / peak
            scaled = settings.scaled(kept)
        return scaled, kept

    def trimmed(self, settings: EQSettings) -> EQSettings:
        """Return settings with the trims on top."""
        if not any(self.trims):
            return settings
        bands = zip(settings.bands, self.trims, strict=True)
        return EQSettings(
            tuple(
                replace(b, gain_db=min(max(b.gain_db + trim, -GAIN_LIMIT_DB), GAIN_LIMIT_DB))
                for b, trim in bands
            )
        )
