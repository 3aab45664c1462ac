"""Noise has the slope that its name says, and bursts decay."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.errors import SettingsError
from semeq.training.crops import level_db
from semeq.training.noise import KINDS, NOISE_LEVEL_DB, SyntheticNoise

FS = 48_000.0
#: Slope of a line through 8 octaves of 10 s of noise: three standard deviations, measured.
SLOPE_ATOL_DB = 0.1


@pytest.mark.parametrize(("kind", "slope_db"), [("white", 0.0), ("pink", -3.01), ("brown", -6.02)])
def test_slope(kind: str, slope_db: float) -> None:
    crop = SyntheticNoise({kind: 1.0}, channels=1).sample(np.random.default_rng(1), 10.0)
    power = np.abs(np.fft.rfft(crop.audio[:, 0])) ** 2
    freqs = np.fft.rfftfreq(len(crop.audio), 1 / FS)
    edges = 62.5 * 2.0 ** np.arange(9)
    density = [
        10 * np.log10(power[(low <= freqs) & (freqs < high)].mean())
        for low, high in pairwise(edges)
    ]
    slope, _ = np.polyfit(np.arange(8), density, 1)
    assert slope == pytest.approx(slope_db, abs=SLOPE_ATOL_DB)


@given(st.sampled_from(KINDS), st.integers(0, 2**32), st.sampled_from([1, 2]))
def test_level_length_and_repetition(kind: str, seed: int, channels: int) -> None:
    noise = SyntheticNoise({kind: 1.0}, fs=16_000.0, channels=channels)
    crop, again = (noise.sample(np.random.default_rng(seed), 0.25) for _ in range(2))
    assert crop.audio.shape == (4000, channels)
    assert crop.audio.dtype == np.float32
    assert np.array_equal(crop.audio, again.audio)
    # Two sides of any width together have the level of one, up to their chance correlation.
    assert level_db(crop.audio) == pytest.approx(NOISE_LEVEL_DB, abs=0.01 if channels == 1 else 1.5)
    assert (crop.view, crop.package) == (kind, "noise")


def test_bursts_have_peaks_that_steady_noise_has_not() -> None:
    def crest(kind: str) -> float:
        noise = SyntheticNoise({kind: 1.0}, channels=1)
        return float(
            np.median(
                [
                    np.abs(a := noise.sample(np.random.default_rng(k), 2.0).audio).max()
                    / np.sqrt(np.mean(a**2))
                    for k in range(12)
                ]
            )
        )

    assert crest("bursts") > 2.0 * crest("white")


def test_widths() -> None:
    noise = SyntheticNoise({"white": 1.0})
    pairs = [noise.sample(np.random.default_rng(k), 0.5).audio.T for k in range(40)]
    r = [
        float(np.sum(left * right) / np.sqrt(np.sum(left**2) * np.sum(right**2)))
        for left, right in pairs
    ]
    assert min(r) < 0.2
    assert max(r) > 0.9


def test_weights() -> None:
    noise = SyntheticNoise({"pink": 3.0, "brown": 1.0, "white": 0.0})
    rng = np.random.default_rng(2)
    kinds = [noise.sample(rng, 0.01).view for _ in range(400)]
    assert set(kinds) == {"pink", "brown"}
    assert kinds.count("pink") / 400 == pytest.approx(0.75, abs=3 * (0.75 * 0.25 / 400) ** 0.5)
    assert noise.summary() == "SyntheticNoise: 75 % pink, 25 % brown, 0 % white"
    assert noise.recordings == ()


def test_wrong_calls() -> None:
    for weights in ({"green": 1.0}, {"pink": -1.0}, {"pink": 0.0}, {}, {"pink": float("nan")}):
        with pytest.raises(SettingsError, match="must"):
            SyntheticNoise(weights)
    for fs, channels in ((0.0, 2), (48_000.0, 3), (float("nan"), 1)):
        with pytest.raises(SettingsError, match="a rate above 0 and 1 or 2 channels"):
            SyntheticNoise(fs=fs, channels=channels)
