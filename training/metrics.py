"""Measures of a method as pure functions, with bootstrap intervals; first of all the triple.

The triple
----------
Three figures that no rival has at once. A constant curve cannot adapt; a spectrum match flattens
every track's own character. `triple` measures them on cached spectra in seconds:

1. **direction right** at amount 1: the share of (clip, word) pairs, over the words of
   `semeq.training.judges.BAND_JUDGES`, whose band-energy ratio moved in the word's direction by more than
   0.01 dB.
2. **spread after pre-tilt** at amount 0.8: the clip is tilted by −9, −6, … +9 dB (100 Hz to 10 kHz) and the
   method asked for the word each time; the standard deviation of the tilt that comes out, divided by
   the constant curve's, which is that of the pre-tilts themselves. Mean over clips and words. 1: the
   method is blind to its input; 0: the output is the same whatever came in.
3. **restoration error**: the clip is degraded by each line of `semeq.training.degrade.COUNTED` (drawn
   strength) and the method asked for the word that makes up for it, at amounts 0.25, 0.5, 0.75 and 1.
   The mean over clips of ``|E_band/E_total after − of the clean clip|``, divided by the same without
   any method. Each line takes the amount at which its ratio is lowest; mean over lines.

Intervals are percentiles (2.5 %, 97.5 %) of a bootstrap over recordings: clips of one recording are
drawn together. Restoration keeps the amounts that were best on all clips.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from semeq.engine.errors import DataError
from semeq.engine.units import Floats
from semeq.training.bootstrap import Estimate, draws, estimate, weighted_mean
from semeq.training.clips import Clips
from semeq.training.degrade import COUNTED, PRE_TILTS_DB, Degradation, tilt_curves
from semeq.training.judges import BAND_JUDGES, HIT_DB, tilt_of_curve, with_curves
from semeq.training.methods import BatchMethod, Method, as_batch, known_words
from semeq.training.spectra import Spectra, to_bands

DIRECTION_AMOUNT = 1.0
SPREAD_AMOUNT = 0.8
RESTORATION_AMOUNTS = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Triple:
    """The three figures of a method, and what they are made of.

    Parameters
    ----------
    method : str
        Name.
    direction, spread, restoration : Estimate
        See the module.
    direction_by_word, spread_by_word : Mapping of str to Estimate
        By word.
    restoration_by_line : Mapping of str to Estimate
        By degradation.
    best_amounts : Mapping of str to float
        The amount taken for each degradation.
    resampled : Mapping of str to Floats
        The three figures by name, in every resample of the trial: those of two methods on one trial belong
        together, and so do their differences.
    """

    method: str
    direction: Estimate
    spread: Estimate
    restoration: Estimate
    direction_by_word: Mapping[str, Estimate]
    spread_by_word: Mapping[str, Estimate]
    restoration_by_line: Mapping[str, Estimate]
    best_amounts: Mapping[str, float]
    resampled: Mapping[str, Floats] = field(repr=False, compare=False)

    def over(self, other: "Triple") -> dict[str, Estimate]:
        """Return this triple less another on the same trial, recordings drawn together."""
        return {
            name: estimate(rows - other.resampled[name]) for name, rows in self.resampled.items()
        }

    def __str__(self) -> str:
        """Return the three figures in one line."""
        return (
            f"{self.method}: direction {self.direction}, spread {self.spread}, "
            f"restoration {self.restoration}"
        )


def direction_hits(
    method: BatchMethod, clips: Clips, words: Sequence[str], amount: float = DIRECTION_AMOUNT
) -> tuple[Floats, Floats]:
    """Return hits and whether they could be judged, both ``(clips, words)`` of 0 and 1."""
    hits, valid = np.zeros((2, len(clips), len(words)))
    for k, word in enumerate(words):
        judge = BAND_JUDGES[word]
        after = with_curves(clips.power, to_bands(method.curves_db(word, amount, clips)))
        hits[:, k] = judge.score_db(after) - judge.score_db(clips.power) > HIT_DB
        valid[:, k] = judge.can_judge(clips.power)
    return hits, valid


def pre_tilted(spectra: Spectra, tilts_db: Sequence[float] = PRE_TILTS_DB) -> Clips:
    """Return every crop under every pre-tilt: clip ``i * tilts + k`` is crop i under tilt k."""
    index = np.repeat(np.arange(len(spectra)), len(tilts_db))
    return Clips(spectra, index, np.tile(tilt_curves(tuple(tilts_db)), (len(spectra), 1)))


def applied_tilts(
    method: BatchMethod, tilted: Clips, words: Sequence[str], amount: float = SPREAD_AMOUNT
) -> Floats:
    """Return the tilt of the method's curves in dB an octave, shape ``(crops, tilts, words)``."""
    rows = [tilt_of_curve(to_bands(method.curves_db(word, amount, tilted))) for word in words]
    return np.stack(rows, axis=-1).reshape(len(tilted.spectra), -1, len(words))


def spreads(applied: Floats, tilts_db: Sequence[float] = PRE_TILTS_DB) -> Floats:
    """Return the spread of final tilts over that of the pre-tilts, shape ``(crops, words)``.

    Parameters
    ----------
    applied : Floats
        What `applied_tilts` returns.
    tilts_db : sequence of float
        The pre-tilts.
    """
    before = tilt_of_curve(tilt_curves(tuple(tilts_db)))
    ratio: Floats = (applied + before[None, :, None]).std(axis=1) / before.std()
    return ratio


@dataclass(frozen=True, slots=True)
class Degraded:
    """Every crop under one degradation, and the share of the judge's band before it."""

    line: Degradation
    clips: Clips
    clean: Floats

    def error_without(self) -> Floats:
        """Return the error of doing nothing, shape ``(clips,)``."""
        error: Floats = np.abs(self.line.judge.share(self.clips.power) - self.clean)
        return error

    def errors(self, method: BatchMethod, amount: float) -> Floats:
        """Return the error after the method at an amount, shape ``(clips,)``."""
        curves = method.curves_db(self.line.asked, self.line.sign * amount, self.clips)
        after = self.line.judge.share(with_curves(self.clips.power, to_bands(curves)))
        return np.abs(after - self.clean)


def degraded(
    spectra: Spectra, lines: Sequence[Degradation] = COUNTED, *, seed: int = 0
) -> tuple[Degraded, ...]:
    """Return the crops under every degradation, strengths drawn by `seed`."""
    made = []
    for line in lines:
        rng = np.random.default_rng([seed, *line.name.encode()])
        clips = Clips(spectra, range(len(spectra)), line.draw(rng, len(spectra)))
        made.append(Degraded(line, clips, line.judge.share(spectra.power)))
    return tuple(made)


class Trial:
    """The clips of the triple, made once and asked of many methods.

    Parameters
    ----------
    spectra : Spectra
        Crops of unseen music.
    seed : int
        Draws the strengths of the degradations and the bootstrap.
    lines : sequence of Degradation
        The degradations; the mean counts those that say so.
    like : Trial or None
        A trial of the same spectra whose plain and pre-tilted clips serve again.
    """

    def __init__(
        self,
        spectra: Spectra,
        *,
        seed: int = 0,
        lines: Sequence[Degradation] = COUNTED,
        like: "Trial | None" = None,
    ) -> None:
        if not len(spectra):
            raise DataError("spectra must hold one crop or more, got none")
        self.spectra, self.seed = spectra, seed
        self.plain: Clips = like.plain if like else Clips(spectra, range(len(spectra)))
        self.tilted: Clips = like.tilted if like else pre_tilted(spectra)
        self.degraded = degraded(spectra, lines, seed=seed)
        #: How often each crop counts in each resample, shape ``(resamples + 1, crops)``.
        self.weights = draws(spectra.files, seed)

    def mean(self, rows: Floats, valid: Floats | None = None) -> Estimate:
        """Return the mean of one number a crop, with its interval over recordings."""
        return estimate(weighted_mean(self.weights, rows, valid))

    def triple(
        self, method: Method | BatchMethod, words: Sequence[str] = tuple(BAND_JUDGES)
    ) -> Triple:
        """Return the three figures of one method; see the module."""
        batch = as_batch(method)
        words = known_words(method, words)
        lines = [trial for trial in self.degraded if known_words(method, (trial.line.asked,))]
        if not words or not any(trial.line.counts for trial in lines):
            raise DataError(f"{method.name} must know a word that has a judge, got none")
        weights = self.weights
        hits, valid = direction_hits(batch, self.plain, words)
        hit_words = weighted_mean(weights, hits, valid)
        all_hits = np.tensordot(weights, hits * valid, axes=(1, 0)).sum(axis=1)
        all_hits /= np.tensordot(weights, valid, axes=(1, 0)).sum(axis=1)
        spread_words = weighted_mean(weights, spreads(applied_tilts(batch, self.tilted, words)))

        ratios, best = {}, {}
        for trial in lines:
            without = weighted_mean(weights, trial.error_without())
            rows = [
                weighted_mean(weights, trial.errors(batch, amount)) / without
                for amount in RESTORATION_AMOUNTS
            ]
            at = int(np.argmin([row[0] for row in rows]))
            ratios[trial.line.name], best[trial.line.name] = rows[at], RESTORATION_AMOUNTS[at]
        counted = [ratios[trial.line.name] for trial in lines if trial.line.counts]
        resampled: dict[str, Floats] = {
            "direction": all_hits,
            "spread": spread_words.mean(axis=1),
            "restoration": np.mean(counted, axis=0),
        }
        return Triple(
            method.name,
            estimate(resampled["direction"]),
            estimate(resampled["spread"]),
            estimate(resampled["restoration"]),
            {word: estimate(hit_words[:, k]) for k, word in enumerate(words)},
            {word: estimate(spread_words[:, k]) for k, word in enumerate(words)},
            {name: estimate(row) for name, row in ratios.items()},
            best,
            resampled,
        )


def triple(
    method: Method | BatchMethod,
    spectra: Spectra,
    *,
    words: Sequence[str] = tuple(BAND_JUDGES),
    seed: int = 0,
) -> Triple:
    """Return direction right, spread after pre-tilt and restoration error of a method.

    Parameters
    ----------
    method : Method or BatchMethod
        Asked for curves; a `BatchMethod` is asked some 40 times, each time about all clips at once.
        To compare many methods, or a model after each epoch, make one `Trial` and keep it: the clips
        are then the same objects, and a method may remember what it made of them.
    spectra : Spectra
        Crops of music that the method has not seen (`spectra_of_folder`).
    words : sequence of str
        Words to ask for, out of `BAND_JUDGES`; those that the method does not know are left out.
    seed : int
        Draws the strengths of the degradations and the bootstrap.

    Returns
    -------
    Triple
        With 95 % intervals over recordings.

    Examples
    --------
    ::

        spectra = spectra_of_folder(Path("valid/music"), cache=Path("valid.npz"))
        print(triple(method, spectra))
    """
    return Trial(spectra, seed=seed).triple(method, words)
