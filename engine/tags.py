"""Titles, artists, cover art: kept where the format allows.

Within a format everything is kept: the whole ID3 tag, all Vorbis comments and pictures, all chunks
(`semeq.engine.chunks`). Between formats the common fields, the pictures and free text fields are.
Tags that cannot be read or written are no reason to lose a render: they become a warning.
"""

import base64
import binascii
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mutagen import MutagenError
from mutagen import id3 as mutagen_id3
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.mp3 import MP3
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from semeq.engine.chunks import read_text_chunks

# mutagen is half typed: what we call of it is untyped to us
id3: Any = mutagen_id3
_picture: Any = Picture
_OPEN: dict[str, Any] = {"flac": FLAC, "ogg": OggVorbis, "mp3": MP3, "wav": WAVE, "aiff": AIFF}

#: Field names as in Vorbis comments, and the ID3 frame of each.
FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "albumartist": "TPE2",
    "composer": "TCOM",
    "conductor": "TPE3",
    "date": "TDRC",
    "genre": "TCON",
    "tracknumber": "TRCK",
    "discnumber": "TPOS",
    "bpm": "TBPM",
    "initialkey": "TKEY",
    "isrc": "TSRC",
    "copyright": "TCOP",
    "organization": "TPUB",
    "language": "TLAN",
    "grouping": "TIT1",
    "subtitle": "TIT3",
}
_TEXT_CHUNKS = {
    b"INAM": "title",
    b"IART": "artist",
    b"IPRD": "album",
    b"ICRD": "date",
    b"IGNR": "genre",
    b"ITRK": "tracknumber",
    b"IPRT": "tracknumber",
    b"ICMT": "comment",
    b"ICOP": "copyright",
    b"NAME": "title",
    b"AUTH": "artist",
    b"ANNO": "comment",
    b"(c) ": "copyright",
}
_PICTURE_FIELD = "metadata_block_picture"
#: Fields about the encoder of the original.
_NOT_OURS = {"encoder", "encoded_by", "encodersettings", _PICTURE_FIELD}
#: What mutagen raises over tags that claim what cannot be.
_FAILURES = (
    MutagenError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    OverflowError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)


@dataclass(slots=True)
class Tags:
    """What any format can hold."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    pictures: list[Any] = field(default_factory=list)


def _from_vorbis(comments: Mapping[str, list[str]], pictures: list[Any]) -> Tags:
    tags = Tags(pictures=list(pictures))
    for name, values in comments.items():
        if name.lower() == _PICTURE_FIELD:
            for value in values:
                try:
                    tags.pictures.append(_picture(base64.b64decode(value)))
                except (binascii.Error, *_FAILURES):
                    continue
        elif name.lower() not in _NOT_OURS:
            tags.fields[name.lower()] = [str(value) for value in values]
    return tags


def _from_id3(frames: Any) -> Tags:  # noqa: ANN401 - mutagen ships no types
    tags = Tags()
    for name, key in FRAMES.items():
        found = frames.getall(key)
        if found:
            tags.fields[name] = [str(text) for frame in found for text in frame.text]
    for comment in frames.getall("COMM"):
        if comment.desc in ("", "ID3v1 Comment"):
            tags.fields.setdefault("comment", []).extend(str(text) for text in comment.text)
    for lyrics in frames.getall("USLT"):
        tags.fields.setdefault("lyrics", []).append(str(lyrics.text))
    for free in frames.getall("TXXX"):
        if free.desc.lower() not in _NOT_OURS | set(tags.fields):
            tags.fields[free.desc.lower()] = [str(text) for text in free.text]
    for image in frames.getall("APIC"):
        picture = _picture()
        picture.type, picture.mime, picture.desc = image.type, image.mime, image.desc
        picture.data = image.data
        tags.pictures.append(picture)
    return tags


def _fill_id3(frames: Any, tags: Tags) -> None:  # noqa: ANN401 - mutagen ships no types
    for name, values in tags.fields.items():
        if name in FRAMES:
            frames.add(getattr(id3, FRAMES[name])(encoding=3, text=values))
        elif name in ("comment", "description"):
            frames.add(id3.COMM(encoding=3, lang="eng", desc="", text=values))
        elif name == "lyrics":
            frames.add(id3.USLT(encoding=3, lang="eng", desc="", text="\n".join(values)))
        else:
            frames.add(id3.TXXX(encoding=3, desc=name, text=values))
    for number, picture in enumerate(tags.pictures):
        frames.add(
            id3.APIC(
                encoding=3,
                mime=picture.mime,
                type=picture.type,
                # frames with the same description would replace each other
                desc=picture.desc or (str(number) if number else ""),
                data=picture.data,
            )
        )


def read_tags(path: Path, kind: str) -> Tags:
    """Return the tags of a file of a known kind; empty where there are none."""
    file = _OPEN[kind](path)
    if kind in ("flac", "ogg"):
        return _from_vorbis(file.tags or {}, getattr(file, "pictures", []))
    tags = _from_id3(file.tags) if file.tags is not None else Tags()
    if kind in ("wav", "aiff"):
        with path.open("rb") as chunked:
            for name, text in read_text_chunks(chunked, kind).items():
                if name in _TEXT_CHUNKS:
                    tags.fields.setdefault(_TEXT_CHUNKS[name], [text])
    return tags


def write_tags(path: Path, kind: str, tags: Tags) -> None:
    """Put `tags` into a file that has none."""
    if not tags.fields and not tags.pictures:
        return
    file = _OPEN[kind](path)
    if kind == "flac":
        file.update(tags.fields)
        for picture in tags.pictures:
            file.add_picture(picture)
    elif kind == "ogg":
        file.update(tags.fields)
        if tags.pictures:
            file[_PICTURE_FIELD] = [
                base64.b64encode(picture.write()).decode("ascii") for picture in tags.pictures
            ]
    else:
        if file.tags is None:
            file.add_tags()
        _fill_id3(file.tags, tags)
    file.save()


def _carry_id3(source: Path, target: Path) -> None:
    """Carry a whole ID3 tag from MP3 to MP3, in the version it has."""
    try:
        frames = id3.ID3(source)
    except id3.ID3NoHeaderError:
        return
    if frames.version[:2] == (2, 3):
        frames.update_to_v23()
        frames.save(target, v2_version=3)
    else:
        frames.save(target)


def _carry_vorbis(source: Path, target: Path, kind: str) -> None:
    """Carry all comments and pictures from FLAC to FLAC or Ogg to Ogg."""
    theirs, ours = _OPEN[kind](source), _OPEN[kind](target)
    if not theirs.tags and not getattr(theirs, "pictures", []):
        return
    ours.update(dict((theirs.tags or {}).items()))
    for picture in getattr(theirs, "pictures", []):
        ours.add_picture(picture)
    ours.save()


def carry_tags(source: Path, source_kind: str, target: Path, target_kind: str) -> list[str]:
    """Copy the tags of one file into another that was just written; return warnings.

    WAV to WAV and AIFF to AIFF are for `semeq.engine.chunks`.

    Parameters
    ----------
    source, target : Path
        The input, and the temporary output.
    source_kind, target_kind : str
        As `semeq.engine.containers.Container` names them.

    Raises
    ------
    OSError
        If the disk is full: then the output may be damaged, and is to be given up.
    """
    try:
        if source_kind == target_kind == "mp3":
            _carry_id3(source, target)
        elif source_kind == target_kind and source_kind in ("flac", "ogg"):
            _carry_vorbis(source, target, source_kind)
        elif source_kind:
            write_tags(target, target_kind, read_tags(source, source_kind))
    except _FAILURES as error:
        # mutagen wraps what the system says
        reasons = (error, error.__cause__, error.__context__, *error.args)
        for reason in reasons:
            if isinstance(reason, OSError) and not isinstance(reason, MutagenError):
                raise reason from None
        said = " ".join(str(error).split()) or type(error).__name__
        return [f"tags could not be kept: {said}"]
    return []
