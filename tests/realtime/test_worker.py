"""The keeper of the listener, with real threads and processes; only the encoder is a stand-in."""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import fake_model
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.encoder import LATENT, Heard, Model
from semeq.engine.listener import Listener, ListenerConfig
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio
from semeq.realtime import callback as native
from semeq.realtime.ear import Beat, Failure, Message, Ready, Report, Task, pack, unpack
from semeq.realtime.ear_process import ProcessRunner, shared_tap
from semeq.realtime.ear_runners import Runner, ThreadRunner
from semeq.realtime.tap import Tap, private_tap
from semeq.realtime.worker import EarState, Worker

FS = 48_000.0
MIX = demo_mix(FS, 8.0)


class Band:
    """Plays to a tap in real time, as the audio thread would."""

    def __init__(self, tap: Tap, audio: Audio = MIX) -> None:
        self._state = native.live_state(FS, 2, 2, tap=tap)
        self._audio = audio
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        block = 960
        at = 0
        began = time.perf_counter()
        while not self._over.wait(max(began + at / FS - time.perf_counter(), 0.0)):
            x = self._audio[at % (len(self._audio) - block) :][:block]
            native.run_block(self._state, np.ascontiguousarray(x), np.empty_like(x))
            at += block

    def __enter__(self) -> "Band":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()


@contextmanager
def listening(
    make: Callable[[Tap], Runner], tap: Tap | None = None
) -> Iterator[tuple[Worker, list[str]]]:
    said: list[str] = []
    tap = tap or private_tap(2)
    worker = Worker(lambda: make(tap), FS, said.append)
    with Band(tap):
        worker.start()
        yield worker, said
        worker.finish()
    assert not worker.is_alive()


def until(condition: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def task(load: Callable[[], Model]) -> Task:
    return Task(load, FS, ListenerConfig())


# ------------------------------------------------------------------------------------- messages


@given(message=st.sampled_from([Ready(), Beat(), Failure("it ä rains", True), Failure("", False)]))
def test_messages_go_through_a_pipe(message: Message) -> None:
    assert unpack(pack(message)) == message


def test_a_report_goes_through_a_pipe_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    heard = Heard(rng.standard_normal(LATENT), rng.standard_normal(61))
    back = unpack(pack(Report(123_456_789, heard, -23.4, True, 480, 0.0123, 7)))
    assert isinstance(back, Report)
    assert back.heard is not None
    np.testing.assert_array_equal(back.heard.z, heard.z)
    np.testing.assert_array_equal(back.heard.spectrum_db, heard.spectrum_db)
    assert (back.frame, back.energy_db, back.is_held) == (123_456_789, -23.4, True)
    assert (back.behind, back.core, back.lost) == (480, 0.0123, 7)
    nothing = unpack(pack(Report(1, None)))
    assert isinstance(nothing, Report)
    assert nothing.heard is None


# ------------------------------------------------------------------------------------ listening


@pytest.mark.parametrize("way", ["thread", "process"])
@pytest.mark.alone
def test_it_hears_ten_times_a_second_what_the_listener_hears(way: str) -> None:
    tap = shared_tap(2) if way == "process" else private_tap(2)
    runner = ProcessRunner if way == "process" else ThreadRunner
    with listening(lambda t: runner(task(fake_model.load_plain), t), tap) as (worker, said):
        until(lambda: worker.status().updates >= 25, "no updates")
        status, latest = worker.status(), worker.latest
    assert status.state is EarState.LISTENING
    assert status.updates_per_s == pytest.approx(10.0, abs=1.5)
    assert status.age_s is not None
    assert status.age_s < 0.5
    assert (status.pid is None) == (way == "thread")
    assert said == []
    # the same samples through the listener offline: the same number
    assert latest is not None
    assert latest.heard is not None
    offline = Listener(fake_model.load_plain(), FS, 2, ListenerConfig())
    hearings = offline.feed(np.concatenate([MIX, MIX]))
    assert hearings[-1].heard is not None
    assert latest.heard.z[0] == pytest.approx(hearings[-1].heard.z[0], abs=6.0)


def test_silence_holds() -> None:
    x = np.concatenate([MIX[: 2 * 48_000], np.zeros((48_000 * 20, 2), dtype=np.float32)])
    tap = private_tap(2)
    said: list[str] = []
    worker = Worker(lambda: ThreadRunner(task(fake_model.load_plain), tap), FS, said.append)
    with Band(tap, x):
        worker.start()
        until(lambda: worker.status().state is EarState.LISTENING, "it does not listen")
        until(lambda: worker.status().state is EarState.HELD, "it does not hold")
        first = worker.latest
        time.sleep(0.5)
        second = worker.latest
        worker.finish()
    assert first is not None
    assert second is not None
    assert first.frame < second.frame
    assert first.heard is second.heard


# -------------------------------------------------------------------------------------- failing


def test_a_model_that_is_missing_is_said_once_and_not_tried_again() -> None:
    with listening(lambda t: ThreadRunner(task(fake_model.load_missing), t)) as (worker, said):
        until(lambda: worker.status().state is EarState.OFF, "it goes on")
        time.sleep(0.5)
    assert len(said) == 1
    assert "onnxruntime" in said[0]
    assert worker.status().restarts == 0


def test_what_crashes_is_started_again_ever_more_seldom() -> None:
    starts: list[float] = []

    def make(tap: Tap) -> Runner:
        starts.append(time.monotonic())
        return ThreadRunner(task(fake_model.load_broken), tap)

    with listening(make) as (worker, said):
        until(lambda: len(starts) >= 4, "it is not started again")
        assert worker.status().state is EarState.STALE
    waits = np.diff(starts)
    assert np.all(waits >= [0.25, 0.5, 1.0])
    assert len(said) == 1  # not at every moment
    assert "RuntimeError: out of luck" in said[0]


def test_a_killed_process_is_replaced() -> None:
    with listening(lambda t: ProcessRunner(task(fake_model.load_plain), t), shared_tap(2)) as (
        worker,
        said,
    ):
        until(lambda: worker.status().updates >= 3, "no updates")
        first = worker.status().pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until(lambda: worker.status().state is EarState.STALE, "it is not noticed", 2.0)
        held = worker.latest
        assert held is not None
        until(lambda: worker.status().state is EarState.LISTENING, "it is not replaced")
        assert worker.status().pid not in (None, first)
        assert worker.status().restarts == 1
        second = worker.status().pid
        assert second is not None
    assert said == ["the audio encoder has ended: what was heard last holds; starting it again"]
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_a_stopped_process_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semeq.realtime.worker.HUNG_AFTER_S", 1.0)
    with listening(lambda t: ProcessRunner(task(fake_model.load_plain), t), shared_tap(2)) as (
        worker,
        said,
    ):
        until(lambda: worker.status().updates >= 3, "no updates")
        first = worker.status().pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        until(lambda: worker.status().state is EarState.STALE, "it is not noticed", 3.0)
        until(lambda: worker.status().restarts == 1, "it is not given up")
        until(lambda: worker.status().state is EarState.LISTENING, "it is not replaced")
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert "no sign of life for 1 s" in said[0]


def test_a_hanging_thread_is_left_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semeq.realtime.worker.HUNG_AFTER_S", 1.0)
    go_on = threading.Event()
    go_on.set()
    models: list[fake_model.FakeModel] = []

    def load() -> Model:
        models.append(fake_model.FakeModel(go_on.wait if not models else None))
        return models[-1]

    with listening(lambda t: ThreadRunner(task(load), t)) as (worker, said):
        until(lambda: worker.status().updates >= 3, "no updates")
        go_on.clear()
        until(lambda: worker.status().state is EarState.STALE, "it is not noticed")
        until(lambda: worker.status().state is EarState.LISTENING, "it is not replaced")
        assert len(models) == 2
        assert "no sign of life" in said[0]
        go_on.set()  # it comes to itself, and ends
        until(
            lambda: sum(t.name == "semeq-ear" for t in threading.enumerate()) == 1,
            "the thread that hung is still there",
        )


def test_late_results_are_counted_and_used() -> None:
    model = fake_model.FakeModel()
    with listening(lambda t: ThreadRunner(task(lambda: model), t)) as (worker, _):
        until(lambda: worker.status().updates >= 3, "no updates")
        assert worker.status().stale_results == 0
        model.before = lambda: time.sleep(0.25)
        until(lambda: worker.status().stale_results >= 2, "lateness is not noticed")
        assert worker.status().restarts == 0
        assert worker.latest is not None
        model.before = None
        until(lambda: worker.status().state is EarState.LISTENING, "it does not catch up")


def test_the_last_result_stays_when_no_input_comes() -> None:
    messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()

    def receive(timeout_s: float) -> Message | None:
        try:
            return messages.get(timeout=timeout_s)
        except queue.Empty:
            return Beat()

    runner = SimpleNamespace(pid=None, receive=receive, end=lambda: True)
    worker = Worker(lambda: runner, FS, lambda line: None)
    worker.start()
    messages.put(Ready())
    report = Report(4800, Heard(np.ones(LATENT), np.zeros(61)))
    messages.put(report)
    until(lambda: worker.latest is report, "not taken")
    until(lambda: worker.status().state is EarState.STALE, "not stale", 3.0)
    assert worker.latest is report
    assert worker.status().restarts == 0
    worker.finish()
