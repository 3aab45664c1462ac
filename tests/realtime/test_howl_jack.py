"""A loop through ``semeq live`` on a real JACK server: ducked in time, said, let go, and written down."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jack_loop import Room
from jack_server import BLOCK, FS, JackServer
from live_process import Live
from mic_loop import Played

from semeq.engine.take_file import read_take
from semeq.engine.timeline import Take, align, replay
from semeq.engine.units import Audio

pytestmark = pytest.mark.jack

ON_S, OFF_S = 1.0, 2.2
#: How long the room is listened to: to the end of the release, or to the end of the loop.
RELEASED_S, HOWLED_S = 7.0, 2.3
IN_TIME_S = 0.3
#: What listening may cost.
MOST_OF_A_CORE = 0.15
#: How often it is tried at most: another program may have the processor.
TAKES = 3


def _noise(seconds: float) -> Audio:
    rng = np.random.default_rng(5)
    return (0.02 * rng.standard_normal((round(seconds * FS), 1))).astype(np.float32)


def _loop(folder: Path, seconds: float, *options: str) -> tuple[Room, list[dict[str, Any]], str]:
    room = Room("room", _noise(seconds), FS, 2300.0, 1.3, 0.015, BLOCK, ON_S, OFF_S)
    log = folder / "take.jsonl"
    asked = ["--fresh", "--adapt", "0", "--channels", "1", "--record-log", str(log), *options]
    with Live(folder, *asked) as live, room:
        room.disconnect("system:capture_1", "semeq:in_0")
        room.disconnect("semeq:out_0", "system:playback_1")
        room.connect("room:out_1", "semeq:in_0")
        room.connect("semeq:out_0", "room:in_1")
        room.run(60.0)
        statuses = live.statuses()
        code, _, err = live.stop()
    assert code == 0, err
    return room, statuses, err


def _ducked_after_s(room: Room, take: Take) -> float:
    """Return for how long there had been a howl when the first duck was complete."""
    mic = room.microphone.astype(np.float64)
    duck = next(e for e in take.events if e.control.gate_open and e.control.gate_level < 1.0)
    start = align(take, int(np.argmax(room.microphone != 0.0)))
    frame = duck.frame - start + duck.control.gate_frames
    played = Played(mic, mic, room.play[:, 0].astype(np.float64), FS, 2300.0)
    return played.delay_s(frame)


def test_a_loop_is_ducked_said_and_let_go(
    jack: JackServer, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    delays_s: list[float] = []
    for number in range(TAKES):
        folder = tmp_path / str(number)
        folder.mkdir()
        room, statuses, err = _loop(folder, RELEASED_S)
        take = read_take(folder / "take.jsonl")
        delays_s.append(_ducked_after_s(room, take))
        assert err.count("12 dB lower until it stops") == 1
        assert "howling at 2.3 kHz" in err
        assert "the level is back" in err
        assert "1 howls ducked" in err
        states = [status["howl"]["state"] for status in statuses]
        assert {"holding", "releasing"} & set(states)
        assert states[-1] == "clear"
        share = statuses[-1]["howl"]["cpu_s"] / statuses[-1]["seconds"]
        record_property("share_of_a_core", round(share, 3))
        assert 0.0 < share < MOST_OF_A_CORE
        start = align(take, int(np.argmax(room.microphone != 0.0)))
        again = np.concatenate(list(replay(take, [room.microphone[:, None]], start=start)))
        # what the room heard is what the log renders, bit for bit, as many cycles later as JACK takes
        heard = room.recorded[:, 0]
        first = int(np.argmax(heard[: 2 * FS] != 0.0)) - int(np.argmax(again[:, 0] != 0.0))
        np.testing.assert_array_equal(heard[first:], again[: len(heard) - first, 0])
        if delays_s[-1] <= IN_TIME_S:
            break
    record_property("howl_to_duck_s", delays_s)
    assert min(delays_s) <= IN_TIME_S


def test_without_the_guard_it_howls(jack: JackServer, tmp_path: Path) -> None:
    room, statuses, err = _loop(tmp_path, HOWLED_S, "--no-howl-guard")
    assert "howling" not in err
    assert statuses[-1]["howl"]["state"] == "off"
    assert np.abs(room.recorded[round((OFF_S - 0.1) * FS) : round(OFF_S * FS)]).max() > 0.9
