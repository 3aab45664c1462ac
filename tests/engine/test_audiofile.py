"""Sound files in: every format sample by sample against another reader, every defect in one line."""

import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from sound_files import (
    decoded,
    ffmpeg,
    float_wav,
    noise,
    to_pcm,
    write_float,
    write_pcm,
)

from semeq.engine.audiofile import AudioReader
from semeq.engine.errors import AudioFileError
from semeq.engine.units import Audio

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg makes the inputs")

FRAMES = 10_007
#: Codec of ffmpeg, suffix, bits that survive.
PCM = [
    ("pcm_u8", "wav", 8),
    ("pcm_s16le", "wav", 16),
    ("pcm_s24le", "wav", 24),
    ("pcm_s32le", "wav", 24),
    ("pcm_f32le", "wav", 24),
    ("pcm_f64le", "wav", 24),
    ("pcm_s8", "aiff", 8),
    ("pcm_s16be", "aiff", 16),
    ("pcm_s24be", "aiff", 24),
    ("pcm_s32be", "aiff", 24),
    ("pcm_f32be", "aiff", 24),
    ("pcm_f64be", "aiff", 24),
    ("pcm_s16le", "aiff", 16),  # "sowt": little-endian AIFF-C
]


def read(path: Path, frames: int = 4096) -> Audio:
    return np.concatenate(list(AudioReader(path).blocks(frames)))


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write stereo noise with both extremes of full scale, 24 bits."""
    pcm = to_pcm(noise(FRAMES), 24)
    pcm[5] = 2**23 - 1, -(2**23)
    return write_pcm(tmp_path_factory.mktemp("master") / "in.wav", pcm, 24)


@pytest.mark.parametrize(("codec", "suffix", "bits"), PCM)
def test_linear_formats_are_read_exactly(
    master: Path, tmp_path: Path, codec: str, suffix: str, bits: int
) -> None:
    path = ffmpeg(master, tmp_path / f"x.{suffix}", "-c:a", codec)
    theirs = decoded(path, 2, "f64le").astype(np.float64)
    assert np.array_equal(theirs * 2 ** (bits - 1), np.rint(theirs * 2 ** (bits - 1)))
    reader = AudioReader(path)
    assert (reader.fs, reader.channels, reader.source.frames) == (48_000.0, 2, FRAMES)
    assert np.array_equal(read(path), theirs)


@pytest.mark.parametrize("bits", [16, 24])
def test_flac_is_read_exactly(master: Path, tmp_path: Path, bits: int) -> None:
    path = ffmpeg(master, tmp_path / "x.flac", "-sample_fmt", {16: "s16", 24: "s32"}[bits])
    assert np.array_equal(read(path), decoded(path, 2, "f64le"))


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_lossy_sounds_start_and_end_where_they_did(
    master: Path, tmp_path: Path, suffix: str
) -> None:
    path = ffmpeg(master, tmp_path / f"x.{suffix}", "-b:a", "192k")
    ours, theirs = read(path), decoded(path, 2)
    assert len(ours) == FRAMES
    assert abs(len(theirs) - FRAMES) < 256  # ffmpeg does not cut the end of an Ogg to the sample
    both = min(len(ours), len(theirs))
    # two decoders in float32; a shift by one sample would be at noise level
    assert np.abs(ours[:both] - theirs[:both].astype(np.float32)).max() < 2e-4


def test_an_mp3_without_a_tag_is_read_to_its_end(master: Path, tmp_path: Path) -> None:
    path = ffmpeg(master, tmp_path / "x.mp3", "-write_xing", "0", "-id3v2_version", "0")
    reader = AudioReader(path)
    assert reader.source.frames is None
    assert FRAMES <= len(read(path)) <= FRAMES + 4 * 1152


@pytest.mark.parametrize("codec", ["pcm_alaw", "pcm_mulaw", "adpcm_ms"])
def test_telephone_codecs(master: Path, tmp_path: Path, codec: str) -> None:
    path = ffmpeg(master, tmp_path / "x.wav", "-c:a", codec)
    theirs = decoded(path, 2, "s16le").astype(np.float64) / 32768.0
    ours = read(path)
    # JUCE divides by 32,767
    np.testing.assert_allclose(ours[: len(theirs)], theirs[: len(ours)], atol=4e-5)
    assert abs(len(ours) - len(theirs)) < 2048


@pytest.mark.parametrize("channels", range(1, 9))
def test_channels_keep_their_order(tmp_path: Path, channels: int) -> None:
    x = np.arange(1, 1 + channels, dtype=np.float32)[None] * np.float32(0.1)
    pcm = to_pcm(np.repeat(x, 500, axis=0), 16)
    path = write_pcm(tmp_path / "x.wav", pcm, 16)
    assert np.array_equal(read(path), pcm / 32768.0)
    flac = ffmpeg(path, tmp_path / "x.flac")
    assert np.array_equal(read(flac), pcm / 32768.0)


@pytest.mark.parametrize("fs", [8000, 11_025, 22_050, 44_100, 88_200, 192_000])
def test_sample_rates(tmp_path: Path, fs: int) -> None:
    path = write_pcm(tmp_path / "x.wav", to_pcm(noise(100, 1), 16), 16, fs)
    assert AudioReader(path).fs == fs


def test_blocks_are_as_long_as_asked(master: Path) -> None:
    lengths = [len(block) for block in AudioReader(master).blocks(1000)]
    assert lengths == [1000] * 10 + [7]


def test_a_reader_starts_again(master: Path) -> None:
    reader = AudioReader(master)
    first = next(iter(reader.blocks(100)))
    assert np.array_equal(np.concatenate(list(reader.blocks()))[:100], first)


def test_blocks_can_be_changed_by_whoever_gets_them(tmp_path: Path) -> None:
    path = write_float(tmp_path / "x.wav", noise(500))
    before = read(path)
    for block in AudioReader(path).blocks(100):
        block *= np.float32(0.0)
    assert np.array_equal(read(path), before)


def test_a_wav_from_a_pipe_has_the_length_of_what_is_there(master: Path, tmp_path: Path) -> None:
    # ffmpeg cannot go back to write the sizes: they are 0xFFFFFFFF
    path = tmp_path / "pipe.wav"
    raw = bytearray(master.read_bytes())
    raw[4:8] = raw[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(raw)
    assert np.array_equal(read(path), read(master))


def test_a_wav_whose_header_was_never_finished(master: Path, tmp_path: Path) -> None:
    raw = bytearray(master.read_bytes())
    raw[4:8] = raw[40:44] = b"\0\0\0\0"  # a recorder that lost power
    path = tmp_path / "x.wav"
    path.write_bytes(raw)
    assert "the 24-bit WAV has a header that was never finished" in refused(path)
    x = noise(500)
    raw = bytearray(float_wav(x))
    raw[4:8] = raw[40:44] = b"\0\0\0\0"
    path.write_bytes(raw)
    assert np.array_equal(read(path), x)


def test_rf64(master: Path, tmp_path: Path) -> None:
    path = ffmpeg(master, tmp_path / "x.wav", "-rf64", "always", "-c:a", "pcm_s24le")
    assert path.read_bytes()[:4] == b"RF64"
    assert np.array_equal(read(path), read(master))


def test_the_content_counts_and_not_the_suffix(master: Path, tmp_path: Path) -> None:
    flac = ffmpeg(master, tmp_path / "x.flac", "-sample_fmt", "s32")
    renamed = flac.rename(tmp_path / "x.wav")
    assert AudioReader(renamed).source.kind == "flac"
    assert np.array_equal(read(renamed), read(master))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_damaged_samples_become_silence_and_are_counted(
    tmp_path: Path,
    kind: type[np.floating],
) -> None:
    x = noise(1000).astype(kind)
    x[10, 0], x[11, 1], x[500, 0], x[501, 1] = np.nan, np.inf, -np.inf, 1e30
    reader = AudioReader(write_float(tmp_path / "x.wav", x))
    for _ in range(2):  # counted afresh each time
        y = np.concatenate(list(reader.blocks(300)))
        assert reader.bad_samples == 4
        assert np.isfinite(y).all()
        assert (y[10, 0], y[11, 1], y[500, 0], y[501, 1]) == (0.0, 0.0, 0.0, 0.0)
        assert np.array_equal(y[12:500], x[12:500].astype(np.float32))


def refused(path: Path) -> str:
    """Return the one line that says why a file cannot be read."""
    with pytest.raises(AudioFileError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message


def test_missing(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.wav").endswith("cannot be read: no such file or directory")


def test_folder(tmp_path: Path) -> None:
    assert "is a folder: name its files" in refused(tmp_path)


def test_empty(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.touch()
    assert "is empty (0 bytes)" in refused(path)


def test_text_called_wav(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_text("This is not a sound.\n" * 50)
    assert "must be a sound file that can be read here" in refused(path)


@pytest.mark.parametrize("size", [1, 3, 15])
def test_a_few_bytes(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(b"\xff\xfb\x90\x64RIFFfLaCOggS"[:size])
    refused(path)


@pytest.mark.parametrize(
    ("suffix", "said"),
    [
        ("wav", "is cut short: the 24-bit WAV holds 5,"),
        ("aiff", "is cut short: the 24-bit AIFF holds 5,"),
        ("flac", "do not match its checksum"),
        ("ogg", "is cut short: the Ogg Vorbis has no last page"),
        ("mp3", "is cut short: the MP3 ends "),
    ],
)
def test_cut_short(master: Path, tmp_path: Path, suffix: str, said: str) -> None:
    options = {"aiff": ["-c:a", "pcm_s24be"], "wav": ["-c:a", "copy"], "mp3": ["-b:a", "320k"]}
    path = ffmpeg(master, tmp_path / f"x.{suffix}", *options.get(suffix, []))
    raw = path.read_bytes()
    read(path)
    path.write_bytes(raw[: int(len(raw) * 0.55)])
    assert said in refused(path)


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "ogg", "mp3"])
def test_cut_anywhere_is_one_line(master: Path, tmp_path: Path, suffix: str) -> None:
    whole = ffmpeg(master, tmp_path / f"x.{suffix}").read_bytes()
    for size in [*range(1, 200, 7), len(whole) // 2]:
        path = tmp_path / f"cut.{suffix}"
        path.write_bytes(whole[:size])
        refused(path)


def test_damage_inside_a_flac(master: Path, tmp_path: Path) -> None:
    path = ffmpeg(master, tmp_path / "x.flac")
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 200] = bytes(200)
    path.write_bytes(raw)
    assert "is damaged or cut short: its samples do not match its checksum" in refused(path)


@pytest.mark.parametrize("suffix", ["opus", "ogg"])
def test_opus_is_named(master: Path, tmp_path: Path, suffix: str) -> None:
    path = ffmpeg(master, tmp_path / f"x.{suffix}", "-c:a", "libopus")
    said = refused(path)
    assert "holds Opus, which cannot be read here; convert it first: ffmpeg -i" in said


@pytest.mark.parametrize("suffix", ["m4a", "caf", "au", "w64"])
def test_other_formats(master: Path, tmp_path: Path, suffix: str) -> None:
    path = ffmpeg(master, tmp_path / f"x.{suffix}", "-ac", "1")
    assert "must be a sound file that can be read here (wav, aiff, flac, ogg" in refused(path)


def test_no_frames(tmp_path: Path) -> None:
    path = write_float(tmp_path / "x.wav", np.zeros((0, 2), dtype=np.float32))
    assert refused(path).endswith("must hold sound, got 0 frames")


def test_no_channels(tmp_path: Path) -> None:
    raw = bytearray(float_wav(noise(100)))
    raw[22:24] = b"\0\0"
    path = tmp_path / "x.wav"
    path.write_bytes(raw)
    assert refused(path).endswith("must have 1 to 8 channels, got 0")


def test_too_many_channels(tmp_path: Path) -> None:
    path = write_float(tmp_path / "x.wav", noise(100, 9))
    assert refused(path).endswith("must have 1 to 8 channels, got 9")
    path = write_pcm(tmp_path / "y.wav", to_pcm(noise(100, 9), 16), 16)
    assert refused(path).endswith("must have 1 to 8 channels, got 9")


@pytest.mark.parametrize("fs", [7999, 192_001, 384_000])
def test_sample_rates_out_of_range(tmp_path: Path, fs: int) -> None:
    path = write_float(tmp_path / "x.wav", noise(100), fs)
    assert (
        f"must have a sample rate that is a whole number in [8000, 192000] Hz, got {fs}"
        in refused(path)
    )


def test_no_sample_rate(tmp_path: Path) -> None:
    refused(write_float(tmp_path / "x.wav", noise(100), 0))


def test_a_wav_without_data(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4) + b"WAVE")
    assert "is cut short: the WAV has no format chunk" in refused(path)
    path.write_bytes(float_wav(noise(10))[:36])
    assert "is cut short: the WAV has no data chunk" in refused(path)


def test_a_chunk_that_claims_more_than_there_is(tmp_path: Path) -> None:
    raw = bytearray(float_wav(noise(100)))
    raw[16:20] = b"\xff\xff\xff\x7f"  # the format chunk
    path = tmp_path / "x.wav"
    path.write_bytes(raw)
    refused(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="drops its rights in a child process")
def test_unreadable(tmp_path: Path) -> None:
    path = write_float(tmp_path / "x.wav", noise(100))
    path.chmod(0)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:  # as nobody: root reads everything
        try:
            if os.getuid() == 0:
                os.setuid(65_534)
            AudioReader(path)
        except AudioFileError as error:
            os.write(write_end, str(error).encode())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    assert said == f"{path} cannot be read: permission denied"
