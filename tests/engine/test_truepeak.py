"""True peak: known tones, the skipping that changes nothing, any partition."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from strategies import partitions

from semeq.engine.errors import SettingsError
from semeq.engine.interpolators import TAPS, interpolators
from semeq.engine.truepeak import STRETCH, TruePeakMeter
from semeq.engine.units import Audio

# float32 sums of 48 products
FLOAT32_RTOL = 1e-6
# EBU Tech 3341, tests 15 to 23: +0.2, -0.4 dB
EBU_OVER_DB, EBU_UNDER_DB = 0.2, -0.4


def measure(x: Audio, blocks: list[int] | None = None) -> tuple[float, float]:
    meter = TruePeakMeter(x.shape[1])
    at = 0
    for frames in blocks or [len(x)]:
        meter.feed(x[at : at + frames])
        at += frames
    return meter.sample_peak, meter.true_peak()


def by_brute_force(x: Audio) -> float:
    """Interpolate everywhere, in float64."""
    padded = np.concatenate(
        [np.zeros((TAPS - 1, x.shape[1])), x, np.zeros((TAPS // 2, x.shape[1]))]
    )
    highest = float(np.abs(x).max(initial=0.0))
    for taps in interpolators().reshape(-1, TAPS):
        y = scipy.signal.lfilter(taps[::-1], [1.0], padded, axis=0)
        highest = max(highest, float(np.abs(y).max()))
    return highest


@pytest.mark.parametrize("phase_deg", [0.0, 45.0, 60.0, 67.5])
@pytest.mark.parametrize("divisor", [4, 6, 8])
def test_ebu_3341_tones(divisor: int, phase_deg: float) -> None:
    n = np.arange(9600)
    x = 0.5 * np.sin(2.0 * np.pi * n / divisor + np.deg2rad(phase_deg))
    x *= np.clip(np.minimum(n, n[::-1]) / 480.0, 0.0, 1.0)  # no step at the ends
    _, true = measure(x.astype(np.float32)[:, None])
    assert EBU_UNDER_DB < 20.0 * np.log10(true / 0.5) < EBU_OVER_DB


def test_skipping_changes_nothing_on_music() -> None:
    rng = np.random.default_rng(3)
    low = scipy.signal.lfilter([0.05], [1.0, -0.95], rng.standard_normal((40_000, 2)), axis=0)
    x = (low * np.linspace(0.2, 1.0, 40_000)[:, None]).astype(np.float32)
    _, true = measure(x)
    assert true == pytest.approx(by_brute_force(x), rel=FLOAT32_RTOL)


@given(
    x=st.lists(st.floats(-1.0, 1.0, width=32), min_size=1, max_size=300),
    channels=st.integers(1, 3),
)
@hypothesis_settings(deadline=None, max_examples=150)
def test_skipping_changes_nothing_on_anything(x: list[float], channels: int) -> None:
    frames = -(-len(x) // channels)
    audio = np.resize(np.array(x, dtype=np.float32), (frames, channels))
    _, true = measure(audio)
    assert true == pytest.approx(by_brute_force(audio), rel=FLOAT32_RTOL, abs=1e-38)


@given(blocks=partitions(3000))
@hypothesis_settings(deadline=None, max_examples=50)
def test_any_partition_gives_the_same_peak(blocks: list[int]) -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((3000, 2)).astype(np.float32)
    assert measure(x, blocks) == measure(x)


@pytest.mark.parametrize("frames", [1, 2, 23, STRETCH - 1, STRETCH, STRETCH + 1, 3 * STRETCH + 24])
def test_a_full_band_click_at_the_very_end_is_found(frames: int) -> None:
    x = np.zeros((frames, 1), dtype=np.float32)
    x[-2:] = 0.5  # between two equal samples at the end the waveform rises above both
    _, true = measure(x)
    assert true == pytest.approx(by_brute_force(x), rel=FLOAT32_RTOL)
    if frames > 1:
        assert true > 0.6


def test_never_below_the_sample_peak() -> None:
    x = np.zeros((500, 1), dtype=np.float32)
    x[250] = -0.8
    assert measure(x) == pytest.approx((0.8, 0.8))


def test_silence_and_nothing_are_zero() -> None:
    assert measure(np.zeros((1000, 2), dtype=np.float32)) == (0.0, 0.0)
    assert TruePeakMeter(2).true_peak() == 0.0


def test_asking_does_not_disturb() -> None:
    x = np.random.default_rng(1).standard_normal((400, 1)).astype(np.float32)
    asked = TruePeakMeter(1)
    asked.feed(x[:200])
    asked.true_peak()
    asked.feed(x[200:])
    assert asked.true_peak() == measure(x)[1]


def test_no_channels_are_refused() -> None:
    with pytest.raises(SettingsError, match="channels must be at least 1, got 0"):
        TruePeakMeter(0)
