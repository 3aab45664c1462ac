"""Where a sound changes: novelty over time, and the sections between its peaks.

How
---
A cell (a stretch of one hop) is described by its spectrum in octaves and by the curve that the encoder
heard around it, both in dB and without their level. Novelty at a time is the rms distance in dB between the
mean description of the seconds before and after. It is the checkerboard kernel on the self-similarity
matrix [1]_ without the matrix: with inner products as similarity, (within) - (across) is
|mean before - mean after|². Peaks become boundaries; each is moved to where two constant halves fit best;
and where the sections on both sides differ by less than `LEAST_CHANGE_DB`, the boundary goes again.

References
----------
.. [1] J. Foote, "Automatic audio segmentation using a measure of audio novelty", ICME 2000.
"""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from semeq.engine.units import Floats

#: Rms over the description; a change below it starts no section.
LEAST_CHANGE_DB = 2.5
#: How far the two sides of the kernel reach, and the shortest section.
REACH_S, SHORTEST_S = 8.0, 5.0
#: What lies further below the loudest octave of its cell does not count.
FLOOR_DB = 60.0
_OCTAVE_BANDS = 6

Bools = npt.NDArray[np.bool_]


def describe_cells(power: Floats, curves_db: Floats, n_bands: int) -> Floats:
    """Return what cells sound like, shape ``(cells, features)`` in dB, level removed.

    Parameters
    ----------
    power : Floats
        Mean power of the bands of each cell, shape ``(cells, 61)``.
    curves_db : Floats
        What the encoder heard around each cell, as a curve, shape ``(cells, 61)``.
    n_bands : int
        How many bands exist at this sample rate.
    """
    octaves = _by_octave(power[:, :n_bands])
    level_db = 10.0 * np.log10(octaves + 1e-20)
    level_db = np.maximum(level_db, level_db.max(axis=1, keepdims=True) - FLOOR_DB)
    level_db -= level_db.mean(axis=1, keepdims=True)
    return np.concatenate((level_db, _by_octave(curves_db)), axis=1)


def _by_octave(values: Floats) -> Floats:
    starts = np.arange(0, values.shape[1], _OCTAVE_BANDS)
    if len(starts) > 1 and values.shape[1] - starts[-1] < _OCTAVE_BANDS // 2:
        starts = starts[:-1]
    means = np.add.reduceat(values, starts, axis=1)
    counts = np.diff([*starts, values.shape[1]])
    return np.asarray(means / counts)


def novelty_db(features: Floats, reach: int) -> Floats:
    """Return how much changes at the start of each cell, shape ``(cells,)`` in dB rms.

    Near the ends the shorter side has fewer cells, and counts for less.
    """
    count = len(features)
    below = np.concatenate((np.zeros((1, features.shape[1])), np.cumsum(features, axis=0)))
    at = np.arange(1, count)
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach, count)
    before, after = at - first, last - at
    gap = (below[at] - below[first]) / before[:, None] - (below[last] - below[at]) / after[:, None]
    trust = np.sqrt(2.0 * before * after / (before + after) / reach)
    novelty = np.sqrt(np.mean(gap**2, axis=1)) * np.minimum(trust, 1.0)
    return np.concatenate(([0.0], novelty))


def _peaks(novelty: Floats, shortest: int) -> list[int]:
    """Return where novelty is highest within `shortest` cells on both sides."""
    found = []
    for t in range(shortest, len(novelty) - shortest + 1):
        near = novelty[max(0, t - shortest + 1) : t + shortest]
        if novelty[t] >= LEAST_CHANGE_DB and novelty[t] == near.max():
            found.append(t)
    return [t for i, t in enumerate(found) if i == 0 or t - found[i - 1] >= shortest]


def _refined(features: Floats, start: int, at: int, end: int, shortest: int) -> int:
    """Return the split of ``start:end`` near `at` that leaves two most constant sides."""
    low, high = max(start + shortest, at - shortest), min(end - shortest, at + shortest)
    if low >= high:
        return at
    part = features[start:end]
    below = np.cumsum(part, axis=0)
    split = np.arange(low, high + 1) - start
    left = below[split - 1] / split[:, None]
    right = (below[-1] - below[split - 1]) / (len(part) - split)[:, None]
    gain = split * (len(part) - split) * np.square(left - right).sum(axis=1)
    return int(low + np.argmax(gain))


def _merged(features: Floats, bounds: list[int]) -> list[int]:
    """Drop the boundaries at which least changes, until every one is a change."""
    bounds = list(bounds)
    while len(bounds) > 2:
        means = [features[a:b].mean(axis=0) for a, b in pairwise(bounds)]
        gaps = [math.sqrt(np.mean(np.square(a - b))) for a, b in pairwise(means)]
        least = int(np.argmin(gaps))
        if gaps[least] >= LEAST_CHANGE_DB:
            break
        del bounds[least + 1]
    return bounds


def _runs(silent: Bools, shortest: int) -> list[tuple[int, int, bool]]:
    """Return stretches of sound and of silence; a short silence belongs to the sound."""
    edges = [0, *(np.flatnonzero(np.diff(silent)) + 1).tolist(), len(silent)]
    runs = [(a, b, bool(silent[a])) for a, b in pairwise(edges)]
    joined: list[tuple[int, int, bool]] = []
    for start, end, is_silent in runs:
        quiet = is_silent and end - start >= shortest
        if joined and joined[-1][2] == quiet:
            joined[-1] = (joined[-1][0], end, quiet)
        else:
            joined.append((start, end, quiet))
    return joined


def find_sections(
    features: Floats, silent: Bools, hop_s: float, shortest_s: float = SHORTEST_S
) -> tuple[list[tuple[int, int, bool]], Floats]:
    """Return the sections in cells (first, end, whether it is silence), and the novelty.

    Parameters
    ----------
    features : Floats
        See `describe_cells`.
    silent : Bools
        Which cells are silence, shape ``(cells,)``.
    hop_s : float
        Length of a cell.
    shortest_s : float
        No section of sound is shorter, unless silence cuts it off.
    """
    shortest = max(4, math.ceil(shortest_s / hop_s))
    reach = max(shortest, round(REACH_S / hop_s))
    novelty = np.zeros(len(features))
    sections: list[tuple[int, int, bool]] = []
    for start, end, quiet in _runs(silent, shortest):
        if quiet:
            sections.append((start, end, True))
            continue
        heard = np.flatnonzero(~silent[start:end])
        if not len(heard):
            sections.append((start, end, True))
            continue
        # A short silence sounds like what was before it.
        last = np.maximum.accumulate(np.where(silent[start:end], -1, np.arange(end - start)))
        part = features[start:end][np.where(last < 0, heard[0], last)]
        novelty[start:end] = novelty_db(part, reach)
        bounds = [0, *_peaks(novelty[start:end], shortest), len(part)]
        for k in range(1, len(bounds) - 1):
            bounds[k] = _refined(part, bounds[k - 1], bounds[k], bounds[k + 1], shortest)
        bounds = _merged(part, bounds)
        sections += [(start + a, start + b, False) for a, b in pairwise(bounds)]
    return sections, novelty
