import numpy as np
import pytest
from judged_music import FS, bump, music

from semeq.engine.units import Floats
from semeq.training.clips import apply_curve
from semeq.training.judges import (
    BAND_JUDGES,
    BandJudge,
    profile,
    spectral_centroid,
    spectral_tilt,
    tilt_of_curve,
    with_curves,
)
from semeq.training.spectra import BAND_EDGES_HZ, FREQS_HZ, band_powers, to_bands
from semeq.training.words import GRID_HZ

#: A sine's power leaks out of a narrow band through the window.
LEAK = 0.02
PINK = np.diff(np.log2(BAND_EDGES_HZ))


def test_a_sine_lies_in_its_band() -> None:
    t = np.arange(4 * FS) / FS
    audio = np.sin(2.0 * np.pi * 300.0 * t)[:, None].astype(np.float32)
    power = band_powers(audio, FS)
    assert power.sum() == pytest.approx(0.5, rel=0.01)
    assert BandJudge("muddy", 200.0, 500.0).share(power) == pytest.approx(1.0, abs=LEAK)
    assert BandJudge("boomy", 20.0, 150.0).share(power) == pytest.approx(0.0, abs=LEAK)


def test_bands_end_where_they_say() -> None:
    for judge in BAND_JUDGES.values():
        edges = BAND_EDGES_HZ[[judge.bands.start, judge.bands.stop]]
        assert edges == pytest.approx([judge.low_hz, judge.high_hz])


@pytest.mark.parametrize("word", sorted(BAND_JUDGES))
def test_a_boost_of_the_band_is_heard_and_a_cut_too(word: str) -> None:
    judge = BAND_JUDGES[word]
    power = music().power
    centre = np.sqrt(judge.low_hz * judge.high_hz)
    boost = to_bands(bump(centre, 6.0, 0.5))
    up = judge.score_db(with_curves(power, boost)) - judge.score_db(power)
    down = judge.score_db(with_curves(power, -boost)) - judge.score_db(power)
    assert (judge.sign * up > 0.1).all()
    assert (judge.sign * down < -0.1).all()


@pytest.mark.parametrize("word", sorted(BAND_JUDGES))
def test_level_alone_is_no_move(word: str) -> None:
    judge, power = BAND_JUDGES[word], music().power
    assert judge.score_db(100.0 * power) == pytest.approx(judge.score_db(power), abs=1e-9)


def test_an_empty_band_is_not_judged() -> None:
    power = np.where(FREQS_HZ < 8000.0, PINK, 0.0)
    assert BAND_JUDGES["airy"].can_judge(power) == 0.0
    assert BAND_JUDGES["warm"].can_judge(power) == 1.0


def test_pink_noise_has_no_tilt_and_a_line_has_its_own() -> None:
    line = 1.5 * np.log2(FREQS_HZ / 1000.0)
    assert spectral_tilt(PINK) == pytest.approx(0.0, abs=1e-9)
    assert tilt_of_curve(line) == pytest.approx(1.5, abs=1e-9)


def test_tilts_add() -> None:
    power = music().power
    curves: Floats = to_bands(np.tile(bump(5000.0), (len(power), 1)))
    after = spectral_tilt(with_curves(power, curves))
    assert after == pytest.approx(spectral_tilt(power) + tilt_of_curve(curves), abs=1e-6)


def test_centroid_follows_brightness() -> None:
    power = music().power
    bright = with_curves(power, to_bands(bump(8000.0)))
    assert (spectral_centroid(bright) > spectral_centroid(power)).all()
    assert spectral_centroid(PINK * (np.abs(FREQS_HZ - 2000.0) < 60.0)) == pytest.approx(
        1.0, abs=0.05
    )


def test_the_profile_is_all_there_is_up_to_20_khz() -> None:
    shares = profile(music().power)
    assert shares.shape == (24, 9)
    assert shares.sum(axis=-1) == pytest.approx(1.0, abs=0.03)  # the rest is above 20 kHz


def test_power_times_response_is_what_filtering_does() -> None:
    """The ground of it all: judging the table of powers is judging the filtered sound."""
    rng = np.random.default_rng(3)
    audio = rng.standard_normal((6 * FS, 2)).astype(np.float32)
    curve = bump(400.0, 9.0) - bump(4000.0, 6.0)
    table = with_curves(band_powers(audio, FS), to_bands(curve))
    heard = band_powers(apply_curve(audio, FS, curve, GRID_HZ), FS)
    for judge in BAND_JUDGES.values():
        # Measured: 0.02 dB, from bins as wide as the narrow bands below 150 Hz.
        assert judge.score_db(table) == pytest.approx(float(judge.score_db(heard)), abs=0.05)
