"""Tags: all of them within a format, the common ones between formats, none in the way of a render."""

import shutil
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mutagen import id3
from mutagen.flac import FLAC, Picture
from mutagen.mp3 import MP3
from mutagen.oggvorbis import OggVorbis
from sound_files import ffmpeg, float_wav, noise, to_pcm, write_pcm

from semeq.engine.audiofile import AudioReader
from semeq.engine.containers import chunks
from semeq.engine.render import RenderJob, render_file
from semeq.engine.report import RenderReport
from semeq.engine.settings import EQSettings
from semeq.engine.tags import FRAMES, Tags, read_tags, write_tags

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg makes the inputs")

KINDS = ("wav", "aiff", "flac", "ogg", "mp3")
FIELDS = {
    "title": ["Café de Flore"],
    "artist": ["Señora", "二人目"],
    "album": ["Álbum"],
    "date": ["2021-05-03"],
    "genre": ["Jazz"],
    "tracknumber": ["3/9"],
    "comment": ["two\nlines"],
    "isrc": ["ESXXX2100001"],
    "mood": ["warm"],
}
# a valid PNG of one pixel is not needed: tags hold bytes
IMAGE = b"\x89PNG" + bytes(range(256)) * 20
mutagen_id3: Any = id3
new_picture: Any = Picture
open_flac: Any = FLAC
open_mp3: Any = MP3
open_ogg: Any = OggVorbis


def cover() -> Any:  # noqa: ANN401 - mutagen is half typed
    picture = new_picture()
    picture.type, picture.mime, picture.desc, picture.data = 3, "image/png", "front", IMAGE
    return picture


def settings() -> EQSettings:
    low, *rest = EQSettings.flat().bands
    return EQSettings((replace(low, gain_db=4.0), *rest))


def render(source: Path, target: Path) -> RenderReport:
    return render_file(RenderJob(source, target, settings(), overwrite=True))


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    master = write_pcm(tmp_path / "master.wav", to_pcm(noise(9000), 16), 16)
    found = {}
    for kind in KINDS:
        path = ffmpeg(
            master, tmp_path / f"in.{kind}", "-map_metadata", "-1", "-fflags", "+bitexact"
        )
        write_tags(path, kind, Tags(dict(FIELDS), [cover()]))
        found[kind] = path
    return found


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_common_fields_and_pictures_are_kept(
    sources: dict[str, Path], tmp_path: Path, source: str, target: str
) -> None:
    path = tmp_path / f"out.{target}"
    report = render(sources[source], path)
    assert report.warnings == ()
    tags = read_tags(path, target)
    assert {name: tags.fields.get(name) for name in FIELDS} == FIELDS
    assert [(p.type, p.mime, p.data) for p in tags.pictures] == [(3, "image/png", IMAGE)]
    # the sound is still there
    assert sum(len(block) for block in AudioReader(path).blocks()) == 9000


def test_mp3_to_mp3_keeps_every_frame_and_the_version(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    frames = mutagen_id3.ID3(sources["mp3"])
    frames.add(mutagen_id3.POPM(email="me", rating=200, count=4))
    frames.add(mutagen_id3.UFID(owner="x", data=b"\x00\x01"))
    frames.update_to_v23()
    frames.save(sources["mp3"], v2_version=3)
    render(sources["mp3"], tmp_path / "out.mp3")
    kept = mutagen_id3.ID3(tmp_path / "out.mp3")
    assert kept.version == (2, 3, 0)
    assert kept.getall("POPM")[0].rating == 200
    assert kept.getall("UFID")[0].data == b"\x00\x01"
    assert open_mp3(tmp_path / "out.mp3").info.length == pytest.approx(9000 / 48_000, abs=0.06)


@pytest.mark.parametrize("kind", ["flac", "ogg"])
def test_vorbis_comments_are_all_kept(sources: dict[str, Path], tmp_path: Path, kind: str) -> None:
    load = open_flac if kind == "flac" else open_ogg
    file = load(sources[kind])
    file["replaygain_track_gain"] = ["-3.2 dB"]
    file["UNHEARD_OF"] = ["a", "b"]
    file.save()
    render(sources[kind], tmp_path / f"out.{kind}")
    kept = load(tmp_path / f"out.{kind}")
    assert kept["replaygain_track_gain"] == ["-3.2 dB"]
    assert kept["unheard_of"] == ["a", "b"]


def chunk(name: bytes, body: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "4sI", name, len(body)) + body + b"\0" * (len(body) & 1)


def found_chunks(path: Path, order: str = "<") -> dict[bytes, bytes]:
    found = {}
    with path.open("rb") as file:
        for name, at, length in list(chunks(file, order, path.stat().st_size)):
            file.seek(at)
            found[name] = file.read(length)
    return found


INFO = b"INFO" + chunk(b"INAM", b"A title\0") + chunk(b"ISFT", b"odd\0x")
EXTRA = {
    b"LIST": INFO,
    b"cue ": struct.pack("<I", 1) + struct.pack("<II4sIII", 1, 480, b"data", 0, 0, 480),
    b"bext": b"description".ljust(602, b"\0") + b"odd",
    b"iXML": b"<BWFXML/>",
}


@pytest.mark.parametrize("bits", [16, 32])
def test_wav_to_wav_keeps_every_chunk(tmp_path: Path, bits: int) -> None:
    extra = b"".join(chunk(name, body) for name, body in EXTRA.items()) + chunk(
        b"PEAK", b"12345678"
    )
    source = tmp_path / "in.wav"
    if bits == 32:
        source.write_bytes(float_wav(noise(9001, 1), extra=extra))
    else:
        write_pcm(source, to_pcm(noise(9001, 1), 16), 16)
        raw = bytearray(source.read_bytes() + extra)
        raw[4:8] = struct.pack("<I", len(raw) - 8)
        source.write_bytes(raw)
    path = tmp_path / "out.wav"
    assert render(source, path).warnings == ()
    kept = found_chunks(path)
    assert {name: kept.get(name) for name in EXTRA} == EXTRA
    assert b"PEAK" not in kept  # it describes other samples
    assert struct.unpack("<I", path.read_bytes()[4:8])[0] == path.stat().st_size - 8
    assert sum(len(block) for block in AudioReader(path).blocks()) == 9001
    assert read_tags(path, "wav").fields == {"title": ["A title"]}


def test_aiff_to_aiff_keeps_markers_and_names(tmp_path: Path) -> None:
    wav = write_pcm(tmp_path / "in.wav", to_pcm(noise(9000), 16), 16)
    source = ffmpeg(wav, tmp_path / "in.aiff")
    marks = struct.pack(">HHI", 1, 7, 480) + b"\x04here\0"
    raw = bytearray(source.read_bytes())
    raw += (
        chunk(b"NAME", b"Name", ">") + chunk(b"AUTH", b"Author", ">") + chunk(b"MARK", marks, ">")
    )
    raw[4:8] = struct.pack(">I", len(raw) - 8)
    source.write_bytes(raw)
    render(source, tmp_path / "out.aiff")
    assert found_chunks(tmp_path / "out.aiff", ">")[b"MARK"] == marks
    render(source, tmp_path / "out.flac")
    assert read_tags(tmp_path / "out.flac", "flac").fields == {
        "title": ["Name"],
        "artist": ["Author"],
    }


def test_loudspeaker_positions_are_kept(tmp_path: Path) -> None:
    wav = write_pcm(tmp_path / "in.wav", to_pcm(noise(9000, 6), 16), 16)
    side = 0x60F  # 5.1 with speakers at the side; Pedalboard writes 0x3F
    source = ffmpeg(wav, tmp_path / "side.wav", "-channel_layout", "5.1(side)", "-c:a", "pcm_s24le")
    assert struct.unpack("<I", found_chunks(source)[b"fmt "][20:24])[0] == side
    render(source, tmp_path / "out.wav")
    assert struct.unpack("<I", found_chunks(tmp_path / "out.wav")[b"fmt "][20:24])[0] == side


@pytest.mark.parametrize("kind", KINDS)
def test_no_tags_are_no_problem(tmp_path: Path, kind: str) -> None:
    wav = write_pcm(tmp_path / "in.wav", to_pcm(noise(9000), 16), 16)
    bare = ["-id3v2_version", "0"] if kind == "mp3" else []
    source = ffmpeg(wav, tmp_path / f"x.{kind}", "-map_metadata", "-1", "-bitexact", *bare)
    for target in KINDS:
        assert render(source, tmp_path / f"out.{target}").warnings == ()


def test_tags_that_cannot_be_read_are_a_warning(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    broken = chunk(b"id3 ", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + b"TIT2\x00\x00\x7f\x7f")
    source.write_bytes(float_wav(noise(9000), extra=broken))
    report = render(source, tmp_path / "out.flac")
    assert len(report.warnings) in (1, 2)
    assert all(
        warning.startswith(("tags could not be kept: ", "32-bit float WAV is written"))
        for warning in report.warnings
    )
    assert sum(len(block) for block in AudioReader(tmp_path / "out.flac").blocks()) == 9000


def test_every_field_has_a_frame_that_holds_text() -> None:
    for name in FRAMES.values():
        frame = getattr(mutagen_id3, name)(encoding=3, text=["x"])
        assert [str(text) for text in frame.text] == ["x" if name != "TDRC" else ""]
