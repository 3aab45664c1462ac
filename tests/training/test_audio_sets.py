"""Folders of recordings: packages first, splits without overlap, damage counted and stepped over."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from audio_trees import main_hz, tone, tone_file, write

from semeq.engine.errors import DataError, SettingsError
from semeq.training import audio_sets
from semeq.training.audio_sets import AudioFolder
from semeq.training.splits import Shares, Split

FS = 16_000
DRAWS = 400
#: Three standard deviations of a half over 400 draws.
HALF_ATOL = 3 * (0.25 / DRAWS) ** 0.5


def folder_of(root: Path, tracks: dict[str, int]) -> Path:
    """Make packages with so many tracks each; every track has a tone of its own."""
    number = 0
    for package, count in tracks.items():
        for k in range(count):
            number += 1
            write(root / package / f"{k:02d}.wav", tone(100.0 * number, 2.0, FS), FS)
    return root


def packages(found: AudioFolder, draws: int = DRAWS) -> Counter[str]:
    rng = np.random.default_rng(5)
    return Counter(found.passage(rng, 0.05).package for _ in range(draws))


def test_a_package_is_drawn_first(tmp_path: Path) -> None:
    found = AudioFolder(folder_of(tmp_path, {"large": 19, "small": 1}))
    assert len(found.recordings) == 20
    assert packages(found)["small"] / DRAWS == pytest.approx(0.5, abs=HALF_ATOL)
    by_file = AudioFolder(tmp_path, evenness=0.0)
    assert packages(by_file)["small"] / DRAWS == pytest.approx(0.05, abs=HALF_ATOL)


def test_every_track_is_heard_where_it_is(tmp_path: Path) -> None:
    found = AudioFolder(folder_of(tmp_path, {"a": 3, "b": 2}))
    rng = np.random.default_rng(6)
    heard = {}
    for _ in range(60):
        crop = found.sample(rng, 0.5)
        assert (crop.fs, crop.audio.shape) == (FS, (FS // 2, 2))
        heard[crop.recording] = round(main_hz(crop))
    assert heard == {
        "a/00.wav": 100,
        "a/01.wav": 200,
        "a/02.wav": 300,
        "b/00.wav": 400,
        "b/01.wav": 500,
    }


def test_all_of_a_recording_is_reached(tmp_path: Path) -> None:
    ramp = np.linspace(0.1, 0.9, FS, dtype=np.float32)[:, None]
    write(tmp_path / "a" / "ramp.wav", ramp, FS)
    found = AudioFolder(tmp_path)
    rng = np.random.default_rng(7)
    firsts = [float(found.sample(rng, 0.25).audio[0, 0]) for _ in range(200)]
    # Uniform between the beginning and the last place that fits.
    assert min(firsts) < 0.12
    assert 0.68 < max(firsts) <= 0.9 - 0.8 * 0.25 + 0.01
    assert np.mean(firsts) == pytest.approx(0.4, abs=3 * 0.6 / 12**0.5 / 200**0.5)


def test_a_seed_gives_the_same_crops_whatever_is_known_of_the_files(tmp_path: Path) -> None:
    folder_of(tmp_path, {"a": 3, "b": 1})
    (tmp_path / "a" / "broken.wav").write_bytes(b"RIFF" + b"x" * 99)
    write(tmp_path / "b" / "silent.wav", np.zeros((FS * 2, 1), dtype=np.float32), FS)
    write(tmp_path / "b" / "short.wav", tone(999.0, 0.2, FS), FS)
    found = AudioFolder(tmp_path)

    def crops() -> list[str]:
        rng = np.random.default_rng(8)
        return [f"{(c := found.sample(rng, 0.1)).recording} {c.audio.sum()}" for _ in range(40)]

    first = crops()
    assert len(found.skips) == 2
    # Now the bad files are known, and stepped over without being opened.
    assert crops() == first
    assert found.skips.reasons == {"a/broken.wav": "cannot be decoded", "b/short.wav": "too short"}
    assert found.quiet > 0
    assert "2 left out: 1 cannot be decoded, 1 too short" in found.summary()
    assert "\n" not in found.summary()


def test_short_files_are_padded_or_left_out(tmp_path: Path) -> None:
    write(tmp_path / "kit" / "snare.wav", tone(200.0, 0.3, FS), FS)
    found = AudioFolder(tmp_path, shortest_s=0.1)
    crop = found.sample(np.random.default_rng(9), 1.0)
    assert len(crop.audio) == FS
    assert not crop.audio[round(0.3 * FS) :].any()
    assert len(found.passage(np.random.default_rng(9), 1.0).audio) == round(0.3 * FS)
    with pytest.raises(DataError, match=r"got none in 100 draws \(1 left out: 1 too short\)"):
        AudioFolder(tmp_path).sample(np.random.default_rng(9), 1.0)


def test_splits_share_no_package(tmp_path: Path) -> None:
    folder_of(tmp_path, {f"p{k}": 2 for k in range(30)})
    shares = Shares(0.3, 0.3)
    sides = {side: AudioFolder(tmp_path, split=side, shares=shares) for side in Split}
    names = [r.name for side in sides.values() for r in side.recordings]
    assert sorted(names) == sorted(r.name for r in AudioFolder(tmp_path).recordings)
    owner = {r.package: side for side, found in sides.items() for r in found.recordings}
    assert len(owner) == sum(len(found.packages) for found in sides.values()) == 30


def test_a_package_that_outweighs_the_others_trains(tmp_path: Path) -> None:
    folder_of(tmp_path, {f"p{k}": 1 for k in range(30)})
    # All but what is large is held out.
    shares = Shares(0.0, 1.0)
    assert len(AudioFolder(tmp_path, split=Split.TEST, shares=shares).packages) == 30
    write(tmp_path / "p7" / "symphony.wav", tone(50.0, 40.0, FS), FS)
    held = AudioFolder(tmp_path, split=Split.TEST, shares=shares)
    assert len(held.packages) == 29
    assert AudioFolder(tmp_path, split=Split.TRAIN, shares=shares).packages == ("p7",)


def test_few_packages_may_be_split_by_recording(tmp_path: Path) -> None:
    folder_of(tmp_path, {"a": 15, "b": 15})
    shutil.copy(tmp_path / "a" / "00.wav", tmp_path / "b" / "copy.wav")
    shares = Shares(0.3, 0.3)
    sides = [AudioFolder(tmp_path, split=side, by="recording", shares=shares) for side in Split]
    names = [{r.name for r in found.recordings} for found in sides]
    assert all(names)
    assert sum(map(len, names)) == len(set().union(*names)) == 30
    assert len({r.package for found in sides for r in found.recordings}) == 2
    with pytest.raises(SettingsError, match="by must be package or recording, got 'mood'"):
        AudioFolder(tmp_path, by="mood")


def test_copies_never_cross_a_split(tmp_path: Path) -> None:
    folder_of(tmp_path, {f"p{k}": 1 for k in range(12)})
    shares = Shares(0.3, 0.3)
    test = AudioFolder(tmp_path, split=Split.TEST, shares=shares).recordings[0]
    train = AudioFolder(tmp_path, split=Split.TRAIN, shares=shares).packages
    # The same song again, in all packages that train.
    for package in train:
        shutil.copy(test.path, tmp_path / package / "other name.wav")
    marks = []
    for side in Split:
        try:
            found = AudioFolder(tmp_path, split=side, shares=shares)
        except DataError:
            continue
        marks += [audio_sets.fingerprint(r.path) for r in found.recordings]
    assert len(marks) == len(set(marks)) == 12
    copies = AudioFolder(tmp_path).skips.reasons
    assert list(copies.values()) == ["copies"] * len(train)


def test_what_counts_as_a_file(tmp_path: Path) -> None:
    folder_of(tmp_path, {"a": 1})
    tone_file(tmp_path / "a" / "deep" / "er" / "x.MP3".lower(), 300.0, 2.0)
    tone_file(tmp_path / "loose.ogg", 400.0, 2.0)
    for name in ("a/notes.txt", "a/.hidden.wav", "cover.jpg", ".git/x.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = AudioFolder(tmp_path)
    assert [(r.package, r.name) for r in found.recordings] == [
        ("a", "a/00.wav"),
        ("a", "a/deep/er/x.mp3"),
        ("loose", "loose.ogg"),
    ]


def test_restricted(tmp_path: Path) -> None:
    found = AudioFolder(folder_of(tmp_path, {"a": 2, "b": 2}))
    part = found.restricted(lambda recording: recording.package == "b")
    assert part.packages == ("b",)
    assert len(found.recordings) == 4
    assert {part.sample(np.random.default_rng(k), 0.1).package for k in range(9)} == {"b"}
    with pytest.raises(DataError, match="AudioFolder must hold a recording, got none"):
        found.restricted(lambda recording: False)


def test_without_ffmpeg_opus_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_of(tmp_path, {"a": 1})
    tone_file(tmp_path / "a" / "x.opus", 300.0, 2.0)
    assert len(AudioFolder(tmp_path).recordings) == 2
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = AudioFolder(tmp_path)
    assert [r.name for r in found.recordings] == ["a/00.wav"]
    assert "1 left out: 1 need ffmpeg" in found.summary()


def test_wrong_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a folder of sound files"):
        AudioFolder(tmp_path / "none")
    with pytest.raises(DataError, match=r"must hold a recording, got none \(none left out\)"):
        AudioFolder(tmp_path)
    with pytest.raises(SettingsError, match="evenness must be in"):
        AudioFolder(folder_of(tmp_path, {"a": 1}), evenness=2.0)
    with pytest.raises(DataError, match="a package for the split valid, got none of its 1: name a"):
        AudioFolder(tmp_path, split=Split.VALID, shares=Shares(0.0, 0.0))
