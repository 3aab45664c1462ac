import logging
import threading
import time

import pytest

from semeq.presets.midi_bindings import Control
from semeq.realtime.control import Bypass, ControlState, Set, Step
from semeq.realtime.desk import Desk, Snapshot

#: A waiting thread wakes in well under a millisecond (median 0.1 ms measured); the room is for a busy
#: machine. A poll at 100 Hz would have a median of 5 ms.
WAKE_MEDIAN_S = 2e-3


def test_one_call_is_one_change() -> None:
    desk = Desk()
    state = desk.act(Set(Control.AMOUNT, 0.5), Bypass(), Set(Control.TRIM, -3.0))
    assert state == ControlState(amount=0.5, bypass=True, trim_db=-3.0)
    assert (desk.version, desk.state, desk.newest.state) == (1, state, state)


def test_what_changes_nothing_is_no_change() -> None:
    desk = Desk(ControlState(amount=0.5))
    heard: list[Snapshot] = []
    desk.listen(heard.append)
    assert desk.act(Set(Control.AMOUNT, 0.5)) == desk.state
    assert desk.act(Bypass(), Bypass()) == desk.state
    assert (desk.version, heard) == (0, [])


def test_wait_returns_at_once_when_it_has_missed_something() -> None:
    desk = Desk()
    desk.act(Bypass())
    began = time.perf_counter()
    assert desk.wait(0, 5.0).version == 1
    assert time.perf_counter() - began < 1.0


def test_wait_gives_up() -> None:
    desk = Desk()
    began = time.perf_counter()
    assert desk.wait(0, 0.05).version == 0
    assert 0.04 < time.perf_counter() - began < 1.0


def test_wake_ends_a_wait_without_a_change() -> None:
    desk = Desk()
    woken = threading.Event()

    def sleeper() -> None:
        desk.wait(0, 30.0)
        woken.set()

    thread = threading.Thread(target=sleeper)
    thread.start()
    while not woken.wait(0.01):
        desk.wake()
    thread.join()
    assert desk.version == 0


def test_a_waiting_thread_is_woken_at_once() -> None:
    desk = Desk()
    late_s: list[float] = []

    def conductor() -> None:
        version = 0
        while version < 100:
            snapshot = desk.wait(version, 1.0)
            if snapshot.version > version:
                late_s.append(time.perf_counter() - snapshot.at_s)
            version = snapshot.version

    thread = threading.Thread(target=conductor)
    thread.start()
    for _ in range(100):
        time.sleep(0.002)
        desk.act(Bypass())
    thread.join(10.0)
    assert not thread.is_alive()
    assert sorted(late_s)[len(late_s) // 2] < WAKE_MEDIAN_S


def test_many_hands_lose_no_turn() -> None:
    desk = Desk(ControlState((("warm", 0.0),)))
    heard: list[int] = []
    desk.listen(lambda snapshot: heard.append(snapshot.version))

    def turn(delta: float) -> None:
        for _ in range(500):
            desk.act(Step(Control.WORD, delta, "warm"))

    threads = [threading.Thread(target=turn, args=(0.001,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.state.weight("warm") == pytest.approx(2.0, abs=1e-9)
    assert desk.version == 2000
    assert sorted(heard) == list(range(1, 2001))


def test_version_and_state_belong_together() -> None:
    desk = Desk(ControlState(amount=0.0))
    stop = threading.Event()

    def turn() -> None:
        while not stop.is_set() and desk.version < 200:
            desk.act(Set(Control.AMOUNT, (desk.version + 1) / 1000.0))

    thread = threading.Thread(target=turn)
    thread.start()
    for _ in range(2000):
        snapshot = desk.newest
        assert snapshot.state.amount == snapshot.version / 1000.0
    stop.set()
    thread.join()


def test_listeners_come_and_go() -> None:
    desk = Desk()
    heard: list[Snapshot] = []
    off = desk.listen(heard.append)
    desk.act(Bypass())
    off()
    off()
    desk.act(Bypass())
    assert [snapshot.version for snapshot in heard] == [1]


def test_a_listener_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    heard: list[Snapshot] = []

    def fails(snapshot: Snapshot) -> None:
        raise RuntimeError("broken display")

    desk.listen(fails)
    desk.listen(heard.append)
    with caplog.at_level(logging.WARNING):
        assert desk.act(Bypass()).bypass
    assert len(heard) == 1
    assert "a listener of the desk failed: RuntimeError('broken display')" in caplog.text


def test_a_listener_may_act() -> None:
    desk = Desk()

    def trims(snapshot: Snapshot) -> None:
        desk.act(Set(Control.TRIM, -1.0))

    desk.listen(trims)
    desk.act(Bypass())
    assert desk.state == ControlState(bypass=True, trim_db=-1.0)
