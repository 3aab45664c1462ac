import numpy as np
import pytest

from semeq.training.words import GRID_HZ

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402 (only with torch)

from semeq.training.features import (  # noqa: E402
    FFT_SIZE,
    HOP,
    band_weights,
    frames_of,
    log_bands,
    long_term_db,
    normalised,
)

FS = 48_000.0
#: Adding a curve to band levels against filtering the sound, for a curve as steep as people draw.
CURVE_DB = 0.3


def sound(seconds: float, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    spectrum = rng.normal(size=(2, int(seconds * FS) // 2 + 1, 2)) @ np.array([1.0, 1.0j])
    freqs = np.maximum(np.arange(spectrum.shape[1]), 1.0)
    audio = np.fft.irfft(spectrum / np.sqrt(freqs))
    pink: Tensor = torch.tensor(0.1 * audio / audio.std(), dtype=torch.float32)
    return pink


def test_pink_noise_is_flat() -> None:
    levels = long_term_db(log_bands(sound(10.0), FS)).numpy()
    inside = (GRID_HZ > 60.0) & (GRID_HZ < 18_000.0)
    assert np.std(levels[inside]) < 0.6


@pytest.mark.parametrize("fs", [44_100.0, 48_000.0, 96_000.0])
@pytest.mark.parametrize("freq_hz", [100.0, 1000.0, 9000.0])
def test_a_tone_is_loudest_in_its_band(fs: float, freq_hz: float) -> None:
    time = torch.arange(int(fs)) / fs
    levels = log_bands(torch.sin(2.0 * np.pi * freq_hz * time)[None], fs)
    loudest = GRID_HZ[int(levels.mean(dim=0).argmax())]
    assert abs(np.log2(loudest / freq_hz)) < 0.13


def test_an_equaliser_adds_its_curve() -> None:
    audio = sound(6.0)
    curve = 6.0 * np.sin(np.log2(GRID_HZ / 20.0))
    size = audio.shape[1]
    at = np.log(np.maximum(np.fft.rfftfreq(size, 1.0 / FS), 1.0))
    gain = 10.0 ** (np.interp(at, np.log(GRID_HZ), curve) / 20.0)
    filtered = torch.tensor(np.fft.irfft(np.fft.rfft(audio.numpy()) * gain), dtype=torch.float32)
    before, after = log_bands(audio, FS).numpy(), log_bands(filtered, FS).numpy()
    inside = (GRID_HZ > 60.0) & (GRID_HZ < 18_000.0)
    long_before, long_after = (long_term_db(torch.tensor(x)).numpy() for x in (before, after))
    assert np.abs(long_after - long_before - curve)[inside].max() < CURVE_DB


def test_level_and_phase_do_not_matter() -> None:
    audio = sound(1.0)
    one = normalised(log_bands(audio, FS))
    other = normalised(log_bands(audio * torch.tensor([[0.1], [-0.1]]), FS))
    assert (one - other).abs().max() < 1e-4


def test_opposite_channels_count() -> None:
    mono = sound(1.0)[:1]
    opposite = torch.cat([mono, -mono])
    assert (log_bands(opposite, FS) - log_bands(mono, FS)).abs().max() < 1e-3


def test_number_of_frames() -> None:
    assert log_bands(torch.zeros(1, FFT_SIZE + 5 * HOP), FS).shape[0] == 6
    assert frames_of((FFT_SIZE + 5 * HOP) / FS, FS) == 6


def test_bands_beyond_nyquist_are_empty() -> None:
    weights = band_weights(16_000.0)
    assert (weights[GRID_HZ > 9000.0] == 0.0).all()
    assert torch.isfinite(weights).all()
