"""What a session leaves behind: its control log, its input as a file, and a status line a second.

None of it may stop the sound: a disk that fills ends the recording with one warning, not the session.
"""

import json
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TextIO

from semeq.engine.errors import AudioFileError
from semeq.engine.take_file import end_line, event_line, header_line
from semeq.engine.timeline import Event, Take
from semeq.engine.units import Audio


class Warn(Protocol):
    """Somebody to tell that a recording ended early."""

    def __call__(self, message: str, /) -> None:
        """Show one line to the person."""


def _create(path: Path, what: str) -> TextIO:
    if path.exists() and path.stat().st_size > 0 and path.is_file():
        raise AudioFileError(f"{path} exists already: name another file for the {what}, or move it")
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise AudioFileError(
            f"the {what} {path} cannot be written: {error.strerror or error}"
        ) from None


def segment(path: Path, number: int) -> Path:
    """Return the file that a recording goes on in on the session's stream of this number, from 1.

    One that exists already is left alone.

    >>> segment(Path("take.jsonl"), 2).name
    'take.2.jsonl'
    """
    if number == 1:
        return path
    while (found := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    return found


class ControlLog:
    """Writes a session's log as it goes; each event is on disk when its line is written.

    Raises
    ------
    AudioFileError
        If the file exists or cannot be created.
    """

    def __init__(self, path: Path, header: Take, warn: Warn) -> None:
        self._path = path
        self._warn = warn
        self._file: TextIO | None = _create(path, "control log")
        self._write(header_line(header))

    def _write(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self._warn(
                f"the control log {self._path} ends here ({error.strerror or error}); the sound goes on"
            )
            file, self._file = self._file, None
            _close(file)

    def event(self, event: Event) -> None:
        """Write one event."""
        self._write(event_line(event))

    def close(self, frames: int, first_sound: int | None) -> None:
        """Write the end mark and close the file."""
        self._write(end_line(frames, first_sound))
        if self._file is not None:
            file, self._file = self._file, None
            _close(file)


def _close(file: TextIO) -> None:
    try:
        file.close()
    except OSError:  # what could not be written was said already
        return


class InputRecorder:
    """Writes the input to a 32-bit float WAV file, so that a take can be rendered again.

    Feed it whole stretches in order; `lost` counts frames that came too late to be saved.
    """

    def __init__(self, path: Path, fs: float, channels: int, warn: Warn) -> None:
        from pedalboard.io import AudioFile

        if path.suffix.lower() != ".wav":
            raise AudioFileError(f"the input is recorded as .wav, got {path.name}")
        _create(path, "recorded input").close()
        self._path = path
        self._warn = warn
        try:
            self._file: Any = AudioFile(
                str(path), "w", samplerate=round(fs), num_channels=channels, bit_depth=32
            )
        except (OSError, ValueError) as error:
            raise AudioFileError(f"the recorded input {path} cannot be written: {error}") from None

    def feed(self, audio: Audio) -> None:
        """Append frames, ``(frames, channels)``; Pedalboard wants them the other way round."""
        if self._file is None:
            return
        try:
            self._file.write(audio.T.copy())
        except (OSError, RuntimeError, ValueError) as error:
            self._warn(f"the recorded input {self._path} ends here ({error}); the sound goes on")
            self.close()

    def close(self) -> None:
        """Finish the file."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except (OSError, RuntimeError) as error:
                self._warn(f"the recorded input {self._path} is incomplete ({error})")


class StatusFile:
    """Appends one JSON object a line; a reader may follow it while the session runs. Any thread writes."""

    def __init__(self, path: Path, warn: Warn) -> None:
        self._path = path
        self._warn = warn
        self._writing = threading.Lock()
        try:
            self._file: TextIO | None = path.open("a", encoding="utf-8")
        except OSError as error:
            raise AudioFileError(
                f"the status file {path} cannot be written: {error.strerror or error}"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, status: dict[str, Any]) -> None:
        """Append one object."""
        with self._writing:
            if self._file is None:
                return
            try:
                self._file.write(json.dumps(status) + os.linesep)
                self._file.flush()
            except OSError as error:
                self._warn(f"the status file {self._path} ends here ({error.strerror or error})")
                self.close()

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            _close(file)
