"""A stretch of a sound file, without decoding the rest of it.

Pedalboard seeks in WAV, AIFF, FLAC and Ogg Vorbis. An MP3 it decodes from its start: far inside, a slice
of the file is decoded instead (`semeq.training.mp3_entry`). What it does not read (Opus, AAC, the
several streams of an MP4) goes through the ffmpeg command where there is one; it seeks too, and
costs the start of a process.

Training needs no bit-exact reading as a render does (`semeq.engine.audiofile`): a damaged file is left out.
"""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from pedalboard.io import AudioFile, get_supported_read_formats

from semeq.engine.errors import AudioFileError, MissingPackageError
from semeq.engine.units import Audio
from semeq.training.mp3_entry import read_inside

#: Read by ffmpeg alone, on every system.
FFMPEG_SUFFIXES = frozenset({".opus", ".mp4", ".m4a", ".aac", ".wma", ".webm", ".mka", ".wv"})
#: Louder than this is damage, not sound.
ABSURD = 1e4
#: So far an MP3 is decoded from its start.
MP3_WALK_S = 5.0
_TIMEOUT_S = 60.0
FFMPEG_HINT = "install ffmpeg (apt install ffmpeg, brew install ffmpeg)"


@dataclass(frozen=True, slots=True)
class Stream:
    """What a file says about one of its streams of sound; ``seconds`` is 0 where it says nothing."""

    fs: float
    channels: int
    seconds: float


def readable_suffixes() -> frozenset[str]:
    """Return the file name endings that may hold sound, lower-case, with their dot."""
    return frozenset(s.lower() for s in get_supported_read_formats()) | FFMPEG_SUFFIXES


def _command(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MissingPackageError(f"{name} must be on the path to read such files: {FFMPEG_HINT}")
    return found


def _run(path: Path, arguments: list[str]) -> bytes:
    try:
        done = subprocess.run(
            arguments, capture_output=True, stdin=subprocess.DEVNULL, timeout=_TIMEOUT_S, check=True
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise AudioFileError(f"{path} cannot be decoded: {said[-1]}") from None
    except subprocess.TimeoutExpired:
        raise AudioFileError(f"{path} cannot be decoded within {_TIMEOUT_S:g} s") from None
    return done.stdout


@lru_cache(maxsize=65_536)
def streams_of(path: Path) -> tuple[Stream, ...]:
    """Return the streams of sound of a file as ffprobe sees them.

    Raises
    ------
    AudioFileError
        If there is none, or the file cannot be read.
    MissingPackageError
        If there is no ffprobe.
    """
    arguments = [_command("ffprobe"), "-v", "error", "-of", "json", "-select_streams", "a"]
    entries = "stream=sample_rate,channels,duration:format=duration"
    said = json.loads(_run(path, [*arguments, "-show_entries", entries, _url(path)]))
    whole = said.get("format", {}).get("duration", 0.0)
    streams = tuple(
        Stream(
            float(entry.get("sample_rate", 0)),
            int(entry.get("channels", 0)),
            float(entry.get("duration", whole)),
        )
        for entry in said.get("streams", ())
    )
    if not streams or not all(s.fs > 0 and s.channels > 0 for s in streams):
        raise AudioFileError(f"{path} must hold a stream of sound, got none")
    return streams


def _url(path: Path) -> str:
    # A name such as "concat:a" would be a protocol to ffmpeg.
    return f"file:{os.fspath(path)}"


def _checked(path: Path, audio: Audio) -> Audio:
    if not len(audio):
        raise AudioFileError(f"{path} is too short: nothing to decode")
    peak = float(np.abs(audio).max(initial=0.0))
    if not peak <= ABSURD:
        raise AudioFileError(f"{path} is damaged: its samples reach {peak:g}")
    return audio


def read_stretch(
    path: Path, place: float, seconds: float, *, shortest_s: float = 0.0
) -> tuple[Audio, float]:
    """Read a stretch of the first stream of a file.

    Parameters
    ----------
    path : Path
        The file.
    place : float
        Where, in [0, 1): 0 is the beginning, towards 1 the last stretch that fits.
    seconds : float
        How much; a shorter file is returned whole.
    shortest_s : float
        A file shorter than this is an error.

    Returns
    -------
    audio : Audio
        Shape ``(frames, channels)``.
    fs : float
        Its rate in Hz.

    Raises
    ------
    AudioFileError
        If the file is missing, too short or damaged.
    MissingPackageError
        If it takes ffmpeg, and there is none.
    """
    if path.suffix.lower() not in FFMPEG_SUFFIXES:
        try:
            file = AudioFile(os.fspath(path))
        except (ValueError, RuntimeError, OSError) as error:
            if not path.is_file() or shutil.which("ffmpeg") is None:
                raise AudioFileError(f"{path} cannot be read: {_one_line(error)}") from None
            # An Ogg may hold Opus, a WAV a codec that Pedalboard does not know.
        else:
            with file:
                fs, wanted = float(file.samplerate), round(seconds * file.samplerate)
                _long_enough(path, file.frames / fs, shortest_s)
                spare = file.frames - wanted
                start = min(int(place * (spare + 1)), spare) if spare > 0 else 0
                if start > MP3_WALK_S * fs and path.suffix.lower() == ".mp3":
                    inside = read_inside(path, start / file.frames, wanted, fs)
                    if inside is not None:
                        return _checked(path, inside), fs
                try:
                    file.seek(start)
                    audio = np.ascontiguousarray(file.read(min(wanted, file.frames)).T)
                except (ValueError, RuntimeError, OSError) as error:
                    raise AudioFileError(f"{path} is damaged: {_one_line(error)}") from None
            return _checked(path, audio), fs
    (audio,), fs = read_streams(path, (0,), place, seconds, shortest_s=shortest_s)
    return audio, fs


def _long_enough(path: Path, length_s: float, shortest_s: float) -> None:
    if length_s < shortest_s:
        raise AudioFileError(f"{path} is too short: {length_s:.2f} s, wanted {shortest_s:g} s")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def read_streams(
    path: Path,
    numbers: tuple[int, ...],
    place: float,
    seconds: float,
    *,
    shortest_s: float = 0.0,
) -> tuple[tuple[Audio, ...], float]:
    """Read the same stretch of several streams of a file through ffmpeg; see `read_stretch`.

    All must have the same rate.
    """
    known = streams_of(path)
    if max(numbers) >= len(known):
        raise AudioFileError(
            f"{path} must have {max(numbers) + 1} streams of sound, got {len(known)}"
        )
    chosen = [known[number] for number in numbers]
    fs = chosen[0].fs
    if any(stream.fs != fs for stream in chosen):
        raise AudioFileError(f"{path} must have one rate in all its streams")
    length_s = min(stream.seconds for stream in chosen)
    _long_enough(path, length_s, shortest_s)
    start_s = max(0.0, place * (length_s - seconds))
    widths = [stream.channels for stream in chosen]
    # -ss before -i seeks in the container and then decodes to the exact sample.
    arguments = [_command("ffmpeg"), "-nostdin", "-v", "error", "-threads", "1"]
    arguments += ["-ss", f"{start_s:.6f}", "-t", f"{seconds:.6f}", "-i", _url(path)]
    if len(numbers) == 1:
        arguments += ["-map", f"0:a:{numbers[0]}"]
    else:
        inputs = "".join(f"[0:a:{number}]" for number in numbers)
        arguments += ["-filter_complex", f"{inputs}amerge=inputs={len(numbers)}[out]"]
        arguments += ["-map", "[out]"]
    raw = _run(path, [*arguments, "-ac", str(sum(widths)), "-f", "f32le", "-"])
    usable = len(raw) // (4 * sum(widths)) * sum(widths)
    flat = np.frombuffer(raw, dtype="<f4", count=usable).reshape(-1, sum(widths))
    _checked(path, flat)
    parts = np.split(flat[: round(seconds * fs)], np.cumsum(widths)[:-1], axis=1)
    return tuple(part.astype(np.float32) for part in parts), fs
