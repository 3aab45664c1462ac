"""What is known of a live session at one moment, for whoever shows it: a terminal, a log, a panel."""

from dataclasses import dataclass, field

import numpy as np

from semeq.engine.loudness_running import LoudnessNow
from semeq.engine.recipe import Recipe
from semeq.engine.units import Floats

SILENCE_DB = -200.0
#: The state of a session whose device is there.
LIVE = "live"


@dataclass(frozen=True, slots=True)
class WordRow:
    """A word, its weight, and a note about it (such as: people disagree)."""

    word: str
    weight: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class KnobRow:
    """A parameter of a plugin, its share of the range in [0, 1], and its value for people."""

    name: str
    share: float
    value: str


@dataclass(frozen=True, slots=True)
class Level:
    """A channel's level: what the bar shows and the held peak, both in dBFS."""

    peak_db: float = SILENCE_DB
    hold_db: float = SILENCE_DB


@dataclass(frozen=True, slots=True)
class Engine:
    """How the machine does.

    Parameters
    ----------
    device : str
        Where the sound comes from and goes to.
    fs : float
        Sample rate in Hz.
    blocksize : int
        Frames a callback.
    latency_ms : float or None
        From input to output; None when nobody knows.
    load, load_p999, load_max : float
        Time in the callback as a share of the block's duration: mean, 99.9th percentile, longest.
    xruns, missed, bad_samples, clipped, limited : int
        Counters: gaps, late callbacks, damaged samples, input samples at full scale, limited frames.
    left_out : tuple of str
        What there is no time for: meters, look-ahead, eq.
    howls : int
        How often a howl was ducked.
    ducked_db : float
        The gain of the howl guard now, at most 0.
    """

    device: str = ""
    fs: float = 48_000.0
    blocksize: int = 0
    latency_ms: float | None = None
    load: float = 0.0
    load_p999: float = 0.0
    load_max: float = 0.0
    xruns: int = 0
    missed: int = 0
    bad_samples: int = 0
    clipped: int = 0
    limited: int = 0
    howls: int = 0
    ducked_db: float = 0.0
    left_out: tuple[str, ...] = ()

    @property
    def overload_text(self) -> str:
        """What is left out, for people; empty where nothing is."""
        return f"OVERLOAD: no {', no '.join(self.left_out)}" if self.left_out else ""


@dataclass(frozen=True, slots=True)
class Ear:
    """How listening stands.

    Parameters
    ----------
    state : str
        off, loading, listening, held, frozen or stale.
    age_s : float or None
        How old the newest result is.
    updates_per_s, core : float
        Results a second, and the share of a core that they take.
    stale : int
        Results that came late.
    regions_db : tuple of (str, float)
        How the sound stands out against usual music, by region of the spectrum; may be empty.
    """

    state: str = "off"
    age_s: float | None = None
    updates_per_s: float = 0.0
    core: float = 0.0
    stale: int = 0
    regions_db: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        """The state for people."""
        return {"held": "held in silence", "loading": "getting ready"}.get(self.state, self.state)


def _no_curve() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class ViewModel:
    """Everything that is shown.

    Parameters
    ----------
    words : tuple of WordRow
        The words that have a knob.
    knobs : tuple of KnobRow
        The parameters of plugins that have a knob.
    selected : int or None
        The chosen word, or knob after the words; None when there are no keys.
    amount, adapt, bypass, delta, trim_db
        As in `semeq.realtime.control.ControlState`.
    freqs_hz, response_db : Floats
        The curve that is heard, shapes ``(n,)``; may be empty.
    levels_in, levels_out : tuple of Level
        One for each channel, or one for all.
    loudness : LoudnessNow
        How loud the output is.
    engine : Engine
        How the machine does.
    ear : Ear
        How listening stands.
    verdicts : tuple of (str, bool)
        What became of each word, in a few characters, and whether it was missed.
    locks : tuple of int
        The bands that are locked, counted from 1.
    band_trims_db : tuple of float
        What is added to each band.
    band : int or None
        The chosen band.
    midi, midi_last : str
        How the MIDI port stands, and the last controller message.
    warnings : tuple of str
        The newest last.
    elapsed_s : float
        Since the start.
    state : str
        A word for the session: live, or what is wrong with its device.
    prompt : str or None
        What is being typed.
    message : str
        One line about the last key.
    shows_help : bool
        Whether the keys are explained.
    """

    words: tuple[WordRow, ...] = ()
    knobs: tuple[KnobRow, ...] = ()
    selected: int | None = None
    amount: float = 1.0
    adapt: float = 0.0
    bypass: bool = False
    delta: bool = False
    trim_db: float = 0.0
    freqs_hz: Floats = field(default_factory=_no_curve)
    response_db: Floats = field(default_factory=_no_curve)
    levels_in: tuple[Level, ...] = ()
    levels_out: tuple[Level, ...] = ()
    loudness: LoudnessNow = field(default_factory=LoudnessNow)
    engine: Engine = Engine()
    ear: Ear = Ear()
    verdicts: tuple[tuple[str, bool], ...] = ()
    locks: tuple[int, ...] = ()
    band_trims_db: tuple[float, ...] = ()
    band: int | None = None
    midi: str = ""
    midi_last: str = ""
    warnings: tuple[str, ...] = ()
    elapsed_s: float = 0.0
    state: str = LIVE
    prompt: str | None = None
    message: str = ""
    shows_help: bool = False

    @property
    def recipe_text(self) -> str:
        """The recipe of the words that are not at 0, for people."""
        shown = tuple((row.word, round(row.weight, 2)) for row in self.words)
        return str(Recipe(tuple((word, weight) for word, weight in shown if weight))) or "flat"


def plain_line(model: ViewModel) -> str:
    """Return the state in one line, for output that is no terminal."""
    engine = model.engine
    parts = [
        clock(model.elapsed_s) + ("" if model.state == LIVE else f" {model.state}"),
        "bypass"
        if model.bypass
        else ("only the change of " if model.delta else "") + model.recipe_text,
        f"amount {model.amount:.2f}",
        f"in {_highest(model.levels_in)} out {_highest(model.levels_out)} dBFS",
        f"load {engine.load:.1%} max {engine.load_max:.1%}",
        f"xruns {engine.xruns}",
    ]
    if model.loudness.integrated is not None:
        parts.append(f"{lufs_text(model.loudness.short_term)} LUFS")
    if engine.left_out:
        parts.append(engine.overload_text)
    if model.ear.state != "off":
        parts.append(f"ear {model.ear.text}, {model.ear.updates_per_s:.0f}/s")
    if engine.bad_samples:
        parts.append(f"bad samples {engine.bad_samples}")
    if engine.clipped:
        parts.append(f"clipped samples {engine.clipped}")
    if model.midi:
        parts.append(f"MIDI {model.midi}" + (f", {model.midi_last}" if model.midi_last else ""))
    return " | ".join(parts)


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds, with hours where there are any."""
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _highest(levels: tuple[Level, ...]) -> str:
    return level_text(max((level.peak_db for level in levels), default=SILENCE_DB))


def lufs_text(value: float | None) -> str:
    """Return a loudness for people: silence is "-inf"."""
    return "-inf" if value is None else f"{value:.1f}"


def level_text(level_db: float) -> str:
    """Return a level for people: silence is "-inf"."""
    return "-inf" if level_db < -99.0 else f"{level_db:.1f}"
