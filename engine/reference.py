"""Make it like this one: what sets a sound apart from a reference, as a recipe of words.

Conventions
-----------
- Spectra are long-term densities in dB on the vocabulary's grid, pink noise flat, smoothed over a fifth of an
  octave in power. The difference of two (reference minus base) is smoothed again, over
  `DIFFERENCE_OCTAVES`: two pieces of music are in other keys and have other instruments, and a kick drum's
  note is no colour. No point of it goes beyond ±12 dB, the level is taken out, and what either of them has
  nothing of (60 dB below its mean density: lossy files end at 16 kHz) is left out.
- The difference is told by at most `MAX_TERMS` words with weights from 0.1 to 1.5 in steps of 0.05: least
  squares with a small price on the weights, over all supports that a beam search meets. A word has to take
  up at least `WORTH` of the difference's power, words that pull against each other are not combined, and
  only words are used whose mean curve is reliable (`reliability`).
- What the words leave is said: their share of the difference's power, and the rms that is left.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from semeq.engine.balance import CENTRES_HZ, DENSE_FRAMES, WIDTHS, Balance, Meter
from semeq.engine.errors import AudioFileError
from semeq.engine.recipe import Recipe
from semeq.engine.units import Floats, read_only
from semeq.engine.words import Vocabulary, Word

MAX_TERMS = 4
WEIGHT_RANGE, WEIGHT_STEP = (0.1, 1.5), 0.05
#: Standard deviations of the smoothing, in octaves.
SMOOTH_OCTAVES, DIFFERENCE_OCTAVES = 0.2, 0.4
#: How far a steep edge of a spectrum is kept away from: two standard deviations of the first smoothing.
EDGE_OCTAVES = 0.4
#: A spectrum is empty where it is so far below its mean density; no difference is larger (dB).
DEEPEST_DB, LIMIT_DB = -60.0, 12.0
#: Differences with a smaller rms than this are none; stronger ones are told at this strength (dB).
LEAST_RMS_DB, MOST_RMS_DB = 1.0, 6.0
#: What a further word has to add to the share that is explained.
WORTH = 0.03
#: Price of a weight of 1, as a part of a word's own power.
RIDGE = 0.05
#: Words whose curves correlate by less than this pull against each other.
OPPOSED = -0.3
LEAST_PEOPLE, LEAST_RELIABILITY = 4, 0.75
_BEAM = 12


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """A level-free long-term spectrum.

    Parameters
    ----------
    levels_db : Floats
        Density in dB on a grid, mean 0 where there is sound, shape ``(n,)``.
    exists : Floats
        1 where there is sound, else 0, shape ``(n,)``.
    """

    levels_db: Floats
    exists: Floats

    @classmethod
    def of(cls, balance: Balance, freqs_hz: Floats) -> "Spectrum":
        """Return the spectrum of a balance on a grid of log-spaced frequencies."""
        distance = np.log2(CENTRES_HZ[:, None] / freqs_hz) / SMOOTH_OCTAVES
        weights = np.exp(-0.5 * distance**2)
        density = (balance.power @ weights) / (WIDTHS @ weights)
        mean = float(balance.power.sum()) / float(WIDTHS.sum())
        floor = mean * 10.0 ** (DEEPEST_DB / 10.0)
        low_hz, high_hz = _extent(balance.power > floor * WIDTHS)
        inside = (low_hz <= freqs_hz) & (high_hz >= freqs_hz)
        exists = (inside & (density > floor)).astype(np.float64)
        levels = 10.0 * np.log10(np.maximum(density, max(floor, 1e-30)))
        levels -= (levels @ exists) / max(float(exists.sum()), 1.0)
        return cls(read_only(levels), read_only(exists))

    def balance(self, freqs_hz: Floats) -> Balance:
        """Return the balance that has this spectrum."""
        at_centres = np.interp(np.log(CENTRES_HZ), np.log(freqs_hz), self.levels_db)
        return Balance(read_only(WIDTHS * 10.0 ** (at_centres / 10.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """How to make one sound like another, in words.

    Parameters
    ----------
    recipe : Recipe
        The words; empty where there is nothing to change.
    reference : str
        The name of what is to be sounded like.
    against : str
        What it was compared with.
    explained : float
        The share of the difference's power that the words take up, at most 1.
    left_db, difference_db : float
        Rms of what is left, and of the whole difference, in dB.
    wanted_db, told_db : Floats
        The difference and the words' sum on the vocabulary's grid, shape ``(n,)``; the first is 0 where
        one of the sounds has nothing.
    """

    recipe: Recipe
    reference: str
    against: str
    explained: float
    left_db: float
    difference_db: float
    wanted_db: Floats
    told_db: Floats

    @property
    def text(self) -> str:
        """One line for people."""
        if not self.recipe.terms:
            return (
                f"like {self.reference}: nothing to change, {self.against} differs by "
                f"{self.difference_db:.1f} dB rms"
                if self.difference_db < LEAST_RMS_DB
                else f"like {self.reference}: no words tell the {self.difference_db:.1f} dB rms by "
                f"which {self.against} differs"
            )
        return (
            f"like {self.reference}: {self.recipe}, explains {100.0 * self.explained:.0f} %, "
            f"{self.left_db:.1f} of {self.difference_db:.1f} dB rms left"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "reference": self.reference,
            "against": self.against,
            "recipe": str(self.recipe),
            "words": dict(self.recipe.terms),
            "explained": round(self.explained, 4),
            "left_rms_db": round(self.left_db, 3),
            "difference_rms_db": round(self.difference_db, 3),
            "text": self.text,
        }


def _extent(has_sound: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return from where to where there is sound in Hz, less what smoothing spills over a steep edge."""
    found = np.flatnonzero(has_sound)
    if not len(found):
        return math.inf, 0.0
    low = CENTRES_HZ[found[0]] * 2.0**EDGE_OCTAVES if found[0] > 0 else 0.0
    is_cut = found[-1] < len(has_sound) - 1
    high = CENTRES_HZ[found[-1]] * 2.0**-EDGE_OCTAVES if is_cut else math.inf
    return float(low), float(high)


def measure_file(path: Path, *, may_be_silent: bool = False) -> Balance:
    """Return the balance of a sound file, a long one from a part of its frames.

    Raises
    ------
    AudioFileError
        If it cannot be read, or holds nothing but silence where it must not.
    """
    # only here: those who compare sounds that they have already need no decoders
    from semeq.engine.audiofile import AudioReader

    reader = AudioReader(path)
    meter = Meter(reader.fs, reader.channels, dense_frames=DENSE_FRAMES)
    for block in reader.blocks():
        meter.feed(block)
    balance = meter.balance()
    if balance.is_silent and not may_be_silent:
        raise AudioFileError(f"{path} must hold sound to be compared with, got silence")
    return balance


def reliability(word: Word) -> float:
    """Return how much of a word's mean curve is its people's common mind, in [0, 1] (Spearman-Brown).

    Two people who agree a lot are worth as much as many who agree a little.
    """
    if word.agreement is None or word.agreement <= 0.0:
        return 0.0
    return word.people * word.agreement / (1.0 + (word.people - 1) * word.agreement)


def candidates(vocabulary: Vocabulary, language: str = "en") -> tuple[Word, ...]:
    """Return the words that a sound is told by."""
    return tuple(
        word
        for word in vocabulary.words.values()
        if word.language == language
        and word.people >= LEAST_PEOPLE
        and not word.low_agreement
        and reliability(word) >= LEAST_RELIABILITY
    )


def liken(
    reference: Spectrum,
    base: Spectrum,
    vocabulary: Vocabulary,
    *,
    names: tuple[str, str] = ("the reference", "the input"),
    language: str = "en",
) -> Likeness:
    """Return the recipe that takes the base towards the reference.

    Parameters
    ----------
    reference, base : Spectrum
        On the vocabulary's grid.
    vocabulary : Vocabulary
        Where the words come from.
    names : tuple of (str, str)
        Names of reference and base, for people.
    language : str
        Of the words.
    """
    weight = reference.exists * base.exists
    wanted = difference(reference, base, vocabulary.freqs_hz)
    rms = _rms(wanted, weight)
    words = candidates(vocabulary, language)
    if rms < LEAST_RMS_DB or not words:
        return Likeness(Recipe(), *names, 0.0, rms, rms, wanted, read_only(0.0 * wanted))
    curves = np.array([word.curve_db for word in words])
    curves = (curves - (curves @ weight)[:, None] / weight.sum()) * weight
    terms = _search(curves, wanted * min(1.0, MOST_RMS_DB / rms))
    told = np.zeros(len(wanted))
    for k, amount in terms:
        told = told + amount * curves[k]
    left = _rms(wanted - told, weight)
    recipe = Recipe(tuple((words[k].word, amount) for k, amount in terms))
    explained = 1.0 - (left / rms) ** 2
    return Likeness(recipe, *names, explained, left, rms, wanted, read_only(told))


def difference(
    reference: Spectrum, base: Spectrum, freqs_hz: Floats, limit_db: float = LIMIT_DB
) -> Floats:
    """Return reference minus base in dB: limited, smoothed, mean 0, and 0 where one has nothing."""
    weight = reference.exists * base.exists
    total = max(float(weight.sum()), 1.0)
    raw = reference.levels_db - base.levels_db
    raw = np.clip(raw - (raw @ weight) / total, -limit_db, limit_db)
    distance = np.log2(freqs_hz[:, None] / freqs_hz) / DIFFERENCE_OCTAVES
    kernel = np.exp(-0.5 * distance**2) * weight[:, None]
    smooth = (raw @ kernel) / np.maximum(kernel.sum(axis=0), 1e-9)
    centred: Floats = (smooth - (smooth @ weight) / total) * weight
    return read_only(centred)


def _rms(curve_db: Floats, weight: Floats) -> float:
    return math.sqrt(float(curve_db**2 @ weight) / max(float(weight.sum()), 1.0))


def _search(curves: Floats, wanted: Floats) -> list[tuple[int, float]]:
    """Return the best few rows of `curves` with their weights, strongest first."""
    gram, gain = curves @ curves.T, curves @ wanted
    strength = np.sqrt(np.diag(gram))
    may_join = gram > OPPOSED * np.outer(strength, strength)
    whole = float(wanted @ wanted)
    best: tuple[tuple[int, ...], Floats, float] = ((), np.zeros(0), whole)
    beam: list[tuple[int, ...]] = [()]
    for _ in range(MAX_TERMS):
        found: dict[tuple[int, ...], tuple[Floats, float]] = {}
        for support in beam:
            for k in np.flatnonzero(may_join[list(support)].all(axis=0)):
                joined = tuple(sorted({*support, int(k)}))
                if len(joined) > len(support) and joined not in found:
                    solved = _solve(joined, gram, gain)
                    if solved is not None:
                        left = solved @ gram[np.ix_(joined, joined)] @ solved
                        left -= 2.0 * solved @ gain[list(joined)]
                        found[joined] = (solved, whole + float(left))
        if not found:
            break
        beam = sorted(found, key=lambda support: found[support][1])[:_BEAM]
        weights, rest = found[beam[0]]
        if best[2] - rest < WORTH * whole:
            break
        best = (beam[0], weights, rest)
    terms = [(k, float(weight)) for k, weight in zip(best[0], best[1], strict=True)]
    return sorted(terms, key=lambda term: -term[1] * strength[term[0]])


def _solve(support: tuple[int, ...], gram: Floats, gain: Floats) -> Floats | None:
    """Return the rounded weights of some words, or None where one of them is not wanted."""
    own = gram[np.ix_(support, support)]
    priced = own + RIDGE * np.diag(np.diag(own))
    weights = np.linalg.solve(priced, gain[list(support)]).clip(max=WEIGHT_RANGE[1])
    rounded: Floats = np.round(np.round(weights / WEIGHT_STEP) * WEIGHT_STEP, 2)
    return rounded if bool(np.all(rounded >= WEIGHT_RANGE[0])) else None
