"""The demo mix: the same every time, in every octave, clean at its ends."""

import time

import numpy as np
import pytest

from semeq.engine.errors import SettingsError
from semeq.engine.synth import PEAK_DB, demo_mix
from semeq.engine.units import Audio, db_to_gain

FS = 48_000.0
OCTAVES_HZ = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)
#: An octave quieter than this against the whole would leave an EQ band nothing to work on.
OCTAVE_FLOOR_DB = -30.0


@pytest.fixture(scope="module")
def mix() -> Audio:
    return demo_mix(FS)


def power_in(audio: Audio, fs: float, low_hz: float, high_hz: float) -> float:
    freqs = np.fft.rfftfreq(len(audio), 1.0 / fs)
    power = np.abs(np.fft.rfft(audio, axis=0)) ** 2
    return float(power[(freqs >= low_hz) & (freqs < high_hz)].sum() / power.sum())


def test_same_samples_on_every_call(mix: Audio) -> None:
    np.testing.assert_array_equal(mix, demo_mix(FS))


def test_shape_peak_and_type(mix: Audio) -> None:
    assert mix.shape == (576_000, 2)
    assert mix.dtype == np.float32
    assert np.max(np.abs(mix)) == pytest.approx(db_to_gain(PEAK_DB), rel=1e-6)


@pytest.mark.parametrize("centre", OCTAVES_HZ)
def test_every_octave_has_energy(mix: Audio, centre: float) -> None:
    share = power_in(mix, FS, centre / 2**0.5, centre * 2**0.5)
    assert 10.0 * np.log10(share) > OCTAVE_FLOOR_DB


def test_no_dc(mix: Audio) -> None:
    assert np.all(np.abs(mix.mean(axis=0, dtype=np.float64)) < 1e-4)
    assert power_in(mix, FS, 0.0, 10.0) < 1e-4


def test_starts_and_ends_without_a_click(mix: Audio) -> None:
    assert np.all(mix[[0, -1]] == 0.0)
    steps = np.abs(np.diff(mix, axis=0))
    # A click is a step far above those that the music itself makes.
    assert steps[:24].max() < 0.02
    assert steps[-240:].max() < 0.001


def test_is_stereo_and_survives_mono(mix: Audio) -> None:
    left, right = mix.T
    assert not np.array_equal(left, right)
    assert 0.5 < np.corrcoef(left, right)[0, 1] < 0.98


def test_is_in_tune(mix: Audio) -> None:
    """E4, the fifth of the first chord: no drum or bass sounds there."""
    bar = np.asarray(mix[: int(0.7 * FS)].mean(axis=1), dtype=np.float64)
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(bar * np.hanning(len(bar)), size))
    freqs = np.fft.rfftfreq(size, 1.0 / FS)
    near = (freqs > 320.0) & (freqs < 340.0)
    found = freqs[near][np.argmax(spectrum[near])]
    assert abs(1200.0 * np.log2(found / 329.63)) < 25.0


@pytest.mark.alone
def test_takes_less_than_a_few_seconds() -> None:
    """Measured 0.5 s on a two-core machine; the bound leaves room for a busy one."""
    start = time.process_time()
    demo_mix(FS)
    assert time.process_time() - start < 3.0


@pytest.mark.parametrize("fs", [8_000.0, 44_100.0, 96_000.0])
def test_other_rates_and_lengths(fs: float) -> None:
    mix = demo_mix(fs, 1.5)
    assert mix.shape == (round(1.5 * fs), 2)
    assert np.all(np.isfinite(mix))


@pytest.mark.parametrize(
    ("fs", "seconds", "message"),
    [
        (4000.0, 1.0, r"fs must be in \[8000, 192000\], got 4000"),
        (float("nan"), 1.0, r"fs must be in \[8000, 192000\], got nan"),
        (FS, 0.0, r"seconds must be in \[0.5, 600\], got 0"),
        (FS, 1e9, r"seconds must be in \[0.5, 600\], got 1e\+09"),
    ],
)
def test_refuses_bad_values(fs: float, seconds: float, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        demo_mix(fs, seconds)
