"""Recordings end with one warning when the disk does; the session does not."""

import json
from pathlib import Path

import numpy as np
import pytest

from semeq.engine.design import design
from semeq.engine.errors import AudioFileError
from semeq.engine.settings import EQSettings
from semeq.engine.take_file import read_take
from semeq.engine.timeline import ControlSet, Event, Take
from semeq.realtime.record import ControlLog, InputRecorder, StatusFile

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
HEAD = Take(48_000.0, 2, 0, 0.0, ())
EVENT = Event(7, ControlSet(design(EQSettings.flat(), 48_000.0), 480), {"recipe": "warm"})


def test_a_log_written_as_it_goes_reads_back(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "take.jsonl"
    log = ControlLog(path, HEAD, said.append)
    log.event(EVENT)
    assert read_take(path).warnings  # readable in the middle of the session
    log.close(1000, 3)
    take = read_take(path)
    assert (take.frames, take.first_sound, len(take.events), take.warnings) == (1000, 3, 1, ())
    assert json.loads(path.read_text().splitlines()[1])["recipe"] == "warm"
    assert said == []


def test_an_earlier_take_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "take.jsonl"
    path.write_text("an earlier take")
    with pytest.raises(AudioFileError, match=r"take\.jsonl exists already: name another file"):
        ControlLog(path, HEAD, print)
    wav = tmp_path / "take.wav"
    wav.write_text("an earlier sound")
    with pytest.raises(AudioFileError, match="exists already"):
        InputRecorder(wav, 48_000.0, 2, print)
    assert path.read_text() == "an earlier take"


@needs_full
def test_a_full_disk_is_said_once_and_goes_on() -> None:
    said: list[str] = []
    log = ControlLog(FULL, HEAD, said.append)
    log.event(EVENT)
    log.close(10, None)
    status = StatusFile(FULL, said.append)
    status.write({"state": "running"})
    status.write({"state": "running"})
    status.close()
    assert len(said) == 2
    assert "control log /dev/full ends here (No space left on device); the sound goes on" in said[0]
    assert "status file /dev/full ends here" in said[1]


def test_a_target_that_cannot_be_created_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="cannot be written: No such file or directory"):
        ControlLog(tmp_path / "none" / "take.jsonl", HEAD, print)
    with pytest.raises(AudioFileError, match="cannot be written: No such file or directory"):
        StatusFile(tmp_path / "none" / "status.jsonl", print)
    with pytest.raises(AudioFileError, match=r"the input is recorded as \.wav, got input\.mp3"):
        InputRecorder(tmp_path / "input.mp3", 48_000.0, 2, print)


def test_the_input_is_kept_to_the_bit(tmp_path: Path) -> None:
    from pedalboard.io import AudioFile

    audio = np.random.default_rng(0).standard_normal((1000, 2)).astype(np.float32) * 2
    recorder = InputRecorder(tmp_path / "in.wav", 48_000.0, 2, print)
    recorder.feed(audio[:300])
    recorder.feed(audio[300:])
    recorder.close()
    recorder.feed(audio)  # after the end: nothing happens
    with AudioFile(str(tmp_path / "in.wav")) as file:
        assert file.samplerate == 48_000
        np.testing.assert_array_equal(file.read(file.frames).T, audio)


def test_status_lines_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "status.jsonl"
    for number in (1, 2):
        with StatusFile(path, print) as status:
            status.write({"session": number})
    assert [json.loads(line)["session"] for line in path.read_text().splitlines()] == [1, 2]
