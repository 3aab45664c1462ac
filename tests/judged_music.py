"""Music that judges can look at without a sound being decoded: smooth random spectra."""

from pathlib import Path

import numpy as np
from pedalboard.io import AudioFile

from semeq.engine.units import Floats
from semeq.training.clips import Clips, apply_curve
from semeq.training.methods import SpectralMethod
from semeq.training.spectra import BAND_EDGES_HZ, FREQS_HZ, Spectra
from semeq.training.words import GRID_HZ

FS = 44_100


def smooth_curves(count: int, seed: int, strength_db: float = 4.0) -> Floats:
    """Return random smooth curves in dB at `FREQS_HZ`."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0.0, np.pi, len(FREQS_HZ))
    waves = np.array([np.cos(k * x) / k for k in range(1, 6)])
    curves: Floats = strength_db * rng.standard_normal((count, 5)) @ waves
    return curves


def music(recordings: int = 12, crops: int = 2, seed: int = 0) -> Spectra:
    """Return crops of made-up recordings in three packages: coloured pink noise, a little warm."""
    falling = -1.0 * np.log2(FREQS_HZ / 1000.0)
    colours = smooth_curves(recordings, seed, 3.0)
    rows = np.repeat(colours, crops, axis=0) + smooth_curves(recordings * crops, seed + 1, 1.0)
    power = np.diff(np.log2(BAND_EDGES_HZ)) * 10.0 ** ((falling + rows) / 10.0)
    files = tuple(f"p{k % 3}/r{k}.wav" for k in range(recordings) for _ in range(crops))
    starts = np.tile(np.arange(crops, dtype=np.float64), recordings)
    return Spectra(power / power.sum(axis=1, keepdims=True), files, starts, starts * 0.0 + 8.0)


def write_music(folder: Path, recordings: int = 4, seconds: float = 5.0, seed: int = 0) -> Path:
    """Write coloured pink noise as ``PACKAGE/FILE.wav`` and return the folder."""
    rng = np.random.default_rng(seed)
    pink = -3.0 * np.log2(FREQS_HZ / 1000.0)
    for k, colour in enumerate(smooth_curves(recordings, seed)):
        noise = 0.02 * rng.standard_normal((int(FS * seconds), 2)).astype(np.float32)
        sound = apply_curve(noise, FS, pink + colour, FREQS_HZ)
        path = folder / f"p{k % 2}" / f"r{k}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with AudioFile(str(path), "w", FS, 2, bit_depth=16) as file:
            file.write(0.2 * sound.T / np.abs(sound).max())
    return folder


class Curve(SpectralMethod):
    """Any curve times the amount, for every word and clip."""

    def __init__(self, curve_db: Floats, name: str = "curve") -> None:
        self.name, self._curve = name, curve_db

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        return np.tile(amount * self._curve, (len(clips), 1))


def bump(centre_hz: float, gain_db: float = 6.0, octaves: float = 1.0) -> Floats:
    """Return a bump on the vocabulary's grid."""
    curve: Floats = gain_db * np.exp(-0.5 * (np.log2(GRID_HZ / centre_hz) / octaves) ** 2)
    return curve


def named(gain_db: str = "6") -> Curve:
    """Return a method by name, as a user's own module would."""
    return Curve(bump(9000.0, float(gain_db)), f"bump {gain_db}")
