"""A bank of band levels: music decoded once, from which training cuts any number of windows.

An equaliser adds its curve to band levels (`semeq.training.features`), so an hour of decoded music gives as
many equalised windows as one likes. A window is changed further before a curve is put on it: a second
window mixed in, all bands moved up or down by up to half an octave, a random level. The music then is
another one at every draw, and a network has little to memorise.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from numpy.random import Generator

from semeq.engine.arrays import DAMAGE, reason
from semeq.engine.atomic import Replacement
from semeq.engine.errors import DataError
from semeq.engine.units import Floats
from semeq.training.features import BANDS, FFT_SIZE, HOP, log_bands
from semeq.training.recordings import AudioSource

Levels = npt.NDArray[np.float32]
#: Share of windows with a second one mixed in, and how loud it is against the first (dB).
MIXED, MIX_DB = 0.35, (-12.0, 6.0)
#: Share of windows whose bands are moved, and by how many bands (a sixth of an octave each) at most.
MOVED, MOVE_BANDS = 0.6, 3
LEVEL_DB = 20.0
#: Rates that reach the whole range of the curves.
LOWEST_FS = 44_100.0
_TRIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class LevelBank:
    """Stretches of music as band levels.

    Parameters
    ----------
    levels : array of float16
        In dB, shape ``(n, frames, 61)``.
    packages : tuple of str
        Where each stretch comes from.
    """

    levels: npt.NDArray[np.float16]
    packages: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of stretches."""
        return len(self.packages)

    @property
    def sha256(self) -> str:
        """What tells this bank from any other."""
        return hashlib.sha256(self.levels.tobytes()).hexdigest()

    def cut(self, rng: Generator, count: int, frames: int) -> Levels:
        """Return `count` random windows in dB as they are, shape ``(count, frames, 61)``."""
        rows = rng.integers(len(self), size=count)
        starts = rng.integers(0, self.levels.shape[1] - frames + 1, size=count)
        return np.array(
            [self.levels[row, at : at + frames] for row, at in zip(rows, starts, strict=True)],
            dtype=np.float32,
        )

    def draw(self, rng: Generator, count: int, frames: int) -> Levels:
        """Return `count` windows of music that never was, shape ``(count, frames, 61)``, in dB."""
        windows, others = self.cut(rng, count, frames), self.cut(rng, count, frames)
        mixed = rng.random(count) < MIXED
        gains = rng.uniform(*MIX_DB, size=count)
        moves = rng.integers(-MOVE_BANDS, MOVE_BANDS + 1, size=count)
        moves *= rng.random(count) < MOVED
        levels = rng.uniform(-LEVEL_DB, LEVEL_DB, size=count)
        for k in range(count):
            if mixed[k]:
                louder = gains[k] + np.median(windows[k]) - np.median(others[k])
                windows[k] = np.logaddexp(
                    windows[k] * _NEPERS, (others[k] + np.float32(louder)) * _NEPERS
                ) / np.float32(_NEPERS)
            if moves[k]:
                at = np.clip(np.arange(BANDS) - moves[k], 0, BANDS - 1)
                windows[k] = windows[k][:, at]
            windows[k] += np.float32(levels[k])
        return windows

    def save(self, path: Path) -> None:
        """Write the bank, all at once."""
        with Replacement(path, overwrite=True) as new:
            np.savez(new.file, levels=self.levels, packages=np.array(json.dumps(self.packages)))
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
                bank = cls(data["levels"], tuple(json.loads(str(data["packages"]))))
            if bank.levels.ndim != 3 or bank.levels.shape[2] != BANDS or not len(bank):
                raise ValueError(f"shape {bank.levels.shape}")
            if len(bank.levels) != len(bank):
                raise ValueError(f"{len(bank)} packages for {len(bank.levels)} stretches")
        except DAMAGE as error:
            raise DataError(
                f"{path} must hold band levels, got {reason(error)}; delete it to make it again"
            ) from error
        return bank


_NEPERS = np.float32(np.log(10.0) / 10.0)


def build_bank(
    source: AudioSource,
    rng: Generator,
    *,
    stretches: int,
    seconds: float,
    progress: Callable[[], None] = lambda: None,
) -> LevelBank:
    """Decode random stretches of `source` into band levels.

    Parameters
    ----------
    source : AudioSource
        Where they are drawn from; what is shorter than `seconds` is repeated.
    rng : Generator
        Draws them.
    stretches : int
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
    frames = int(seconds * LOWEST_FS - FFT_SIZE) // HOP + 1
    if stretches < 1 or frames < 1:
        raise DataError(f"a bank must hold sound, got {stretches} stretches of {seconds:g} s")
    levels = np.empty((stretches, frames, BANDS), dtype=np.float16)
    packages = []
    for k in range(stretches):
        for _ in range(_TRIES):
            crop = source.passage(rng, seconds)
            if crop.fs >= LOWEST_FS and len(crop.audio) >= 2 * FFT_SIZE:
                break
        else:
            raise DataError(
                f"the music must be at {LOWEST_FS:g} Hz or more, got less {_TRIES} times"
            )
        sound = torch.from_numpy(np.ascontiguousarray(crop.audio.T))
        found = log_bands(sound, crop.fs).numpy()
        levels[k] = np.resize(found, (frames, BANDS))
        packages.append(crop.package)
        progress()
    return LevelBank(levels, tuple(packages))


def long_term(levels: Levels) -> Floats:
    """Return the long-term levels in dB of windows ``(..., frames, 61)``, shape ``(..., 61)``."""
    nepers = np.asarray(levels, dtype=np.float64) * float(_NEPERS)
    mean: Floats = np.logaddexp.reduce(nepers, axis=-2) - np.log(nepers.shape[-2])
    return mean / float(_NEPERS)
