import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.realtime.keys import Keyboard, decode

DECODED = [
    (b"a", ["a"]),
    (b"aA0 ?", ["a", "A", "0", " ", "?"]),
    (b"\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"]),
    (b"\x1bOA\x1bOD", ["up", "left"]),
    (b"\x1b[1;2C", ["right"]),
    (b"\x1b[3~\x1b[5~\x1b[6~", ["delete", "page up", "page down"]),
    (b"\x1b[1~\x1b[4~\x1b[H\x1b[F", ["home", "end", "home", "end"]),
    (b"\r\n\t\x7f\x08\x04", ["enter", "enter", "tab", "backspace", "backspace", "q"]),
    (b"\x1b", ["escape"]),
    (b"\x1b\x1b[A", ["escape", "up"]),
    (b"\x1bx", []),  # Alt
    (b"\x1b[15~\x1bOP", []),  # F5, F1
    (b"\x1b[200~hi\x1b[201~", ["h", "i"]),
    ("é¿→".encode(), ["é", "¿", "→"]),
    (b"\x01\x00\xff\xfe", []),
    (b"", []),
]  # fmt: skip


@pytest.mark.parametrize(("data", "keys"), DECODED)
def test_decode(data: bytes, keys: list[str]) -> None:
    assert decode(data) == (keys, b"")


@given(st.binary(max_size=40), st.integers(0, 40))
def test_any_bytes_in_two_parts_are_the_same_keys(data: bytes, cut: int) -> None:
    first, rest = decode(data[:cut], is_all=False)
    second, left = decode(rest + data[cut:])
    assert left == b""
    assert first + second == decode(data)[0]


# ------------------------------------------------------------------------------- a real terminal

TIMEOUT_S = 20.0
#: Makes the pseudo-terminal the controlling one, reports, and echoes keys until told otherwise. Whoever runs
#: the tests may ignore signals (nohup does), and a child would inherit that.
PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
os.close(os.open(os.ttyname(0), os.O_RDWR))
from semeq.realtime.keys import Keyboard
def say(text):
    os.write(3, (text + "\\n").encode())
{before}
with Keyboard() as keyboard:
    say(keyboard.reason or "ready")
    going = True
    while going and keyboard.is_available:
        for key in keyboard.read(0.05):
            say("key " + key)
            if key == "x": raise SystemExit(3)
            if key == "e": raise RuntimeError("broken")
            if key == "q": going = False
say("left")
time.sleep({after})
"""


class Terminal:
    """A program on a pseudo-terminal of its own."""

    def __init__(self, before: str = "", after: float = 0.0) -> None:
        self.master, slave = pty.openpty()
        self._reports, reports = os.pipe()
        self.before = termios.tcgetattr(self.master)
        self._text = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _with_reports(PROGRAM.format(before=before, after=after), reports)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, pass_fds=(reports,),
        )  # fmt: skip
        os.close(slave)
        os.close(reports)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def expect(self, line: str) -> None:
        """Wait for a report."""
        deadline = time.monotonic() + TIMEOUT_S
        while line.encode() + b"\n" not in self._text:
            ready, _, _ = select.select([self._reports], [], [], 0.1)
            if ready:
                self._text += os.read(self._reports, 1000)
            if time.monotonic() > deadline:
                pytest.fail(f"no {line!r} in {self._text!r}")

    @property
    def mode(self) -> list[object]:
        # the rest are speeds and characters, which a pty and Keyboard leave alone
        return list(termios.tcgetattr(self.master)[:4])

    def wait_for_mode(self, taken: bool) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while (self.mode == self.before[:4]) is taken:
            if time.monotonic() > deadline:
                pytest.fail(f"the terminal was not {'taken' if taken else 'restored'}")
            time.sleep(0.01)

    def wait(self) -> int:
        return self.process.wait(TIMEOUT_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self._reports)


def _with_reports(program: str, fd: int) -> str:
    return program.replace("os.write(3,", f"os.write({fd},")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    terminal.expect("ready")
    yield terminal
    terminal.close()


def test_keys_come_one_by_one_without_echo(terminal: Terminal) -> None:
    assert not terminal.mode[3] & termios.ECHO  # type: ignore[operator]  # the third is an int
    terminal.type(b"a")
    terminal.expect("key a")
    terminal.type(b"\x1b[A")
    terminal.expect("key up")
    terminal.type("é".encode())
    terminal.expect("key é")
    terminal.type(b"\x1b")
    terminal.expect("key escape")
    terminal.type(b"\x13\x11b")  # Ctrl-S stops nothing
    terminal.expect("key b")
    ready, _, _ = select.select([terminal.master], [], [], 0.05)
    assert not ready  # nothing was echoed
    terminal.type(b"q")
    assert terminal.wait() == 0
    assert terminal.mode == terminal.before[:4]


@pytest.mark.parametrize(("key", "code"), [(b"x", 3), (b"e", 1), (b"\x03", -signal.SIGINT)])
def test_the_terminal_is_restored_after_an_exit_an_exception_and_ctrl_c(
    terminal: Terminal, key: bytes, code: int
) -> None:
    terminal.type(key)
    assert terminal.wait() == code
    assert terminal.mode == terminal.before[:4]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT])
def test_the_terminal_is_restored_after_a_signal(
    terminal: Terminal, number: signal.Signals
) -> None:
    terminal.process.send_signal(number)
    assert terminal.wait() == -number
    assert terminal.mode == terminal.before[:4]


def test_a_stop_gives_the_terminal_back_and_a_return_takes_it(terminal: Terminal) -> None:
    for _ in range(2):
        terminal.process.send_signal(signal.SIGTSTP)
        terminal.wait_for_mode(taken=False)
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for_mode(taken=True)
    terminal.type(b"a")
    terminal.expect("key a")


def test_a_handler_of_the_programs_own_is_left_alone() -> None:
    terminal = Terminal(before="signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))")
    terminal.expect("ready")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait() == 7
    assert terminal.mode == terminal.before[:4]
    terminal.close()


def test_the_signals_are_given_back_with_the_terminal() -> None:
    terminal = Terminal(after=30.0)
    terminal.expect("ready")
    terminal.type(b"q")
    terminal.expect("left")
    assert terminal.mode == terminal.before[:4]
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait() == -signal.SIGTERM
    terminal.close()


def test_in_the_background_there_are_no_keys_and_no_stop() -> None:
    # In a group of its own that is not the terminal's: touching the terminal would stop the program.
    terminal = Terminal(before="if os.fork() == 0: os.setpgid(0, 0)\nelse: os.wait(); sys.exit()")
    terminal.expect("this program runs in the background")
    assert terminal.mode == terminal.before[:4]
    terminal.close()


def test_a_terminal_that_goes_away_ends_the_keys() -> None:
    master, slave = pty.openpty()
    keyboard = Keyboard(slave)
    keyboard.reason = ""  # the pty is not this program's: go straight to reading
    os.close(master)
    assert keyboard.read(1.0) == []
    assert keyboard.reason == "the terminal is gone"
    os.close(slave)


def test_without_a_terminal_there_are_no_keys_and_no_error() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"q")
    with Keyboard(reading) as keyboard:
        assert not keyboard.is_available
        assert keyboard.reason == "standard input is not a terminal"
        began = time.perf_counter()
        assert keyboard.read(0.05) == []
        assert time.perf_counter() - began >= 0.045
    os.close(reading)
    os.close(writing)


def test_a_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with Keyboard() as keyboard:
        assert keyboard.reason == "standard input is not a terminal"
