"""What was heard, in words: scores, the words that fit best and worst, and short descriptions.

The score
---------
The encoder hears a curve ``c(f)``: the EQ move that would make typical programme material sound like this.
A word has its typical move ``w(f)``. The score of the word is the projection of one onto the other in
units of the word's own strength::

    score = ∫ c w df / ∫ w² df          (f on a log axis)

0 is neutral, 1 sounds as if the word's typical move had been put on, -1 as if its reverse had. It does
not know how loud the sound is. Similar words score alike: *bright* and *crisp* are not independent. The
*match* is the correlation of the two curves, in [-1, 1]: how well the word's shape tells what was heard.

It is an estimate, and a cautious one: when the typical move of one of `DEFAULT_WORDS` was put on music
that the encoder had never met, or taken off, its score rose or fell by 0.79 in the median (0.55 to 0.95;
14 recordings, 12 words, both ways).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semeq.engine.units import Floats
from semeq.engine.words import Vocabulary, Word

#: What is shown if nothing else is asked for: well known, and people agree what they mean.
DEFAULT_WORDS = (
    "warm",
    "bright",
    "dark",
    "airy",
    "deep",
    "tinny",
    "muddy",
    "crisp",
    "heavy",
    "mellow",
    "sharp",
    "clear",
)
#: Words that may describe a sound unasked: so many people taught them, and agree so far.
KNOWN_PEOPLE, KNOWN_AGREEMENT = 5, 0.3
#: About level, which no curve and no score here knows: said of a sound they would mislead.
NOT_SAID = ("loud", "quiet")
#: A score, and a difference of scores, from which on it is said.
SAID, SAID_CHANGE, SAID_LEVEL_DB = 0.3, 0.25, 3.0
#: A second word is said if it is not the first in other clothes.
_ALIKE = 0.85


@dataclass(frozen=True, slots=True)
class Fit:
    """How a word fits what was heard: its score, and the correlation of the curves."""

    word: str
    score: float
    match: float


def curves_of(words: Sequence[str], vocabulary: Vocabulary) -> tuple[tuple[Word, ...], Floats]:
    """Return words and their curves, shape ``(words, 61)``, level removed.

    Raises
    ------
    UnknownWordError
        If nobody taught one of them.
    """
    looked_up = tuple({word.word: word for word in map(vocabulary.get, words)}.values())
    curves = np.array([word.curve_db for word in looked_up])
    return looked_up, curves - curves.mean(axis=1, keepdims=True)


def scores(heard_db: Floats, curves: Floats) -> Floats:
    """Return the scores of words, shape ``(..., words)``, for curves heard, ``(..., 61)``."""
    return np.asarray(heard_db @ (curves / np.square(curves).sum(axis=1, keepdims=True)).T)


def known_words(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the English words that may be said unasked: well known, and people agree on them."""
    return tuple(
        name
        for name, word in vocabulary.words.items()
        if word.language == "en"
        and name not in NOT_SAID
        and word.people >= KNOWN_PEOPLE
        and (word.agreement or 0.0) >= KNOWN_AGREEMENT
    )


def fits(heard_db: Floats, words: Sequence[Word], curves: Floats) -> tuple[Fit, ...]:
    """Return how words fit one curve, the best match first."""
    centred = heard_db - heard_db.mean()
    size = float(np.sqrt(np.square(centred).sum()))
    match = curves @ centred / np.sqrt(np.square(curves).sum(axis=1)) / max(size, 1e-9)
    found = [
        Fit(word.word, float(score), float(r))
        for word, score, r in zip(words, scores(centred, curves), match, strict=True)
    ]
    return tuple(sorted(found, key=lambda fit: -fit.match))


def _distinct(order: Sequence[int], values: Floats, curves: Floats, least: float) -> list[int]:
    chosen: list[int] = []
    size = np.sqrt(np.square(curves).sum(axis=1))
    for i in order:
        if values[i] < least or len(chosen) == 2:
            break
        alike = [curves[i] @ curves[j] / (size[i] * size[j]) for j in chosen]
        if all(r < _ALIKE for r in alike):
            chosen.append(i)
    return chosen


def describe(
    words: Sequence[Word],
    curves: Floats,
    values: Floats,
    whole: Floats | None = None,
    level_db: float = 0.0,
) -> str:
    """Return a stretch of sound in a few words.

    Parameters
    ----------
    words : sequence of Word
        What may be said, with `curves` of shape ``(words, n)``.
    values : Floats
        Scores of the stretch, shape ``(words,)``.
    whole : Floats, optional
        Scores of the whole sound, to compare with.
    level_db : float
        How much louder than the whole the stretch is.

    Examples
    --------
    >>> describe((), np.zeros((0, 61)), np.zeros(0))
    'neutral'
    """
    strength = np.sqrt(np.mean(np.square(curves), axis=1)) if len(curves) else np.zeros(0)
    # In dB of what was heard, so that faint words do not win by their small unit.
    order = np.argsort(-values * strength).tolist()
    first = [words[i].word for i in _distinct(order, values, curves, SAID)]
    said = [" and ".join(first) or "neutral"]
    if whole is not None:
        change = values - whole
        up = np.argsort(-change * strength).tolist()
        best = [words[i].word for i in _distinct(up, change, curves, SAID_CHANGE)[:1]]
        more = ["more so" if word in first else f"more {word}" for word in best]
        down = _distinct(up[::-1], -change, curves, SAID_CHANGE)[:1]
        less = [f"less {words[i].word}" for i in down]
        if more or less:
            said.append(f"{' and '.join(more + less)} than the whole")
        if abs(level_db) >= SAID_LEVEL_DB:
            said.append(f"{abs(level_db):.0f} dB {'louder' if level_db > 0 else 'quieter'}")
    return "; ".join(said)
