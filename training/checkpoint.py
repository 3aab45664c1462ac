"""Checkpoints of a training run: arrays and JSON in one ``.npz``, moved into place whole, never pickled.

A run that is killed at any moment finds either the checkpoint before or the one after, never half of one.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from semeq.engine.arrays import DAMAGE, read_arrays, reason
from semeq.engine.atomic import Replacement
from semeq.engine.errors import DataError

FORMAT = "semeq-checkpoint-1"
State = dict[str, torch.Tensor]
_MOST_BYTES = 4 << 30


def save(path: Path, states: dict[str, State], notes: dict[str, Any]) -> None:
    """Write named sets of tensors and JSON notes.

    Parameters
    ----------
    path : Path
        The ``.npz`` file; replaced if it is there.
    states : dict
        For example ``{"model": module.state_dict()}``; names without "/".
    notes : dict
        Anything that JSON holds.
    """
    arrays = {
        f"{group}/{name}": tensor.detach().cpu().numpy()
        for group, state in states.items()
        for name, tensor in state.items()
    }
    arrays["notes"] = np.array(json.dumps({"format": FORMAT, **notes}))
    path.parent.mkdir(parents=True, exist_ok=True)
    with Replacement(path, overwrite=True) as new:
        np.savez(new.file, allow_pickle=False, **arrays)
        new.commit()


def load(path: Path) -> tuple[dict[str, State], dict[str, Any]]:
    """Return what `save` wrote.

    Raises
    ------
    DataError
        If the file is missing, damaged or not a checkpoint.
    """
    states: dict[str, State] = {}
    try:
        data = read_arrays(path, most_bytes=_MOST_BYTES)
        notes = json.loads(str(data.pop("notes")))
        if notes.get("format") != FORMAT:
            raise ValueError(f"format {notes.get('format')}")
        for key, array in data.items():
            group, slash, name = key.partition("/")
            if slash:
                states.setdefault(group, {})[name] = torch.from_numpy(array)
    except DAMAGE as error:
        raise DataError(
            f"{path} must be a checkpoint of 'semeq train', got {reason(error)}; delete it to start again"
        ) from error
    return states, notes


def optimiser_state(optimiser: torch.optim.Optimizer) -> State:
    """Return the tensors of an optimiser: its step counts and moments."""
    return {
        f"{index}/{name}": value
        for index, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, state: State) -> None:
    """Put the tensors of `optimiser_state` back."""
    content = optimiser.state_dict()
    content["state"] = {}
    for key, value in state.items():
        index, name = key.split("/")
        content["state"].setdefault(int(index), {})[name] = value
    optimiser.load_state_dict(content)
