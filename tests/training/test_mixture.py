"""A mixture draws from its sources by weight."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from audio_trees import tone, write

from semeq.engine.errors import SettingsError
from semeq.training.audio_sets import AudioFolder
from semeq.training.mixture import Mixture
from semeq.training.noise import SyntheticNoise


def test_weights_names_and_recordings(tmp_path: Path) -> None:
    write(tmp_path / "band" / "song.wav", tone(500.0, 2.0, 16_000), 16_000)
    noise = SyntheticNoise(fs=16_000.0)
    both = Mixture(
        {"folder": (AudioFolder(tmp_path), 3.0), "noise": (noise, 1.0), "off": (noise, 0.0)}
    )
    rng = np.random.default_rng(1)
    crops = [both.sample(rng, 0.1) for _ in range(400)]
    counts = Counter(crop.source for crop in crops)
    assert counts["folder"] / 400 == pytest.approx(0.75, abs=3 * (0.75 * 0.25 / 400) ** 0.5)
    assert counts["off"] == 0
    assert {crop.recording for crop in crops if crop.source == "folder"} == {"band/song.wav"}
    assert [(r.name, r.package) for r in both.recordings] == [
        ("folder/band/song.wav", "folder/band")
    ]
    assert "75 % folder (AudioFolder: 1 recordings" in both.summary()
    assert "\n" not in both.summary()


def test_what_is_left_out_is_summed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name / "good.wav", tone(500.0, 2.0, 8000), 8000)
        (tmp_path / name / "bad.wav").write_bytes(b"no sound")
    both = Mixture({name: (AudioFolder(tmp_path / name), 1.0) for name in ("a", "b")})
    rng = np.random.default_rng(2)
    assert both.left_out == 0
    for _ in range(40):
        both.sample(rng, 0.1)
    assert both.left_out == 2


def test_a_mixture_of_mixtures() -> None:
    inner = Mixture({"a": (SyntheticNoise(fs=8000.0), 1.0)})
    outer = Mixture({"b": (inner, 1.0)})
    assert outer.sample(np.random.default_rng(1), 0.1).source == "b"


def test_wrong_weights() -> None:
    noise = SyntheticNoise()
    with pytest.raises(SettingsError, match="the weight of a must be at least 0, got -1"):
        Mixture({"a": (noise, -1.0)})
    for none in ({}, {"a": (noise, 0.0)}):
        with pytest.raises(SettingsError, match="a source with a weight above 0"):
            Mixture(none)
