"""Whether a FLAC stream ends where its header says: asked only of files that claim to be packed very tightly.

Pedalboard fills what a FLAC does not have with silence, hours of it if the header says so. Digital silence
packs as tightly as that, so such a file has to have its last frame where it says: the headers of
frames carry their position and a checksum.

References
----------
RFC 9639, section 9.1.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO

#: A stream packed better than this (and no music is) has to show its end.
TIGHT = 100
#: Where the last frame must begin: the longest frames, and tags behind them.
_TAIL = 1 << 18


def has_end(file: BinaryIO, frames: int, blocksize: int) -> bool:
    """Whether a frame near the end of `file` ends at `frames`.

    Parameters
    ----------
    file : BinaryIO
        The stream.
    frames : int
        Samples a channel, as the header says.
    blocksize : int
        The header's largest block.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    return any(end == frames for end in _ends(tail, blocksize))


def _ends(tail: bytes, blocksize: int) -> Iterator[int]:
    at = -1
    while (at := tail.find(b"\xff", at + 1)) >= 0:
        head = tail[at : at + 16]
        if len(head) > 5 and head[1] in (0xF8, 0xF9):
            end = _end(head, blocksize)
            if end is not None:
                yield end


def _end(head: bytes, blocksize: int) -> int | None:
    """Return where the frame with this header ends, in samples; None where there is none."""
    number, cursor = _coded(head, 4)
    size_code, rate_code = head[2] >> 4, head[2] & 15
    if size_code == 1:
        size = 192
    elif 2 <= size_code <= 5:
        size = 576 << (size_code - 2)
    elif size_code >= 8:
        size = 256 << (size_code - 8)
    elif size_code in (6, 7):
        width = size_code - 5
        size = int.from_bytes(head[cursor : cursor + width], "big") + 1
        cursor += width
    else:
        return None
    cursor += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if number is None or cursor >= len(head) or _crc8(head[:cursor]) != head[cursor]:
        return None
    start = number if head[1] & 1 else number * blocksize
    return start + size


def _coded(head: bytes, at: int) -> tuple[int | None, int]:
    """Return a number in the coding of UTF-8, up to 36 bits, and where it ends."""
    first = head[at]
    if first < 0x80:
        return first, at + 1
    more = 0
    while first & (0x40 >> more) and more < 6:
        more += 1
    if not more:
        return None, at + 1
    value = first & (0x3F >> more)
    for byte in head[at + 1 : at + 1 + more]:
        if byte & 0xC0 != 0x80:
            return None, at + 1
        value = value << 6 | byte & 0x3F
    return value, at + 1 + more


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc
