"""Batches for torch: the same for any number of workers and processes, and from any batch on."""

from itertools import islice

import numpy as np
import numpy.typing as npt
import pytest
from numpy.random import Generator

torch = pytest.importorskip("torch")

from semeq.engine.errors import SettingsError  # noqa: E402 # torch comes with an extra
from semeq.training.crops import Crop  # noqa: E402
from semeq.training.noise import SyntheticNoise  # noqa: E402
from semeq.training.sequence import CropSettings  # noqa: E402
from semeq.training.torch_data import Batch, CropBatches, loader  # noqa: E402

SETTINGS = CropSettings(seconds=0.05, passage_s=0.2, slots=2, reuse=3, channels=1, fs=4000.0)


def batches(start: int = 0, rank: int = 0, world: int = 1, lanes: int = 4) -> CropBatches:
    source = SyntheticNoise(fs=4000.0)
    return CropBatches(
        source, SETTINGS, 3, seed=7, start=start, rank=rank, world=world, lanes=lanes
    )


def first(count: int, made: CropBatches, workers: int = 0) -> list[Batch]:
    return list(islice(loader(made, workers), count))


def same(a: list[Batch], b: list[Batch]) -> bool:
    return len(a) == len(b) and all(
        x.keys() == y.keys() and all(torch.equal(x[name], y[name]) for name in x)
        for x, y in zip(a, b, strict=True)
    )


def test_shapes_and_content() -> None:
    made = first(8, batches())
    assert [int(batch["number"]) for batch in made] == list(range(8))
    assert {tuple(batch["audio"].shape) for batch in made} == {(3, 1, 200)}
    rows = torch.cat([batch["audio"] for batch in made]).flatten(1)
    assert len(torch.unique(rows, dim=0)) == 24


def test_workers_change_nothing() -> None:
    made = batches(rank=1, world=2)
    assert same(first(7, made, workers=2), first(7, made))


def test_processes_share_the_batches_out() -> None:
    whole = first(8, batches())
    assert same(first(4, batches(rank=0, world=2)), whole[0::2])
    assert same(first(4, batches(rank=1, world=2)), whole[1::2])


@pytest.mark.parametrize("start", [1, 5, 6])
def test_a_run_goes_on_where_it_stopped(start: int) -> None:
    assert same(first(3, batches(start=start)), first(9, batches())[start : start + 3])


def test_preparing_has_randomness_of_its_own() -> None:
    def prepare(crop: Crop, rng: Generator) -> dict[str, npt.NDArray[np.float32]]:
        return {
            "level": np.array([crop.audio.std()], dtype=np.float32),
            "draw": np.array([rng.random()], dtype=np.float32),
        }

    made = [
        next(iter(CropBatches(SyntheticNoise(fs=4000.0), SETTINGS, 8, 1, prepare=prepare)))
        for _ in range(2)
    ]
    assert torch.equal(made[0]["draw"], made[1]["draw"])
    assert len(torch.unique(made[0]["draw"])) == 8


def test_wrong_calls() -> None:
    source = SyntheticNoise()
    with pytest.raises(SettingsError, match="got 0, 4, 0 and 0 of 1"):
        CropBatches(source, SETTINGS, 0, 1)
    with pytest.raises(SettingsError, match="rank in"):
        CropBatches(source, SETTINGS, 1, 1, rank=2, world=2)
