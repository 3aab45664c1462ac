"""How loud and how high a sound is, and what follows: the gain that levels it, the need for a limiter."""

from semeq.engine.audiowriter import Encoding
from semeq.engine.balance import DENSE_FRAMES, Meter
from semeq.engine.loudness import LoudnessMeter
from semeq.engine.report import Levels
from semeq.engine.truepeak import TruePeakMeter
from semeq.engine.units import Audio, db_to_gain, gain_to_db

#: True peak in dBTP that an output may reach even if its input did not.
CEILING_DB = -1.0
#: Above what it was by less than this, nothing is limited.
_PEAK_TOLERANCE_DB = 0.01
#: So far below the ceiling the limiter is asked already: a high tone may rise between the meter's points.
_UNSEEN_DB = 0.05


class Meters:
    """Loudness, peaks and balance of one stream, or of input and output side by side."""

    def __init__(self, fs: float, channels: int, *, sides: int = 1) -> None:
        self._loudness = LoudnessMeter(fs, channels, sides=sides)
        self._peaks = [TruePeakMeter(channels) for _ in range(sides)]
        self._balances = [Meter(fs, channels, dense_frames=DENSE_FRAMES) for _ in range(sides)]

    def feed(self, *blocks: Audio) -> None:
        """Measure the next block of each side."""
        self._loudness.feed(*blocks)
        for peak, block in zip(self._peaks, blocks, strict=True):
            peak.feed(block)
        for balance, block in zip(self._balances, blocks, strict=True):
            balance.feed(block)

    def levels(self, side: int = 0, gain_db: float = 0.0) -> Levels:
        """Return what was measured, as it is after a gain."""
        loudness = self._loudness.integrated(side)
        gain = db_to_gain(gain_db)
        peak = self._peaks[side]
        return Levels(
            None if loudness is None else loudness + gain_db,
            peak.true_peak() * gain,
            peak.sample_peak * gain,
            self._balances[side].balance(),
        )

    def levelling_gain_db(self) -> float:
        """Return the gain in dB that makes the second side as loud as the first.

        Where one of them is too short or too quiet for the gates, loudness without gates decides.
        """
        meter = self._loudness
        one, other = meter.integrated(0), meter.integrated(1)
        if one is None or other is None:
            one, other = meter.ungated(0), meter.ungated(1)
        return 0.0 if one is None or other is None else one - other


def ceiling_for(
    before: Levels, after: Levels, encoding: Encoding, ceiling_db: float
) -> float | None:
    """Return the limiter's ceiling in dBTP, or None where no limiter is needed."""
    clips = not encoding.is_float and after.sample_peak > 1.0
    was_db = gain_to_db(before.true_peak)
    allowed_db = max(ceiling_db, was_db)
    unlimited_db = max(ceiling_db - _UNSEEN_DB, was_db + _PEAK_TOLERANCE_DB)
    if not clips and gain_to_db(after.true_peak) <= unlimited_db:
        return None
    return allowed_db if encoding.is_float else min(allowed_db, 0.0)
