"""From a recipe to seven bands: the typical human curves of its words, weighted and added in dB.

Conventions
-----------
Every word brings the response of its shipped bands, as analogue prototypes. The recipe's curve is the
weighted sum of these responses, and seven bands are fitted to it from a start that blends the
words' own bands: gains add up, frequencies and q are averaged in the logarithm with weights
``(weight · strength)²``. Start, curve and fit are smooth in the weights, so a turning knob never jumps,
and one word at weight 1 starts where it ends: at its shipped bands. No sample rate has a part in this: a
recipe means the same bands everywhere, and `semeq.engine.decramped` follows them at each rate.

A recipe whose added gains would leave ±12 dB is held back as a whole: the louder wish stops growing and
keeps its shape, where clipping each band would turn it into another sound.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from semeq.engine.compiled import is_at_hand
from semeq.engine.errors import RecipeError
from semeq.engine.fit import (
    ITERATIONS,
    UNMOVED,
    bounds,
    costs_of,
    prototype_curve_db,
    refine,
    to_parameters,
    to_settings,
)
from semeq.engine.recipe import Recipe
from semeq.engine.settings import DEFAULT_GAIN_LIMIT_DB, EQSettings
from semeq.engine.units import Floats, read_only
from semeq.engine.words import Bands, Vocabulary, Word

AMOUNT_LIMIT = 4.0
#: Below this share of what unrelated words would give together, a blend is said to cancel. Two equally strong
#: words get there when their curves correlate by -0.75.
CANCELS_BELOW = 0.5
#: A recipe that keeps more than this share of its strength is not said to be held back.
HELD_BACK_BELOW = 0.995
_LIMITS = bounds(None, DEFAULT_GAIN_LIMIT_DB)
_AT_REST = read_only(to_parameters(EQSettings.flat()))


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a recipe stands for.

    Parameters
    ----------
    settings : EQSettings
        Seven bands.
    curve_db : Floats
        The weighted sum of the words' mean curves in dB on the vocabulary's grid, shape ``(n,)``, held
        back where the bands are: what they approximate.
    warnings : tuple of str
        What whoever asked should know, one sentence each.
    """

    settings: EQSettings
    curve_db: Floats
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Typical:
    """The same as `Meaning`, in numbers: what an adaptive move begins with, a hundred times a second.

    Parameters
    ----------
    bands : Floats
        Gain in dB, ln(frequency in Hz) and ln(q) of seven bands, shape ``(7, 3)``, read-only.
    curve_db, warnings
        As in `Meaning`.
    settings : EQSettings or None
        Where the bands are known as settings already.
    """

    bands: Floats
    curve_db: Floats
    warnings: tuple[str, ...]
    settings: EQSettings | None = None

    @property
    def is_flat(self) -> bool:
        """Whether nothing is asked for."""
        return not self.bands[:, 0].any()

    def told(self) -> Meaning:
        """Return it with its bands as settings."""
        settings = to_settings(self.bands) if self.settings is None else self.settings
        return Meaning(settings, self.curve_db, self.warnings)


def interpret(recipe: Recipe, vocabulary: Vocabulary, *, amount: float = 1.0) -> Meaning:
    """Return the bands, the curve and the warnings of a recipe.

    Parameters
    ----------
    recipe : Recipe
        Words with weights; empty is flat.
    vocabulary : Vocabulary
        Where the words are looked up.
    amount : float
        Factor on all weights, in [-4, 4]; 0 is exactly flat.

    Returns
    -------
    Meaning
        Gains within ±12 dB.

    Raises
    ------
    UnknownWordError
        If a word is not in the vocabulary.
    RecipeError
        If the amount is not a number in its range.
    """
    return typical(recipe, vocabulary, amount).told()


def typical(recipe: Recipe, vocabulary: Vocabulary, amount: float) -> Typical:
    """Return what `interpret` does, in numbers; the parameters and errors are the same."""
    if not (math.isfinite(amount) and abs(amount) <= AMOUNT_LIMIT):
        raise RecipeError(
            f"amount must be in [-{AMOUNT_LIMIT:g}, {AMOUNT_LIMIT:g}], got {amount:g}"
        )
    looked_up = [(vocabulary.get(name), weight * amount) for name, weight in recipe.terms]
    parts = [(word, weight) for word, weight in looked_up if weight != 0.0]
    if not parts:
        flat = read_only(np.zeros(len(vocabulary.freqs_hz)))
        return Typical(_AT_REST, flat, (), EQSettings.flat())
    words = [word for word, _ in parts]
    weights = np.array([weight for _, weight in parts])
    curves = np.array([word.curve_db for word in words])
    is_as_taught = len(words) == 1 and weights[0] == 1.0
    fitted, kept = _fitted(words, weights, vocabulary.freqs_hz)
    weights = kept * weights
    settings = None
    if is_as_taught:
        own = words[0].settings
        settings = own if np.abs(fitted - to_parameters(own)).max() < UNMOVED else None

    warnings = [
        *(f"only one person taught {w.word!r}" for w in words if w.single_person),
        *(
            f"the {w.people} people who taught {w.word!r} do not agree (mean correlation "
            f"{w.agreement:.2f})"
            for w in words
            if w.low_agreement
        ),
        *_cancelling(words, weights, curves),
        *_held_back(kept),
    ]
    return Typical(read_only(fitted), read_only(weights @ curves), tuple(warnings), settings)


def _fitted(words: list[Word], weights: Floats, freqs_hz: Floats) -> tuple[Floats, float]:
    """Return the bands of a recipe, ``(7, 3)``, and what part of the weights is left."""
    grid = freqs_hz.tobytes()
    own = [_own_bands(word.bands, grid) for word in words]
    bands = np.array([parameters for parameters, _ in own])
    responses_db = np.array([response_db for _, response_db in own])
    strengths_db = np.array([word.strength_db for word in words])
    if is_at_hand():
        from semeq.engine.bands_kernel import write_typical

        fitted: Floats = np.empty(bands.shape[1:])
        # copies: of one type, whatever came
        kept = write_typical(
            np.array(weights),
            bands,
            responses_db,
            strengths_db,
            np.array(freqs_hz),
            np.array(_LIMITS),
            costs_of(),
            ITERATIONS,
            fitted,
        )
        return fitted, kept
    gains_db = weights @ bands[:, :, 0]
    kept = DEFAULT_GAIN_LIMIT_DB / max(DEFAULT_GAIN_LIMIT_DB, float(np.abs(gains_db).max()))
    share = np.abs(weights) * strengths_db
    # Before squaring: the square of a tiny weight underflows, and 0 / 0 is nowhere.
    share = (share / share.max()) ** 2 if share.any() else np.ones(len(words))
    start = np.tensordot(share / share.sum(), bands, axes=1)
    start[:, 0] = kept * gains_db
    target_db = kept * weights @ responses_db
    return refine(np.clip(start, *_LIMITS), target_db, freqs_hz, limits=_LIMITS), kept


@lru_cache(maxsize=256)
def _own_bands(bands: Bands, grid: bytes) -> tuple[Floats, Floats]:
    """Return a word's bands as parameters, and their response in dB on a grid of frequencies."""
    parameters = np.array([(gain_db, math.log(f), math.log(q)) for f, gain_db, q in bands])
    response_db = prototype_curve_db(parameters, np.frombuffer(grid))
    return read_only(parameters), read_only(response_db)


def _cancelling(words: list[Word], weights: Floats, curves: Floats) -> list[str]:
    if len(words) < 2:
        return []
    parts = weights[:, None] * curves
    strengths = np.sqrt(np.mean(parts**2, axis=1))
    apart = float(np.sqrt(np.sum(strengths**2)))
    together = float(np.sqrt(np.mean(parts.sum(axis=0) ** 2)))
    if together >= CANCELS_BELOW * apart:
        return []
    i, j = min(
        combinations(range(len(words)), 2), key=lambda pair: float(parts[pair[0]] @ parts[pair[1]])
    )
    r = float(np.mean(curves[i] * curves[j])) / (words[i].strength_db * words[j].strength_db)
    return [
        f"{words[i].word!r} and {words[j].word!r} mostly cancel (their curves correlate by {r:.2f}): "
        f"the blend has {together:.1f} dB rms, unrelated words would give {apart:.1f}"
    ]


def _held_back(kept: float) -> list[str]:
    if kept >= HELD_BACK_BELOW:
        return []
    return [
        f"the recipe asks for more than ±{DEFAULT_GAIN_LIMIT_DB:g} dB: it is held back to "
        f"{kept:.0%} of its strength"
    ]
