"""Long-term spectra against signals whose spectrum is known."""

import numpy as np
import pytest
from scipy.signal import sosfilt

from semeq.engine.design import design_sos, response_db
from semeq.engine.errors import SettingsError
from semeq.engine.settings import LAYOUT, REST_FREQS_HZ, Band, EQSettings
from semeq.engine.spectrum import FLOOR_DB, REGIONS, region_levels_db, spectrum_db
from semeq.engine.units import Audio

FS = 48_000.0
#: Ten seconds of noise leave about 0.5 dB rms of chance in a sixth of an octave at 100 Hz.
NOISE_DB = 1.0


def noise(seconds: float = 10.0, channels: int = 1) -> Audio:
    rng = np.random.default_rng(5)
    return (0.1 * rng.standard_normal((round(seconds * FS), channels))).astype(np.float32)


def tone(freq_hz: float, fs: float = FS, level: float = 1.0) -> Audio:
    t = np.arange(round(2 * fs)) / fs
    return (level * np.sin(2 * np.pi * freq_hz * t))[:, None].astype(np.float32)


@pytest.mark.parametrize("freq_hz", [50.0, 1000.0, 12_000.0])
@pytest.mark.parametrize("fs", [44_100.0, 48_000.0, 96_000.0])
def test_a_sine_reads_its_power(freq_hz: float, fs: float) -> None:
    freqs, db = spectrum_db(tone(freq_hz, fs, 0.5), fs)
    # Up to 0.2 dB of a tone at 50 Hz falls outside the sixth of an octave: the skirts of the window.
    assert db.max() == pytest.approx(-9.03, abs=0.2)
    assert abs(np.log2(freqs[np.argmax(db)] / freq_hz)) < 1 / 10


def test_white_noise_rises_3_db_an_octave() -> None:
    freqs, db = spectrum_db(noise(), FS)
    heard = freqs > 100.0
    slope = np.polyfit(np.log2(freqs[heard]), db[heard], 1)[0]
    assert slope == pytest.approx(3.01, abs=0.05)


def test_the_bands_add_up_to_the_whole() -> None:
    audio = noise()
    freqs, db = spectrum_db(
        audio, FS, fraction=1.0, points=11
    )  # 20, 39.9 … 20000 Hz: almost octaves
    np.testing.assert_allclose(np.diff(np.log2(freqs)), np.log2(freqs[1] / freqs[0]))
    power = 10 ** (db[5] / 10)
    width = (freqs[5] * 2**0.5 - freqs[5] / 2**0.5) / (FS / 2)
    assert power == pytest.approx(float(np.mean(audio.astype(np.float64) ** 2)) * width, rel=0.02)


def test_before_and_after_differ_by_the_response() -> None:
    gains = (5.0, -3.0, 2.0, 0.0, -4.0, 3.0, 6.0)
    settings = EQSettings(
        tuple(Band(k, f, g) for k, f, g in zip(LAYOUT, REST_FREQS_HZ, gains, strict=True))
    )
    audio = noise()
    after = sosfilt(design_sos(settings, FS), audio, axis=0).astype(np.float32)
    freqs, before_db = spectrum_db(audio, FS)
    _, after_db = spectrum_db(after, FS)
    heard = freqs > 40.0
    expected = response_db(settings, FS, freqs[heard])
    np.testing.assert_allclose((after_db - before_db)[heard], expected, atol=NOISE_DB)


def test_channels_are_averaged() -> None:
    left = noise()
    both = np.concatenate([left, np.zeros_like(left)], axis=1)
    np.testing.assert_allclose(
        spectrum_db(both, FS)[1], spectrum_db(left, FS)[1] - 3.0103, atol=1e-3
    )


def test_silence_reads_the_floor() -> None:
    silence = np.zeros((4800, 2), dtype=np.float32)
    assert np.all(spectrum_db(silence, FS)[1] == FLOOR_DB)
    assert set(region_levels_db(silence, FS).values()) == {FLOOR_DB}


def test_a_few_samples_are_enough() -> None:
    freqs, db = spectrum_db(np.ones((3, 1), dtype=np.float32), FS)
    assert freqs.shape == db.shape == (181,)
    assert np.all(np.isfinite(db))


def test_low_sample_rates_stop_below_nyquist() -> None:
    freqs, _ = spectrum_db(tone(1000.0, 8000.0), 8000.0)
    assert freqs[-1] < 4000.0
    assert region_levels_db(tone(1000.0, 8000.0), 8000.0)["air"] == FLOOR_DB


def test_a_tone_lies_in_its_region() -> None:
    for found in REGIONS:
        levels = region_levels_db(tone((found.low_hz * found.high_hz) ** 0.5), FS)
        assert max(levels, key=lambda name: levels[name]) == found.name


@pytest.mark.parametrize(
    ("audio", "fs", "message"),
    [
        (
            np.zeros((0, 2), dtype=np.float32),
            FS,
            r"audio must be \(frames, channels\) and not empty",
        ),
        (np.zeros(8, dtype=np.float32), FS, r"audio must be \(frames, channels\) and not empty"),
        (np.zeros((8, 1), dtype=np.float32), 0.0, "fs must be a positive number of Hz, got 0"),
        (
            np.zeros((8, 1), dtype=np.float32),
            float("inf"),
            "fs must be a positive number of Hz, got inf",
        ),
    ],
)
def test_refuses_what_is_not_sound(audio: Audio, fs: float, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        spectrum_db(audio, fs)
