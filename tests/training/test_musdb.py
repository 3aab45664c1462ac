"""MUSDB18 in both layouts, in miniature: every stem is a tone, so that a mix says what is in it."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from audio_trees import STEM_HZ, hq_song, stem_song, tone, tone_levels, write

from semeq.engine.errors import DataError, SettingsError
from semeq.training.crops import Crop
from semeq.training.musdb import STEMS, STREAMS, VALIDATION_SONGS, Musdb18
from semeq.training.splits import Split

FREQS = [STEM_HZ[name] for name in STEMS]
#: 192 kbit/s of AAC on pure tones of amplitude 0.1.
AAC_ATOL = 0.004
WAV_ATOL = 1e-4


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both layouts in one tree; the official validation list, and an artist on both sides."""
    root, scratch = tmp_path_factory.mktemp("musdb"), tmp_path_factory.mktemp("scratch")
    hq_song(root / "train" / "New Band - First")
    stem_song(root / "train" / "Old Band - Second.stem.mp4", scratch)
    hq_song(root / "train" / "ANiMAL - Rockshow")
    hq_song(root / "train" / "Both - Here")
    hq_song(root / "test" / "Both - There")
    (root / "train" / "Half - Done").mkdir()
    write(root / "train" / "Half - Done" / "drums.wav", tone(400.0, 1.0, 44_100), 44_100)
    return root


def levels(crop: Crop) -> list[float]:
    return tone_levels(crop.audio, crop.fs, FREQS)


def test_songs_and_splits(root: Path) -> None:
    names = {side: [r.name for r in Musdb18(root, split=side).recordings] for side in Split}
    assert names == {
        Split.TRAIN: ["New Band - First", "Old Band - Second"],
        Split.VALID: ["ANiMAL - Rockshow"],
        Split.TEST: ["Both - There"],
    }
    found = Musdb18(root, split=Split.TRAIN)
    assert found.skips.reasons == {
        "Half - Done": "without all stems",
        "Both - Here": "by an artist of another split",
    }
    assert len(Musdb18(root, split=Split.TRAIN, share_artists=True).recordings) == 3
    assert len(Musdb18(root).recordings) == 4
    assert len(VALIDATION_SONGS) == 14


def test_a_song_in_both_layouts_is_one(root: Path, tmp_path: Path) -> None:
    song = hq_song(tmp_path / "train" / "A - B")
    song.with_name("A - B.stem.mp4").write_bytes(b"never opened")
    found = Musdb18(tmp_path)
    assert [r.path for r in found.recordings] == [song]
    assert found.sample(np.random.default_rng(1), 1.0).fs == 44_100


@pytest.mark.parametrize(("song", "atol"), [("New Band", WAV_ATOL), ("Old Band", AAC_ATOL)])
@pytest.mark.parametrize("view", ["mixture", "stem", "remix"])
def test_views(root: Path, song: str, atol: float, view: str) -> None:
    found = Musdb18(root, views={view: 1.0}, remix_db=6.0).restricted(
        lambda recording: recording.name.startswith(song)
    )
    rng = np.random.default_rng(2)
    for _ in range(3 if song == "Old Band" else 12):
        crop = found.sample(rng, 1.0)
        assert crop.audio.shape == (44_100, 2)
        heard = levels(crop)
        if view == "mixture":
            assert heard == pytest.approx([0.1] * 4, abs=atol)
        elif view == "stem":
            wanted = [0.1 if name == crop.view else 0.0 for name in STEMS]
            assert heard == pytest.approx(wanted, abs=atol)
        else:
            assert crop.view == "remix"
            there = [level for level in heard if level > atol]
            assert there
            assert all(0.05 - atol < level < 0.2 + atol for level in there)


def test_remixes_differ_and_drop_stems(root: Path) -> None:
    found = Musdb18(root, split=Split.VALID, views={"remix": 1.0})
    rng = np.random.default_rng(3)
    mixes = [levels(found.sample(rng, 0.3)) for _ in range(60)]
    # The first stem against the second, in dB: all over the range, not one ratio.
    both = [20 * np.log10(a / b) for a, b, *_ in mixes if min(a, b) > 1e-3]
    assert np.std(both) > 5.0
    dropped = sum(level < 1e-3 for mix in mixes for level in mix) / (4 * len(mixes))
    assert 0.04 < dropped < 0.25


def test_how_often_each_view_comes(root: Path) -> None:
    found = Musdb18(root, split=Split.VALID)
    rng = np.random.default_rng(4)
    views = Counter(found.passage(rng, 0.02).view for _ in range(300))
    assert set(views) == {"mixture", "remix", *STEMS}
    assert views["mixture"] / 300 == pytest.approx(0.5, abs=3 * (0.25 / 300) ** 0.5)


def test_damaged_songs_are_counted(tmp_path: Path) -> None:
    hq_song(tmp_path / "train" / "Good - Song")
    (tmp_path / "train" / "Bad - Song.stem.mp4").write_bytes(b"no movie")
    odd = hq_song(tmp_path / "train" / "Odd - Song")
    write(odd / "vocals.wav", tone(2700.0, 1.5, 48_000), 48_000)
    found = Musdb18(tmp_path, views={"remix": 1.0})
    rng = np.random.default_rng(5)
    for _ in range(40):
        found.sample(rng, 1.0)
    assert found.skips.reasons == dict.fromkeys(["Bad - Song", "Odd - Song"], "cannot be decoded")


def test_wrong_calls(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must hold the folders train and test of MUSDB18"):
        Musdb18(tmp_path)
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="Musdb18 must hold a recording, got none"):
        Musdb18(tmp_path)
    for views in ({"karaoke": 1.0}, {"mixture": -1.0}, {"mixture": 0.0}, {}):
        with pytest.raises(SettingsError, match="views must"):
            Musdb18(root, views=views)
    with pytest.raises(SettingsError, match="remix_db must be in"):
        Musdb18(root, remix_db=-1.0)
    assert STREAMS[0] == "mixture"
