"""What is done to a crop: cutting, channels, level, rate."""

import numpy as np
import pytest
from audio_trees import main_hz, tone
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.errors import SettingsError
from semeq.engine.units import Audio
from semeq.training.crops import Crop, cut, jittered, level_db, resampled, with_channels

#: A polyphase filter's ripple in the middle of the band.
RESAMPLED_LEVEL_ATOL_DB = 0.02


def ramp(frames: int) -> Audio:
    return np.arange(1, frames + 1, dtype=np.float32)[:, None]


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 2**32))
def test_a_cut_is_a_stretch(length: int, frames: int, seed: int) -> None:
    piece = cut(ramp(length), frames, np.random.default_rng(seed))[:, 0]
    assert len(piece) == frames
    held = piece[:length] if frames > length else piece
    assert np.all(np.diff(held) == 1.0)
    assert not piece[length:].any()


def test_all_places_are_reached() -> None:
    rng = np.random.default_rng(1)
    starts = {int(cut(ramp(12), 3, rng)[0, 0]) for _ in range(300)}
    assert starts == set(range(1, 11))


def test_quiet_places_are_avoided() -> None:
    rng = np.random.default_rng(2)
    audio = np.zeros((1000, 1), dtype=np.float32)
    audio[:500] = 0.1
    quiet = sum(level_db(cut(audio, 10, rng)) < -60.0 for _ in range(400))
    # Four places are tried: all are quiet once in sixteen times.
    assert quiet == pytest.approx(400 / 16, abs=20)
    # Where all is quiet, the loudest place is still a place.
    assert cut(audio[500:], 10, rng).shape == (10, 1)


def test_the_generator_moves_alike_whatever_the_sound() -> None:
    after = []
    for level in (0.0, 0.5):
        rng = np.random.default_rng(3)
        cut(np.full((100, 1), level, dtype=np.float32), 10, rng)
        after.append(rng.random())
    assert after[0] == after[1]


def test_channels() -> None:
    stereo = np.array([[1.0, 3.0], [2.0, 6.0]], dtype=np.float32)
    assert with_channels(stereo, 1).tolist() == [[2.0], [4.0]]
    assert with_channels(stereo, None) is stereo
    assert with_channels(stereo[:, :1], 2).tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert with_channels(np.hstack([stereo, stereo]), 2).tolist() == stereo.tolist()
    with pytest.raises(SettingsError, match="channels must be 1, 2 or None"):
        with_channels(stereo, 3)


def test_level_jitter_is_uniform_in_db() -> None:
    crop = Crop(np.full((8, 2), 0.1, dtype=np.float32), 48_000.0, "a", "b")
    rng = np.random.default_rng(4)
    levels = np.array([level_db(jittered(crop, rng, 20.0).audio) for _ in range(2000)]) + 20.0
    assert -20.0 <= levels.min() < -19.5
    assert 19.5 < levels.max() <= 20.001
    # The standard deviation of a uniform number, and three of its own.
    assert levels.std() == pytest.approx(40.0 / 12**0.5, rel=0.04)
    assert crop.audio.max() == np.float32(0.1)


@pytest.mark.parametrize(
    ("before", "after"), [(44_100, 48_000), (48_000, 44_100), (22_050, 48_000)]
)
def test_resampling(before: float, after: float) -> None:
    crop = resampled(Crop(tone(1000.0, 1.0, before), before, "a", "b"), after)
    assert (crop.fs, len(crop.audio)) == (after, after)
    assert crop.audio.dtype == np.float32
    assert main_hz(crop) == pytest.approx(1000.0, abs=1.0)
    level = level_db(crop.audio[2000:-2000])
    assert level == pytest.approx(-20.0 - 3.01, abs=RESAMPLED_LEVEL_ATOL_DB)


def test_resampling_to_its_own_rate_is_nothing() -> None:
    crop = Crop(tone(1000.0, 0.1, 48_000), 48_000.0, "a", "b")
    assert resampled(crop, 48_000.0) is crop
    with pytest.raises(SettingsError, match="whole number of Hz"):
        resampled(crop, 44_100.5)
