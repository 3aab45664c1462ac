"""Howls in a simulated loop are ducked in time and let go safely; music's tones are none."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mic_loop import Played, constant, play

from semeq.engine.howl import Howl, HowlDetector
from semeq.engine.howl_guard import DUCK_DB, HOLD_S, HowlGuard, Phase
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio, Floats, db_to_gain

#: What the guard has to keep, from when there is a howl, `mic_loop.Played.narrow_and_growing`.
IN_TIME_S = 0.3
PROGRAMME_DB = -26.0
SECONDS = 3.5


def programme(kind: str, fs: float, seconds: float = SECONDS) -> Floats:
    """Return a sound of so many seconds at -26 dBFS rms."""
    frames = round(fs * seconds)
    if kind == "noise":
        sound = np.random.default_rng(1).standard_normal(frames)
    elif kind == "music":
        sound = np.resize(np.asarray(demo_mix(round(fs)), dtype=np.float64)[:, 0], frames)
    else:
        sound = speech(fs, frames)
    return np.asarray(db_to_gain(PROGRAMME_DB) * sound / np.sqrt(np.mean(sound**2)))


def speech(fs: float, frames: int) -> Floats:
    """Return syllables: a gliding voice with two formants, and breath between."""
    t = np.arange(frames) / fs
    pitch_hz = 120.0 * (
        1.0 + 0.1 * np.sin(2 * np.pi * 0.7 * t) + 0.05 * np.sin(2 * np.pi * 2.3 * t)
    )
    phase = 2.0 * np.pi * np.cumsum(pitch_hz) / fs
    voice = np.zeros(frames)
    for k in range(1, 30):
        first = 1.0 / (1.0 + ((120.0 * k - 600.0) / 500.0) ** 2)
        second = 0.3 / (1.0 + ((120.0 * k - 1800.0) / 400.0) ** 2)
        voice += (first + second) * np.sin(k * phase + k)
    syllable = np.clip(
        np.sin(2 * np.pi * 3.7 * t) + 0.6 * np.sin(2 * np.pi * 0.9 * t + 1.0), 0, None
    )
    breath = np.random.default_rng(0).standard_normal(frames)
    return np.asarray(voice * syllable + 0.02 * breath)


class Guarding:
    """The guard in the loop, as a session runs it: asked every 10 ms, heard one step later."""

    def __init__(self, fs: float) -> None:
        self.fs, self.detector, self.guard = fs, HowlDetector(fs, 1), HowlGuard()
        self.ducked_at: int | None = None
        self.said: list[str] = []
        self.phases: set[Phase] = set()
        self._waiting: list[np.ndarray] = []
        self._from = self._to = self._gain = 1.0
        self._at = self._frames = 0
        self._asked = 0

    def __call__(self, block: Floats) -> float:
        """Take a block of the microphone, return the gain at its end."""
        self._waiting.append(block)
        self._asked += len(block)
        if self._asked >= 0.01 * self.fs:
            sound = np.concatenate(self._waiting).astype(np.float32)[:, None]
            self._waiting, self._asked = [], 0
            before = self.guard.duck
            howls = self.detector.feed(sound)
            now_s = self.detector.frame / self.fs
            line = self.guard.update(now_s, howls, self.detector.level_db)
            self.said += [line] if line else []
            self.phases.add(self.guard.phase)
            if self.guard.duck != before:
                self._from, self._to = self._gain, db_to_gain(self.guard.duck.gain_db)
                self._at, self._frames = 0, round(self.guard.duck.ramp_s * self.fs)
        self._at = min(self._at + len(block), self._frames)
        share = self._at / self._frames if self._frames else 1.0
        self._gain = self._from + (self._to - self._from) * share
        if self.ducked_at is None and self._gain <= 0.51:
            self.ducked_at = self.detector.frame + self._asked
        return self._gain


def guarded(
    fs: float, freq_hz: float, gain: float, delay_s: float, kind: str
) -> tuple[Played, Guarding]:
    guard = Guarding(fs)
    return play(programme(kind, fs), fs, freq_hz, constant(gain, 0.5), delay_s, guard), guard


def heard(sound: Audio | Floats, fs: float) -> tuple[Howl, ...]:
    return HowlDetector(fs, 1).feed(np.asarray(sound, dtype=np.float32)[:, None])


@pytest.mark.parametrize(
    ("fs", "freq_hz", "gain", "delay_s", "kind"),
    [
        (48_000, 250.0, 1.3, 0.03, "noise"),
        (48_000, 1000.0, 1.1, 0.02, "speech"),
        (48_000, 2300.0, 1.05, 0.01, "speech"),
        (48_000, 2300.0, 2.0, 0.01, "music"),
        (48_000, 5000.0, 1.2, 0.02, "noise"),
        (48_000, 9000.0, 1.5, 0.03, "music"),
        (48_000, 1000.0, 3.0, 0.005, "noise"),
        (48_000, 400.0, 2.0, 0.01, "speech"),
        (44_100, 700.0, 1.2, 0.02, "music"),
        (44_100, 3000.0, 1.5, 0.005, "speech"),
        (96_000, 700.0, 1.3, 0.01, "noise"),
        (96_000, 3000.0, 1.2, 0.02, "music"),
    ],
)
def test_a_loop_is_ducked_within_300_ms(
    fs: float, freq_hz: float, gain: float, delay_s: float, kind: str
) -> None:
    played, guard = guarded(fs, freq_hz, gain, delay_s, kind)
    assert guard.ducked_at is not None
    assert played.delay_s(guard.ducked_at) <= IN_TIME_S
    assert guard.guard.freq_hz == pytest.approx(played.freq_hz, rel=0.02)
    assert guard.said[0].endswith("12 dB lower until it stops")
    assert guard.guard.left_alone == 0


def test_the_same_loop_without_a_guard_is_loud() -> None:
    played = play(programme("noise", 48_000), 48_000, 1000.0, constant(1.3, 0.5), 0.01)
    assert np.abs(played.speaker[-48_000:]).max() > 0.9
    assert played.narrow_and_growing().any()


def test_it_is_let_go_when_the_loop_is_gone() -> None:
    fs, guard = 48_000.0, Guarding(48_000.0)
    sound = programme("noise", fs, 5.5)
    play(sound, fs, 1000.0, lambda t: 1.3 if 0.5 < t < 1.6 else 0.5, 0.02, guard)
    assert guard.guard.phase is Phase.CLEAR
    assert guard.guard.duck.gain_db == 0.0
    assert guard.guard.ducks == 1
    assert guard.said[-1].endswith("the level is back")


def test_a_loop_that_stays_is_held_below_where_it_howls() -> None:
    fs, guard = 48_000.0, Guarding(48_000.0)
    played = play(programme("noise", fs, 14.0), fs, 1000.0, constant(1.5, 0.5), 0.02, guard)
    assert Phase.RESTING in guard.phases
    assert guard.guard.duck.gain_db <= -6.0  # it howls above -3.5 dB
    assert guard.guard.ducks <= 4
    assert "turn the microphone or the loudspeaker down" in guard.said[-1]
    loud = np.abs(played.speaker).reshape(-1, 480).max(axis=1) > 0.9
    assert loud.mean() < 0.03


def fade(frames: int, seconds: float, fs: float, shape: str) -> Floats:
    """Return a gain that rises to 1 within so many seconds as a player's, or a fader's, does."""
    share = np.minimum(np.arange(frames) / (seconds * fs), 1.0)
    if shape == "linear":
        return np.asarray(share)
    if shape == "capacitor":
        return np.asarray(1.0 - np.exp(-4.0 * share))
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * share))


def tones(*parts: tuple[float, float], seconds: float = 3.0) -> Floats:
    t = np.arange(round(48_000 * seconds)) / 48_000
    return np.asarray(sum(level * np.sin(2 * np.pi * freq_hz * t) for freq_hz, level in parts))


def vibrato(freq_hz: float, cents: float, seconds: float = 3.0) -> Floats:
    t = np.arange(round(48_000 * seconds)) / 48_000
    pitch = freq_hz * 2.0 ** (cents / 1200.0 * np.sin(2 * np.pi * 5.5 * t))
    return np.asarray(np.sin(2 * np.pi * np.cumsum(pitch) / 48_000))


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("shape", ["linear", "capacitor", "cosine"])
def test_a_pure_tone_that_is_played_in_is_no_howl(seconds: float, shape: str) -> None:
    """As a synthesiser, a flute or a fader begins: pure, at one frequency, and growing."""
    for freq_hz in (220.0, 1000.0, 3000.0):
        tone = 0.4 * tones((freq_hz, 1.0)) * fade(144_000, seconds, 48_000, shape)
        assert not heard(np.pad(tone, (48_000, 0)), 48_000)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(tones((440, 0.2), (554, 0.2), (659, 0.2)), id="a chord held"),
        pytest.param(
            tones((440, 0.3), (554, 0.3), (659, 0.3)) * fade(144_000, 2.0, 48_000, "linear"),
            id="a chord fading in",
        ),
        pytest.param(
            np.geomspace(0.01, 0.5, 144_000) * tones((440, 1.0), (880, 0.4), (1320, 0.3)),
            id="an organ's straight crescendo",
        ),
        pytest.param(
            np.geomspace(0.01, 0.5, 144_000) * vibrato(1000, 30), id="a whistle's, with vibrato"
        ),
        pytest.param(
            0.5
            * np.sin(2 * np.pi * 100 / 0.5 * np.exp(np.log(80) * np.arange(240_000) / 240_000) * 2),
            id="a sweep",
        ),
        pytest.param(
            0.5
            * tones((1000, 1.0))
            * (1 + 0.9 * np.sin(2 * np.pi * 4 * np.arange(144_000) / 48_000)),
            id="a tremolo",
        ),
        pytest.param(
            np.tile(np.exp(-np.arange(24_000) / 8000), 6) * tones((880, 0.5)), id="a marimba"
        ),
        pytest.param(tones((1000, 0.5)), id="a test tone"),
    ],
)
def test_no_howl_in_what_music_does(sound: Floats) -> None:
    assert not heard(np.pad(sound, (24_000, 0)), 48_000)


def test_a_pure_tone_faded_in_straight_is_ducked_once_and_left_alone() -> None:
    """No ear could tell it from a howl while it grows; that it does not fall with us tells."""
    fs, guard = 48_000.0, Guarding(48_000.0)
    tone = np.geomspace(0.001, 0.5, 96_000) * tones((1000, 1.0), seconds=2.0)
    played = play(np.pad(tone, (24_000, 0)), fs, 3000.0, constant(0.0), 0.01, guard)
    assert len(played.speaker) > 0
    assert guard.guard.left_alone == 1
    assert guard.guard.duck.gain_db == 0.0
    assert "no howl of ours" in guard.said[-1]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=8))
def test_any_partition_hears_the_same(sizes: list[int]) -> None:
    sound = np.geomspace(1e-3, 0.5, 48_000) * tones((1000, 1.0), seconds=1.0)
    audio = sound.astype(np.float32)[:, None].repeat(2, axis=1)
    whole = HowlDetector(48_000, 2).feed(audio)
    parts: list[Howl] = []
    detector, at, i = HowlDetector(48_000, 2), 0, 0
    while at < len(audio):
        parts += detector.feed(audio[at : at + sizes[i % len(sizes)]])
        at, i = at + sizes[i % len(sizes)], i + 1
    assert whole
    assert [(h.frame, round(h.freq_hz, 3)) for h in parts] == [
        (h.frame, round(h.freq_hz, 3)) for h in whole
    ]


def test_channels_out_of_phase_are_not_lost() -> None:
    sound = np.geomspace(1e-3, 0.5, 48_000) * tones((1000, 1.0), seconds=1.0)
    assert HowlDetector(48_000, 2).feed(np.stack([sound, -sound], axis=1).astype(np.float32))


# ---- the guard alone


def howl(freq_hz: float = 1000.0, level_db: float = -20.0) -> Howl:
    return Howl(0, freq_hz, level_db, 50.0)


def test_a_howl_that_does_not_fall_is_ducked_deeper_then_left_alone() -> None:
    guard = HowlGuard()
    assert "howling at 1.0 kHz" in (guard.update(0.0, [howl()], lambda f: -20.0) or "")
    assert guard.duck.gain_db == -DUCK_DB
    guard.update(0.2, [howl()], lambda f: -20.0)
    assert guard.duck.gain_db == -DUCK_DB
    guard.update(0.31, [], lambda f: -20.0)
    assert guard.duck.gain_db == -2 * DUCK_DB
    assert "left alone" in (guard.update(0.7, [], lambda f: -20.0) or "")
    assert guard.duck.gain_db == 0.0
    assert guard.update(1.0, [howl(1010.0)], lambda f: -20.0) is None
    assert guard.duck.gain_db == 0.0
    guard.update(1.1, [howl(2000.0)], lambda f: -20.0)
    assert guard.duck.gain_db == -DUCK_DB


def test_one_that_still_rises_is_not_waited_for() -> None:
    guard = HowlGuard()
    guard.update(0.0, [howl()], lambda f: -20.0)
    guard.update(0.16, [], lambda f: -15.0)
    assert guard.duck.gain_db == -2 * DUCK_DB


def test_one_that_comes_back_is_held_longer_and_kept_below() -> None:
    guard, now_s, gains = HowlGuard(), 0.0, []
    holds = []
    while now_s < 40.0:
        at_db = guard.duck.gain_db
        howls = [howl()] if at_db > -4.0 and guard.phase is not Phase.DUCKED else []
        began = guard.phase
        guard.update(now_s, howls, lambda f: -60.0)
        if began is Phase.DUCKED and guard.phase is Phase.HOLDING:
            holds.append(guard._hold_s)
        gains.append(guard.duck.gain_db)
        now_s += 0.01
    assert holds[0] == HOLD_S
    assert all(b >= a for a, b in pairwise(holds))
    assert guard.ducks <= 4
    assert max(gains[-500:]) <= -6.0
