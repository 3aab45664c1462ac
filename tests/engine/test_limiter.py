"""The limiter holds its ceiling between the samples too, and is not there when not needed."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from semeq.engine.chain import Chain
from semeq.engine.design import design
from semeq.engine.errors import SettingsError
from semeq.engine.interpolators import PHASES, TAPS, interpolators
from semeq.engine.limiter import lookahead_frames
from semeq.engine.settings import EQSettings
from semeq.engine.units import Audio, db_to_gain

FS = 48_000.0
LOOKAHEAD_S = 0.0015
CEILING_DB = -1.0
# The figure we hold: no point of the reconstructed waveform above the ceiling by more than this.
TRUE_PEAK_TOLERANCE_DB = 0.1
OVERSAMPLE = 32


def true_peak(y: np.ndarray) -> float:
    """Return the waveform's peak at 32 times the rate, through scipy's long resampling filter."""
    middle = scipy.signal.resample_poly(
        y.astype(np.float64), OVERSAMPLE, 1, axis=0, window=("kaiser", 12.0)
    )
    edge = 200 * OVERSAMPLE
    return float(np.abs(middle[edge:-edge]).max())


def tone(freq_hz: float, level: float, phase: float = 0.0, frames: int = 24_000) -> Audio:
    t = np.arange(frames) / FS
    ramp = np.minimum(1.0, t / 0.05)  # no click at the start: the tone is what is tested
    return (level * ramp * np.sin(2 * np.pi * freq_hz * t + phase)).astype(np.float32)[:, None]


def limited(x: Audio, lookahead_s: float = LOOKAHEAD_S) -> tuple[Audio, Chain]:
    chain = Chain(FS, x.shape[1], lookahead_s, CEILING_DB)
    return chain.process(x), chain


@pytest.mark.parametrize(
    ("freq_hz", "phase"),
    [(12_000.0, np.pi / 4), (16_000.0, np.pi / 6), (997.0, 0.0), (60.0, 0.3), (19_999.0, 1.0)],
)
@pytest.mark.parametrize("level", [1.0, 2.0, 15.8])
def test_tones_between_the_samples_stay_under_the_ceiling(
    freq_hz: float, phase: float, level: float
) -> None:
    y, chain = limited(tone(freq_hz, level, phase))
    over_db = 20 * np.log10(true_peak(y) / db_to_gain(CEILING_DB))
    assert over_db <= TRUE_PEAK_TOLERANCE_DB
    assert over_db > -1.5  # it limits, it does not crush
    assert chain.limited_samples > 0


@pytest.mark.parametrize("level", [0.5, 4.0])
def test_noise_and_squares_stay_under_the_ceiling(level: float) -> None:
    rng = np.random.default_rng(2)
    music = np.cumsum(rng.standard_normal((48_000, 2)), axis=0)
    music = scipy.signal.lfilter([1, -1], [1, -0.99], music, axis=0)
    noise = (level * music / np.abs(music).max() * 3).astype(np.float32)
    square = (level * np.sign(np.sin(2 * np.pi * 110 * np.arange(48_000) / FS)))[:, None]
    band = scipy.signal.firwin(101, 20_000, fs=FS)
    square = scipy.signal.lfilter(band, [1.0], square, axis=0).astype(np.float32)
    for x in (noise, square):
        y, _ = limited(x)
        assert 20 * np.log10(true_peak(y) / db_to_gain(CEILING_DB)) <= TRUE_PEAK_TOLERANCE_DB


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 30.0))
@hypothesis_settings(deadline=None, max_examples=30)
def test_the_guard_lets_no_sample_over_and_adds_no_delay(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    x = (level * rng.standard_normal((4000, 2)) ** 3).astype(np.float32)
    chain = Chain(FS, 2, 0.0, CEILING_DB)
    y = chain.process(x)
    assert chain.latency_frames == 0
    assert np.abs(y).max() <= np.float32(db_to_gain(CEILING_DB))
    # where nothing is held back the sample is the input's own
    untouched = np.all(y == x, axis=1)
    reduced = np.all(np.abs(y) <= np.abs(x), axis=1)
    assert np.all(untouched | reduced)
    assert chain.limited_samples >= np.count_nonzero(~untouched)


@pytest.mark.parametrize("lookahead_s", [0.0, LOOKAHEAD_S])
def test_below_the_ceiling_it_is_a_pure_delay(lookahead_s: float) -> None:
    rng = np.random.default_rng(0)
    x = (0.05 * rng.standard_normal((10_000, 2))).astype(np.float32)
    y, chain = limited(x, lookahead_s)
    delay = chain.latency_frames
    assert delay == round(lookahead_s * FS)
    np.testing.assert_array_equal(y[delay:], x[: len(x) - delay])
    assert np.all(y[:delay] == 0.0)
    assert chain.limited_samples == 0


def test_after_a_burst_the_gain_returns_to_exactly_one() -> None:
    x = tone(440.0, 0.3, frames=96_000)
    x[20_000:20_100] *= 20.0
    y, chain = limited(x)
    delay = chain.latency_frames
    np.testing.assert_array_equal(y[90_000:], x[90_000 - delay : 96_000 - delay])
    assert chain.limited_samples > 100


def test_channels_share_one_gain() -> None:
    quiet = tone(300.0, 0.1)
    y, _ = limited(np.concatenate([tone(440.0, 4.0), quiet], axis=1))
    delay = round(LOOKAHEAD_S * FS)
    ratio = y[delay + 10_000 :, 1] / np.where(
        quiet[10_000:-delay, 0] == 0, 1, quiet[10_000:-delay, 0]
    )
    assert np.median(ratio) < 0.3  # the quiet side goes down with the loud one: the image stays


def test_a_24_db_boost_comes_out_under_the_ceiling() -> None:
    flat = EQSettings.flat()
    chain = Chain(FS, 1, LOOKAHEAD_S, CEILING_DB)
    chain.set_target(design(flat, FS, gain_db=24.0))
    y = chain.process(tone(3000.0, 0.9, 0.7))
    assert 20 * np.log10(true_peak(y) / db_to_gain(CEILING_DB)) <= TRUE_PEAK_TOLERANCE_DB


def test_the_interpolators_pass_what_is_audible() -> None:
    """Each fractional delay has unit gain (±0.05 dB): to 0.4535 fs, the gentle ones to 18 kHz at 48 kHz."""
    taps = interpolators()
    assert taps.shape == (2, PHASES - 1, TAPS)
    for rows, top_hz in zip(taps, (0.4535 * FS, 18_000), strict=True):
        for row in rows:
            _, h = scipy.signal.freqz(row, worN=np.linspace(20, top_hz, 200), fs=FS)
            np.testing.assert_allclose(20 * np.log10(np.abs(h)), 0.0, atol=0.05)


def test_at_low_rates_the_look_ahead_is_as_long_as_it_must_be() -> None:
    assert [lookahead_frames(s, fs) for s, fs in ((0.0015, FS), (0.0015, 8000.0), (0.0, FS))] == [
        72,
        32,
        0,
    ]
    y, _ = limited(tone(440.0, 4.0), 32 / FS)
    assert 20 * np.log10(true_peak(y) / db_to_gain(CEILING_DB)) <= TRUE_PEAK_TOLERANCE_DB


@pytest.mark.parametrize("ceiling_db", [-61.0, 25.0, float("nan")])
def test_a_ceiling_out_of_range_is_an_error(ceiling_db: float) -> None:
    with pytest.raises(SettingsError, match=r"ceiling_db must be in \[-60, 24\]"):
        Chain(FS, 2, 0.0, ceiling_db)


def test_a_look_ahead_too_short_to_look_is_an_error() -> None:
    with pytest.raises(SettingsError, match="lookahead_frames must be 0 or at least 32, got 5"):
        Chain(FS, 2, 5 / FS, -1.0)
