"""One loop for every stage: epochs, checkpoints, curves, early stopping, one process or several.

Conventions
-----------
- Everything random in a step comes from generators seeded by (seed, stage, epoch, step, process): a run
  that is resumed does what it would have done, and loses at most the epoch it was in.
- The learning rate rises over the first tenth of all steps and falls along a cosine to a hundredth.
- What is validated and kept is a running mean of the weights over some 200 steps: single steps are noisy. The
  best mean is kept beside the last one. Training ends when `patience` epochs brought nothing better.
- ``FOLDER/STAGE.npz`` is the checkpoint, ``STAGE.csv`` and ``STAGE.png`` the curves.
- Under ``torchrun`` each process draws its share of every batch and gradients are averaged.
"""

import csv
import io
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.random import Generator
from torch import nn

from semeq.engine.atomic import Replacement, write_text
from semeq.engine.errors import DataError
from semeq.training import checkpoint

Losses = dict[str, torch.Tensor]
Report = Callable[[str], None]
_GRADIENT_LIMIT = 5.0
_WARM_UP = 0.1
#: How much of the running mean of weights a step keeps.
AVERAGE_DECAY = 0.995
_LONG_EPOCH_S = 10.0


class Stage(Protocol):
    """What is trained: a module with a loss a step and a score an epoch (lower is better)."""

    name: str

    @property
    def module(self) -> nn.Module:
        """What is trained."""

    def losses(self, rng: Generator, progress: float, share: int) -> Losses:
        """Return the named parts of the loss of one step; they are summed.

        `progress` runs from 0 to 1 over the stage; a batch is divided by `share` processes.
        """

    def validate(self) -> dict[str, float]:
        """Return figures on unseen data; ``"score"`` is what the best epoch is chosen by."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast a stage is trained."""

    epochs: int
    steps: int
    learning_rate: float
    weight_decay: float
    patience: int
    seed: int


def processes() -> tuple[int, int]:
    """Return this process's number and how many there are (``torchrun`` sets both)."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the processes that ``torchrun`` started, if it did."""
    if processes()[1] == 1:
        yield
        return
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def rate_at(progress: float, highest: float) -> float:
    """Return the learning rate at a share of all steps.

    >>> round(rate_at(0.1, 1.0), 3), round(rate_at(1.0, 1.0), 3)
    (1.0, 0.01)
    """
    if progress < _WARM_UP:
        return highest * max(progress / _WARM_UP, 0.01)
    falling = (progress - _WARM_UP) / (1.0 - _WARM_UP)
    return highest * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * falling)))


def _copied(state: checkpoint.State) -> checkpoint.State:
    return {name: value.detach().clone() for name, value in state.items()}


def _average_gradients(module: nn.Module, share: int) -> None:
    for parameter in module.parameters():
        if parameter.grad is not None:
            torch.distributed.all_reduce(parameter.grad)
            parameter.grad /= share


def _follow(average: checkpoint.State, module: nn.Module, steps: int) -> None:
    """Move a running mean of weights towards those of a module after `steps` steps in all."""
    kept = min(AVERAGE_DECAY, (1.0 + steps) / (10.0 + steps))
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1.0 - kept)
        else:
            average[name].copy_(value)


def _epoch(
    stage: Stage,
    optimiser: torch.optim.Optimizer,
    plan: Plan,
    epoch: int,
    average: checkpoint.State,
) -> dict[str, float]:
    rank, share = processes()
    device = next(stage.module.parameters()).device
    mixed = torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()
    torch.manual_seed(hash((plan.seed, epoch, rank)) % 2**31)
    stage.module.train()
    sums: dict[str, float] = {}
    for step in range(plan.steps):
        done = (epoch * plan.steps + step) / (plan.epochs * plan.steps)
        for group in optimiser.param_groups:
            group["lr"] = rate_at(done, plan.learning_rate)
        rng = np.random.default_rng([plan.seed, *stage.name.encode(), epoch, step, rank])
        with mixed:
            parts = stage.losses(rng, done, share)
            loss = torch.stack(list(parts.values())).sum()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        if share > 1:
            _average_gradients(stage.module, share)
        nn.utils.clip_grad_norm_(stage.module.parameters(), _GRADIENT_LIMIT)
        optimiser.step()
        _follow(average, stage.module, epoch * plan.steps + step)
        for name, value in {**parts, "loss": loss}.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
    if not math.isfinite(sums["loss"]):
        raise DataError(
            f"the loss of stage {stage.name} must be finite, got {sums['loss']}: lower its "
            "learning_rate"
        )
    return {name: value / plan.steps for name, value in sums.items()}


def write_history(folder: Path, name: str, history: list[dict[str, float]]) -> None:
    """Write the figures of all epochs as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in history for key in row)))
    writer.writeheader()
    writer.writerows({k: f"{v:.6g}" for k, v in row.items()} for row in history)
    write_text(folder / f"{name}.csv", text.getvalue())


def draw_history(folder: Path, name: str, history: list[dict[str, float]]) -> None:
    """Draw the figures of all epochs as PNG, where matplotlib is installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(9.0, 4.0), layout="constrained")
    loss_axes, valid_axes = figure.subplots(1, 2)
    for axes, wanted in ((loss_axes, False), (valid_axes, True)):
        for key in history[-1]:
            if key.startswith("valid_") == wanted and key not in ("epoch", "seconds", "rate"):
                rows = [row for row in history if key in row]
                axes.plot([r["epoch"] for r in rows], [r[key] for r in rows], label=key)
        axes.set_xlabel("epoch")
        axes.legend(fontsize="small")
    figure.suptitle(f"stage {name}")
    with Replacement(folder / f"{name}.png", overwrite=True) as new:
        figure.savefig(new.file, dpi=90)
        new.commit()


def fit(
    stage: Stage,
    plan: Plan,
    folder: Path,
    *,
    notes: dict[str, Any],
    report: Report = lambda _: None,
) -> list[dict[str, float]]:
    """Train a stage, or go on with what `folder` holds of it; leaves the best weights in the module.

    Parameters
    ----------
    stage : Stage
        What is trained.
    plan : Plan
        How.
    folder : Path
        Where checkpoints and curves go.
    notes : dict
        What the checkpoint shall say; ``notes["config"]`` must be the same to go on with it.
    report : callable
        Told one line an epoch.

    Returns
    -------
    list of dict
        The figures of each epoch.

    Raises
    ------
    DataError
        If the folder's checkpoint was made by another configuration, or the loss is not finite.
    """
    rank, share = processes()
    path = folder / f"{stage.name}.npz"
    optimiser = torch.optim.AdamW(
        stage.module.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
    )
    history: list[dict[str, float]] = []
    average = _copied(stage.module.state_dict())
    best = _copied(average)
    if path.exists():
        states, found = checkpoint.load(path)
        if found.get("config") != notes["config"]:
            raise DataError(
                f"{path} must come from the same configuration, got another: choose another "
                "folder, or delete it to start again"
            )
        stage.module.load_state_dict(states["model"])
        checkpoint.restore_optimiser(optimiser, states.get("optimiser", {}))
        history, best, average = found["history"], states["best"], states["average"]
        report(f"{stage.name}: going on after epoch {len(history)} of {plan.epochs}")
    if share > 1:
        for tensor in stage.module.state_dict().values():
            torch.distributed.broadcast(tensor, 0)

    def waited() -> int:
        scores = [row["valid_score"] for row in history]
        return len(scores) - 1 - int(np.argmin(scores)) if scores else 0

    took: list[float] = []
    while len(history) < plan.epochs and waited() < max(plan.patience, 1):
        start = time.monotonic()
        epoch = len(history)
        row: dict[str, float] = {"epoch": float(epoch + 1)}
        row |= _epoch(stage, optimiser, plan, epoch, average)
        last = _copied(stage.module.state_dict())
        stage.module.load_state_dict(average)
        stage.module.eval()
        with torch.no_grad():
            row |= {f"valid_{name}": value for name, value in stage.validate().items()}
        if row["valid_score"] <= min((r["valid_score"] for r in history), default=math.inf):
            best = _copied(average)
        stage.module.load_state_dict(last)
        took.append(time.monotonic() - start)
        history.append(row | {"seconds": round(took[-1], 1)})
        if rank == 0:
            checkpoint.save(
                path,
                {
                    "model": stage.module.state_dict(),
                    "optimiser": checkpoint.optimiser_state(optimiser),
                    "average": average,
                    "best": best,
                },
                {**notes, "stage": stage.name, "history": history},
            )
            write_history(folder, stage.name, history)
            # A figure takes half a second: no more of them than epochs are worth.
            if took[-1] > _LONG_EPOCH_S or len(history) == plan.epochs:
                draw_history(folder, stage.name, history)
        left = (plan.epochs - len(history)) * float(np.median(took))
        shown = ", ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "epoch")
        report(
            f"{stage.name}: epoch {len(history)}/{plan.epochs}: {shown} "
            f"({took[-1]:.0f} s; at most {left / 60.0:.1f} min left)"
        )
    stage.module.load_state_dict(best)
    stage.module.eval()
    return history
