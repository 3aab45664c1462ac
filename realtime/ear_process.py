"""A listener in a process of its own (``--isolate``): it may crash, hang or be killed, and the sound goes on.

The input lies in memory that both processes share, so listening costs the audio thread nothing more; what
was heard comes back through a pipe.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from semeq.realtime.ear import GoneError, Message, Task, pack, unpack, work
from semeq.realtime.ear_runners import FAREWELL_S
from semeq.realtime.tap import HEAD_BYTES, TAP_FRAMES, Tap, opened

#: Processes are started from scratch: a copy of this one would hold its audio thread's memory.
CONTEXT = get_context("spawn")


def shared_tap(channels: int) -> Tap:
    """Return a tap that a `ProcessRunner` can share, every page touched."""
    tap = opened(CONTEXT.RawArray("b", HEAD_BYTES + TAP_FRAMES * channels * 4), channels)
    tap.ring.fill(0)
    return tap


class ProcessRunner:
    """A listener in a process of its own, on shared memory; needs a tap of `shared_tap`."""

    def __init__(self, task: Task, tap: Tap) -> None:
        self._connection, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(
            target=_child,
            args=(theirs, tap.memory, tap.channels, task),
            name="semeq-ear",
            daemon=True,
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._process.pid

    def receive(self, timeout_s: float) -> Message | None:
        """Return the next message, or None when none comes in time."""
        try:
            if self._connection.poll(timeout_s):
                return unpack(self._connection.recv_bytes())
        except OSError as error:
            raise EOFError(f"the listening process is gone: {error}") from None
        return None

    def end(self) -> bool:
        """Ask it to end, and kill it if it does not."""
        with suppress(OSError):
            self._connection.close()  # it notices
        self._process.join(FAREWELL_S)
        if self._process.exitcode is None:
            self._process.kill()  # a stopped process takes nothing else
            self._process.join(FAREWELL_S)
        return self._process.exitcode is not None


def _child(connection: Connection, memory: Any, channels: int, task: Task) -> None:  # noqa: ANN401 (a ctypes array)
    """Listen in a process of its own until the other end of the pipe is closed."""
    for name in ("SIGINT", "SIGHUP"):  # meant for the session, which then tells us
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with suppress(OSError, ValueError):  # what libraries print would stand across the view
        sys.stderr.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)

    def pause(seconds: float) -> bool:
        return connection.poll(seconds)  # nobody writes to us: what comes is the end

    def send(message: Message) -> None:
        try:
            connection.send_bytes(pack(message))
        except OSError:
            raise GoneError from None

    work(task, opened(memory, channels), send, pause, time.process_time)
