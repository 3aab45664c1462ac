"""``semeq live`` whose JACK server is killed, stopped, restarted at another rate, drops it or hangs."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jack_probe import Probe
from jack_server import FS, JackServer, cut_off
from jack_takes import lag, read_wav, through_semeq
from live_process import Live, ports
from midi_sender import MidiSender
from scipy.signal import firwin

from semeq.engine.synth import demo_mix
from semeq.engine.take_file import read_take
from semeq.engine.timeline import align, replay
from semeq.engine.units import Audio
from semeq.presets.library import load_vocabulary
from semeq.realtime import devices, pulse, rig
from semeq.realtime.control import ControlState
from semeq.realtime.repeating import recording
from semeq.realtime.session import Session
from semeq.realtime.session_config import SessionConfig
from semeq.realtime.stream import LiveStream, StreamConfig

pytestmark = [pytest.mark.alone, pytest.mark.jack]

Record = Callable[[str, object], None]
DETECTED_S, BACK_S = 0.5, 2.0
PLAIN = ("--make", "warm", "--adapt", "0", "--fresh")


def wait_for(
    live: Live, condition: Callable[[dict[str, Any]], bool], what: str, player: Probe | None = None
) -> float:
    """Wait for a status as wanted, while `player` plays; return how long that took, in s."""
    began = time.monotonic()
    if player is not None:
        player.begin()
    while not condition(live.statuses()[-1]):
        assert live.process.poll() is None, live.process.communicate()
        assert time.monotonic() - began < 10.0, f"{what}: {live.statuses()[-1]}"
        time.sleep(0.01)
    return time.monotonic() - began


@contextmanager
def in_background(probe: Probe) -> Iterator[list[Audio]]:
    """Let a probe play and record meanwhile; what it recorded is there at the end."""
    taken: list[Audio] = []
    runner = threading.Thread(target=lambda: taken.append(probe.run(20).copy()))
    runner.start()
    yield taken
    runner.join()


def is_lost(status: dict[str, Any]) -> bool:
    return status["state"] in ("lost", "reopening")


def is_running(status: dict[str, Any]) -> bool:
    return bool(status["state"] == "running")


def silences(heard: Audio) -> list[tuple[int, int]]:
    """Return where 10 ms of zeros and more begin and end within a recording, not at its ends."""
    sounds = np.flatnonzero(heard)
    return [(int(a) + 1, int(b)) for a, b in pairwise(sounds) if b - a > 0.01 * FS]


def click_db(heard: Audio, at: int) -> float:
    """Return the peak above 4 kHz from just before a frame to 0.6 s after it, dB of the tone's peak."""
    near = heard[at - 200 : at + round(0.6 * FS)].astype(np.float64)
    high = np.convolve(near, firwin(255, 4000.0, fs=FS, pass_zero=False, window=("kaiser", 14.0)))
    peak: float = np.abs(high[: len(near)]).max()
    return 20.0 * float(np.log10(peak / np.abs(heard).max()))


def wires(port: str) -> set[str]:
    """Return what a JACK port is wired to."""
    listed = subprocess.run(["jack_lsp", "-c", port], capture_output=True, text=True, check=True)
    return {line.strip() for line in listed.stdout.splitlines() if line.startswith(" ")}


def wait_wired(port: str, other: str) -> float:
    """Wait until a port is wired to another and to nothing else; return how long that took, in s."""
    began = time.monotonic()
    while wires(port) != {other}:
        assert time.monotonic() < began + BACK_S, (port, wires(port))
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_dies_and_returns(
    own_jack: JackServer, tmp_path: Path, how: signal.Signals, record_property: Record
) -> None:
    """Twice, the second time at another rate; the MIDI port is back, too."""
    with Live(tmp_path, *PLAIN, "--midi", "nano") as live:
        for turn, fs in ((1, 48_000), (2, 44_100)):
            own_jack.stop(how)
            seen_s = wait_for(live, is_lost, "not seen")
            time.sleep(0.3)
            own_jack.fs = fs
            own_jack.start()
            back_s = wait_for(live, is_running, "not back")
            record_property(f"{how.name}_{turn}", f"seen in {seen_s:.3f} s, back in {back_s:.3f} s")
            assert seen_s <= DETECTED_S
            assert back_s <= BACK_S
            status = live.statuses()[-1]
            assert (status["reconnects"], status["fs"]) == (turn, float(fs))
            assert status["recipe"] == "warm"
            assert wires("semeq:in_0") == {"system:capture_1"}
            with MidiSender() as sender:
                port_s = wait_wired(sender.name, "semeq-midi:in")
                record_property(f"{how.name}_{turn}_midi", f"back in {port_s:.3f} s")
        code, out, err = live.stop()
    assert (code, out) == (0, ""), err
    assert [
        err.count(words) for words in ("system (JACK) is gone", "system (JACK) is back", "2 rec")
    ] == [
        2,
        2,
        1,
    ]
    assert "is back at 44100 Hz (it was 48000 Hz)" in err


def test_it_returns_while_others_come_and_go(
    own_jack: JackServer, tmp_path: Path, record_property: Record
) -> None:
    """libjack may keep the wake-up call of a client that left just as we came: ours is not to be that one."""
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            with suppress(subprocess.TimeoutExpired):  # one whose server is killed may never end
                subprocess.run(["jack_lsp"], capture_output=True, check=False, timeout=1.0)

    comers = [threading.Thread(target=come_and_go) for _ in range(3)]
    backs_s = []
    with Live(tmp_path, *PLAIN) as live:
        for comer in comers:
            comer.start()
        try:
            for _ in range(6):
                own_jack.stop(signal.SIGKILL)
                wait_for(live, is_lost, "not seen")
                own_jack.start()
                backs_s.append(wait_for(live, is_running, "not back"))
        finally:
            over.set()
            for comer in comers:
                comer.join()
        code, _, err = live.stop()
    record_property("back_among_others", [round(s, 2) for s in backs_s])
    assert code == 0, err
    assert max(backs_s) <= BACK_S


def test_it_returns_wired_as_it_was_and_without_a_click(
    own_jack: JackServer, tmp_path: Path, record_property: Record
) -> None:
    """The server drops us, and later hangs for a while, under a tone that plays on."""
    assert own_jack.process is not None
    t = np.arange(6 * FS) / FS
    tone = np.repeat((0.5 * np.sin(2 * np.pi * 997.0 * t)).astype(np.float32)[:, None], 2, axis=1)
    with Probe("player", tone, 2) as player, Live(tmp_path, *PLAIN) as live:
        through_semeq(player)
        time.sleep(0.3)
        with in_background(player) as taken:
            time.sleep(0.8)
            cut_off(live.process.pid)
            seen_s = wait_for(live, is_lost, "not seen")
            back_s = wait_for(live, is_running, "not back")
            record_property("dropped", f"seen in {seen_s:.3f} s, back in {back_s:.3f} s")
            for i in (0, 1):
                wait_wired(f"semeq:in_{i}", f"player:out_{i + 1}")
                wait_wired(f"semeq:out_{i}", f"player:in_{i + 1}")
            time.sleep(0.8)
            own_jack.process.send_signal(signal.SIGSTOP)
            wait_for(live, is_lost, "not seen")
            own_jack.process.send_signal(signal.SIGCONT)
            wait_for(live, is_running, "not back")
        code, _, err = live.stop()
    assert code == 0, err
    assert seen_s <= DETECTED_S
    assert back_s <= BACK_S
    edges = silences(taken[0][:, 0])
    assert len(edges) == 2
    clicks_db = [click_db(taken[0][:, 0], end) for _, end in edges]
    record_property("click_at_return_db", [round(c, 1) for c in clicks_db])
    assert max(clicks_db) <= -100.0
    assert click_db(taken[0][:, 0], edges[0][0]) > -60.0  # where it was cut, there is one


def test_an_interface_that_is_a_client_of_its_own_goes_and_returns(
    own_jack: JackServer, tmp_path: Path, record_property: Record
) -> None:
    """As bridges to a second interface are; another that appears meanwhile is not taken."""
    constant = np.full((72_000, 2), 0.5, dtype=np.float32)
    with (
        Probe("usb", constant, 0) as usb,
        Probe("ear", np.zeros((72_000, 0), dtype=np.float32), 1) as ear,
        Live(tmp_path, "--fresh", "--adapt", "0", "--input", "usb") as live,
    ):
        assert wires("semeq:in_0") == {"usb:out_1"}
        ear.connect("semeq:out_0", "ear:in_1")
        time.sleep(0.3)
        usb.close()
        seen_s = wait_for(live, is_lost, "not seen")
        with Probe("usb2", constant, 0):
            time.sleep(0.3)
            assert wires("semeq:in_0") == set()
            with Probe("usb", constant, 0) as again, in_background(ear) as taken:
                back_s = wait_for(live, is_running, "not back", again)
                assert wires("semeq:in_0") == {"usb:out_1"}
        record_property("ports", f"seen in {seen_s:.3f} s, back in {back_s:.3f} s")
        assert seen_s <= DETECTED_S
        assert back_s <= BACK_S
        code, _, err = live.stop()
    assert code == 0, err
    assert "usb → system (JACK) is gone, usb has no ports any more" in err
    heard = taken[0][:, 0]
    assert heard.max() == 0.5
    up = heard[: int(np.argmax(heard == 0.5))]
    assert up[0] == 0.0  # it begins from silence, and rises smoothly
    assert np.abs(np.diff(up)).max() < 1e-4
    at_return_db = click_db(heard, int(np.argmax(heard > 0.0)))
    record_property("ports_click_at_return_db", round(at_return_db, 1))
    assert at_return_db <= -100.0


@pytest.mark.parametrize("is_dead", [False, True])
def test_ctrl_c_works_at_once_while_it_waits(
    own_jack: JackServer, tmp_path: Path, is_dead: bool, record_property: Record
) -> None:
    """A server that hangs is waited for, and goes on; Ctrl-C ends in any case."""
    assert own_jack.process is not None
    with Live(tmp_path, *PLAIN) as live:
        own_jack.process.send_signal(signal.SIGSTOP)
        try:
            seen_s = wait_for(live, is_lost, "not seen")
            record_property("hangs", f"seen in {seen_s:.3f} s")
            assert seen_s <= DETECTED_S
            own_jack.process.send_signal(signal.SIGCONT)
            wait_for(live, is_running, "not back")
            assert live.statuses()[-1]["reconnects"] == 0  # the same stream
            own_jack.process.send_signal(signal.SIGKILL if is_dead else signal.SIGSTOP)
            wait_for(live, is_lost, "not seen")
            time.sleep(0.3)
            began = time.monotonic()
            code, _, err = live.stop()
            ended_s = time.monotonic() - began
        finally:
            own_jack.process.send_signal(signal.SIGCONT)
        if is_dead:
            own_jack.stop(signal.SIGKILL)
    record_property("ended", f"{ended_s:.2f} s after Ctrl-C")
    assert code == 0, err
    assert "Traceback" not in err
    assert ended_s < (1.0 if is_dead else 4.0)


def test_the_duration_counts_on_while_the_device_is_away(
    own_jack: JackServer, tmp_path: Path
) -> None:
    began = time.monotonic()
    with Live(tmp_path, *PLAIN, "--duration", "2.5") as live:
        own_jack.stop(signal.SIGKILL)
        out, err = live.process.communicate(timeout=15)
    assert live.process.returncode == 0, err
    last = live.statuses()[-1]
    assert last["state"] == "stopped"
    assert 2.3 <= last["t_s"] <= 3.5 <= time.monotonic() - began + 1.0
    assert last["away_s"] > 1.0
    assert out == ""


def test_recordings_go_on_in_files_that_render_again_by_themselves(
    own_jack: JackServer, tmp_path: Path
) -> None:
    """Before and after a restart at another rate: each to what was heard, bit for bit."""
    mix = demo_mix(seconds=1.5)
    log, wav = tmp_path / "take.jsonl", tmp_path / "input.wav"
    options = (*PLAIN, "--record-log", str(log), "--record-input", str(wav))
    heard = []
    with Live(tmp_path, *options) as live:
        for fs in (48_000, 44_100):
            if fs != own_jack.fs:
                own_jack.stop(signal.SIGKILL)
                wait_for(live, is_lost, "not seen")
                own_jack.fs = fs
                own_jack.start()
                wait_for(live, is_running, "not back")
            with Probe("player", mix, 2) as player:
                through_semeq(player)
                heard.append(player.run(20).copy())
            time.sleep(0.2)
        code, _, err = live.stop()
    assert code == 0, err
    assert f"the control log is recorded in {tmp_path / 'take.2.jsonl'} from here on" in err
    for number, (fs, names) in enumerate(
        [(48_000, ("take", "input")), (44_100, ("take.2", "input.2"))]
    ):
        take, source = (
            read_take(tmp_path / f"{names[0]}.jsonl"),
            read_wav(tmp_path / f"{names[1]}.wav"),
        )
        assert (take.fs, take.warnings) == (fs, ())
        assert take.frames == len(source)
        first = int(np.argmax(np.any(source != 0.0, axis=1)))
        assert take.first_sound == first
        again = np.concatenate(list(replay(take, [source], start=align(take, first))))
        delay = lag(again[first : first + len(mix)], heard[number])
        inner = slice(first, first + len(mix) - delay)
        np.testing.assert_array_equal(heard[number][delay:], again[inner])
        assert np.abs(again[inner] - source[inner]).max() > 0.01


def test_another_block_size_costs_no_sample(own_jack: JackServer, tmp_path: Path) -> None:
    """The server changes its buffer under a running session: what is heard is what the log renders to."""
    mix = demo_mix(seconds=2.0)
    log = tmp_path / "take.jsonl"
    sizes = (256, 64, 1024)
    with (
        Live(tmp_path, *PLAIN, "--record-log", str(log)) as live,
        Probe("player", mix, 0) as player,
        Probe("ear", np.zeros((len(mix) + 48_000, 0), dtype=np.float32), 2) as ear,
    ):
        for i in (1, 2):  # not in a circle: that would be a block late, whatever its size
            player.disconnect(f"system:capture_{i}", f"semeq:in_{i - 1}")
            player.connect(f"player:out_{i}", f"semeq:in_{i - 1}")
            player.connect(f"semeq:out_{i - 1}", f"ear:in_{i}")
        time.sleep(0.6)
        with in_background(ear) as taken, in_background(player):
            for size in sizes:
                time.sleep(0.4)
                subprocess.run(["jack_bufsize", str(size)], capture_output=True, check=True)
        wait_for(live, lambda status: status["blocksize"] == sizes[-1], "the block is not told")
        code, _, err = live.stop()
    assert code == 0, err
    assert "is gone" not in err
    heard, first = taken[0], int(np.argmax(np.any(mix != 0.0, axis=1)))
    take = read_take(log)
    again = np.concatenate(list(replay(take, [mix], start=align(take, first))))
    delay = lag(again, heard)
    np.testing.assert_array_equal(heard[delay : delay + len(again)], again)
    assert np.abs(again - mix).max() > 0.01


def test_a_server_that_hangs_for_long_gets_a_new_client_and_loses_the_old(
    own_jack: JackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: nobody is left behind in the server when it answers again."""
    assert own_jack.process is not None
    monkeypatch.setattr(pulse, "JACK_PATIENCE_S", 0.5)
    devices.refresh()
    said: list[str] = []
    stream = StreamConfig(devices.find(None, "input"), devices.find(None, "output"))
    state = ControlState((("warm", 1.0),), adapt=0.0)
    session = Session(SessionConfig(stream, state), load_vocabulary(), said.append)
    with session.running():
        own_jack.process.send_signal(signal.SIGSTOP)
        resume = time.perf_counter() + 3.5  # the old stream is given up before

        def tick() -> None:
            assert own_jack.process is not None
            if time.perf_counter() > resume:
                own_jack.process.send_signal(signal.SIGCONT)
            if session.recovery.reconnects:
                session.stop()

        session.wait(tick, 0.03)
        assert session.recovery.reconnects == 1
        deadline = time.monotonic() + BACK_S
        while [port for port in ports("semeq") if "in_" in port] != ["semeq:in_0", "semeq:in_1"]:
            assert time.monotonic() < deadline, ports("semeq")
            time.sleep(0.05)
    assert len(said) == 2


def test_log_and_recorded_input_end_at_the_same_frame(
    own_jack: JackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream goes on while they are closed, here for many blocks between one and the other."""

    @contextmanager
    def slow_to_close(
        path: Path, stream: LiveStream, say: Callable[[str], None], on_end: Callable[[int], None]
    ) -> Iterator[None]:
        with recording(path, stream, say, on_end):
            yield
        time.sleep(0.1)

    monkeypatch.setattr(rig, "recording", slow_to_close)
    devices.refresh()
    stream = StreamConfig(devices.find(None, "input"), devices.find(None, "output"))
    log, wav = tmp_path / "take.jsonl", tmp_path / "input.wav"
    config = SessionConfig(stream, ControlState(adapt=0.0), 0.3, record_log=log, record_input=wav)
    session = Session(config, load_vocabulary(), lambda line: None)
    with session.running():
        session.wait(lambda: None, 0.05)
        stopping = time.perf_counter()
    assert time.perf_counter() - stopping < 1.0  # and not the time-out for a server that hangs
    assert read_take(log).frames == len(read_wav(wav)) > 0.2 * FS
