"""Sound files in and out, through Pedalboard: the one border where formats become ``(frames, channels)``.

What Pedalboard 0.9.26 does was measured, and this module makes up for it:

=========  =====================================  ================================================
container  read                                   written
=========  =====================================  ================================================
WAV, RF64  8, 16, 24, 32-bit, 32-bit float,       8, 16, 24-bit, 32-bit float; more than 4 GB as RF64
           A-law, µ-law, ADPCM; here also 64-bit
           float, which Pedalboard does not read
AIFF       8, 16, 24, 32-bit, 32-bit float;       8, 16, 24-bit
           here also 64-bit float
FLAC       16, 24-bit                             16, 24-bit, up to 8 channels
Ogg        Vorbis                                 Vorbis
MP3        yes                                    1–2 channels, 8–48 kHz
Opus       no                                     no
=========  =====================================  ================================================

Up to 8 channels and 8–192 kHz were tried in each that allows them, and the channels keep their order.
MP4, AAC, CAF and others are read where the system's own decoders are (macOS, Windows).

- Its float conversion loses half of all integer samples by one step: integers are read and written as
  integers here, exact both ways (`semeq.engine.samples`).
- It writes no 32-bit integers and no 64-bit floats: those become 32-bit float in WAV, 24-bit in AIFF
  and FLAC (`semeq.engine.audiowriter`).
- It takes twice as long as copying over 32-bit float WAV, which needs no decoding: that is read here as it
  stands, and written by `semeq.engine.floatwav`.
- It fills truncated files with silence: headers (and the MD5 of FLAC) are checked here, and a file that
  is cut short is an error. A FLAC without MD5 cannot be checked.
- It leaves an MP3's encoder delay in place: it is taken off, so that a sound starts where it started.
- Given a path on a full disk it drops the rest of an Ogg without a word: it is given our own open file,
  whose errors arrive.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from pedalboard.io import AudioFile, ReadableAudioFile

from semeq.engine.atomic import explain
from semeq.engine.bitstreams import is_mp3_frame, read_flac, read_mp3, read_ogg
from semeq.engine.containers import Container, read_aiff, read_wav
from semeq.engine.errors import AudioFileError
from semeq.engine.samples import from_floats, from_integers, from_rounded, silence_damage
from semeq.engine.units import Audio

#: Small enough for a processor cache to hold a block of two channels at every stage.
BLOCK_FRAMES = 16_384
MAX_CHANNELS = 8
FS_RANGE_HZ = (8000, 192_000)
_READABLE = "wav, aiff, flac, ogg (Vorbis) or mp3"
#: Nothing to decode. Pedalboard does not know 64-bit floats, and takes twice as long over 32-bit ones.
_AS_THEY_STAND = ("float32", "float64")
#: 24-bit integers come out of Pedalboard divided by this.
_FULL_24 = 2.0**23 - 1.0


class Digest(Protocol):
    """A running checksum."""

    def update(self, data: memoryview, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """Return the checksum."""


def inspect(path: Path) -> Container:
    """Return what the headers of `path` say.

    Raises
    ------
    AudioFileError
        If the file is missing, a folder, unreadable or empty.
    """
    if path.is_dir():
        raise AudioFileError(f"{path} is a folder: name its files, for example {path}/*.wav")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(16)
            if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
                return read_wav(file, size)
            if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
                return read_aiff(file, size)
            if head[:4] == b"fLaC":
                return read_flac(file, size)
            if head[:4] == b"OggS":
                return read_ogg(file, size)
            if head[:3] == b"ID3" or (len(head) >= 4 and is_mp3_frame(head[:4])):
                return read_mp3(file, size)
    except OSError as error:
        raise AudioFileError(f"{path} cannot be read: {explain(error)}") from None
    if not head:
        raise AudioFileError(f"{path} is empty (0 bytes): record or export it again")
    return Container()


class AudioReader:
    """A sound file to read from its start, as often as wanted.

    Parameters
    ----------
    path : Path
        The file.
    keeps_damage : bool
        Whether damaged samples are left as they are, for a replay of a session that met them.

    Raises
    ------
    AudioFileError
        One line for each thing that can be wrong; see `inspect` and the checks below.
    """

    def __init__(self, path: Path, *, keeps_damage: bool = False) -> None:
        self.path = path
        self._keeps_damage = keeps_damage
        self.source = inspect(path)
        self._check_header()
        if self.source.sample_format in _AS_THEY_STAND:
            self.fs, self.channels = float(self.source.fs or 0), int(self.source.channels or 0)
        else:
            with self._open() as file:
                self.fs, self.channels = float(file.samplerate), int(file.num_channels)
                self._check_length(max(int(file.frames), self.source.frames or 0))
        self._check_numbers()
        #: Samples of the last complete reading that were not numbers or beyond ±1e4.
        self.bad_samples = 0
        #: Frames taken in the latest reading.
        self.frames_read = 0

    def _check_header(self) -> None:
        source = self.source
        if source.lost:
            raise AudioFileError(
                f"{self.path} is cut short: the {source.codec} {source.lost}; copy or record it again"
            )
        if source.damage:
            raise AudioFileError(
                f"{self.path} is damaged: the {source.codec} {source.damage}; copy or record it again"
            )
        if source.kind == "ogg" and not source.sample_format:
            raise AudioFileError(
                f"{self.path} holds {source.codec}, which cannot be read here; convert it first: "
                f"ffmpeg -i {self.path.name} {self.path.stem}.wav"
            )
        # before a decoder sees them: some do not survive a rate of 0
        self._check_format(source.fs, source.channels)

    def _check_length(self, frames: int) -> None:
        most = self.source.most_frames
        if most is not None and frames > most:
            raise AudioFileError(
                f"{self.path} is damaged: the {self.source.codec} says {frames:,} frames, more than "
                "fit in so many bytes; copy or record it again"
            )

    def _check_format(self, fs: float | None, channels: int | None) -> None:
        low, high = FS_RANGE_HZ
        if channels is not None and not 1 <= channels <= MAX_CHANNELS:
            raise AudioFileError(
                f"{self.path} must have 1 to {MAX_CHANNELS} channels, got {channels}"
            )
        if fs is not None and (not low <= fs <= high or fs != int(fs)):
            raise AudioFileError(
                f"{self.path} must have a sample rate that is a whole number in [{low}, {high}] Hz, "
                f"got {fs:g}; resample it first"
            )

    def _check_numbers(self) -> None:
        self._check_format(self.fs, self.channels)
        if self.source.frames == 0:
            raise AudioFileError(f"{self.path} must hold sound, got 0 frames")

    def _open(self) -> ReadableAudioFile:
        try:
            return AudioFile(os.fspath(self.path))
        except (ValueError, RuntimeError, OSError):
            kind = self.source.codec or "something else"
            raise AudioFileError(
                f"{self.path} must be a sound file that can be read here ({_READABLE}), got {kind}"
            ) from None

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[Audio]:
        """Yield the sound from its start, ``(up to frames, channels)`` float32, damage silenced or kept.

        Every block is a new array. `bad_samples` is right when the last block has been taken.

        Raises
        ------
        AudioFileError
            If the file turns out to be cut short or damaged.
        """
        self.bad_samples = 0
        self.frames_read = done = 0
        for block in self._decoded(frames):
            done += len(block)
            self.frames_read = done
            yield block
        said = self.source.frames
        if not done:
            raise AudioFileError(f"{self.path} must hold sound, got 0 frames")
        # an MP3's last frame may be missing: the tag counts samples that no decoder returns
        if said is not None and done < said and self.source.kind != "mp3":
            raise AudioFileError(
                f"{self.path} is cut short: only {done:,} of {said:,} frames can be decoded"
            )

    def _decoded(self, frames: int) -> Iterator[Audio]:
        if self.source.sample_format in _AS_THEY_STAND:
            yield from self._direct(frames)
            return
        left = self.source.frames
        digest: Digest | None = None
        if self.source.digest:
            digest = hashlib.md5(usedforsecurity=False)
        try:
            with self._open() as file:
                skip = self.source.skip
                while skip:
                    skipped = file.read(min(skip, frames)).shape[1]
                    skip = skip - skipped if skipped else 0
                while left is None or left > 0:
                    block = self._convert(file, min(frames, left or frames), digest)
                    if not len(block):
                        break
                    if left is not None:
                        left -= len(block)
                    yield block
        except (ValueError, RuntimeError) as error:
            raise AudioFileError(
                f"{self.path} cannot be decoded: {' '.join(str(error).split())}"
            ) from None
        if digest is not None and digest.digest() != self.source.digest:
            raise AudioFileError(
                f"{self.path} is damaged or cut short: its samples do not match its checksum; "
                "copy it again, or keep what is left with ffmpeg"
            )

    def _convert(self, file: ReadableAudioFile, frames: int, digest: Digest | None) -> Audio:
        """Read and convert ``(channels, frames)`` of whatever the file holds."""
        stored = self.source.sample_format
        if stored in ("int8", "int16", "int32"):
            raw = file.read_raw(frames)
            out = np.empty(raw.shape[::-1], dtype=np.float32)
            from_integers(raw, 2.0 ** (1 - int(stored[3:])), out)
            if digest is not None:
                digest.update(np.ascontiguousarray(raw.T).astype(f"<i{raw.itemsize}").data)
            return out
        raw = file.read(frames)
        out = np.empty(raw.shape[::-1], dtype=np.float32)
        if stored == "int24":
            from_rounded(raw, _FULL_24, 2.0**-23, out)
            if digest is not None:
                whole = (out * np.float32(2**23)).astype("<i4").view(np.uint8)
                digest.update(np.ascontiguousarray(whole.reshape(-1, 4)[:, :3]).data)
        elif self._keeps_damage:
            out[:] = raw.T
        else:
            self.bad_samples += from_floats(raw, out)
        return out

    def _direct(self, frames: int) -> Iterator[Audio]:
        """Read floats as they stand in the file."""
        source = self.source
        count, channels = source.frames or 0, self.channels
        stored = np.dtype(f"{source.byte_order}f{int(source.sample_format[5:]) // 8}")
        with self.path.open("rb") as file:
            file.seek(source.data_at)
            while count > 0:
                flat = np.fromfile(file, stored, min(frames, count) * channels)
                if not flat.size:
                    return
                raw = flat.astype(stored.newbyteorder("="), copy=False)
                if not self._keeps_damage:
                    self.bad_samples += silence_damage(raw)
                count -= len(raw) // channels
                with np.errstate(
                    over="ignore", invalid="ignore"
                ):  # a double may be more than a float holds
                    yield raw.reshape(-1, channels).astype(np.float32, copy=False)
