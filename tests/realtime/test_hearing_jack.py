"""The ear in a live session on a real JACK server: what the sound does to the EQ, and what it never does."""

import itertools
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_model import Moody
from jack_probe import Probe
from jack_server import JackServer
from jack_takes import FS, Move, assert_nulls, moves, through_semeq
from live_process import SEMEQ, Live
from scipy.signal.windows import kaiser

from semeq.engine.synth import demo_mix
from semeq.engine.take_file import read_take
from semeq.engine.timeline import Take, replay
from semeq.engine.units import Audio, Floats
from semeq.presets.library import load_vocabulary
from semeq.presets.shipped_model import load_shipped_tables
from semeq.realtime import devices as listing
from semeq.realtime.control import ControlState, Freeze
from semeq.realtime.hearing import HearingConfig
from semeq.realtime.session import Session
from semeq.realtime.session_config import SessionConfig
from semeq.realtime.stream import StreamConfig
from semeq.realtime.worker import EarState

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.jack

GRID_HZ = np.geomspace(30.0, 16_000.0, 80)
#: One bar, which may be repeated without a seam: its spectrum stays the same.
BAR = demo_mix(float(FS), 12.0)[: 2 * FS]


def bars(count: int) -> Audio:
    return np.tile(BAR, (count, 1))


def tilted(audio: Audio | Floats, db_an_octave: float) -> Audio:
    """Return the sound darker (negative) or brighter, at the same rms."""
    freqs = np.maximum(np.fft.rfftfreq(len(audio), 1.0 / FS), 20.0)
    gain = 10.0 ** (db_an_octave * np.log2(freqs / 1000.0) / 20.0)
    out = np.fft.irfft(np.fft.rfft(audio, axis=0) * gain[:, None], len(audio), axis=0)
    out *= np.sqrt(np.mean(audio**2) / np.mean(out**2))
    return np.asarray(out, dtype=np.float32)


def far_db(moved: list[Move], reference: Move) -> Floats:
    """Return how far each curve lies from another, dB rms."""
    curves = np.array([move.curve(GRID_HZ) for move in moved])
    return np.asarray(np.sqrt(np.mean((curves - reference.curve(GRID_HZ)) ** 2, axis=1)))


def played(
    folder: Path, audio: Audio, *options: str
) -> tuple[Take, list[Move], list[dict[str, Any]]]:
    """Play `audio` through a session; return its log, how the bands moved, and its status lines.

    What was heard nulls with the log, rendered again.
    """
    log = folder / "take.jsonl"
    with (
        Live(folder, *options, "--record-log", str(log)) as live,
        Probe("player", audio, 2) as probe,
    ):
        through_semeq(probe)
        ready(live)
        heard = probe.run(6.0 * len(audio) / FS + 30.0)
        time.sleep(0.3)
        code, _, err = live.stop()
        statuses = live.statuses()
    assert code == 0, err
    assert "Traceback" not in err
    take = read_take(log)
    assert_nulls(take, audio, heard)
    return take, moves(log), statuses


def ready(live: Live) -> dict[str, Any]:
    """Wait until the encoder is loaded and warm."""
    deadline = time.monotonic() + 60.0
    while (status := live.statuses()[-1])["encoder"]["state"] in ("off", "loading"):
        assert time.monotonic() < deadline, status["encoder"]
        time.sleep(0.1)
    return status


@pytest.fixture
def here(jack: JackServer) -> Iterator[None]:
    """PortAudio in this process; it leaves the server afterwards, so that others may take its name."""
    listing.refresh()
    yield
    listing.shut()


# --------------------------------------------------------------------------- what the sound does


def test_a_step_from_dark_to_bright_settles_in_time_without_a_click(
    jack: JackServer, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    dark, bright = tilted(bars(5), -2.0), tilted(bars(5), 2.0)
    sent = np.concatenate([dark, bright])
    take, moved, _ = played(tmp_path, sent, "--make", "bright")
    assert take.first_sound is not None
    step = take.first_sound + len(dark)
    before = [move for move in moved if move.frame < step]
    after = [move for move in moved if step <= move.frame < step + len(bright)]
    change_db = float(far_db([before[-1]], after[-1])[0])
    assert change_db > 1.0  # dark music gets more of it
    late = [
        m.frame
        for m, far in zip(after, far_db(after, after[-1]), strict=True)
        if far > 0.1 * change_db
    ]
    settled_s = (max(late, default=step) - step) / FS
    record_property("step_settles_s", f"{settled_s:.2f} ({change_db:.1f} dB rms)")
    assert settled_s <= 3.0
    # a click is what the same moves add to a tone where the tone has nothing
    t = np.arange(take.frames or len(sent)) / FS
    for tone_hz, above_hz in ((100.0, 2000.0), (1000.0, 4000.0)):
        tone = np.repeat((0.05 * np.sin(2 * np.pi * tone_hz * t)).astype(np.float32)[:, None], 2, 1)
        out = np.concatenate(list(replay(take, [tone])))[FS : len(tone) - FS, 0].astype(np.float64)
        power = np.abs(np.fft.rfft(out * kaiser(len(out), 30.0))) ** 2
        freqs = np.fft.rfftfreq(len(out), 1.0 / FS)
        click_db = 10.0 * np.log10(power[freqs > above_hz].sum() / power.sum())
        record_property(f"click_db_above_{above_hz:g}", round(float(click_db), 1))
        assert click_db <= -100.0


@pytest.mark.alone
def test_it_is_quick_and_cheap(
    jack: JackServer, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    _, _, statuses = played(tmp_path, bars(6), "--make", "warm")
    encoders = [s["encoder"] for s in statuses if s["encoder"]["state"] == "listening"]
    best = max(e["updates_per_s"] for e in encoders)
    cost = min(e["core_share"] for e in encoders[2:])
    record_property("ear", f"{best:.1f} updates/s, {100 * cost:.1f} % of a core")
    assert best >= 9.5
    assert cost <= 0.05


LEVELS = (0.1, 1.0, 0.1, 0.01, 0.1, 1.0)


@pytest.mark.parametrize("material", ["noise", "music"])
def test_level_jumps_change_nothing(
    jack: JackServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    material: str,
) -> None:
    """Jumps of 20 dB up and down: the bands are where they were, and on the way there, too."""
    noise = np.random.default_rng(0).standard_normal((4 * FS, 2))
    piece = tilted(0.3 * noise, -3.0) if material == "noise" else 2.0 * bars(2)
    sent = np.concatenate([gain * piece for gain in (LEVELS[0], *LEVELS)]).astype(np.float32)
    take, moved, _ = played(tmp_path, sent, "--make", "bright")
    assert take.first_sound is not None
    jumps = [take.first_sound + (number + 1) * len(piece) for number in range(1, len(LEVELS))]
    end = take.first_sound + len(sent)
    before = [move for move in moved if move.frame < jumps[0]]
    assert len(before) > 2  # it did listen
    settled = [[m for m in moved if m.frame < last][-1] for last in (*jumps[1:], end)]
    far = float(far_db(settled, before[-1]).max())
    on_the_way = float(
        far_db([m for m in moved if before[-1].frame <= m.frame < end], before[-1]).max()
    )
    record_property(
        f"level_jumps_move_{material}", f"{far:.2f} dB rms, {on_the_way:.2f} on the way there"
    )
    # on the way 0.23 to 0.43 dB, by where the windows fall; without the mend 0.93 and 1.45 dB
    assert max(far, on_the_way) <= 0.5


def test_silence_and_hiss_hold_what_was_heard(jack: JackServer, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    hiss = (1e-4 * rng.standard_normal((4 * FS, 2))).astype(np.float32)
    music = tilted(bars(4), -1.5)
    sent = np.concatenate([music, np.zeros((4 * FS, 2), np.float32), hiss, bars(1)])
    take, moved, statuses = played(tmp_path, sent, "--make", "bright")
    assert take.first_sound is not None
    start, end = take.first_sound + len(music), take.first_sound + len(music) + 8 * FS
    inside = [s for s in statuses if start + FS <= s["frames"] <= end - FS // 4]
    assert len(inside) >= 4
    assert {s["encoder"]["state"] for s in inside} == {"held"}
    curves = [s["bands"] for s in inside]
    assert all(curve == curves[0] for curve in curves)
    assert len([move for move in moved if move.frame < start]) > 3  # it did listen
    assert not [move for move in moved if start + FS <= move.frame < end]


def test_frozen_is_frozen(here: None, tmp_path: Path) -> None:
    """Learn from dark music, hold through bright music, and go on when it is let go."""
    log = tmp_path / "take.jsonl"
    session = hearing_session(Moody, log=log)
    sent = np.concatenate([tilted(bars(3), -2.0), tilted(bars(6), 2.0)])
    with session.running(), Probe("player", sent, 2) as probe:
        through_semeq(probe)
        until(lambda: session.ear().state is not EarState.LOADING, "it does not load")
        runner = threading.Thread(target=lambda: probe.run(120.0))
        runner.start()
        until(lambda: session.stream.counts().first_sound is not None, "no sound")
        first = session.stream.counts().first_sound or 0

        def at(seconds: float) -> None:
            until(lambda: session.stream.counts().position >= first + seconds * FS, "no time")

        at(5.5)
        session.desk.act(Freeze())
        at(6.5)
        held = session.plan.settings
        at(11.5)
        assert session.ear().state is EarState.FROZEN
        assert session.plan.settings == held
        session.desk.act(Freeze())
        at(14.5)
        assert session.ear().state is EarState.LISTENING
        after = session.plan.settings
        runner.join()
    assert after != held


# ------------------------------------------------------------------- what it never does: failures


def test_a_killed_and_a_stopped_listener_leave_the_sound_alone(
    jack: JackServer, tmp_path: Path
) -> None:
    sent = np.concatenate([tilted(bars(3), -2.0), tilted(bars(9), 2.0)])
    log = tmp_path / "take.jsonl"
    with (
        Live(tmp_path, "--make", "bright", "--isolate", "--record-log", str(log)) as live,
        Probe("player", sent, 2) as probe,
    ):
        through_semeq(probe)
        first = ready(live)["encoder"]["pid"]
        recorded: list[Audio] = []
        runner = threading.Thread(target=lambda: recorded.append(probe.run(180.0)))
        runner.start()
        time.sleep(5.0)
        os.kill(first, signal.SIGKILL)  # before the sound becomes another
        second = wait_for(
            live, lambda e: e["state"] == "listening" and e["pid"] not in (None, first)
        )
        os.kill(second["encoder"]["pid"], signal.SIGSTOP)
        third = wait_for(live, lambda e: e["restarts"] == 2 and e["state"] == "listening")
        assert third["encoder"]["pid"] not in (None, first, second["encoder"]["pid"])
        runner.join()
        time.sleep(0.3)
        code, _, err = live.stop()
        statuses = live.statuses()
    assert code == 0, err
    assert "Traceback" not in err
    # to the last bit what the log says, through both failures
    take = read_take(log)
    assert_nulls(take, sent, recorded[0])
    # and while nobody listened the bands went on to where the last hearing pointed, and stayed there
    moved = moves(log)
    assert len(moved) > 6
    checked = 0
    for began, ended in deaf_spans(statuses):
        inside = [move for move in moved if began <= move.frame < ended]
        assert not [move for move in inside if move.frame >= began + 2 * FS]
        checked += ended > began + 2.5 * FS
        if inside:
            left_db = far_db(inside, inside[-1])
            assert np.all(np.diff(left_db) <= 0.3), left_db
    assert checked


def deaf_spans(statuses: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Return from which frame to which nothing came from the listener, as far as the statuses tell."""
    spans: list[tuple[int, int]] = []
    for one, two in itertools.pairwise(statuses):
        ears = one["encoder"], two["encoder"]
        if any(ear["state"] != "stale" for ear in ears) or ears[0]["updates"] != ears[1]["updates"]:
            continue
        is_on = bool(spans) and spans[-1][1] == one["frames"]
        began = spans.pop()[0] if is_on else one["frames"]
        spans.append((began, two["frames"]))
    return spans


def test_an_encoder_that_hangs_or_dawdles_leaves_the_sound_alone(
    here: None, tmp_path: Path
) -> None:
    """In a thread of the session itself: the model is the real one, at its worst."""
    moods: list[Moody] = []

    def load() -> Moody:
        moods.append(Moody())
        return moods[-1]

    log = tmp_path / "take.jsonl"
    session = hearing_session(load, log=log)
    sent = np.concatenate([tilted(bars(4), -2.0), tilted(bars(8), 2.0)])
    recorded: list[Audio] = []
    with session.running(), Probe("player", sent, 2) as probe:
        through_semeq(probe)
        until(lambda: session.ear().state is not EarState.LOADING, "it does not load")
        runner = threading.Thread(target=lambda: recorded.append(probe.run(180.0)))
        runner.start()
        until(lambda: session.ear().updates > 40, "it does not listen")
        moods[0].late_s = 0.8
        until(lambda: session.ear().stale_results >= 2, "lateness is not noticed")
        assert session.status()["stale_encoder_results"] >= 2
        moods[0].late_s = 0.0
        until(lambda: session.ear().state is EarState.LISTENING, "it does not catch up")
        moods[0].may_go_on.clear()
        until(lambda: session.ear().state is EarState.STALE, "it is not noticed")
        held = session.plan.settings
        until(lambda: len(moods) == 2, "it is not replaced")
        assert session.plan.settings == held
        until(lambda: session.ear().state is EarState.LISTENING, "it does not listen again")
        moods[0].may_go_on.set()
        runner.join()
        time.sleep(0.2)
        counts = session.stream.counts()
        assert 100 * counts.missed < counts.callbacks
    assert_nulls(read_take(log), sent, recorded[0])


def test_flat_passes_bit_for_bit_whatever_is_heard(jack: JackServer, tmp_path: Path) -> None:
    sent = np.concatenate([tilted(bars(2), -2.0), tilted(bars(2), 2.0)])
    for number, options in enumerate((["--amount", "0", "--make", "bright"], [])):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Live(folder, "--fresh", *options) as live, Probe("player", sent, 2) as probe:
            through_semeq(probe)
            ready(live)
            time.sleep(0.7)
            heard = probe.run(120.0)
        delay = int(np.argmax(np.any(heard != 0.0, axis=1))) - int(
            np.argmax(np.any(sent != 0.0, axis=1))
        )
        np.testing.assert_array_equal(heard[delay:], sent[: len(sent) - delay])


# ------------------------------------------------------------------------------- what is remembered


def live_once(*options: str, seconds: float = 0.5) -> str:
    done = subprocess.run(
        [str(SEMEQ), "live", "--duration", f"{seconds:g}", "--plain", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_session_whose_time_is_over_at_once_says_a_line(jack: JackServer) -> None:
    assert "| flat | amount 1.00" in live_once("--fresh", seconds=0.001)


def test_the_last_session_is_taken_up_again(jack: JackServer) -> None:
    live_once("--make", "warm:0.6 - deep:0.2", "--amount", "0.7", "--adapt", "0.5")
    said = live_once()
    assert "as in the last session: warm:0.6 - deep:0.2 (amount 0.7, adapt 0.5)" in said
    assert "| warm:0.6 - deep:0.2 | amount 0.70" in said
    assert "| flat | amount 1.00" in live_once("--fresh")
    assert "as in the last session" not in live_once()  # which was flat
    folder = Path(os.environ["SEMEQ_STATE_DIR"])
    (folder / "live.json").write_text("{")
    said = live_once()
    assert "is damaged" in said
    assert "live.damaged.json" in said
    assert json.loads((folder / "live.json").read_text())["version"] == 1


# ------------------------------------------------------------------------------------------- tools


def hearing_session(load: Callable[[], Any], log: Path) -> Session:
    """Return a session in this process, with a model of ours."""
    stream = StreamConfig(listing.find(None, "input"), listing.find(None, "output"), float(FS))
    hearing = HearingConfig(load, load_shipped_tables())
    state = ControlState((("bright", 1.0),), adapt=1.0)
    config = SessionConfig(stream, state, record_log=log, hearing=hearing)
    return Session(config, load_vocabulary(), lambda line: None)


def until(condition: Callable[[], bool], what: str, timeout_s: float = 90.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def wait_for(live: Live, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until the encoder's status is as wanted; return the status line."""
    deadline = time.monotonic() + 60.0
    while not condition(live.statuses()[-1]["encoder"]):
        assert time.monotonic() < deadline, live.statuses()[-1]["encoder"]
        time.sleep(0.1)
    return live.statuses()[-1]
