"""The EQ that a recipe would need on each stretch of a sound."""

from collections.abc import Sequence

from semeq.engine.analysis_types import Need, Target
from semeq.engine.design import response_db
from semeq.engine.encoder import Heard, Model
from semeq.engine.meaning import interpret
from semeq.engine.morph import morph
from semeq.engine.recipe import Recipe
from semeq.engine.units import Floats, read_only
from semeq.engine.words import Vocabulary


def needs(
    recipe: Recipe,
    heard: Sequence[Heard | None],
    model: Model,
    vocabulary: Vocabulary,
    *,
    fs: float,
    freqs_hz: Floats,
    adapt: float,
) -> Target:
    """Return what a recipe needs on the whole (first of `heard`) and on the sections (the rest).

    Parameters
    ----------
    recipe : Recipe
        What it shall sound like.
    heard : sequence of Heard or None
        What was heard of each stretch; None for silence.
    model, vocabulary
        Decoder, and words with their bands.
    fs : float
        Sample rate in Hz of the responses.
    freqs_hz : Floats
        Where responses are evaluated, below half of the rate.
    adapt : float
        How much what was heard has a say, in [0, 1].
    """

    def need(one: Heard | None) -> Need | None:
        if one is None:
            return None
        settings = morph(model, vocabulary, recipe, one, adapt=adapt)
        return Need(settings, read_only(response_db(settings, fs, freqs_hz)))

    found = [need(one) for one in heard]
    warnings = interpret(recipe, vocabulary).warnings
    return Target(recipe, warnings, found[0], tuple(found[1:]))
