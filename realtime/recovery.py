"""The life of a session's device: sees within half a second that it is gone, and gets it back by its name.

A device is lost when its stream has ended (the server was killed or dropped us, the interface was
unplugged), asks for nothing any longer, or runs at another rate than it was opened with. Meanwhile nothing
is heard: there is nobody to hear it. A stream that has only fallen silent is left as it is for a while,
and goes on if it wakes up. Otherwise a thread of its own ends what ran on it, looks for the device again and
again, and lets a new `Rig` run on it; only that thread may be held up by a server that hangs, and it is one
thread however long that takes. No other device is ever taken.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import replace

from semeq.engine.errors import DeviceError, SemeqError
from semeq.engine.limiter import lookahead_frames
from semeq.realtime import devices, jack
from semeq.realtime.chatter import hush
from semeq.realtime.devices import Device
from semeq.realtime.pulse import Link, Loss, Pulse
from semeq.realtime.rig import Rig
from semeq.realtime.stream import JACK_API, SHORT_NAMES, StreamConfig

#: How often the device is looked for, s: in the first half minute, and later.
RETRY_S, SLOW_RETRY_S, SLOW_AFTER_S = 0.2, 0.5, 30.0
#: A device with fewer channels than it had may still be coming up for so long, s.
FEWER_AFTER_S = 1.0
#: A loss that nobody is to mend ends the session; one that may pass by itself does so after this, s.
FINAL_AFTER_S = 2.0
#: How long the fade of a device that may be gone is waited for, s.
FADE_S = 0.2
#: How long a stream that did not answer may take to close when its server answers again, s.
CLOSE_S = 0.5
#: How long the end of a session waits for the thread, s.
END_S = 1.0


class Recovery:
    """Owns a session's rig, and the next one when the device is lost.

    Parameters
    ----------
    rig : Rig
        The first one, not open yet.
    again : callable
        Makes the next rig from what to open and the rig before it.
    say : callable
        Shows one line to the person.
    reopens : bool
        Whether a lost device is waited for.
    on_change : callable
        Called in the caller's thread of `look` when the state has changed.

    Attributes
    ----------
    rig : Rig
        What runs, or ran last.
    state : Link
        How it stands.
    reconnects : int
        How often the device has come back.
    reason : str
        Why it was lost, or does not open; empty while it runs.
    """

    def __init__(
        self,
        rig: Rig,
        again: Callable[[StreamConfig, Rig], Rig],
        say: Callable[[str], None],
        *,
        reopens: bool = True,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.rig, self._again, self._say = rig, again, say
        self._reopens, self._on_change = reopens, on_change
        self.state = self._told = Link.RUNNING
        self.reconnects, self.reason = 0, ""
        self._away_before_s, self._lost_at, self._first_seen_at = 0.0, 0.0, 0.0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._twins: dict[str, frozenset[str]] = {}
        self._pulse: Pulse | None = None

    @property
    def away_s(self) -> float:
        """How long the session was without its device, in all."""
        now_s = 0.0 if self.state is Link.RUNNING else time.perf_counter() - self._lost_at
        return self._away_before_s + now_s

    def begin(self) -> None:
        """Open the device and start the first rig.

        Raises
        ------
        SemeqError
            If the device does not open, or a recording cannot be written.
        """
        config = self.rig.stream.config
        self._twins = {kind: devices.twins(device) for kind, device in _wanted(config)}
        _run(self.rig)
        self._pulse = Pulse(self.rig)

    def look(self) -> None:
        """See how the device stands, and act on it; call it some twenty times a second.

        Raises
        ------
        DeviceError
            If it is lost and not to be waited for.
        """
        if self._thread is not None:
            if not self._thread.is_alive():
                self._thread = None
        elif self._pulse is not None:
            self._judge(self._pulse.loss())
        if self.state is not self._told:
            self._told = self.state
            self._on_change()

    def _judge(self, loss: Loss | None) -> None:
        if loss is None:
            if self.state is Link.LOST:
                self.rig.conductor.is_shut = False
                self._is_back("is back")
            return
        now = time.perf_counter()
        if self.state is Link.RUNNING:
            self.state, self.reason, self._lost_at = Link.LOST, loss.reason, now
            self.rig.conductor.is_shut = True
            if self._reopens:
                self._say(
                    f"{self._name} is gone, {loss.reason}: silence until it returns; Ctrl-C ends"
                )
        passed_s = now - self._lost_at
        if not self._reopens:
            if passed_s >= min(loss.patience_s, FINAL_AFTER_S):
                raise DeviceError(
                    f"{self._name} is gone, {loss.reason}: was it unplugged, or its server stopped? "
                    "Start it again, then semeq"
                )
            return
        if passed_s >= loss.patience_s:
            self._thread = threading.Thread(target=self._reopen, name="semeq-reopen", daemon=True)
            self._thread.start()

    def _is_back(self, how: str) -> None:
        away_s = time.perf_counter() - self._lost_at
        self._away_before_s += away_s
        self.state, self.reason = Link.RUNNING, ""
        self._say(f"{self._name} {how} after {away_s:.1f} s")

    @property
    def _name(self) -> str:
        config = self.rig.stream.config
        names = dict.fromkeys((config.input.name, config.output.name))
        return f"{' → '.join(names)} ({SHORT_NAMES.get(config.output.api, config.output.api)})"

    def end(self) -> None:
        """End the rig with a fade, or what looks for its device."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(END_S)
            if self._thread.is_alive():
                devices.abandon()  # a server that hangs holds it
                return
        if self.state is Link.RUNNING:
            self.rig.close()
        else:
            self.rig.close(FADE_S)

    # ---- on the thread of its own

    def _reopen(self) -> None:
        old = self.rig
        hush()
        old.close(FADE_S)
        pause_s = 0.0
        while not self._over.wait(pause_s):
            pause_s = RETRY_S
            if time.perf_counter() - self._lost_at > SLOW_AFTER_S:
                pause_s = SLOW_RETRY_S
            try:
                rig = self._attempt(old)
            except SemeqError as error:
                self.state, self.reason = Link.LOST, str(error)
                continue
            if rig is not None:
                self._take(old, rig)
                return

    def _take(self, old: Rig, rig: Rig) -> None:
        self.rig, self._pulse = rig, Pulse(rig)
        self.reconnects += 1
        before, now = (f"{r.stream.fs:g} Hz" for r in (old, rig))
        self._is_back("is back" if now == before else f"is back at {now} (it was {before})")

    def _attempt(self, old: Rig) -> Rig | None:
        """Return a rig that runs on the device of `old`, or None while it is not there."""
        was = old.stream.config
        with ExitStack() as stack:
            looks = old.stream.is_jack and jack.is_installed()
            looker = None
            if looks:
                # It leaves before PortAudio comes: libjack forgets with the last client what it held wrongly.
                with jack.connect() or nullcontext() as first:
                    if first is None or not self._has_ports(first, old):
                        return None
                old.stream.wait_closed(CLOSE_S)  # a server that hung may answer now
            self.state = Link.REOPENING
            rig = None
            devices.refresh()
            try:
                if looks and (looker := jack.connect()) is not None:
                    stack.enter_context(looker)
                name = devices.jack_name() if looks else None
                if name is not None and jack.is_deaf(name):
                    raise DeviceError("JACK does not call us: it is asked again")
                found = {
                    kind: devices.find_again(device, kind, self._twins[kind])
                    for kind, device in _wanted(was)
                }
                source, sink = found["input"], found["output"]
                if source is not None and sink is not None:
                    rig = self._opened(_changed(was, old.stream.fs, source, sink), old)
            finally:
                if rig is None:
                    self.state = Link.LOST
                    # a dead JACK server would end us by an assertion of PortAudio's
                    is_dead = looks and (looker is None or looker.is_lost)
                    (devices.abandon if is_dead else devices.shut)()
            return rig

    def _opened(self, stream: StreamConfig, old: Rig) -> Rig:
        """Return a rig that runs; at the device's own rate where it takes the old one no longer."""
        try:
            return _run(self._again(stream, old))
        except DeviceError:
            own_fs = stream.output.fs
            if stream.fs == own_fs:
                raise
            return _run(self._again(_at_rate(stream, own_fs), old))

    def _has_ports(self, looker: jack.JackClient, old: Rig) -> bool:
        """Return whether the device has its ports; after a while, fewer than it had."""
        config, now = old.stream.config, time.perf_counter()
        wanted = (
            (config.input.name, jack.IS_OUTPUT, old.stream.in_channels),
            (config.output.name, jack.IS_INPUT, old.stream.channels),
        )
        there = [len(looker.ports(name, flags)) for name, flags, _ in wanted]
        if not all(there):
            self._first_seen_at = 0.0
            return False
        self._first_seen_at = self._first_seen_at or now
        is_whole = all(n >= number for n, (_, _, number) in zip(there, wanted, strict=True))
        return is_whole or now - self._first_seen_at > FEWER_AFTER_S


def _wanted(config: StreamConfig) -> tuple[tuple[str, Device], ...]:
    return ("input", config.input), ("output", config.output)


def _run(rig: Rig) -> Rig:
    """Open and start a rig; nothing of it is left where that fails."""
    try:
        rig.open()
        rig.start()
    except BaseException:
        rig.close(FADE_S)
        raise
    return rig


def _changed(was: StreamConfig, fs: float, source: Device, sink: Device) -> StreamConfig:
    """Return what to open now: the same, on the devices as they are listed now."""
    stream = replace(was, input=source, output=sink)
    # a JACK server has one rate, whatever was asked for once
    return _at_rate(stream, sink.fs if sink.api == JACK_API else fs, fs)


def _at_rate(stream: StreamConfig, fs: float, fs_before: float | None = None) -> StreamConfig:
    """Return the stream at another rate, its look-ahead as long as before."""
    before = fs_before or stream.fs or fs
    lookahead = lookahead_frames(stream.lookahead_frames / before, fs)
    return replace(stream, fs=fs, lookahead_frames=lookahead)
