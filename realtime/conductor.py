"""The control loop of a live session: from what a person wants to what the audio thread runs.

It sleeps until the desk changes (a knob is acted on at once) and wakes a hundred times a second
besides, to follow the programme's level and to note which sets the audio thread has taken. What it
publishes is whole and final: coefficients designed, gain chosen, ramp set. The audio thread only
picks it up.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from semeq.engine.compensation import ProgrammeSpectrum
from semeq.engine.design import design
from semeq.engine.errors import SemeqError
from semeq.engine.meaning import Meaning, interpret
from semeq.engine.recipe import Recipe
from semeq.engine.settings import EQSettings
from semeq.engine.timeline import ControlSet, Event
from semeq.engine.words import Vocabulary
from semeq.realtime import callback as native
from semeq.realtime.control import ControlState
from semeq.realtime.desk import Desk
from semeq.realtime.mailbox import post
from semeq.realtime.priority import prefer_this_thread
from semeq.realtime.stream import LiveStream

_log = logging.getLogger(__name__)

PERIOD_S = 0.01
#: A ramp is over before the next set can come, and long enough to be inaudible (``make bench``).
RAMP_S = 0.006
FADE_S = 0.02
START_S = 0.5
STOP_S = 0.05
LISTEN_EVERY_S = 0.1
#: Smaller changes of the compensation are left for later: nobody hears them.
GAIN_STEP_DB = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What was last published, in words: for the view, the status and the log."""

    recipe: str = ""
    amount: float = 1.0
    settings: EQSettings = field(default_factory=EQSettings.flat)
    gain_db: float = 0.0
    bypass: bool = False
    warnings: tuple[str, ...] = ()

    def notes(self) -> dict[str, Any]:
        """Return what the log keeps beside the numbers."""
        return {
            "recipe": self.recipe,
            "amount": self.amount,
            "gain_db": self.gain_db,
            "bands": self.settings.as_dicts(),
        }


class Conductor(threading.Thread):
    """Publishes EQ sets for a stream while it runs.

    Parameters
    ----------
    desk : Desk
        Where the wishes are.
    stream : LiveStream
        Where they go.
    vocabulary : Vocabulary
        What the words mean.

    Attributes
    ----------
    on_event : callable or None
        Told of every set that took effect, in order; set it before `start`.
    plan : Plan
        What was published last.
    updates : int
        How many sets were published.
    """

    def __init__(
        self,
        desk: Desk,
        stream: LiveStream,
        vocabulary: Vocabulary,
    ) -> None:
        super().__init__(name="semeq-conductor", daemon=True)
        self._desk = desk
        self._stream = stream
        self._vocabulary = vocabulary
        self.on_event: Callable[[Event], None] | None = None
        self._programme = ProgrammeSpectrum(stream.fs, LISTEN_EVERY_S)
        self._stop_requested = threading.Event()
        self._sequence = 0
        self._pending: dict[int, tuple[ControlSet, Plan]] = {}
        self._drained = 0
        self._meaning = Meaning(EQSettings.flat(), self._programme.freqs_hz * 0.0, ())
        self._meant: tuple[Recipe, float] | None = None
        self._problem: tuple[str, ...] = ()
        self.plan = Plan()
        self.updates = 0

    def _frames(self, seconds: float) -> int:
        return round(seconds * self._stream.fs)

    def _understand(self, state: ControlState) -> None:
        """Follow the recipe; one that cannot be understood leaves the sound as it is."""
        wanted = (state.recipe, state.amount)
        if wanted == self._meant:
            return
        self._meant = wanted
        try:
            self._meaning = interpret(
                state.recipe, self._vocabulary, fs=self._stream.fs, amount=state.amount
            )
            self._problem = ()
        except SemeqError as error:
            self._problem = (str(error),)

    def _planned(self, state: ControlState) -> Plan:
        self._understand(state)
        settings = self._meaning.settings
        wanted_db = self._programme.compensation_db(settings) + state.trim_db
        gain_db = self.plan.gain_db
        if settings != self.plan.settings or abs(wanted_db - gain_db) >= GAIN_STEP_DB:
            gain_db = wanted_db
        if settings.is_flat:
            gain_db = state.trim_db  # exactly: flat must pass bit for bit
        return Plan(
            str(state.recipe),
            state.amount,
            settings,
            gain_db,
            state.bypass,
            (*self._problem, *self._meaning.warnings),
        )

    def _publish(self, plan: Plan, control: ControlSet) -> int:
        self._sequence += 1
        self._pending[self._sequence] = (control, plan)
        # a step of the compensation alone: a knob need not wait for it
        gentle = replace(plan, gain_db=0.0) == replace(self.plan, gain_db=0.0)
        values = control.pack(self._sequence, gentle=gentle and control.gate_open)
        post(self._stream.state.words, self._stream.state.slots, values)
        self.plan = plan
        self.updates += 1
        return self._sequence

    def _control(self, plan: Plan, *, ramp_s: float = RAMP_S) -> ControlSet:
        return ControlSet(
            design(plan.settings, self._stream.fs, gain_db=plan.gain_db),
            self._frames(ramp_s),
            plan.bypass,
            self._frames(FADE_S),
            True,
            self._frames(START_S),
        )

    def _drain(self) -> None:
        """Note the sets that the audio thread has taken since the last look."""
        state = self._stream.state
        count = int(state.counters[native.APPLIED])
        for index in range(self._drained, count):
            sequence, frame = (int(v) for v in state.applied[index % native.APPLIED_SLOTS])
            taken = self._pending.pop(sequence, None)
            for older in [s for s in self._pending if s < sequence]:
                del self._pending[older]  # replaced by a newer one before it was taken
            if taken is not None and self.on_event is not None:
                control, plan = taken
                self.on_event(Event(frame, control, plan.notes()))
        self._drained = count

    def prepare(self) -> None:
        """Publish the first set; before the stream opens, so that its first block has it."""
        plan = self._planned(self._desk.state)
        self._publish(plan, self._control(plan, ramp_s=0.0))

    def run(self) -> None:
        """Serve until `finish` is called; an error here is reported, and the sound goes on."""
        prefer_this_thread()
        version = -1
        listened = 0.0
        while not self._stop_requested.is_set():
            snapshot = self._desk.wait(version, PERIOD_S)
            version = snapshot.version
            try:
                now = time.perf_counter()
                if now - listened >= LISTEN_EVERY_S:
                    listened = now
                    self._programme.feed(self._stream.newest_input(self._programme.frames))
                plan = self._planned(snapshot.state)
                if replace(plan, warnings=()) != replace(self.plan, warnings=()):
                    self._publish(plan, self._control(plan))
                elif plan.warnings != self.plan.warnings:
                    self.plan = plan
                self._drain()
            except Exception:
                _log.exception("the control loop skipped a beat")

    def finish(self, timeout_s: float = 2.0) -> None:
        """Stop following the desk, close the gate with a short ramp and wait until it is closed."""
        self._stop_requested.set()
        self._desk.wake()
        self.join(timeout_s)
        closed = replace(
            self._control(self.plan), gate_open=False, gate_frames=self._frames(STOP_S)
        )
        sequence = self._publish(self.plan, closed)
        end = time.perf_counter() + timeout_s
        while sequence in self._pending and time.perf_counter() < end and self._stream.is_active:
            time.sleep(0.005)
            self._drain()
        if sequence not in self._pending:
            time.sleep(STOP_S + 0.02)
