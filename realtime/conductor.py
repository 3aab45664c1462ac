"""The control loop of a live session: from what a person wants to what the audio thread runs.

It sleeps until the desk changes (a knob is acted on at once) and wakes a hundred times a second
besides, to follow the programme's level, to see whether the encoder has heard something new, and to note
which sets the audio thread has taken. What it publishes is whole and final: coefficients designed, gain
chosen, ramp set. The audio thread only picks it up.

A knob's move is a short ramp that is finished before the next. What the sound itself asks for (the
encoder's hearing, the level compensation) moves in gently, and a knob does not wait for it; nor does a
gentle set ever take the place of a knob's move that waits.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from semeq.engine.adaptive import Designer
from semeq.engine.compensation import ProgrammeSpectrum
from semeq.engine.design import design
from semeq.engine.encoder import Heard
from semeq.engine.errors import SemeqError
from semeq.engine.howl_guard import NO_DUCK, Duck
from semeq.engine.meaning import Meaning
from semeq.engine.path import POSITION
from semeq.engine.settings import EQSettings
from semeq.engine.timeline import ControlSet, Event
from semeq.engine.units import db_to_gain
from semeq.realtime import callback as native
from semeq.realtime.control import ControlState
from semeq.realtime.desk import Desk
from semeq.realtime.ear import Report
from semeq.realtime.governor import NO_RELIEF, Relief
from semeq.realtime.mailbox import post
from semeq.realtime.plan import NO_DELTA, Means, Plan
from semeq.realtime.priority import prefer_this_thread
from semeq.realtime.stream import LiveStream

_log = logging.getLogger(__name__)

PERIOD_S = 0.01
#: A ramp is over before the next set can come, and long enough to be inaudible (``make bench``).
RAMP_S = 0.005
#: What was heard comes in over nearly as long as the next hearing takes to come: a ramp is over then.
HEARD_RAMP_S = 0.09
FADE_S = 0.02
START_S = 0.5
STOP_S = 0.05
LISTEN_EVERY_S = 0.1
#: Longer pauses between two designs count as so much, s.
LONGEST_STEP_S = 0.5
#: Smaller changes of the compensation are left for later: nobody hears them.
GAIN_STEP_DB = 0.05


class Conductor(threading.Thread):
    """Publishes EQ sets for a stream while it runs.

    Parameters
    ----------
    desk : Desk
        Where the wishes are.
    stream : LiveStream
        Where they go.
    means : Means
        What they mean.

    Attributes
    ----------
    on_event : callable or None
        Told of every set that took effect, in order; set it before `start`.
    plan : Plan
        What was published last.
    heard : Heard or None
        What the bands follow: what was heard last, or what was held when it was frozen.
    updates : int
        How many sets were published.
    is_shut : bool
        Whether nothing is to be heard, since the device asks for nothing; opens with the start ramp.
    """

    def __init__(self, desk: Desk, stream: LiveStream, means: Means) -> None:
        super().__init__(name="semeq-conductor", daemon=True)
        self._desk = desk
        self._stream = stream
        self._means = means
        #: The locks and trims that the designer knows of.
        self._own_bands: tuple[frozenset[int], tuple[float, ...]] | None = None
        self._designer = Designer(means.model, means.vocabulary, stream.fs, means.limits)
        self.on_event: Callable[[Event], None] | None = None
        self._programme = ProgrammeSpectrum(stream.fs, LISTEN_EVERY_S, design=means.design)
        self._stop_requested = threading.Event()
        self._sequence = 0
        self._pending: dict[int, tuple[ControlSet, Plan]] = {}
        self._drained = 0
        self._meaning = Meaning(EQSettings.flat(), self._programme.freqs_hz * 0.0, ())
        self._state: ControlState | None = None
        self._followed = ControlState()
        self._report: Report | None = None
        self._designed_at = 0.0
        self._busy_until = 0
        self._problem: tuple[str, ...] = ()
        self.heard: Heard | None = None
        self.plan = Plan()
        self.updates = 0
        self.is_shut = self._was_shut = False
        self._relief, self._duck = NO_RELIEF, NO_DUCK
        self._gate_s = START_S

    def relieve(self, relief: Relief) -> None:
        """Let the audio path leave out what there is no time for; any thread may call it."""
        if relief != self._relief:
            self._relief = relief
            self._desk.wake()

    def _frames(self, seconds: float) -> int:
        return round(seconds * self._stream.fs)

    def _understand(self, state: ControlState, *, may_hear: bool) -> None:
        """Follow the desk and, when it may, the ear; a recipe that makes no sense changes nothing."""
        now = time.perf_counter()
        is_knob = self._state is None or state.wish != self._state.wish
        report = None if state.frozen else self._means.heard()
        is_new = report is not None and report is not self._report and self._is_news(report)
        is_heard = (
            may_hear
            and state.adapt > 0.0
            and (is_new or self.heard is not None)
            and now - self._designed_at >= HEARD_RAMP_S
        )
        if report is not None and is_new and (is_knob or is_heard or state.adapt == 0.0):
            self._report, self.heard = report, report.heard
        if not (is_knob or is_heard):
            return
        dt_s = min(now - self._designed_at, LONGEST_STEP_S)
        self._designed_at, self._state = now, state
        self._limit(state)
        try:
            self._meaning = self._designer.design(
                state.recipe, state.amount, state.adapt, self.heard, dt_s
            )
            self._problem = ()
        except SemeqError as error:
            self._problem = (str(error),)

    def _is_news(self, report: Report) -> bool:
        return report.heard is not None and (self.heard is None or not report.is_held)

    def _limit(self, state: ControlState) -> None:
        """Let the designer know the locks and trims."""
        if self._own_bands != (state.locks, state.band_trims_db):
            self._own_bands = state.locks, state.band_trims_db
            locks = frozenset(band - 1 for band in state.locks)
            self._designer.limits = replace(
                self._means.limits, locks=locks, trims=state.band_trims_db
            )

    def _planned(self, state: ControlState, *, may_hear: bool = True) -> Plan:
        self._understand(state, may_hear=may_hear)
        settings, through = self._meaning.settings, self._means.through
        through = through if through is not None and through.is_used else None
        no_delta = (NO_DELTA,) if state.delta and through is not None else ()
        reached, level_db = (settings, 0.0) if through is None else through.reached
        wanted_db = self._programme.compensation_db(reached) - level_db + state.trim_db
        gain_db = self.plan.gain_db
        if settings != self.plan.settings or abs(wanted_db - gain_db) >= GAIN_STEP_DB:
            gain_db = wanted_db
        if settings.is_flat and through is None:
            gain_db = state.trim_db  # exactly: flat must pass bit for bit
        return Plan(
            str(state.recipe),
            state.amount,
            state.adapt,
            settings,
            gain_db,
            state.bypass,
            state.delta and through is None,
            (*self._problem, *self._meaning.warnings, *no_delta),
            self._relief,
            through is not None,
            self._duck,
        )

    def _publish(self, plan: Plan, control: ControlSet, *, is_gentle: bool = False) -> int:
        self._sequence += 1
        self._pending[self._sequence] = (control, plan)
        values = control.pack(self._sequence, gentle=is_gentle)
        post(self._stream.state.words, self._stream.state.slots, values)
        self.plan = plan
        self.updates += 1
        return self._sequence

    def _control(self, plan: Plan, *, ramp_s: float = RAMP_S) -> ControlSet:
        return ControlSet(
            design(plan.own, self._stream.fs, gain_db=plan.gain_db, design=self._means.design),
            self._frames(ramp_s),
            plan.is_dry,
            self._frames(FADE_S),
            not self.is_shut,
            0 if self.is_shut else self._frames(self._gate_s),
            plan.delta,
            plan.relief.level,
            db_to_gain(plan.duck.gain_db),
        )

    def lower(self, duck: Duck) -> None:
        """Let all that is heard go to this gain, at once; the howl guard calls it, from its own thread."""
        self._duck = duck
        self._desk.wake()

    def _drain(self) -> None:
        """Note the sets that the audio thread has taken since the last look."""
        state = self._stream.state
        count = int(state.counters[native.APPLIED])
        for index in range(self._drained, count):
            sequence, frame = (int(v) for v in state.applied[index % native.APPLIED_SLOTS])
            taken = self._pending.pop(sequence, None)
            for older in [s for s in self._pending if s < sequence]:
                del self._pending[older]  # replaced by a newer one before it was taken
            if taken is None:
                continue
            control, plan = taken
            self._busy_until = frame + control.ramp_frames
            if self.on_event is not None:
                self.on_event(Event(frame, control, plan.notes()))
        self._drained = count

    def go_on_from(self, other: "Conductor") -> None:
        """Begin where another stood when its stream ended: what was heard stays; before `prepare`."""
        self.heard, self._designer = other.heard, other._designer
        self._designer.fs = self._stream.fs
        self._own_bands, self.updates = other._own_bands, other.updates
        if other._stream.fs == self._stream.fs:
            self._programme, self.plan = other._programme, other.plan

    def prepare(self) -> None:
        """Publish the first set; before the stream opens, so that its first block has it."""
        self._followed, self._was_shut = self._desk.state, self.is_shut
        plan = self._planned(self._followed)
        self._publish(plan, self._control(plan, ramp_s=0.0))

    def run(self) -> None:
        """Serve until `finish` is called; an error here is reported, and the sound goes on."""
        prefer_this_thread()
        version, listened = -1, 0.0
        while not self._stop_requested.is_set():
            snapshot = self._desk.wait(version, PERIOD_S)
            version = snapshot.version
            try:
                self._drain()
                self._follow(snapshot.state)
                self._drain()
                # after what a hand has turned
                now = time.perf_counter()
                if now - listened >= LISTEN_EVERY_S:
                    listened = now
                    self._programme.feed(self._stream.newest_input(self._programme.frames))
            except Exception:
                _log.exception("the control loop skipped a beat")

    def _follow(self, state: ControlState) -> None:
        """Publish what has changed: at once if it is a hand's, gently if it is the sound's."""
        is_gate, self._was_shut = self.is_shut != self._was_shut, self.is_shut
        # A gentle set must not take the place of a knob's move that waits (it would be heard late), and it
        # waits for the end of the last gentle ramp (a bend in it would be heard).
        position = int(self._stream.state.chain.ints[POSITION])
        may_hear = not self._pending and position >= self._busy_until
        plan = self._planned(state, may_hear=may_hear)
        is_duck, is_relief = plan.duck != self.plan.duck, plan.relief != self.plan.relief
        is_hand = is_gate or is_duck or is_relief or state.touched != self._followed.touched
        if is_gate or is_duck:
            self._gate_s = START_S if is_gate else plan.duck.ramp_s
        if is_gate or plan != self.plan:
            if is_hand:
                self._publish(plan, self._control(plan))
            elif may_hear:
                self._publish(plan, self._control(plan, ramp_s=HEARD_RAMP_S), is_gentle=True)
        elif plan.warnings != self.plan.warnings:
            self.plan = plan
        self._followed = state

    def finish(self, timeout_s: float = 2.0) -> None:
        """Stop following the desk, close the gate with a short ramp and wait until it is closed."""
        self._stop_requested.set()
        self._desk.wake()
        if self.is_alive():
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
