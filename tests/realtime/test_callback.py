"""The native callback called as PortAudio calls it: by address, with raw buffers."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callback_host import FS, Host

from semeq.engine.chain import Chain
from semeq.engine.chain_state import SHED
from semeq.engine.design import design
from semeq.engine.faders import set_gate
from semeq.engine.limiter import SAMPLES_ONLY
from semeq.engine.settings import LAYOUT, REST_FREQS_HZ, Band, EQSettings
from semeq.engine.timeline import ControlSet, Event, Take, replay
from semeq.engine.units import Audio
from semeq.realtime import callback as native
from semeq.realtime.insert_callback import inserted_callback, inserted_state, run_inserted
from semeq.realtime.insert_ring import private_ring
from semeq.realtime.insert_stage import stage
from semeq.realtime.mailbox import post
from semeq.realtime.tap import TAP_FRAMES, TAPPED

HERE = Path(__file__).parent


def noise(frames: int, channels: int = 2) -> Audio:
    return (0.1 * np.random.default_rng(0).standard_normal((frames, channels))).astype(np.float32)


def warm(gain_db: float = 6.0) -> EQSettings:
    return EQSettings(
        tuple(Band(k, f, gain_db) for k, f in zip(LAYOUT, REST_FREQS_HZ, strict=True))
    )


def opened(eq: EQSettings, ramp_frames: int = 0, gate_frames: int = 0) -> ControlSet:
    return ControlSet(design(eq, FS), ramp_frames, gate_open=True, gate_frames=gate_frames)


def test_it_is_silent_until_the_first_set_opens_the_gate() -> None:
    host = Host(2, 2)
    assert np.all(host.block(noise(256)) == 0.0)
    host.post(opened(warm()))
    assert np.abs(host.block(noise(256))).max() > 0.01


@pytest.mark.parametrize("blocks", [[64] * 40, [128] * 20, [1, 7, 333, 64, 1000, 1155]])
def test_it_is_the_chain_bit_for_bit(blocks: list[int]) -> None:
    x = noise(2560)
    host, chain = Host(2, 2), Chain(FS, 2)
    host.post(opened(warm()))
    chain.set_target(design(warm(), FS))
    edges = np.cumsum([0, *blocks])
    y = np.concatenate([host.block(x[a:b]) for a, b in pairwise(edges)])
    np.testing.assert_array_equal(y, chain.process(x))


def test_a_block_larger_than_its_arrays_is_served_in_several_goes() -> None:
    x = noise(3 * native.MAX_FRAMES + 17)
    host, chain = Host(2, 2), Chain(FS, 2)
    host.post(opened(warm()))
    chain.set_target(design(warm(), FS))
    np.testing.assert_array_equal(host.block(x), chain.process(x))


def test_one_microphone_feeds_every_output() -> None:
    host, chain = Host(1, 2), Chain(FS, 1)
    x = noise(500, 1)
    host.post(opened(warm()))
    chain.set_target(design(warm(), FS))
    y, expected = host.block(x), chain.process(x)
    np.testing.assert_array_equal(y, np.repeat(expected, 2, axis=1))


def test_a_set_waits_until_the_ramp_under_way_has_ended() -> None:
    host = Host(2, 2)
    host.post(opened(warm(), ramp_frames=480), 1)
    host.block(noise(64))
    host.post(opened(warm(-6.0), ramp_frames=480), 2)
    host.post(opened(warm(3.0), ramp_frames=480), 3)
    while host.state.counters[native.APPLIED] < 2:
        host.block(noise(64))
    taken = host.state.applied[:2].tolist()
    assert taken == [[1, 0], [3, 512]]  # the newest one, at the first block after the ramp


def test_a_gentle_set_lets_the_next_one_in() -> None:
    host = Host(2, 2)
    host.post(opened(warm()), 1)
    host.block(noise(64))
    gentle = opened(warm(5.9), ramp_frames=480).pack(2, gentle=True)
    post(host.state.words, host.state.slots, gentle)
    host.block(noise(64))
    host.post(opened(warm(-6.0), ramp_frames=480), 3)
    host.block(noise(64))
    assert host.state.applied[:3].tolist() == [[1, 0], [2, 64], [3, 128]]


def test_what_it_noted_replays_to_the_same_bits() -> None:
    host = Host(2, 2, lookahead_frames=72, ceiling_db=-12.0)
    x = noise(20_000) * 3
    controls = {
        1: opened(warm(), gate_frames=2000),
        2: opened(warm(-9.0), ramp_frames=480),
        3: opened(EQSettings.flat(), ramp_frames=480),
    }
    out = []
    for i, at in enumerate(range(0, 20_000, 100)):
        if i in (5, 60, 120):
            number = {5: 1, 60: 2, 120: 3}[i]
            host.post(controls[number], number)
        out.append(host.block(x[at : at + 100]))
    live = np.concatenate(out)
    count = int(host.state.counters[native.APPLIED])
    events = tuple(Event(int(frame), controls[int(n)]) for n, frame in host.state.applied[:count])
    take = Take(FS, 2, 72, -12.0, events, int(host.state.counters[native.FIRST_SOUND]))
    again = np.concatenate(list(replay(take, [x])))
    assert len(events) == 3
    np.testing.assert_array_equal(again[:-72], live[72:])


def test_it_counts_xruns_damage_and_first_sound() -> None:
    host = Host(2, 2)
    x = np.zeros((100, 2), dtype=np.float32)
    host.block(x)
    x[40, 1] = 0.5
    x[50:52] = np.inf
    host.block(x, flags=0x2)
    host.block(x, flags=0x4 | 0x8)
    counters = host.state.counters
    assert counters[native.FIRST_SOUND] == 140
    assert counters[native.INPUT_XRUNS] == 1
    assert counters[native.OUTPUT_XRUNS] == 1
    assert counters[native.CALLBACKS] == 3
    assert host.state.histogram.sum() == 3
    assert host.state.chain.ints[4] == 8


def test_without_time_for_meters_overs_are_not_counted_and_the_tap_goes_on() -> None:
    host = Host(2, 2)
    x = noise(512)
    x[100] = 1.0
    for shed in (0, 1, 2, 3, 0):
        host.post(replace(opened(warm()), shed=shed))
        y = host.block(x)
    assert host.state.counters[native.OVERS] == 4
    assert host.state.counters[TAPPED] == 5 * 512
    assert host.state.counters[native.HEARD] == 2 * 512
    np.testing.assert_array_equal(host.state.heard[512:1024], y)


@pytest.mark.parametrize("shed", [1, 2, 3])
def test_with_inserts_all_three_chains_are_relieved(shed: int) -> None:
    stages = [stage(private_ring(2), FS) for _ in ("pre", "eq", "post")]
    state = inserted_state(FS, 2, *stages, lookahead_frames=72, ceiling_db=-6.0)
    x, y = noise(512), np.empty((512, 2), dtype=np.float32)
    for level in (0, shed):
        control = replace(opened(warm()), shed=level, bypass=level == 3)
        post(state.live.words, state.live.slots, control.pack())
        for _ in range(300):  # until the limiter has let go
            run_inserted(state, x, y)
    assert state.live.counters[native.HEARD] == 300 * 512
    for chain in (state.live.chain, state.first, state.last):
        assert chain.ints[SHED] == shed
        assert chain.limiter_ints[SAMPLES_ONLY] == (shed >= 2)
    filters = state.live.chain.filters.copy()
    run_inserted(state, -x, y)
    assert np.array_equal(filters, state.live.chain.filters) == (shed == 3)
    if shed == 3:
        np.testing.assert_array_equal(y[72:], -x[:-72])


def test_with_inserts_the_gate_stands_once_at_the_end_of_all() -> None:
    stages = [stage(private_ring(2), FS) for _ in ("pre", "eq", "post")]
    state = inserted_state(FS, 2, *stages)
    x, y = noise(2048), np.empty((2048, 2), dtype=np.float32)
    chain = Chain(FS, 2)
    chain.set_gate(False)
    want = chain.process(np.zeros_like(x))
    for level in (1.0, 0.25, 1.0):
        control = replace(opened(EQSettings.flat(), gate_frames=1500), gate_level=level)
        post(state.live.words, state.live.slots, control.pack())
        run_inserted(state, x, y)
        set_gate(chain.state, level, 1500)
        np.testing.assert_array_equal(y, chain.process(x, want))


def test_the_tap_holds_the_newest_input() -> None:
    host = Host(2, 2)
    x = noise(TAP_FRAMES + 5000)
    for at in range(0, len(x), 4096):
        host.block(x[at : at + 4096])
    written = int(host.state.counters[TAPPED])
    assert written == len(x)
    newest = np.arange(written - 1000, written) & (TAP_FRAMES - 1)
    np.testing.assert_array_equal(host.state.tap[newest], x[-1000:])


def armed(script: str, folder: Path) -> dict[str, Any]:
    """Run a script in a process that counts what is allocated, freed, locked and waited for."""
    compiler = shutil.which("cc")
    assert compiler, "a C compiler is needed to build the counter: apt-get install gcc"
    library = folder / "interpose.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "interpose.c", "-ldl"],
        check=True,
    )
    done = subprocess.run(
        [sys.executable, HERE / script, library],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.skipif(sys.platform != "linux", reason="counts by LD_PRELOAD")
def test_it_never_allocates_frees_locks_or_waits(tmp_path: Path) -> None:
    native.native_callback()  # compiled and cached before the counted process starts
    result = armed("armed_callback.py", tmp_path)
    assert result["control"] == [1, 1, 1, 0]  # the counters do count
    assert result["applied"] > 100
    assert result["callback"] == [0, 0, 0, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="counts by LD_PRELOAD")
def test_with_inserts_neither(tmp_path: Path) -> None:
    inserted_callback()
    result = armed("armed_inserts.py", tmp_path)
    assert min(result["late"]) > 3
    assert min(result["wrong"]) > 0
    assert result["wet"] > 100
    assert result["callback"] == [0, 0, 0, 0]
