"""The sequence of crops: a function of seed and number, however it is entered and whatever is kept."""

import json
from pathlib import Path

import numpy as np
import pytest
from audio_trees import tone, write
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.random import Generator

from semeq.engine.errors import DataError, SettingsError
from semeq.training.audio_sets import AudioFolder
from semeq.training.crops import Crop, level_db
from semeq.training.noise import SyntheticNoise
from semeq.training.recordings import Recording
from semeq.training.sequence import CropSequence, CropSettings

NOISE = SyntheticNoise(fs=4000.0)
SMALL = CropSettings(seconds=0.05, passage_s=0.3, slots=3, reuse=4)


class Counting:
    """A source that counts what it is asked for."""

    recordings: tuple[Recording, ...] = ()
    left_out = 0

    def __init__(self) -> None:
        self.passages = 0

    def passage(self, rng: Generator, seconds: float) -> Crop:
        self.passages += 1
        return NOISE.passage(rng, seconds)

    def summary(self) -> str:
        return ""


def same(a: Crop, b: Crop) -> bool:
    return (a.recording, a.fs) == (b.recording, b.fs) and np.array_equal(a.audio, b.audio)


@given(
    st.integers(0, 2**31), st.integers(0, 40), st.integers(1, 5), st.integers(1, 5), st.booleans()
)
@hypothesis_settings(max_examples=30, deadline=None)
def test_any_entry_gives_the_same_crops(
    seed: int, start: int, slots: int, reuse: int, kept: bool
) -> None:
    settings = CropSettings(seconds=0.02, passage_s=0.06, slots=slots, reuse=reuse)
    straight = CropSequence(NOISE, settings, seed)
    crops = [next(straight) for _ in range(start + 6)]
    resumed = CropSequence(NOISE, settings, 0, memory_bytes=1 << 20 if kept else 0)
    resumed.restore(json.loads(json.dumps(straight.state() | {"position": start})))
    assert all(same(next(resumed), crop) for crop in crops[start:])
    assert same(resumed[0], crops[0])
    assert resumed.state() == straight.state()


def test_seeds_and_lanes_differ() -> None:
    firsts = [
        CropSequence(NOISE, SMALL, seed, lane=lane)[0].audio for seed in (1, 2) for lane in (0, 1)
    ]
    for k, first in enumerate(firsts):
        assert not any(np.array_equal(first, other) for other in firsts[:k])


def test_a_passage_serves_many_crops() -> None:
    source = Counting()
    settings = CropSettings(seconds=0.05, passage_s=0.3, slots=4, reuse=8)
    crops = CropSequence(source, settings, 1)
    made = []
    for _ in range(320):
        next(crops)
        made.append(source.passages)
    # One in eight, and at the beginning those that begin in the middle of their use.
    assert made[-1] == pytest.approx(320 / 8, abs=4)
    assert len(crops.cache) == 4
    # Evenly: never more than two in four crops once all slots are filled.
    assert max(np.array(made[8:]) - np.array(made[4:-4])) <= 2


def test_memory_is_bounded_and_changes_nothing() -> None:
    source = Counting()
    limit = 3 * 4000 * 2 * 4 // 10  # one passage of 0.3 s
    crops = CropSequence(source, SMALL, 5, memory_bytes=limit)
    whole = CropSequence(NOISE, SMALL, 5)
    for _ in range(40):
        assert same(next(crops), next(whole))
        assert crops.cache.bytes <= limit
    assert source.passages > 20


def test_crops_of_one_passage_differ(tmp_path: Path) -> None:
    ramp = np.linspace(0.1, 0.9, 16_000, dtype=np.float32)[:, None]
    write(tmp_path / "a" / "ramp.wav", ramp, 16_000)
    settings = CropSettings(seconds=0.1, passage_s=1.0, slots=1, reuse=50, level_db=0.0)
    crops = CropSequence(AudioFolder(tmp_path), settings, 1)
    assert len({float(next(crops).audio[0, 0]) for _ in range(50)}) > 45


def test_levels_channels_and_rate(tmp_path: Path) -> None:
    for k, fs in enumerate((16_000, 44_100)):
        write(tmp_path / f"p{k}" / "a.wav", tone(500.0, 2.0, fs, channels=k + 1), fs)
    source = AudioFolder(tmp_path)
    settings = CropSettings(seconds=0.2, passage_s=1.0, slots=2, reuse=2, channels=2, fs=48_000.0)
    crops = CropSequence(source, settings, 1)
    got = [next(crops) for _ in range(60)]
    assert {crop.audio.shape for crop in got} == {(9600, 2)}
    levels = np.array([level_db(crop.audio) for crop in got]) + 23.01
    assert -20.1 < levels.min() < -15.0
    assert 15.0 < levels.max() < 20.1
    mono = CropSequence(source, CropSettings(seconds=0.2, channels=1), 1)
    assert {next(mono).audio.shape[1] for _ in range(9)} == {1}


def test_what_is_known_of_bad_files_does_not_change_it(tmp_path: Path) -> None:
    for k in range(4):
        write(tmp_path / f"p{k}" / "a.wav", tone(300.0 + 100 * k, 2.0, 8000), 8000)
    (tmp_path / "p1" / "bad.wav").write_bytes(b"RIFF" + b"x" * 50)
    settings = CropSettings(seconds=0.1, passage_s=0.5, slots=2, reuse=2)
    straight = CropSequence(AudioFolder(tmp_path), settings, 3)
    crops = [next(straight) for _ in range(60)]
    fresh = CropSequence(AudioFolder(tmp_path), settings, 3)
    fresh.position = 40
    assert all(same(next(fresh), crop) for crop in crops[40:])


def test_wrong_calls() -> None:
    with pytest.raises(SettingsError, match=r"seconds must be in \(0, 12\]"):
        CropSettings(seconds=13.0)
    with pytest.raises(SettingsError, match="slots and reuse must be at least 1"):
        CropSettings(slots=0)
    with pytest.raises(SettingsError, match="level_db must be in"):
        CropSettings(level_db=-1.0)
    with pytest.raises(SettingsError, match="channels must be"):
        CropSettings(channels=5)
    with pytest.raises(SettingsError, match="seed and lane must be at least 0"):
        CropSequence(NOISE, SMALL, -1)
    crops = CropSequence(NOISE, SMALL, 1)
    with pytest.raises(IndexError, match="must be at least 0, got -1"):
        crops[-1]
    for state in ({}, {"seed": 1, "lane": 0}, {"seed": 1, "lane": 0, "position": -2}):
        with pytest.raises(DataError, match="the state of a sequence must hold"):
            crops.restore(state)
