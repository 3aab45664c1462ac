import dataclasses
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from semeq.engine.errors import DataError

torch = pytest.importorskip("torch")

from semeq.training import checkpoint  # noqa: E402 (only with torch)
from semeq.training.config import AudioOptions, Config, EqOptions, LoopOptions  # noqa: E402
from semeq.training.levels import LevelBank, build_bank  # noqa: E402
from semeq.training.loop import LoopStage  # noqa: E402
from semeq.training.models import AudioEncoder, EQAutoencoder  # noqa: E402
from semeq.training.noise import SyntheticNoise  # noqa: E402
from semeq.training.put_on import PutOn  # noqa: E402
from semeq.training.stages import (  # noqa: E402
    AudioStage,
    EqStage,
    start_from_components,
)
from semeq.training.train import Plan, fit  # noqa: E402

HUMAN = 4.0 * np.sin(np.outer(np.arange(1, 13), np.linspace(0.0, 3.0, 61)))
HUMAN -= HUMAN.mean(axis=1, keepdims=True)
WORDS = tuple("abcdef" * 2)
NOTES = {"config": "test"}
OPTIONS = AudioOptions(pairs=4, window_s=0.5, dropout=0.1)


@pytest.fixture(scope="module")
def bank() -> LevelBank:
    noise = SyntheticNoise(fs=44_100.0)
    return build_bank(noise, np.random.default_rng(0), stretches=12, seconds=1.5)


def autoencoder() -> EQAutoencoder:
    torch.manual_seed(0)
    module = EQAutoencoder()
    start_from_components(module, PutOn(HUMAN).draw(np.random.default_rng(0), 500))
    return module


def audio_stage(bank: LevelBank) -> AudioStage:
    module = autoencoder()
    torch.manual_seed(0)
    return AudioStage(AudioEncoder((4, 8, 8)), module, bank, bank, PutOn(HUMAN), OPTIONS)


def plan(epochs: int, steps: int = 4, patience: int = 50) -> Plan:
    return Plan(epochs, steps, 3e-3, 1e-2, patience, 0)


def weights(stage: AudioStage | EqStage) -> "list[npt.NDArray[np.float32]]":
    return [value.numpy() for value in stage.module.state_dict().values()]


def test_bank_there_and_back(bank: LevelBank, tmp_path: Path) -> None:
    bank.save(tmp_path / "bank.npz")
    again = LevelBank.load(tmp_path / "bank.npz")
    assert (again.levels == bank.levels).all()
    assert (again.packages, again.sha256) == (bank.packages, bank.sha256)
    one, two = (b.draw(np.random.default_rng(1), 6, 20) for b in (bank, again))
    assert (one == two).all()
    assert np.isfinite(one).all()


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut off"])
def test_damaged_banks_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bank.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="must hold band levels"):
        LevelBank.load(path)


def test_curves_stage_learns(tmp_path: Path) -> None:
    options = EqOptions(batch=32)
    torch.manual_seed(0)
    stage = EqStage(EQAutoencoder(), (HUMAN, WORDS), HUMAN[:4], PutOn(HUMAN), options)
    history = fit(stage, plan(4, steps=20), tmp_path, notes=NOTES)
    assert history[-1]["valid_score"] < 0.5 * history[0]["valid_score"]
    assert (tmp_path / "eq.csv").read_text().startswith("epoch,")


def test_audio_stage_learns_what_was_put_on(bank: LevelBank, tmp_path: Path) -> None:
    history = fit(audio_stage(bank), plan(6, steps=10), tmp_path, notes=NOTES)
    assert history[-1]["valid_r2"] > 0.1
    assert history[-1]["valid_slope"] > history[0]["valid_slope"]


def test_a_stopped_run_goes_on_where_it_was(bank: LevelBank, tmp_path: Path) -> None:
    whole = audio_stage(bank)
    fit(whole, plan(4), tmp_path / "whole", notes=NOTES)

    class KilledError(Exception):
        pass

    def kill(line: str) -> None:
        if "epoch 2/" in line:
            raise KilledError

    with pytest.raises(KilledError):
        fit(audio_stage(bank), plan(4), tmp_path / "parts", notes=NOTES, report=kill)
    resumed = audio_stage(bank)
    said: list[str] = []
    fit(resumed, plan(4), tmp_path / "parts", notes=NOTES, report=said.append)
    assert "going on after epoch 2" in said[0]
    for one, two in zip(weights(whole), weights(resumed), strict=True):
        assert np.array_equal(one, two)


KILLED = """
import sys
import time
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_train as t
print("ready", flush=True)
t.fit(t.curve_stage(), t.plan(EPOCHS, steps=5), Path({out!r}), notes=t.NOTES)
"""
EPOCHS = 12


def test_killed_at_any_moment_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    """SIGKILL, twice: the checkpoint that is left is whole, and what was learned by then stays."""
    whole = curve_stage()
    fit(whole, plan(EPOCHS, steps=5), tmp_path / "whole", notes=NOTES)
    out = tmp_path / "parts"
    code = KILLED.format(tests=str(Path(__file__).parent), out=str(out))
    chance, done = np.random.default_rng(4), [0]
    for _ in range(2):
        child = subprocess.Popen(
            [sys.executable, "-c", code.replace("EPOCHS", str(EPOCHS))],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        if not (out / "eq.npz").exists():
            until_there(out / "eq.npz")
        time.sleep(chance.uniform(0.0, 0.4))
        child.kill()
        child.communicate()
        done.append(len(checkpoint.load(out / "eq.npz")[1]["history"]))
    assert done == sorted(done)
    assert 1 <= done[-1] < EPOCHS, "the kills came too late to tell anything"
    resumed = curve_stage()
    fit(resumed, plan(EPOCHS, steps=5), out, notes=NOTES)
    for one, two in zip(weights(whole), weights(resumed), strict=True):
        assert np.array_equal(one, two)


def until_there(path: Path) -> None:
    end = time.monotonic() + 60.0
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_another_configuration_is_not_mixed_in(bank: LevelBank, tmp_path: Path) -> None:
    fit(audio_stage(bank), plan(1, steps=1), tmp_path, notes=NOTES)
    with pytest.raises(DataError, match="same configuration"):
        fit(audio_stage(bank), plan(1, steps=1), tmp_path, notes={"config": "other"})


def test_training_stops_when_nothing_gets_better(bank: LevelBank, tmp_path: Path) -> None:
    still = Plan(20, 1, 0.0, 0.0, 2, 0)
    stage = audio_stage(bank)
    for module in stage.module.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.0
    assert len(fit(stage, still, tmp_path, notes=NOTES)) < 20


def test_closed_loop_gets_more_consistent(bank: LevelBank, tmp_path: Path) -> None:
    start = audio_stage(bank)
    fit(start, plan(4, steps=8), tmp_path / "audio", notes=NOTES)
    stage = LoopStage(
        start.module,
        autoencoder(),
        bank,
        bank,
        PutOn(HUMAN),
        LoopOptions(pairs=4, window_s=0.5),
        HUMAN[:6],
        matching=OPTIONS,
    )
    with torch.no_grad():
        before = stage.validate()
    history = fit(stage, plan(3, steps=8), tmp_path, notes=NOTES)
    assert min(row["valid_semantic"] for row in history) < before["semantic"]


def test_a_loss_that_is_not_finite_is_said(bank: LevelBank, tmp_path: Path) -> None:
    stage = audio_stage(bank)
    with torch.no_grad():
        stage.module.straight.weight.fill_(float("nan"))
    with pytest.raises(DataError, match="must be finite"):
        fit(stage, plan(1), tmp_path, notes=NOTES)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off"])
def test_damaged_checkpoints_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "audio.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="must be a checkpoint"):
        checkpoint.load(path)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "audio.npz"
    with path.open("wb") as file:
        np.savez(file, notes=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="must be a checkpoint"):
        checkpoint.load(path)


TWO = """
import sys
import time
from pathlib import Path
import torch
sys.path.insert(0, {tests!r})
import test_train as t
from semeq.training import train
torch.set_num_threads(1)
with train.process_group(torch.device("cpu")):
    t.fit(t.curve_stage(), t.plan(3, steps=40), Path({out!r}), notes=t.NOTES)
"""


def curve_stage() -> EqStage:
    torch.manual_seed(0)
    # Without contrast, which counts its rows: half a batch has fewer others to tell apart.
    options = EqOptions(batch=128, contrast=0.0)
    return EqStage(EQAutoencoder(), (HUMAN, WORDS), HUMAN[:4], PutOn(HUMAN), options)


def test_two_processes_learn_as_one(tmp_path: Path) -> None:
    one = fit(curve_stage(), plan(3, steps=40), tmp_path / "one", notes=NOTES)
    script = tmp_path / "two.py"
    script.write_text(TWO.format(tests=str(Path(__file__).parent), out=str(tmp_path / "two")))
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    ran = subprocess.run(
        [*command, f"--master-port={port}", str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    two = checkpoint.load(tmp_path / "two" / "eq.npz")[1]["history"]
    # Other draws, the same task: the same losses within a fifth, while they fall to a fraction.
    for key in ("curve", "valid_score"):
        assert [row[key] for row in two] == pytest.approx([row[key] for row in one], rel=0.2)
    assert two[-1]["curve"] < 0.3 * two[0]["curve"]


def test_configurations(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('seed = 3\n[data]\nhuman = "h"\naudio = ["m:2"]\n[audio]\nepochs = 7\n')
    config = Config.from_toml(path)
    assert (config.seed, config.audio.epochs) == (3, 7)
    assert config.data.human == str(tmp_path / "h")
    assert config.data.audio == (f"{tmp_path / 'm'}:2",)
    path.write_text("seed = 4\n[audio]\nepochs = 7\n")
    assert Config.from_toml(path).sha256 != config.sha256
    # How boldly a model is used changes nothing about its weights.
    path.write_text(
        'seed = 3\nboldness = [1, 1.5, 2]\n[data]\nhuman = "h"\naudio = ["m:2"]\n[audio]\nepochs = 7\n'
    )
    bold = Config.from_toml(path)
    assert bold.boldness == (1.0, 1.5, 2.0)
    assert bold.sha256 == config.sha256


def test_a_stage_depends_on_what_comes_before_it_alone() -> None:
    config = Config()
    loop = dataclasses.replace(config, e2e=LoopOptions(quality_weight=1.0))
    assert loop.sha256_of("e2e") != config.sha256_of("e2e")
    assert loop.sha256_of("audio") == config.sha256_of("audio")
    audio = dataclasses.replace(config, audio=AudioOptions(dropout=0.1))
    assert audio.sha256_of("audio") != config.sha256_of("audio")
    assert audio.sha256_of("e2e") != config.sha256_of("e2e")
    assert audio.sha256_of("eq") == config.sha256_of("eq")
    other = dataclasses.replace(config, seed=1)
    assert other.sha256_of("eq") != config.sha256_of("eq")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sed = 1", "sed must be one of seed"),
        ("seed = 1.5", "seed must be of type int"),
        ("seed = -1", "seed must be 0 or more"),
        ("[audio]\nepochs = true", "audio.epochs must be of type int"),
        ("[data]\naudio = 'x'", "data.audio must be a list of text"),
        ("boldness = 1.2", "boldness must be 3 numbers of 0 or more"),
        ("boldness = [1, 2]", "boldness must be 3 numbers of 0 or more"),
        ("boldness = [1, nan, 2]", "boldness must be 3 numbers of 0 or more"),
        ("audio = 3", "must be a table"),
        ("= 3", "must be a TOML file"),
    ],
)
def test_bad_configurations_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        Config.from_toml(path)
