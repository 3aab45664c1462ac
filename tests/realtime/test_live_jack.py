"""``semeq live`` on a real JACK server, played to, listened to and turned from outside."""

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from jack_probe import Probe
from jack_server import JackServer
from jack_takes import FS, lag, read_wav, through_semeq, write_wav
from live_process import SEMEQ, Live, ports

from semeq.engine.synth import demo_mix
from semeq.engine.take_file import read_take
from semeq.engine.timeline import align, replay
from semeq.engine.units import Audio, Floats

pytestmark = pytest.mark.jack

CC_WARM, CC_BRIGHT = 20, 21


def cc(number: int, value: int) -> bytes:
    return bytes([0xB0, number, value])


def midi_in(probe: Probe) -> None:
    port = "semeq-midi:in"
    assert port in ports("semeq-midi")
    probe.connect(f"{probe.name}:midi", port)


@pytest.mark.parametrize("limiter", ["guard", "lookahead"])
def test_a_take_renders_again_bit_for_bit(jack: JackServer, tmp_path: Path, limiter: str) -> None:
    """Played through JACK with knobs turning; rendered from the log it nulls to minus infinity."""
    mix = demo_mix(seconds=6.0) * 1.5  # loud enough for the limiter to work
    events = [
        (12_000 * (i + 1), cc((CC_WARM, CC_BRIGHT)[i % 2], (127, 90, 0, 30)[i % 4]))
        for i in range(20)
    ]
    log = tmp_path / "take.jsonl"
    options = ["--make", "warm:0.3", "--midi", "virtual", "--limiter", limiter, "--ceiling", "-3"]
    with (
        Live(tmp_path, *options, "--record-log", str(log)) as live,
        Probe("player", mix, 2, events) as probe,
    ):
        through_semeq(probe)
        midi_in(probe)
        time.sleep(0.7)  # the start ramp is over: all that changes is the knobs
        heard = probe.run(30)
        time.sleep(0.3)
        code, _, err = live.stop()
    assert code == 0, err
    take = read_take(log)
    assert len(take.events) > 15  # the knobs took effect
    source, target = write_wav(tmp_path / "mix.wav", mix), tmp_path / "again.wav"
    command = [str(SEMEQ), "render", str(source), "-o", str(target), "--replay", str(log)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    again = read_wav(target)
    assert len(again) == len(mix)
    delay = lag(again, heard)
    assert delay <= 2048
    np.testing.assert_array_equal(heard[delay:], again[: len(heard) - delay])
    assert np.abs(again - mix).max() > 0.05  # it was not just passed through


def test_the_recorded_input_renders_to_what_was_heard(jack: JackServer, tmp_path: Path) -> None:
    mix = demo_mix(seconds=3.0)
    log, wav = tmp_path / "take.jsonl", tmp_path / "input.wav"
    options = ["--make", "bright", "--record-log", str(log), "--record-input", str(wav)]
    with Live(tmp_path, *options) as live, Probe("player", mix, 2) as probe:
        through_semeq(probe)
        heard = probe.run(20)
        time.sleep(0.2)
        code, _, err = live.stop()
    assert code == 0, err
    take, source = read_take(log), read_wav(wav)
    first = int(np.argmax(np.any(source != 0.0, axis=1)))
    assert take.first_sound == first
    again = np.concatenate(list(replay(take, [source], start=align(take, first))))
    delay = lag(again[first : first + len(mix)], heard)
    inner = slice(first, first + len(mix) - delay)
    np.testing.assert_array_equal(heard[delay:], again[inner])


def knob_to_sound_ms(folder: Path, moves: int, adapt: float) -> Floats:
    """Turn CC 21 by JACK MIDI; return the times from each message's frame to half of the change."""
    gap = 4800
    frames = 24_000 + moves * gap
    t = np.arange(frames) / FS
    # One tone that bright lifts and one that it lowers. The loudness, which is kept, is mostly the high
    # one's, so the low one moves. Both have whole periods in the 2 ms below: no ripple.
    low, high = 500.0, 8000.0
    tone = 0.1 * (np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t))
    play = np.repeat(tone[:, None], 2, axis=1).astype(np.float32)
    rng = np.random.default_rng(0)
    at = [24_000 + i * gap + int(rng.integers(0, 512)) for i in range(moves)]
    events = [(12_000, cc(CC_BRIGHT, 0))]  # soft take-over: the knob stands where the word does
    events += [(frame, cc(CC_BRIGHT, 127 if i % 2 == 0 else 0)) for i, frame in enumerate(at)]
    with (
        Live(folder, "--make", "bright:-1", "--midi", "virtual", "--adapt", f"{adapt:g}") as live,
        Probe("player", play, 2, events) as probe,
    ):
        through_semeq(probe)
        midi_in(probe)
        time.sleep(0.7)
        heard = probe.run(60)[:, 0].astype(np.float64)
        code, _, err = live.stop()
    assert code == 0, err
    # the low tone's amplitude, by a 2 ms quadrature average centred on each sample
    width = 96
    analytic = heard * np.exp(-2j * np.pi * low * t)
    level_db = 20 * np.log10(np.abs(np.convolve(analytic, np.ones(width) / width, "same")) + 1e-9)
    times_ms = []
    for frame in at:
        before = np.median(level_db[frame - 1000 : frame])
        after = np.median(level_db[frame + 2400 : frame + 4000])
        assert abs(after - before) > 2.0, "the knob changed nothing"
        crossed = np.abs(level_db[frame : frame + 2400] - before) >= abs(after - before) / 2
        times_ms.append(1000.0 * float(np.argmax(crossed)) / FS)
    return np.array(times_ms)


@pytest.mark.parametrize("block", [64, 128])
@pytest.mark.parametrize("adapt", [0.0, 1.0])
@pytest.mark.alone
def test_a_knob_is_heard_within_15_ms(
    block: int,
    adapt: float,
    jack_with_block: JackServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """200 moves, p99, the encoder at work; of up to three takes, for the machine may be busy otherwise."""
    for take in range(3):
        folder = tmp_path / str(take)
        folder.mkdir()
        p50, p99 = np.percentile(knob_to_sound_ms(folder, 200, adapt), [50, 99])
        record_property(
            f"knob_to_sound_ms_block_{block}_adapt_{adapt:g}", f"p50 {p50:.1f}, p99 {p99:.1f}"
        )
        if p99 <= 15.0:
            return
    pytest.fail(f"p99 is {p99:.1f} ms in the last of three takes")


def iodelay(connect: list[tuple[str, str]]) -> float:
    """Return the median total latency in frames that jack_iodelay reports for these connections."""
    process = subprocess.Popen(
        ["stdbuf", "-oL", "jack_iodelay"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        deadline = time.monotonic() + 10
        while not ports("jack_delay:in"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for source, sink in connect:
            subprocess.run(["jack_connect", source, sink], check=True, capture_output=True)
        time.sleep(4.0)
    finally:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
    found = [float(m) for m in re.findall(r"^\s*([0-9.]+) frames", out, re.MULTILINE)]
    assert len(found) >= 3, out
    return float(np.median(found[-3:]))


@pytest.mark.parametrize("block", [64, 128])
def test_it_adds_no_samples(tmp_path: Path, block: int, jack_with_block: JackServer) -> None:
    """jack_iodelay through semeq and through a client that only copies: the same number."""
    assert shutil.which("jack_iodelay"), "jack_iodelay is needed: apt-get install jack-tools"
    silence = np.zeros((FS * 30, 1), dtype=np.float32)
    with Probe("copy", silence, 1, through=True):
        plain = iodelay([("jack_delay:out", "copy:in_1"), ("copy:out_1", "jack_delay:in")])
    with Live(tmp_path, "--channels", "1") as live:
        ours = iodelay([("jack_delay:out", "semeq:in_0"), ("semeq:out_0", "jack_delay:in")])
        assert live.statuses()[-1]["blocksize"] == block
        assert live.statuses()[-1]["added_frames"] == 0
    assert ours == pytest.approx(plain, abs=0.1)


def test_status_duration_and_summary(jack: JackServer, tmp_path: Path) -> None:
    status = tmp_path / "status.jsonl"
    done = subprocess.run(
        [
            str(SEMEQ),
            "live",
            "--make",
            "warm:0.5 + bright:0.4",
            "--duration",
            "3.2",
            "--status",
            str(status),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in status.read_text().splitlines()]
    assert [line["state"] for line in lines] == ["running"] * 3 + ["stopped"]
    last = lines[-1]
    assert 2.9 <= last["frames"] / last["fs"] <= 3.6
    # the machine may stop for a moment; that misses are counted is what counts here
    assert 100 * last["missed_deadlines"] < last["callbacks"]
    assert len(last["bands"]) == 7
    assert {"p50", "p99.9", "max"} == set(last["callback_us"])
    assert any("cancel" in warning for warning in last["warnings"])
    assert done.stdout == ""
    assert f"{last['missed_deadlines']} deadlines missed" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_starts_from_silence_and_ends_in_silence(
    jack: JackServer, tmp_path: Path, how: signal.Signals
) -> None:
    """A constant in: what comes out rises and falls smoothly, whatever ends the session."""
    constant = np.full((FS * 3, 2), 0.5, dtype=np.float32)
    # semeq meets a signal that is already there, and is stopped under it
    with Probe("player", constant, 2) as probe:
        with Live(tmp_path) as live:
            through_semeq(probe)
            import threading

            recorded: list[Audio] = []
            runner = threading.Thread(target=lambda: recorded.append(probe.run(20)))
            runner.start()
            time.sleep(1.5)
            code, _, err = live.stop(how)
        runner.join()
    assert code == 0, err
    heard = recorded[0][:, 0]
    assert heard.max() == pytest.approx(0.5, abs=1e-6)
    first = int(np.argmax(heard > 0.0))
    assert np.all(heard[FS * 5 // 2 :] == 0.0)
    falling = heard[first + FS // 2 :]
    assert np.abs(np.diff(falling)).max() < 0.002  # no click at the end


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "nonesuch"], "input device 'nonesuch' matches none"),
        (["--output", "99"], "device 99 must be one of the output devices 0"),
        (["--make", "wrm"], "no one has taught us 'wrm'"),
        (["--samplerate", "44100"], "44100 Hz"),
        (["--midi-map", "nonesuch", "--midi", "virtual"], "nonesuch"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    jack: JackServer, arguments: list[str], message: str
) -> None:
    done = subprocess.run(
        [str(SEMEQ), "live", "--duration", "1", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode in (1, 2)
    last = done.stderr.strip().splitlines()[-1]
    assert message in last, done.stderr
    assert "Traceback" not in done.stderr


def test_the_server_killed_is_said_and_leaves_the_log_whole(
    own_jack: JackServer, tmp_path: Path
) -> None:
    log = tmp_path / "take.jsonl"
    with Live(tmp_path, "--make", "warm", "--record-log", str(log), "--no-reopen") as live:
        own_jack.stop(signal.SIGKILL)
        out, err = live.process.communicate(timeout=15)
    assert live.process.returncode == 1
    assert "is gone, its server or driver has ended the stream" in err
    assert "Traceback" not in err
    assert out == ""
    assert len(read_take(log).events) >= 1


def test_a_machine_without_a_server_says_what_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "semeq-nobody")
    done = subprocess.run(
        [str(SEMEQ), "live"], capture_output=True, text=True, check=False, timeout=90
    )
    if "no audio" not in done.stderr:
        pytest.skip("this machine has a sound card of its own")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "start JACK or PipeWire" in done.stderr
