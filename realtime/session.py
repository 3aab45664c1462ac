"""One live session from start to end: devices, stream, conductor, recordings, status, summary.

The session owns what runs beside the audio thread and takes it down in order: first the knobs, then a
short fade to silence, then the stream. Whatever happens above, the stream keeps running until then.
"""

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from semeq.engine.design import DEFAULT_DESIGN
from semeq.engine.encoder import Heard
from semeq.engine.errors import DeviceError
from semeq.engine.timeline import Take
from semeq.engine.words import Vocabulary
from semeq.realtime.conductor import Conductor
from semeq.realtime.control import ControlState
from semeq.realtime.desk import Desk, Snapshot
from semeq.realtime.hearing import DEAF, HearingConfig, regions
from semeq.realtime.plan import Plan
from semeq.realtime.priority import prompt_switching
from semeq.realtime.record import ControlLog, StatusFile
from semeq.realtime.repeating import recording, repeating
from semeq.realtime.stream import Counts, LiveStream, StreamConfig
from semeq.realtime.verifier import Verifier
from semeq.realtime.worker import EarState, EarStatus

STATUS_EVERY_S = 1.0
#: A device that asks for nothing this long is gone.
LOST_AFTER_S = 2.0


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What a session is started with.

    Parameters
    ----------
    stream : StreamConfig
        Devices and formats.
    state : ControlState
        Where the knobs stand at the start.
    duration_s : float, optional
        When to end by itself.
    status, record_log, record_input : Path, optional
        Files to write.
    hearing : HearingConfig
        Whether and how the sound itself is heard.
    design : str
        How bands become filters, see `semeq.engine.design.DESIGNERS`.
    """

    stream: StreamConfig
    state: ControlState
    duration_s: float | None = None
    status: Path | None = None
    record_log: Path | None = None
    record_input: Path | None = None
    hearing: HearingConfig = DEAF
    design: str = DEFAULT_DESIGN


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
        self.stream = LiveStream(config.stream, config.hearing.make_tap())
        self.worker = config.hearing.worker(self.stream, say)
        self.verifier = Verifier(
            self.stream.tap,
            self.stream.fs,
            vocabulary,
            lambda: self.plan,
            say,
            design=config.design,
        )
        self.stopping = threading.Event()
        self.started_at = 0.0
        #: Input to output as the device reports it, and our own look-ahead, in ms.
        self.latency_ms = 0.0
        self._conductor: Conductor | None = None
        self._is_listening = False
        self._alive_at = 0.0
        self._callbacks = -1

    def stop(self) -> None:
        """End the session soon; from any thread or a signal."""
        self.stopping.set()

    @property
    def plan(self) -> Plan:
        """What the conductor last published."""
        return self._conductor.plan if self._conductor is not None else Plan()

    @property
    def heard(self) -> Heard | None:
        """What the bands follow, or None."""
        return self._conductor.heard if self._conductor is not None else None

    def ear(self) -> EarStatus:
        """Return how listening stands."""
        status = self.worker.status() if self.worker is not None else EarStatus()
        is_frozen = self.desk.state.frozen and status.state is not EarState.OFF
        return replace(status, state=EarState.FROZEN) if is_frozen else status

    def _listen(self, snapshot: Snapshot | None = None) -> None:
        """Start to listen once the sound has a say; it goes on from then."""
        if self.worker is None or self._is_listening or self.desk.state.adapt == 0.0:
            return
        self._is_listening = True
        self.worker.start()

    def status(self, state: str | None = None) -> dict[str, Any]:
        """Return the session's state as plain values; reading it disturbs nobody."""
        counts, plan, ear = self.stream.counts(), self.plan, self.ear()
        peak_in, peak_out = self.stream.peaks()
        return {
            "t_s": round(time.perf_counter() - self.started_at, 3),
            "state": state or self._state(counts),
            "fs": self.stream.fs,
            "blocksize": counts.blocksize,
            "channels": self.stream.channels,
            "frames": counts.position,
            "callbacks": counts.callbacks,
            "xruns": counts.xruns,
            "missed_deadlines": counts.missed,
            "callback_us": {
                "p50": counts.p50_us,
                "p99.9": counts.p999_us,
                "max": round(counts.max_us, 1),
            },
            "load": round(counts.load, 5),
            "latency_ms": round(self.latency_ms, 3),
            "added_frames": self.config.stream.lookahead_frames,
            "bad_samples": counts.bad_samples,
            "limited_frames": counts.limited_frames,
            "stale_encoder_results": ear.stale_results,
            "encoder": ear.as_dict(),
            "heard": regions(self.heard, self.config.hearing.tables),
            "updates": self._conductor.updates if self._conductor is not None else 0,
            "applied": counts.applied,
            "peak_in": peak_in,
            "peak_out": peak_out,
            "recipe": plan.recipe,
            "amount": plan.amount,
            "adapt": plan.adapt,
            "frozen": self.desk.state.frozen,
            "locks": sorted(self.desk.state.locks),
            "band_trims_db": list(self.desk.state.band_trims_db),
            "bypass": plan.bypass,
            "gain_db": round(plan.gain_db, 3),
            "bands": plan.settings.as_dicts(),
            "verification": self.verifier.as_dict(),
            "warnings": list(plan.warnings),
        }

    def _state(self, counts: Counts) -> str:
        now = time.perf_counter()
        if counts.callbacks != self._callbacks:
            self._callbacks, self._alive_at = counts.callbacks, now
        if now - self._alive_at > LOST_AFTER_S / 4:
            return "stalled"
        return "bypassed" if self.plan.bypass else "running"

    def _check_alive(self) -> None:
        self._state(self.stream.counts())
        if time.perf_counter() - self._alive_at > LOST_AFTER_S:
            raise DeviceError(
                f"{self.config.stream.output.name} ({self.config.stream.output.api}) has stopped asking "
                "for sound: was it unplugged, or its server stopped? Start it again, then semeq"
            )

    def _take(self) -> Take:
        config = self.config.stream
        return Take(
            self.stream.fs, self.stream.channels, config.lookahead_frames, config.ceiling_db, ()
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Open everything; inside, sound is processed. Leaving fades out and closes."""
        config = self.config
        with ExitStack() as stack:
            means = replace(
                config.hearing.means(self.vocabulary, self.worker), design=config.design
            )
            conductor = self._conductor = Conductor(self.desk, self.stream, means)
            conductor.prepare()
            stack.enter_context(prompt_switching())
            stack.enter_context(self.stream)
            self.started_at = self._alive_at = time.perf_counter()
            own = config.stream.lookahead_frames / self.stream.fs
            self.latency_ms = 1000.0 * (sum(self.stream.latency_s) + own)
            status = (
                stack.enter_context(StatusFile(config.status, self.say)) if config.status else None
            )
            if config.record_log is not None:
                log = ControlLog(config.record_log, self._take(), self.say)
                stack.callback(self._close_log, log)
                conductor.on_event = log.event
            if config.record_input is not None:
                stack.enter_context(recording(config.record_input, self.stream, self.say))
            conductor.start()
            stack.callback(self._stop_listening)
            stack.callback(self.desk.listen(self._listen))
            self._listen()
            stack.enter_context(self.verifier)
            if status is not None:
                stack.callback(lambda: status.write(self.status("stopped")))
                stack.enter_context(repeating(STATUS_EVERY_S, lambda: status.write(self.status())))
            # what was made so far lives as long as the session: the collector need not look at it
            gc.collect()
            gc.freeze()
            try:
                yield
            finally:
                conductor.finish()
                gc.unfreeze()

    def _stop_listening(self) -> None:
        if self.worker is not None:
            self.worker.finish()

    def _close_log(self, log: ControlLog) -> None:
        counts = self.stream.counts()
        log.close(counts.position, counts.first_sound)

    def wait(self, tick: Callable[[], None], every_s: float) -> None:
        """Stay until stopped, out of time or the device is gone; call `tick` every `every_s` seconds.

        Raises
        ------
        DeviceError
            If the device stops asking for blocks.
        """
        end = None
        if self.config.duration_s is not None:
            end = self.started_at + self.config.duration_s
        while not self.stopping.is_set():
            left = every_s if end is None else min(every_s, end - time.perf_counter())
            if left <= 0:
                return
            self.stopping.wait(left)
            self._check_alive()
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
