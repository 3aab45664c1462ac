"""Miniature data sets in the true layouts: every track and stem is a tone of its own."""

import csv
import math
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pedalboard.io import AudioFile

from semeq.engine.units import Audio
from semeq.training.crops import Crop

#: Tones of the streams of a MUSDB18 song: mixture (their sum), drums, bass, other, vocals.
STEM_HZ = {"drums": 400.0, "bass": 150.0, "other": 1100.0, "vocals": 2700.0}
TRACK_COLUMNS = (
    ("album", "title"),
    ("artist", "bio"),
    ("artist", "id"),
    ("artist", "name"),
    ("set", "split"),
    ("set", "subset"),
    ("track", "genre_top"),
    ("track", "genres"),
    ("track", "title"),
)


def tone(freq_hz: float, seconds: float, fs: float, channels: int = 2, level: float = 0.1) -> Audio:
    """Return a sine, ``(frames, channels)``."""
    wave = level * np.sin(2 * np.pi * freq_hz * np.arange(round(seconds * fs)) / fs)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def write(path: Path, audio: Audio, fs: float) -> Path:
    """Write a sound in the format that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with AudioFile(str(path), "w", samplerate=fs, num_channels=audio.shape[1]) as file:
        file.write(audio.T)
    return path


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg; an error shows what it said."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments], check=True, timeout=60)


def tone_file(path: Path, freq_hz: float, seconds: float = 4.0, fs: float = 44_100.0) -> Path:
    """Write a tone as any format that ffmpeg writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = f"sine=frequency={freq_hz:g}:sample_rate={fs:g}:duration={seconds:g}"
    ffmpeg("-f", "lavfi", "-i", source, "-ac", "2", str(path))
    return path


def main_hz(crop: Crop) -> float:
    """Return the frequency of the strongest tone in a crop."""
    wave = crop.audio.mean(axis=1) * np.hanning(len(crop.audio))
    return float(np.argmax(np.abs(np.fft.rfft(wave)))) * crop.fs / len(wave)


def tone_levels(audio: Audio, fs: float, freqs_hz: Sequence[float]) -> list[float]:
    """Return the amplitude of each tone in the first channel of a sound."""
    window = np.hanning(len(audio))
    t = np.arange(len(audio)) / fs
    return [
        2 * abs(np.sum(window * audio[:, 0] * np.exp(-2j * math.pi * f * t))) / window.sum()
        for f in freqs_hz
    ]


def fma_metadata(root: Path, tracks: Sequence[dict[str, str]]) -> Path:
    """Write tracks.csv and genres.csv as FMA has them: two header rows, then one for the index."""
    folder = root / "fma_metadata"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "tracks.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["", *(group for group, _ in TRACK_COLUMNS)])
        out.writerow(["", *(name for _, name in TRACK_COLUMNS)])
        out.writerow(["track_id", *("" for _ in TRACK_COLUMNS)])
        for track in tracks:
            cells = (track.get(f"{group}/{name}", "") for group, name in TRACK_COLUMNS)
            out.writerow([track["id"], *cells])
    header = "genre_id,#tracks,parent,title,top_level"
    genres = (header, "12,9,0,Rock,12", "85,3,12,Garage,12", "15,5,0,Electronic,15")
    (folder / "genres.csv").write_text("\n".join(genres) + "\n", encoding="utf-8")
    return folder


def track(
    number: int, subset: str, split: str, artist: str, genre_top: str = "Rock", genres: str = "[12]"
) -> dict[str, str]:
    """Return a row of tracks.csv; the biography has a line break and more than csv's usual limit."""
    return {
        "id": str(number),
        "set/subset": subset,
        "set/split": split,
        "artist/id": artist,
        "artist/name": f"Band {artist}",
        "artist/bio": 'They said "la"\nand went home. ' + "la " * 50_000,
        "track/genre_top": genre_top,
        "track/genres": genres,
    }


def clip(root: Path, size: str, number: int, freq_hz: float) -> Path:
    """Write a clip where FMA has it."""
    folder = root / f"fma_{size}" / f"{number:06d}"[:3]
    return tone_file(folder / f"{number:06d}.mp3", freq_hz)


def stems(seconds: float = 3.0, fs: float = 44_100.0) -> dict[str, Audio]:
    """Return the five streams of a song."""
    parts = {name: tone(freq_hz, seconds, fs) for name, freq_hz in STEM_HZ.items()}
    mixture: Audio = np.sum(list(parts.values()), axis=0, dtype=np.float32)
    return {"mixture": mixture, **parts}


def hq_song(folder: Path, seconds: float = 3.0) -> Path:
    """Write a song as MUSDB18-HQ has it: five WAV files in a folder."""
    for name, audio in stems(seconds).items():
        write(folder / f"{name}.wav", audio, 44_100)
    return folder


def stem_song(path: Path, scratch: Path, seconds: float = 3.0) -> Path:
    """Write a song as MUSDB18 has it: five AAC streams in one MP4."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = hq_song(scratch / path.name, seconds)
    inputs = [
        part for name in ("mixture", *STEM_HZ) for part in ("-i", str(folder / f"{name}.wav"))
    ]
    maps = [part for k in range(5) for part in ("-map", f"{k}:a")]
    ffmpeg(*inputs, *maps, "-c:a", "aac", "-b:a", "192k", str(path))
    return path
