"""What a session says of itself: the status file, read while it is written, and the summary."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from jack_probe import Probe
from jack_server import JackServer
from jack_takes import FS, through_semeq
from live_process import SEMEQ, Live

from semeq.engine.errors import DataError
from semeq.realtime.cli_status import status as command
from semeq.realtime.status_file import Follower, line, newest, summary

STATUS: dict[str, Any] = {
    "uptime_s": 75.2,
    "state": "running",
    "seconds": 74.9,
    "fs": 48_000.0,
    "blocksize": 64,
    "callback_us": {"p50": 6.0, "p99.9": 40.0, "max": 81.5},
    "load": 0.0051,
    "missed_deadlines": 1,
    "xruns": 2,
    "limited_frames": 3,
    "clipped_samples": 4,
    "bad_samples": 5,
    "stale_encoder_results": 6,
    "added_frames": 7,
    "howl": {"state": "clear", "ducks": 11},
    "reconnects": 8,
    "away_s": 9.5,
    "overload": {"level": 0, "dropped": [], "load": 0.01, "steps": 10},
    "loudness": {"momentary_lufs": -11.0, "short_term_lufs": -12.0, "integrated_lufs": -18.53},
    "recipe": "warm",
}


def written(path: Path, *statuses: dict[str, Any], mode: str = "w") -> Path:
    with path.open(mode) as file:
        file.writelines(json.dumps(one) + os.linesep for one in statuses)
    return path


def test_the_summary_holds_all_that_went_wrong() -> None:
    said = summary(STATUS)
    for part in (
        "up 1:15, 74.9 s of sound at 48000 Hz, block 64",
        "p50 6, p99.9 40, max 81.5 µs (load 0.51 %)",
        "loudness -18.5 LUFS",
        "1 deadlines missed",
        "2 xruns",
        "10 overload steps",
        "3 frames limited",
        "4 input samples clipped",
        "5 damaged samples",
        "6 late encoder results",
        "7 frames added",
        "11 howls ducked",
        "8 reconnects (9.5 s without the device)",
    ):
        assert part in said
    assert line(STATUS).startswith("running: warm | up 1:15")
    # one of an earlier version
    assert "loudness unknown" in summary({k: v for k, v in STATUS.items() if k != "loudness"})
    assert "0 overload" in summary({k: v for k, v in STATUS.items() if k != "overload"})
    assert "0 reconnects" in summary({k: v for k, v in STATUS.items() if k != "reconnects"})


def test_the_newest_whole_line_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "s.jsonl", STATUS, {**STATUS, "xruns": 17})
    with path.open("a") as file:
        file.write('{"state": "runn')
    assert newest(path)["xruns"] == 17
    follower = Follower(path)
    assert follower.first["xruns"] == 17
    assert list(follower.fresh()) == []
    with path.open("a") as file:
        file.write('"}\n')
    written(path, {**STATUS, "xruns": 18}, mode="a")
    assert [one["xruns"] for one in follower.fresh()] == [18]
    assert list(follower.fresh()) == []
    written(path, {**STATUS, "xruns": 1})  # a new session took the name
    assert [one["xruns"] for one in follower.fresh()] == [1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"not json\n",
        b"[]\n",
        b"{}\n",
        b"\xff\xfe\n",
        b'{"state": 1, "seconds": "x"}\n',
    ],
)
def test_what_is_no_status_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match="must hold what 'semeq live --status' writes"):
        newest(path)
    for absent in (tmp_path / "none", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            newest(absent)


def test_the_command(tmp_path: Path) -> None:
    path = written(tmp_path / "s.jsonl", STATUS, {**STATUS, "state": "stopped"})
    done = CliRunner().invoke(command, [str(path)])
    assert done.exit_code == 0
    assert done.output.startswith("stopped: warm | up")
    done = CliRunner().invoke(command, [str(path), "--json"])
    assert json.loads(done.output) == {**STATUS, "state": "stopped"}
    done = CliRunner().invoke(command, [str(path), "--follow"])  # over already
    assert done.output.count("\n") == 1


def test_following_ends_with_the_session(tmp_path: Path) -> None:
    path = written(tmp_path / "s.jsonl", STATUS)
    process = subprocess.Popen(
        [str(SEMEQ), "status", str(path), "-f"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline().startswith("running")
        written(path, {**STATUS, "state": "stopped"}, mode="a")
        assert said.readline().startswith("stopped")
    assert process.wait(10) == 0


@pytest.mark.jack
def test_a_session_says_it_all(jack: JackServer, tmp_path: Path) -> None:
    """Clipped, damaged and limited samples are counted, in the file and in the last line."""
    rng = np.random.default_rng(0)
    sent = (0.05 * rng.standard_normal((FS, 2))).astype(np.float32)
    sent[1000:1010, 0] = 1.0
    sent[2000:2003] = -2.5
    sent[3000, 1] = np.nan
    with Live(tmp_path, "--adapt", "0", "--fresh") as live, Probe("player", sent, 2) as probe:
        through_semeq(probe)
        time.sleep(0.7)
        probe.run(20)
        time.sleep(0.2)
        process = subprocess.run(
            [str(SEMEQ), "status", str(live.status_file)],
            capture_output=True,
            text=True,
            check=True,
        )
        code, _, err = live.stop(signal.SIGINT)
    assert code == 0, err
    last = live.statuses()[-1]
    assert last["state"] == "stopped"
    assert last["clipped_samples"] == 16
    assert last["bad_samples"] >= 1
    assert last["limited_frames"] > 0
    assert last["uptime_s"] >= last["seconds"] - 0.5 > 1.0
    assert last["reconnects"] == 0
    assert summary(last).split(", ", 2)[2] in err
    assert process.stdout.startswith("running: flat | up 0:0")
