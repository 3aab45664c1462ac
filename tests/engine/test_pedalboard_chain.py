"""The same equaliser in Pedalboard: the same response, the same sound, but for JUCE's float32."""

import numpy as np
import pytest
from sound_files import noise

from semeq.engine.chain import Chain
from semeq.engine.design import design, response_db
from semeq.engine.errors import SettingsError
from semeq.engine.pedalboard_chain import to_pedalboard
from semeq.engine.settings import LAYOUT, Band, EQSettings
from semeq.engine.units import Floats

# JUCE filters in float32: rounding grows as poles come near 1, with the sample rate. Measured over 30
# random settings a rate (worst case): 0.056, 0.082 and 0.30 dB; rms error -72, -64 and -48 dB.
RESPONSE_DB = {44_100.0: 0.1, 48_000.0: 0.15, 96_000.0: 0.5}
AUDIO_RMS_DB = {44_100.0: -60.0, 48_000.0: -55.0, 96_000.0: -42.0}
RANGES_HZ = (
    (40, 400),
    (60, 600),
    (120, 1500),
    (300, 4000),
    (800, 8000),
    (2000, 14_000),
    (3000, 16_000),
)


def random_settings(seed: int) -> EQSettings:
    rng = np.random.default_rng(seed)
    return EQSettings(
        tuple(
            Band(
                kind,
                float(np.exp(rng.uniform(*np.log(limits)))),
                float(rng.uniform(-12.0, 12.0)),
                float(10.0 ** rng.uniform(-0.4, 0.5)),
            )
            for kind, limits in zip(LAYOUT, RANGES_HZ, strict=True)
        )
    )


@pytest.mark.parametrize("fs", sorted(RESPONSE_DB))
@pytest.mark.parametrize("seed", range(8))
def test_responses_agree(fs: float, seed: int) -> None:
    settings = random_settings(seed)
    impulse = np.zeros((1, 1 << 16), dtype=np.float32)
    impulse[0, 0] = 1.0
    answer = to_pedalboard(settings).process(impulse, fs)[0].astype(np.float64)
    freqs: Floats = np.arange(len(answer) // 2 + 1, dtype=np.float64) * (fs / len(answer))
    audible = (freqs > 20.0) & (freqs < 0.45 * fs)
    theirs = 20.0 * np.log10(np.abs(np.fft.rfft(answer)[audible]))
    ours = response_db(settings, fs, freqs[audible], design="rbj")
    assert np.abs(theirs - ours).max() < RESPONSE_DB[fs]


@pytest.mark.parametrize("fs", sorted(AUDIO_RMS_DB))
@pytest.mark.parametrize("seed", range(8))
def test_sounds_agree(fs: float, seed: int) -> None:
    settings = random_settings(seed)
    x = noise(int(fs), 2)
    chain = Chain(fs, 2)
    chain.set_target(design(settings, fs, design="rbj"))
    ours = chain.process(x)
    theirs = to_pedalboard(settings, fs).process(x.T, fs).T
    error = np.sqrt(np.mean((ours - theirs) ** 2) / np.mean(ours**2))
    assert 20.0 * np.log10(error) < AUDIO_RMS_DB[fs]


def test_flat_is_an_empty_chain() -> None:
    assert len(to_pedalboard(EQSettings.flat())) == 0


def test_filters_stand_in_the_order_of_the_bands() -> None:
    board = to_pedalboard(random_settings(1))
    names = [type(plugin).__name__ for plugin in board]
    assert names == ["LowShelfFilter", *["PeakFilter"] * 5, "HighShelfFilter"]


def test_centres_near_nyquist_are_moved_as_ours_are() -> None:
    flat = EQSettings.flat().bands
    high = EQSettings((*flat[:5], Band(flat[5].kind, 15_000.0, 6.0, 1.0), flat[6]))
    (plugin,) = to_pedalboard(high, 22_050.0)
    assert vars(type(plugin))["cutoff_frequency_hz"].fget(plugin) == pytest.approx(0.49 * 22_050.0)
    (plugin,) = to_pedalboard(high)
    assert vars(type(plugin))["cutoff_frequency_hz"].fget(plugin) == pytest.approx(15_000.0)


def test_a_sample_rate_of_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="fs must be a positive number of Hz, got 0"):
        to_pedalboard(EQSettings.flat(), 0.0)
