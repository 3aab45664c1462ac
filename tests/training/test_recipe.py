import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from human_data import small_data
from judged_music import write_music

from semeq.engine.cli import main
from semeq.engine.errors import DataError, SettingsError
from semeq.engine.model_file import load_model

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from semeq.training.clips import Clips  # noqa: E402 (only with torch)
from semeq.training.config import Config  # noqa: E402
from semeq.training.learned import FRAMES, CropLevels, LevelMethod  # noqa: E402
from semeq.training.models import AudioEncoder, EQAutoencoder  # noqa: E402
from semeq.training.recipe import Run  # noqa: E402
from semeq.training.spectra import Spectra, spectra_of_folder  # noqa: E402

CONFIG = """
[data]
human = "human"
audio = ["music"]
any_version = true
stretches = 6
valid_stretches = 3
seconds = 2.0
valid_share = 0.5
[eq]
epochs = 1
steps = 2
batch = 16
[audio]
epochs = 2
steps = 1
pairs = 2
window_s = 0.5
[e2e]
epochs = 1
steps = 1
pairs = 2
window_s = 0.5
sounds = 1
sound_stretches = 2
quality_weight = 1.0
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "human").mkdir()
    small_data(folder / "human")
    for seed in range(6):
        music = write_music(folder / "made" / str(seed), recordings=1, seconds=5.0, seed=seed)
        (folder / "music").mkdir(exist_ok=True)
        os.rename(music, folder / "music" / f"package{seed}")
    (folder / "run.toml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def spectra(place: Path) -> Spectra:
    return spectra_of_folder(place / "music", crops=1, seconds=4.5)


def test_the_whole_recipe(place: Path) -> None:
    config = Config.from_toml(place / "run.toml")
    said: list[str] = []
    Run(config, place / "run", report=said.append).stages(["words", "eq", "audio", "e2e", "export"])
    model = load_model(place / "run" / "model")
    assert {"warm", "bright"} <= set(model.words)
    assert (model.notes["stage"], model.notes["config"]) == ("audio", config.sha256_of("audio"))
    assert all((place / "run" / f"{stage}.csv").exists() for stage in ("eq", "audio", "e2e"))
    history = (place / "run" / "e2e.csv").read_text()
    assert {"quality", "valid_quality", "valid_apart"} <= set(history.splitlines()[0].split(","))
    # Another loop starts from the same encoder.
    loop = dataclasses.replace(config, e2e=dataclasses.replace(config.e2e, quality_weight=0.0))
    (place / "run" / "e2e.npz").unlink()
    Run(loop, place / "run").stages(["e2e"])
    assert "quality" not in (place / "run" / "e2e.csv").read_text().splitlines()[0].split(",")
    # Asked again, it finds everything there.
    said.clear()
    Run(config, place / "run", report=said.append).stages(["words", "eq", "audio"])
    assert said == [
        "eq: going on after epoch 1 of 1",
        "audio: going on after epoch 2 of 2",
    ]


@pytest.mark.parametrize(
    ("stages", "change", "said"),
    [
        (["audio"], "", "stage eq must be trained first"),
        (["eq"], 'human = "nowhere"', "must be a readable file"),
        (["eq"], 'human = ""', "data.human must name a folder"),
    ],
)
def test_what_is_missing_is_said(
    place: Path, tmp_path: Path, stages: list[str], change: str, said: str
) -> None:
    text = CONFIG.replace('human = "human"', change) if change else CONFIG
    (place / "other.toml").write_text(text)
    with pytest.raises(DataError, match=said):
        Run(Config.from_toml(place / "other.toml"), tmp_path / "run").stages(stages)


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="device must be"):
        Run(Config(device="abacus"), tmp_path)


def test_the_command_fails_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from semeq.engine.cli import Commands
    from semeq.training.cli_train import train

    monkeypatch.setattr(Commands, "get_command", lambda *_: train)
    with pytest.raises(SystemExit) as stopped:
        main(["train", "eq", "--config", str(tmp_path / "no.toml"), "--run", str(tmp_path / "r")])
    assert stopped.value.code == 1
    assert capsys.readouterr().err.startswith("semeq: ")


def test_networks_as_a_method(spectra: Spectra) -> None:
    torch.manual_seed(0)
    levels = CropLevels()
    curve = 4.0 * np.sin(np.linspace(0.0, 3.0, 61))
    curve -= curve.mean()
    networks = (AudioEncoder(), EQAutoencoder())
    method = LevelMethod(*networks, {"word": curve}, levels, name="untrained")
    clips = Clips(spectra, range(len(spectra)))
    assert levels.of(spectra, 0).shape == (FRAMES, 61)
    assert not method.curves_db("word", 0.0, clips).any()
    assert method.curves_db("word", 1.0, clips).shape == (len(spectra), 61)
    literal = LevelMethod(*networks, {"word": curve}, levels, name="literal", literal=True)
    # The formula of the literature forgets the sound at amount 1, and is not flat at 0.
    assert literal.curves_db("word", 1.0, clips) == pytest.approx(
        np.tile(curve, (len(spectra), 1)), abs=1e-6
    )
    assert np.abs(literal.curves_db("word", 0.0, clips)).max() > 0.0


def test_a_quality_without_sounds_is_refused(place: Path) -> None:
    config = Config.from_toml(place / "run.toml")
    loop = dataclasses.replace(config.e2e, sound_stretches=0)
    with pytest.raises(DataError, match="sound_stretches must be 1 or more"):
        Run(dataclasses.replace(config, e2e=loop), place / "run").stages(["e2e"])
