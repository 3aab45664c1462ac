"""The verifier on a tap that is filled by hand: verdicts, a miss said once, and nothing while bypassed."""

import json
import time

import numpy as np
import pytest
from made_sounds import pink
from scipy.signal import butter, sosfilt

from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.settings import EQSettings
from semeq.engine.units import Audio
from semeq.engine.verdicts import Outcome
from semeq.presets.library import load_vocabulary
from semeq.realtime.plan import Plan
from semeq.realtime.tap import TAP_FRAMES, TAPPED, Tap, private_tap
from semeq.realtime.verifier import LASTS, LOOKS_PER_VERDICT, POLL_S, Verifier

FS = 48_000.0
WORDS = load_vocabulary()


def plan(text: str, amount: float = 1.0, *, bypass: bool = False, eq: str | None = None) -> Plan:
    settings = interpret(Recipe.parse(text if eq is None else eq), WORDS, amount=amount).settings
    return Plan(recipe=text, amount=amount, settings=settings, bypass=bypass)


def write(tap: Tap, sound: Audio) -> None:
    at = (tap.written + np.arange(len(sound))) & (TAP_FRAMES - 1)
    tap.ring[at] = sound
    tap.counters[TAPPED] += len(sound)


class Scene:
    """A verifier with a tap, a plan that can be changed, and what was said."""

    def __init__(self, first: Plan, sound: Audio) -> None:
        self.plan, self.sound, self.at = first, sound, 0
        self.said: list[str] = []
        self.tap = private_tap(sound.shape[1])
        self.verifier = Verifier(self.tap, FS, WORDS, lambda: self.plan, self.said.append)

    def play(self, verdicts: int) -> None:
        """Let sound come in and be looked at until so many verdicts are out."""
        step = int(POLL_S * FS)
        for _ in range(verdicts * LOOKS_PER_VERDICT):
            block = self.sound[self.at : self.at + step]
            self.at = (self.at + step) % (len(self.sound) - step)
            write(self.tap, block)
            self.verifier.look()


def test_what_is_reached_is_there_for_the_status_and_nothing_is_said() -> None:
    scene = Scene(plan("warm"), pink(6.0, FS, 2))
    assert scene.verifier.as_dict() is None
    assert scene.verifier.shown() == ()
    scene.play(3)
    told = scene.verifier.newest
    assert told is not None
    assert told.verdicts[0].outcome is Outcome.REACHED
    ((short, is_miss),) = scene.verifier.shown()
    assert short.startswith("warm +")
    assert not is_miss
    assert json.loads(json.dumps(scene.verifier.as_dict()))["verdicts"][0]["word"] == "warm"
    scene.play(2 * LASTS)
    assert scene.said == []


def test_a_miss_is_said_once_when_it_lasts() -> None:
    low = sosfilt(butter(16, 3000.0, fs=FS, output="sos"), pink(6.0, FS), axis=0)
    scene = Scene(plan("airy"), low.astype(np.float32))
    scene.play(2)
    assert scene.said == []
    scene.play(10)
    assert len(scene.said) == 1
    assert "the input has nothing above 10 kHz" in scene.said[0]
    scene.plan = plan("airy", 0.8)  # a knob that is turned a little is no news
    scene.play(10)
    assert len(scene.said) == 1


def test_bands_that_do_the_opposite_are_a_miss() -> None:
    scene = Scene(plan("bright", eq="dark"), pink(6.0, FS))
    scene.play(2 * LASTS)
    assert scene.verifier.newest is not None
    assert scene.verifier.newest.verdicts[0].outcome is Outcome.WRONG
    ((short, is_miss),) = scene.verifier.shown()
    assert short.endswith("dB: wrong way")
    assert is_miss
    assert len(scene.said) == 1


def test_a_change_starts_anew_and_a_bypass_is_not_judged() -> None:
    scene = Scene(plan("warm"), pink(6.0, FS))
    scene.play(3)
    assert scene.verifier.newest is not None
    scene.plan = plan("bright")
    scene.verifier.look()
    assert scene.verifier.newest is None
    scene.play(3)
    assert scene.verifier.newest is not None
    assert scene.verifier.newest.verdicts[0].word == "bright"
    scene.plan = plan("bright", bypass=True)
    scene.play(3)
    assert scene.verifier.newest is None
    scene.plan = Plan()
    scene.play(2)
    assert scene.verifier.newest is None
    scene.plan = Plan(recipe="warm", amount=0.0)
    scene.play(2)
    assert scene.verifier.newest is None


def test_silence_is_neither_reached_nor_missed() -> None:
    scene = Scene(plan("warm"), np.zeros((int(4 * FS), 1), np.float32))
    scene.play(2 * LASTS)
    assert scene.verifier.newest is not None
    assert scene.verifier.newest.verdicts[0].outcome is Outcome.SILENT
    assert scene.said == []


def test_an_unknown_word_and_a_gap_stop_nothing() -> None:
    scene = Scene(plan("warm"), pink(6.0, FS))
    scene.plan = Plan(recipe="zzz", settings=EQSettings.flat())
    scene.play(2)
    assert scene.verifier.newest is None
    scene.plan = plan("warm")
    scene.tap.counters[TAPPED] += TAP_FRAMES  # the tap ran over
    scene.play(3)
    assert scene.verifier.newest is not None


@pytest.mark.alone
def test_it_runs_by_itself_and_costs_less_than_a_hundredth_of_a_core() -> None:
    scene = Scene(plan("warm + clear:0.5"), pink(6.0, FS, 2))
    with scene.verifier:
        write(scene.tap, scene.sound[: int(2.5 * FS)])
        end = time.monotonic() + 20.0
        while scene.verifier.newest is None and time.monotonic() < end:
            time.sleep(0.05)
        assert scene.verifier.newest is not None
    scene.play(1)
    start = time.thread_time()
    scene.play(10)
    assert (time.thread_time() - start) / (10 * LOOKS_PER_VERDICT * POLL_S) < 0.01
