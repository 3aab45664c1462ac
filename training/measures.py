"""The measures beyond the triple (M2, M3, M6, M7, M8 of the protocol), as pure functions.

Everything takes curves or a method and returns one number a clip (or a clip and word), so that
`semeq.training.metrics` can put intervals around the means.

- *Effect at equal strength* (M2): every curve is scaled to 3 dB rms on the vocabulary's grid (level
  removed, at most fourfold: who asks for next to nothing is not blown up), then the change of
  the word's band share in dB, positive in the word's direction.
- *Effect at equal loudness* (M2): the same scaled curve, and the change of the band's level in dB after
  the output was brought to the K-weighted loudness (BS.1770, ungated) of the input.
- *Adaptivity* (M3): Spearman's rank correlation, for each clip and word, between the pre-tilt and the tilt
  that the method applies, over the pre-tilts; 0 where it applies the same to all. −1: the more
  there is already, the less comes.
- *Distribution* (M6): squared maximum mean discrepancy (Gaussian kernel, σ = 1, divided by the dimension)
  between nine-band profiles in dB, standardised by the clean clips', of the method's outputs and of the same
  clips with held-out people's curves. Its place between random EQ (0) and the training people's curves (1).
- *Monotone* (M7): the size of Spearman's correlation between eleven amounts 0, 0.1 … 1 and the judge's
  score, for each clip and word (whether it is the right way is what M1 says); for a blend, the first
  word's amount moves and the second stays at 0.5.
- *Flat at 0* (M7): the largest gain anywhere at amount 0, in dB.
- *Level* (M8): rms difference in dB between the curves for a sound and for the same sound 20 dB lower.
- *Steadiness* (M8): rms difference in dB between the curves for two crops of one recording.
- *Confusion*: each output is scored by every judge, in standard deviations of that judge's changes over all
  words; the judge with the largest change is the word heard.
"""

from collections.abc import Sequence

import numpy as np

from semeq.engine.loudness import k_weighting
from semeq.engine.units import Floats, read_only
from semeq.training.clips import Clips
from semeq.training.human import without_level
from semeq.training.judges import BAND_JUDGES, profile, with_curves
from semeq.training.methods import BatchMethod, Blender, Method
from semeq.training.spectra import FREQS_HZ, to_bands

STRENGTH_DB = 3.0
MOST_SCALED = 4.0
#: Least difference of random EQ and people in squared discrepancy for a place between them to mean anything.
LEAST_ROOM = 0.02
AMOUNTS = tuple(round(0.1 * k, 1) for k in range(11))
LEVEL_STEP_DB = 20.0
#: Pairs of words that do not cancel, the first of which is turned.
BLENDS = (("warm", "airy"), ("bright", "deep"), ("airy", "boomy"), ("tinny", "warm"))
_FS = 48_000.0


def _k_power() -> Floats:
    z = np.exp(-2j * np.pi * FREQS_HZ / _FS)
    power = np.ones(len(FREQS_HZ))
    for b0, b1, b2, _, a1, a2 in k_weighting(_FS):
        power *= np.abs((b0 + b1 * z + b2 * z * z) / (1.0 + a1 * z + a2 * z * z)) ** 2
    return power


_K_POWER: Floats = read_only(_k_power())


def rms_of(curves_db: Floats) -> Floats:
    """Return the rms in dB of level-removed curves ``(..., 61)``."""
    rms: Floats = np.sqrt(np.mean(without_level(curves_db) ** 2, axis=-1))
    return rms


def at_strength(curves_db: Floats, strength_db: float = STRENGTH_DB) -> Floats:
    """Return curves ``(n, 61)`` scaled to an rms in dB, at most fourfold."""
    rms = rms_of(curves_db)[:, None]
    factor = np.minimum(strength_db / np.maximum(rms, 1e-9), MOST_SCALED)
    scaled: Floats = without_level(curves_db) * factor
    return scaled


def loudness_change_db(power: Floats, after: Floats) -> Floats:
    """Return the change of K-weighted, ungated loudness in LU between band powers ``(n, m)``."""
    change: Floats = 10.0 * np.log10((after @ _K_POWER) / (power @ _K_POWER))
    return change


def effect_db(word: str, curves_db: Floats, power: Floats) -> Floats:
    """Return the change of a word's band share in dB, positive in its direction, shape ``(n,)``."""
    judge = BAND_JUDGES[word]
    after = with_curves(power, to_bands(curves_db))
    effect: Floats = judge.score_db(after) - judge.score_db(power)
    return effect


def loudness_matched_effect_db(word: str, curves_db: Floats, power: Floats) -> Floats:
    """Return the change of a word's band level in dB at equal loudness, positive in its direction."""
    judge = BAND_JUDGES[word]
    after = with_curves(power, to_bands(curves_db))
    band = power[:, judge.bands].sum(axis=1), after[:, judge.bands].sum(axis=1)
    level = 10.0 * np.log10(np.maximum(band[1], 1e-15) / np.maximum(band[0], 1e-15))
    effect: Floats = judge.sign * (level - loudness_change_db(power, after))
    return effect


def ranks(values: Floats) -> Floats:
    """Return ranks along the last axis, ties sharing their mean."""
    larger = (values[..., :, None] > values[..., None, :]).sum(axis=-1)
    equal = (values[..., :, None] == values[..., None, :]).sum(axis=-1)
    shared: Floats = larger + 0.5 * (equal - 1)
    return shared


def spearman(a: Floats, b: Floats, *, decimals: int = 9) -> Floats:
    """Return the rank correlation along the last axis, 0 where one side is constant."""
    ra, rb = ranks(np.round(a, decimals)), ranks(np.round(b, decimals))
    ra = ra - ra.mean(axis=-1, keepdims=True)
    rb = rb - rb.mean(axis=-1, keepdims=True)
    size = np.sqrt((ra**2).sum(axis=-1) * (rb**2).sum(axis=-1))
    rho: Floats = (ra * rb).sum(axis=-1) / np.where(size > 0.0, size, np.inf)
    return rho


def adaptivity(applied: Floats, tilts_db: Sequence[float]) -> Floats:
    """Return Spearman's rho between pre-tilt and applied tilt, shape ``(crops, words)``.

    Parameters
    ----------
    applied : Floats
        Tilts of the method's curves, shape ``(crops, tilts, words)``.
    tilts_db : sequence of float
        The pre-tilts.
    """
    rows = np.moveaxis(applied, 1, -1)
    return spearman(rows, np.broadcast_to(np.asarray(tilts_db), rows.shape))


def mmd(a: Floats, b: Floats) -> float:
    """Return the squared maximum mean discrepancy of rows ``(n, d)`` and ``(m, d)``, unbiased."""

    def kernel(x: Floats, y: Floats) -> Floats:
        distance = ((x[:, None, :] - y[None, :, :]) ** 2).mean(axis=-1)
        values: Floats = np.exp(-0.5 * distance)
        return values

    n, m = len(a), len(b)
    within_a = (kernel(a, a).sum() - n) / (n * (n - 1))
    within_b = (kernel(b, b).sum() - m) / (m * (m - 1))
    return float(within_a + within_b - 2.0 * kernel(a, b).mean())


def profiles_db(power: Floats, like: Floats) -> Floats:
    """Return nine-band profiles in dB, standardised by the profiles of `like`, shape ``(n, 9)``."""
    own, other = (10.0 * np.log10(np.maximum(profile(p), 1e-9)) for p in (power, like))
    standard: Floats = (own - other.mean(axis=0)) / np.maximum(other.std(axis=0), 1e-9)
    return standard


def distribution_place(
    curves_db: Floats, held: Floats, train: Floats, power: Floats
) -> float | None:
    """Return where a method's outputs lie between those of random EQ (0) and of people (1).

    Parameters
    ----------
    curves_db : Floats
        The method's curves, shape ``(n, 61)``.
    held, train : Floats
        Curves of held-out people and of those to learn from, shape ``(people, 61)``.
    power : Floats
        The clips, shape ``(n, m)``.
    """
    rng = np.random.default_rng(0)

    def heard(curves: Floats) -> Floats:
        return profiles_db(with_curves(power, to_bands(curves)), power)

    count = len(power)
    target = heard(held[rng.integers(len(held), size=count)])
    best = mmd(heard(train[rng.integers(len(train), size=count)]), target)
    # Somebody's curve with its octaves shuffled: as strong and as smooth, and of no word.
    shifted = train[rng.integers(len(train), size=count)] * rng.choice((-1.0, 1.0), (count, 1))
    shifted = np.array(
        [np.roll(row, k) for row, k in zip(shifted, rng.integers(61, size=count), strict=True)]
    )
    worst = mmd(heard(shifted), target)
    # Where people to learn from are no closer than chance there is no scale to read a place on.
    if worst - best < LEAST_ROOM:
        return None
    return (worst - mmd(heard(curves_db), target)) / (worst - best)


def monotone(method: BatchMethod, word: str, clips: Clips) -> tuple[Floats, float]:
    """Return the size of Spearman's rho of amount and score a clip, and the largest gain (dB) at 0."""
    curves = [method.curves_db(word, amount, clips) for amount in AMOUNTS]
    scores = np.stack([effect_db(word, curve, clips.power) for curve in curves], axis=-1)
    rho = np.abs(spearman(scores, np.broadcast_to(AMOUNTS, scores.shape), decimals=6))
    return rho, float(np.abs(curves[0]).max())


def blend_monotone(method: Blender, turned: str, other: str, clips: Clips) -> Floats:
    """Return the size of Spearman's rho of the turned word's amount and its score, the other word at 0.5."""
    scores = [
        effect_db(turned, method.blends_db({turned: a, other: 0.5}, clips), clips.power)
        for a in AMOUNTS
    ]
    rows = np.stack(scores, axis=-1)
    return np.abs(spearman(rows, np.broadcast_to(AMOUNTS, rows.shape), decimals=6))


def level_change_db(method: Method, word: str, clips: Clips, count: int) -> Floats:
    """Return how much the curves of the first clips change (dB rms) when the sound is 20 dB lower."""
    changes = []
    for k in range(min(count, len(clips))):
        audio, fs = clips.audio(k)
        quiet = (audio * 10.0 ** (-LEVEL_STEP_DB / 20.0)).astype(np.float32)
        curves = [method.curve_db(word, 1.0, sound, fs) for sound in (audio, quiet)]
        changes.append(float(np.sqrt(np.mean((curves[0] - curves[1]) ** 2))))
    return np.array(changes)


def movement_db(curves_db: Floats, recordings: Sequence[str]) -> Floats:
    """Return the rms difference in dB between curves of neighbouring crops of one recording."""
    names = np.array(recordings)
    pairs = np.flatnonzero(names[1:] == names[:-1])
    difference: Floats = np.sqrt(np.mean((curves_db[pairs + 1] - curves_db[pairs]) ** 2, axis=-1))
    return difference


def confusion(method: BatchMethod, clips: Clips, words: Sequence[str]) -> tuple[Floats, Floats]:
    """Return which word's judge moved most, and by how much the asked one leads.

    Returns
    -------
    tuple of Floats
        Shares of clips, shape ``(words, words)``, rows the word asked for; and the mean margin of the
        asked word over the best other in standard deviations, shape ``(words,)``.
    """
    changes = np.empty((len(words), len(clips), len(words)))
    for k, word in enumerate(words):
        curves = method.curves_db(word, 1.0, clips)
        for j, judged in enumerate(words):
            changes[k, :, j] = effect_db(judged, curves, clips.power)
    changes /= np.maximum(changes.std(axis=(0, 1)), 1e-9)
    heard = changes.argmax(axis=-1)
    shares = np.stack([(heard == j).mean(axis=1) for j in range(len(words))], axis=-1)
    own = np.eye(len(words), dtype=bool)
    asked = np.stack([changes[k, :, k] for k in range(len(words))])
    others = np.where(own[:, None, :], -np.inf, changes).max(axis=-1)
    return shares, (asked - others).mean(axis=1)


def explained(estimates_db: Floats, truth_db: Floats) -> float:
    """Return R²: the share of applied curves' energy that estimates explain, both ``(n, 61)``."""
    truth = without_level(truth_db)
    miss = truth - without_level(estimates_db)
    return float(1.0 - (miss**2).sum() / (truth**2).sum())
