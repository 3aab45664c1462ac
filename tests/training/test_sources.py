"""Audio by name: tables of a configuration, and the command that looks at it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audio_trees import clip, fma_metadata, hq_song, tone, track, write
from click.testing import CliRunner

from semeq.engine.errors import DataError, SettingsError
from semeq.training.audio_sets import AudioFolder
from semeq.training.fma import Fma
from semeq.training.musdb import Musdb18
from semeq.training.noise import SyntheticNoise
from semeq.training.sources import find_source, main, make_mixture, make_source
from semeq.training.splits import Shares, Split


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each: a folder, FMA and MUSDB18-HQ."""
    root = tmp_path_factory.mktemp("data")
    for k in range(12):
        write(root / "music" / f"p{k}" / "a.wav", tone(300.0 + 50 * k, 2.0, 8000), 8000)
    fma_metadata(root / "fma", [track(2, "small", "training", "1")])
    clip(root / "fma", "small", 2, 440.0)
    hq_song(root / "musdb" / "train" / "A - B")
    return root


def test_each_kind(data: Path) -> None:
    folder = make_source({"kind": "folder", "path": str(data / "music"), "weight": 2.0})
    assert isinstance(folder, AudioFolder)
    assert isinstance(make_source({"kind": "fma", "path": data / "fma", "size": "small"}), Fma)
    assert isinstance(make_source({"kind": "musdb", "path": data / "musdb"}), Musdb18)
    noise = make_source({"kind": "noise", "kinds": {"pink": 1.0}, "fs": 8000.0}, Split.VALID)
    assert isinstance(noise, SyntheticNoise)
    assert noise.sample(np.random.default_rng(1), 0.1).fs == 8000.0


def test_layouts_are_known(data: Path, tmp_path: Path) -> None:
    assert isinstance(find_source(data / "music"), AudioFolder)
    assert isinstance(find_source(data / "musdb"), Musdb18)
    assert isinstance(find_source(tmp_path / "noise", split=Split.VALID), SyntheticNoise)
    found = find_source(data / "fma", split=Split.TRAIN)
    assert isinstance(found, Fma)
    assert found.size == "small"
    (tmp_path / "noise").mkdir()
    with pytest.raises(DataError, match="must hold a recording"):
        find_source(tmp_path / "noise")
    with pytest.raises(DataError, match="must be a folder"):
        find_source(tmp_path / "none")
    (tmp_path / "fma_metadata").mkdir()
    with pytest.raises(DataError, match="must be a folder of clips: unpack fma_small"):
        find_source(tmp_path)
    sides = [
        find_source(data / "music", split=side, shares=Shares(0.5, 0.0)).recordings
        for side in (Split.TRAIN, Split.VALID)
    ]
    assert len(sides[0]) + len(sides[1]) == 12


def test_splits(data: Path) -> None:
    table = {"kind": "folder", "path": data / "music", "shares": {"valid": 0.5, "test": 0.0}}
    train, valid = (make_source(table, side) for side in (Split.TRAIN, Split.VALID))
    assert len(train.recordings) + len(valid.recordings) == 12
    assert not set(train.recordings) & set(valid.recordings)
    # A table that says its split keeps it.
    assert make_source({**table, "split": "valid"}, Split.TRAIN).recordings == valid.recordings


def test_a_mixture(data: Path) -> None:
    tables: list[dict[str, Any]] = [
        {"kind": "folder", "path": data / "music", "weight": 6.0},
        {"kind": "folder", "path": data / "music"},
        {"kind": "musdb", "path": data / "musdb", "name": "stems", "weight": 2.0},
        {"kind": "noise"},
    ]
    mixture = make_mixture(tables)
    assert mixture.shares == {"folder": 0.6, "folder 2": 0.1, "stems": 0.2, "noise": 0.1}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "the kind of audio must be one of folder, fma, musdb, noise, got None"),
        ({"kind": "vinyl"}, "got 'vinyl'"),
        ({"kind": "folder"}, "audio of kind folder must have a path, got none"),
        ({"kind": "folder", "path": "DATA", "colour": 1}, "known settings, got .*colour"),
        ({"kind": "folder", "path": "DATA", "split": "dev"}, "split must be one of train, valid"),
        ({"kind": "folder", "path": "DATA", "evenness": 3.0}, "evenness must be in"),
        ({"kind": "noise", "path": "DATA"}, "known settings, got .*path"),
    ],
)
def test_wrong_tables(data: Path, table: Mapping[str, Any], message: str) -> None:
    values = {k: str(data / "music") if v == "DATA" else v for k, v in table.items()}
    with pytest.raises(SettingsError, match=message):
        make_source(values)


def test_no_tables() -> None:
    with pytest.raises(SettingsError, match="a source with a weight above 0"):
        make_mixture([])
    with pytest.raises(DataError, match="must be a folder"):
        make_source({"kind": "folder", "path": "/nowhere"})


def test_the_command(data: Path) -> None:
    sets = ["--folder", data / "music", "--fma", data / "fma", "--musdb", data / "musdb", "--noise"]
    done = CliRunner().invoke(main, [*map(str, sets), "--crops", "20"])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert [line.split(":")[0].split()[-1] for line in lines[:4]] == [
        "folder",
        "fma",
        "musdb",
        "noise",
    ]
    assert "12 recordings in 12 packages, none left out" in lines[0]
    assert lines[4].startswith("20 crops of 3 s in ")


@pytest.mark.parametrize("arguments", [[], ["--folder", "/nowhere"], ["--fma", "/nowhere"]])
def test_the_command_without_data(arguments: list[str]) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert len(done.output.splitlines()) == 1
