import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from types import SimpleNamespace
from typing import cast

import pytest
from jack_server import JackServer
from midi_sender import MidiSender

from semeq.engine.howl_guard import HowlGuard
from semeq.engine.loudness_running import LoudnessNow
from semeq.engine.settings import Band, EQSettings, Kind
from semeq.presets.library import load_vocabulary
from semeq.presets.midi_maps import load_map
from semeq.realtime.control import ControlState
from semeq.realtime.desk import Desk
from semeq.realtime.display import Display
from semeq.realtime.midi_desk import MidiDesk
from semeq.realtime.pulse import Link
from semeq.realtime.session import Session
from semeq.realtime.surface import NOTICE_S, Notices, Surface
from semeq.realtime.view import view_lines
from semeq.realtime.view_model import LIVE, Ear, plain_line
from semeq.realtime.worker import EarState, EarStatus

FLAT = EQSettings.flat()
WARM = EQSettings((Band(Kind.LOW_SHELF, 200.0, 6.0), *FLAT.bands[1:]))


def session(state: ControlState | None = None) -> SimpleNamespace:
    """Return what a surface needs of a session, at rest."""
    stream = SimpleNamespace(
        fs=48_000.0,
        counts=lambda: SimpleNamespace(
            blocksize=96, load=0.01, p999_us=100.0, max_us=200.0, xruns=1, missed=2,
            bad_samples=3, clipped_samples=5,
            limited_frames=4,
        ),
    )  # fmt: skip
    stops: list[bool] = []
    return SimpleNamespace(
        inserts=None,
        rig=SimpleNamespace(
            loudness=SimpleNamespace(now=LoudnessNow()),
            overload=SimpleNamespace(dropped=()),
            howl=SimpleNamespace(guard=HowlGuard()),
        ),
        desk=Desk(state or ControlState((("warm", 0.5), ("cold", 0.0)))),
        vocabulary=load_vocabulary(),
        plan=SimpleNamespace(settings=WARM, gain_db=-2.0, warnings=("two words cancel",)),
        stream=stream,
        peaks=lambda: (0.5, 1.0),
        recovery=SimpleNamespace(state=Link.RUNNING),
        started_at=100.0,
        latency_ms=2.7,
        ear=lambda: EarStatus(EarState.FROZEN, 0.4, 30, 10.0, 0.021, 2),
        heard=None,
        verifier=SimpleNamespace(shown=lambda: (("warm +0.9 dB", False), ("airy", True))),
        config=SimpleNamespace(
            design="decramped",
            hearing=SimpleNamespace(tables=None),
            stream=SimpleNamespace(
                input=SimpleNamespace(name="mic", api="JACK Audio Connection Kit"),
                output=SimpleNamespace(name="phones", api="JACK Audio Connection Kit"),
            ),
        ),
        stops=stops,
        stop=lambda: stops.append(True),
    )


def surface(fake: SimpleNamespace, **kwargs: object) -> Surface:
    display = Display(io.StringIO())
    return Surface(cast(Session, fake), Notices(), display=display, **kwargs)  # type: ignore[arg-type]  # handed on


def test_the_model_says_what_is_so() -> None:
    fake = session(ControlState((("warm", 0.5), ("cold", 0.0)), 0.8, 0.1, True, -3.0))
    knobs = MidiDesk(fake.desk, load_map("default"))
    knobs.receive([0xB0, 50, 1], 0.0)
    model = surface(fake, knobs=knobs).model(160.0)
    assert [(row.word, row.weight) for row in model.words] == [("warm", 0.5), ("cold", 0.0)]
    assert (model.words[0].note, model.words[1].note) == ("", "people do not agree what it means")
    assert (model.amount, model.adapt, model.bypass, model.trim_db) == (0.8, 0.1, True, -3.0)
    assert model.verdicts == (("warm +0.9 dB", False), ("airy", True))
    assert model.response_db[0] == pytest.approx(6.0 - 2.0, abs=0.3)
    assert model.response_db[-1] == pytest.approx(-2.0, abs=0.1)
    assert model.levels_in[0].peak_db == pytest.approx(-6.02, abs=0.01)
    assert model.levels_out[0].peak_db == 0.0
    engine = model.engine
    assert engine.device == "mic → phones (JACK)"
    # a block of 96 frames lasts 2000 µs
    assert engine.load_p999 == pytest.approx(0.05)
    assert engine.load_max == pytest.approx(0.1)
    assert (engine.xruns, engine.missed, engine.bad_samples) == (1, 2, 3)
    assert (engine.clipped, engine.limited) == (5, 4)
    assert model.ear == Ear("frozen", 0.4, 10.0, 0.021, 2)
    assert model.midi_last == "CC 50 = 1 (ch 1), not mapped"
    assert model.warnings == ("two words cancel",)
    assert model.elapsed_s == 60.0
    assert model.selected is None  # there is no keyboard
    assert model.state == LIVE


def test_a_lost_device_is_said_at_the_top() -> None:
    fake = session()
    fake.recovery.state = Link.LOST
    model = surface(fake).model(160.0)
    top = view_lines(model, 60)[0]
    assert top.plain.rstrip().endswith("DEVICE LOST 1:00")
    assert any("red" in str(span.style) for span in top.spans)
    assert plain_line(model).startswith("1:00 DEVICE LOST | ")


def test_before_the_first_block_nothing_divides_by_zero() -> None:
    fake = session()
    fake.stream.counts = lambda: SimpleNamespace(
        blocksize=0,
        load=0.0,
        p999_us=0.0,
        max_us=0.0,
        xruns=0,
        missed=0,
        bad_samples=0,
        clipped_samples=0,
        limited_frames=0,
    )
    assert surface(fake).model(100.0).engine.load_max == 0.0


def test_keys_turn_the_desk() -> None:
    fake = session()
    hand = surface(fake)
    for key in ("right", "down", "right", " ", "/", *"airy", "enter", "y"):
        hand.press(key)
    assert fake.desk.state.weights == (("warm", 0.55), ("cold", 0.05), ("airy", 0.0))
    assert fake.desk.state.bypass
    assert hand.model(101.0).message == "'y' does nothing: ? shows the keys"
    assert not fake.stops
    hand.press("q")
    assert fake.stops == [True]


def test_without_a_terminal_lines_are_written() -> None:
    fake = session()
    display = Display(io.StringIO())
    with Surface(cast(Session, fake), Notices(), display=display) as plain:
        plain.tick()
        plain.tick()
    text = cast(io.StringIO, display.console.file).getvalue()
    assert text.count("\n") == 1
    assert "warm:0.5 | amount 1.00" in text


def test_notices_are_printed_or_shown(capsys: pytest.CaptureFixture[str]) -> None:
    notices = Notices()
    notices("a  port\nis gone")
    assert capsys.readouterr().err == "semeq: a port is gone\n"
    notices.is_shown = True
    notices("it is back")
    assert capsys.readouterr().err == ""
    now_s = time.perf_counter()
    assert notices.recent(now_s) == ("it is back",)
    assert notices.recent(now_s + NOTICE_S) == ()


# ------------------------------------------------------------------------ the whole, on a terminal


_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Live:
    """``semeq live`` on a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(self.master, (24, 80))
        self.before = termios.tcgetattr(self.master)
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, "live", *arguments],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
        )  # fmt: skip
        os.close(slave)

    def see(self, pattern: str, timeout_s: float = 30.0) -> None:
        """Wait until something is written."""
        deadline = time.monotonic() + timeout_s
        while not re.search(pattern, _ESCAPES.sub("", self.text)):
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready:
                try:
                    self.text += os.read(self.master, 65536).decode("utf-8", "replace")
                except OSError:  # the other end is closed
                    deadline = 0.0
            if time.monotonic() > deadline:
                pytest.fail(f"no {pattern!r} in {self.text[-3000:]!r}")

    def type(self, keys: str) -> None:
        self.text = ""
        os.write(self.master, keys.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)


#: Makes the pseudo-terminal the controlling one, as a shell would have.
CHILD = """
import os
os.close(os.open(os.ttyname(0), os.O_RDWR))
from semeq.engine.cli import main
main()
"""


@pytest.mark.jack
@pytest.mark.parametrize("way_out", ["q", "\x03", "SIGTERM"])
def test_a_session_at_the_terminal(jack: JackServer, way_out: str) -> None:
    with MidiSender("desk", "knobs") as sender:
        live = Live("-m", "warm:0.5", "--midi", "desk:knobs")
        try:
            live.see(r"MIDI desk:knobs \(jack\)", 240.0)  # it may compile first
            live.see("▸warm.*\\+0.50")
            live.type("\x1b[C")
            live.see("\\+0.55")
            live.type(" ")
            live.see("BYPASS")
            live.text = ""
            for value in (64, 80, 127):
                sender.send(0xB0, 21, value)
            live.see("CC 21 = 127 .* → bright")
            live.see("bright +─+┼━+ \\+1.00")
            if way_out == "SIGTERM":
                live.process.send_signal(signal.SIGTERM)
            else:
                live.type(way_out)
            live.see("deadlines")  # the summary
            assert live.process.wait(10.0) == 0
            assert "\x1b[?1049l" in live.text
            assert "\x1b[?25h" in live.text
            assert termios.tcgetattr(live.master)[:4] == live.before[:4]
        finally:
            live.close()
