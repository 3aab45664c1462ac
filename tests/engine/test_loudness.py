"""Loudness: the standard's numbers, pyloudnorm's, EBU's tones; any partition, any rate, little memory."""

import math
import tracemalloc

import numpy as np
import pyloudnorm
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from strategies import partitions

from semeq.engine.errors import SettingsError
from semeq.engine.loudness import WEIGHTS, LoudnessMeter, k_weighting
from semeq.engine.units import Audio, Floats

# ITU-R BS.1770-4, tables 1 and 2
ITU_48K = (
    (
        1.53512485958697,
        -2.69169618940638,
        1.19839281085285,
        1.0,
        -1.69065929318241,
        0.73248077421585,
    ),
    (1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621),
)
# float64 on both sides, at the standard's own rate
PYLOUDNORM_LU = 1e-9
# pyloudnorm's "DeMan" filters leave the high-pass numerator at 1, -2, 1, whatever the rate: what that
# costs in the passband is known exactly, what is left is the rounding of block edges at 11,025 Hz
OTHER_RATES_LU = 1e-3
# EBU Tech 3341, table 1: ±0.1 LU
EBU_LU = 0.1


def measure(x: Audio, fs: float, blocks: list[int] | None = None) -> float | None:
    meter = LoudnessMeter(fs, x.shape[1])
    at = 0
    for frames in blocks or [len(x)]:
        meter.feed(x[at : at + frames])
        at += frames
    return meter.integrated()


def speech_like(fs: int, channels: int, seconds: float = 6.0) -> Audio:
    """Noise whose level jumps about, so that both gates have something to do."""
    rng = np.random.default_rng(7)
    frames = int(fs * seconds)
    steps = np.repeat(10.0 ** (rng.uniform(-70.0, -6.0, 40) / 20.0), frames // 40 + 1)[:frames]
    return (rng.standard_normal((frames, channels)) * steps[:, None]).astype(np.float32)


def tone(
    fs: int, level_db: float, seconds: float, channels: int = 2, freq: float = 1000.0
) -> Audio:
    t = np.arange(round(fs * seconds)) / fs
    x = 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * freq * t)
    return np.repeat(x[:, None], channels, axis=1).astype(np.float32)


def test_coefficients_at_48_khz_are_the_published_ones() -> None:
    # the standard prints 14 decimals
    np.testing.assert_allclose(k_weighting(48_000.0), ITU_48K, rtol=0.0, atol=6e-15)


@pytest.mark.parametrize("fs", [8000.0, 22_050.0, 44_100.0, 96_000.0, 192_000.0])
def test_response_is_the_same_at_every_rate(fs: float) -> None:
    freqs = np.geomspace(10.0, 0.1 * fs, 50)

    def response_db(rate: float) -> Floats:
        _, h = scipy.signal.sosfreqz(k_weighting(rate), freqs, fs=rate)
        return np.asarray(20.0 * np.log10(np.abs(h)))

    # bilinear warping is all that is left, and it grows towards fs/2
    assert np.abs(response_db(fs) - response_db(192_000.0)).max() < 0.15


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_agrees_with_pyloudnorm(channels: int) -> None:
    fs = 48_000
    x = speech_like(fs, channels)
    theirs = pyloudnorm.Meter(fs, filter_class="DeMan").integrated_loudness(x.astype(np.float64))
    assert measure(x, fs) == pytest.approx(theirs, abs=PYLOUDNORM_LU)


@pytest.mark.parametrize("fs", [8000, 11_025, 44_100, 96_000, 192_000])
def test_agrees_with_pyloudnorm_at_other_rates_but_for_the_passband(fs: int) -> None:
    def passband_db(rate: int) -> float:
        t = math.tan(math.pi * 38.13547087602444 / rate)
        return 20.0 * math.log10(1.0 + t / 0.5003270373238773 + t * t)

    x = speech_like(fs, 2)
    theirs = pyloudnorm.Meter(fs, filter_class="DeMan").integrated_loudness(x.astype(np.float64))
    expected = theirs + passband_db(48_000) - passband_db(fs)
    assert measure(x, fs) == pytest.approx(expected, abs=OTHER_RATES_LU)


@pytest.mark.parametrize("fs", [44_100, 48_000])
@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([(-23.0, 20.0)], -23.0),
        ([(-33.0, 20.0)], -33.0),
        ([(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
        ([(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0),
        ([(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
    ],
)
def test_ebu_3341_tones(fs: int, pieces: list[tuple[float, float]], expected: float) -> None:
    x = np.concatenate([tone(fs, level, seconds) for level, seconds in pieces])
    assert measure(x, fs) == pytest.approx(expected, abs=EBU_LU)


def test_ebu_3341_surround() -> None:
    # test 6: 5.0 tones at -28 (L, R), -24 (C), -30 (surrounds)
    levels = (-28.0, -28.0, -24.0, -30.0, -30.0)
    x = np.concatenate([tone(48_000, level, 20.0, 1) for level in levels], axis=1)
    assert measure(x, 48_000) == pytest.approx(-23.0, abs=EBU_LU)


def test_the_low_frequency_channel_counts_nothing() -> None:
    x = np.zeros((96_000, 6), dtype=np.float32)
    x[:, 3] = tone(48_000, -6.0, 2.0, 1)[:, 0]
    assert measure(x, 48_000) is None
    x[:, 0] = tone(48_000, -20.0, 2.0, 1)[:, 0]
    assert measure(x, 48_000) == measure(x[:, :1].copy(), 48_000)


@given(blocks=partitions(30_000))
@hypothesis_settings(deadline=None, max_examples=30)
def test_any_partition_gives_the_same_number(blocks: list[int]) -> None:
    x = speech_like(11_025, 3, 30_000 / 11_025)
    assert measure(x, 11_025, blocks) == measure(x, 11_025)


def test_sides_are_measured_apart() -> None:
    x = speech_like(48_000, 2)
    y = tone(48_000, -20.0, 6.0)
    both = LoudnessMeter(48_000, 2, sides=2)
    both.feed(x, y)
    assert both.integrated(0) == measure(x, 48_000)
    assert both.integrated(1) == measure(y, 48_000)
    one = LoudnessMeter(48_000, 2)
    one.feed(y)
    assert both.ungated(1) == one.ungated()


def test_gain_moves_loudness_by_as_much() -> None:
    x = speech_like(48_000, 2)
    louder = measure(x * np.float32(2.0), 48_000)
    quieter = measure(x, 48_000)
    assert louder is not None
    assert quieter is not None
    # the absolute gate lets a little more in
    assert louder - quieter == pytest.approx(20.0 * math.log10(2.0), abs=0.01)


@pytest.mark.parametrize("frames", [0, 1, 19_199])
def test_shorter_than_a_gating_block_has_no_loudness(frames: int) -> None:
    x = tone(48_000, -20.0, 1.0)[:frames]
    meter = LoudnessMeter(48_000, 2)
    meter.feed(x)
    assert meter.integrated() is None
    if frames > 1:  # the first sample of a sine is zero
        ungated = meter.ungated()
        assert ungated is not None
        assert ungated == pytest.approx(-20.0, abs=0.5)


def test_silence_has_no_loudness() -> None:
    meter = LoudnessMeter(48_000, 2)
    meter.feed(np.zeros((96_000, 2), dtype=np.float32))
    assert meter.integrated() is None
    assert meter.ungated() is None


def test_below_the_absolute_gate_there_is_none() -> None:
    assert measure(tone(48_000, -80.0, 2.0), 48_000) is None
    assert measure(tone(48_000, -60.0, 2.0), 48_000) == pytest.approx(-60.0, abs=EBU_LU)


def test_silence_after_sound_stays_fast() -> None:
    # states that fade towards denormals are set to zero: none is left after two seconds
    meter = LoudnessMeter(48_000, 1)
    meter.feed(tone(48_000, -6.0, 0.5, 1))
    meter.feed(np.zeros((192_000, 1), dtype=np.float32))
    state = vars(meter)["_state"]
    assert np.all((state == 0.0) | (np.abs(state) >= 1e-30))
    assert not state.any()


def test_an_hour_is_a_few_hundred_kilobytes() -> None:
    meter = LoudnessMeter(8000, 1)
    block = tone(8000, -20.0, 10.0, 1)
    meter.feed(block)
    tracemalloc.start()
    for _ in range(360):
        meter.feed(block)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 600_000  # 36,000 numbers of 8 bytes, and the arrays around them


@pytest.mark.parametrize("channels", [0, 9])
def test_channel_counts_without_weights_are_refused(channels: int) -> None:
    with pytest.raises(SettingsError, match=rf"channels must be in 1\.\.8, got {channels}"):
        LoudnessMeter(48_000, channels)


@pytest.mark.parametrize("fs", [44_100.5, math.nan, math.inf])
def test_sample_rates_that_are_not_whole_are_refused(fs: float) -> None:
    with pytest.raises(SettingsError, match="fs must be a whole number of Hz"):
        LoudnessMeter(fs, 1)


def test_sample_rates_that_are_too_low_are_refused() -> None:
    with pytest.raises(SettingsError, match="fs must be above 6728 Hz"):
        LoudnessMeter(6000, 1)


def test_every_channel_count_has_its_weights() -> None:
    assert [len(WEIGHTS[channels]) for channels in range(1, 9)] == list(range(1, 9))
