"""MP3 files entered in the middle: the sound of the file."""

import time
from pathlib import Path

import numpy as np
import pytest
from audio_trees import ffmpeg, write
from pedalboard.io import AudioFile

from semeq.engine.units import Audio
from semeq.training.decode import read_stretch
from semeq.training.mp3_entry import first_frame, frame_bytes, read_inside

SECONDS = 24.0
#: How far from the place asked for a file of varying bit rate may be entered, in seconds.
ENTRY_ATOL_S = 1.0
#: The decoder's filter bank begins at another phase of its buffer: float32 rounds differently.
ROUNDING_ATOL = 1e-6
#: Rate, channels, and how ffmpeg is to encode.
KINDS = {
    "cbr": (44_100, 2, ("-b:a", "128k")),
    "vbr": (44_100, 2, ("-q:a", "5")),
    "low": (48_000, 2, ("-b:a", "48k")),
    "mono": (32_000, 1, ("-b:a", "64k")),
    "mpeg2": (22_050, 2, ("-b:a", "56k")),
    "mpeg25": (11_025, 1, ("-b:a", "24k")),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mp3")
    noise = np.random.default_rng(1).standard_normal((round(SECONDS * 48_000), 2))
    # Louder and softer parts: a varying bit rate varies.
    noise *= 0.05 * (1.2 + np.sin(np.arange(len(noise)) / 48_000)[:, None])
    write(folder / "n.wav", noise.astype(np.float32), 48_000)
    for name, (fs, channels, how) in KINDS.items():
        shape = ("-ar", str(fs), "-ac", str(channels))
        ffmpeg("-i", str(folder / "n.wav"), *shape, *how, str(folder / f"{name}.mp3"))
    return folder


def whole(path: Path) -> Audio:
    with AudioFile(str(path)) as file:
        audio: Audio = file.read(file.frames).T
    return audio


def found_at(audio: Audio, part: Audio) -> int:
    """Return where a part lies in the whole: the best match of its first channel."""
    size = 1 << (len(audio) + len(part)).bit_length()
    match = np.fft.irfft(
        np.fft.rfft(audio[:, 0], size) * np.conj(np.fft.rfft(part[:, 0], size)), size
    )
    return int(np.argmax(match[: len(audio)]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.2, 0.85])
def test_inside_is_the_sound_of_the_file(folder: Path, kind: str, share: float) -> None:
    path, fs = folder / f"{kind}.mp3", float(KINDS[kind][0])
    audio = whole(path)
    part = read_inside(path, share, round(1.5 * fs), fs)
    assert part is not None
    at = found_at(audio, part)
    assert np.abs(part - audio[at : at + len(part)]).max() < ROUNDING_ATOL
    assert at / fs == pytest.approx(share * len(audio) / fs, abs=ENTRY_ATOL_S)


def test_stretches_of_long_files_come_this_way(folder: Path) -> None:
    path = folder / "vbr.mp3"
    audio = whole(path)
    for place in (0.1, 0.5, 0.999999):
        part, fs = read_stretch(path, place, 2.0)
        assert part.shape == (88_200, 2)
        at = found_at(audio, part)
        assert np.abs(part - audio[at : at + len(part)]).max() < ROUNDING_ATOL
        assert at / fs == pytest.approx(place * (len(audio) / fs - 2.0), abs=ENTRY_ATOL_S)


def test_a_tag_in_front_does_not_move_the_place(folder: Path, tmp_path: Path) -> None:
    content = (folder / "cbr.mp3").read_bytes()
    start = first_frame(content)
    assert start is not None
    size = 2_000_000
    head = b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    path = tmp_path / "cover.mp3"
    path.write_bytes(head + bytes(size) + content[start:])
    part = read_inside(path, 0.5, 44_100, 44_100.0)
    assert part is not None
    at = found_at(whole(folder / "cbr.mp3"), part)
    assert at / 44_100 == pytest.approx(0.5 * SECONDS, abs=ENTRY_ATOL_S)


@pytest.mark.alone
def test_it_is_quick(tmp_path: Path, folder: Path) -> None:
    # Half an hour, made by saying the same again; from its start it would take ten seconds.
    content = (folder / "cbr.mp3").read_bytes()
    path = tmp_path / "long.mp3"
    path.write_bytes(content * 75)
    begin = time.perf_counter()
    assert len(read_stretch(path, 0.9, 3.0)[0]) == 3 * 44_100
    assert time.perf_counter() - begin < 1.0


def test_nothing_to_enter(folder: Path, tmp_path: Path) -> None:
    assert read_inside(folder / "cbr.mp3", 0.999, 44_100, 44_100.0) is None
    assert read_inside(folder / "cbr.mp3", 0.5, 44_100, 48_000.0) is None
    path = tmp_path / "noise.mp3"
    path.write_bytes(np.random.default_rng(1).bytes(50_000))
    assert read_inside(path, 0.1, 4410, 44_100.0) is None
    path.write_bytes(b"")
    assert read_inside(path, 0.1, 4410, 44_100.0) is None


def test_headers() -> None:
    assert frame_bytes(b"\xff\xfb\x92\x00") == 418
    assert frame_bytes(b"\xff\xf3\x40\xc0") == 72 * 32_000 // 22_050
    assert frame_bytes(b"\xff\xe3\x40\xc0") == 72 * 32_000 // 11_025
    for head in (b"\xff\xfb\xf0\x00", b"\xff\xfb\x00\x00", b"\xff\xfb\x9c\x00", b"RIFF", b"\xff"):
        assert frame_bytes(head) == 0
