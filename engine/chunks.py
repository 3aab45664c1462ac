"""What stands in a WAV or AIFF file besides the sound, carried over as it is.

Titles, markers, loops, broadcast data, cover art: whatever a program put there in a chunk of its own. A
render keeps length and sample rate, so positions stay right. Left out are chunks that describe the samples.
"""

import os
import struct
from typing import BinaryIO

from semeq.engine.containers import chunks

_ABOUT_SAMPLES = {
    b"fmt ",
    b"data",
    b"fact",
    b"ds64",
    b"PEAK",
    b"levl",
    b"JUNK",
    b"junk",
    b"PAD ",
    b"FLLR",
    b"COMM",
    b"SSND",
    b"FVER",
}
#: More than this is no tags.
_LARGEST = 64 << 20
_ORDER = {"wav": "<", "aiff": ">"}
_EXTENSIBLE = 0xFFFE


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def carry_chunks(source: BinaryIO, target: BinaryIO, kind: str) -> list[str]:
    """Append the chunks of `source` that are not about samples to `target`; return warnings.

    Parameters
    ----------
    source, target : BinaryIO
        Files of the same kind; `target` is open for reading and writing.
    kind : str
        ``"wav"`` or ``"aiff"``.
    """
    order = _ORDER[kind]
    end = _size(source)
    extra = bytearray()
    for name, at, length in chunks(source, order, end):
        if name in _ABOUT_SAMPLES or at + length > end or len(extra) + length > _LARGEST:
            continue
        source.seek(at)
        extra += (
            struct.pack(order + "4sI", name, length) + source.read(length) + b"\0" * (length & 1)
        )
    if kind == "wav":
        _carry_channel_mask(source, target)
    if not extra:
        return []
    size = _size(target)
    target.seek(0)
    if target.read(4) not in (b"RIFF", b"FORM") or size + len(extra) > 0xFFFFFFF0:
        return ["tags were left out: files of more than 4 GB have no room for them"]
    target.seek(size)
    target.write(b"\0" * (size & 1) + extra)
    whole = _size(target) - 8
    target.seek(4)
    target.write(struct.pack(order + "I", whole))
    return []


def _format_at(file: BinaryIO) -> int | None:
    """Return where the format chunk of an extensible WAV starts, None for other files."""
    for name, at, length in chunks(file, "<", _size(file)):
        if name == b"fmt ":
            file.seek(at)
            tag = file.read(2)
            return at if length >= 40 and tag == struct.pack("<H", _EXTENSIBLE) else None
    return None


def _carry_channel_mask(source: BinaryIO, target: BinaryIO) -> None:
    """Keep which loudspeaker each channel is for: Pedalboard writes its own guess."""
    theirs, ours = _format_at(source), _format_at(target)
    if theirs is None or ours is None:
        return
    source.seek(theirs + 2)
    target.seek(ours + 2)
    if source.read(2) != target.read(2):
        return
    source.seek(theirs + 20)
    target.seek(ours + 20)
    target.write(source.read(4))


def read_text_chunks(source: BinaryIO, kind: str) -> dict[bytes, str]:
    """Return the text chunks of an AIFF file, or the entries of the INFO list of a WAV file."""
    found: dict[bytes, str] = {}
    order, end = _ORDER[kind], _size(source)
    for name, at, length in chunks(source, order, end):
        if at + length > end or length > 1 << 20:
            continue
        source.seek(at)
        if kind == "aiff" and name in (b"NAME", b"AUTH", b"ANNO", b"(c) "):
            found[name] = _text(source.read(length))
        elif kind == "wav" and name == b"LIST":
            body = source.read(length)
            cursor = 4
            while body[:4] == b"INFO" and cursor + 8 <= len(body):
                entry, size = struct.unpack("<4sI", body[cursor : cursor + 8])
                found[entry] = _text(body[cursor + 8 : cursor + 8 + size])
                cursor += 8 + size + (size & 1)
    return {name: text for name, text in found.items() if text}


def _text(raw: bytes) -> str:
    raw = raw.split(b"\0", 1)[0]
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()
