"""What switching adds to the sound, through the live code: bypass, delta, start, stop, recipe, freeze.

A switch that is a fade has an ideal: dry and wet mixed in double precision by the same law. What differs
from it is a click. A recipe has none, since a filter's way from one curve to another is its own; there, as
for all, the measure is energy far from a tone's own frequency, in any tenth of a second.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from bench_tables import Table
from scipy.signal.windows import kaiser

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from unplugged import Unplugged

from semeq.engine.encoder import Heard, Model
from semeq.engine.timeline import Event, Take, replay
from semeq.engine.units import Audio
from semeq.presets.library import load_vocabulary
from semeq.presets.recipes import load_recipe
from semeq.presets.shipped_model import load_shipped_tables
from semeq.realtime.conductor import FADE_S, START_S, STOP_S
from semeq.realtime.control import Action, Bypass, ControlState, Delta, Freeze, Recall
from semeq.realtime.ear import Report
from semeq.realtime.plan import Means

FS = 48_000
LEVEL = 0.3
#: The switch comes so long after the start, and is listened to so long, s.
SWITCH_AT_S, AFTER_S = 1.0, 1.0
TONES_HZ = (100.0, 1000.0, 6000.0)
#: Nothing should appear farther than this from the tone.
AWAY_HZ = 2000.0
LOOKAHEAD = 72
WARM = ControlState((("warm", 1.0),))
RADIO = ControlState(load_recipe("radio voice").recipe.terms, load_recipe("radio voice").amount)


@dataclass(frozen=True, slots=True)
class Case:
    """A switch: where it starts from, what is done, and the fade it should be (from, to, seconds)."""

    name: str
    switch: Action | Callable[[Unplugged], object] | None
    before: ControlState = WARM
    fade: tuple[str, str, float] | None = None
    adapts: bool = False


CASES = (
    Case("bypass on", Bypass(True), fade=("wet", "dry", FADE_S)),
    Case(
        "bypass off",
        Bypass(False),
        ControlState(WARM.weights, bypass=True),
        fade=("dry", "wet", FADE_S),
    ),
    Case("delta on", Delta(True), fade=("wet", "delta", FADE_S)),
    Case(
        "delta off",
        Delta(False),
        ControlState(WARM.weights, delta=True),
        fade=("delta", "wet", FADE_S),
    ),
    Case("start", None, fade=("silence", "wet", START_S)),
    Case("stop", Unplugged.stop, fade=("wet", "silence", STOP_S)),
    Case("recipe: warm to bright", Recall(ControlState((("bright", 1.0),)))),
    Case("recipe: warm to flat", Recall(ControlState())),
    Case("preset: radio voice", Recall(RADIO)),
    Case("freeze", Freeze(True), ControlState(WARM.weights, adapt=1.0), adapts=True),
    Case(
        "freeze off",
        Freeze(False),
        ControlState(WARM.weights, adapt=1.0, frozen=True),
        adapts=True,
    ),
)


def _hearing(model: Model, live: list[Unplugged]) -> Callable[[], Report]:
    """Return an ear that hears something quite different every quarter of a second."""
    rng = np.random.default_rng(4)
    spectrum = np.zeros(model.freqs_hz.size)
    heard = [Report(n, Heard(rng.standard_normal(32), spectrum)) for n in range(16)]

    def hear() -> Report:
        position = live[0].stream.counts().position if live else 0
        return heard[min(4 * position // FS, len(heard) - 1)]

    return hear


def play(
    case: Case, x: Audio, lookahead_frames: int = 0, *, is_hard: bool = False
) -> tuple[Audio, list[Event]]:
    """Return what comes out, the look-ahead taken off, and what the audio thread was told.

    *Hard*: without fades.
    """
    live: list[Unplugged] = []
    means = None
    if case.adapts:
        model = load_shipped_tables()
        means = Means(load_vocabulary(), model, heard=_hearing(model, live))
    session = Unplugged(case.before, FS, x.shape[1], means=means, lookahead_frames=lookahead_frames)
    live.append(session)
    if is_hard:
        session.conductor._frames = lambda seconds: 1  # type: ignore[method-assign]
    actions: dict[int, Action | Callable[[], object]] = {}
    switch, at = case.switch, round(SWITCH_AT_S * FS)
    if callable(switch):
        actions[at] = partial(switch, session)
    elif switch is not None:
        actions[at] = switch
    y = session.play(np.pad(x, ((0, lookahead_frames), (0, 0))), actions)
    return y[lookahead_frames:], session.events


def against_ideal_db(case: Case, x: Audio, lookahead_frames: int = 0) -> float:
    """Return the largest difference from the ideal fade, against the largest sample of the sound, dB."""
    assert case.fade is not None
    y, events = play(case, x, lookahead_frames)
    at = next(e.frame for e in events if case.switch is None or e.frame >= SWITCH_AT_S * FS)
    # the wet sound: the same sets at the same frames, nothing else
    sets = [
        Event(e.frame, replace(e.control, bypass=False, delta=False, gate_open=True, gate_frames=0))
        for e in events
    ]
    wet = np.concatenate(list(replay(Take(FS, x.shape[1], 0, None, tuple(sets)), [x])))
    sides = {"wet": wet.astype(np.float64), "dry": x.astype(np.float64), "silence": 0.0 * x}
    sides["delta"] = sides["wet"] - sides["dry"]
    before, after, seconds = case.fade
    if "silence" in case.fade:
        at -= lookahead_frames  # the gate comes last, on sound that is already late
    u = np.clip((np.arange(len(x)) + 1 - at) / round(seconds * FS), 0.0, 1.0)[:, None]
    share = u**4 * (35 - 84 * u + 70 * u**2 - 20 * u**3)
    ideal = (1.0 - share) * sides[before] + share * sides[after]
    return float(20.0 * np.log10(np.abs(y - ideal)[max(at, 0) :].max() / np.abs(wet).max() + 1e-12))


def away_db(y: Audio, tone_hz: float) -> float:
    """Return the energy far from a tone, in the worst tenth of a second, against the tone at its level."""
    size = FS // 10
    window = kaiser(size, 30.0)
    steady = LEVEL * np.sin(2.0 * np.pi * tone_hz * np.arange(size) / FS) * window
    whole = float(np.sum(np.abs(np.fft.rfft(steady)) ** 2))
    is_away = np.abs(np.fft.rfftfreq(size, 1.0 / FS) - tone_hz) > AWAY_HZ
    sound = np.pad(y[:, 0].astype(np.float64), (size // 2, 0))
    worst = max(
        float(np.sum(np.abs(np.fft.rfft(sound[n : n + size] * window)[is_away]) ** 2))
        for n in range(0, len(sound) - size, size // 10)
    )
    return float(10.0 * np.log10(worst / whole))


def tone(freq_hz: float) -> Audio:
    """Return a tone; it is there from the first sample on, as the input of a session that starts is."""
    t = np.arange(round((SWITCH_AT_S + AFTER_S) * FS)) / FS
    return (LEVEL * np.sin(2.0 * np.pi * freq_hz * t)).astype(np.float32)[:, None]


def clicks(tones_hz: Sequence[float] = TONES_HZ) -> Table:
    """Return what each switch adds."""
    table = Table(
        "What switching adds",
        f"Through the code of a live session, tones of {', '.join(f'{hz:g}' for hz in tones_hz)} Hz, the "
        f"worst of them. *Away*: energy more than {AWAY_HZ:g} Hz from the tone in any tenth of a second, "
        "against the tone; *hard*: the same code told to switch at once; *look-ahead*: behind 1.5 ms of it. "
        "*From the ideal*: largest difference from the cross-fade in double precision, against the sound.",
        ["", "away", "hard", "look-ahead", "from the ideal"],
    )
    for case in CASES:
        away, hard, ahead, ideal = [], [], [], []
        for hz in tones_hz:
            x = tone(hz)
            away.append(away_db(play(case, x)[0], hz))
            hard.append(away_db(play(case, x, is_hard=True)[0], hz))
            ahead.append(away_db(play(case, x, LOOKAHEAD)[0], hz))
            if case.fade is not None:
                ideal += [against_ideal_db(case, x, frames) for frames in (0, LOOKAHEAD)]
        data = {"away_db": max(away), "hard_db": max(hard), "lookahead_db": max(ahead)}
        if ideal:
            data["ideal_db"] = max(ideal)
        table.data[case.name] = data
        columns = ("away_db", "hard_db", "lookahead_db", "ideal_db")
        shown = (f"{data[k]:.0f} dB" if k in data else "" for k in columns)
        table.rows.append((case.name, *shown))
    return table
