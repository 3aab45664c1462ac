"""A session whose CPU is taken away and given back: ``python overloaded_session.py FS``; it says JSON.

Eight channels of noise under a limiter that is never done with it cost a few tenths of the time at 384 kHz.
Then a program of higher priority runs on the CPU of the audio thread, all but a fortieth of the time, until
the EQ is bypassed.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from jack_probe import Probe

from semeq.engine.limiter import lookahead_frames
from semeq.engine.timeline import Event, Take, replay
from semeq.engine.units import Audio
from semeq.presets.library import load_vocabulary
from semeq.realtime import devices, governor
from semeq.realtime.control import ControlState
from semeq.realtime.session import Session
from semeq.realtime.session_config import SessionConfig
from semeq.realtime.stream import StreamConfig

CHANNELS = 8
BLOCK = 4096
CEILING_DB = -24.0
LOOKAHEAD_S = 0.0005
WINDOW_S, PATIENCE_S = 0.4, 0.5
SOUND_S = 8.0
TIMEOUT_S = 20.0
#: Above every audio thread; busy for so long, then away for so long, s.
HOG_PRIORITY, HOG_ON_S, HOG_OFF_S = 95, 0.0195, 0.0005
_HOG = """
import os, sys, time
cpu, priority, on_s, off_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
os.sched_setaffinity(0, {cpu})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
end = time.perf_counter() + 30.0
while time.perf_counter() < end:
    until = time.perf_counter() + on_s
    while time.perf_counter() < until:
        pass
    time.sleep(off_s)
"""


def loud(frames: int) -> Audio:
    """Return noise under full scale; one block of it, over and over, is quick to make."""
    noise = 0.2 * np.random.default_rng(0).standard_normal((BLOCK, CHANNELS))
    block: Audio = np.clip(noise, -0.99, 0.99).astype(np.float32)
    played: Audio = np.tile(block, (frames // BLOCK + 1, 1))[:frames]
    return played


@contextmanager
def hog() -> Iterator[None]:
    """Take the audio threads' CPU away."""
    cpu = max(os.sched_getaffinity(0))
    ours = {thread.native_id for thread in threading.enumerate()}
    for name in os.listdir("/proc/self/task"):
        if int(name) not in ours and os.sched_getscheduler(int(name)) == os.SCHED_FIFO:
            os.sched_setaffinity(int(name), {cpu})
    arguments = [str(value) for value in (cpu, HOG_PRIORITY, HOG_ON_S, HOG_OFF_S)]
    process = subprocess.Popen([sys.executable, "-S", "-c", _HOG, *arguments])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it holds; what does not come to pass is seen in the result."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


def run(fs: float) -> dict[str, Any]:
    """Run the session and return what became of it."""
    governor.WINDOW_S, governor.PATIENCE_S = WINDOW_S, PATIENCE_S
    devices.refresh()
    said: list[str] = []
    events: list[Event] = []
    stream = StreamConfig(
        devices.find(None, "input"),
        devices.find(None, "output"),
        fs,
        channels=CHANNELS,
        lookahead_frames=lookahead_frames(LOOKAHEAD_S, fs),
        ceiling_db=CEILING_DB,
    )
    config = SessionConfig(stream, ControlState((("warm", 1.0),)))
    session = Session(config, load_vocabulary(), said.append)
    session.rig.conductor.on_event = events.append
    sent = loud(round(SOUND_S * fs))
    with session.running(), Probe("player", sent, 2) as probe:
        for i in range(CHANNELS):
            probe.disconnect(f"system:capture_{i + 1}", f"semeq:in_{i}")
            probe.connect(f"player:out_{i + 1}", f"semeq:in_{i}")
        for i in range(2):
            probe.connect(f"semeq:out_{i}", f"player:in_{i + 1}")
        time.sleep(0.7)  # the start ramp is over
        probe.begin()
        time.sleep(2.0 * WINDOW_S)
        before = session.status()
        with hog():
            wait_for(lambda: session.status()["overload"]["level"] == 3)
            wait_for(lambda: session.plan.is_dry)
            time.sleep(0.2)
            at_worst = session.status()
        wait_for(lambda: session.status()["overload"]["level"] == 0 and not session.plan.is_dry)
        time.sleep(0.2)
        after, frames = session.status(), probe.position
    first = session.stream.counts().first_sound
    take = Take(fs, CHANNELS, stream.lookahead_frames, CEILING_DB, tuple(events))
    again = np.concatenate(list(replay(take, [sent[:frames]], start=first or 0)))[:, :2]
    heard = probe.recorded[:frames]
    delay = next(
        (
            d
            for d in range(take.lookahead_frames, 4 * BLOCK + take.lookahead_frames)
            if np.array_equal(heard[d : d + 2 * BLOCK], again[: 2 * BLOCK])
        ),
        -1,
    )
    stretches = heard[8 * BLOCK : len(heard) // BLOCK * BLOCK].reshape(-1, BLOCK, 2)
    return {
        "fs": fs,
        "said": said,
        "shed": [event.control.shed for event in events],
        "before": before,
        "at_worst": at_worst,
        "after": after,
        "delay": delay,
        "is_same": delay >= 0 and np.array_equal(heard[delay:], again[: len(heard) - delay]),
        "quietest": float(np.abs(stretches).max(axis=(1, 2)).min()),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(float(sys.argv[1]))) + "\n")
