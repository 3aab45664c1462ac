"""What training asks for.

Conventions
-----------
Curves are in dB, ``(batch, 61)``; errors in dB² are means over frequency under `CURVE_WEIGHTS`, which count
the ends (below 40 Hz, above 16 kHz) less: lossy music has little to say there.
"""

import numpy as np
import torch
from torch.nn import functional

from semeq.training.words import GRID_HZ

#: What a frequency below 40 Hz or above 16 kHz counts against one between.
END_WEIGHT = 0.3
_weights = np.where((GRID_HZ >= 40.0) & (GRID_HZ <= 16_000.0), 1.0, END_WEIGHT)
CURVE_WEIGHTS = torch.tensor(_weights / _weights.mean(), dtype=torch.float32)


def curve_error(found_db: torch.Tensor, truth_db: torch.Tensor) -> torch.Tensor:
    """Return the weighted mean squared error in dB²."""
    return (CURVE_WEIGHTS.to(found_db) * (found_db - truth_db) ** 2).mean()


def pair_error(found_db: torch.Tensor, truth_db: torch.Tensor) -> torch.Tensor:
    """Return the error of differences within pairs: row k and row ``k + batch / 2`` are the same music.

    What the music is cancels in the difference. A found curve may be wrong by what belongs to
    the music; it shall not be wrong about what changed.
    """
    half = len(found_db) // 2
    return curve_error(found_db[:half] - found_db[half:], truth_db[:half] - truth_db[half:])


def explained(found_db: torch.Tensor, truth_db: torch.Tensor) -> float:
    """Return R², the share of the truth's energy that is found: 1 all, 0 as good as flat."""
    weights = CURVE_WEIGHTS.to(found_db)
    left = (weights * (found_db - truth_db) ** 2).sum()
    return float((1.0 - left / (weights * truth_db**2).sum()).detach())


def contrastive_error(
    units: torch.Tensor, labels: torch.Tensor, temperature: float = 0.2
) -> torch.Tensor:
    """Return the supervised contrastive loss [1]_ of unit vectors ``(batch, n)``.

    Rows of one label (a word) shall be nearer to each other than to all others. Rows that are alone with
    their label only serve as others; 0 if all are.

    References
    ----------
    .. [1] P. Khosla et al., "Supervised contrastive learning", NeurIPS 2020.
    """
    likeness = units @ units.T / temperature
    itself = torch.eye(len(units), dtype=torch.bool, device=units.device)
    likeness = likeness.masked_fill(itself, -1e9)
    same = (labels[:, None] == labels[None, :]) & ~itself
    log_share = likeness - torch.logsumexp(likeness, dim=1, keepdim=True)
    friends = same.sum(dim=1)
    rows = -(log_share * same).sum(dim=1) / torch.clamp(friends, min=1)
    return rows.sum() / torch.clamp((friends > 0).sum(), min=1)


def strength_excess(curves_db: torch.Tensor, limit_db: float = 12.0) -> torch.Tensor:
    """Return how far curves go beyond ±`limit_db`, mean square in dB²: no score is worth 18 dB swings."""
    return functional.relu(curves_db.abs() - limit_db).square().mean()


def quality_error(output: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the multi-resolution STFT distance [1]_ of sounds ``(batch, channels, time)``.

    References
    ----------
    .. [1] C. J. Steinmetz, J. D. Reiss, "auraloss: Audio focused loss functions in PyTorch", DMRN 2020.
    """
    from auraloss.freq import MultiResolutionSTFTLoss

    error: torch.Tensor = MultiResolutionSTFTLoss()(output, wanted)
    return error
