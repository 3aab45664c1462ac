"""One listener at work: reads the tap, lets the encoder hear, and sends what it heard as messages.

The same loop runs in a thread of the session and in a process of its own (`semeq.realtime.ear_runners`); it
needs neither the audio thread nor the interpreter's attention there. What it sends is a value of its own:
`Ready`, `Beat`, `Report` or `Failure`.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from semeq.engine.encoder import LATENT, Heard, Model
from semeq.engine.errors import SemeqError
from semeq.engine.frontend import Levels
from semeq.engine.listener import Listener, ListenerConfig
from semeq.engine.units import read_only
from semeq.realtime.tap import Tap, TapReader

#: A sign of life is sent at least this often while there is nothing to report, s.
BEAT_S = 0.25
#: How long the loop sleeps at most and at least, s.
LONGEST_NAP_S, SHORTEST_NAP_S = 0.1, 0.004
#: Cost is the mean of this long, s.
COST_OVER_S = 3.0
WARM_UP_S = 0.5
#: So far behind the newest input only the newest window is heard, s.
LATE_S = 0.3


class GoneError(Exception):
    """Nobody takes the messages any longer."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The encoder is loaded and warm."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing new, but alive: no input came."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The listener ends here; `is_final` when another try would end the same way."""

    reason: str
    is_final: bool


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What was heard.

    Parameters
    ----------
    frame : int
        Up to which frame of the session's input.
    heard : Heard or None
        Smoothed; None before there was anything to hear.
    energy_db : float
        Level of the newest sound.
    is_held : bool
        Whether this is what was heard before a silence.
    behind : int
        How many newer frames there were already when it was made.
    core : float
        Share of one core that listening takes.
    lost : int
        Frames that were never heard, in all.
    """

    frame: int
    heard: Heard | None
    energy_db: float = 0.0
    is_held: bool = False
    behind: int = 0
    core: float = 0.0
    lost: int = 0


Message = Ready | Beat | Failure | Report


@dataclass(frozen=True, slots=True)
class Task:
    """What a listener is to do; it can be sent to another process.

    Parameters
    ----------
    load : callable
        Returns the model; a function of a module.
    fs : float
        Sample rate in Hz.
    config : ListenerConfig
        Windows, smoothing and gate.
    """

    load: Callable[[], Model]
    fs: float
    config: ListenerConfig


def work(
    task: Task,
    tap: Tap,
    send: Callable[[Message], None],
    pause: Callable[[float], bool],
    cpu_clock: Callable[[], float],
) -> None:
    """Load, warm up and listen until `pause` returns True; failures are sent, not raised.

    Parameters
    ----------
    task : Task
        What to do.
    tap : Tap
        Where the input is.
    send : callable
        Takes each message, or raises `GoneError`.
    pause : callable
        Sleeps so many seconds, or less; returns True when it is time to end.
    cpu_clock : callable
        The processor time that this listener has taken, in s.
    """
    try:
        model = _Hasty(task.load())
        listener = Listener(model, task.fs, tap.channels, task.config)
        _warm_up(task, model, tap.channels)
        send(Ready())
        _listen(listener, model, tap, send, pause, cpu_clock)
    except GoneError:
        return
    except SemeqError as error:  # a model that is missing now is missing later
        send(Failure(str(error), True))
    except Exception as error:
        send(Failure(f"{type(error).__name__}: {error}", False))


class _Hasty(Model):
    """A model that gives its last answer again while it is in haste: who is late hears the newest alone."""

    def __init__(self, model: Model) -> None:
        super().__init__(None, model.freqs_hz, model.decoder, model.words, model.notes)
        self._model = model
        self._last: Heard | None = None
        self.in_haste = False

    def hear_levels(self, levels: Levels) -> Heard:
        """Return what the model makes of the levels, or made of the last ones."""
        if self._last is None or not self.in_haste:
            self._last = self._model.hear_levels(levels)
        return self._last


def _warm_up(task: Task, model: Model, channels: int) -> None:
    noise = np.random.default_rng(0).standard_normal((round(WARM_UP_S * task.fs), channels))
    Listener(model, task.fs, channels, task.config).feed((0.1 * noise).astype(np.float32))


def _listen(
    listener: Listener,
    model: _Hasty,
    tap: Tap,
    send: Callable[[Message], None],
    pause: Callable[[float], bool],
    cpu_clock: Callable[[], float],
) -> None:
    reader, cost = TapReader(tap), _Cost(cpu_clock)
    fed, sent_at = 0, time.perf_counter()
    while True:
        # from one hearing to the next, so that there is a sign of life between the two
        left = listener.every - fed % listener.every
        audio, _ = reader.read(left)
        model.in_haste = reader.waiting > LATE_S * listener.fs
        hearings = listener.feed(audio)
        fed += len(audio)
        now = time.perf_counter()
        for hearing in hearings:
            # frames that were lost are on the session's clock, too
            frame = reader.position - fed + hearing.frame
            late, sent_at = tap.written - frame, now
            send(
                Report(
                    frame,
                    hearing.heard,
                    hearing.energy_db,
                    hearing.is_held,
                    late,
                    cost.share(),
                    reader.lost,
                )
            )
        if not hearings and now - sent_at >= BEAT_S:
            sent_at = now
            send(Beat())
        due_s = (listener.every - fed % listener.every - reader.waiting) / listener.fs
        nap_s = max(due_s, SHORTEST_NAP_S) if due_s > 0.0 else 0.0
        if pause(min(nap_s, LONGEST_NAP_S)):
            return


class _Cost:
    """The share of a core that was taken over the last few seconds."""

    def __init__(self, cpu_clock: Callable[[], float]) -> None:
        self._cpu_clock = cpu_clock
        self._marks = deque([(time.perf_counter(), cpu_clock())])

    def share(self) -> float:
        now, used = time.perf_counter(), self._cpu_clock()
        self._marks.append((now, used))
        while len(self._marks) > 2 and now - self._marks[1][0] > COST_OVER_S:
            self._marks.popleft()
        then, used_then = self._marks[0]
        return (used - used_then) / max(now - then, 1e-6)


# ------------------------------------------------------------------------------ messages as bytes


_NUMBERS = 6


def pack(message: Message) -> bytes:
    """Return a message as bytes, for a pipe."""
    match message:
        case Ready():
            return b"+"
        case Beat():
            return b"."
        case Failure(reason, is_final):
            return (b"!" if is_final else b"?") + reason.encode()
        case Report() as report:
            values = [
                float(report.frame),
                report.energy_db,
                float(report.is_held),
                float(report.behind),
                report.core,
                float(report.lost),
            ]
            if report.heard is not None:
                values += [*report.heard.z, *report.heard.spectrum_db]
            return b"=" + np.array(values).tobytes()


def unpack(data: bytes) -> Message:
    """Return the message that `pack` made of it."""
    kind, rest = data[:1], data[1:]
    if kind == b"+":
        return Ready()
    if kind == b".":
        return Beat()
    if kind in (b"!", b"?"):
        return Failure(rest.decode(), kind == b"!")
    values = np.frombuffer(rest, dtype=np.float64)
    frame, energy_db, is_held, behind, core, lost = (float(v) for v in values[:_NUMBERS])
    heard = None
    if len(values) > _NUMBERS:
        z, spectrum_db = np.split(values[_NUMBERS:].copy(), [LATENT])
        heard = Heard(read_only(z), read_only(spectrum_db))
    return Report(
        int(frame),
        heard,
        energy_db,
        is_held != 0.0,
        int(behind),
        core,
        int(lost),
    )
