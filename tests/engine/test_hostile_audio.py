"""Headers that lie: each of these crashed, hung or escaped as another error, and is one line now."""

import math
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from sound_files import ffmpeg, float_wav, noise, to_pcm, write_pcm

from semeq.engine import tags
from semeq.engine.audiofile import AudioReader
from semeq.engine.chunks import carry_chunks
from semeq.engine.containers import chunks, read_aiff
from semeq.engine.errors import AudioFileError
from semeq.engine.flac_end import has_end
from semeq.engine.render import RenderJob, render_file
from semeq.engine.vorbis_setup import check_setup, setup_packet

FRAMES = 6000


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pcm(
        tmp_path_factory.mktemp("sounds") / "master.wav", to_pcm(noise(FRAMES), 16), 16
    )


def refused(path: Path) -> str:
    began = time.process_time()
    with pytest.raises(AudioFileError) as caught:
        for _ in AudioReader(path).blocks():
            pass
    assert time.process_time() - began < 2.0
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(path: Path, at: int, content: bytes) -> Path:
    raw = bytearray(path.read_bytes())
    raw[at : at + len(content)] = content
    path.write_bytes(raw)
    return path


def ogg_page(page: bytearray) -> bytes:
    """Return a page with its checksum put right."""
    page[22:26] = bytes(4)
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    page[22:26] = struct.pack("<I", crc)
    return bytes(page)


def test_an_ogg_with_broken_codebooks(master: Path, tmp_path: Path) -> None:
    """The decoder divided by zero: the process was gone."""
    path = ffmpeg(master, tmp_path / "x.ogg")
    raw = path.read_bytes()
    assert len(next(iter(AudioReader(path).blocks(FRAMES)))) == FRAMES
    with path.open("rb") as file:
        whole = setup_packet(file)
    check_setup(whole, 2)
    second = raw.index(b"OggS", 27)
    third = raw.index(b"OggS", second + 27)
    at = raw.index(whole[:50])
    refusals = set()
    for offset in range(8, 2000, 83):
        page = bytearray(raw[second:third])
        page[at - second + offset : at - second + offset + 4] = b"\0\xff\0\xff"
        path.write_bytes(raw[:second] + ogg_page(page) + raw[third:])
        refusals.add(refused(path).partition("is damaged: ")[2])
    assert any("a codebook" in said for said in refusals)
    assert all(said.startswith("the Ogg Vorbis has ") for said in refusals)
    for size in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        with pytest.raises(ValueError, match="setup header"):
            check_setup(whole[:size], 2)


@pytest.mark.parametrize("frames", [67_114_864, 2**36 - 1])
def test_a_flac_that_says_it_lasts_for_weeks(master: Path, tmp_path: Path, frames: int) -> None:
    """It was filled with silence, for hours."""
    path = ffmpeg(master, tmp_path / "x.flac")
    packed = int.from_bytes(path.read_bytes()[18:26], "big")
    changed(path, 18, (packed >> 36 << 36 | frames).to_bytes(8, "big"))
    assert f"is damaged: the 16-bit FLAC says {frames:,} frames" in refused(path)


@pytest.mark.parametrize("seconds", [1, 20])
def test_a_flac_of_silence_is_whole(tmp_path: Path, seconds: int) -> None:
    silence = write_pcm(tmp_path / "x.wav", np.zeros((48_000 * seconds, 2), dtype=np.int64), 16)
    path = ffmpeg(silence, tmp_path / "x.flac")
    assert sum(map(len, AudioReader(path).blocks())) == 48_000 * seconds
    with path.open("rb") as file:
        assert has_end(file, 48_000 * seconds, 4608)
        assert not has_end(file, 48_000 * seconds + 1, 4608)


def test_every_flac_shows_its_end(master: Path, tmp_path: Path) -> None:
    for size in (192, 1000, 4096, 20_000):
        path = ffmpeg(master, tmp_path / "x.flac", "-frame_size", str(size))
        with path.open("rb") as file:
            assert has_end(file, FRAMES, size)


def test_an_mp3_that_says_it_lasts_for_years(master: Path, tmp_path: Path) -> None:
    path = ffmpeg(master, tmp_path / "x.mp3")
    at = path.read_bytes().index(b"Info") + 8
    changed(path, at, b"\x7f\xff\xff\xff")
    assert "frames, more than fit in so many bytes" in refused(path)


def test_telephone_codecs_with_impossible_blocks(master: Path, tmp_path: Path) -> None:
    """The decoder read outside its memory: the process was gone."""
    for codec, at, content in (
        ("adpcm_ms", 34, b"\0\1"),
        ("adpcm_ms", 32, b"\1\0"),
        ("adpcm_ima_wav", 32, b"\0\0"),
        ("pcm_alaw", 34, b"\xff\xff"),
        ("pcm_mulaw", 32, b"\xff\xff"),
        ("pcm_alaw", 24, bytes(4)),  # the sample rate
    ):
        path = ffmpeg(master, tmp_path / "x.wav", "-c:a", codec)
        assert sum(map(len, AudioReader(path).blocks())) >= FRAMES
        refused(changed(path, at, content))


def test_an_aiff_with_a_rate_that_no_double_holds(master: Path, tmp_path: Path) -> None:
    path = ffmpeg(master, tmp_path / "x.aiff")
    at = path.read_bytes().index(b"COMM") + 16
    refused(changed(path, at, b"\x7f\xff"))
    with path.open("rb") as file:
        assert read_aiff(file, path.stat().st_size).fs == math.inf


def test_an_rf64_that_ends_inside_its_sizes(master: Path, tmp_path: Path) -> None:
    path = ffmpeg(master, tmp_path / "x.wav", "-rf64", "always")
    path.write_bytes(path.read_bytes()[:30])
    assert "has no format chunk" in refused(path)


def test_chunks_without_end(tmp_path: Path) -> None:
    """64 MB of zeros behind a header are eight million chunks; they took minutes."""
    path = tmp_path / "x.wav"
    path.write_bytes(b"RIFF\xff\xff\xff\x7fWAVE")
    with path.open("r+b") as file:
        file.truncate(64 << 20)
        assert len(list(chunks(file, "<", 64 << 20))) == 10_000
    refused(path)


def test_no_more_is_carried_over_than_tags_are_long(tmp_path: Path) -> None:
    """Many large chunks were held in memory together."""
    path, target = tmp_path / "x.wav", tmp_path / "y.wav"
    path.write_bytes(float_wav(noise(10)))
    with path.open("r+b") as file:
        file.seek(0, 2)
        for _ in range(4):
            file.write(struct.pack("<4sI", b"note", 40 << 20))
            file.seek(40 << 20, 1)
        file.write(b"\0")
    target.write_bytes(float_wav(noise(10)))
    with path.open("rb") as source, target.open("r+b") as new:
        carry_chunks(source, new, "wav")
    assert target.stat().st_size < 50 << 20


def test_tags_that_claim_what_cannot_be_are_a_warning(
    master: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment of 4 GB was a MemoryError, and the render was lost."""
    path = ffmpeg(master, tmp_path / "x.flac")

    def too_much(*_: object) -> None:
        raise MemoryError

    monkeypatch.setitem(tags._OPEN, "flac", too_much)
    report = render_file(RenderJob(path, tmp_path / "y.ogg"))
    assert "tags could not be kept: MemoryError" in report.warnings
