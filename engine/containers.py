"""What a WAV or AIFF file says about itself: sample format, length, and whether all of it is there.

Pedalboard decodes, but it fills what is missing from a truncated file with silence and takes a stream
written through a pipe for hours of audio. So the headers are read here first. `semeq.engine.bitstreams`
does the same for compressed files.

References
----------
Microsoft RIFF; EBU Tech 3306 (RF64); Apple AIFF-C.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

#: Sample formats that are numbers as they are; everything else is decoded ("coded").
LINEAR = ("int8", "int16", "int24", "int32", "float32", "float64")
_UNKNOWN_SIZE = 0xFFFFFFFF
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
#: Codecs in a WAV that the decoder knows: MS ADPCM, A-law, µ-law, IMA ADPCM.
_MS_ADPCM, _A_LAW, _MU_LAW, _IMA_ADPCM = 2, 6, 7, 0x11
#: No real file has more chunks; one of zeros has one each eight bytes.
_MOST_CHUNKS = 10_000
#: Frames a byte that a speech codec may stand for.
_MOST_CODED = 16
_AIFC_FORMATS = {b"fl32": "float32", b"FL32": "float32", b"fl64": "float64", b"FL64": "float64"}


@dataclass(frozen=True, slots=True)
class Container:
    """What the headers say.

    Parameters
    ----------
    kind : str
        ``"wav"``, ``"aiff"``, ``"flac"``, ``"ogg"``, ``"mp3"`` or ``""`` for anything else.
    sample_format : str
        One of `LINEAR`, ``"coded"`` for speech codecs in a WAV, ``"lossy"``, or ``""`` when unknown.
    codec : str
        A name for messages.
    channels, fs, frames : int or float, optional
        As far as the header gives them.
    skip : int
        Frames at the start that the encoder put there (MP3).
    lost : str
        What is missing from a truncated file, in words; empty when it is whole.
    damage : str
        What cannot be in its header, in words; empty when nothing is wrong.
    most_frames : int, optional
        More than this many cannot be in so many bytes.
    data_at : int
        Where linear samples start in the file.
    byte_order : str
        ``"<"`` or ``">"``, of linear samples.
    digest : bytes
        MD5 of the samples (FLAC), empty when unknown.
    """

    kind: str = ""
    sample_format: str = ""
    codec: str = ""
    channels: int | None = None
    fs: float | None = None
    frames: int | None = None
    skip: int = 0
    lost: str = ""
    data_at: int = 0
    byte_order: str = "<"
    digest: bytes = b""
    damage: str = ""
    most_frames: int | None = None


def chunks(file: BinaryIO, byte_order: str, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, the offset of the body and the stated size of each chunk of a RIFF or AIFF file."""
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > size:
            return
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:  # it became shorter meanwhile
            return
        name, length = struct.unpack(byte_order + "4sI", head)
        yield name, at + 8, length
        at += 8 + length + (length & 1)


def _lost(there: int, said: int) -> str:
    return f"holds {there:,} of {said:,} frames" if there < said else ""


def read_wav(file: BinaryIO, size: int) -> Container:
    """Return what the chunks of a RIFF, RF64 or BW64 file say."""
    file.seek(0)
    is_rf64 = file.read(4) in (b"RF64", b"BW64")
    riff_size = int.from_bytes(file.read(4), "little")
    long_size = 0
    fmt: tuple[int, int, int, int, int] | None = None
    for name, at, length in chunks(file, "<", size):
        file.seek(at)
        if name == b"ds64" and length >= 24:
            long_size = int.from_bytes(file.read(16)[8:], "little")
        elif name == b"fmt " and length >= 16:
            body = file.read(min(length, 40))
            if len(body) < 16:
                break
            tag, channels, fs, _, align, bits = struct.unpack("<HHIIHH", body[:16])
            if tag == _EXTENSIBLE and len(body) >= 26:
                tag = struct.unpack("<H", body[24:26])[0]
            fmt = tag, channels, fs, align, bits
        elif name == b"data" and fmt is not None:
            tag, channels, fs, align, bits = fmt
            there = max(0, size - at)
            said = long_size if is_rf64 and length == _UNKNOWN_SIZE else length
            is_unfinished = there > 0 and (length == 0 or riff_size == 0)
            if is_unfinished or (said >= _UNKNOWN_SIZE - 0xFFFF and not is_rf64):
                said = there  # written through a pipe, or by a recorder that lost power
            lost = _lost(there // align, said // align) if align else ""
            if is_unfinished and tag != _FLOAT:  # floats are read without the decoder's help
                lost = "has a header that was never finished"
            named = {_PCM: f"int{bits}", _FLOAT: f"float{bits}"}.get(tag, "coded")
            sample_format = named if named in LINEAR or named == "coded" else ""
            codec = f"{bits}-bit {'float ' if tag == _FLOAT else ''}WAV"
            if sample_format == "coded" or not align:
                # frames are not a fixed number of bytes: only the decoder knows how many there are
                lost = lost or ("ends before its data does" if there < said else "")
                damage = _codec_damage(tag, channels, align, bits)
                return Container(
                    "wav",
                    sample_format,
                    codec,
                    channels,
                    fs,
                    lost=lost,
                    damage=damage,
                    most_frames=_MOST_CODED * size,
                )
            return Container(
                "wav",
                sample_format,
                codec,
                channels,
                fs,
                min(there, said) // align,
                lost=lost,
                data_at=at,
            )
    lost = "has no data chunk" if fmt is not None else "has no format chunk"
    return Container("wav", codec="WAV", lost=lost)


def _codec_damage(tag: int, channels: int, align: int, bits: int) -> str:
    """Return what cannot be in the header of a speech codec: the decoder believes it."""
    if tag in (_A_LAW, _MU_LAW):
        is_right = bits == 8 and align == channels
    elif tag in (_MS_ADPCM, _IMA_ADPCM):
        head = (7 if tag == _MS_ADPCM else 4) * channels
        is_right = bits == 4 and head < align and align % max(channels, 1) == 0
    else:
        return ""
    return "" if is_right else f"says {bits} bits and blocks of {align} bytes"


def _extended(number: bytes) -> float:
    """Return an 80-bit float; infinity for what no double holds."""
    exponent, mantissa = struct.unpack(">HQ", number)
    try:
        return math.ldexp(mantissa, (exponent & 0x7FFF) - 16383 - 63)
    except OverflowError:
        return math.inf


def read_aiff(file: BinaryIO, size: int) -> Container:
    """Return what the chunks of an AIFF or AIFF-C file say."""
    file.seek(8)
    is_compressed = file.read(4) == b"AIFC"
    common: tuple[int, int, int, float] | None = None
    coding = b"NONE"
    for name, at, length in chunks(file, ">", size):
        file.seek(at)
        if name == b"COMM" and length >= 18:
            body = file.read(22)
            if len(body) < 18:
                break
            common = (*struct.unpack(">HIH", body[:8]), _extended(body[8:18]))
            if is_compressed:
                coding = body[18:22]
        elif name == b"SSND" and common is not None:
            channels, frames, bits, fs = common
            sample_format = _AIFC_FORMATS.get(coding, f"int{-(-bits // 8) * 8}")
            if sample_format not in LINEAR or coding not in (
                *_AIFC_FORMATS,
                b"NONE",
                b"sowt",
                b"twos",
            ):
                return Container("aiff", "coded", f"AIFF-C {coding!r}", channels, fs)
            width = int(sample_format.lstrip("intfloa")) // 8
            data_at = at + 8
            there = max(0, size - data_at) // max(1, channels * width)
            return Container(
                "aiff",
                sample_format,
                f"{width * 8}-bit AIFF",
                channels,
                fs,
                min(frames, there),
                lost=_lost(there, frames),
                data_at=data_at,
                byte_order="<" if coding == b"sowt" else ">",
            )
    if common is not None and common[1] == 0:
        return Container("aiff", "int16", "AIFF", common[0], common[3], 0)
    return Container("aiff", codec="AIFF", lost="has no sound data chunk")
