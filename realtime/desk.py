"""The desk: the one owner of what a person has asked for, and the bell that wakes the conductor.

Writers (MIDI, keys, a file, later a panel) call `Desk.act`; the conductor sleeps in `Desk.wait` and is
woken at once, never at the next tick of a poll; readers take `Desk.state` without a lock, since each
change replaces one reference to a frozen value.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from semeq.realtime.control import Action, ControlState, apply

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state, its ``version`` (0 for the first) and when it came (``time.perf_counter``, s)."""

    version: int
    state: ControlState
    at_s: float


Listener = Callable[[Snapshot], None]


class Desk:
    """The one owner of the current state; any thread may use it.

    Parameters
    ----------
    state : ControlState
        What to begin with.

    Examples
    --------
    >>> from semeq.realtime.control import Bypass
    >>> desk = Desk()
    >>> desk.act(Bypass()).bypass, desk.version
    (True, 1)
    """

    def __init__(self, state: ControlState | None = None) -> None:
        self._newest = Snapshot(0, state or ControlState(), time.perf_counter())
        self._changed = threading.Condition()
        self._wakes = 0
        self._listeners: tuple[Listener, ...] = ()

    @property
    def newest(self) -> Snapshot:
        """State and version that belong together."""
        return self._newest

    @property
    def state(self) -> ControlState:
        """The current state."""
        return self._newest.state

    @property
    def version(self) -> int:
        """How often the state has changed."""
        return self._newest.version

    def act(self, *actions: Action) -> ControlState:
        """Apply actions in their order as one change, wake the waiting, and return the new state."""
        with self._changed:
            before = self._newest
            state = before.state
            for action in actions:
                state = apply(state, action)
            if state == before.state:
                return before.state
            snapshot = self._newest = Snapshot(before.version + 1, state, time.perf_counter())
            self._changed.notify_all()
            listeners = self._listeners
        for listener in listeners:  # outside the lock: a listener may act
            try:
                listener(snapshot)
            except Exception as error:  # a broken display must not break a knob
                _log.warning("a listener of the desk failed: %r", error)
        return state

    def wait(self, after: int, timeout_s: float | None = None) -> Snapshot:
        """Sleep until the version is past `after`, or `timeout_s` is over; return the newest.

        The caller wakes when an action comes, not at the next tick of a poll.
        """
        with self._changed:
            wakes = self._wakes
            self._changed.wait_for(
                lambda: self._newest.version > after or self._wakes > wakes, timeout_s
            )
            return self._newest

    def wake(self) -> None:
        """Let every `wait` return now; for a waiting thread that is to see its stop flag."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after each change, in the acting thread: for displays, so be quick.

        Two threads that act at once may be heard in either order: the version tells.

        Returns
        -------
        callable
            Takes the listener off again.
        """
        with self._changed:
            self._listeners = (*self._listeners, listener)

        def off() -> None:
            with self._changed:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return off
