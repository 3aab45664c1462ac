"""``semeq live`` whose JACK server is killed, stopped, restarted at another rate, drops it or hangs."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jack_server import JackServer
from live_process import Live, ports

pytestmark = pytest.mark.jack

Record = Callable[[str, object], None]
DETECTED_S, BACK_S = 0.5, 2.0


def wait_for(live: Live, condition: Callable[[dict[str, Any]], bool], timeout_s: float) -> float:
    """Wait for a status as wanted; return how long that took, in s."""
    began = time.monotonic()
    while not condition(live.statuses()[-1]):
        assert live.process.poll() is None, live.process.communicate()
        assert time.monotonic() - began < timeout_s, live.statuses()[-1]
        time.sleep(0.01)
    return time.monotonic() - began


def is_lost(status: dict[str, Any]) -> bool:
    return status["state"] in ("lost", "reopening")


def is_running(status: dict[str, Any]) -> bool:
    return bool(status["state"] == "running")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_dies_and_returns(
    own_jack: JackServer, tmp_path: Path, how: signal.Signals, record_property: Record
) -> None:
    """Twice, the second time at another rate."""
    with Live(tmp_path, "--make", "warm", "--adapt", "0") as live:
        for turn, fs in ((1, 48_000), (2, 44_100)):
            own_jack.stop(how)
            detected_s = wait_for(live, is_lost, 5.0)
            time.sleep(0.5)
            own_jack.fs = fs
            own_jack.start()
            back_s = wait_for(live, is_running, 10.0)
            record_property(f"{how.name}_{turn}", f"seen {detected_s:.3f} s, back {back_s:.3f} s")
            assert detected_s <= DETECTED_S
            assert back_s <= BACK_S
            status = live.statuses()[-1]
            assert (status["reconnects"], status["fs"]) == (turn, float(fs))
            assert status["recipe"] == "warm"
            assert "semeq:in_0" in ports()
        code, out, err = live.stop()
    assert (code, out) == (0, ""), err
    assert [err.count(words) for words in ("is gone (", "is back", "2 reconnects")] == [2, 2, 1]
    assert "is back at 44100 Hz (it was 48000 Hz)" in err
