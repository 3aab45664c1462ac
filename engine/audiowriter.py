"""Writing a sound file so that as much as possible of the original is kept.

Sample rate and channels always are, bit depth where the container allows it: see the table in
`semeq.engine.audiofile`. Eight and sixteen bits get dither where samples have changed.
"""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import numpy as np
import numpy.typing as npt
from pedalboard.io import AudioFile, WriteableAudioFile

from semeq.engine.containers import Container
from semeq.engine.errors import AudioFileError
from semeq.engine.floatwav import MAX_BYTES, FloatWavWriter
from semeq.engine.samples import to_integers
from semeq.engine.units import Audio

#: Containers by the suffix of a file to write.
SUFFIXES = {
    ".wav": "wav",
    ".wave": "wav",
    ".bwf": "wav",
    ".aif": "aiff",
    ".aiff": "aiff",
    ".flac": "flac",
    ".ogg": "ogg",
    ".oga": "ogg",
    ".mp3": "mp3",
}
#: Lossy outputs are second generations: the bit rate is high.
QUALITY = {"ogg": "320 kbps", "mp3": "320 kbps"}
_MP3_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How an output is written: a container, its sample format, and what was lost on the way."""

    kind: str
    sample_format: str
    note: str = ""

    @property
    def is_float(self) -> bool:
        """Whether samples beyond full scale survive."""
        return self.sample_format == "float32"

    @property
    def bits(self) -> int:
        """Bits of a sample as it is handed to the encoder."""
        return {"int8": 8, "int16": 16, "int24": 24}.get(self.sample_format, 32)


def encoding_for(path: Path, source: Container, fs: float, channels: int) -> Encoding:
    """Return how to write `path` so that as much as possible of `source` is kept.

    Raises
    ------
    AudioFileError
        If the suffix is unknown or the container cannot hold the sound.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        known = " ".join(SUFFIXES)
        what = (
            "Opus cannot be written" if path.suffix.lower() == ".opus" else f"got {path.suffix!r}"
        )
        raise AudioFileError(f"{path} must end in one of {known}: {what}")
    if kind == "mp3" and (channels > 2 or fs not in _MP3_RATES):
        raise AudioFileError(
            f"{path} cannot hold {channels} channels at {fs:g} Hz: MP3 has 1 or 2 channels at "
            f"{_MP3_RATES[0]} to {_MP3_RATES[-1]} Hz; choose .flac or .wav"
        )
    if kind in ("mp3", "ogg"):
        return Encoding(kind, "lossy")
    stored = source.sample_format
    if stored == "coded":  # telephone codecs decode to at most 16 bits
        return Encoding(kind, "int16")
    if kind == "wav":
        if stored in ("int8", "int16", "int24"):
            return Encoding(kind, stored)
        note = (
            f"{source.codec} is written as 32-bit float" if stored in ("int32", "float64") else ""
        )
        return Encoding(kind, "float32", note)
    if stored == "int8":
        return Encoding(kind, "int8" if kind == "aiff" else "int16")
    if stored in ("int16", "int24"):
        return Encoding(kind, stored)
    note = "" if stored == "lossy" else f"{source.codec} is written as 24-bit {kind.upper()}"
    return Encoding(kind, "int24", note)


class _Sink:
    """Our open file as Pedalboard sees it: it never fails, but remembers that it did.

    An exception inside an encoder's call is turned into another one, or lost.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        if self.error is None:
            try:
                self._file.write(data)
            except BaseException as error:
                self.error = error
        return len(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        return self._file.seek(position, whence) if self.error is None else position

    def tell(self) -> int:
        return self._file.tell() if self.error is None else 0

    def seekable(self) -> bool:
        return True

    def flush(self) -> None:
        """Leave that to whoever owns the file."""

    def check(self) -> None:
        """Raise what went wrong."""
        if self.error is not None:
            raise self.error


class AudioWriter:
    """A sound file being written into an open file; a context manager.

    Parameters
    ----------
    file : BinaryIO
        Open for reading and writing, with nothing in it.
    encoding : Encoding
        From `encoding_for`.
    fs : float
        Sample rate in Hz.
    channels : int
        Channels of every block.
    dither : bool
        Whether 8 and 16-bit samples get dither; leave it off where they are to stay as they are.
    """

    def __init__(
        self, file: BinaryIO, encoding: Encoding, fs: float, channels: int, *, dither: bool
    ) -> None:
        self.encoding = encoding
        self._channels = channels
        self._dither = dither and encoding.bits <= 16
        self._position = 0
        #: Samples beyond full scale that an integer format could not hold.
        self.clipped = 0
        self._sink = _Sink(file)
        self._backend: WriteableAudioFile = AudioFile(
            cast(BinaryIO, self._sink),  # as much of one as an encoder needs
            "w",
            samplerate=fs,
            num_channels=channels,
            bit_depth=encoding.bits if encoding.sample_format != "lossy" else 16,
            quality=QUALITY.get(encoding.kind),
            format=encoding.kind,
        )

    def write(self, block: Audio) -> None:
        """Append ``(frames, channels)``."""
        shape = block.shape[::-1]
        bits = self.encoding.bits
        planes: npt.NDArray[Any]
        if bits == 32:
            planes = np.ascontiguousarray(block.T)
        else:
            planes = np.empty(shape, dtype={8: np.int8, 16: np.int16, 24: np.int32}[bits])
            self.clipped += to_integers(
                block,
                2.0 ** (bits - 1),
                8 if bits == 24 else 0,
                self._dither,
                self._position,
                planes,
            )
        self._position += len(block)
        if shape[0] == shape[1] > 1:
            # Pedalboard cannot tell frames from channels in a square, unless it saw a block before
            self._backend.write(planes[:, :1])
            planes = planes[:, 1:]
        if planes.size:
            self._backend.write(planes)
        self._sink.check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._backend.close()
        if error is None:
            self._sink.check()


def open_writer(
    file: BinaryIO,
    encoding: Encoding,
    fs: float,
    shape: tuple[int | None, int],
    *,
    dither: bool,
) -> AudioWriter | FloatWavWriter:
    """Return the writer for an encoding, a context manager.

    Parameters are those of `AudioWriter`, but for `shape`: frames, or None if nobody knows how many there
    will be, and channels.
    """
    frames, channels = shape
    fits = frames is not None and frames * channels * 4 <= MAX_BYTES
    if encoding.kind == "wav" and encoding.is_float and fits:
        return FloatWavWriter(file, fs, channels)
    return AudioWriter(file, encoding, fs, channels, dither=dither)
