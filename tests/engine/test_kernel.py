"""The kernel against others: scipy in double precision, Pedalboard's filters, dasp's formulas."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from strategies import settings

from semeq.engine.chain import Chain
from semeq.engine.design import design, design_sos
from semeq.engine.settings import Band, EQSettings, Kind
from semeq.engine.units import Audio

# Output is rounded to float32 once: half an ulp of the largest sample, whatever happened before.
FLOAT32_ULP = 2.0**-24
# scipy's own sections lose this much at 20 Hz, where their coefficients nearly cancel: 2.9e-10 of the peak
# was the worst of 400 extreme settings.
SOS_CANCELLATION = 1e-9
RATES = (44_100.0, 48_000.0, 96_000.0)


def noise(frames: int, channels: int, seed: int = 0) -> Audio:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((frames, channels))).astype(np.float32)


def reference(eq: EQSettings, fs: float, x: Audio) -> np.ndarray:
    return np.asarray(scipy.signal.sosfilt(design_sos(eq, fs), x.astype(np.float64), axis=0))


@given(settings())
@hypothesis_settings(deadline=None, max_examples=60)
def test_the_kernel_is_scipy_to_the_last_float32_bit(eq: EQSettings) -> None:
    x = noise(3000, 2)
    chain = Chain(48_000.0, 2)
    chain.set_target(design(eq, 48_000.0))
    expected = reference(eq, 48_000.0, x)
    error = np.abs(chain.process(x) - expected)
    assert np.all(
        error <= FLOAT32_ULP * np.abs(expected) * 1.001 + SOS_CANCELLATION * np.abs(expected).max()
    )


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("fs", RATES)
def test_each_channel_is_filtered_by_itself(channels: int, fs: float) -> None:
    eq = EQSettings(
        (
            Band(Kind.LOW_SHELF, 120.0, 6.0),
            *(
                Band(Kind.PEAK, f, g, 2.0)
                for f, g in zip((200, 500, 1500, 4000, 9000), (-5, 3, -9, 12, 4), strict=True)
            ),
            Band(Kind.HIGH_SHELF, 9000.0, -7.0),
        )
    )
    x = noise(2048, channels, seed=channels)
    chain = Chain(fs, channels)
    chain.set_target(design(eq, fs))
    together = chain.process(x)
    for c in range(channels):
        alone = Chain(fs, 1)
        alone.set_target(design(eq, fs))
        np.testing.assert_array_equal(alone.process(x[:, c : c + 1])[:, 0], together[:, c])


@pytest.mark.parametrize("band_hz", [20.0, 30.0])
def test_low_bands_keep_their_precision_at_high_rates(band_hz: float) -> None:
    """A 20 Hz band at 192 kHz: where float32 filters and z⁻¹ forms lose decibels."""
    flat = EQSettings.flat()
    eq = EQSettings((flat.bands[0], Band(Kind.PEAK, band_hz, 12.0, 10.0), *flat.bands[2:]))
    fs = 192_000.0
    frames = 1 << 20
    t = np.arange(frames) / fs
    x = (0.1 * np.sin(2 * np.pi * band_hz * t)).astype(np.float32)[:, None]
    chain = Chain(fs, 1)
    chain.set_target(design(eq, fs))
    y = chain.process(x)[frames * 3 // 4 :, 0].astype(np.float64)
    tone = np.exp(-2j * np.pi * band_hz * t[frames * 3 // 4 :])
    # whole periods only, so that the tone's own image does not leak in
    whole = int(len(y) // (fs / band_hz) * (fs / band_hz))
    gain = abs(np.mean(y[:whole] * tone[:whole])) / 0.05
    assert 20 * np.log10(gain) == pytest.approx(12.0, abs=0.01)


def test_silence_stays_exactly_silent_and_states_do_not_linger() -> None:
    chain = Chain(48_000.0, 2)
    eq = EQSettings.flat().bands
    chain.set_target(design(EQSettings((Band(Kind.LOW_SHELF, 30.0, 12.0), *eq[1:])), 48_000.0))
    chain.process(noise(48_000, 2))
    tail = chain.process(np.zeros((48_000 * 6, 2), dtype=np.float32))
    assert np.all(tail[-1024:] == 0.0)
    states = chain.state.filters
    assert np.all((states == 0.0) | (np.abs(states) >= 1e-30))
    smallest = np.abs(tail[tail != 0.0]).min()
    assert smallest >= 1e-30  # no denormal float ever leaves
