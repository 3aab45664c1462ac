import ctypes.util
import gc
import logging
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from fake_midi import FakeSystem
from jack_server import JackServer
from midi_sender import MidiSender

from semeq.presets.midi_maps import load_map
from semeq.realtime.chatter import hush
from semeq.realtime.control import ControlState
from semeq.realtime.desk import Desk
from semeq.realtime.jack import connect
from semeq.realtime.midi_backend import _JackLog
from semeq.realtime.midi_desk import MidiDesk
from semeq.realtime.midi_input import JOIN_S, MidiInput
from semeq.realtime.midi_keeper import PortState

TIMEOUT_S = 10.0
#: From sending to receipt through a JACK server with blocks of 128 frames (2.7 ms): one block for the
#: sender, one for us, a poll each millisecond. Median 2.0 ms, p99 3.7 ms measured on a quiet machine of
#: two cores; the median has room for a busy one.
LATENCY_MEDIAN_S = 0.010


class Heard:
    """A handler that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[int], float]] = []
        self.ticks: list[float] = []
        self.due: float | None = None
        self.fails_on: int | None = None

    def receive(self, message: Sequence[int], at_s: float) -> None:
        if len(message) > 2 and message[2] == self.fails_on:
            raise RuntimeError("cannot use it")
        self.messages.append((list(message), at_s))

    def tick(self, now_s: float) -> None:
        self.ticks.append(now_s)
        self.due = None


#: A port that goes is missed, and one that returns is open, within so long.
GONE_S, BACK_S = 0.5, 2.0


def wait_for(is_so: Callable[[], bool], what: str) -> float:
    """Wait until something is so; return how long that took, in s."""
    began = time.perf_counter()
    while not is_so():
        if time.perf_counter() > began + TIMEOUT_S:
            pytest.fail(f"{what} did not happen")
        time.sleep(0.002)
    return time.perf_counter() - began


@pytest.mark.parametrize("is_polled", [True, False])
def test_messages_arrive_and_the_thread_ends(is_polled: bool) -> None:
    system, heard = FakeSystem(["nano"], is_polled=is_polled), Heard()
    with MidiInput("nano", heard, systems=[system]) as midi:
        assert str(midi.status) == "nano (fake)"
        for value in range(50):
            system.send(0xB0, 20, value)
        wait_for(lambda: len(heard.messages) == 50, "hearing 50 messages")
    assert [message for message, _ in heard.messages] == [[0xB0, 20, v] for v in range(50)]
    assert midi.status.state is PortState.CLOSED
    assert system.connections == 0
    assert not any(thread.name == "semeq-midi" for thread in threading.enumerate())


@pytest.mark.parametrize("is_polled", [True, False])
def test_what_is_due_is_done_in_time(is_polled: bool) -> None:
    system, heard = FakeSystem(["nano"], is_polled=is_polled), Heard()
    with MidiInput("nano", heard, systems=[system]):
        due = heard.due = time.perf_counter() + 0.03
        system.send(1, 2, 3)  # wakes the thread, so that it sees what is due
        wait_for(lambda: bool(heard.ticks), "a tick")
    assert 0.0 <= heard.ticks[0] - due < 0.1


@pytest.mark.parametrize("is_polled", [True, False])
def test_a_message_that_cannot_be_used_stops_nothing(
    is_polled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    system, heard = FakeSystem(["nano"], is_polled=is_polled), Heard()
    heard.fails_on = 7
    with caplog.at_level(logging.WARNING), MidiInput("nano", heard, systems=[system]):
        for value in (6, 7, 8):
            system.send(0xB0, 20, value)
        wait_for(lambda: len(heard.messages) == 2, "hearing the others")
    assert "a MIDI message could not be used: RuntimeError('cannot use it')" in caplog.text


def test_a_port_that_comes_later() -> None:
    system, heard = FakeSystem(), Heard()
    lines: list[str] = []
    with MidiInput("nano", heard, systems=[system], announce=lines.append) as midi:
        assert midi.status.state is PortState.WAITING
        assert str(midi.status) == "waiting for nano"
        assert midi.status.message == "waiting for MIDI port 'nano': there are none now"
        system.names.append("nano")
        wait_for(lambda: midi.status.state is PortState.OPEN, "opening")
    assert lines[-1] == "MIDI port nano (Fake) is open"


def test_closing_twice_and_never_started() -> None:
    midi = MidiInput("nano", Heard(), systems=[FakeSystem()])
    midi.close()
    with MidiInput("nano", Heard(), systems=[FakeSystem()]) as started:
        started.close()


# ------------------------------------------------------------------------------------------- JACK


@pytest.mark.jack
def test_a_knob_on_a_real_server_turns_the_desk(
    jack: JackServer, capfd: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(ControlState((("warm", 0.0), ("bright", 0.0))))
    knobs = MidiDesk(desk, load_map("default"))
    with MidiSender() as sender, MidiInput("nano", knobs, api="jack") as midi:
        assert str(midi.status) == f"{sender.name} (jack)"
        for value in (64, 80, 127):
            sender.send(0xB0, 20, value)
        sender.send(0xB0, 80, 127)
        wait_for(lambda: desk.state.bypass, "bypass")
    assert desk.state == ControlState((("warm", 1.0), ("bright", 0.0)), bypass=True)
    assert capfd.readouterr().err == ""


@pytest.mark.jack
def test_how_long_a_message_takes(jack: JackServer) -> None:
    heard = Heard()
    with MidiSender() as sender, MidiInput("nano", heard, api="jack"):
        sent = []
        for value in range(100):
            sent.append(sender.send(0xB0, 20, value))
            time.sleep(0.003)
        wait_for(lambda: len(heard.messages) == 100, "hearing 100 messages")
    late = [at_s - sent_s for (_, at_s), sent_s in zip(heard.messages, sent, strict=True)]
    assert [message[2] for message, _ in heard.messages] == list(range(100))
    assert statistics.median(late) < LATENCY_MEDIAN_S


@pytest.mark.jack
def test_nothing_is_lost_while_python_is_busy(jack: JackServer) -> None:
    """The port's own queue is filled without Python, on the audio graph's thread."""
    heard, stop = Heard(), threading.Event()

    def hog() -> None:
        data = [float(n * 7919 % 100_003) for n in range(100_000)]
        while not stop.is_set():
            sorted(data)
            gc.collect(0)  # all of a long test run's objects would take a third of a second

    thread = threading.Thread(target=hog)
    with MidiSender() as sender, MidiInput("nano", heard, api="jack"):
        thread.start()
        for value in range(300):
            sender.send(0xB0, 20 + value // 128, value % 128)
        wait_for(lambda: len(heard.messages) == 300, "hearing 300 messages")
        stop.set()
        thread.join()
    assert [m[2] for m, _ in heard.messages] == [value % 128 for value in range(300)]


@pytest.mark.jack
def test_a_hushed_libjack_still_tells_that_its_server_is_gone(own_jack: JackServer) -> None:
    """The one of PortAudio and of a python-rtmidi without a libjack of its own is one library."""
    log = _JackLog()
    log.attach(ctypes.util.find_library("jack") or "libjack.so.0")
    client = connect()
    assert client is not None
    hush()
    own_jack.stop(signal.SIGKILL)
    wait_for(lambda: log.losses > 0, "hearing that the server is gone")
    assert client.is_lost
    client.close()


@pytest.mark.jack
def test_other_programs_connect_to_a_virtual_port(jack: JackServer) -> None:
    heard = Heard()
    with MidiSender() as sender, MidiInput("virtual", heard, api="jack") as midi:
        assert midi.status.name == "in"
        subprocess.run(["jack_connect", "-s", jack.name, sender.name, "semeq-midi:in"], check=True)
        sender.send(0xB0, 20, 99)
        wait_for(lambda: bool(heard.messages), "hearing it")
    assert heard.messages[0][0] == [0xB0, 20, 99]


@pytest.mark.jack
def test_a_controller_that_leaves_and_returns(
    jack: JackServer, record_property: Callable[[str, object], None]
) -> None:
    heard = Heard()
    lines: list[str] = []
    with MidiInput("nano", heard, api="jack", announce=lines.append) as midi:
        with MidiSender() as sender:
            wait_for(lambda: midi.status.state is PortState.OPEN, "opening")
            sender.send(0xB0, 20, 1)
            wait_for(lambda: len(heard.messages) == 1, "hearing it")
        gone_s = wait_for(lambda: midi.status.state is PortState.WAITING, "seeing that it is gone")
        with MidiSender("nano two"):
            time.sleep(1.2)
            assert midi.status.state is PortState.WAITING  # that is another one
            with MidiSender() as sender:
                back_s = wait_for(lambda: midi.status.state is PortState.OPEN, "finding it again")
                sender.send(0xB0, 20, 2)
                wait_for(lambda: len(heard.messages) == 2, "hearing it again")
    record_property("midi_port", f"missed in {gone_s:.3f} s, back in {back_s:.3f} s")
    assert gone_s <= GONE_S
    assert back_s <= BACK_S
    assert lines[-3:] == [
        "MIDI port nano:knobs (JACK) is open",
        "MIDI port nano:knobs is gone: waiting for it to return",
        "MIDI port nano:knobs (JACK) is back",
    ]


@pytest.mark.jack
@pytest.mark.parametrize("wanted", ["nano", "virtual"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_dies_takes_nobody_with_it(
    own_jack: JackServer, wanted: str, how: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = Heard()
    with MidiInput(wanted, heard, api="jack") as midi:
        sender = MidiSender()
        wait_for(lambda: midi.status.state is PortState.OPEN, "opening")
        own_jack.stop(how)
        sender.close()
        wait_for(lambda: midi.status.state is PortState.WAITING, "seeing that it is gone")
        own_jack.start()
        with MidiSender() as sender:
            wait_for(lambda: midi.status.state is PortState.OPEN, "opening again")
            if wanted == "nano":
                sender.send(0xB0, 20, 5)
                wait_for(lambda: bool(heard.messages), "hearing it")
        own_jack.stop(how)
        began = time.perf_counter()
    assert time.perf_counter() - began < JOIN_S
    assert capfd.readouterr().err == ""
