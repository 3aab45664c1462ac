import numpy as np
import pytest
from judged_music import music

from semeq.presets.library import load_vocabulary
from semeq.training.clips import Clips
from semeq.training.rivals import (
    MATCH_LIMIT_DB,
    ConstantCurve,
    Identity,
    RandomEQ,
    SpectrumMatch,
    TargetOnly,
    levels_db,
    typical_spectrum,
    vocabulary_curves,
)
from semeq.training.spectra import BAND_EDGES_HZ, FREQS_HZ

CURVES = vocabulary_curves(load_vocabulary())
PINK = np.diff(np.log2(BAND_EDGES_HZ)) / np.log2(BAND_EDGES_HZ[-1] / BAND_EDGES_HZ[0])


def clips() -> Clips:
    spectra = music()
    return Clips(spectra, range(len(spectra)))


def test_pink_noise_is_level() -> None:
    assert levels_db(PINK) == pytest.approx(0.0, abs=0.2)


def test_levels_follow_a_tilt() -> None:
    tilted = PINK * 10.0 ** (2.0 * np.log2(FREQS_HZ / 1000.0) / 10.0)
    levels = levels_db(tilted / tilted.sum())
    assert levels[40] - levels[20] == pytest.approx(2.0 * np.log2(10.0), abs=0.2)


def test_each_package_weighs_the_same() -> None:
    spectra = music()
    typical = typical_spectrum(spectra)
    doubled = spectra.only(
        [*range(len(spectra)), *np.flatnonzero(np.array(spectra.packages) == "p0")]
    )
    assert typical_spectrum(doubled) == pytest.approx(typical)
    assert typical.mean() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    "method",
    [
        Identity(),
        RandomEQ(CURVES),
        ConstantCurve(CURVES),
        TargetOnly(CURVES),
        SpectrumMatch(CURVES, typical_spectrum(music())),
    ],
    ids=lambda method: method.name,
)
def test_amount_zero_is_flat_and_shapes_are_right(method: Identity) -> None:
    some = clips()
    assert method.curves_db("warm", 0.7, some).shape == (len(some), 61)
    assert np.abs(method.curves_db("warm", 0.0, some)).max() == 0.0


def test_random_is_as_strong_never_the_word_and_repeats() -> None:
    method = RandomEQ(CURVES, 3)
    curves = method.curves_db("tinny", 1.0, clips())
    assert np.sqrt(np.mean(curves**2, axis=1)) == pytest.approx(
        np.sqrt(np.mean(CURVES["tinny"] ** 2))
    )
    assert len(np.unique(curves.round(6), axis=0)) > 5
    assert not np.isclose(curves, CURVES["tinny"]).all(axis=1).any()
    assert np.array_equal(curves, method.curves_db("tinny", 1.0, clips()))


def test_the_match_reaches_its_target_where_it_may() -> None:
    spectra = music()
    typical = typical_spectrum(spectra)
    near = Clips(spectra, [0])
    method = SpectrumMatch(CURVES, levels_db(near.power[0]))
    assert method.curves_db("warm", 1.0, near)[0] == pytest.approx(CURVES["warm"], abs=1e-3)
    far = SpectrumMatch(CURVES, typical + 40.0 * np.sin(np.arange(61)))
    assert np.ptp(far.curves_db("warm", 1.0, near)) == pytest.approx(2 * MATCH_LIMIT_DB, abs=1e-9)


def test_the_match_of_a_reversed_word_aims_at_the_reverse() -> None:
    spectra = music()
    # Shipped curves are rounded: their mean is not quite 0.
    some = Clips(spectra, [0])
    method = SpectrumMatch(CURVES, levels_db(some.power[0]))
    assert method.curves_db("warm", -1.0, some)[0] == pytest.approx(-CURVES["warm"], abs=1e-3)


def test_bands_follow_the_curve() -> None:
    found = TargetOnly(CURVES).curves_db("bright", 1.0, clips())[0]
    assert np.sqrt(np.mean((found - CURVES["bright"]) ** 2)) < 0.7


def test_a_sound_gets_the_curve_of_its_spectrum() -> None:
    rng = np.random.default_rng(0)
    audio = (0.1 * rng.standard_normal((44_100, 2))).astype(np.float32)
    method = SpectrumMatch(CURVES, np.zeros(61))
    curve = method.curve_db("warm", 1.0, audio, 44_100.0)
    assert curve.shape == (61,)
    # White noise rises by 3 dB an octave above pink: a match takes its top down.
    assert curve[-5:].mean() < curve[20:30].mean() - 3.0
