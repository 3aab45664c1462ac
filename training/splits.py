"""Which split a recording or a person belongs to: a hash of a name, the same on every machine.

Conventions
-----------
- What is split is the *group*: an artist, an album, a package, a contributor. All that belongs to it goes
  to one side, so that no model is judged on the rest of what it was trained on.
- A name is compared without case and spaces: ``"The Band "`` and ``"the band"`` are one.
- A group keeps its split when others come or go: nothing depends on the order or the number of files.
"""

import enum
import hashlib
import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from semeq.engine.errors import SettingsError


class Split(enum.StrEnum):
    """The side of the fence."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of all groups goes where; what valid and test leave is for training."""

    valid: float = 0.1
    test: float = 0.1

    def __post_init__(self) -> None:
        for name, value in (("valid", self.valid), ("test", self.test)):
            if not (math.isfinite(value) and 0.0 <= value <= 1.0):
                raise SettingsError(f"{name} must be a share in [0, 1], got {value:g}")
        if self.valid + self.test > 1.0:
            raise SettingsError(
                f"valid and test must leave something, got {self.valid:g} + {self.test:g}"
            )


#: Four fifths to train on.
USUAL_SHARES = Shares()


def plain(name: str) -> str:
    """Return a name as it is compared: one form of Unicode, no case, single spaces.

    >>> plain("  The   BAND ")
    'the band'
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def split_of(group: str, shares: Shares = USUAL_SHARES, *, salt: str = "semeq") -> Split:
    """Return the split of a group.

    Parameters
    ----------
    group : str
        Name of the artist, album, package or contributor.
    shares : Shares
        How much goes to valid and test.
    salt : str
        Another salt gives another, equally fair split.

    Examples
    --------
    >>> split_of("The Band") is split_of("the band ")
    True
    """
    digest = hashlib.sha256(f"{salt}\0{plain(group)}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2.0**64
    if place < shares.test:
        return Split.TEST
    return Split.VALID if place < shares.test + shares.valid else Split.TRAIN


def joined(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return for each group the name under which it is split, groups with a member in common joined.

    Parameters
    ----------
    pairs : iterable of (group, member)
        A member is what must not be in two splits: the fingerprint of a recording.

    Examples
    --------
    >>> joined([("b", "song"), ("a", "song"), ("c", "tune")])
    {'a': 'a', 'b': 'a', 'c': 'c'}
    """
    parent: dict[str, str] = {}

    def find(group: str) -> str:
        while parent.setdefault(group, group) != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    owner: dict[str, str] = {}
    for group, member in pairs:
        first, second = sorted((find(group), find(owner.setdefault(member, group))))
        parent[second] = first
    return {group: find(group) for group in sorted(parent)}
