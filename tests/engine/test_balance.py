"""The meter of balance: any cut of the sound, closed forms, and the judges that it must agree with."""

import math
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from made_sounds import balance_of, pink
from scipy.signal import sosfilt
from strategies import partitions

from semeq.engine.balance import CENTRES_HZ, DENSE_FRAMES, EDGES_HZ, WIDTHS, Balance, Meter, span
from semeq.engine.design import design_sos, response_db
from semeq.engine.errors import SettingsError
from semeq.engine.units import Audio, Floats
from semeq.presets.library import load_vocabulary

FS = 44_100.0
MUSIC = Path("/tmp/audio/valid/music")
#: The training judges hear windows from the first sample on, as the meter does: rounding is all that differs.
SHARE_TOLERANCE_DB = 0.001
#: What a filter's ringing and the windows' leakage do to 3 s of noise, in dB of a share.
LTI_TOLERANCE_DB = 0.05


SOUND = pink(0.9, channels=2)


@given(cut=partitions(len(SOUND)))
@hypothesis_settings(max_examples=20, deadline=None)
@pytest.mark.parametrize(("memory_s", "dense"), [(math.inf, None), (0.5, None), (math.inf, 2)])
def test_any_cut_gives_the_same_numbers(cut: list[int], memory_s: float, dense: int | None) -> None:
    whole, parts = (Meter(FS, 2, memory_s=memory_s, dense_frames=dense) for _ in range(2))
    whole.feed(SOUND)
    at = 0
    for size in cut:
        parts.feed(SOUND[at : at + size])
        at += size
    assert np.array_equal(whole.balance().power, parts.balance().power)


def test_pink_noise_is_flat_and_has_known_shares() -> None:
    balance = balance_of(pink(60.0))
    assert abs(balance.tilt_db) < 0.05
    octaves = math.log2(22_050.0 / 20.0)
    for low, high in ((20.0, 400.0), (200.0, 500.0), (6000.0, 22_050.0)):
        expected = math.log2(high / low) / octaves
        assert 10 * math.log10(balance.share(low, high) / expected) == pytest.approx(0.0, abs=0.2)
    assert np.allclose(Balance.pink().density_db(), Balance.pink().density_db()[0])
    assert Balance.pink().tilt_db == pytest.approx(0.0, abs=1e-9)


def test_a_sine_lies_where_it_is_and_its_power_is_right() -> None:
    t = np.arange(int(2 * FS)) / FS
    balance = balance_of(np.sin(2 * np.pi * 1000.0 * t).astype(np.float32)[:, None])
    assert balance.centroid_hz == pytest.approx(1000.0, rel=0.01)
    assert balance.share(900.0, 1100.0) > 0.999
    assert float(balance.power.sum()) == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("gain", [1e-3, 30.0])
def test_level_changes_nothing(gain: float) -> None:
    one, other = balance_of(SOUND), balance_of(SOUND * np.float32(gain))
    assert np.allclose(one.density_db(), other.density_db(), atol=1e-3)
    assert one.tilt_db == pytest.approx(other.tilt_db, abs=1e-3)


def test_mono_and_two_equal_channels_are_alike() -> None:
    mono = SOUND[:, :1]
    assert np.allclose(balance_of(mono).power, balance_of(np.repeat(mono, 2, axis=1)).power)


@pytest.mark.parametrize("word", ["warm", "bright", "airy", "tinny", "deep", "clear", "mellow"])
def test_the_balance_behind_an_equaliser_is_known_without_hearing_it(word: str) -> None:
    sound = pink(3.0)
    eq = load_vocabulary().get(word).settings
    heard = balance_of(
        sosfilt(design_sos(eq, FS), sound.astype(np.float64), axis=0).astype(np.float32)
    )
    curve = response_db(eq, FS, np.minimum(CENTRES_HZ, 0.49 * FS))
    told = balance_of(sound).through(curve, CENTRES_HZ)
    edges = (20.0, 60.0, 150.0, 400.0, 1000.0, 2000.0, 6000.0, 10_000.0, 22_050.0)
    for low, high in pairwise(edges):
        ratio = heard.share(low, high) / told.share(low, high)
        assert abs(10 * math.log10(ratio)) < LTI_TOLERANCE_DB


def test_agrees_with_the_judges_of_training_on_made_sounds() -> None:
    judges = pytest.importorskip("semeq.training.judges")
    spectra = pytest.importorskip("semeq.training.spectra")
    assert np.array_equal(spectra.BAND_EDGES_HZ, EDGES_HZ)
    _compare(judges, spectra, pink(5.0, channels=2), FS)
    _compare(judges, spectra, pink(3.0, 48_000.0), 48_000.0)


def _compare(judges: object, spectra: object, sound: Audio, fs: float) -> None:
    power: Floats = spectra.band_powers(sound, fs)  # type: ignore[attr-defined]
    balance = balance_of(sound, fs)
    for judge in judges.BAND_JUDGES.values():  # type: ignore[attr-defined]
        theirs, ours = float(judge.share(power)), balance.share(judge.low_hz, judge.high_hz)
        if theirs >= judges.LOWEST_SHARE:  # type: ignore[attr-defined]
            assert abs(10 * math.log10(ours / theirs)) < SHARE_TOLERANCE_DB
    tilt = float(judges.spectral_tilt(power))  # type: ignore[attr-defined]
    assert balance.tilt_db == pytest.approx(tilt, abs=SHARE_TOLERANCE_DB)
    centroid = float(judges.spectral_centroid(power))  # type: ignore[attr-defined]
    assert math.log2(balance.centroid_hz / 1000.0) == pytest.approx(centroid, abs=1e-4)


@pytest.mark.skipif(not MUSIC.is_dir(), reason=f"there is no music in {MUSIC}")
def test_agrees_with_the_judges_of_training_on_music() -> None:
    judges = pytest.importorskip("semeq.training.judges")
    spectra = pytest.importorskip("semeq.training.spectra")
    files = sorted(MUSIC.rglob("*.ogg"))[::16]
    assert files
    for path in files:
        sound, fs = spectra.read_crop(path, 5.0, 6.0)
        if len(sound) >= fs:
            _compare(judges, spectra, sound, fs)


@pytest.mark.skipif(not MUSIC.is_dir(), reason=f"there is no music in {MUSIC}")
def test_a_part_of_the_frames_tells_the_balance_of_a_long_file() -> None:
    spectra = pytest.importorskip("semeq.training.spectra")
    path = max(MUSIC.rglob("*.ogg"), key=lambda p: p.stat().st_size)
    sound, fs = spectra.read_crop(path, 0.0, 240.0)
    assert len(sound) > 150 * fs
    whole, part = balance_of(sound, fs), balance_of(sound, fs, DENSE_FRAMES)
    for low, high in ((20.0, 400.0), (200.0, 500.0), (2000.0, 6000.0), (6000.0, 22_050.0)):
        assert abs(10 * math.log10(whole.share(low, high) / part.share(low, high))) < 0.5


def test_low_rates_silence_and_short_sounds() -> None:
    low = balance_of(pink(2.0, 8000.0), 8000.0)
    assert low.share(6000.0, 22_050.0) == 0.0
    assert low.share(20.0, 400.0) > 0.4
    silent = balance_of(np.zeros((20_000, 2), dtype=np.float32))
    assert silent.is_silent
    assert math.isfinite(silent.tilt_db)
    assert math.isfinite(silent.centroid_hz)
    short = balance_of(pink(0.05))
    assert not short.is_silent
    assert balance_of(np.zeros((0, 1), dtype=np.float32)).is_silent


def test_samples_that_are_no_numbers_count_as_silence() -> None:
    broken = SOUND.copy()
    broken[1000:1010] = np.nan
    broken[2000] = np.inf
    mended = np.where(np.isfinite(broken), broken, np.float32(0.0))
    assert np.array_equal(balance_of(broken).power, balance_of(mended).power)


def test_refusals() -> None:
    with pytest.raises(SettingsError, match="fs must be"):
        Meter(math.nan, 1)
    with pytest.raises(SettingsError, match="channels"):
        Meter(FS, 0)
    with pytest.raises(SettingsError, match="memory_s"):
        Meter(FS, 1, memory_s=0.0)
    with pytest.raises(SettingsError, match="dense_frames"):
        Meter(FS, 1, memory_s=1.0, dense_frames=3)
    with pytest.raises(SettingsError, match="shape"):
        Meter(FS, 2).feed(np.zeros((100, 1), dtype=np.float32))


def test_bands_tile_the_spectrum() -> None:
    assert span(20.0, 22_050.0) == slice(0, len(CENTRES_HZ))
    assert span(200.0, 500.0).stop == span(500.0, 6000.0).start
    assert float(WIDTHS.sum()) == pytest.approx(math.log2(22_050.0 / 20.0))


@pytest.mark.alone
def test_metering_live_takes_less_than_a_hundredth_of_a_core() -> None:
    sound = pink(10.0, 48_000.0, 2)
    meter = Meter(48_000.0, 2)
    meter.feed(sound[:48_000])
    start = time.process_time()
    for at in range(0, len(sound), 512):
        meter.feed(sound[at : at + 512])
    assert time.process_time() - start < 0.01 * 10.0
