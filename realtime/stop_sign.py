"""The word that a session is to end: safe to say from a signal handler, whatever it has interrupted."""

from contextlib import suppress
from queue import Empty, SimpleQueue


class StopSign:
    """Set once, waited for by one thread.

    Notes
    -----
    A signal handler runs in the main thread between any two of its steps, so it may interrupt a wait for the
    very thing that it sets. `threading.Event` has a lock that the wait may hold just then: that Ctrl-C would
    hang. The put of a `SimpleQueue` may interrupt its get.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._wakes: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Say it; from any thread or signal handler, any number of times."""
        self._is_set = True
        self._wakes.put(None)

    def is_set(self) -> bool:
        """Return whether it was said."""
        return self._is_set

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is said, `timeout_s` seconds at most; return whether it was."""
        if not self._is_set:
            with suppress(Empty):
                self._wakes.get(timeout=max(timeout_s, 0.0))
        return self._is_set
