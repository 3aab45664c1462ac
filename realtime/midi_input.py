"""One MIDI input port, read on a thread of its own and handed to whoever handles its messages.

The thread never touches audio. It sleeps until a message comes, or until the next look at the list of
ports; a JACK port it polls (`semeq.realtime.midi_backend` says why), often while a knob is turned.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from semeq.realtime.midi_backend import Backend, backends
from semeq.realtime.midi_keeper import PortKeeper, PortStatus
from semeq.realtime.priority import prefer_this_thread

_log = logging.getLogger(__name__)

#: How often the ports are listed again, s: while one is open, and while one is missed. The first is less
#: than a device needs to come back: one that was away in between could not be told from one that stayed.
RESCAN_S = 0.25
RETRY_S = 0.5
#: How often a polled port is asked, s: while somebody turns a knob, and while nobody does.
POLL_S = 0.0005
IDLE_POLL_S = 0.003
IDLE_AFTER_S = 2.0
#: How long closing may take, s.
JOIN_S = 2.0


class Handler(Protocol):
    """Where messages go; called on the port's thread alone."""

    @property
    def due(self) -> float | None:
        """When `tick` is to be called at the latest (``time.perf_counter``), or None."""

    def receive(self, message: Sequence[int], at_s: float) -> None:
        """Take a message."""

    def tick(self, now_s: float) -> None:
        """Do what was due."""


class MidiInput:
    """One input port that is read as long as it is there.

    Use as a context manager. Once it runs it never raises: `status` says how it stands, and `announce`
    hears a line when that changes.

    Parameters
    ----------
    wanted : str
        A number of `semeq.realtime.midi_ports.list_ports`, a name, a part of a name, ``auto`` (the only
        port there is) or ``virtual`` (make a port that others connect to).
    handler : Handler
        Where messages go.
    api : str, optional
        The only MIDI system to look at: alsa, jack, core, winmm.
    announce : callable, optional
        Takes one line for people, on the port's thread.
    systems : sequence of Backend, optional
        The MIDI systems; by default all of this machine.

    Raises
    ------
    MissingPackageError
        If python-rtmidi is not installed.
    DeviceError
        If `api` is not known.
    """

    def __init__(
        self,
        wanted: str,
        handler: Handler,
        *,
        api: str | None = None,
        announce: Callable[[str], None] | None = None,
        systems: Sequence[Backend] | None = None,
    ) -> None:
        self._handler = handler
        self._queue: queue.SimpleQueue[tuple[Sequence[int], float] | None] = queue.SimpleQueue()
        self._keeper = PortKeeper(
            wanted,
            backends(api) if systems is None else systems,
            lambda message: self._queue.put((message, time.perf_counter())),
            announce or (lambda line: None),
        )
        self._heard_s = time.perf_counter()
        self._stop = threading.Event()
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="semeq-midi", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._looked.wait(JOIN_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading and give the port back; returns in `JOIN_S` at the latest."""
        self._stop.set()
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(JOIN_S)

    @property
    def status(self) -> PortStatus:
        """How the port stands now."""
        return self._keeper.status

    # ---- all below runs on the port's thread

    def _run(self) -> None:
        prefer_this_thread()
        try:
            while not self._stop.is_set():
                self._keeper.look()
                self._looked.set()
                wait_s = RESCAN_S if self._keeper.is_open else RETRY_S
                next_look_s = time.perf_counter() + wait_s
                read = self._poll if self._keeper.is_polled else self._hear
                while not self._stop.is_set() and time.perf_counter() < next_look_s:
                    read(next_look_s)
                    self._tick()
        finally:
            self._keeper.close()
            self._looked.set()

    def _poll(self, until_s: float) -> None:
        """Ask for messages until one has come, or something is due; sleep in between."""
        due = self._handler.due
        end_s = until_s if due is None else min(due, until_s)
        poll, now = self._keeper.poll, time.perf_counter
        pause_s = IDLE_POLL_S if now() - self._heard_s > IDLE_AFTER_S else POLL_S
        while (message := poll()) is None:
            if now() >= end_s or self._stop.is_set():
                return
            time.sleep(pause_s)
        self._heard_s = now()
        self._deliver(message, self._heard_s)

    def _hear(self, until_s: float) -> None:
        """Sleep until a message comes, or something is due."""
        due = self._handler.due
        wait_s = (until_s if due is None else min(due, until_s)) - time.perf_counter()
        try:
            event = self._queue.get(timeout=max(wait_s, 0.0))
        except queue.Empty:
            return
        if event is not None:
            self._deliver(*event)

    def _deliver(self, message: Sequence[int], at_s: float) -> None:
        try:
            self._handler.receive(message, at_s)
        except Exception as error:
            self._blame(error)

    def _tick(self) -> None:
        due = self._handler.due
        now = time.perf_counter()
        if due is not None and now >= due:
            try:
                self._handler.tick(now)
            except Exception as error:
                self._blame(error)

    @staticmethod
    def _blame(error: Exception) -> None:
        """One bad message must not end the reading of all others."""
        _log.warning("a MIDI message could not be used: %r", error)
        _log.debug("where", exc_info=error)
