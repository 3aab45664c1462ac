"""The gain known in advance is the loudness change that is measured afterwards."""

import numpy as np
import pytest
from ab_loudness import SETTLED_S, TERMS, louder_lu

from semeq.engine.chain import Chain
from semeq.engine.compensation import MAX_UP_DB, ProgrammeSpectrum
from semeq.engine.design import design
from semeq.engine.loudness import LoudnessMeter
from semeq.engine.settings import LAYOUT, REST_FREQS_HZ, Band, EQSettings
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio

FS = 48_000.0
# Prediction from the last seconds against the standard's gated meter on the whole mix.
AGREEMENT_LU = 0.5
# A session that follows the mix, bypass against processed. Measured: 0.14.
MATCHED_LU = 0.2


def eq(*gains_db: float) -> EQSettings:
    return EQSettings(
        tuple(Band(k, f, g) for k, f, g in zip(LAYOUT, REST_FREQS_HZ, gains_db, strict=True))
    )


def loudness(audio: Audio) -> float:
    meter = LoudnessMeter(FS, audio.shape[1])
    meter.feed(audio)
    value = meter.integrated()
    assert value is not None
    return value


@pytest.mark.parametrize(
    "settings",
    [eq(6, 0, 3, 0, 0, -4, -8), eq(-8, -3, 0, 3, 6, 6, 8), eq(0, 0, 0, 9, 0, 0, 0)],
)
def test_it_predicts_the_meter(settings: EQSettings) -> None:
    mix = demo_mix()
    programme = ProgrammeSpectrum(FS)
    for end in range(programme.frames, len(mix), 4800):
        programme.feed(mix[end - programme.frames : end])
    chain = Chain(FS, 2)
    chain.set_target(design(settings, FS, gain_db=programme.compensation_db(settings)))
    change = loudness(chain.process(mix)) - loudness(mix)
    bare = Chain(FS, 2)
    bare.set_target(design(settings, FS))
    assert (
        abs(loudness(bare.process(mix)) - loudness(mix)) > 1.0
    )  # there was something to compensate
    assert abs(change) <= AGREEMENT_LU


def test_a_live_session_is_as_loud_as_bypassed() -> None:
    mix = demo_mix(FS, SETTLED_S + 14.0)
    for term in TERMS[1::2]:
        louder = louder_lu(mix, FS, term)
        assert louder is not None
        assert abs(louder) <= MATCHED_LU, term


def kicks_and_hats(seconds: float) -> Audio:
    """Return loud bass and quiet treble by turns: what is known of the one is always about the other."""
    t = np.arange(round(seconds * FS)) / FS
    rng = np.random.default_rng(3)
    kick = np.sin(2 * np.pi * 60.0 * t) * np.exp(-(t % 0.5) / 0.08)
    hats = 0.1 * np.diff(rng.standard_normal(len(t) + 1))
    made: Audio = (0.4 * (kick + 0.3 * hats))[:, None].astype(np.float32)
    return made


def test_what_is_owed_goes_with_the_knob() -> None:
    """Turned back to nothing, the gain is nothing all the way, and no debt of before comes back."""
    programme = ProgrammeSpectrum(FS)
    deep = eq(9, 6, 0, 0, 0, 0, 0)
    sound = kicks_and_hats(12.0)
    for end in range(programme.frames, len(sound), 4800):
        programme.compensation_db(deep)
        programme.feed(sound[end - programme.frames : end])
    steps = [programme.compensation_db(deep.scaled(amount)) for amount in np.linspace(1, 0, 101)]
    assert np.abs(np.diff(steps)).max() < 0.15
    assert steps[-1] == 0.0
    assert abs(steps[-2]) < 0.15


def test_flat_needs_nothing_and_nothing_heard_is_pink() -> None:
    programme = ProgrammeSpectrum(FS)
    assert programme.compensation_db(EQSettings.flat()) == 0.0
    up = programme.compensation_db(eq(-6, -6, -6, -6, -6, -6, -6))
    assert 5.0 < up <= MAX_UP_DB


def test_silence_and_short_blocks_are_left_out() -> None:
    programme = ProgrammeSpectrum(FS)
    bright = eq(0, 0, 0, 0, 0, 0, 6)
    before = programme.compensation_db(bright)
    programme.feed(np.zeros((programme.frames, 2), dtype=np.float32))
    programme.feed(np.ones((10, 2), dtype=np.float32))
    assert programme.compensation_db(bright) == before


def test_it_is_about_this_material() -> None:
    """A treble boost costs level on hiss and nothing on a bass note."""
    t = np.arange(16_384) / FS
    bass = (0.3 * np.sin(2 * np.pi * 80 * t)).astype(np.float32)[:, None]
    hiss = np.diff(0.1 * np.random.default_rng(0).standard_normal((16_385, 1)), axis=0).astype(
        np.float32
    )
    bright = eq(0, 0, 0, 0, 0, 0, 9)
    gains = []
    for sound in (bass, hiss):
        programme = ProgrammeSpectrum(FS)
        programme.feed(sound)
        gains.append(programme.compensation_db(bright))
    assert abs(gains[0]) < 0.3
    assert gains[1] < -5.0
