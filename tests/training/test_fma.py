"""FMA in its true layout, in miniature."""

from pathlib import Path

import numpy as np
import pytest
from audio_trees import fma_metadata, main_hz, tone_file, track

from semeq.engine.errors import DataError, SettingsError
from semeq.training.fma import EMPTY_CLIPS, SHORT_CLIPS, Fma, clip_path
from semeq.training.splits import Split

#: Number, subset, split, artist, top genre, genres, tone in Hz.
TRACKS = (
    (2, "small", "training", "1", "Rock", "[12]", 300.0),
    (5, "small", "validation", "2", "Electronic", "[15]", 400.0),
    (140, "medium", "training", "1", "Rock", "[12, 85]", 500.0),
    (1482, "large", "test", "3", "", "[85]", 600.0),
    (155_066, "large", "training", "4", "", "[]", 700.0),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fma")
    rows = [track(*row[:6]) for row in TRACKS]
    # On record, and broken upstream; missing here; not decodable here.
    rows += [track(number, "small", "training", "8") for number in (133_297, 98_565)]
    rows += [track(7, "small", "training", "9"), track(8, "small", "training", "9")]
    fma_metadata(root, rows)
    for size in ("small", "full"):
        for number, *_, freq_hz in TRACKS[: 2 if size == "small" else None]:
            tone_file(clip_path(root / f"fma_{size}", number), freq_hz)
    clip_path(root / "fma_small", 8).write_bytes(b"ID3" + bytes(2000))
    for number in (133_297, 98_565):
        tone_file(clip_path(root / "fma_full", number), 900.0)
    return root


def test_paths_are_those_of_the_archive(root: Path) -> None:
    assert (root / "fma_small" / "000" / "000002.mp3").is_file()
    assert clip_path(root, 155_066) == root / "155" / "155066.mp3"


def test_small(root: Path) -> None:
    found = Fma(root)
    names = [(r.name, r.package, r.genre) for r in found.recordings]
    assert names == [
        ("000002", "artist 1", "Rock"),
        ("000005", "artist 2", "Electronic"),
        ("000008", "artist 9", "Rock"),
    ]
    assert found.skips.reasons == {
        "133297": "known to be empty or short",
        "098565": "known to be empty or short",
        "000007": "missing",
    }
    rng = np.random.default_rng(1)
    heard = {(c := found.sample(rng, 1.0)).recording: round(main_hz(c), -1) for _ in range(30)}
    assert heard == {"000002": 300.0, "000005": 400.0}
    assert found.skips.reasons["000008"] == "cannot be decoded"
    assert (
        "4 left out: 2 known to be empty or short, 1 missing, 1 cannot be decoded"
        in found.summary()
    )


def test_sizes_hold_each_other(root: Path) -> None:
    for folder in ("fma_medium", "fma_large"):
        if not (root / folder).exists():
            (root / folder).symlink_to(root / "fma_full")
    counts = [len(Fma(root, size).recordings) for size in ("medium", "large", "full")]
    # In full the known bad clips are whole tracks.
    assert counts == [3, 5, 7]


def test_genre_comes_from_the_tree_where_the_top_is_empty(root: Path) -> None:
    genres = {r.name: r.genre for r in Fma(root, "full").recordings}
    assert (genres["001482"], genres["155066"]) == ("Rock", "")
    assert len(Fma(root, "full", genres=["Electronic"]).recordings) == 1
    with pytest.raises(SettingsError, match="genres must be among Electronic, Rock, got Polka"):
        Fma(root, "full", genres=["Rock", "Polka"])


def test_the_official_split(root: Path) -> None:
    sides = {side: Fma(root, "full", split=side) for side in Split}
    assert {side: len(found.recordings) for side, found in sides.items()} == {
        Split.TRAIN: 5,
        Split.VALID: 1,
        Split.TEST: 1,
    }
    artists = [set(found.packages) for found in sides.values()]
    assert sum(map(len, artists)) == len(set().union(*artists))


def test_the_lists_of_bad_clips() -> None:
    assert (len(EMPTY_CLIPS), len(SHORT_CLIPS)) == (15, 6)
    assert not EMPTY_CLIPS & SHORT_CLIPS


def test_what_is_not_fma(root: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="size must be one of small, medium, large, full"):
        Fma(root, "tiny")
    with pytest.raises(DataError, match=r"unpack fma_small\.zip"):
        Fma(tmp_path)
    (tmp_path / "fma_small").mkdir()
    with pytest.raises(DataError, match=r"genres\.csv must be a readable file"):
        Fma(tmp_path)
    folder = fma_metadata(tmp_path, [])
    with pytest.raises(DataError, match="Fma must hold a recording, got none"):
        Fma(tmp_path)
    tracks = folder / "tracks.csv"
    good = tracks.read_text(encoding="utf-8")
    for bad, message in (
        ("", "set/subset"),
        (good.replace("split", "side", 1), "set/split"),
        (good + "9,only,three\n", "in the row of '9'"),
        (good + 9 * "x," + "x\n", "in the row of 'x'"),
    ):
        tracks.write_text(bad, encoding="utf-8")
        with pytest.raises(DataError, match=message):
            Fma(tmp_path)
    (folder / "genres.csv").write_text("genre_id,title\n1,Rock\n", encoding="utf-8")
    with pytest.raises(DataError, match="genre_id, title and top_level"):
        Fma(tmp_path)
