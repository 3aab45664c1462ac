"""The control loop against a stream whose callback the test calls itself."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from semeq.engine.chain import Chain
from semeq.engine.chain_state import SHED
from semeq.engine.design import design
from semeq.engine.howl_guard import Duck
from semeq.engine.meaning import interpret
from semeq.engine.plugin_map import MapBand, PluginMap
from semeq.engine.recipe import Recipe
from semeq.engine.settings import Kind
from semeq.engine.timeline import Event
from semeq.engine.units import Audio, db_to_gain
from semeq.presets.library import load_vocabulary
from semeq.presets.midi_bindings import Control
from semeq.realtime import callback as native
from semeq.realtime.conductor import Conductor
from semeq.realtime.control import Bypass, ControlState, Delta, Set
from semeq.realtime.desk import Desk
from semeq.realtime.governor import NO_RELIEF, Relief
from semeq.realtime.plan import NO_DELTA, Means
from semeq.realtime.stream import LiveStream
from semeq.realtime.through import Through

FS = 48_000.0


class HandStream(LiveStream):
    """A stream without a device: the test plays the device's part."""

    def __init__(self) -> None:
        self.fs, self.channels, self.in_channels = FS, 2, 2
        self.state = native.live_state(FS, 2, 2)

    @property
    def is_active(self) -> bool:
        return True

    def play(self, x: Audio) -> Audio:
        y = np.empty_like(x)
        native.run_block(self.state, x, y)
        return y


@pytest.fixture
def stage() -> Iterator[tuple[Desk, HandStream, Conductor, list[Event]]]:
    desk, stream = Desk(ControlState((("warm", 0.5),))), HandStream()
    conductor = Conductor(desk, stream, Means(load_vocabulary()))
    events: list[Event] = []
    conductor.on_event = events.append
    conductor.prepare()
    conductor.start()
    yield desk, stream, conductor, events
    conductor._stop_requested.set()
    desk.wake()
    conductor.join(5)


def settle(conductor: Conductor, updates: int) -> None:
    deadline = time.monotonic() + 5
    while conductor.updates < updates:
        assert time.monotonic() < deadline, "the conductor published nothing"
        time.sleep(0.002)


def noise(frames: int = 128) -> Audio:
    return (0.1 * np.random.default_rng(0).standard_normal((frames, 2))).astype(np.float32)


Stage = tuple[Desk, HandStream, Conductor, list[Event]]


def test_the_first_block_has_the_first_recipe(stage: Stage) -> None:
    _, stream, conductor, _ = stage
    stream.play(noise())
    meaning = interpret(Recipe.parse("warm:0.5"), load_vocabulary())
    assert conductor.plan.settings == meaning.settings
    chain = Chain(FS, 2)
    chain.set_target(design(meaning.settings, FS, gain_db=conductor.plan.gain_db))
    np.testing.assert_array_equal(stream.state.chain.target, chain.state.target)


def test_the_cookbook_design_plays_where_it_is_asked_for() -> None:
    stream = HandStream()
    desk = Desk(ControlState((("bright", 1.0),)))
    conductor = Conductor(desk, stream, Means(load_vocabulary(), design="rbj"))
    conductor.prepare()
    stream.play(noise())
    plan = conductor.plan
    chain = Chain(FS, 2)
    chain.set_target(design(plan.settings, FS, gain_db=plan.gain_db, design="rbj"))
    np.testing.assert_array_equal(stream.state.chain.target, chain.state.target)


def test_a_knob_is_published_at_once(stage: Stage) -> None:
    desk, stream, conductor, events = stage
    times_ms = []
    for i in range(30):
        stream.play(noise(1024))
        before = conductor.updates
        started = time.perf_counter()
        desk.act(Set(Control.WORD, 0.1 + 0.02 * i, "warm"))
        settle(conductor, before + 1)
        times_ms.append(1000 * (time.perf_counter() - started))
    assert np.median(times_ms) < 20.0  # on a busy machine, too; a poll would wait for its tick
    stream.play(noise(1024))
    time.sleep(0.05)
    assert len(events) > 25
    frames = [event.frame for event in events]
    assert frames == sorted(frames)


def test_flat_is_exactly_flat_and_bypass_keeps_the_eq(stage: Stage) -> None:
    desk, stream, conductor, _ = stage
    stream.play(noise(1024))
    desk.act(Bypass(True))
    settle(conductor, 2)
    for _ in range(60):
        stream.play(noise(1024))
    x = noise(1024)
    np.testing.assert_array_equal(stream.play(x), x)
    assert not conductor.plan.settings.is_flat
    desk.act(Bypass(False), Set(Control.WORD, 0.0, "warm"))
    settle(conductor, 3)
    for _ in range(60):
        stream.play(noise(1024))
    np.testing.assert_array_equal(stream.play(x), x)
    assert conductor.plan.gain_db == 0.0


def test_relief_is_a_set_like_any_other_and_the_eq_fades_out_and_in(stage: Stage) -> None:
    desk, stream, conductor, events = stage
    stream.play(noise(1024))
    x = noise(1024)
    for number, relief in enumerate((Relief(1), Relief(3, True), Relief(2, True), NO_RELIEF)):
        conductor.relieve(relief)
        settle(conductor, number + 2)
        for _ in range(60):
            y = stream.play(x)
        assert stream.state.chain.ints[SHED] == relief.level
        assert np.array_equal(y, x) == relief.is_bypassed
        assert conductor.plan.is_dry == relief.is_bypassed
    assert not desk.state.bypass
    time.sleep(0.05)
    assert [event.control.shed for event in events] == [0, 1, 3, 2, 0]
    assert [event.control.bypass for event in events] == [False, False, True, True, False]


def test_a_duck_is_a_set_like_any_other_and_its_ramp_outlives_a_knob_turned_meanwhile(
    stage: Stage,
) -> None:
    desk, stream, conductor, events = stage
    stream.play(noise(1024))
    conductor.lower(Duck(-12.0, 0.03))
    settle(conductor, 2)
    desk.act(Set(Control.WORD, 0.6, "warm"))  # takes the place of the set that nobody has taken yet
    settle(conductor, 3)
    stream.play(noise(1024))
    conductor.lower(Duck(0.0, 0.2))
    settle(conductor, 4)
    stream.play(noise(1024))
    time.sleep(0.05)
    controls = [event.control for event in events]
    assert [control.gate_level for control in controls] == [1.0, db_to_gain(-12.0), 1.0]
    assert [control.gate_frames for control in controls] == [24_000, 1440, 9600]


def test_a_word_nobody_knows_leaves_the_sound_as_it_is(stage: Stage) -> None:
    desk, stream, conductor, _ = stage
    stream.play(noise())
    settings = conductor.plan.settings
    desk.act(Set(Control.WORD, 1.0, "wrm"))
    deadline = time.monotonic() + 5
    while not conductor.plan.warnings and time.monotonic() < deadline:
        time.sleep(0.005)
    assert "no one has taught us 'wrm'" in conductor.plan.warnings[0]
    assert conductor.plan.settings == settings


def test_the_compensation_follows_the_programme(stage: Stage) -> None:
    """Bass alone: warm makes it louder, and the gain says so within seconds."""
    desk, stream, conductor, _ = stage
    desk.act(Set(Control.WORD, 1.5, "warm"))
    t = np.arange(24_000) / FS
    bass = np.repeat((0.3 * np.sin(2 * np.pi * 200 * t)).astype(np.float32)[:, None], 2, axis=1)
    before = conductor.plan.gain_db
    for _ in range(10):
        stream.play(bass)
        time.sleep(0.11)
    assert conductor.plan.gain_db < before - 1.0


def test_the_end_is_a_fade_to_silence(stage: Stage) -> None:
    _, stream, conductor, events = stage
    import threading

    stream.play(noise(48_000))
    done = threading.Event()

    def device() -> None:
        while not done.is_set():
            stream.play(noise(128))
            time.sleep(0.002)

    player = threading.Thread(target=device)
    player.start()
    conductor.finish()
    time.sleep(0.1)
    done.set()
    player.join()
    assert not events[-1].control.gate_open
    assert np.all(stream.play(noise()) == 0.0)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5.0
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_plugin_that_is_the_eq_leaves_ours_flat_until_it_has_to_go() -> None:
    plugins = PluginMap(Path("eq.vst3"), (MapBand(Kind.PEAK, "gain_db"),))
    there = [True]
    through = Through(plugins, FS, 2, 128, lambda raws: None, lambda: there[0], lambda line: None)
    desk, stream = Desk(ControlState((("warm", 1.0),))), HandStream()
    conductor = Conductor(desk, stream, Means(load_vocabulary(), through=through))
    conductor.prepare()
    conductor.start()
    try:
        assert conductor.plan.is_through
        assert not conductor.plan.settings.is_flat  # what the plugin is to follow
        assert conductor.plan.own.is_flat
        for _ in range(300):  # the start ramp
            stream.play(noise())
        np.testing.assert_array_equal(stream.play(noise()), noise())
        desk.act(Delta(True))
        until(lambda: NO_DELTA in conductor.plan.warnings)
        assert not conductor.plan.delta  # it would be silence
        desk.act(Delta(False))
        until(lambda: NO_DELTA not in conductor.plan.warnings)
        there[0] = False
        until(lambda: not conductor.plan.is_through)
        assert conductor.plan.own == conductor.plan.settings
        for _ in range(100):
            stream.play(noise())
        assert np.abs(stream.play(noise()) - noise()).max() > 0.005
    finally:
        conductor._stop_requested.set()
        desk.wake()
        conductor.join(5)
