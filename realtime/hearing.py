"""Whether and how a session hears: the choices, and the parts that follow from them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from semeq.engine.encoder import Heard, Model
from semeq.engine.limits import Limits
from semeq.engine.listener import ListenerConfig
from semeq.engine.words import Vocabulary
from semeq.presets.shipped_model import load_shipped_model, load_shipped_tables, why_deaf
from semeq.realtime.ear import Task
from semeq.realtime.ear_runners import Runner, ThreadRunner
from semeq.realtime.plan import Means
from semeq.realtime.stream import LiveStream
from semeq.realtime.tap import Tap, private_tap
from semeq.realtime.worker import Worker

#: Regions of the spectrum that what was heard is told by, Hz.
REGIONS_HZ = {"low": (20.0, 250.0), "mid": (250.0, 4000.0), "high": (4000.0, 20_000.0)}


@dataclass(frozen=True, slots=True)
class HearingConfig:
    """How a session hears.

    Parameters
    ----------
    load : callable, optional
        Returns the model, in the listener's thread or process; None: nothing is ever heard.
    tables : Model, optional
        The same model's decoder and words, which the conductor needs.
    config : ListenerConfig
        Windows, smoothing and gate.
    limits : Limits
        How far and how fast what is heard moves the bands.
    is_isolated : bool
        Whether the listener is a process of its own.
    """

    load: Callable[[], Model] | None = None
    tables: Model | None = None
    config: ListenerConfig = field(default_factory=ListenerConfig)
    limits: Limits = field(default_factory=Limits)
    is_isolated: bool = False

    def make_tap(self) -> Callable[[int], Tap]:
        """Return what makes the place for the newest input."""
        if not self.is_isolated or self.load is None:
            return private_tap
        from semeq.realtime.ear_process import shared_tap

        return shared_tap

    def worker(self, stream: LiveStream, say: Callable[[str], None]) -> Worker | None:
        """Return the keeper of the listener, not started yet; None where nothing is to be heard."""
        if self.load is None:
            return None
        task = Task(self.load, stream.fs, self.config)
        tap = stream.tap

        def start() -> Runner:
            if self.is_isolated:
                from semeq.realtime.ear_process import ProcessRunner

                return ProcessRunner(task, tap)
            return ThreadRunner(task, tap)

        return Worker(start, stream.fs, say)

    def means(self, vocabulary: Vocabulary, worker: Worker | None) -> Means:
        """Return what the conductor makes the bands with."""
        if worker is None:
            return Means(vocabulary, self.tables, self.limits)
        return Means(vocabulary, self.tables, self.limits, lambda: worker.latest)


#: Nothing is heard: the words' typical moves.
DEAF = HearingConfig()


def shipped_hearing(
    *,
    speed_s: float | None = None,
    max_db: float | None = None,
    slew_db_s: float | None = None,
    is_isolated: bool = False,
) -> HearingConfig:
    """Return how a session hears with the model that ships with semeq; None leaves a choice to us.

    Where there is no model, or no onnxruntime, nothing is heard.
    """
    chosen = Limits()
    if max_db is not None:
        chosen = replace(chosen, max_db=max_db)
    if slew_db_s is not None:
        chosen = replace(chosen, slew_db_s=slew_db_s)
    if why_deaf():
        return HearingConfig(limits=chosen)
    config = ListenerConfig() if speed_s is None else ListenerConfig(speed_s=speed_s)
    return HearingConfig(load_shipped_model, load_shipped_tables(), config, chosen, is_isolated)


def regions(heard: Heard | None, model: Model | None) -> dict[str, float] | None:
    """Return how the sound stands out against usual music, in dB by region: what the encoder makes of it."""
    if heard is None or model is None:
        return None
    curve = model.decode(heard.z)
    curve = curve - curve.mean()
    return {
        name: round(float(curve[(model.freqs_hz >= low) & (model.freqs_hz < high)].mean()), 2)
        for name, (low, high) in REGIONS_HZ.items()
    }
