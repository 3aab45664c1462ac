"""A callback that really has too little time: what is left out, in which order, and that the sound goes on.

At 48 kHz and block 128 the callback takes well under 1 % of its time, so no test could slow it down enough.
Hence it is given much to do (`overloaded_session`), and then most of its CPU is taken away.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from callback_host import Host
from jack_server import JackServer
from overloaded_session import BLOCK, CEILING_DB, CHANNELS, HOG_PRIORITY, loud

from semeq.engine.design import design
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.timeline import ControlSet
from semeq.presets.library import load_vocabulary
from semeq.realtime import callback as native

pytestmark = [pytest.mark.alone, pytest.mark.jack]

#: What the callback takes of its time while it has the CPU for itself; PortAudio ends at 384 kHz.
SHARE, MAX_FS = 0.35, 384_000


def cost_s() -> float:
    """Return what a frame of loud sound costs here, in seconds of the callback."""
    host = Host(CHANNELS, CHANNELS, lookahead_frames=192, ceiling_db=CEILING_DB)
    eq = interpret(Recipe.parse("warm"), load_vocabulary()).settings
    host.post(ControlSet(design(eq, MAX_FS), 0))
    x = loud(BLOCK)
    costs = []
    for _ in range(25):
        host.block(x)
        costs.append(1e-9 * float(host.state.counters[native.LAST_NS]) / BLOCK)
    return float(min(costs))  # an audio thread is not held up as this one is


@pytest.fixture
def fast_jack() -> Iterator[JackServer]:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(HOG_PRIORITY))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except (AttributeError, PermissionError):
        pytest.skip(
            "nobody may take a CPU away here: it needs Linux and the right to realtime priority"
        )
    fs = min(round(SHARE / cost_s() / 1000) * 1000, MAX_FS)
    server = JackServer(f"semeq-fast-{os.getpid()}", fs, BLOCK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JACK_DEFAULT_SERVER", server.name)
        patch.setenv("JACK_NO_START_SERVER", "1")
        server.start(channels=CHANNELS)
        yield server
        server.end()


def test_an_overload_drops_features_in_order_and_takes_them_up_again(fast_jack: JackServer) -> None:
    script = Path(__file__).parents[1] / "overloaded_session.py"
    command = [sys.executable, str(script), str(fast_jack.fs)]
    path = os.pathsep.join([str(script.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    said = run["said"]
    levels = [0, *run["shed"]]
    steps = [b for a, b in pairwise(levels) if a != b]
    assert steps == [1, 2, 3, 2, 1, 0], said
    assert run["before"]["overload"]["level"] == 0
    worst = run["at_worst"]["overload"]
    assert worst["dropped"] == ["meters", "look-ahead", "eq"]
    assert worst["steps"] == 3
    assert run["at_worst"]["peak_out"] == 0.0
    assert run["after"]["overload"]["dropped"] == []
    for line, part in zip(
        said,
        (
            "the meters stop",
            "the limiter looks at samples only",
            "the EQ is bypassed",
            "the EQ is back",
            "the limiter looks between the samples again",
            "the meters are back",
        ),
        strict=True,
    ):
        assert part in line
        assert ("overload, " in line) == ("back" not in line and "again" not in line)
    # what was heard is what the log makes of it, bit for bit; and there was sound all the time
    assert run["is_same"], run["delay"]
    assert run["quietest"] > 0.01
