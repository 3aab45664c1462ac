"""The process that runs the plugins of one place of a live session, on its main thread.

It takes what the audio thread has sent, block by block, and puts what the plugins make of it where it belongs
in the stream. It never waits for the audio thread, nor that for it: it looks four times a block, and who lags
behind goes on at the newest block. Whatever the plugins do here, crash, hang or sleep, costs nobody else
anything; `semeq.realtime.insert_keeper` watches from outside.
"""

import base64
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from semeq.engine.errors import SemeqError
from semeq.engine.inserts import Insert
from semeq.engine.plugin_host import Hosted
from semeq.engine.plugin_values import ParameterFacts
from semeq.engine.units import Audio
from semeq.realtime.insert_load import load, measured, scales
from semeq.realtime.insert_ring import (
    AT_WORK,
    BEAT,
    MAX_PARAMETERS,
    RETURNED,
    SENT,
    SLOWEST,
    SLOWEST_NS,
    TURNS,
    VALID_FROM,
    WHOLE_LATENCY,
    Ring,
)
from semeq.realtime.priority import prefer_this_process

#: How often it looks for a block, as a share of the block's duration.
LOOKS = 0.25
#: A parameter goes to where it was turned over so long, s: plugins that do not smooth it are smooth, too.
GLIDE_S = 0.02
#: What the session sends to end it and to have the plugins' states.
STATES = b"states"
#: How often it asks whether the session has ended, s.
ASK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Stint:
    """What a host is to run.

    Parameters
    ----------
    inserts : tuple of (int, Insert, tuple of str)
        The plugins in their order, each with its row of `Ring.turned`, and the parameters whose scales are
        wanted.
    fs : float
        Sample rate in Hz.
    channels, blocksize : int
        Of a block.
    buffer_frames : int
        How late a block may come back.
    """

    inserts: tuple[tuple[int, Insert, tuple[str, ...]], ...]
    fs: float
    channels: int
    blocksize: int
    buffer_frames: int


class Host:
    """Runs loaded plugins on a ring.

    Parameters
    ----------
    ring : Ring
        Shared with the audio thread.
    stint : Stint
        What to run.

    Attributes
    ----------
    latency_frames : int
        Of all plugins together.
    """

    def __init__(self, ring: Ring, stint: Stint) -> None:
        self._ring, self._stint = ring, stint
        self._turns = int(ring.head[TURNS])
        self._turned = ring.turned.copy()
        self._glides: dict[tuple[int, int], list[float]] = {}
        self._hosted: list[tuple[int, Hosted, list[ParameterFacts]]] = []
        self.latency_frames = 0
        self._at = self._shift = 0

    def load(self) -> list[dict[str, Any]]:
        """Load all plugins and return what is to be known of them."""
        notes = []
        for row, insert, asked in self._stint.inserts:
            self._ring.head[AT_WORK] = row + 1
            shape = (self._stint.fs, self._stint.channels, self._stint.blocksize)
            hosted, facts = load(insert, self._turned[row], *shape)
            self._hosted.append((row, hosted, facts))
            self.latency_frames += hosted.latency_frames
            notes.append(
                {
                    **hosted.facts(),
                    "row": row,
                    "latency_frames": hosted.latency_frames,
                    "measured_frames": measured(hosted, self._stint.fs),
                    "channels": hosted.arrangement,
                    "parameters": [entry.as_dict() for entry in facts[:MAX_PARAMETERS]],
                    "scales": scales(hosted, facts, asked),
                }
            )
        self._ring.head[AT_WORK] = 0
        return notes

    def states(self) -> list[dict[str, Any]]:
        """Return what is to be written of each plugin, to restore it."""
        return [
            {
                "row": row,
                "facts": hosted.facts(),
                "raws": {entry.name: entry.raw for entry in hosted.parameters()},
                "text": base64.b64encode(hosted.state()).decode(),
            }
            for row, hosted, _ in self._hosted
        ]

    def begin(self) -> None:
        """Begin with what is sent from now on."""
        head, ring = self._ring.head, self._ring
        # plugins that were left out are missed in the sum: their share of the delay stays
        self._shift = int(head[WHOLE_LATENCY]) - self.latency_frames
        self._go_on_at(int(head[SENT]))
        ring.fence()
        head[RETURNED] = self._at + self._shift

    def _go_on_at(self, frame: int) -> None:
        self._at = frame
        # what a plugin says in its first frames is about frames that it never got
        self._ring.head[VALID_FROM] = frame + self._shift + self.latency_frames

    def look(self) -> int:
        """Process the blocks that wait; return how many."""
        head, stint, done = self._ring.head, self._stint, 0
        head[BEAT] += 1
        if head[TURNS] != self._turns:
            self._turn()
        while True:
            waiting = int(head[SENT]) - self._at
            if waiting > stint.buffer_frames + stint.blocksize:  # too late for all of it
                self._go_on_at(int(head[SENT]))
                return done
            if waiting < stint.blocksize:
                return done
            self._block()
            done += 1

    def _block(self) -> None:
        ring, size = self._ring, self._stint.blocksize
        if self._glides:
            self._glide()
        ring.fence()
        block: Audio = ring.read(self._at, size)
        for row, hosted, _ in self._hosted:
            ring.head[AT_WORK] = row + 1
            started = time.perf_counter_ns()
            block = hosted.process(block)
            took = time.perf_counter_ns() - started
            if took > ring.head[SLOWEST_NS]:
                ring.head[SLOWEST_NS], ring.head[SLOWEST] = took, row + 1
        ring.head[AT_WORK] = 0
        ring.write(self._at + self._shift, block)
        self._at += size
        ring.fence()
        ring.head[RETURNED] = self._at + self._shift

    def _turn(self) -> None:
        """Begin to give the plugins the parameters that were turned since."""
        self._turns = int(self._ring.head[TURNS])
        self._ring.fence()
        now = self._ring.turned.copy()
        blocks = max(round(GLIDE_S * self._stint.fs / self._stint.blocksize), 1)
        for at, (row, _, facts) in enumerate(self._hosted):
            changed = np.flatnonzero((now[row] != self._turned[row]) & ~np.isnan(now[row]))
            for index in changed[changed < len(facts)]:
                end = float(now[row, index])
                start = self._at_present(at, int(index))
                # between two choices there is nothing to glide over
                steps = 1 if facts[index].low is None else blocks
                way = np.linspace(start, end, steps + 1)[:0:-1]
                self._glides[at, int(index)] = way.tolist()
        self._turned = now

    def _at_present(self, at: int, index: int) -> float:
        """Return where a parameter is now: on its way, or where it was turned to, or as it was loaded."""
        row, _, facts = self._hosted[at]
        way = self._glides.get((at, index))
        if way:
            return way[-1]
        turned = float(self._turned[row, index])
        return facts[index].raw if np.isnan(turned) else turned

    def _glide(self) -> None:
        """Move each parameter that is under way by a step."""
        for at, (row, hosted, facts) in enumerate(self._hosted):
            due = {key: way for key, way in self._glides.items() if key[0] == at}
            if not due:
                continue
            self._ring.head[AT_WORK] = row + 1
            hosted.set_raw({facts[index].name: way.pop() for (_, index), way in due.items()})
        self._ring.head[AT_WORK] = 0
        self._glides = {key: way for key, way in self._glides.items() if way}


def serve(host: Host, is_over: Callable[[], bool], look_every_s: float) -> None:
    """Look for blocks until it is over, which is asked a few times a second: it takes a while."""
    host.begin()
    looks = max(round(ASK_EVERY_S / look_every_s), 1)
    while not is_over():
        for _ in range(looks):
            host.look()
            time.sleep(look_every_s)


def child(connection: Connection, memory: Any, stint: Stint) -> None:  # noqa: ANN401 (a ctypes array)
    """Run in a process of its own until the other end of the pipe is closed."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):  # meant for the session, which then tells us
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with suppress(OSError, ValueError):  # what plugins print would stand across the view
        sys.stdout.flush()
        sys.stderr.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    host = Host(Ring(memory, stint.channels), stint)
    try:
        said: dict[str, Any] = {"ready": host.load()}
    except (SemeqError, ValueError, ImportError, RuntimeError) as error:
        said = {"failed": str(error) or type(error).__name__}
    try:
        connection.send_bytes(json.dumps(said).encode())
        if "ready" in said:
            connection.recv_bytes()  # the session is about to begin
            prefer_this_process()
            serve(host, connection.poll, LOOKS * stint.blocksize / stint.fs)
            if connection.recv_bytes() == STATES:
                connection.send_bytes(json.dumps(host.states()).encode())
    except (OSError, EOFError):
        pass
    os._exit(0)  # some plugins crash when they are cleaned up
