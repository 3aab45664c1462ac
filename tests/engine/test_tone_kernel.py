"""The compiled numbers of a tone's growth, against NumPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from semeq.engine.tone import SCALES, Scale, growth
from semeq.engine.tone_kernel import line, smoothed, unwrapped


@given(seed=st.integers(0, 10_000), count=st.integers(3, 700), slope=st.floats(-9.0, 9.0))
@hypothesis_settings(deadline=None, max_examples=40)
def test_they_are_numpys(seed: int, count: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    at = np.arange(count)
    values = slope * at + rng.standard_normal(count)
    fitted = np.polyfit(at, values, 1)
    bend = np.sqrt(np.mean((values - np.polyval(fitted, at)) ** 2))
    assert line(values) == pytest.approx((fitted[0], bend), rel=1e-7, abs=1e-7)
    tone = np.exp(1j * values)
    np.testing.assert_allclose(unwrapped(tone), np.unwrap(np.angle(tone)), atol=1e-9)
    window = np.hanning(5)[1:-1]
    np.testing.assert_allclose(
        smoothed(tone, window), np.convolve(tone, window, "valid"), atol=1e-12
    )


@pytest.mark.parametrize("scale", SCALES, ids=lambda s: f"{s.stretch_s} s")
def test_an_exponential_growth_is_a_straight_line(scale: Scale) -> None:
    rise_db, turn = 40.0, 0.3
    at = np.arange(1000)
    tone = 1e-3 * 10.0 ** (rise_db / scale.points * at / 20.0) * np.exp(1j * turn * at)
    found = growth(tone, scale)
    assert found is not None
    assert found.rise_db == pytest.approx(rise_db, rel=1e-6)
    assert max(found.bend_db, found.wander) < 1e-6
    assert found.pace == pytest.approx(1.0)
    assert found.is_a_loops(scale)
    assert growth(tone[::-1].copy(), scale) is None  # it rings out
    assert growth(tone[: scale.points], scale) is None  # too little is known
