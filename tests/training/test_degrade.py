import numpy as np
import pytest
from judged_music import music

from semeq.training.clips import Clips
from semeq.training.degrade import COUNTED, PRE_TILTS_DB, RECIPE, Degradation, tilt_curves
from semeq.training.judges import tilt_of_curve
from semeq.training.spectra import FREQS_HZ

BY_NAME = {line.name: line for line in RECIPE}


def at(freq_hz: float) -> int:
    return int(np.argmin(np.abs(FREQS_HZ - freq_hz)))


def test_a_tilt_is_as_large_as_it_says() -> None:
    curves = tilt_curves(PRE_TILTS_DB)
    low, high = at(100.0), at(10_000.0)
    octaves = np.log2(FREQS_HZ[high] / FREQS_HZ[low])
    assert curves.mean(axis=1) == pytest.approx(0.0, abs=1e-9)
    rise = (curves[:, high] - curves[:, low]) / octaves * np.log2(100.0)
    assert rise == pytest.approx(PRE_TILTS_DB, abs=1e-9)
    assert tilt_of_curve(curves) == pytest.approx(np.array(PRE_TILTS_DB) / np.log2(100.0))


@pytest.mark.parametrize(
    ("name", "strength", "changed_hz", "kept_hz"),
    [
        ("bright", -10.0, 20_000.0, 200.0),
        ("dark", 10.0, 20_000.0, 200.0),
        ("airy", -15.0, 21_000.0, 500.0),
        ("boom", -15.0, 20.0, 2000.0),
        ("warm", -12.0, 20.0, 8000.0),
        ("muddy", 12.0, 316.0, 4000.0),
        ("vocals", -12.0, 1100.0, 50.0),
    ],
)
def test_strength_is_reached_where_it_should_and_nowhere_else(
    name: str, strength: float, changed_hz: float, kept_hz: float
) -> None:
    curve = BY_NAME[name].curves_db(np.array([strength]))[0]
    # A shelf of q 0.71 is within a tenth of its gain at the ends; the band's skirts ripple at 20 dB.
    assert curve[at(changed_hz)] == pytest.approx(strength, abs=0.12 * abs(strength))
    assert abs(curve[at(kept_hz)]) < 0.6


def test_clarity_is_a_low_pass_of_whole_order() -> None:
    curve = BY_NAME["clarity"].curves_db(np.array([4.2]))[0]
    assert curve[at(2000.0)] == pytest.approx(-3.0, abs=1.0)
    octave = curve[at(8000.0)] - curve[at(4000.0)]
    assert octave == pytest.approx(-24.0, abs=2.0)


@pytest.mark.parametrize("line", RECIPE, ids=lambda line: line.name)
def test_what_is_done_shows_in_its_band(line: Degradation) -> None:
    spectra = music()
    curves = line.draw(np.random.default_rng(0), len(spectra))
    share = line.judge.share(Clips(spectra, range(len(spectra)), curves).power)
    clean = line.judge.share(spectra.power)
    assert ((share - clean) * np.sign(curves[:, line.judge.bands].mean(axis=1)) > 0.0).all()


def test_draws_stay_in_range_and_repeat() -> None:
    for line in COUNTED:
        curves = line.draw(np.random.default_rng(1), 50)
        again = line.draw(np.random.default_rng(1), 50)
        assert np.array_equal(curves, again)
        extreme = np.abs(curves).max(axis=1)
        assert extreme.max() <= max(map(abs, line.range_db)) + 0.5
        assert extreme.std() > 0.5


def test_clarity_and_vocals_do_not_count() -> None:
    assert [line.name for line in COUNTED] == ["bright", "dark", "airy", "boom", "muddy", "warm"]
