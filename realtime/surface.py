"""What a person at the terminal has of a session: the view, the keys, and one-line notices.

Keys act on the desk from a thread of their own, so a key is heard at once however slowly the view is
drawn. The view is drawn by `Surface.tick`, which the session calls.
"""

import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

import click
import numpy as np

from semeq.engine.design import response_db
from semeq.engine.errors import SemeqError
from semeq.engine.settings import EQSettings
from semeq.engine.words import Vocabulary, Word
from semeq.realtime.chart import FREQ_RANGE_HZ
from semeq.realtime.control import ControlState
from semeq.realtime.display import Display, PeakMeter
from semeq.realtime.hearing import regions
from semeq.realtime.inserts import LiveInserts
from semeq.realtime.keypad import Keypad, press
from semeq.realtime.keys import Keyboard
from semeq.realtime.midi_desk import MidiDesk
from semeq.realtime.midi_input import MidiInput
from semeq.realtime.pulse import Link
from semeq.realtime.session import Session
from semeq.realtime.stream import SHORT_NAMES
from semeq.realtime.view_model import LIVE, Ear, Engine, KnobRow, ViewModel, WordRow

#: How long a notice stays in the view, s.
NOTICE_S = 12.0
KEY_WAIT_S = 0.1
CURVE_POINTS = 240
#: How the view says that the device is there or not.
LINKS = {Link.RUNNING: LIVE, Link.LOST: "DEVICE LOST", Link.REOPENING: "REOPENING"}


class Notices:
    """One-line messages: printed while there is no view, shown in it while there is one.

    Call it with a line, from any thread.
    """

    def __init__(self) -> None:
        self._lines: tuple[tuple[float, str], ...] = ()
        self.is_shown = False

    def __call__(self, line: str) -> None:
        """Take a line."""
        line = " ".join(line.split())
        if not self.is_shown:
            click.echo(f"semeq: {line}", err=True)
            return
        self._lines = (*self._lines[-20:], (time.perf_counter(), line))

    def recent(self, now_s: float) -> tuple[str, ...]:
        """Return the lines that are still to be seen."""
        return tuple(line for at_s, line in self._lines if now_s - at_s < NOTICE_S)


class Surface:
    """The terminal of a session; a context manager for the main thread.

    Parameters
    ----------
    session : Session
        What is shown and controlled; its desk is acted on.
    notices : Notices
        The messages to show.
    knobs, midi : MidiDesk, MidiInput, optional
        The MIDI side, to be shown.
    is_plain : bool
        A line a second instead of the view, and no keys.
    display : Display, optional
        Where to draw; by default standard error.
    """

    def __init__(
        self,
        session: Session,
        notices: Notices,
        *,
        knobs: MidiDesk | None = None,
        midi: MidiInput | None = None,
        is_plain: bool = False,
        display: Display | None = None,
    ) -> None:
        self._session, self._notices = session, notices
        self._knobs, self._midi = knobs, midi
        self._display = display or Display()
        self._is_plain = is_plain or not self._display.is_terminal
        self._keyboard = Keyboard(on_leave=self._display.leave, on_return=self._display.enter)
        self._keypad = Keypad()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow_keys, name="semeq-keys", daemon=True)
        self._meters = PeakMeter(), PeakMeter()
        self._freqs_hz = np.geomspace(*FREQ_RANGE_HZ, CURVE_POINTS)
        self._curve: tuple[EQSettings, float, np.ndarray] | None = None

    def __enter__(self) -> Self:
        if not self._is_plain:
            self._keyboard.__enter__()
            self._notices.is_shown = True
            self._display.enter()
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_plain:
            return
        self._ended.set()
        self._thread.join(1.0)
        self._display.leave()
        self._notices.is_shown = False
        self._keyboard.__exit__(kind, error, trace)

    def tick(self) -> None:
        """Draw the view when it is time for a picture."""
        if self._display.is_due():
            self._display.draw(self.model(time.perf_counter()))

    # ---- keys: on their own thread

    def _follow_keys(self) -> None:
        while not self._ended.is_set():
            for key in self._keyboard.read(KEY_WAIT_S):
                self.press(key)

    def press(self, key: str) -> None:
        """Let a key do what it does."""
        session = self._session
        self._keypad, actions = press(self._keypad, key, session.desk.state, session.vocabulary.get)
        if actions:
            session.desk.act(*actions)
        if self._keypad.has_quit:
            session.stop()

    # ---- the picture

    def model(self, now_s: float) -> ViewModel:
        """Return what there is to show now."""
        session, keypad = self._session, self._keypad
        state, plan, counts = session.desk.state, session.plan, session.stream.counts()
        peaks = session.peaks()
        block_us = 1e6 * counts.blocksize / session.stream.fs or 1.0
        config = session.config.stream
        device = config.output.name
        if config.input.name != device:
            device = f"{config.input.name} → {device}"
        return ViewModel(
            words=_rows(state, session.vocabulary),
            knobs=_knobs(state, session.inserts),
            selected=keypad.selected if self._keyboard.is_available else None,
            amount=state.amount,
            adapt=state.adapt,
            bypass=state.bypass,
            delta=state.delta,
            trim_db=state.trim_db,
            freqs_hz=self._freqs_hz,
            response_db=self._response(plan.settings, plan.gain_db),
            levels_in=(self._meters[0].update(peaks[0], now_s),),
            levels_out=(self._meters[1].update(peaks[1], now_s),),
            loudness=session.rig.loudness.now,
            engine=Engine(
                device=f"{device} ({SHORT_NAMES.get(config.output.api, config.output.api)})",
                fs=session.stream.fs,
                blocksize=counts.blocksize,
                latency_ms=session.latency_ms or None,
                load=counts.load,
                load_p999=counts.p999_us / block_us,
                load_max=counts.max_us / block_us,
                xruns=counts.xruns,
                missed=counts.missed,
                bad_samples=counts.bad_samples,
                clipped=counts.clipped_samples,
                limited=counts.limited_frames,
                left_out=session.rig.overload.dropped,
                howls=session.rig.howl.guard.ducks,
                ducked_db=session.rig.howl.guard.duck.gain_db,
            ),
            ear=self._ear(),
            verdicts=session.verifier.shown(),
            locks=tuple(sorted(state.locks)),
            band_trims_db=state.band_trims_db,
            band=keypad.band,
            midi=str(self._midi.status) if self._midi is not None else "",
            midi_last=self._last_message(),
            warnings=(*plan.warnings, *self._notices.recent(now_s)),
            elapsed_s=now_s - session.started_at,
            state=LINKS[session.recovery.state],
            prompt=keypad.prompt,
            message=keypad.message,
            shows_help=keypad.shows_help,
        )

    def _ear(self) -> Ear:
        session = self._session
        status = session.ear()
        heard = regions(session.heard, session.config.hearing.tables) or {}
        return Ear(
            status.state.value,
            status.age_s,
            status.updates_per_s,
            status.core,
            status.stale_results,
            tuple(heard.items()),
        )

    def _last_message(self) -> str:
        last = self._knobs.last if self._knobs is not None else None
        if last is None:
            return ""
        return f"{last.text} → {last.moves}" if last.moves else f"{last.text}, not mapped"

    def _response(self, settings: EQSettings, gain_db: float) -> np.ndarray:
        """Return the curve with the gain that goes with it; computed when it has changed."""
        if self._curve is None or self._curve[:2] != (settings, gain_db):
            fs = self._session.stream.fs
            below = np.minimum(self._freqs_hz, 0.499 * fs)
            curve = response_db(settings, fs, below, design=self._session.config.design)
            curve += gain_db
            self._curve = settings, gain_db, curve
        return self._curve[2]


def _knobs(state: ControlState, inserts: LiveInserts | None) -> tuple[KnobRow, ...]:
    rows = []
    for target, share in state.parameters:
        value = "left out"  # its row stays where it is
        with suppress(SemeqError):
            if inserts is not None:
                value = inserts.find(target).text(share)
        rows.append(KnobRow(target, share, value))
    return tuple(rows)


def _rows(state: ControlState, vocabulary: Vocabulary) -> tuple[WordRow, ...]:
    return tuple(
        WordRow(word, weight, _note(vocabulary.words.get(word))) for word, weight in state.weights
    )


def _note(word: Word | None) -> str:
    if word is None:
        return "nobody knows this word"
    if word.single_person:
        return "one person's idea of it"
    return "people do not agree what it means" if word.low_agreement else ""
