"""An endless sequence of crops that can be entered anywhere: what a training run sees.

Decoding is dear and memory is finite. So a few *passages* are held at a time, each longer than a crop, in
`slots`; every crop is cut at random from one of them, and a passage makes way for another after `reuse`
crops. The slots change one after the other, so that the work of decoding is spread evenly.

Crop ``n`` is a function of the seed and of ``n`` alone: which passage holds it follows by counting, and
each passage and each crop has a generator of its own. A run that was interrupted goes on with the number
of the next crop, and sees what it would have seen. What is kept in memory changes the time, never the
sequence.

>>> from semeq.training.noise import SyntheticNoise
>>> crops = CropSequence(SyntheticNoise(fs=8000.0), CropSettings(seconds=0.1, passage_s=0.5), seed=1)
>>> first = [next(crops) for _ in range(5)]
>>> crops.restore({"seed": 1, "lane": 0, "position": 3})
>>> bool((next(crops).audio == first[3].audio).all())
True
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from semeq.engine.errors import DataError, SettingsError
from semeq.training.cache import BoundedCache
from semeq.training.crops import QUIET_DB, Crop, cut, jittered, resampled, with_channels
from semeq.training.recordings import AudioSource

MEGABYTE = 1 << 20
#: What a generator is for: the second number of its seed.
_PASSAGE, _CROP, _ORDER = 1, 2, 3


@dataclass(frozen=True, slots=True)
class CropSettings:
    """How crops are made.

    Parameters
    ----------
    seconds : float
        Length of a crop, > 0.
    level_db : float
        The level is changed by up to ± this much (dB).
    channels : int or None
        1, 2, or None for as many as the file has.
    fs : float or None
        Rate in Hz to which passages are resampled; None for the rate of the file.
    passage_s : float
        Length of what is decoded at a time, at least `seconds`.
    slots, reuse : int
        So many passages are open at a time, and each serves so many crops, >= 1.
    quiet_db : float
        Places below this rms level are avoided where there are others (dB full scale).
    """

    seconds: float = 3.0
    level_db: float = 20.0
    channels: int | None = None
    fs: float | None = None
    passage_s: float = 12.0
    slots: int = 16
    reuse: int = 8
    quiet_db: float = QUIET_DB

    def __post_init__(self) -> None:
        if not 0.0 < self.seconds <= self.passage_s:
            raise SettingsError(
                f"seconds must be in (0, {self.passage_s:g}] (passage_s), got {self.seconds:g}"
            )
        if self.slots < 1 or self.reuse < 1:
            raise SettingsError(
                f"slots and reuse must be at least 1, got {self.slots} and {self.reuse}"
            )
        if not 0.0 <= self.level_db <= 100.0:
            raise SettingsError(f"level_db must be in [0, 100], got {self.level_db:g}")
        if self.channels not in (None, 1, 2):
            raise SettingsError(f"channels must be 1, 2 or None, got {self.channels}")


def crop_bytes(crop: Crop) -> int:
    """Return the memory that a crop takes."""
    return int(crop.audio.nbytes)


class CropSequence(Iterator[Crop]):
    """Crops of a source, by number or one after the other.

    Parameters
    ----------
    source : AudioSource
        Where they come from.
    settings : CropSettings
        How they are made.
    seed : int
        Another seed gives another sequence, >= 0.
    lane : int
        Sequences of one seed and several lanes are independent: one a worker, >= 0.
    memory_bytes : int
        Limit of what is kept decoded. What is needed is `slots` passages, 74 MB for 16 of 12 s in stereo at
        48 kHz; with less some are decoded again.
    """

    def __init__(
        self,
        source: AudioSource,
        settings: CropSettings,
        seed: int,
        *,
        lane: int = 0,
        memory_bytes: int = 256 * MEGABYTE,
    ) -> None:
        if seed < 0 or lane < 0:
            raise SettingsError(f"seed and lane must be at least 0, got {seed} and {lane}")
        self.source, self.settings, self.seed, self.lane = source, settings, seed, lane
        #: Number of the crop that comes next.
        self.position = 0
        self.cache: BoundedCache[tuple[int, int], Crop] = BoundedCache(
            memory_bytes, size=crop_bytes
        )
        self._order: tuple[int, tuple[int, ...]] = (-1, ())

    def _rng(self, *purpose: int) -> Generator:
        return np.random.default_rng([self.seed, self.lane, *purpose])

    def _slot(self, number: int) -> tuple[int, int]:
        """Return which slot serves crop `number`, and the how-manieth passage it then holds."""
        slots, reuse = self.settings.slots, self.settings.reuse
        turn = number // slots
        if self._order[0] != turn:
            order = self._rng(_ORDER, turn).permutation(slots)
            self._order = (turn, tuple(int(slot) for slot in order))
        slot = self._order[1][number % slots]
        return slot, (turn + slot * reuse // slots) // reuse

    def _passage(self, slot: int, age: int) -> Crop:
        rng, settings = self._rng(_PASSAGE, slot, age), self.settings
        passage = self.source.passage(rng, settings.passage_s)
        passage = replace(passage, audio=with_channels(passage.audio, settings.channels))
        return passage if settings.fs is None else resampled(passage, settings.fs)

    def __getitem__(self, number: int) -> Crop:
        """Return crop `number`, >= 0; the position stays."""
        if number < 0:
            raise IndexError(f"the number of a crop must be at least 0, got {number}")
        key = self._slot(number)
        # Whoever counts upwards is done with the one before.
        self.cache.discard((key[0], key[1] - 1))
        passage = self.cache.get(key, lambda: self._passage(*key))
        rng = self._rng(_CROP, number)
        frames = round(self.settings.seconds * passage.fs)
        audio = cut(passage.audio, frames, rng, quiet_db=self.settings.quiet_db)
        return jittered(replace(passage, audio=audio), rng, self.settings.level_db)

    def __next__(self) -> Crop:
        """Return the next crop."""
        crop = self[self.position]
        self.position += 1
        return crop

    def state(self) -> dict[str, int]:
        """Return what `restore` needs, fit for JSON."""
        return {"seed": self.seed, "lane": self.lane, "position": self.position}

    def restore(self, state: Mapping[str, int]) -> None:
        """Go on where `state` was taken.

        Raises
        ------
        DataError
            If it is not the state of a sequence.
        """
        try:
            seed, lane, position = (int(state[name]) for name in ("seed", "lane", "position"))
        except (KeyError, TypeError, ValueError):
            raise DataError(
                f"the state of a sequence must hold seed, lane and position, got {dict(state)}"
            ) from None
        if min(seed, lane, position) < 0:
            raise DataError(
                f"the state of a sequence must hold no negative number, got {dict(state)}"
            )
        if (seed, lane) != (self.seed, self.lane):
            self.seed, self.lane, self._order = seed, lane, (-1, ())
            self.cache = BoundedCache(self.cache.limit_bytes, size=crop_bytes)
        self.position = position
