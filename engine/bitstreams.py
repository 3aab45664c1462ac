"""What a FLAC, Ogg or MP3 file says about itself: codec, length, and whether all of it is there.

Pedalboard's decoders replace missing or damaged FLAC and MP3 frames by silence without a word, and leave
an MP3 encoder's delay in place (1105 samples of silence in front, typically). FLAC files carry the MD5
of their samples, an Ogg stream ends with a marked page, and most MP3 files start with a tag of their
length and delays.

References
----------
RFC 9639 (FLAC); RFC 3533 (Ogg); the Xing and LAME tags of MP3.
"""

import struct
from typing import BinaryIO

from semeq.engine.containers import Container
from semeq.engine.flac_end import TIGHT, has_end
from semeq.engine.vorbis_setup import check_setup, setup_packet

_MP3_DECODER_DELAY = 529
#: MPEG frames that may be missing before we call an MP3 cut short: taggers are not always exact.
_MP3_SLACK = 1.5
#: Frames a byte at the lowest rate that MP3 has, 8 kbit/s at 24 kHz.
_MP3_MOST_A_BYTE = 24
_TAIL = 65_536 + 300  # the longest Ogg page and a bit


def read_flac(file: BinaryIO, size: int) -> Container:
    """Return what the STREAMINFO block says."""
    file.seek(4)
    head = file.read(38)
    if len(head) < 38:
        return Container("flac", codec="FLAC", lost="ends inside its header")
    packed = int.from_bytes(head[14:22], "big")
    bits = ((packed >> 36) & 31) + 1
    digest = head[22:38]
    frames, channels = packed & ((1 << 36) - 1), ((packed >> 41) & 7) + 1
    damage = ""
    if frames * channels * -(-bits // 8) > TIGHT * size:
        blocksize = int.from_bytes(head[6:8], "big")
        if not has_end(file, frames, blocksize):
            damage = f"says {frames:,} frames and does not have the last"
    return Container(
        "flac",
        f"int{-(-bits // 8) * 8}",
        f"{bits}-bit FLAC",
        channels,
        packed >> 44,
        frames or None,
        digest=digest if any(digest) and bits in (8, 16, 24, 32) else b"",
        damage=damage,
    )


def read_ogg(file: BinaryIO, size: int) -> Container:
    """Return what the first page says, and whether the last one is there."""
    file.seek(0)
    first = file.read(256)
    names = {
        b"OpusHead": "Opus",
        b"\x7fFLAC": "FLAC in Ogg",
        b"Speex   ": "Speex",
        b"\x80theora": "Theora video",
    }
    body = first[27 + first[26] :] if len(first) > 27 else b""
    for mark, name in names.items():
        if body.startswith(mark):
            return Container("ogg", "", name)
    if not body.startswith(b"\x01vorbis") or len(body) < 16:
        return Container("ogg", "", "an unknown codec in Ogg")
    channels, fs = struct.unpack("<BI", body[11:16])
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    is_last = len(page) >= 27 and page[5] & 4
    is_whole = is_last and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    lost = "" if is_whole else "has no last page"
    damage = ""
    try:
        if is_whole:
            check_setup(setup_packet(file), channels)
    except ValueError as error:
        damage = f"has {error}"
    # each packet takes two bytes or more, and stands for half a long block at most
    most = size * (1 << (body[28] >> 4)) // 4 if len(body) > 28 else size
    return Container(
        "ogg", "lossy", "Ogg Vorbis", channels, fs, lost=lost, damage=damage, most_frames=most
    )


def _mp3_start(file: BinaryIO) -> int:
    """Return the offset of the first byte after an ID3v2 tag."""
    file.seek(0)
    head = file.read(10)
    if len(head) == 10 and head[:3] == b"ID3":
        length = 0
        for byte in head[6:]:
            length = length << 7 | byte & 0x7F
        return 10 + length + (10 if head[5] & 0x10 else 0)
    return 0


def read_mp3(file: BinaryIO, size: int) -> Container:
    """Return what the first frame and its Xing and LAME tags say."""
    start = _mp3_start(file)
    file.seek(start)
    frame = file.read(4096)
    at = next((i for i in range(len(frame) - 4) if is_mp3_frame(frame[i : i + 4])), None)
    if at is None:
        return Container()
    head = frame[at : at + 4]
    is_mpeg1, is_mono = head[1] & 0x18 == 0x18, head[3] & 0xC0 == 0xC0
    per_frame = 1152 if is_mpeg1 else 576
    side = (17 if is_mono else 32) if is_mpeg1 else (9 if is_mono else 17)
    xing = frame[at + 4 + side :]
    channels = 1 if is_mono else 2
    most = _MP3_MOST_A_BYTE * size
    if xing[:4] not in (b"Xing", b"Info"):
        return Container("mp3", "lossy", "MP3", channels, most_frames=most)
    flags = int.from_bytes(xing[4:8], "big")
    fields = [int.from_bytes(xing[i : i + 4], "big") for i in (8, 12)]
    count = fields.pop(0) if flags & 1 else 0
    octets = fields.pop(0) if flags & 2 else 0
    cursor = 8 + sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit)
    missing = start + at + octets - size
    lost = f"ends {missing:,} bytes early" if missing > _MP3_SLACK * octets / max(1, count) else ""
    lame = xing[cursor : cursor + 24]
    delay, padding = divmod(int.from_bytes(lame[21:24], "big"), 4096)
    if not count or not lame[:4].strip(b"\0") or delay + padding > count * per_frame:
        return Container("mp3", "lossy", "MP3", channels, lost=lost, most_frames=most)
    return Container(
        "mp3",
        "lossy",
        "MP3",
        channels,
        frames=count * per_frame - delay - padding,
        skip=delay + _MP3_DECODER_DELAY,
        lost=lost,
        most_frames=most,
    )


def is_mp3_frame(head: bytes) -> bool:
    """Whether four bytes are the header of an MPEG layer III frame."""
    return (
        head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[1] & 0x18 != 0x08
        and head[2] & 0xF0 not in (0x00, 0xF0)
        and head[2] & 0x0C != 0x0C
    )
