"""What a killed writer leaves: real processes, really killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from semeq.engine.atomic import Replacement, write_text
from semeq.engine.unfinished import create, remove_abandoned, temporary_name

#: Opens a temporary file for the target, says so, and waits for a line.
WRITER = """
import sys
from pathlib import Path
from semeq.engine.atomic import Replacement
with Replacement(Path(sys.argv[1]), overwrite="keep" not in sys.argv) as new:
    new.file.write(sys.argv[2].encode())
    print("ready", flush=True)
    sys.stdin.readline()
    new.commit()
"""


def writer(target: Path, content: str, *options: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target), content, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def unfinished(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*.semeq-part-*"))


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    target = tmp_path / "song.wav"
    with writer(target, "half") as killed:
        killed.send_signal(signal.SIGKILL)
    assert len(unfinished(tmp_path)) == 1
    write_text(tmp_path / "another.json", "{}")  # whatever is written there next
    assert unfinished(tmp_path) == []
    assert not target.exists()


@pytest.mark.parametrize("step", ["_is_locked_by", "_is_at"])
def test_a_request_to_end_while_the_file_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def asked(*_: object) -> bool:
        assert len(unfinished(tmp_path)) == 1
        raise SystemExit(143)

    monkeypatch.setattr(f"semeq.engine.unfinished.{step}", asked)
    with pytest.raises(SystemExit), Replacement(tmp_path / "song.wav"):
        pass
    assert unfinished(tmp_path) == []


def test_a_writer_that_lives_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "song.wav"
    with writer(target, "whole") as living:
        assert remove_abandoned(tmp_path) == 0
        assert len(unfinished(tmp_path)) == 1
        assert living.communicate("\n")[1] == ""
    assert target.read_text() == "whole"
    assert unfinished(tmp_path) == []


def test_of_two_writers_that_must_not_replace_one_wins(tmp_path: Path) -> None:
    target = tmp_path / "song.wav"
    with writer(target, "first", "keep") as first, writer(target, "second", "keep") as second:
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.close()  # both at once
        ends = [process.wait() for process in (first, second)]
        assert first.stderr is not None
        assert second.stderr is not None
        said = first.stderr.read() + second.stderr.read()
    assert sorted(ends) == [0, 1]
    assert said.count("appeared meanwhile: give --overwrite to replace it") == 1
    assert target.read_text() == ("first" if ends[0] == 0 else "second")
    assert os.listdir(tmp_path) == ["song.wav"]


def test_other_files_stay(tmp_path: Path) -> None:
    kept = ["song.wav", "song.semeq-part-1f.wav", ".hidden.wav", ".song.semeq-part.wav"]
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / ".folder.semeq-part-1f").mkdir()
    (tmp_path / ".link.semeq-part-1f.wav").symlink_to(tmp_path / "song.wav")
    os.mkfifo(tmp_path / ".pipe.semeq-part-1f.wav")
    before = sorted(os.listdir(tmp_path))
    assert remove_abandoned(tmp_path) == 0
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("target", ["song.wav", "no suffix", "a.b.c\n.wav", "x" * 300 + ".json"])
def test_its_own_names_are_recognised(tmp_path: Path, target: str) -> None:
    path = tmp_path / temporary_name(Path(target), "1f")
    create(path).close()
    assert remove_abandoned(tmp_path) == 1


def test_a_file_that_is_taken_away_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    path = tmp_path / temporary_name(Path("song.wav"), "1f")
    lock, left = fcntl.flock, [2]

    def late(file: object, how: int) -> None:
        if left[0]:  # somebody who clears up was quicker
            left[0] -= 1
            path.unlink()
        lock(file, how)  # type: ignore[arg-type]  # whatever it is given

    monkeypatch.setattr(fcntl, "flock", late)
    with create(path) as file:
        file.write(b"content")
    assert path.read_bytes() == b"content"


def test_nothing_is_cleared_where_nothing_can_be_read(tmp_path: Path) -> None:
    assert remove_abandoned(tmp_path / "missing") == 0
    with Replacement(tmp_path / "out.wav") as new:
        new.commit()
    assert os.listdir(tmp_path) == ["out.wav"]
