import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semeq.engine.errors import SettingsError
from semeq.engine.frontend import BANDS, GRID_HZ, HIGHEST_OF_FS, BandStream, Levels, frame_sizes
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio

FS = 48_000.0
MIX = demo_mix(FS, 2.0)
#: How far levels may be from those that training sees (dB); measured 6e-4.
PARITY_DB = 0.01
#: What the size of a batch may change (dB): float32 rounding.
ROUNDING_DB = 1e-4


def levels_of(sound: Audio, fs: float) -> Levels:
    return BandStream(fs, sound.shape[1]).feed(sound)


@pytest.mark.parametrize("fs", [44_100.0, 48_000.0])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_levels_are_those_of_the_training(fs: float, channels: int) -> None:
    torch = pytest.importorskip("torch")
    from semeq.training.features import POWER_FLOOR, log_bands

    mix = demo_mix(fs, 2.0)
    sound = np.concatenate([np.roll(mix, 999 * k, axis=0) for k in range(3)], axis=1)[:, :channels]
    theirs = log_bands(torch.from_numpy(np.ascontiguousarray(sound.T)), fs).numpy()
    ours = 10.0 * np.log10(10.0 ** (levels_of(sound, fs) / 10.0) + POWER_FLOOR)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < PARITY_DB


@given(cuts=st.lists(st.integers(0, 96_000), max_size=12))
@settings(max_examples=30, deadline=None)
def test_any_cut_gives_the_same_frames(cuts: list[int]) -> None:
    stream = BandStream(FS, 2)
    pieces = [stream.feed(piece) for piece in np.split(MIX, sorted(cuts))]
    assert np.abs(np.concatenate(pieces) - levels_of(MIX, FS)).max() < ROUNDING_DB


@pytest.mark.parametrize(
    "fs", [8000.0, 11_025.0, 16_000.0, 22_050.0, 32_000.0, 44_100.0, 88_200.0, 96_000.0, 192_000.0]
)
def test_pink_noise_is_flat_at_any_rate(fs: float) -> None:
    rng = np.random.default_rng(1)
    size = round(12.0 * fs)
    freqs = np.fft.rfftfreq(size, 1.0 / fs)
    tilt = np.zeros(len(freqs))
    tilt[1:] = 1.0 / np.sqrt(freqs[1:])
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=size)) * tilt, size)
    noise *= 0.1 / np.sqrt(np.mean(noise**2))
    levels = levels_of(noise[:, None].astype(np.float32), fs)
    power = 10.0 * np.log10(np.mean(10.0 ** (levels / 10.0), axis=0))
    inside = GRID_HZ > 60.0
    assert np.ptp(power[inside]) < 2.5
    assert 60.0 < 1000.0 * frame_sizes(fs)[0] / fs < 130.0


def test_bands_that_do_not_exist_take_the_highest_that_does() -> None:
    levels = levels_of(demo_mix(8000.0, 2.0), 8000.0)
    above = GRID_HZ > HIGHEST_OF_FS * 8000.0
    assert above.sum() > 10
    assert np.array_equal(
        levels[:, above], np.repeat(levels[:, [np.argmax(above) - 1]], above.sum(), 1)
    )


def test_channels_count_in_power() -> None:
    mono = MIX[:, :1]
    opposite = np.concatenate((mono, -mono), axis=1)
    assert np.abs(levels_of(mono, FS) - levels_of(opposite, FS)).max() < ROUNDING_DB
    half = np.concatenate((mono, 0.0 * mono), axis=1)
    assert np.median(levels_of(mono, FS) - levels_of(half, FS)) == pytest.approx(3.01, abs=0.01)


def test_level_is_all_that_a_gain_changes() -> None:
    loud, quiet = levels_of(MIX, FS), levels_of((MIX * np.float32(0.01)).astype(np.float32), FS)
    assert np.abs(loud - quiet - 40.0).max() < PARITY_DB


def test_silence_and_damage_are_finite() -> None:
    bad = MIX[:8192].copy()
    bad[100], bad[200], bad[300] = np.nan, np.inf, 1e30
    mended = bad.copy()
    mended[[100, 200, 300]] = 0.0
    assert np.array_equal(levels_of(bad, FS), levels_of(mended, FS))
    silence = levels_of(np.zeros((8192, 2), dtype=np.float32), FS)
    assert np.array_equal(silence, np.full((5, BANDS), -200.0, dtype=np.float32))
    assert levels_of(MIX[:4095], FS).shape == (0, BANDS)


@pytest.mark.parametrize(("fs", "channels"), [(0.0, 2), (float("nan"), 2), (2e6, 2), (48_000.0, 0)])
def test_what_cannot_be_used_is_refused(fs: float, channels: int) -> None:
    with pytest.raises(SettingsError, match="must be in"):
        BandStream(fs, channels)


def test_blocks_have_the_channels_that_were_said() -> None:
    with pytest.raises(SettingsError, match=r"shape \(frames, 1\)"):
        BandStream(FS, 1).feed(MIX)
