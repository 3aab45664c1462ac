"""The newest frames of a stream, as the listener keeps them, and how far two parts of them are apart."""

import numpy as np
import numpy.typing as npt

from semeq.engine.frontend import BANDS, Levels
from semeq.engine.units import Floats

OCTAVES = 10
#: What is further below the loudest octave does not count as a change (dB).
RANGE_DB = 36.0
#: From this distance on the sound has become another (dB rms over octaves).
CHANGE_DB = 7.5
#: Power below this is silence (full scale is 1): -200 dB.
_FLOOR = 1e-20


class HeardWindow:
    """Band levels, powers in octaves, loudness, and which frames sound.

    Parameters
    ----------
    full : int
        How many frames are kept.

    Attributes
    ----------
    levels : Levels
        In dB, shape ``(frames, 61)``.
    octaves : Floats
        Power, shape ``(frames, 10)``.
    powers : Floats
        K-weighted, shape ``(frames,)``.
    passed : array of bool
        Whether a frame sounds, shape ``(frames,)``.

    Notes
    -----
    One owner: not thread-safe.
    """

    def __init__(self, full: int) -> None:
        self._full = full
        self.levels: Levels = np.zeros((0, BANDS), dtype=np.float32)
        self.octaves: Floats = np.zeros((0, OCTAVES))
        self.powers: Floats = np.zeros(0)
        self.passed: npt.NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.passed)

    def append(
        self, levels: Levels, bands: Floats, powers: Floats, passed: npt.NDArray[np.bool_]
    ) -> None:
        """Take new frames, `bands` being the powers of `levels`; those too old go."""
        octaves = bands[:, : BANDS - 1].reshape(len(bands), OCTAVES, -1).mean(axis=2)
        self.levels = np.concatenate((self.levels, levels))[-self._full :]
        self.octaves = np.concatenate((self.octaves, octaves))[-self._full :]
        self.powers = np.concatenate((self.powers, powers))[-self._full :]
        self.passed = np.concatenate((self.passed, passed))[-self._full :]

    def keep(self, frames: int) -> None:
        """Keep so many of the newest frames alone."""
        self.levels, self.octaves = self.levels[-frames:], self.octaves[-frames:]
        self.powers, self.passed = self.powers[-frames:], self.passed[-frames:]

    def raise_before(self, start: int, level_db: float) -> None:
        """Change the level of all frames before `start`; how loud the sound was stays known."""
        self.levels[:start] += np.float32(level_db)
        self.octaves[:start] *= 10.0 ** (level_db / 10.0)

    def change(self, before: slice, after: slice, fewest: int) -> tuple[float, float] | None:
        """Return how far two parts are apart in level (dB) and in shape (dB rms over octaves).

        None where fewer than `fewest` frames of either sound.
        """
        one, two = (
            self.octaves[before][self.passed[before]],
            self.octaves[after][self.passed[after]],
        )
        if min(len(one), len(two)) < fewest:
            return None
        one_db, two_db = _decibels(one), _decibels(two)
        loud = one_db > one_db.max() - RANGE_DB
        shapes = [np.maximum(level - level.max(), -RANGE_DB) for level in (one_db, two_db)]
        difference = shapes[1] - shapes[0]
        difference -= difference.mean()
        return float((two_db - one_db)[loud].mean()), float(np.sqrt(np.mean(difference**2)))

    def step(self, first: int, last: int) -> tuple[int, float]:
        """Return where between two frames a step explains the loudness best, and its height in dB."""
        level_db = 10.0 * np.log10(np.maximum(self.powers, _FLOOR))
        first = max(first, 1)
        starts = np.arange(first, max(min(last, len(self)), first + 1))
        total, rest = np.cumsum(level_db), len(self) - starts
        heights_db = (total[-1] - total[starts - 1]) / rest - total[starts - 1] / starts
        best = int(np.argmax(heights_db**2 * starts * rest))
        return int(starts[best]), float(heights_db[best])


def _decibels(octaves: Floats) -> Floats:
    mean = octaves.sum(axis=0) / len(octaves)
    level: Floats = 10.0 * np.log10(np.maximum(mean, _FLOOR))
    return level
