import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_music import Curve, bump, music, smooth_curves
from scipy.stats import spearmanr

from semeq.engine.loudness import LoudnessMeter
from semeq.engine.units import Audio, Floats
from semeq.presets.library import load_vocabulary
from semeq.training.clips import Clips, apply_curve
from semeq.training.degrade import PRE_TILTS_DB
from semeq.training.judges import BAND_JUDGES
from semeq.training.measures import (
    adaptivity,
    at_strength,
    blend_monotone,
    confusion,
    distribution_place,
    effect_db,
    explained,
    level_change_db,
    loudness_change_db,
    loudness_matched_effect_db,
    mmd,
    monotone,
    movement_db,
    ranks,
    rms_of,
    spearman,
)
from semeq.training.methods import SpectralMethod
from semeq.training.rivals import ConstantCurve, SpectrumMatch, typical_spectrum, vocabulary_curves
from semeq.training.spectra import band_powers, to_bands
from semeq.training.words import GRID_HZ

CURVES = vocabulary_curves(load_vocabulary())
FS = 44_100


def all_clips() -> Clips:
    spectra = music()
    return Clips(spectra, range(len(spectra)))


@given(st.lists(st.integers(0, 5), min_size=3, max_size=12), st.integers(0, 10_000))
def test_ranks_and_rho_are_scipys(values: list[int], seed: int) -> None:
    a = np.array(values, dtype=np.float64)
    b: Floats = np.random.default_rng(seed).permutation(a) + np.linspace(0.0, 2.0, len(a))
    b = np.round(b, 9)  # what is equal but for rounding is a tie to ours, not to scipy's
    if len(set(values)) > 1 and len(set(b.tolist())) > 1:
        assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert ranks(a).sum() == pytest.approx(len(a) * (len(a) - 1) / 2)


def test_a_constant_has_no_rank() -> None:
    assert spearman(np.ones(5), np.arange(5.0)) == 0.0


def test_equal_strength_is_equal_and_does_not_blow_up_nothing() -> None:
    curves = np.array([bump(300.0, 4.0), bump(300.0, 20.0), 0.001 * bump(300.0)])
    rms = rms_of(at_strength(curves))
    assert rms[:2] == pytest.approx(3.0)
    assert rms[2] < 0.01
    assert not at_strength(np.zeros((1, 61))).any()


def test_twice_the_curve_has_no_larger_effect_at_equal_strength() -> None:
    power = music().power
    one, two = (np.tile(a * CURVES["bright"], (len(power), 1)) for a in (1.0, 2.0))
    assert effect_db("bright", at_strength(one), power) == pytest.approx(
        effect_db("bright", at_strength(two), power)
    )
    assert (effect_db("bright", two, power) > effect_db("bright", one, power)).all()


def test_loudness_change_is_the_meters() -> None:
    rng = np.random.default_rng(0)
    audio = (0.05 * rng.standard_normal((4 * FS, 2))).astype(np.float32)
    curve = bump(100.0, 9.0) - bump(6000.0, 5.0)
    after = apply_curve(audio, FS, curve, GRID_HZ)
    meter = LoudnessMeter(FS, 2, sides=2)
    meter.feed(audio, after)
    before_lufs, after_lufs = meter.ungated(0), meter.ungated(1)
    assert before_lufs is not None
    assert after_lufs is not None
    power = band_powers(audio, FS)[None]
    found = loudness_change_db(power, power * 10.0 ** (to_bands(curve) / 10.0))
    # The weighting is that of 48 kHz, and the narrow bands are wide at the top.
    assert found == pytest.approx(after_lufs - before_lufs, abs=0.1)


def test_turning_everything_up_is_no_effect_at_equal_loudness() -> None:
    power = music().power
    louder = np.full((len(power), 61), 6.0)
    assert loudness_matched_effect_db("warm", louder, power) == pytest.approx(0.0, abs=1e-9)
    assert (loudness_matched_effect_db("dark", -bump(9000.0) + louder, power) > 0.0).all()


def test_adaptivity_of_less_the_more_there_is() -> None:
    tilts = np.array(PRE_TILTS_DB)
    applied = np.stack([-0.5 * tilts, 0.1 * tilts, 0.0 * tilts], axis=-1)[None]
    assert adaptivity(applied, PRE_TILTS_DB)[0] == pytest.approx([-1.0, 1.0, 0.0])


def test_mmd_tells_equal_from_different() -> None:
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(0, 1, (200, 4)), rng.normal(0, 1, (200, 4)), rng.normal(1, 1, (200, 4))
    assert abs(mmd(a, b)) < 0.02
    assert mmd(a, c) > 0.2


def test_people_are_nearer_to_people_than_to_chance() -> None:
    spectra = music(40, 3)
    rng = np.random.default_rng(0)
    people = CURVES["bright"] * 2.0 + 0.5 * rng.standard_normal((20, 1)) * bump(1000.0, 2.0)
    held, train = people[:8], people[8:]
    like = people[rng.integers(20, size=len(spectra))]
    place = distribution_place(like, held, train, spectra.power)
    flat = distribution_place(np.zeros_like(like), held, train, spectra.power)
    assert place is not None
    assert flat is not None
    assert place > 0.8 > 0.5 > flat
    nobody = 1e-6 * people
    assert distribution_place(like, nobody, nobody, spectra.power) is None


def test_a_knob_that_turns_one_way_is_monotone() -> None:
    clips = all_clips()
    rho, flat = monotone(ConstantCurve(CURVES), "bright", clips)
    assert rho.mean() > 0.99
    assert flat == 0.0


def test_a_knob_that_comes_back_is_not() -> None:
    class There(SpectralMethod):
        name = "there and back"

        def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
            return np.tile(np.sin(np.pi * amount) * bump(9000.0), (len(clips), 1)) + 0.5

    rho, flat = monotone(There(), "bright", all_clips())
    assert rho.mean() < 0.3
    assert flat == 0.5


def test_blends_move_with_the_knob_that_is_turned() -> None:
    clips = all_clips()
    assert blend_monotone(ConstantCurve(CURVES), "bright", "deep", clips).mean() > 0.99

    class Deaf:
        def blends_db(self, weights: object, clips: Clips) -> Floats:
            return np.zeros((len(clips), 61))

    assert blend_monotone(Deaf(), "bright", "deep", clips).mean() == 0.0


def test_level_dependence_is_seen() -> None:
    class Sounding(Clips):
        def audio(self, k: int) -> tuple[Audio, float]:
            rng = np.random.default_rng(k)
            return (0.1 * rng.standard_normal((FS, 2))).astype(np.float32), FS

    class Nervous:
        name = "nervous"

        def curve_db(self, word: str, amount: float, audio: Audio, fs: float) -> Floats:
            return bump(1000.0) * float(np.abs(audio).max())

    clips = Sounding(music(), [0, 1])
    spectra = music()
    match = SpectrumMatch(CURVES, typical_spectrum(spectra))
    assert level_change_db(match, "warm", clips, 2).max() < 1e-3
    assert level_change_db(Nervous(), "warm", clips, 2).min() > 0.2


def test_movement_is_between_neighbours_of_one_recording() -> None:
    curves = np.array([0.0, 1.0, 5.0, 5.0])[:, None] * np.ones(61)
    assert movement_db(curves, ("a", "a", "b", "b")) == pytest.approx([1.0, 0.0])


def test_confusion_catches_one_that_always_brightens() -> None:
    words = ("warm", "airy", "muddy", "tinny")
    own = {
        word: bump(np.sqrt(BAND_JUDGES[word].low_hz * BAND_JUDGES[word].high_hz), 6.0, 0.6)
        for word in words
    }
    shares, margins = confusion(ConstantCurve(own), all_clips(), words)
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert np.diag(shares).min() > 0.9
    assert margins.min() > 0.0
    always, margin = confusion(Curve(own["airy"]), all_clips(), words)
    assert always[:, 1].min() > 0.5
    assert margin[0] < 0.0


def test_explained() -> None:
    from semeq.training.human import without_level

    truth = without_level(np.array([bump(200.0), -bump(5000.0)]))
    assert explained(truth, truth) == pytest.approx(1.0)
    assert explained(truth + 3.0, truth) == pytest.approx(1.0)  # level is no matter
    assert explained(0.0 * truth, truth) == pytest.approx(0.0)
    assert explained(-truth, truth) == pytest.approx(-3.0)


def test_detection_by_the_match_is_better_than_nothing() -> None:
    spectra = music(40, 1)
    truth = smooth_curves(40, 9, 5.0) @ np.linalg.pinv(to_bands(np.eye(61)))
    match = SpectrumMatch(CURVES, typical_spectrum(spectra))
    found = match.put_on_db(Clips(spectra, range(40), to_bands(truth)))
    assert explained(found, truth) > 0.1


def test_effects_of_all_judges_have_one_number_a_clip() -> None:
    clips = all_clips()
    for word in BAND_JUDGES:
        curves = np.tile(CURVES[word], (len(clips), 1))
        assert effect_db(word, curves, clips.power).shape == (len(clips),)
