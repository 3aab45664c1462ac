"""A bank of short sounds: what training listens to where band levels are not enough.

Nearly everything in training happens on band levels (`semeq.training.levels`). What an equaliser's own
filters do to a waveform is heard on a small share of each batch, cut from a few minutes of real sound that
is decoded once. The sounds are mono at 44.1 kHz, one rms level, held as 16-bit numbers.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from semeq.engine.arrays import DAMAGE, reason
from semeq.engine.atomic import Replacement
from semeq.engine.errors import DataError
from semeq.training.crops import Crop, resampled
from semeq.training.levels import LOWEST_FS
from semeq.training.recordings import AudioSource

#: The rate of all sounds in Hz, and their rms level (full scale is 1).
SOUND_FS, SOUND_RMS = 44_100.0, 0.1
_FULL_SCALE = 32_767.0
_TRIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class SoundBank:
    """Stretches of sound.

    Parameters
    ----------
    sounds : array of int16
        Shape ``(n, time)``, at `SOUND_FS`.
    packages : tuple of str
        Where each comes from.
    """

    sounds: npt.NDArray[np.int16]
    packages: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of stretches."""
        return len(self.packages)

    @property
    def sha256(self) -> str:
        """What tells this bank from any other."""
        return hashlib.sha256(self.sounds.tobytes()).hexdigest()

    def cut(self, rng: Generator, count: int, frames: int) -> npt.NDArray[np.float32]:
        """Return `count` random windows of `frames` samples, shape ``(count, frames)``."""
        rows = rng.integers(len(self), size=count)
        starts = rng.integers(0, self.sounds.shape[1] - frames + 1, size=count)
        cut = [self.sounds[row, at : at + frames] for row, at in zip(rows, starts, strict=True)]
        windows: npt.NDArray[np.float32] = np.array(cut, dtype=np.float32) / np.float32(_FULL_SCALE)
        return windows

    def save(self, path: Path) -> None:
        """Write the bank, all at once."""
        with Replacement(path, overwrite=True) as new:
            np.savez(new.file, sounds=self.sounds, packages=np.array(json.dumps(self.packages)))
            new.commit()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            If the file is missing, damaged or something else.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                bank = cls(data["sounds"], tuple(json.loads(str(data["packages"]))))
            if bank.sounds.ndim != 2 or bank.sounds.dtype != np.int16 or not len(bank):
                raise ValueError(f"{bank.sounds.dtype} of shape {bank.sounds.shape}")
            if len(bank.sounds) != len(bank):
                raise ValueError(f"{len(bank)} packages for {len(bank.sounds)} sounds")
        except DAMAGE as error:
            raise DataError(
                f"{path} must hold sounds, got {reason(error)}; delete it to make it again"
            ) from error
        return bank


def _mono(crop: Crop) -> npt.NDArray[np.float64]:
    """Return the louder channel at `SOUND_FS`: a sum would lose what is in opposite phase."""
    audio = resampled(crop, SOUND_FS).audio
    loudest = int(np.argmax(np.square(audio, dtype=np.float64).sum(axis=0)))
    sound: npt.NDArray[np.float64] = audio[:, loudest].astype(np.float64)
    return sound


def build_sounds(
    source: AudioSource,
    rng: Generator,
    *,
    count: int,
    seconds: float,
    progress: Callable[[], None] = lambda: None,
) -> SoundBank:
    """Decode random stretches of `source`.

    Parameters
    ----------
    source : AudioSource
        Where they are drawn from; what is shorter than `seconds` is repeated.
    rng : Generator
        Draws them.
    count : int
        How many, at least 1.
    seconds : float
        How long each is.
    progress : callable
        Called after each.

    Raises
    ------
    DataError
        If the source has too little sound at 44.1 kHz or more.
    """
    frames = int(seconds * SOUND_FS)
    if count < 1 or frames < 1:
        raise DataError(f"a bank must hold sound, got {count} stretches of {seconds:g} s")
    sounds = np.empty((count, frames), dtype=np.int16)
    packages = []
    for k in range(count):
        for _ in range(_TRIES):
            crop = source.passage(rng, seconds)
            if crop.fs >= LOWEST_FS and len(crop.audio):
                break
        else:
            raise DataError(
                f"the music must be at {LOWEST_FS:g} Hz or more, got less {_TRIES} times"
            )
        sound = np.resize(_mono(crop), frames)
        # A passage is never silent, but what little is in one channel may be: no gain beyond 80 dB.
        sound *= SOUND_RMS / max(float(np.sqrt(np.mean(sound**2))), 1e-5)
        sounds[k] = np.round(np.clip(sound, -1.0, 1.0) * _FULL_SCALE)
        packages.append(crop.package)
        progress()
    return SoundBank(sounds, tuple(packages))
