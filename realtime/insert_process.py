"""A process that runs plugins, seen from the session: started, waited for, looked after, ended."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from semeq.engine.errors import PluginError
from semeq.engine.pool import Died
from semeq.realtime.ear_process import CONTEXT
from semeq.realtime.insert_host import STATES, Stint, child
from semeq.realtime.insert_ring import AT_WORK, BEAT, RETURNED, SLOWEST, SLOWEST_NS, Ring

#: Loading may take so long, s; a process without a sign of life for so long hangs, s.
LOADING_S, HUNG_AFTER_S = 30.0, 0.5
FAREWELL_S, STATES_S = 1.0, 2.0


class FailedError(Exception):
    """The process is to be ended; says why."""


class HostProcess:
    """A running process of plugins.

    Parameters
    ----------
    ring : Ring
        In memory that can be shared.
    stint : Stint
        What to run.
    name : str
        Of the process.
    """

    def __init__(self, ring: Ring, stint: Stint, name: str) -> None:
        self._ring = ring
        ring.head[[AT_WORK, BEAT, RETURNED, SLOWEST, SLOWEST_NS]] = 0
        self._connection, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(
            target=child, args=(theirs, ring.memory, stint), name=name, daemon=True
        )
        self._process.start()
        theirs.close()
        self._beat, self._beat_at = 0, 0.0

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return self._process.pid

    def await_ready(self, is_over: Callable[[], bool]) -> list[dict[str, Any]]:
        """Wait until it has loaded all and return what it says of each plugin; nothing when it is over.

        Raises
        ------
        PluginError
            If a plugin says why it does not load.
        FailedError
            If the process crashed or hangs.
        """
        end = time.perf_counter() + LOADING_S
        while not is_over():
            try:
                if self._connection.poll(0.05):
                    said: dict[str, Any] = json.loads(self._connection.recv_bytes())
                    break
            except (EOFError, OSError):
                raise self._dead("while it was loaded") from None
            if time.perf_counter() > end:
                raise FailedError(f"did not load within {LOADING_S:g} s")
        else:
            return []
        if "failed" in said:
            raise PluginError(said["failed"])
        notes: list[dict[str, Any]] = said["ready"]
        return notes

    def go(self) -> None:
        """Let it begin."""
        with suppress(OSError):
            self._connection.send_bytes(b"go")
        self._beat, self._beat_at = 0, time.perf_counter()

    def check(self) -> None:
        """See whether it is well.

        Raises
        ------
        FailedError
            If it is gone, or hangs.
        """
        if not self._process.is_alive():
            raise self._dead("at its work")
        now, beat = time.perf_counter(), int(self._ring.head[BEAT])
        if beat != self._beat:
            self._beat, self._beat_at = beat, now
        elif now - self._beat_at > HUNG_AFTER_S:
            raise FailedError("hangs")

    def _dead(self, when: str) -> FailedError:
        self._process.join(FAREWELL_S)
        return FailedError(f"crashed {when} ({Died(self._process.exitcode)})")

    def states(self) -> list[dict[str, Any]]:
        """End its work and return the states of its plugins; nothing where it does not answer."""
        try:
            self._connection.send_bytes(STATES)
            if self._connection.poll(STATES_S):
                notes: list[dict[str, Any]] = json.loads(self._connection.recv_bytes())
                return notes
        except (OSError, EOFError):
            pass
        return []

    def end(self) -> None:
        """End it, however it is."""
        self._connection.close()
        if self._process.is_alive():
            self._process.kill()  # a process that hangs takes nothing else
        self._process.join(FAREWELL_S)
