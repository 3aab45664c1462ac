"""Entering an MP3 in the middle: a few milliseconds where decoding from its start takes seconds.

Pedalboard decodes an MP3 from its first frame up to the place wanted: 1.5 s for the end of a song of five
minutes. But frames stand on their own, save for bits that they borrow from the few before. So a slice of
the file is decoded instead, from a frame at about the place, and its first frames are thrown away. What
comes out is the sound of the file, to the rounding of float32; only where exactly it lies is known no
better than the bit rate is constant, which does not matter to a random crop.
"""

import io
import os
from pathlib import Path

import numpy as np
from pedalboard.io import AudioFile

from semeq.engine.bitstreams import is_mp3_frame
from semeq.engine.units import Audio

#: Bit rates of MPEG 1 and 2, layer III, in kbit/s; sample rates of MPEG 1 in Hz.
_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_FS_1_HZ = (44_100, 48_000, 32_000)
#: The highest rate there is, in bytes a second.
_MAX_BYTES_S = 40_000
#: Frames to throw away: up to nine may lend bits, and two are needed for the filters to settle.
_SETTLE_FRAMES = 12
#: A run of this many frames is no chance.
_RUN = 3
_HEAD_BYTES = 4


def frame_bytes(head: bytes) -> int:
    """Return the length of the frame that begins with these four bytes; 0 if none does.

    >>> frame_bytes(bytes([0xFF, 0xFB, 0x90, 0x00]))  # 128 kbit/s at 44.1 kHz
    417
    """
    if len(head) < _HEAD_BYTES or not is_mp3_frame(head):
        return 0
    version, rate = head[1] >> 3 & 3, head[2] >> 4
    fs = _FS_1_HZ[head[2] >> 2 & 3] >> (0, 1, 2)[(3, 2, 0).index(version)]
    kbits, per_byte = (_RATES_1[rate], 144) if version == 3 else (_RATES_2[rate], 72)
    return per_byte * kbits * 1000 // fs + (head[2] >> 1 & 1)


def first_frame(data: bytes) -> int | None:
    """Return where the first run of frames begins, or None."""
    for start in range(len(data) - _HEAD_BYTES):
        at = start
        for _ in range(_RUN):
            length = frame_bytes(data[at : at + _HEAD_BYTES])
            if not length:
                break
            at += length
        else:
            return start
    return None


def _tag_bytes(head: bytes) -> int:
    """Return the length of the ID3v2 tag that a file begins with."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + sum(
        (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
    )


def read_inside(path: Path, share: float, frames: int, fs: float) -> Audio | None:
    """Decode `frames` at about `share` of a file.

    Parameters
    ----------
    path : Path
        An MP3.
    share : float
        Where, in [0, 1): of its bytes, tags apart.
    frames : int
        How much.
    fs : float
        Rate of the file in Hz.

    Returns
    -------
    Audio or None
        Shape ``(frames, channels)``; None where there is no frame or too little left.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        tag = _tag_bytes(file.read(10))
        file.seek(tag + int(share * (size - tag)))
        data = file.read(int((frames / fs + 1.0) * _MAX_BYTES_S))
    start = first_frame(data)
    if start is None:
        return None
    settle = _SETTLE_FRAMES * (1152 if data[start + 1] & 0x18 == 0x18 else 576)
    try:
        with AudioFile(io.BytesIO(data[start:])) as part:
            if part.samplerate != fs:
                return None
            audio = part.read(settle + frames)[:, settle:]
    except (ValueError, RuntimeError, OSError):
        return None
    return np.ascontiguousarray(audio.T) if audio.shape[1] == frames else None
