"""One live session from start to end: the desk, a rig on its device, status, summary.

What belongs to one stream is a `Rig`; `Recovery` owns it and makes the next one when the device is lost. The
session owns what outlives a device and takes all down in order: first the knobs, then a short fade to
silence, then the stream. Whatever happens above, the stream keeps running until then.
"""

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

from semeq.engine.encoder import Heard
from semeq.engine.errors import SettingsError
from semeq.engine.words import Vocabulary
from semeq.presets.midi_bindings import Binding
from semeq.realtime.control import AddParameters
from semeq.realtime.desk import Desk
from semeq.realtime.hearing import regions
from semeq.realtime.inserts import LiveInserts
from semeq.realtime.plan import Plan
from semeq.realtime.priority import prompt_switching
from semeq.realtime.pulse import Link
from semeq.realtime.record import StatusFile
from semeq.realtime.recovery import Recovery
from semeq.realtime.repeating import repeating
from semeq.realtime.rig import Rig
from semeq.realtime.session_config import SessionConfig
from semeq.realtime.stop_sign import StopSign
from semeq.realtime.stream import LiveStream, StreamConfig
from semeq.realtime.verifier import Verifier
from semeq.realtime.worker import EarState, EarStatus, Worker

STATUS_EVERY_S = 1.0


class Session:
    """A running session.

    Parameters
    ----------
    config : SessionConfig
        What to run.
    vocabulary : Vocabulary
        What the words mean.
    say : callable
        Shows one line to the person (standard error).
    """

    def __init__(
        self, config: SessionConfig, vocabulary: Vocabulary, say: Callable[[str], None]
    ) -> None:
        self.config = config
        self.vocabulary = vocabulary
        self.say = say
        self.desk = Desk(config.state)
        self.recovery = Recovery(
            self._rig(config.stream),
            self._rig,
            say,
            reopens=config.reopens,
            on_change=self._write_status,
        )
        self.stopping = StopSign()
        self.started_at = 0.0
        self._status_file: StatusFile | None = None

    def _rig(self, stream: StreamConfig, before: Rig | None = None) -> Rig:
        return Rig(self.config, stream, self.desk, self.vocabulary, self.say, before)

    @property
    def rig(self) -> Rig:
        """What runs on the device, or ran on it before it was lost."""
        return self.recovery.rig

    @property
    def stream(self) -> LiveStream:
        """The stream that runs, or ran last."""
        return self.rig.stream

    @property
    def worker(self) -> Worker | None:
        """The keeper of the listener, where there is one."""
        return self.rig.worker

    @property
    def verifier(self) -> Verifier:
        """Judges what becomes of the sound."""
        return self.rig.verifier

    @property
    def inserts(self) -> LiveInserts | None:
        """The plugins, where there are any."""
        return self.rig.inserts

    def give_knobs(self, asked: Iterable[str]) -> None:
        """Give the parameters of plugins that were set, and those that are asked for, a knob on the desk."""
        if self.inserts is not None:
            self.desk.act(AddParameters(self.inserts.standing(asked)))

    def bound(self, binding: Binding) -> Binding:
        """Return a controller's binding to a plugin's parameter as it is to be used.

        Raises
        ------
        SemeqError
            If there is no such plugin or parameter.
        """
        if self.inserts is None:
            raise SettingsError(f"{binding.param} must be a parameter of an --insert, got none")
        return self.inserts.bound(binding)

    @property
    def latency_ms(self) -> float:
        """Input to output as the device reports it, our own look-ahead, and the inserts' delay."""
        return self.rig.latency_ms

    def stop(self) -> None:
        """End the session soon; from any thread or a signal."""
        self.stopping.set()

    @property
    def plan(self) -> Plan:
        """What the conductor last published."""
        return self.rig.conductor.plan

    @property
    def heard(self) -> Heard | None:
        """What the bands follow, or None."""
        return self.rig.conductor.heard

    def ear(self) -> EarStatus:
        """Return how listening stands."""
        status = self.worker.status() if self.worker is not None else EarStatus()
        if self.recovery.state is not Link.RUNNING:  # nobody listens: what was heard holds
            return replace(status, state=EarState.OFF if self.heard is None else EarState.HELD)
        is_frozen = self.desk.state.frozen and status.state is not EarState.OFF
        return replace(status, state=EarState.FROZEN) if is_frozen else status

    def peaks(self) -> tuple[float, float]:
        """Return the newest peaks of input and output; none without a device."""
        is_metered = self.recovery.state is Link.RUNNING and self.rig.overload.has_meters
        return self.stream.peaks() if is_metered else (0.0, 0.0)

    def status(self, state: str | None = None) -> dict[str, Any]:
        """Return the session's state as plain values; reading it disturbs nobody."""
        counts, plan, ear = self.stream.counts(), self.plan, self.ear()
        peak_in, peak_out = self.peaks()
        return {
            "t_s": round(time.perf_counter() - self.started_at, 3),
            "uptime_s": round(time.perf_counter() - self.started_at, 3),
            "state": state or self._state(),
            "reconnects": self.recovery.reconnects,
            "away_s": round(self.recovery.away_s, 3),
            "device_problem": self.recovery.reason,
            "fs": self.stream.fs,
            "blocksize": counts.blocksize,
            "channels": self.stream.channels,
            "frames": self.rig.frames_before + counts.position,
            "seconds": round(self.rig.seconds_before + counts.position / self.stream.fs, 3),
            "callbacks": counts.callbacks,
            "xruns": counts.xruns,
            "missed_deadlines": counts.missed,
            "callback_us": {
                "p50": counts.p50_us,
                "p99.9": counts.p999_us,
                "max": round(counts.max_us, 1),
            },
            "load": round(counts.load, 5),
            "overload": self.rig.overload.as_dict(),
            "latency_ms": round(self.latency_ms, 3),
            "added_frames": self.rig.added_frames,
            "inserts": self.inserts.notes() if self.inserts is not None else [],
            "through": self.rig.through.as_dict() if self.rig.through is not None else None,
            "bad_samples": counts.bad_samples,
            "clipped_samples": counts.clipped_samples,
            "limited_frames": counts.limited_frames,
            "stale_encoder_results": ear.stale_results,
            "encoder": ear.as_dict(),
            "heard": regions(self.heard, self.config.hearing.tables),
            "updates": self.rig.conductor.updates,
            "applied": counts.applied,
            "peak_in": peak_in,
            "peak_out": peak_out,
            "loudness": self.rig.loudness.now.as_dict(),
            "recipe": plan.recipe,
            "amount": plan.amount,
            "adapt": plan.adapt,
            "frozen": self.desk.state.frozen,
            "locks": sorted(self.desk.state.locks),
            "band_trims_db": list(self.desk.state.band_trims_db),
            "bypass": plan.bypass,
            "delta": plan.delta,
            "gain_db": round(plan.gain_db, 3),
            "bands": plan.settings.as_dicts(),
            "howl": self.rig.howl.as_dict(),
            "verification": self.verifier.as_dict(),
            "warnings": list(plan.warnings),
        }

    def _state(self) -> str:
        link = self.recovery.state
        if link is not Link.RUNNING:
            return link.value
        return "bypassed" if self.plan.bypass else "running"

    def _write_status(self, state: str | None = None) -> None:
        if self._status_file is not None and self.started_at:
            self._status_file.write(self.status(state))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Open everything; inside, sound is processed. Leaving fades out and closes."""
        with ExitStack() as stack:
            stack.enter_context(prompt_switching())
            if self.config.status is not None:
                self._status_file = StatusFile(self.config.status, self.say)
                stack.enter_context(self._status_file)
                stack.callback(self._write_status, "stopped")
            self.recovery.begin()
            stack.callback(self.recovery.end)
            self.started_at = time.perf_counter()
            stack.enter_context(repeating(STATUS_EVERY_S, self._write_status))
            # what was made so far lives as long as the session: the collector need not look at it
            gc.collect()
            gc.freeze()
            try:
                yield
            finally:
                gc.unfreeze()

    def wait(self, tick: Callable[[], None], every_s: float) -> None:
        """Stay until stopped or out of time; call `tick` every `every_s` seconds.

        Raises
        ------
        DeviceError
            If the device is lost and not to be waited for.
        """
        end = None
        if self.config.duration_s is not None:
            end = self.started_at + self.config.duration_s
        while not self.stopping.is_set():
            left = every_s if end is None else min(every_s, end - time.perf_counter())
            if left <= 0:
                return
            self.stopping.wait(left)
            self.recovery.look()
            tick()


@contextmanager
def stopping_on_signals(session: Session) -> Iterator[None]:
    """Let Ctrl-C and a polite kill end the session with a fade; outside the main thread, nothing."""

    def handle(number: int, frame: FrameType | None) -> None:
        session.stop()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # SIGHUP: the terminal was closed; Windows has none
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
