import io
import itertools
import os
import pty
import re
import select
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from semeq.realtime.display import FALL_DB_S, HOLD_S, WHOLE_S, Display, PeakMeter
from semeq.realtime.view_model import Level, ViewModel, WordRow

MODEL = ViewModel(words=(WordRow("warm", 0.5), WordRow("bright", 0.0)), selected=0, elapsed_s=1.0)


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def on_terminal(
    monkeypatch: pytest.MonkeyPatch, width: int = 80, height: int = 24
) -> tuple[Display, Terminal]:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = Terminal()
    display = Display(file)
    display.console.size = (width, height)
    return display, file


def lines_written(text: str) -> list[int]:
    return [int(row) for row in re.findall(r"\x1b\[(\d+);1H", text)]


def taken(file: Terminal) -> str:
    text = file.getvalue()
    file.seek(0)
    file.truncate()
    return text


def test_the_screen_is_taken_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    display, file = on_terminal(monkeypatch)
    with display:
        display.draw(MODEL, 0.0)
    text = file.getvalue()
    assert text.startswith("\x1b[?1049h")
    assert text.index("\x1b[?25l") < text.index("warm") < text.index("\x1b[?25h")
    assert text.rstrip().endswith("\x1b[?1049l")


def test_the_screen_is_given_back_after_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    display, file = on_terminal(monkeypatch)
    with pytest.raises(RuntimeError), display:
        raise RuntimeError
    assert "\x1b[?25h" in file.getvalue()
    assert "\x1b[?1049l" in file.getvalue()


def test_only_lines_that_changed_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    display, file = on_terminal(monkeypatch)
    with display:
        display.draw(MODEL, 0.0)
        assert lines_written(taken(file)) == list(range(1, 25))
        display.draw(MODEL, 0.1)
        assert lines_written(taken(file)) == []
        display.draw(replace(MODEL, elapsed_s=2.0), 0.2)
        assert lines_written(taken(file)) == [1]
        display.draw(replace(MODEL, elapsed_s=2.0), 0.1 + WHOLE_S)
        assert len(lines_written(taken(file))) == 24  # heals what others wrote across it


def test_a_new_size_is_drawn_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    display, file = on_terminal(monkeypatch)
    with display:
        display.draw(MODEL, 0.0)
        taken(file)
        display.console.size = (60, 12)
        display.draw(MODEL, 0.1)
        assert lines_written(taken(file)) == list(range(1, 13))


def test_leaving_and_entering_again(monkeypatch: pytest.MonkeyPatch) -> None:
    display, file = on_terminal(monkeypatch)
    with display:
        display.draw(MODEL, 0.0)
        display.leave()
        display.leave()
        assert taken(file).count("\x1b[?1049l") == 1
        display.enter()
        display.draw(MODEL, 0.05)
        assert len(lines_written(taken(file))) == 24


@pytest.mark.parametrize("term", ["dumb", None])
def test_where_there_is_no_screen_a_line_is_written(
    monkeypatch: pytest.MonkeyPatch, term: str | None
) -> None:
    if term is None:
        file: io.StringIO = io.StringIO()
    else:
        monkeypatch.setenv("TERM", term)
        file = Terminal()
    with Display(file) as display:
        assert not display.is_terminal
        assert display.is_due(0.0)
        display.draw(replace(MODEL, midi="x" * 200), 0.0)
        assert not display.is_due(0.9)
        assert display.is_due(1.0)
    assert file.getvalue().count("\n") == 1  # and is not broken, however long
    assert "\x1b" not in file.getvalue()


def test_pictures_come_at_their_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    display, _ = on_terminal(monkeypatch)
    with display:
        drawn = 0
        for millisecond in range(1000):
            if display.is_due(millisecond / 1000.0):
                display.draw(MODEL, millisecond / 1000.0)
                drawn += 1
    assert 10 <= drawn <= 15


def test_a_terminal_without_unicode_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    display, file = on_terminal(monkeypatch)
    file.encoding = "ascii"
    plain = Display(file)
    plain.console.size = (80, 24)
    with plain:
        plain.draw(replace(MODEL, midi="nano → x"), 0.0)
    assert file.getvalue().isascii()
    del display


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_that_goes_away_ends_the_drawing_alone(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    def gone(text: str) -> int:
        raise BrokenPipeError

    display, file = on_terminal(monkeypatch)
    if not is_terminal:
        monkeypatch.setattr(file, "isatty", lambda: False)
    with display:
        display.draw(MODEL, 0.0)
        monkeypatch.setattr(file, "write", gone)
        display.draw(MODEL, 5.0)
        assert not display.is_due(1e9)


PROGRAM = """
import time
from semeq.realtime.display import Display
from semeq.realtime.view_model import ViewModel, WordRow
with Display() as display:
    for n in range(40):
        display.draw(ViewModel(words=(WordRow("warm", n / 40),), elapsed_s=n))
        time.sleep(0.005)
"""


def test_on_a_real_terminal_a_picture_is_a_few_hundred_bytes() -> None:
    master, slave = pty.openpty()
    size = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=slave, stdout=slave, stderr=slave,
        env={**os.environ, **size},
    )  # fmt: skip
    os.close(slave)
    data = b""
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            try:
                data += os.read(master, 65536)
            except OSError:  # the other end is closed
                break
        elif process.poll() is not None:
            break
    assert process.wait(10.0) == 0
    os.close(master)
    text = data.decode()
    assert text.startswith("\x1b[?1049h")
    assert "\x1b[2J" not in text  # the screen is never cleared, so it never flickers
    assert "▸" not in text  # no keys, nothing chosen
    assert 40 * 50 < len(data) < 40 * 600 + 4000


# ----------------------------------------------------------------------------------------- meters


def test_a_meter_rises_at_once_and_falls_slowly() -> None:
    meter = PeakMeter()
    assert meter.update(1.0, 0.0) == Level(0.0, 0.0)
    level = meter.update(0.0, 0.5)
    assert level.peak_db == pytest.approx(-0.5 * FALL_DB_S)
    assert level.hold_db == 0.0
    assert meter.update(0.5, 0.6).peak_db == pytest.approx(-6.02, abs=0.01)


def test_a_held_peak_stays_and_then_falls() -> None:
    meter = PeakMeter()
    meter.update(1.0, 0.0)
    for step in range(1, 15):
        assert meter.update(0.01, step * HOLD_S / 15).hold_db == 0.0
    late = [meter.update(0.01, HOLD_S + step * 0.1).hold_db for step in range(1, 60)]
    assert all(a >= b for a, b in itertools.pairwise(late))
    assert late[-1] == pytest.approx(-40.0)
    assert meter.update(0.9, 20.0).hold_db == pytest.approx(-0.915, abs=0.01)


def test_silence_and_nonsense() -> None:
    meter = PeakMeter()
    assert meter.update(0.0, 0.0) == Level()
    assert meter.update(float("nan"), 0.1) == Level()
    assert meter.update(float("inf"), 0.2) == Level()
