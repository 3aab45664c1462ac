"""People's equaliser curves as data sets, split by person: `SafeEq` and `SocialEq`.

Curves are in dB on the grid of the vocabulary, level removed. Names are those that the vocabulary has
(`semeq.training.words`): comparatives count for their word, names of tracks and presets are left out, and
so are flat curves and rows that repeat a word with the very same setting.

The split
---------
- SAFE-DB is split by contributor. The largest hold a third and a fifth of all rows (listening rooms of
  several people): whoever has more than `LARGE_SHARE` of the rows always trains, since no part
  of them can judge the rest, and a test of one room would be a test of that room.
- SocialEQ has no names, a row is a person: it is split by a hash of the row's curve, so that
  the order of the file does not matter and copies stay together.

SocialEQ's shapes have no dB. They are scaled by one number, `db_per_unit`, that
`semeq.training.words.find_scale` takes from both sets: `read_people` does all of it.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from semeq.engine.errors import DataError, UnknownWordError
from semeq.engine.settings import EQSettings
from semeq.engine.units import Floats, read_only
from semeq.training.human import (
    SAFE_FILE,
    SOCIAL_FILE,
    HumanData,
    SafeRow,
    SocialRow,
    read_safe,
    read_social,
    safe_curves,
    social_curves,
)
from semeq.training.splits import Shares, Split, split_of
from semeq.training.word_fit import rms_db
from semeq.training.word_people import FLAT_DB, PLAIN_NAME, accepted_safe_names, gather
from semeq.training.words import GRID_HZ, find_scale

#: A contributor with more than this share of the rows is never held out.
LARGE_SHARE = 0.1
#: Of some 50 contributors: a tenth would be five of them.
PEOPLE_SHARES = Shares(valid=0.15, test=0.15)


@dataclass(frozen=True, slots=True, eq=False)
class EqSet:
    """Curves that people drew for a word; all tuples and the rows of `curves_db` go together.

    Parameters
    ----------
    freqs_hz : Floats
        Shape ``(n,)``.
    curves_db : Floats
        Shape ``(rows, n)``, level removed.
    words, people, languages : tuple of str
        What was asked for, by whom, in which language ("en", "es").
    settings : tuple of EQSettings
        The bands behind each curve, or empty where people drew curves.
    splits : tuple of Split
        The side of each row.
    left_out : tuple of (str, int)
        What the file holds beyond these rows, by reason.
    """

    freqs_hz: Floats
    curves_db: Floats
    words: tuple[str, ...]
    people: tuple[str, ...]
    languages: tuple[str, ...]
    settings: tuple[EQSettings, ...]
    splits: tuple[Split, ...]
    left_out: tuple[tuple[str, int], ...]

    def __len__(self) -> int:
        return len(self.words)

    def rows(self, keep: Callable[[int], bool]) -> Self:
        """Return the rows whose number `keep` accepts."""
        kept = [k for k in range(len(self)) if keep(k)]
        return replace(
            self,
            curves_db=read_only(self.curves_db[kept]),
            words=tuple(self.words[k] for k in kept),
            people=tuple(self.people[k] for k in kept),
            languages=tuple(self.languages[k] for k in kept),
            settings=tuple(self.settings[k] for k in kept) if self.settings else (),
            splits=tuple(self.splits[k] for k in kept),
        )

    def split(self, split: Split) -> Self:
        """Return the rows of one side."""
        return self.rows(lambda k: self.splits[k] is split)

    def of(self, word: str) -> Self:
        """Return the rows of one word.

        Raises
        ------
        UnknownWordError
            If no one was asked for it.
        """
        if word not in self.words:
            raise UnknownWordError(word)
        return self.rows(lambda k: self.words[k] == word)

    def counts(self) -> dict[str, int]:
        """Return how many people each word has, the most known first."""
        by_word = Counter(word for word, _ in set(zip(self.words, self.people, strict=True)))
        return dict(sorted(by_word.items(), key=lambda item: (-item[1], item[0])))

    def weights(self) -> Floats:
        """Return how likely each row is drawn: each person of a word as much as any other, sum 1."""
        pairs = list(zip(self.words, self.people, strict=True))
        of_person = Counter(pairs)
        weight = np.array([1.0 / of_person[pair] for pair in pairs])
        return np.asarray(weight / weight.sum())

    def draw(self, rng: Generator, count: int) -> npt.NDArray[np.int64]:
        """Return the numbers of `count` random rows, with repeats; see `weights`.

        Raises
        ------
        DataError
            If there are no rows.
        """
        if not len(self):
            raise DataError(f"{type(self).__name__} must hold rows to draw from, got none")
        return rng.choice(len(self), size=count, p=self.weights())

    def summary(self) -> str:
        """Return one line: what there is and what was left out."""
        sides = Counter(str(split) for split in self.splits)
        return (
            f"{type(self).__name__}: {len(self):,} curves, {len(set(self.words)):,} words, "
            f"{len(set(self.people)):,} people ("
            + ", ".join(f"{sides[str(side)]:,} {side}" for side in Split)
            + "); left out: "
            + (", ".join(f"{count:,} {reason}" for reason, count in self.left_out) or "none")
        )


class SafeEq(EqSet):
    """Equaliser settings of SAFE-DB."""

    __slots__ = ()

    @classmethod
    def from_rows(
        cls,
        data: HumanData[SafeRow],
        social_words: set[str],
        *,
        freqs_hz: Floats = GRID_HZ,
        shares: Shares = PEOPLE_SHARES,
    ) -> Self:
        """Make the set; `social_words` are names that SocialEQ has (`accepted_safe_names`)."""
        accepted = accepted_safe_names(data.rows, social_words)
        rows_of = Counter(row.contributor for row in data.rows)
        limit = LARGE_SHARE * len(data.rows)
        reasons: Counter[str] = Counter({"corrupt": data.corrupt})
        kept: list[tuple[SafeRow, Floats]] = []
        seen = set()
        for row, curve in zip(data.rows, safe_curves(data.rows, freqs_hz), strict=True):
            key = (row.word, row.settings)
            if row.word not in accepted:
                reasons["of other names"] += 1
            elif key in seen:
                reasons["repeated"] += 1
            elif rms_db(curve) < FLAT_DB:
                reasons["flat"] += 1
            else:
                kept.append((row, curve))
            seen.add(key)
        return cls(
            read_only(np.array(freqs_hz)),
            read_only(np.array([curve for _, curve in kept]).reshape(-1, len(freqs_hz))),
            tuple(accepted[row.word] for row, _ in kept),
            tuple(f"safe:{row.contributor}" for row, _ in kept),
            ("en",) * len(kept),
            tuple(row.settings for row, _ in kept),
            tuple(
                Split.TRAIN
                if rows_of[row.contributor] > limit
                else split_of(f"safe:{row.contributor}", shares)
                for row, _ in kept
            ),
            tuple(item for item in reasons.items() if item[1]),
        )


class SocialEq(EqSet):
    """Curves of SocialEQ, in dB where `db_per_unit` was given."""

    __slots__ = ()

    @classmethod
    def from_rows(
        cls,
        data: HumanData[SocialRow],
        *,
        db_per_unit: float = 1.0,
        consistency: float = 0.0,
        freqs_hz: Floats = GRID_HZ,
        shares: Shares = PEOPLE_SHARES,
    ) -> Self:
        """Make the set from people who answered alike when asked twice, by at least `consistency`."""
        reasons: Counter[str] = Counter({"corrupt": data.corrupt})
        kept: list[tuple[SocialRow, Floats, str]] = []
        for row, curve in zip(data.rows, social_curves(data.rows, freqs_hz), strict=True):
            if not PLAIN_NAME.fullmatch(row.word):
                reasons["of other names"] += 1
            elif row.consistency < consistency:
                reasons[f"below consistency {consistency:g}"] += 1
            else:
                mark = hashlib.sha256(np.array(row.shape).tobytes()).hexdigest()[:16]
                kept.append((row, db_per_unit * curve, f"social:{mark}"))
        return cls(
            read_only(np.array(freqs_hz)),
            read_only(np.array([curve for _, curve, _ in kept]).reshape(-1, len(freqs_hz))),
            tuple(row.word for row, _, _ in kept),
            tuple(person for _, _, person in kept),
            tuple(row.language for row, _, _ in kept),
            (),
            tuple(split_of(person, shares) for _, _, person in kept),
            tuple(item for item in reasons.items() if item[1]),
        )


def read_people(
    folder: Path,
    *,
    any_version: bool = False,
    consistency: float = 0.0,
    freqs_hz: Floats = GRID_HZ,
    shares: Shares = PEOPLE_SHARES,
) -> tuple[SafeEq, SocialEq]:
    """Read both sets from `folder`, SocialEQ scaled to dB.

    Raises
    ------
    DataError
        If a file is missing, is another version, or the two share no word.
    """
    safe = read_safe(Path(folder) / SAFE_FILE, any_version=any_version)
    social = read_social(Path(folder) / SOCIAL_FILE, any_version=any_version)
    scale = find_scale(gather(safe, social, freqs_hz)[0])
    social_set = SocialEq.from_rows(
        social,
        db_per_unit=scale.db_per_unit,
        consistency=consistency,
        freqs_hz=freqs_hz,
        shares=shares,
    )
    words = {row.word for row in social.rows if PLAIN_NAME.fullmatch(row.word)}
    return SafeEq.from_rows(safe, words, freqs_hz=freqs_hz, shares=shares), social_set
