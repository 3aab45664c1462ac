"""One run of all judges over all methods, as plain values for JSON; `semeq evaluate` writes them down.

For every seed the degradations are drawn again, other people are held out and the rivals that learn from
people learn again; a method that was trained before (a model) is always judged by those whom
training held out (`semeq.training.people.SALT`). Figures are means over seeds, the ends of intervals too;
``sd`` is the standard deviation over seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from semeq.training.degrade import RECIPE
from semeq.training.measures import confusion
from semeq.training.methods import (
    BatchMethod,
    Detector,
    Method,
    SelfScorer,
    as_batch,
    known_words,
)
from semeq.training.metrics import Trial
from semeq.training.people import Fold
from semeq.training.protocol import (
    AGREED,
    WORDS,
    Figures,
    adaptivity_part,
    blend_part,
    effect_part,
    explained_part,
    likeness_part,
    own_score_part,
    people_part,
    stability_part,
    timbral_part,
    triple_part,
)
from semeq.training.spectra import Spectra

#: Makes the methods of one seed from the people of its fold (None without human data).
MethodMaker = Callable[[int, Fold | None], Sequence[Method | BatchMethod]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Parameters
    ----------
    spectra : Spectra
        Crops of unseen music.
    seeds : int
        How many seeds, from 0 on.
    timbral_clips : int
        How many clips the timbral models judge; 0 leaves them out.
    say : Callable
        Called with a line about progress.
    """

    spectra: Spectra
    seeds: int = 3
    timbral_clips: int = 0
    say: Callable[[str], None] = field(default=lambda line: None)


def measure(method: Method | BatchMethod, trial: Trial, fold: Fold | None, plan: Plan) -> Figures:
    """Return every measure of one method at one seed."""
    batch = as_batch(method)
    words = known_words(method, WORDS)
    result: Figures = {
        "words": list(words),
        "triple": triple_part(batch, trial),
        "effect": effect_part(batch, trial, words),
        "adaptivity": adaptivity_part(batch, trial, words),
        "blends": blend_part(method, batch, trial, words),
        "stability": stability_part(method, batch, trial, words),
    }
    shares, margins = confusion(batch, trial.plain, words)
    result["confusion"] = {"shares": shares.tolist(), "margins": margins.tolist()}
    if isinstance(method, SelfScorer):
        result["own_score"] = own_score_part(method, batch, trial, words)
    if fold is not None:
        result["people"], result["curves"] = people_part(batch, trial, fold, fold.agreed(AGREED))
        result["confusion"]["people"] = likeness_part(batch, trial, fold, words)
        if isinstance(method, Detector):
            result["explained_r2"] = explained_part(method, trial, fold)
    if plan.timbral_clips and trial.seed == 0:
        result["timbral"] = timbral_part(batch, trial, words, plan.timbral_clips)
    return result


def _merge(rows: Sequence[Any]) -> Any:  # noqa: ANN401  # JSON values of any kind
    """Return the mean over seeds of figures of one shape; what only some seeds have is kept as it is."""
    first = rows[0]
    if isinstance(first, dict):
        keys = dict.fromkeys(key for row in rows for key in row)
        merged = {key: _merge([row[key] for row in rows if key in row]) for key in keys}
        if {"value", "low", "high"} <= set(first):
            merged["sd"] = float(np.std([row["value"] for row in rows]))
        return merged
    if isinstance(first, bool | str) or first is None:
        return first
    if isinstance(first, int | float):
        known = [row for row in rows if isinstance(row, int | float)]
        return float(np.mean(known))
    same = all(np.shape(row) == np.shape(first) for row in rows)
    if isinstance(first, list) and first and same and not isinstance(first[0], str | dict):
        return np.mean(np.array(rows), axis=0).tolist()
    return first


def evaluate(make: MethodMaker, plan: Plan, folds: Sequence[Fold | None]) -> dict[str, Figures]:
    """Return every measure of every method by name, averaged over seeds.

    Parameters
    ----------
    make : MethodMaker
        Called with each seed and its fold. Methods of one name are the same method.
    plan : Plan
        What to measure, and on what.
    folds : sequence of Fold or None
        One a seed: the people to learn from and those held out. A method with an attribute
        ``fold`` is judged by that one instead.
    """
    found: dict[str, list[Figures]] = {}
    first: Trial | None = None
    for seed in range(plan.seeds):
        trial = Trial(plan.spectra, seed=seed, lines=RECIPE, like=first)
        first = first or trial
        for method in make(seed, folds[seed]):
            judged_by: Fold | None = getattr(method, "fold", folds[seed])
            plan.say(f"seed {seed}: {method.name}")
            found.setdefault(method.name, []).append(measure(method, trial, judged_by, plan))
    return {name: _merge(rows) for name, rows in found.items()}
