"""How a sound wanders through the latent space: the two directions in which it moves most, with names.

Principal components of what was heard, weighted by energy. They are taken of the decoded curves, not of the
bare latents, so that a distance is a distance in dB.
"""

from collections.abc import Sequence

import numpy as np

from semeq.engine.analysis_types import LatentPath
from semeq.engine.units import Floats, read_only
from semeq.engine.words import Word


def latent_path(
    curves_db: Floats, weights: Floats, words: Sequence[Word], word_curves: Floats
) -> LatentPath:
    """Return the path of what was heard.

    Parameters
    ----------
    curves_db : Floats
        Decoded latents, shape ``(windows, n)``.
    weights : Floats
        What each window counts, shape ``(windows,)``.
    words : sequence of Word
        Names for the axes, with `word_curves` of shape ``(words, n)``.
    """
    count, size = curves_db.shape
    total = float(weights.sum())
    if total <= 0.0:
        return LatentPath(read_only(np.zeros((count, 2))), (0.0, 0.0), ("", ""), ("", ""))
    share = weights / total
    centred = curves_db - share @ curves_db
    variance, axes = np.linalg.eigh((centred * share[:, None]).T @ centred)
    variance, axes = np.maximum(variance[::-1], 0.0), axes[:, ::-1][:, :2].T
    match = axes @ word_curves.T / np.sqrt(np.square(word_curves).sum(axis=1))
    for k in range(2):
        # A direction has no sign of its own: the better name points forward.
        if -match[k].min() > match[k].max():
            axes[k], match[k] = -axes[k], -match[k]
    points = centred @ axes.T / np.sqrt(size)
    points[weights <= 0.0] = 0.0
    spread = max(float(variance.sum()), 1e-12)
    first, second = (words[int(np.argmax(row))].word for row in match)
    away_first, away_second = (words[int(np.argmin(row))].word for row in match)
    return LatentPath(
        read_only(points),
        (float(variance[0] / spread), float(variance[1] / spread)),
        (first, second),
        (away_first, away_second),
    )
