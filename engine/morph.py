"""From a recipe and what was heard to the move: adaptive where it may be, never against the words.

The formula
-----------
With ``h`` the linear decoder, ``z_audio`` what was heard (0 is neutral), ``b`` the model's boldness by
frequency (about 1) and a word at amount ``a``::

    EQ = a h(z_word) - adapt r(a) b h(z_audio)          r(a) = 1 - (1 - min(a, 1))²

so music that already sounds as asked gets less, and what sounds the other way gets more. The formula gives
exactly flat at amount 0, and at amount 1 when both latents are equal. The first half of a knob's way mostly
mends (three quarters of what is in the way are gone at 0.5), the second mostly colours. Amounts are
``Σ|w|``, so a negative weight asks for less of the word, not for more of the colour that is there, and a
strong wish does not over-correct.

The hold
--------
What was heard is an estimate, and where it is wrong the formula would move music against the word: bright
music that is meant to be so would be dulled by a little *bright*. So the move is held to the direction of the
word, twice. Along the word's own curve it is never reversed: what is too warm already is not made colder.
And it shows in this music (`semeq.engine.hold`): in the band that the word is about it does at least
`HOLD` of what the word's own move does there, and at least `LEAST_DB` at amount 1.
"Dark" never brightens, whatever was heard; *muddy*, which people draw down to the lowest bass, is more of
200 to 500 Hz even on music that is nearly all bass. A wish whose words cancel holds nothing. `adapt` = 0
is the words' typical move and is not held.

Seven bands cannot follow every curve. What they lack of the hold they are asked for again, a few times.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semeq.engine.compiled import is_at_hand
from semeq.engine.encoder import Heard, Model
from semeq.engine.errors import RecipeError
from semeq.engine.fit import bounds, prototype_curve_db, refine, to_settings
from semeq.engine.hold import HOLD, Hold, aim_of
from semeq.engine.meaning import typical
from semeq.engine.recipe import Recipe
from semeq.engine.settings import DEFAULT_GAIN_LIMIT_DB, EQSettings
from semeq.engine.units import Floats
from semeq.engine.words import Vocabulary

#: Least effect of a move on the band that its words are about, in dB at amount 1.
LEAST_DB = 0.5
#: A wish whose words' own move is weaker than this (dB rms) holds in proportion.
STRONG_DB = 1.0
#: Below this `adapt` the least effect fades out: at 0 the words' own move is left as it is.
FULL_HOLD_FROM = 0.25
#: No move goes further at any frequency (dB), whatever was heard, unless the hold takes it.
MOVE_LIMIT_DB = 15.0
ADAPT_LIMIT = 2.0
#: Steps of the fit from the recipe's own bands to those of the move; then how often what the bands lack of
#: the hold is asked for again, how much more than lacks, and the steps of each fit.
FIT_STEPS = 10
_ROUNDS, _EAGER, _ROUND_STEPS = 3, 1.5, 4


def mended(amount: float) -> float:
    """Return how much of what is in the way is gone at an amount.

    >>> mended(0.0), mended(0.5), mended(1.0), mended(3.0)
    (0.0, 0.75, 1.0, 1.0)
    """
    return 1.0 - (1.0 - min(amount, 1.0)) ** 2


@dataclass(frozen=True, slots=True)
class Move:
    """What shall be done to some music.

    Parameters
    ----------
    curve_db : Floats
        The move in dB, level removed, shape ``(..., n)``.
    hold : Hold or None
        What it has to do; None where nothing is held.
    """

    curve_db: Floats
    hold: Hold | None = None


def make_move(
    words: Sequence[tuple[str, float, Floats]],
    heard_db: Floats,
    spectrum_db: Floats,
    freqs_hz: Floats,
    *,
    adapt: float = 1.0,
    hold: float = HOLD,
) -> Move:
    """Return the move of words on one piece of music, or on many.

    Parameters
    ----------
    words : sequence of (str, float, Floats)
        Name, weight and typical curve ``h(z_word)`` in dB, shape ``(n,)``, of each word.
    heard_db : Floats
        ``b h(z_audio)``, shape ``(..., n)``.
    spectrum_db : Floats
        The music's long-term spectrum (dB, pink noise flat), shape ``(..., n)``.
    freqs_hz : Floats
        The grid, shape ``(n,)``.
    adapt : float
        How much what was heard counts: 0 the words' typical move, 1 the formula.
    hold : float
        Least effect as a part of the words' own; 0 or less holds nothing.
    """
    total_weight = sum(abs(weight) for _, weight, _ in words)
    words_db: Floats = sum((weight * curve for _, weight, curve in words), np.zeros(len(freqs_hz)))
    if total_weight == 0.0 or not words_db.any():
        return Move(np.zeros(np.shape(heard_db)))
    holding = None
    if adapt != 0.0 and hold > 0.0:
        # As much as is left of the wish where its words cancel: opposites hold nothing.
        left = float(np.sqrt(np.mean(words_db**2))) / STRONG_DB
        least_db = LEAST_DB * min(total_weight, 1.0, left) * min(adapt / FULL_HOLD_FROM, 1.0)
        aim = aim_of(words, freqs_hz)
        if np.ndim(heard_db) == 1 and is_at_hand():
            in_the_way_db = adapt * mended(total_weight) * heard_db
            from semeq.engine.held import held_move

            return Move(
                *held_move(
                    aim,
                    words_db,
                    in_the_way_db,
                    spectrum_db,
                    least_db=least_db,
                    hold=hold,
                    limit_db=MOVE_LIMIT_DB,
                )
            )
        # First the words' own move: on this music it may not show where it should.
        words_db = np.broadcast_to(words_db, np.shape(heard_db))
        words_db = Hold.on(aim, words_db, spectrum_db, least_db=least_db, hold=0.0).held(words_db)
        holding = Hold.on(aim, words_db, spectrum_db, least_db=least_db, hold=hold)
    raw = words_db - adapt * mended(total_weight) * heard_db
    if holding is not None:
        along = (raw * words_db).sum(-1) / (words_db**2).sum(-1)
        raw = raw + np.maximum(-along, 0.0)[..., None] * words_db
    raw = np.clip(raw - raw.mean(axis=-1, keepdims=True), -MOVE_LIMIT_DB, MOVE_LIMIT_DB)
    if holding is None:
        return Move(raw)
    raw = holding.held(raw)
    raw = raw - raw.mean(axis=-1, keepdims=True)
    # As a whole, so that it keeps its shape; and the hold comes before the limit.
    over = np.maximum(np.abs(raw).max(axis=-1, keepdims=True) / MOVE_LIMIT_DB, 1.0)
    limited = holding.held(raw / over)
    return Move(limited - limited.mean(axis=-1, keepdims=True), holding)


def bands_for(
    move: Move, freqs_hz: Floats, start: Floats, *, fixed: frozenset[int] = frozenset()
) -> Floats:
    """Return the parameters of seven bands that do a move, held as it is.

    Parameters
    ----------
    move : Move
        On one piece of music or on many.
    freqs_hz : Floats
        The grid, shape ``(n,)``.
    start : Floats
        Parameters of the recipe's own bands, shape ``(7, 3)`` (`semeq.engine.fit.to_parameters`).
    fixed : frozenset of int
        Bands, counted from 0, that stay where they start.

    Returns
    -------
    Floats
        Shape ``(..., 7, 3)``, gains within ±12 dB.
    """
    if move.curve_db.ndim == 1 and move.hold is not None and is_at_hand():
        from semeq.engine.held import held_bands

        return held_bands(
            move.curve_db,
            move.hold,
            freqs_hz,
            start,
            fixed=fixed,
            iterations=FIT_STEPS,
            rounds=(_ROUNDS, _EAGER, _ROUND_STEPS),
        )
    limits = bounds(None, DEFAULT_GAIN_LIMIT_DB)
    wanted = move.curve_db
    begin = np.clip(start, *limits)
    if wanted.ndim > 1:
        begin = np.broadcast_to(begin, (*wanted.shape[:-1], *start.shape))
    bands = refine(begin, wanted, freqs_hz, limits=limits, iterations=FIT_STEPS, fixed=fixed)
    if move.hold is None:
        return bands
    for _ in range(_ROUNDS):
        lacks = np.maximum(move.hold.lacks_db(prototype_curve_db(bands, freqs_hz)), 0.0)
        if not lacks.any():
            break
        wanted = move.hold.raised(wanted, _EAGER * lacks)
        again = refine(bands, wanted, freqs_hz, limits=limits, iterations=_ROUND_STEPS, fixed=fixed)
        bands = np.where(lacks[..., None] > 0.0, again, bands)
    return bands


def make_recipe_move(
    model: Model,
    recipe: Recipe,
    heard: Heard,
    *,
    adapt: float = 1.0,
    amount: float = 1.0,
    vocabulary: Vocabulary | None = None,
) -> Move:
    """Return the move of a recipe on what was heard, on the model's grid.

    A word that the model never met, such as one of the user's own, moves by its curve in `vocabulary`.

    Raises
    ------
    RecipeError
        If a word is in neither, or adapt or amount is out of range.
    """
    _check("adapt", adapt, 0.0, ADAPT_LIMIT)
    _check("amount", amount, -4.0, 4.0)
    words = []
    for word, weight in recipe.terms:
        if word in model.words:
            own = model.typical(word)
        elif vocabulary is not None:
            at, known = np.log(model.freqs_hz), np.log(vocabulary.freqs_hz)
            own = np.interp(at, known, vocabulary.get(word).curve_db)
        else:
            raise RecipeError(f"the model must know every word of a recipe, got {word!r}")
        words.append((word, amount * weight, own))
    return make_move(
        words, model.put_on_db(heard.z), heard.spectrum_db, model.freqs_hz, adapt=adapt
    )


def morph_curve(
    model: Model,
    recipe: Recipe,
    heard: Heard,
    *,
    adapt: float = 1.0,
    amount: float = 1.0,
    vocabulary: Vocabulary | None = None,
) -> Floats:
    """Return the curve of `make_recipe_move`: dB on the model's grid, shape ``(n,)``."""
    move = make_recipe_move(model, recipe, heard, adapt=adapt, amount=amount, vocabulary=vocabulary)
    return move.curve_db


def morph(
    model: Model,
    vocabulary: Vocabulary,
    recipe: Recipe,
    heard: Heard,
    *,
    adapt: float = 1.0,
    amount: float = 1.0,
) -> EQSettings:
    """Return the seven bands of a recipe on what was heard.

    Parameters
    ----------
    model : Model
        Decoder and words' latents.
    vocabulary : Vocabulary
        The same words with their bands, where the fit starts.
    recipe : Recipe
        Words with weights; empty is flat.
    heard : Heard
        What the encoder made of the sound, possibly averaged over windows.
    adapt : float
        In [0, 2]: 0 gives the recipe's own bands, blind to the sound; 1 lets the sound decide.
    amount : float
        In [-4, 4], times all weights; 0 is exactly flat.

    Returns
    -------
    EQSettings
        Gains within ±12 dB.
    """
    asked = typical(recipe, vocabulary, amount)
    move = make_recipe_move(model, recipe, heard, adapt=adapt, amount=amount, vocabulary=vocabulary)
    if not np.any(move.curve_db):
        return EQSettings.flat()
    if adapt == 0.0:
        return asked.told().settings
    return to_settings(bands_for(move, model.freqs_hz, asked.bands))


def _check(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise RecipeError(f"{name} must be in [{low:g}, {high:g}], got {value:g}")
