"""Intervals of means by drawing whole recordings again: clips of one recording are one witness."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semeq.engine.units import Floats

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return for example ``0.97 [0.95, 0.98]``."""
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def draws(groups: Sequence[str], seed: int = 0, resamples: int = RESAMPLES) -> Floats:
    """Return how often each row counts in each resample over groups, shape ``(resamples, n)``.

    The first resample counts every row once: it gives the figure itself.
    """
    names, member = np.unique(np.array(groups), return_inverse=True)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=resamples)
    return np.concatenate([np.ones((1, len(member))), counts[:, member].astype(np.float64)])


def estimate(values: Floats) -> Estimate:
    """Return the first value as the figure and the others' percentiles as its interval."""
    rest = values[1:][np.isfinite(values[1:])]
    low, high = np.quantile(rest, (0.025, 0.975)) if len(rest) else (np.nan, np.nan)
    return Estimate(float(values[0]), float(low), float(high))


def weighted_mean(weights: Floats, rows: Floats, valid: Floats | None = None) -> Floats:
    """Return the mean of `rows` ``(n, …)`` under each row of `weights` ``(resamples, n)``.

    Rows count where `valid` (same shape as `rows`) is 1.
    """
    valid = np.ones_like(rows) if valid is None else valid
    total = np.tensordot(weights, valid, axes=(1, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.tensordot(weights, np.where(valid > 0, rows, 0.0), axes=(1, 0)) / total
    return mean
