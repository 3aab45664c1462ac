"""The terminal that a live session is shown in: a full screen that is redrawn, or a line a second."""

import math
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.text import Text

from semeq.engine.units import gain_to_db
from semeq.realtime.chart import ASCII, UNICODE
from semeq.realtime.view import view_lines
from semeq.realtime.view_model import SILENCE_DB, Level, ViewModel, plain_line

#: Pictures a second on a terminal, and lines a second elsewhere.
PICTURES_S = 12.0
LINES_S = 1.0
#: After this long everything is drawn anew, s: another program may have written across it.
WHOLE_S = 2.0
#: A held peak stays this long (s), then falls (dB/s); the bar falls at once, as fast.
HOLD_S = 1.5
FALL_DB_S = 20.0


class PeakMeter:
    """Turns the peaks of short stretches into a level that the eye can follow."""

    def __init__(self) -> None:
        self._level = Level()
        self._held_s = self._last_s = -math.inf

    def update(self, peak: float, now_s: float) -> Level:
        """Take the highest sample (a factor of full scale) since the last call, and return the level."""
        peak_db = gain_to_db(peak) if math.isfinite(peak) else SILENCE_DB
        fall = FALL_DB_S * max(now_s - self._last_s, 0.0)
        hold_db = self._level.hold_db
        if peak_db >= hold_db:
            hold_db, self._held_s = peak_db, now_s
        elif now_s - self._held_s > HOLD_S:
            hold_db = max(hold_db - fall, peak_db, SILENCE_DB)
        self._last_s = now_s
        self._level = Level(max(peak_db, self._level.peak_db - fall, SILENCE_DB), hold_db)
        return self._level


class _Console(Console):
    """A console that leaves a broken pipe to its caller instead of ending the program."""

    def on_broken_pipe(self) -> None:
        """Pass the error on, which is being handled here."""
        raise BrokenPipeError


class Display:
    """Where the view is drawn; a context manager.

    On a terminal it takes the second screen and gives the first back as it was. Only lines that have
    changed are written, so nothing flickers and a picture costs little. Elsewhere it writes one line a
    second. It draws from the thread that calls it and starts none of its own. A terminal that goes away
    ends the drawing, never the session.

    Parameters
    ----------
    file : TextIO, optional
        Standard error by default: standard output is for what programs read.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self.console = _Console(file=file or sys.stderr, highlight=False)
        encoding = (self.console.encoding or "").lower()
        self._glyphs = UNICODE if encoding.startswith("utf") else ASCII
        self._on_screen = False
        self._shown: list[Text] = []
        self._size = (0, 0)
        self._next_s = self._whole_s = 0.0

    @property
    def is_terminal(self) -> bool:
        """Whether there is a screen to draw on."""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def __enter__(self) -> Self:
        self.enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()

    def enter(self) -> None:
        """Take the screen; again after `leave`, when a stopped program goes on."""
        if self.is_terminal and not self._on_screen:
            self._on_screen = self.console.set_alt_screen(True)
            self.console.show_cursor(False)
        self._next_s = self._whole_s = 0.0

    def leave(self) -> None:
        """Give the screen back."""
        if self._on_screen:
            self._on_screen = False
            with suppress(OSError):  # a terminal that is gone needs nothing back
                self.console.show_cursor(True)
                self.console.set_alt_screen(False)

    def is_due(self, now_s: float | None = None) -> bool:
        """Say whether it is time for the next picture: who asks first need not make a model in vain."""
        return (time.perf_counter() if now_s is None else now_s) >= self._next_s

    def draw(self, model: ViewModel, now_s: float | None = None) -> None:
        """Show the model."""
        now_s = time.perf_counter() if now_s is None else now_s
        try:
            if self._on_screen:
                self._next_s = now_s + 1.0 / PICTURES_S
                self._picture(model, now_s)
            else:
                self._next_s = now_s + 1.0 / LINES_S
                self.console.print(plain_line(model), markup=False, soft_wrap=True)
        except OSError:
            self._next_s = math.inf

    def _picture(self, model: ViewModel, now_s: float) -> None:
        width, height = size = self.console.size
        if size != self._size or now_s >= self._whole_s:
            self._size, self._shown = size, []
            self._whole_s = now_s + WHOLE_S
        self._write(view_lines(model, width, height, self._glyphs), height)

    def _write(self, lines: list[Text], height: int) -> None:
        """Write the lines that differ from what is on the screen, each at its place."""
        out = []
        for row in range(height):
            line = lines[row] if row < len(lines) else Text()
            if row < len(self._shown) and self._shown[row] == line:
                continue
            with self.console.capture() as captured:
                self.console.print(line, end="", no_wrap=True, crop=True)
            # The rest of the line is cleared first: after the last column it would take a letter.
            out.append(f"\x1b[{row + 1};1H\x1b[2K{captured.get()}")
        self._shown = [*lines, *(Text() for _ in range(height - len(lines)))]
        self.console.file.write("".join(out))
        self.console.file.flush()
