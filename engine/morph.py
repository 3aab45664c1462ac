"""From a recipe and what was heard to the move: adaptive where it may be, never against the words.

The formula
-----------
With ``z_ref = adapt z_audio`` (the neutral latent is 0) and ``h`` the linear decoder::

    z_morphed = z_ref + Σ w (z_word - z_ref)
    EQ        = h(z_morphed) - h(z_ref) = Σ w h(z_word) - Σ w h(z_ref)

so music that already sounds as asked gets less, and what sounds the other way gets more. The formula gives
exactly flat when both latents are equal, and is proportional to the amount. The weight on what was heard
is ``min(Σ|w|, 1)`` instead of ``Σ w``: a negative weight asks for less of the word, not for more of the
colour that is there, and a strong wish does not over-correct.

The hold
--------
What was heard is an estimate, and where it is wrong the formula would move music against the word: bright
music that is meant to be so would be dulled by a little *bright*. So the move is held to the word's own
direction in every region of the spectrum. The word's typical move ``w(f)`` changes the share of a region
at ``f`` in this music's power by ``v(f) = w(f) - m(w)`` in dB, where ``m(w) = 10 lg Σ P 10^(w / 10)`` is what
it does to the whole. The adaptive move ``e`` has to do the same with at least a part `HOLD` of the strength::

    sign(v) (e - m(e)) >= HOLD |v| - slack(v)
    slack(v) = SLACK_DB (1 - |v| / SLACK_WIDTH_DB)²   below the width, else 0

Where the word does next to nothing the slack leaves the estimate its freedom. With an offset ``b`` such that
``max(sign(v) (e - b), bound)`` does 0 dB to the whole, the bound holds exactly; there always is one, since
``m(HOLD v) <= HOLD m(v) = 0``. "Dark" never brightens: no region whose share the word
lowers by more than the width gains, whatever was heard.
"""

import math

import numpy as np

from semeq.engine.encoder import Heard, Model
from semeq.engine.errors import RecipeError
from semeq.engine.fit import fit_bands
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.settings import EQSettings
from semeq.engine.units import Floats, read_only
from semeq.engine.words import Vocabulary

HOLD = 0.2
SLACK_DB, SLACK_WIDTH_DB = 6.0, 1.0
#: The offset is found by halving this range (dB) so many times.
_OFFSET_DB, _HALVINGS = 80.0, 34
#: No move goes further at any frequency, whatever was heard (dB).
MOVE_LIMIT_DB = 15.0
ADAPT_LIMIT = 2.0
#: Steps of the fit from the recipe's own bands to those of the move.
FIT_STEPS = 10


def _whole(move_db: Floats, share: Floats) -> Floats:
    """Return what a move does to the power of the whole, in dB, shape ``(..., 1)``."""
    total = (share * 10.0 ** (move_db / 10.0)).sum(axis=-1, keepdims=True)
    whole: Floats = 10.0 * np.log10(total)
    return whole


def held(move_db: Floats, word_db: Floats, spectrum_db: Floats, hold: float = HOLD) -> Floats:
    """Return a move that goes the word's way everywhere in this music.

    Parameters
    ----------
    move_db : Floats
        The adaptive move, shape ``(..., n)``.
    word_db : Floats
        The words' own move at the same amount, shape ``(..., n)``; flat gives flat.
    spectrum_db : Floats
        The music's long-term spectrum (dB, pink noise flat), shape ``(..., n)``.
    hold : float
        Least strength, in [0, 1], as a part of the words' own.

    Returns
    -------
    Floats
        Shape ``(..., n)``; its level is arbitrary.
    """
    top = spectrum_db.max(axis=-1, keepdims=True)
    share = 10.0 ** ((spectrum_db - top) / 10.0)
    share /= share.sum(axis=-1, keepdims=True)
    own = word_db - _whole(word_db, share)
    sign, size = np.sign(own), np.abs(own)
    # Slack is for small effects of strong words, not for weak words: it shrinks with them.
    strength = np.minimum(np.abs(word_db).max(axis=-1, keepdims=True) / SLACK_WIDTH_DB, 1.0)
    width = SLACK_WIDTH_DB * np.maximum(strength, 1e-9)
    slack = SLACK_DB * strength * np.maximum(0.0, 1.0 - size / width) ** 2
    bound = hold * size - slack

    def shifted(offset: Floats) -> Floats:
        moved = move_db - offset
        return np.where(sign == 0.0, moved, sign * np.maximum(sign * moved, bound))

    low = np.full((*move_db.shape[:-1], 1), -_OFFSET_DB)
    high = -low
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        louder = _whole(shifted(middle), share) > 0.0
        low, high = np.where(louder, middle, low), np.where(louder, high, middle)
    return shifted(high)


def move_db(
    words_db: Floats,
    heard_db: Floats,
    spectrum_db: Floats,
    *,
    total_weight: float,
    adapt: float = 1.0,
    hold: float = HOLD,
) -> Floats:
    """Return the curve of the move in dB, level removed.

    Parameters
    ----------
    words_db : Floats
        ``Σ w h(z_word)``, shape ``(..., n)``.
    heard_db : Floats
        ``h(z_audio)``, shape ``(..., n)``.
    spectrum_db : Floats
        The music's long-term spectrum, shape ``(..., n)``.
    total_weight : float
        ``Σ|w|``.
    adapt : float
        How much what was heard counts: 0 the words' typical move, 1 the formula.
    hold : float
        See `held`; 0 or less leaves the formula as it is.
    """
    if total_weight == 0.0 or not np.any(words_db):
        return np.zeros(np.broadcast_shapes(words_db.shape, heard_db.shape))
    raw = words_db - adapt * min(total_weight, 1.0) * heard_db
    if adapt != 0.0 and hold > 0.0:
        raw = held(raw, np.broadcast_to(words_db, raw.shape), spectrum_db, hold)
    raw = raw - raw.mean(axis=-1, keepdims=True)
    limited: Floats = np.clip(raw, -MOVE_LIMIT_DB, MOVE_LIMIT_DB)
    return limited


def morph_curve(
    model: Model,
    recipe: Recipe,
    heard: Heard,
    *,
    adapt: float = 1.0,
    amount: float = 1.0,
    vocabulary: Vocabulary | None = None,
) -> Floats:
    """Return the move of a recipe on what was heard: dB on the model's grid, shape ``(n,)``.

    A word that the model never met, such as one of the user's own, moves by its curve in `vocabulary`.

    Raises
    ------
    RecipeError
        If a word is in neither, or adapt or amount is out of range.
    """
    _check("adapt", adapt, 0.0, ADAPT_LIMIT)
    _check("amount", amount, -4.0, 4.0)
    total = np.zeros(len(model.freqs_hz))
    for word, weight in recipe.terms:
        if word in model.words:
            typical = model.decode(model.words[word])
        elif vocabulary is not None:
            at, known = np.log(model.freqs_hz), np.log(vocabulary.freqs_hz)
            typical = np.interp(at, known, vocabulary.get(word).curve_db)
        else:
            raise RecipeError(f"the model must know every word of a recipe, got {word!r}")
        total = total + amount * weight * typical
    weight = sum(abs(amount * w) for _, w in recipe.terms)
    boldness = float(model.notes.get("boldness", 1.0))
    return move_db(
        total,
        model.decode(heard.z),
        heard.spectrum_db,
        total_weight=weight,
        adapt=adapt * boldness,
    )


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
    meaning = interpret(recipe, vocabulary, amount=amount)
    curve = morph_curve(model, recipe, heard, adapt=adapt, amount=amount, vocabulary=vocabulary)
    if adapt == 0.0 or not np.any(curve):
        return meaning.settings if np.any(curve) else EQSettings.flat()
    return fit_bands(
        read_only(curve), model.freqs_hz, start=meaning.settings, iterations=FIT_STEPS
    )


def _check(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise RecipeError(f"{name} must be in [{low:g}, {high:g}], got {value:g}")
