"""The keeper of one place's plugins: starts their process, watches it, starts it again, leaves one out.

Of a process that crashed, was killed, hangs or is too slow nothing is heard but the dry sound: the audio
thread sees to that by itself, within a block. The keeper sees what happened, ends what is left, and starts it
again with the parameters as they were. Which plugin it was stands in the shared memory; one that keeps
failing is left out, and the others go on without it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from semeq.engine.errors import PluginError
from semeq.engine.inserts import Place
from semeq.realtime.ear_process import CONTEXT
from semeq.realtime.insert_host import Stint
from semeq.realtime.insert_kept import InsertState, Kept, saved
from semeq.realtime.insert_process import FAREWELL_S, FailedError, HostProcess
from semeq.realtime.insert_ring import AT_WORK, SLOWEST, SLOWEST_NS, TURNS, WHOLE_LATENCY, Ring
from semeq.realtime.insert_stage import (
    DELAY,
    DRY_FRAMES,
    LATE,
    TO_DRY,
    WANTED,
    WRONG,
    set_delay,
    stage,
)

LOOK_EVERY_S = 0.02
#: So many failures within so long, s, and a plugin is left out.
MOST_FAILURES, WITHIN_S = 3, 60.0
#: So many times too late within so long, s, or dry without a break for so long, s, is too slow.
MOST_LATE, LATE_WITHIN_S, SLOW_AFTER_S = 12, 10.0, 3.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 4.0


class InsertKeeper(threading.Thread):
    """Keeps the plugins of one place going.

    Parameters
    ----------
    place : Place
        Before or after the EQ.
    kept : sequence of Kept
        The plugins in their order.
    fs : float
        Sample rate in Hz.
    channels, blocksize, buffer_frames : int
        As in `Stint`.
    say : callable
        Shows one line to the person.

    Attributes
    ----------
    ring, stage
        What the audio thread works on.
    is_wanted : bool
        Whether the plugins are to be heard; set it from any thread.
    """

    def __init__(
        self,
        place: Place,
        kept: Sequence[Kept],
        fs: float,
        channels: int,
        blocksize: int,
        buffer_frames: int,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(name=f"semeq-insert-{place}", daemon=True)
        self.place, self._say = place, say
        self._shape = (fs, channels, blocksize, buffer_frames)
        memory = CONTEXT.RawArray("b", Ring.size(channels))
        self.ring = Ring(memory, channels)
        self.ring.clear()
        self.stage = stage(self.ring, fs)
        self.kept = list(kept)
        self.is_wanted = True
        self._is_ready = False
        self._over = threading.Event()
        self._turning = threading.Lock()
        self._host: HostProcess | None = None
        self._lates: list[float] = []
        self._late, self._wet_at = 0, 0.0

    @property
    def pid(self) -> int | None:
        """The process of the plugins."""
        return self._host.pid if self._host is not None else None

    @property
    def delay_frames(self) -> int:
        """By how much the sound is late here."""
        return int(self.stage.words[DELAY])

    @property
    def is_dry(self) -> bool:
        """Whether the dry sound is heard, or about to be."""
        return bool(self.stage.words[TO_DRY])

    def _state(self, kept: Kept) -> InsertState:
        if kept.is_out:
            return InsertState.OUT
        if self._over.is_set():
            return InsertState.STOPPED
        if not self._is_ready:
            return InsertState.LOADING
        if not self.is_wanted:
            return InsertState.BYPASSED
        return InsertState.DRY if self.is_dry else InsertState.RUNNING

    def notes(self) -> list[dict[str, Any]]:
        """Return how each plugin does, as plain values."""
        words, (fs, *_) = self.stage.words, self._shape
        return [
            {
                "number": kept.number,
                "place": str(self.place),
                "name": kept.name,
                "path": str(kept.insert.path),
                "state": self._state(kept).value,
                "latency_frames": int(kept.facts.get("latency_frames", 0)),
                "measured_frames": kept.facts.get("measured_frames"),
                "delay_frames": self.delay_frames,
                "restarts": kept.restarts,
                "late": int(words[LATE]),
                "dry_s": round(int(words[DRY_FRAMES]) / fs, 3),
                "wrong_samples": int(words[WRONG]),
                "pid": self.pid,
                "reason": kept.reason,
            }
            for kept in self.kept
        ]

    def turn(self, row: int, parameter: int, raw: float) -> None:
        """Turn a parameter to a raw value in [0, 1]; from any thread, at once, whatever the host does."""
        with self._turning:
            self.ring.turned[row, parameter] = raw
            self.ring.fence()
            self.ring.head[TURNS] += 1

    # ---- starting

    def _start_host(self) -> None:
        """Start the process and wait until all is loaded; see `HostProcess.await_ready`."""
        fs, channels, blocksize, buffer_frames = self._shape
        inserts = tuple((row, k.insert, k.asked) for row, k in enumerate(self.kept) if not k.is_out)
        stint = Stint(inserts, fs, channels, blocksize, buffer_frames)
        self._host = HostProcess(self.ring, stint, self.name)
        for note in self._host.await_ready(self._over.is_set):
            kept = self.kept[note["row"]]
            kept.facts, kept.name = note, note["name"]

    def prepare(self, *, is_strict: bool) -> None:
        """Start the process and wait for it; fixes the delay. A plugin that crashes or hangs is left out.

        Raises
        ------
        PluginError
            If `is_strict` and a plugin is missing, is none, or does not take what it is to be set to.
        SettingsError
            If the delay is too long.
        """
        while any(not kept.is_out for kept in self.kept):
            try:
                self._start_host()
            except FailedError as error:
                self._leave_out(self._blamed(), str(error))
            except PluginError as error:
                blamed = self._blamed()
                self._end_process()
                if is_strict:
                    raise
                self._leave_out(blamed, f"does not load: {error}")
            else:
                latency = sum(int(kept.facts.get("latency_frames", 0)) for kept in self._running())
                set_delay(self.stage, self._shape[3], latency)
                self.ring.head[WHOLE_LATENCY] = latency
                for line in filter(None, [k.delay_fault(self._shape[0]) for k in self._running()]):
                    self._say(line)
                self._go()
                return
            self._end_process()

    def _running(self) -> list[Kept]:
        return [kept for kept in self.kept if not kept.is_out]

    def _go(self) -> None:
        if self._host is not None:
            self._host.go()
        self._wet_at = time.perf_counter()
        self._is_ready = True

    # ---- watching

    def run(self) -> None:
        """Keep the plugins going until `finish` is called, or all are left out."""
        wait_s = FIRST_WAIT_S
        while not self._over.is_set() and self._running():
            began = time.perf_counter()
            try:
                if not self._is_ready:
                    self._start_host()
                    self._go()
                self._watch()
            except FailedError as error:
                self._failed(str(error))
            except PluginError as error:
                self._failed(f"does not load: {error}")
            if time.perf_counter() - began > LATE_WITHIN_S:
                wait_s = FIRST_WAIT_S
            self._over.wait(wait_s)
            wait_s = min(2.0 * wait_s, LONGEST_WAIT_S)
        self.stage.words[WANTED] = 0

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            if self._host is not None:
                self._host.check()
            self.stage.words[WANTED] = int(self.is_wanted)
            self._judge_speed(time.perf_counter())

    def _judge_speed(self, now: float) -> None:
        """Leave out a plugin that cannot keep up; a machine that cannot is another matter."""
        late = int(self.stage.words[LATE])
        self._lates = [at for at in self._lates if now - at < LATE_WITHIN_S]
        self._lates += [now] * (late - self._late)
        self._late = late
        if not self.is_dry or not self.is_wanted:
            self._wet_at = now
        if len(self._lates) < MOST_LATE and now - self._wet_at < SLOW_AFTER_S:
            return
        fs, _, blocksize, _ = self._shape
        head = self.ring.head
        took_s, block_s = int(head[SLOWEST_NS]) / 1e9, blocksize / fs
        slowest = int(head[SLOWEST])
        head[SLOWEST_NS] = 0
        self._lates, self._wet_at = [], now
        if took_s < block_s or not 0 < slowest <= len(self.kept):
            return
        self._leave_out(
            self.kept[slowest - 1],
            f"takes {1e3 * took_s:.1f} ms for {1e3 * block_s:.1f} ms of sound: try more "
            "--insert-blocks, or a larger --blocksize",
        )
        self._silence()
        raise FailedError("")

    def _blamed(self) -> Kept:
        """Return the plugin at work; the first one where it was none."""
        row = int(self.ring.head[AT_WORK]) - 1
        running = self._running()
        return self.kept[row] if 0 <= row < len(self.kept) else running[0]

    def _leave_out(self, kept: Kept, reason: str) -> None:
        kept.is_out, kept.reason = True, reason
        self._say(f"insert {kept.number} ({kept.name}) {reason}; it is left out")

    def _silence(self) -> None:
        self.stage.words[WANTED] = 0
        self._is_ready = False

    def _failed(self, reason: str) -> None:
        """End what is left of the process, and count it to whom it belongs."""
        self._silence()
        self._end_process()
        if not reason or self._over.is_set():
            return
        now, kept = time.perf_counter(), self._blamed()
        kept.failures = [*(at for at in kept.failures if now - at < WITHIN_S), now]
        kept.reason = reason
        if len(kept.failures) >= MOST_FAILURES:
            self._leave_out(kept, f"{reason}, {len(kept.failures)} times in {WITHIN_S:g} s")
            return
        kept.restarts += 1
        self._say(
            f"insert {kept.number} ({kept.name}) {reason}: the dry sound goes on; starting it again"
        )

    # ---- the end

    def _end_process(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            host.end()

    def finish(self) -> None:
        """End the process and the keeping; a second time does nothing."""
        self._over.set()
        if self.is_alive():
            self.join(FAREWELL_S)
        if self._host is not None and self._is_ready:
            for line in saved(self.kept, self._host.states):
                self._say(line)
        self._end_process()
