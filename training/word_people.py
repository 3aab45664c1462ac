"""Who taught which word: the names that count, and the curves of the people behind them.

The rules are steps 1 to 3 of the recipe in `semeq.training.words`.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from semeq.engine.spelling import base_forms
from semeq.engine.units import Floats
from semeq.training.human import (
    HumanData,
    SafeRow,
    SocialRow,
    safe_curves,
    social_curves,
)
from semeq.training.word_fit import rms_db

#: Letters, joined by single spaces, hyphens or apostrophes.
PLAIN_NAME = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+)*")
#: SAFE-DB names that say what was equalised, or nothing.
NOT_A_SOUND = frozenset(
    {"bastard", "default", "guitar", "guitarriche", "hello", "kickclean", "vocal", "vocals"}
)
#: SAFE-DB names of one contributor each that are words for a sound all the same.
SOUND_WORDS = frozenset(
    {
        *("atmosphere", "bass boost", "beef", "box", "brilliant", "contour", "croak", "crushed"),
        *("defined", "drone", "fizz", "growly", "high cut", "low cut", "massive", "narrow"),
        *("phat", "plastic", "poke", "present", "scooped", "shimmer", "sizzle", "snap"),
        *("sparkle", "subbass", "throaty", "thump", "tubby", "weighty"),
    }
)
#: A curve below this rms (dB) says nothing.
FLAT_DB = 0.1


@dataclass
class People:
    """The curves of those who taught one word, one row a person, and the languages they used."""

    safe: list[Floats] = field(default_factory=list)
    social: list[Floats] = field(default_factory=list)
    languages: Counter[str] = field(default_factory=Counter)


def accepted_safe_names(rows: tuple[SafeRow, ...], social: set[str]) -> dict[str, str]:
    """Return the SAFE names that count, each with the word that it counts for."""
    users: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        users[row.word].add(row.contributor)
    names = {
        name
        for name, by in users.items()
        if PLAIN_NAME.fullmatch(name)
        and name not in NOT_A_SOUND
        and (len(by) > 1 or name in social or name in SOUND_WORDS)
    }
    accepted = {name: name for name in names}
    for name in users:
        if name not in social and name.endswith(("er", "ness", "th")):
            base = next((form for form in base_forms(name) if form in names | social), None)
            if base is not None:
                accepted[name] = base
    return accepted


def gather(
    safe: HumanData[SafeRow], social: HumanData[SocialRow], freqs_hz: Floats
) -> tuple[dict[str, People], dict[str, int]]:
    """Return the people of every word, and how many names and rows were left out.

    SocialEQ's curves are still in units of shape.
    """
    people: dict[str, People] = defaultdict(People)
    left_out: Counter[str] = Counter()
    social_names = {row.word for row in social.rows if PLAIN_NAME.fullmatch(row.word)}

    for row, curve in zip(social.rows, social_curves(social.rows, freqs_hz), strict=True):
        if row.word in social_names:
            people[row.word].social.append(curve)
            people[row.word].languages[row.language] += 1
    accepted = accepted_safe_names(safe.rows, social_names)
    by_person: dict[tuple[str, str], list[Floats]] = defaultdict(list)
    seen = set()
    for safe_row, curve in zip(safe.rows, safe_curves(safe.rows, freqs_hz), strict=True):
        key = (safe_row.word, safe_row.settings)
        if safe_row.word not in accepted:
            left_out["safe_rows_of_other_names"] += 1
        elif key in seen:
            left_out["safe_rows_repeated"] += 1
        elif rms_db(curve) < FLAT_DB:
            left_out["safe_rows_flat"] += 1
        else:
            by_person[accepted[safe_row.word], safe_row.contributor].append(curve)
        seen.add(key)
    for (word, _), curves in sorted(by_person.items()):
        people[word].safe.append(np.mean(curves, axis=0))
        people[word].languages["en"] += 1
    left_out["safe_names"] = len({row.word for row in safe.rows} - set(accepted))
    left_out["social_names"] = len({row.word for row in social.rows} - social_names)
    return dict(people), dict(left_out)
