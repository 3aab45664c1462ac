"""The howl guard of a session: listens to the input, and has the conductor lower what is heard.

The input is where a loop comes round. It is read from the tap, some fifty times a second, on the sound's own
clock, by a thread of ordinary priority: neither the audio nor a knob waits for it. See `semeq.engine.howl`
for what is heard as a howl, and `semeq.engine.howl_guard` for what is done about it.
"""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from semeq.engine.howl import HowlDetector
from semeq.engine.howl_guard import Duck, HowlGuard
from semeq.realtime.tap import Tap, TapReader

_log = logging.getLogger(__name__)

#: It looks so long after a look's worth of sound should be there: sound comes in blocks.
LATE_S = 0.003


class HowlWatch:
    """Guards a stream; a context manager, which runs it in a thread.

    Parameters
    ----------
    tap : Tap
        The newest input.
    fs : float
        Sample rate in Hz.
    lower : callable
        Sets the gain of what is heard.
    say : callable
        Shows one line to the person.
    is_on : bool
        Whether anything is guarded at all.
    """

    def __init__(
        self,
        tap: Tap,
        fs: float,
        lower: Callable[[Duck], None],
        say: Callable[[str], None],
        *,
        is_on: bool = True,
    ) -> None:
        self._tap, self._lower, self._say, self._is_on = tap, lower, say, is_on
        self._fs = fs
        self._reader = TapReader(tap)
        self._detector = HowlDetector(fs, tap.channels)
        self.guard = HowlGuard()
        self._cpu_s = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="semeq-howl", daemon=True)

    def __enter__(self) -> Self:
        self._reader = TapReader(self._tap)
        if self._is_on:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._is_on:
            self._thread.join(2.0)

    def count_on(self, other: "HowlWatch") -> None:
        """Begin with what an earlier one has counted; the new device starts at its full level."""
        self.guard.ducks, self.guard.left_alone = other.guard.ducks, other.guard.left_alone

    def as_dict(self) -> dict[str, Any]:
        """Return how it stands, and what it has cost, as plain values for JSON."""
        stands = {**self.guard.as_dict(), "cpu_s": round(self._cpu_s, 3)}
        return stands if self._is_on else {**stands, "state": "off"}

    def _run(self) -> None:
        while not self._ended.wait(self._missing_s() + LATE_S):
            try:
                self.look()
            except Exception:
                _log.exception("the howl guard skipped a beat")
            self._cpu_s = time.thread_time()

    def _missing_s(self) -> float:
        return max(self._detector.hop - self._reader.waiting, 0) / self._fs

    def look(self) -> None:
        """Take what came in since the last look, and act on it."""
        while self._reader.waiting >= self._detector.hop:
            block, _ = self._reader.read(self._detector.hop)
            before = self.guard.duck
            howls = self._detector.feed(block)
            now_s = self._detector.frame / self._fs
            line = self.guard.update(now_s, howls, self._detector.level_db)
            if self.guard.duck != before:
                self._lower(self.guard.duck)
            if line is not None:
                self._say(line)
