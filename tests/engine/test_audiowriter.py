"""Sound files out: exact where the format can be, dithered where it must be, one line where it cannot."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from sound_files import decoded, noise, to_pcm

from semeq.engine.audiofile import AudioReader
from semeq.engine.audiowriter import SUFFIXES, AudioWriter, Encoding, encoding_for
from semeq.engine.containers import Container
from semeq.engine.errors import AudioFileError
from semeq.engine.units import Audio

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg reads the outputs")

FS = 48_000.0


def write(
    path: Path,
    x: Audio,
    encoding: Encoding,
    *,
    fs: float = FS,
    dither: bool = False,
    block: int = 999,
) -> int:
    with (
        path.open("w+b", buffering=0) as file,
        AudioWriter(file, encoding, fs, x.shape[1], dither=dither) as writer,
    ):
        for at in range(0, len(x), block):
            writer.write(x[at : at + block])
    return writer.clipped


@pytest.mark.parametrize(
    ("kind", "bits"),
    [(k, b) for k in ("wav", "aiff", "flac") for b in (8, 16, 24) if (k, b) != ("flac", 8)],
)
def test_integers_are_written_exactly(tmp_path: Path, kind: str, bits: int) -> None:
    pcm = to_pcm(noise(5000, 3), bits)
    pcm[7] = 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), -1
    x = (pcm / 2.0 ** (bits - 1)).astype(np.float32)
    path = tmp_path / f"x.{kind}"
    assert write(path, x, Encoding(kind, f"int{bits}")) == 0
    assert np.array_equal(decoded(path, 3, "s32le").astype(np.int64), pcm << (32 - bits))
    assert AudioReader(path).source.sample_format == f"int{bits}"


def test_floats_are_written_bit_for_bit(tmp_path: Path) -> None:
    x = noise(5000, 2)
    x[3], x[4] = 7.5, np.float32(1e-40)
    path = tmp_path / "x.wav"
    write(path, x, Encoding("wav", "float32"))
    assert decoded(path, 2).tobytes() == x.tobytes()
    assert AudioReader(path).source.sample_format == "float32"


@pytest.mark.parametrize("kind", ["ogg", "mp3"])
def test_lossy_formats_are_close_and_in_time(tmp_path: Path, kind: str) -> None:
    n = np.arange(20_000)
    x = (0.5 * np.sin(2.0 * np.pi * 1000.0 * n / FS) * np.hanning(len(n))).astype(np.float32)[
        :, None
    ]
    path = tmp_path / f"x.{kind}"
    write(path, x, Encoding(kind, "lossy"))
    y = np.concatenate(list(AudioReader(path).blocks()))
    assert len(y) == len(x)
    assert np.abs(y - x).max() < 0.02


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("frames", [1, 2, 3, 8])
def test_sounds_as_long_as_they_have_channels(tmp_path: Path, channels: int, frames: int) -> None:
    # Pedalboard takes a square array for a mistake
    pcm = to_pcm(noise(frames, channels), 16)
    path = tmp_path / "x.wav"
    write(path, (pcm / 32768.0).astype(np.float32), Encoding("wav", "int16"))
    assert np.array_equal(decoded(path, channels, "s16le"), pcm)


def test_dither_only_where_it_is_wanted_and_of_use(tmp_path: Path) -> None:
    x = noise(3000)
    path = tmp_path / "x.wav"
    for bits, changes in ((16, True), (24, False)):
        encoding = Encoding("wav", f"int{bits}")
        write(path, x, encoding)
        plain = path.read_bytes()
        write(path, x, encoding, dither=True)
        assert (path.read_bytes() != plain) is changes
        write(path, x, encoding, dither=True, block=77)
        again = path.read_bytes()
        write(path, x, encoding, dither=True, block=3000)
        assert path.read_bytes() == again


def test_clipping_is_counted(tmp_path: Path) -> None:
    x = noise(100)
    x[5], x[6] = 1.5, -1.5
    assert write(tmp_path / "x.wav", x, Encoding("wav", "int16")) == 4
    assert write(tmp_path / "y.wav", x, Encoding("wav", "float32")) == 0


def test_a_file_that_fails_says_so(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        AudioWriter(Full(), Encoding("wav", "float32"), FS, 2, dither=False).write(noise(100_000))


SOURCES = {
    "int8": Container("wav", "int8", "8-bit WAV"),
    "int16": Container("wav", "int16", "16-bit WAV"),
    "int24": Container("wav", "int24", "24-bit WAV"),
    "int32": Container("wav", "int32", "32-bit WAV"),
    "float32": Container("wav", "float32", "32-bit float WAV"),
    "float64": Container("wav", "float64", "64-bit float WAV"),
    "coded": Container("wav", "coded", "8-bit WAV"),
    "lossy": Container("mp3", "lossy", "MP3"),
    "": Container(),
}


@pytest.mark.parametrize(
    ("source", "wav", "aiff", "flac"),
    [
        ("int8", "int8", "int8", "int16"),
        ("int16", "int16", "int16", "int16"),
        ("int24", "int24", "int24", "int24"),
        ("int32", "float32", "int24", "int24"),
        ("float32", "float32", "int24", "int24"),
        ("float64", "float32", "int24", "int24"),
        ("coded", "int16", "int16", "int16"),
        ("lossy", "float32", "int24", "int24"),
        ("", "float32", "int24", "int24"),
    ],
)
def test_bit_depth_is_kept_where_the_container_allows(
    source: str, wav: str, aiff: str, flac: str
) -> None:
    for suffix, expected in ((".wav", wav), (".AIF", aiff), (".flac", flac)):
        chosen = encoding_for(Path("x" + suffix), SOURCES[source], FS, 2)
        assert chosen.sample_format == expected
        loses = source in ("int32", "float64") or (source in ("float32", "") and suffix != ".wav")
        assert bool(chosen.note) is loses


@pytest.mark.parametrize("suffix", ["", ".xyz", ".m4a", ".wav2"])
def test_unknown_suffixes_are_refused(suffix: str) -> None:
    with pytest.raises(AudioFileError, match=r"must end in one of \.wav .*: got"):
        encoding_for(Path("x" + suffix), SOURCES["int16"], FS, 2)


def test_opus_is_refused_by_name() -> None:
    with pytest.raises(AudioFileError, match="Opus cannot be written"):
        encoding_for(Path("x.opus"), SOURCES["int16"], FS, 2)


@pytest.mark.parametrize(("fs", "channels"), [(96_000.0, 2), (48_000.0, 3)])
def test_what_mp3_cannot_hold_is_refused(fs: float, channels: int) -> None:
    with pytest.raises(AudioFileError, match=r"MP3 has 1 or 2 channels .* choose \.flac or \.wav"):
        encoding_for(Path("x.mp3"), SOURCES["int16"], fs, channels)


@pytest.mark.parametrize("kind", sorted(set(SUFFIXES.values()) - {"mp3"}))
@pytest.mark.parametrize("fs", [8000.0, 11_025.0, 192_000.0])
def test_sample_rates_are_kept(tmp_path: Path, kind: str, fs: float) -> None:
    path = tmp_path / f"x.{kind}"
    stored = "lossy" if kind == "ogg" else "int16"
    write(path, noise(3000, 8), Encoding(kind, stored), fs=fs)
    reader = AudioReader(path)
    assert (reader.fs, reader.channels) == (fs, 8)
