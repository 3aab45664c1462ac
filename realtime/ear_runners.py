"""Where a listener runs: in a thread of this process; `semeq.realtime.ear_process` has the other way.

A runner starts one listener (`semeq.realtime.ear`), hands out its messages and ends it. A process can be
killed; a thread cannot, so one that hangs is left alone: its messages are no longer taken, and it ends when
it comes to itself.
"""

import queue
import threading
import time
from typing import Protocol

from semeq.realtime.ear import Message, Task, work
from semeq.realtime.tap import Tap

#: How long a listener may take to end by itself, s.
FAREWELL_S = 1.0


class Runner(Protocol):
    """One listener."""

    @property
    def pid(self) -> int | None:
        """Its process, where it has one of its own."""

    def receive(self, timeout_s: float) -> Message | None:
        """Return the next message, or None when none comes in time.

        Raises
        ------
        EOFError
            If there is no listener any more.
        """

    def end(self) -> bool:
        """End it, however it is; return whether it is gone."""


class ThreadRunner:
    """A listener in a thread: the encoder leaves the interpreter to others while it computes."""

    def __init__(self, task: Task, tap: Tap) -> None:
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=work,
            args=(task, tap, self._messages.put, self._over.wait, time.thread_time),
            name="semeq-ear",
            daemon=True,
        )
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """None: it has no process of its own."""
        return None

    def receive(self, timeout_s: float) -> Message | None:
        """Return the next message, or None when none comes in time."""
        try:
            return self._messages.get(timeout=timeout_s)
        except queue.Empty:
            if not self._thread.is_alive() and self._messages.empty():
                raise EOFError("the listening thread has ended") from None
            return None

    def end(self) -> bool:
        """Ask it to end; a thread that hangs goes on hanging."""
        self._over.set()
        self._thread.join(FAREWELL_S)
        return not self._thread.is_alive()
