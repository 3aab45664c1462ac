"""A rig: all that runs on one stream, from its opening to its end; after a loss there is another.

Stream, conductor, listener, verifier and recordings are made for one sample rate and one ring of input, so
they come and go together. What a person has set (the desk) and what was heard outlive them. Each rig writes
recordings of its own, which begin at its own frame 0 and render again by themselves.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from semeq.engine.adaptive import warm_up
from semeq.engine.errors import SemeqError
from semeq.engine.timeline import Take
from semeq.engine.words import Vocabulary
from semeq.realtime import devices, jack
from semeq.realtime.conductor import Conductor
from semeq.realtime.desk import Desk, Snapshot
from semeq.realtime.howl import HowlWatch
from semeq.realtime.inserts import LiveInserts, block_of
from semeq.realtime.loudness import LiveLoudness
from semeq.realtime.overload import EVERY_S, Overload
from semeq.realtime.plan import Plan
from semeq.realtime.record import ControlLog, segment
from semeq.realtime.repeating import recording, repeating
from semeq.realtime.session_config import SessionConfig
from semeq.realtime.stream import JACK_API, LiveStream, StreamConfig, shape_of
from semeq.realtime.through import Through
from semeq.realtime.verifier import Verifier
from semeq.realtime.wiring import Wire, Wiring

#: How long the last fade is waited for at most, s.
FADE_TIMEOUT_S = 2.0


class Rig:
    """All that runs on one stream.

    Parameters
    ----------
    config : SessionConfig
        The session's wishes.
    stream : StreamConfig
        What to open.
    desk : Desk
        What a person has set.
    vocabulary : Vocabulary
        What the words mean.
    say : callable
        Shows one line to the person.
    before : Rig, optional
        What ran before on a device that was lost; it has ended. Its counts and what was heard go on.

    Attributes
    ----------
    number : int
        Which of the session's rigs this is, from 1.
    frames_before, seconds_before : int, float
        Sound that the earlier rigs have processed.
    latency_ms : float
        Input to output as the device reports it, our own look-ahead, and the inserts' delay.
    inserts : LiveInserts or None
        The plugins, where there are any.
    through : Through or None
        What turns the plugin that is the EQ, where one is.
    wiring : Wiring or None
        How JACK has wired the stream.
    overload : Overload
        What is left out while the machine is too slow.
    loudness : LiveLoudness
        How loud the output is.
    """

    def __init__(
        self,
        config: SessionConfig,
        stream: StreamConfig,
        desk: Desk,
        vocabulary: Vocabulary,
        say: Callable[[str], None],
        before: "Rig | None" = None,
    ) -> None:
        self._config, self._desk, self._say = config, desk, say
        self.number: int = 1 if before is None else before.number + 1
        self.inserts: LiveInserts | None = None
        self.through: Through | None = None
        if config.inserts:
            block = block_of(stream.blocksize, is_jack=stream.output.api == JACK_API)
            stream = replace(stream, blocksize=block)
            fs, channels, _ = shape_of(stream)
            self.inserts = LiveInserts(config.inserts, fs, channels, block, say)
            if config.inserts.through is not None:
                self.through = Through(
                    *(config.inserts.through, fs, channels, block),
                    *(self.inserts.turn_eq, self._is_through, say, config.design),
                )
        stages = None if self.inserts is None else self.inserts.stages
        self.stream = LiveStream(stream, config.hearing.make_tap(), stages)
        self.worker = config.hearing.worker(self.stream, say)
        means = config.hearing.means(vocabulary, self.worker)
        self._means = replace(means, design=config.design, through=self.through)
        self.conductor = Conductor(desk, self.stream, self._means)
        self.verifier = Verifier(
            self.stream.tap,
            self.stream.fs,
            vocabulary,
            self._plan,
            say,
            design=config.design,
        )
        self.howl = HowlWatch(
            self.stream.tap,
            self.stream.fs,
            self.conductor.lower,
            say,
            is_on=config.guards_howl,
        )
        self.frames_before, self.seconds_before, self.latency_ms = 0, 0.0, 0.0
        self.wiring: Wiring | None = None
        self._wires: frozenset[Wire] | None = None if config.connects else frozenset()
        if before is not None:
            self._wires = before.wiring.wires if before.wiring is not None else None
            frames = before.stream.counts().position
            self.frames_before = before.frames_before + frames
            self.seconds_before = before.seconds_before + frames / before.stream.fs
            self.stream.count_on(before.stream)
            self.howl.count_on(before.howl)
            self.conductor.go_on_from(before.conductor)
        watched = None if before is None else before.overload
        self.overload: Overload = Overload(self.stream, self.conductor, say, watched)
        heard = None if before is None else before.loudness
        self.loudness: LiveLoudness = LiveLoudness(self.stream, heard)
        self._parts = ExitStack()
        self._is_listening = False
        self._recorded_frames: int | None = None

    def _plan(self) -> Plan:
        return self.conductor.plan

    def _is_through(self) -> bool:
        return self.inserts is not None and self.inserts.has_eq

    def open(self) -> None:
        """Open the device: sound runs from here on, with a start ramp once it is wired as it was.

        Raises
        ------
        DeviceError
            If it does not open.
        """
        if self.inserts is not None:
            self.inserts.prepare(is_strict=self.number == 1)
            self._parts.callback(self.inserts.finish)
            self._parts.callback(self._desk.listen(self.inserts.follow))
            self.inserts.follow(self._desk.newest)
        if self.through is not None:
            self._parts.callback(self.through.finish)
            if self.number == 1:
                self.through.prepare()
            self.through.wanted = lambda: self.conductor.plan.settings
        # PortAudio wires to the device first: what is put in its place would come in as a step
        self.conductor.is_shut = self._wires is not None
        if self.number == 1:
            warm_up(self._means.model, self._means.vocabulary, self.stream.fs)
        self.conductor.prepare()
        self._parts.enter_context(self.stream)
        if self.inserts is not None:
            self._parts.enter_context(self.inserts)
        own = self.added_frames / self.stream.fs
        self.latency_ms = 1000.0 * (sum(self.stream.latency_s) + own)
        self._wire()
        self.conductor.is_shut = False

    def _wire(self) -> None:
        """Restore how an earlier rig was wired, and keep to it."""
        name = devices.jack_name() if self.stream.is_jack else None
        client = jack.connect() if name is not None else None
        if name is not None and client is not None:
            self.wiring = Wiring(client, name, self._wires)
            self._parts.enter_context(self.wiring)

    @property
    def added_frames(self) -> int:
        """What we add to the device's latency: the limiter's look-ahead, and the delay of the inserts."""
        inserts = 0 if self.inserts is None else self.inserts.delay_frames
        return self.stream.config.lookahead_frames + inserts

    def start(self) -> None:
        """Start what runs beside the sound.

        Raises
        ------
        AudioFileError
            If a recording cannot be written; never for those of a later rig, which are left out then.
        """
        parts, config = self._parts, self._config
        if config.record_log is not None:
            self._record(config.record_log, self._start_log, "control log")
        if config.record_input is not None:
            self._record(config.record_input, self._start_recording, "input")
        self.conductor.start()
        parts.enter_context(repeating(EVERY_S, self._measure))
        if self.through is not None:
            self.through.start()
        parts.enter_context(self.howl)
        parts.callback(self._stop_listening)
        parts.callback(self._desk.listen(self._listen))
        self._listen()
        parts.enter_context(self.verifier)

    def _record(self, path: Path, start: Callable[[Path], None], what: str) -> None:
        path = segment(path, self.number)
        try:
            start(path)
        except SemeqError as error:
            if self.number == 1:
                raise
            self._say(f"the {what} is recorded no longer: {error}")
            return
        if self.number > 1:
            self._say(f"the {what} is recorded in {path} from here on")

    def _start_log(self, path: Path) -> None:
        stream = self.stream.config
        take = Take(
            self.stream.fs, self.stream.channels, stream.lookahead_frames, stream.ceiling_db, ()
        )
        log = ControlLog(path, take, self._say)
        self._parts.callback(self._close_log, log)
        self.conductor.on_event = log.event

    def _close_log(self, log: ControlLog) -> None:
        counts = self.stream.counts()
        # the stream goes on while its recordings are closed: both are to end at the same frame
        frames = counts.position if self._recorded_frames is None else self._recorded_frames
        log.close(frames, counts.first_sound)

    def _start_recording(self, path: Path) -> None:
        self._parts.enter_context(
            recording(path, self.stream, self._say, on_end=self._note_recorded)
        )

    def _note_recorded(self, frames: int) -> None:
        self._recorded_frames = frames

    def _measure(self) -> None:
        """See how the load is, and how loud the output."""
        self.overload.look()
        self.loudness.look(is_measured=self.overload.has_meters)

    def _listen(self, snapshot: Snapshot | None = None) -> None:
        """Start to listen once the sound has a say; it goes on from then."""
        if self.worker is None or self._is_listening or self._desk.state.adapt == 0.0:
            return
        self._is_listening = True
        self.worker.start()

    def _stop_listening(self) -> None:
        if self.worker is not None:
            self.worker.finish()

    def close(self, fade_timeout_s: float = FADE_TIMEOUT_S) -> None:
        """Fade out, end everything and close the device; a device that is gone is not waited for.

        Recordings are whole up to here.
        """
        self.conductor.finish(fade_timeout_s)
        self._parts.close()
