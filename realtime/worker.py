"""The keeper of the listener: starts it, takes what it heard, notices when it fails, and starts it again.

Whatever happens to the listener (slow, hung, crashed, killed), what was heard last stays, and its age
tells: the conductor holds its last target, and the audio thread knows nothing of it all.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from semeq.realtime.ear import Failure, Message, Ready, Report
from semeq.realtime.ear_runners import Runner

_log = logging.getLogger(__name__)

#: What was heard longer ago than this is stale, s: five updates were missed.
STALE_AFTER_S = 0.5
#: No sign of life for so long, and the listener is given up, s; longer while it loads.
HUNG_AFTER_S, LOADING_S = 3.0, 60.0
#: Waits before it is started again: from the first to the longest, doubling, s.
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 30.0
#: After so long without a failure the waits begin anew, s.
HEALTHY_S = 20.0
#: So many listeners that hang and cannot be killed are left behind; then no other is started.
MOST_LOST = 3
RATE_OVER_S = 3.0


class EarState(StrEnum):
    """How listening stands."""

    OFF = "off"
    LOADING = "loading"
    LISTENING = "listening"
    HELD = "held"
    FROZEN = "frozen"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class EarStatus:
    """How the listener does.

    Parameters
    ----------
    state : EarState
        In a word.
    age_s : float or None
        How long ago the newest result came; None before the first.
    updates, updates_per_s : int, float
        Results so far, and in the last few seconds.
    core : float
        Share of one core that it takes.
    stale_results : int
        Results that were late when they came, or came from a listener that was given up.
    restarts : int
        How often it was started again.
    lost_frames : int
        Input that was never heard.
    pid : int or None
        Its process, where it has one of its own.
    reason : str
        Why it is off or was started again last.
    """

    state: EarState = EarState.OFF
    age_s: float | None = None
    updates: int = 0
    updates_per_s: float = 0.0
    core: float = 0.0
    stale_results: int = 0
    restarts: int = 0
    lost_frames: int = 0
    pid: int | None = None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "state": self.state.value,
            "age_s": None if self.age_s is None else round(self.age_s, 3),
            "updates": self.updates,
            "updates_per_s": round(self.updates_per_s, 2),
            "core_share": round(self.core, 4),
            "restarts": self.restarts,
            "lost_frames": self.lost_frames,
            "pid": self.pid,
            "reason": self.reason,
        }


class Worker(threading.Thread):
    """Keeps a listener going.

    Parameters
    ----------
    make : callable
        Starts a listener.
    fs : float
        Sample rate in Hz.
    say : callable
        Shows one line to the person.

    Attributes
    ----------
    latest : Report or None
        What was heard last; replaced as a whole, read it from any thread.
    """

    def __init__(
        self, make: Callable[[], Runner], fs: float, say: Callable[[str], None] = _log.warning
    ) -> None:
        super().__init__(name="semeq-worker", daemon=True)
        self._make, self._fs, self._say = make, fs, say
        self.latest: Report | None = None
        self._over = threading.Event()
        self._arrivals: deque[float] = deque(maxlen=200)
        self._runner: Runner | None = None
        self._is_off = self._is_down = False
        self._updates = self._stale = self._restarts = 0
        self._lost_before = self._lost_now = self._lost_runners = 0
        self._reason = ""

    def status(self) -> EarStatus:
        """Return how it does; from any thread."""
        now, latest = time.perf_counter(), self.latest
        arrivals = list(self._arrivals)
        age = None
        if latest is not None and arrivals:
            age = now - arrivals[-1] + latest.behind / self._fs
        recent = sum(now - at < RATE_OVER_S for at in arrivals)
        if self._is_off or not (self.is_alive() or self._over.is_set()):
            state = EarState.OFF
        elif latest is None or age is None:
            state = EarState.STALE if self._restarts else EarState.LOADING
        elif self._is_down or age > STALE_AFTER_S:
            state = EarState.STALE
        else:
            state = EarState.HELD if latest.is_held else EarState.LISTENING
        spell = min(RATE_OVER_S, now - arrivals[0]) if arrivals else RATE_OVER_S
        return EarStatus(
            state,
            age,
            self._updates,
            recent / spell if spell > 0.5 else 0.0,
            latest.core if latest is not None and not self._is_down else 0.0,
            self._stale,
            self._restarts,
            self._lost_before + self._lost_now,
            self._runner.pid if self._runner is not None else None,
            self._reason,
        )

    def finish(self, timeout_s: float = 3.0) -> None:
        """End the listener and the keeping."""
        self._over.set()
        if self.is_alive():
            self.join(timeout_s)

    def run(self) -> None:
        """Keep a listener going until `finish` is called, or none can be."""
        wait_s = FIRST_WAIT_S
        while not self._over.is_set():
            began = time.perf_counter()
            try:
                self._serve()
            except _LostError as lost:
                self._reason = str(lost)
            except Exception as error:
                _log.exception("the keeper of the listener failed")
                self._reason = f"{type(error).__name__}: {error}"
            self._give_up()
            if self._over.is_set() or self._is_off:
                return
            if time.perf_counter() - began > HEALTHY_S:
                wait_s = FIRST_WAIT_S
            if self._restarts == 0 or wait_s >= 4.0:  # once, and then not every moment
                self._say(
                    f"the audio encoder {self._reason}: what was heard last holds; starting it again"
                )
            self._over.wait(wait_s)
            wait_s = min(2.0 * wait_s, LONGEST_WAIT_S)
            self._restarts += 1

    def _serve(self) -> None:
        """Take the messages of one listener until it fails or the end has come."""
        runner = self._runner = self._make()
        alive_at, patience_s = time.perf_counter(), LOADING_S
        while not self._over.is_set():
            try:
                message = runner.receive(0.1)
            except EOFError:
                raise _LostError("has ended") from None
            now = time.perf_counter()
            if message is not None:
                alive_at = now
                if isinstance(message, Ready):
                    patience_s = HUNG_AFTER_S
                self._take(message, now)
            elif now - alive_at > patience_s:
                raise _LostError(f"gave no sign of life for {patience_s:g} s")

    def _take(self, message: Message, now: float) -> None:
        if isinstance(message, Report):
            self._is_down = False
            if message.behind > STALE_AFTER_S * self._fs:
                self._stale += 1
            self._updates, self._lost_now = self._updates + 1, message.lost
            self._arrivals.append(now)
            self.latest = message
        elif isinstance(message, Failure):
            if message.is_final:
                self._is_off = True
                self._say(f"{message.reason}; the words' typical moves are used")
            raise _LostError(f"failed ({message.reason})")

    def _give_up(self) -> None:
        """End the listener; one that cannot be ended is left to itself."""
        self._is_down = True
        runner, self._runner = self._runner, None
        self._lost_before, self._lost_now = self._lost_before + self._lost_now, 0
        if runner is None or runner.end():
            return
        self._lost_runners += 1
        if self._lost_runners >= MOST_LOST and not self._over.is_set():
            self._is_off = True
            self._say(
                f"the audio encoder hangs, {MOST_LOST} times over: what was heard last holds; "
                "start semeq again, with --isolate, to get rid of it"
            )


class _LostError(Exception):
    """The listener is to be started again."""
