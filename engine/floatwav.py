"""32-bit float WAV, written as it stands: there is nothing to encode.

Our blocks are what such a file holds. Pedalboard would turn them into planes and back, which takes half as
long as seven filters; so they go into the file as they are. Files that might grow beyond 4 GB, the limit of
this header, are left to Pedalboard, which knows RF64.
"""

import struct
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from semeq.engine.units import Audio

#: Sounds of up to so many bytes fit, with room for chunks of other content behind them.
MAX_BYTES = (1 << 32) - (256 << 20)
# which loudspeakers the channels are for, in WAV's order; nothing is said of one or two
_MASKS = {3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
_FLOAT, _EXTENSIBLE = 3, 0xFFFE
_FLOAT_GUID = bytes.fromhex("0300000000001000800000aa00389b71")


def header(fs: int, channels: int, frames: int) -> bytes:
    """Return everything in front of the samples.

    >>> len(header(48000, 2, 0)), len(header(48000, 6, 0))
    (58, 80)
    """
    width = 4 * channels
    mask = _MASKS.get(channels)
    tag = _FLOAT if mask is None else _EXTENSIBLE
    fmt = struct.pack("<HHIIHH", tag, channels, fs, fs * width, width, 32)
    fmt += (
        struct.pack("<H", 0) if mask is None else struct.pack("<HHI16s", 22, 32, mask, _FLOAT_GUID)
    )
    body = struct.pack("<4sI", b"fmt ", len(fmt)) + fmt
    body += struct.pack("<4sII", b"fact", 4, frames)
    body += struct.pack("<4sI", b"data", frames * width)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(body) + frames * width, b"WAVE") + body


class FloatWavWriter:
    """A 32-bit float WAV being written into an open file; a context manager, used as `AudioWriter` is."""

    clipped = 0

    def __init__(self, file: BinaryIO, fs: float, channels: int) -> None:
        self._file = file
        self._fs = int(fs)
        self._channels = channels
        self._frames = 0
        file.write(header(self._fs, channels, 0))

    def write(self, block: Audio) -> None:
        """Append ``(frames, channels)``."""
        self._file.write(np.ascontiguousarray(block, dtype="<f4").data)
        self._frames += len(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._file.seek(0)
            self._file.write(header(self._fs, self._channels, self._frames))
            self._file.seek(0, 2)
