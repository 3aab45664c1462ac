"""Long-term spectra of music, once decoded and kept: what judges and rivals look at.

An equaliser is linear and time-invariant, so the power of its output in a narrow band is the input's power
times ``|H|²``. Judging an equaliser therefore needs no filtering of audio: a table of band
powers a crop, made once, answers every "what if" in microseconds.

Conventions
-----------
- A crop is some seconds of one recording. Its power is averaged over time and channels (Welch's method,
  Hann window of 8192 frames, half overlap) and summed into `BAND_EDGES_HZ`: a twelfth of an octave from
  20 Hz to 22.05 kHz, cut further at every edge that a judge uses. Only shares of the whole matter.
- Curves are in dB at `FREQS_HZ`, the centres of these bands, or on the vocabulary's grid (`GRID_HZ`).
  `to_bands` takes one to the other, linear over log-frequency.
- Files below 44.1 kHz are left out: they have nothing to say about air.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from pedalboard.io import AudioFile

from semeq.engine.arrays import DAMAGE, reason
from semeq.engine.atomic import Replacement
from semeq.engine.errors import AudioFileError, DataError
from semeq.engine.units import Audio, Floats, read_only
from semeq.training.words import GRID_HZ

#: Every frequency at which some judge cuts (Hz).
JUDGE_EDGES_HZ = (
    *(20.0, 60.0, 120.0, 150.0, 200.0, 250.0, 350.0, 400.0, 500.0, 2000.0, 3500.0, 4000.0),
    *(6000.0, 10_000.0, 16_000.0, 20_000.0, 22_050.0),
)
#: Edges of the narrow bands in Hz, shape ``(m + 1,)``.
BAND_EDGES_HZ: Floats = read_only(
    np.unique(np.round((*np.geomspace(20.0, 22_050.0, 122), *JUDGE_EDGES_HZ), 3))
)
#: Centres of the narrow bands in Hz, shape ``(m,)``.
FREQS_HZ: Floats = read_only(np.sqrt(BAND_EDGES_HZ[1:] * BAND_EDGES_HZ[:-1]))
LOWEST_FS = 44_100.0
WINDOW = 8192
#: A crop quieter than this (dB against full scale) holds nothing to judge.
SILENCE_DB = -60.0
#: A file shorter than this (s) is left out; between this and a crop's length it is taken whole.
SHORTEST_S = 4.0
SUFFIXES = frozenset({".ogg", ".wav", ".flac", ".mp3", ".aiff", ".aif"})


def _interpolation(at_hz: Floats, from_hz: Floats) -> Floats:
    """Return the matrix of linear interpolation over log-frequency, shape ``(from, at)``."""
    columns = [np.interp(np.log(at_hz), np.log(from_hz), row) for row in np.eye(len(from_hz))]
    return np.array(columns)


_TO_BANDS = _interpolation(FREQS_HZ, GRID_HZ)


def to_bands(curves_db: Floats) -> Floats:
    """Return curves on the vocabulary's grid ``(..., 61)`` as they are at `FREQS_HZ`, ``(..., m)``."""
    bands: Floats = curves_db @ _TO_BANDS
    return bands


def band_powers(audio: Audio, fs: float) -> Floats:
    """Return the mean power of `audio` ``(frames, channels)`` in each narrow band, shape ``(m,)``."""
    size = WINDOW
    sound = np.asarray(audio, dtype=np.float32)
    if len(sound) < size:
        sound = np.pad(sound, ((0, size - len(sound)), (0, 0)))
    frames = np.lib.stride_tricks.sliding_window_view(sound, size, axis=0)[:: size // 2]
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    power = np.zeros(size // 2 + 1)
    for start in range(0, len(frames), 32):
        block = np.fft.rfft(frames[start : start + 32] * window, axis=-1)
        power += np.sum(block.real**2 + block.imag**2, axis=(0, 1), dtype=np.float64)
    power /= len(frames) * sound.shape[1] * size * 0.375 * size / 2.0
    below = np.concatenate(([0.0], np.cumsum(power)))
    edges = np.maximum((np.arange(size // 2 + 2) - 0.5) * fs / size, 0.0)
    bands: Floats = np.diff(np.interp(BAND_EDGES_HZ, edges, below))
    return bands


@dataclass(frozen=True, slots=True)
class Spectra:
    """Band powers of many crops, and where each came from.

    Parameters
    ----------
    power : Floats
        Shape ``(n, m)``, read-only; each row sums to 1.
    files : tuple of str
        Path of each crop's recording below `root`; its first folder is the package.
    starts_s, seconds : Floats
        Where each crop starts and how long it is, shape ``(n,)``.
    root : str
        The folder of the audio, which `audio` reads from.
    left_out : int
        Files that could not be used (too short, too low a rate, silent, not readable).
    """

    power: Floats
    files: tuple[str, ...]
    starts_s: Floats
    seconds: Floats
    root: str = ""
    left_out: int = 0

    def __len__(self) -> int:
        """Return the number of crops."""
        return len(self.files)

    @property
    def packages(self) -> tuple[str, ...]:
        """Package of each crop."""
        return tuple(name.split("/")[0] for name in self.files)

    def only(self, index: npt.ArrayLike) -> Self:
        """Return some of the crops."""
        at = np.asarray(index, dtype=np.intp)
        return type(self)(
            read_only(self.power[at]),
            tuple(self.files[i] for i in at),
            self.starts_s[at],
            self.seconds[at],
            self.root,
            self.left_out,
        )

    def audio(self, k: int) -> tuple[Audio, float]:
        """Return one crop as ``(frames, channels)`` and its sample rate in Hz."""
        return read_crop(Path(self.root) / self.files[k], self.starts_s[k], self.seconds[k])

    def save(self, path: Path) -> None:
        """Write everything to an ``.npz`` file."""
        with Replacement(path, overwrite=True) as new:
            np.savez(
                new.file,
                power=self.power,
                files=np.array(self.files),
                starts_s=self.starts_s,
                seconds=self.seconds,
                root=np.array(self.root),
                left_out=np.array(self.left_out),
                edges=BAND_EDGES_HZ,
            )
            new.commit()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            If the file is missing, damaged or has other bands.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as data:
                if not np.array_equal(data["edges"], BAND_EDGES_HZ):
                    raise ValueError("other bands")
                return cls(
                    read_only(data["power"]),
                    tuple(str(name) for name in data["files"]),
                    data["starts_s"],
                    data["seconds"],
                    str(data["root"]),
                    int(data["left_out"]),
                )
        except DAMAGE as error:
            raise DataError(
                f"{path} must hold spectra of this version, got {reason(error)}; delete it to make it again"
            ) from error


def read_crop(path: Path, start_s: float, seconds: float) -> tuple[Audio, float]:
    """Return a stretch of a sound file as ``(frames, channels)`` float32, and its sample rate in Hz.

    Raises
    ------
    AudioFileError
        If the file cannot be read.
    """
    try:
        with AudioFile(str(path)) as file:
            fs = float(file.samplerate)
            file.seek(min(int(start_s * fs), max(file.frames - 1, 0)))
            return np.ascontiguousarray(file.read(int(seconds * fs)).T), fs
    except (ValueError, RuntimeError, OSError) as error:
        raise AudioFileError(f"{path} cannot be read: {error}") from error


def _crops(path: Path, count: int, seconds: float) -> list[tuple[Floats, float, float]]:
    with AudioFile(str(path)) as file:
        fs, length = float(file.samplerate), file.frames / file.samplerate
    if fs < LOWEST_FS or length < SHORTEST_S:
        return []
    crops = []
    taken = min(seconds, length)
    # Evenly spread, never overlapping, a little away from fades at both ends.
    count = max(1, min(count, int(length / taken)))
    for k in range(count):
        start = (length - taken) * (k + 0.5) / count
        audio, fs = read_crop(path, start, taken)
        power = band_powers(audio, fs)
        if power.sum() > 10.0 ** (SILENCE_DB / 10.0):
            crops.append((power / power.sum(), start, taken))
    return crops


def spectra_of_folder(
    root: Path, *, crops: int = 4, seconds: float = 8.0, cache: Path | None = None
) -> Spectra:
    """Return the spectra of all recordings below `root`, whose sub-folders are packages.

    Parameters
    ----------
    root : Path
        Folder with ``PACKAGE/…/FILE``.
    crops : int
        At most this many crops a recording, evenly spread over it.
    seconds : float
        Length of a crop in s.
    cache : Path or None
        An ``.npz`` file to read instead if it is there, and to write if it is not.

    Raises
    ------
    DataError
        If no recording can be used, or if the cache is damaged.
    """
    if cache is not None and cache.exists():
        return Spectra.load(cache)
    if not root.is_dir():
        raise DataError(f"{root} must be a folder of music, got no such folder")
    rows, files, starts, lengths, left_out = [], [], [], [], 0
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        try:
            found = _crops(path, crops, seconds) if path.suffix.lower() in SUFFIXES else []
        except (AudioFileError, ValueError, RuntimeError, OSError):
            found = []
        left_out += not found
        for power, start, taken in found:
            rows.append(power)
            files.append(path.relative_to(root).as_posix())
            starts.append(start)
            lengths.append(taken)
    if not rows:
        raise DataError(f"{root} must hold music of {SHORTEST_S:g} s or more at 44.1 kHz, got none")
    spectra = Spectra(
        read_only(np.array(rows)),
        tuple(files),
        np.array(starts),
        np.array(lengths),
        str(root),
        left_out,
    )
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        spectra.save(cache)
    return spectra
