"""The bands of a wish, compiled: where a recipe's own bands are, and where those of a held move.

They say the same as the arrays of `semeq.engine.meaning` and `semeq.engine.morph`, up to rounding. A turned
knob waits for both. The interpreter would need a hundred small steps for them, most of which find nothing in
the caches of a processor that has been busy with sound.
"""

import numpy as np

from semeq.engine.fit_kernel import take_steps, write_response
from semeq.engine.hold_kernel import contrast_db
from semeq.engine.jit import jit_short
from semeq.engine.units import Floats, Ints


@jit_short
def write_typical(
    weights: Floats,
    own: Floats,
    responses_db: Floats,
    strengths_db: Floats,
    freqs_hz: Floats,
    limits: Floats,
    costs: Floats,
    iterations: int,
    bands: Floats,
) -> float:
    """Write the bands of a recipe of one word or more.

    Parameters
    ----------
    weights : Floats
        Of the words, shape ``(k,)``; written over by what is left of them within the largest gain.
    own : Floats
        The words' own bands, shape ``(k, 7, 3)``.
    responses_db : Floats
        Their responses, shape ``(k, n)``.
    strengths_db : Floats
        How strong the words are at weight 1, shape ``(k,)``.
    freqs_hz : Floats
        Shape ``(n,)``.
    limits, costs : Floats
        As for `semeq.engine.fit_kernel.take_steps`.
    iterations : int
        Steps of the fit.
    bands : Floats
        Where they are put, shape ``(7, 3)``.

    Returns
    -------
    float
        What part of the weights is left.
    """
    highest_db, worst_db = limits[1, 0, 0], 0.0
    for band in range(own.shape[1]):
        gain_db = 0.0
        for k in range(len(weights)):
            gain_db += weights[k] * own[k, band, 0]
        worst_db = max(worst_db, abs(gain_db))
    kept: float = highest_db / max(highest_db, worst_db)
    target_db = np.zeros(len(freqs_hz))
    shares, loudest = np.empty(len(weights)), 0.0
    for k in range(len(weights)):
        weights[k] *= kept
        for i in range(len(freqs_hz)):
            target_db[i] += weights[k] * responses_db[k, i]
        shares[k] = abs(weights[k]) * strengths_db[k]
        loudest = max(loudest, shares[k])
    total = 0.0
    for k in range(len(weights)):
        # Before squaring: the square of a tiny weight underflows, and 0 / 0 is nowhere.
        shares[k] = (shares[k] / loudest) ** 2 if loudest > 0.0 else 1.0
        total += shares[k]
    bands[:, :] = 0.0
    for k in range(len(weights)):
        for band in range(own.shape[1]):
            bands[band, 0] += weights[k] * own[k, band, 0]
            for part in range(1, 3):
                bands[band, part] += shares[k] / total * own[k, band, part]
    _keep_within(bands, limits)
    nothing = np.empty(0, dtype=np.int64)
    take_steps(bands, target_db, freqs_hz, bands.copy(), limits, costs, nothing, iterations)
    return kept


@jit_short
def write_held_bands(
    curve_db: Floats,
    least_contrast_db: float,
    power: Floats,
    weights: Floats,
    inside: Floats,
    outside: Floats,
    step_db: Floats,
    freqs_hz: Floats,
    limits: Floats,
    costs: Floats,
    frozen: Ints,
    iterations: int,
    rounds: int,
    eager: float,
    round_iterations: int,
    bands: Floats,
) -> None:
    """Move the bands to those of a held move.

    Parameters
    ----------
    curve_db : Floats
        The move, shape ``(n,)``; written over by what was asked of the bands in the end.
    least_contrast_db : float
        How much the words' bands have to stand out.
    power, weights, inside, outside, step_db : Floats
        As for `semeq.engine.hold_kernel.enough_step_db`.
    freqs_hz, limits, costs, frozen
        As for `semeq.engine.fit_kernel.take_steps`.
    iterations : int
        Steps of the first fit.
    rounds, eager, round_iterations
        How often what the bands lack is asked for again, how much more than lacks, and steps of these fits.
    bands : Floats
        Where to start, shape ``(7, 3)``; where they ended is written over it.
    """
    _keep_within(bands, limits)
    take_steps(bands, curve_db, freqs_hz, bands.copy(), limits, costs, frozen, iterations)
    response_db, slopes = np.empty(len(freqs_hz)), np.empty((len(freqs_hz), bands.size))
    for _ in range(rounds):
        write_response(bands, freqs_hz, response_db, slopes)
        lacks_db = least_contrast_db - contrast_db(power, response_db, weights, inside, outside)
        if not lacks_db > 0.0:
            return
        for i in range(len(curve_db)):
            curve_db[i] += eager * lacks_db * step_db[i]
        take_steps(bands, curve_db, freqs_hz, bands.copy(), limits, costs, frozen, round_iterations)


@jit_short
def _keep_within(bands: Floats, limits: Floats) -> None:
    for band in range(bands.shape[0]):
        for part in range(bands.shape[1]):
            low, high = limits[0, band, part], limits[1, band, part]
            bands[band, part] = min(max(bands[band, part], low), high)
