"""Stretches of files: exact where the container seeks, one clear error where there is nothing to read."""

import shutil
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from audio_trees import STEM_HZ, ffmpeg, stem_song, tone, tone_file, tone_levels, write
from pedalboard.io import AudioFile

from semeq.engine.errors import AudioFileError, MissingPackageError
from semeq.training.decode import read_streams, read_stretch, readable_suffixes, streams_of

FS = 44_100
#: One MP4 frame of AAC, and one of Opus with its resampling, in frames at the file's rate.
CODEC_SHIFT = 2048
#: 192 kbit/s of AAC on pure tones.
AAC_RTOL = 0.03


@pytest.fixture(scope="module")
def noise_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noise")
    audio = (0.1 * np.random.default_rng(1).standard_normal((FS * 6, 2))).astype(np.float32)
    for suffix in ("wav", "flac", "ogg", "aiff"):
        write(folder / f"n.{suffix}", audio, FS)
    for suffix in ("mp3", "opus", "m4a"):
        ffmpeg("-i", str(folder / "n.wav"), str(folder / f"n.{suffix}"))
    return folder


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "aiff", "mp3"])
@pytest.mark.parametrize("place", [0.0, 0.37, 0.999999])
def test_a_stretch_is_part_of_the_whole(noise_files: Path, suffix: str, place: float) -> None:
    path = noise_files / f"n.{suffix}"
    with AudioFile(str(path)) as file:
        whole = file.read(file.frames).T
    audio, fs = read_stretch(path, place, 1.5)
    frames = round(1.5 * FS)
    start = min(int(place * (len(whole) - frames + 1)), len(whole) - frames)
    assert (fs, audio.shape, audio.dtype.name) == (FS, (frames, 2), "float32")
    assert np.array_equal(audio, whole[start : start + frames])


@pytest.mark.parametrize("suffix", ["opus", "m4a"])
def test_what_pedalboard_cannot_read_comes_through_ffmpeg(noise_files: Path, suffix: str) -> None:
    path = noise_files / f"n.{suffix}"
    audio, fs = read_stretch(path, 0.5, 1.0)
    assert fs == (48_000 if suffix == "opus" else FS)
    assert audio.shape == (round(fs), 2)
    with AudioFile(str(noise_files / "n.wav")) as file:
        whole = file.resampled_to(fs).read(round(6 * fs))[0]
    # Where it came from: the place of the best match.
    size = 1 << 20
    match = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(audio[:, 0], size)))
    assert int(np.argmax(match)) == pytest.approx(0.5 * 5.0 * fs, abs=CODEC_SHIFT)


def test_a_shorter_file_is_returned_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(500.0, 0.5, FS), FS)
    assert len(read_stretch(path, 0.9, 3.0)[0]) == FS // 2
    with pytest.raises(AudioFileError, match="too short"):
        read_stretch(path, 0.9, 3.0, shortest_s=1.0)
    short = tone_file(tmp_path / "b.opus", 500.0, 0.5)
    assert len(read_stretch(short, 0.9, 3.0)[0]) == pytest.approx(24_000, abs=CODEC_SHIFT)
    with pytest.raises(AudioFileError, match="too short"):
        read_stretch(short, 0.9, 3.0, shortest_s=1.0)


@pytest.mark.alone
def test_the_rest_of_a_long_file_is_not_decoded(tmp_path: Path) -> None:
    # Two hours and a half in a file with a hole in it; decoding them would take seconds and gigabytes.
    path, frames = tmp_path / "long.wav", FS * 9000
    size = frames * 4
    head = b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt "
    head += struct.pack("<IHHIIHH", 16, 1, 2, FS, FS * 4, 4, 16) + b"data" + struct.pack("<I", size)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
    begin = time.perf_counter()
    audio, _ = read_stretch(path, 0.99, 3.0)
    assert time.perf_counter() - begin < 1.0
    assert len(audio) == 3 * FS


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.wav", b""), ("a.mp3", b"no sound at all " * 99), ("a.ogg", b"OggS"), ("a.opus", b"OggS")],
)
def test_what_is_no_sound(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioFileError, match=name) as caught:
        read_stretch(tmp_path / name, 0.0, 1.0)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="cannot be read"):
        read_stretch(tmp_path / "none.wav", 0.0, 1.0)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e9])
def test_damaged_numbers(tmp_path: Path, value: float) -> None:
    samples = np.full(FS, 0.1, dtype="<f4")
    samples[FS // 2] = value
    data = samples.tobytes()
    head = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt "
    head += struct.pack("<IHHIIHH", 16, 3, 1, FS, FS * 4, 4, 32) + b"data"
    path = tmp_path / "bad.wav"
    path.write_bytes(head + struct.pack("<I", len(data)) + data)
    with pytest.raises(AudioFileError, match="damaged: its samples reach"):
        read_stretch(path, 0.0, 1.0)


def test_streams_of_a_stem_file(tmp_path: Path) -> None:
    path = stem_song(tmp_path / "A - B.stem.mp4", tmp_path / "scratch")
    assert [(s.fs, s.channels) for s in streams_of(path)] == [(FS, 2)] * 5
    parts, fs = read_streams(path, (4, 1, 0), 0.3, 1.0)
    freqs = list(STEM_HZ.values())
    for part, heard in zip(parts, ({"vocals"}, {"drums"}, set(STEM_HZ)), strict=True):
        levels = tone_levels(part, fs, freqs)
        for name, level in zip(STEM_HZ, levels, strict=True):
            wanted = 0.1 if name in heard else 0.0
            assert level == pytest.approx(wanted, abs=0.1 * AAC_RTOL)
    with pytest.raises(AudioFileError, match="must have 6 streams of sound, got 5"):
        read_streams(path, (5,), 0.0, 1.0)


def test_stems_stay_in_step(tmp_path: Path) -> None:
    path = stem_song(tmp_path / "A - B.stem.mp4", tmp_path / "scratch")
    (mixture, *parts), _ = read_streams(path, (0, 1, 2, 3, 4), 0.7, 1.0)
    miss = np.sum(parts, axis=0) - mixture
    # One frame out of step would leave a tenth of the mixture at 2.7 kHz.
    assert np.sqrt(np.mean(miss**2)) < AAC_RTOL * np.sqrt(np.mean(mixture**2))


def test_without_ffmpeg(noise_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    streams_of.cache_clear()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert ".opus" in readable_suffixes()
    read_stretch(noise_files / "n.ogg", 0.0, 1.0)
    with pytest.raises(
        MissingPackageError, match="must be on the path to read such files: install"
    ):
        read_stretch(noise_files / "n.opus", 0.0, 1.0)
