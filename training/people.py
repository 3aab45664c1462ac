"""People's curves as judges: those whom no method has learned from.

Conventions
-----------
- A person counts once a word: a SAFE-DB contributor's curves for it are averaged, a SocialEQ row is a person.
- Who is held out is said by a *salt*: `semeq.training.splits.split_of` hashes contributor and salt; valid
  and test are held out (`PEOPLE_SHARES`). The salt "semeq" is that of training. The two
  largest SAFE-DB contributors always train.
- Curves are compared by Pearson's r between 50 Hz and 16 kHz on the vocabulary's grid (mean removed).
- A method's *percentile* at a word: for every held-out person, is the method's curve closer (in r) to the
  mean of the other held-out people than that person is? The share of those for whom it is. 0.5 is
  the median person.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semeq.engine.units import Floats, read_only
from semeq.training.eq_sets import PEOPLE_SHARES, EqSet, read_people
from semeq.training.splits import Split, split_of
from semeq.training.word_fit import rms_db
from semeq.training.word_people import FLAT_DB
from semeq.training.words import GRID_HZ, STRONGEST_DB, agreement

#: The salt of training.
SALT = "semeq"
COMPARED_HZ = (50.0, 16_000.0)
#: A word is judged by at least this many held-out people.
LEAST_HELD = 3
_COMPARED = (np.asarray(GRID_HZ) >= COMPARED_HZ[0]) & (np.asarray(GRID_HZ) <= COMPARED_HZ[1])


@dataclass(frozen=True, slots=True)
class Fold:
    """People's curves by word, one row a person: to learn from, and held out.

    Parameters
    ----------
    train, held : Mapping of str to Floats
        Shape ``(people, 61)`` in dB.
    """

    train: Mapping[str, Floats]
    held: Mapping[str, Floats]

    def curves(self) -> dict[str, Floats]:
        """Return the mean curve of every word over those to learn from, as `semeq.training.words` does."""
        means = {}
        for word, rows in self.train.items():
            mean = rows.mean(axis=0)
            level = float(rms_db(mean))
            if level >= FLAT_DB:
                means[word] = mean * min(1.0, STRONGEST_DB / level)
        return means

    def agreed(self, least: float, people: int = 5) -> tuple[str, ...]:
        """Return the words on which people agree by `least` or more, with enough held-out people."""
        words = []
        for word in sorted(self.held):
            rows = np.concatenate([self.held[word], self.train.get(word, self.held[word][:0])])
            if len(self.held[word]) >= LEAST_HELD and len(rows) >= people:
                words += [word] if agreement(rows) >= least else []
        return tuple(words)


def trains(people: EqSet, k: int, salt: str = SALT) -> bool:
    """Return whether the person of row `k` is one to learn from under a salt."""
    if salt == SALT:
        return people.splits[k] is Split.TRAIN
    # Whom the hash of training would hold out but did not is one of the largest contributors.
    usual = split_of(people.people[k], PEOPLE_SHARES)
    large = people.splits[k] is Split.TRAIN and usual is not Split.TRAIN
    return large or split_of(people.people[k], PEOPLE_SHARES, salt=salt) is Split.TRAIN


def fold(sets: tuple[EqSet, ...], salt: str = SALT) -> Fold:
    """Return the people of some sets, split by a salt."""
    curves: dict[tuple[str, str], list[Floats]] = defaultdict(list)
    side: dict[str, bool] = {}
    for people in sets:
        for k, (word, person) in enumerate(zip(people.words, people.people, strict=True)):
            curves[word, person].append(people.curves_db[k])
            side[person] = trains(people, k, salt)
    train: dict[str, list[Floats]] = defaultdict(list)
    held: dict[str, list[Floats]] = defaultdict(list)
    for (word, person), rows_of in sorted(curves.items()):
        to = train if side[person] else held
        to[word].append(np.mean(rows_of, axis=0))
    return Fold(
        {word: read_only(np.array(rows)) for word, rows in train.items()},
        {word: read_only(np.array(rows)) for word, rows in held.items()},
    )


def read_fold(folder: Path, salt: str = SALT, *, any_version: bool = False) -> Fold:
    """Return the people of SAFE-DB and SocialEQ in `folder`, split by a salt.

    Raises
    ------
    DataError
        If a file is missing or is another version.
    """
    return fold(read_people(folder, any_version=any_version), salt)


def correlations(curves_db: Floats, others_db: Floats) -> Floats:
    """Return Pearson's r between 50 Hz and 16 kHz of rows ``(n, 61)`` with rows ``(k, 61)``: ``(n, k)``.

    A flat curve has r 0 with everything.
    """

    def units(rows: Floats) -> Floats:
        part = rows[:, _COMPARED] - rows[:, _COMPARED].mean(axis=1, keepdims=True)
        size = np.linalg.norm(part, axis=1, keepdims=True)
        unit: Floats = part / np.where(size > 1e-9, size, np.inf)
        return unit

    r: Floats = units(np.atleast_2d(curves_db)) @ units(np.atleast_2d(others_db)).T
    return r


def likest(fold: Fold, words: Sequence[str], curves_db: Floats) -> Floats:
    """Return for each word the share of curves ``(n, 61)`` whose r is highest with that word's people.

    Held-out people judge where there are `LEAST_HELD`, all people of the word otherwise.
    """
    means = []
    for word in words:
        held, train = (
            side.get(word, np.empty((0, len(GRID_HZ)))) for side in (fold.held, fold.train)
        )
        rows = held if len(held) >= LEAST_HELD else np.concatenate([held, train])
        means.append(rows.mean(axis=0) if len(rows) else np.zeros(len(GRID_HZ)))
    r = correlations(curves_db, np.array(means))
    # A flat curve is like no one's.
    nearest = np.where(r.max(axis=1) > 0.0, r.argmax(axis=1), -1)
    return np.array([(nearest == k).mean() for k in range(len(words))])


@dataclass(frozen=True, slots=True)
class HumanScore:
    """How close a method's curves are to held-out people's for one word.

    ``r`` with their mean and ``percentile`` among them, one of each a clip, shape ``(n,)``; ``median_person``
    is the median over people of a person's r with the mean of the others.
    """

    r: Floats
    percentile: Floats
    median_person: float
    people: int


def human_score(curves_db: Floats, held: Floats) -> HumanScore:
    """Return how close curves ``(n, 61)`` are to held-out people's ``(people, 61)``, at least two."""
    count = len(held)
    others = (held.sum(axis=0) - held) / (count - 1)
    persons = np.diag(correlations(held, others))
    ours = correlations(curves_db, others)
    return HumanScore(
        correlations(curves_db, held.mean(axis=0))[:, 0],
        (ours > persons[None, :]).mean(axis=1),
        float(np.median(persons)),
        count,
    )
