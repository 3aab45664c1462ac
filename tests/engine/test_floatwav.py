"""Float WAV as it stands: other readers see the same samples, channels and rates."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from pedalboard.io import AudioFile
from sound_files import decoded, noise

from semeq.engine import audiowriter
from semeq.engine.audiofile import AudioReader
from semeq.engine.audiowriter import AudioWriter, Encoding, open_writer
from semeq.engine.floatwav import FloatWavWriter
from semeq.engine.units import Audio

ENCODING = Encoding("wav", "float32")


def write(path: Path, x: Audio, fs: float, frames: int | None) -> type:
    with path.open("w+b") as file:
        with open_writer(file, ENCODING, fs, (frames, x.shape[1]), dither=True) as writer:
            for at in range(0, len(x), 777):
                writer.write(x[at : at + 777])
        file.write(b"more")  # the next chunk goes behind the samples
    return type(writer)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg reads the outputs")
@pytest.mark.parametrize("channels", range(1, 9))
def test_others_read_what_was_written(tmp_path: Path, channels: int) -> None:
    x = noise(2000, channels)
    x[3, 0] = 5.0
    path = tmp_path / "x.wav"
    assert write(path, x, 44_100.0, len(x)) is FloatWavWriter
    assert decoded(path, channels).tobytes() == x.tobytes()
    with AudioFile(str(path)) as file:
        assert (file.samplerate, file.num_channels, file.frames) == (44_100, channels, len(x))
        assert file.file_dtype == "float32"
        assert np.array_equal(file.read(len(x)).T, x)
    reader = AudioReader(path)
    assert np.array_equal(np.concatenate(list(reader.blocks())), x)
    assert path.read_bytes().endswith(b"more")


@pytest.mark.parametrize("frames", [1, 2])
def test_small_sounds(tmp_path: Path, frames: int) -> None:
    x = noise(frames, 3)
    write(tmp_path / "x.wav", x, 8000.0, frames)
    assert np.array_equal(np.concatenate(list(AudioReader(tmp_path / "x.wav").blocks())), x)


def test_what_may_not_fit_is_left_to_pedalboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = noise(2000, 2)
    assert write(tmp_path / "x.wav", x, 48_000.0, None) is AudioWriter
    monkeypatch.setattr(audiowriter, "MAX_BYTES", 15_999)
    assert write(tmp_path / "y.wav", x, 48_000.0, 2000) is AudioWriter
    assert write(tmp_path / "z.wav", x, 48_000.0, 1999) is FloatWavWriter


def test_a_failure_is_not_dressed_up_as_a_sound(tmp_path: Path) -> None:
    def fail() -> None:
        with (
            (tmp_path / "x.wav").open("w+b") as file,
            FloatWavWriter(file, 48_000.0, 2) as writer,
        ):
            writer.write(noise(100))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    raw = (tmp_path / "x.wav").read_bytes()
    assert int.from_bytes(raw[54:58], "little") == 0  # the header was not finished
