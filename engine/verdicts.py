"""What became of the words of a request, for people and for JSON; `semeq.engine.verify` decides it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from semeq.engine.balance import Balance
from semeq.engine.directions import Direction

#: A share that moved by less has not moved (dB): it is what filters' delays do to the meter.
MOVED_DB = 0.05


class Outcome(StrEnum):
    """What became of one word."""

    REACHED = "reached"
    #: It went the asked way, by next to nothing, or not at all.
    LITTLE = "little"
    WRONG = "wrong way"
    #: There is nothing in the band, or next to nothing.
    EMPTY = "nothing there"
    ALREADY = "already so"
    #: The other words ask for the opposite there, and the sound did as the whole asks.
    OUTWEIGHED = "outweighed"
    #: So little was asked that nothing can be said.
    NOT_ASKED = "hardly asked"
    SILENT = "silence"


_MISSES = frozenset({Outcome.LITTLE, Outcome.WRONG, Outcome.EMPTY, Outcome.ALREADY})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one word.

    Parameters
    ----------
    word : str
        The word.
    weight : float
        Its weight times the amount.
    direction : Direction
        The band; ``sign`` is +1 where the recipe as a whole asks for more of it, -1 for less.
    outcome : Outcome
        What became of it.
    before_db, after_db : float
        The band's share of the whole.
    expected_db : float
        The change that the same request makes on pink noise.
    strength : float or None
        The change of the band against the rest, relative to that of pink noise; None where there is none.
    cause : str
        Why it is not reached.
    """

    word: str
    weight: float
    direction: Direction
    outcome: Outcome
    before_db: float
    after_db: float
    expected_db: float
    strength: float | None
    cause: str = ""

    @property
    def change_db(self) -> float:
        """The change of the share in dB."""
        return self.after_db - self.before_db

    @property
    def is_miss(self) -> bool:
        """Whether the sound did not become what was asked."""
        return self.outcome in _MISSES

    @property
    def text(self) -> str:
        """One line for people."""
        asked = f"asked for {'less ' if self.weight < 0.0 else ''}{self.word}"
        if self.outcome is Outcome.SILENT:
            return f"{asked}: there is no sound to judge"
        where = f"share {self.direction.where}"
        if self.outcome is Outcome.NOT_ASKED:
            return f"{asked}: too little to be judged ({where} {_moved(self.change_db)})"
        line = f"{asked}, {where} {_moved(self.change_db)}"
        if self.outcome is Outcome.REACHED and self.strength is not None:
            return f"{line}: reached, {self.strength:.1f} of what pink noise would get"
        return f"{line}: {self.cause}"

    @property
    def short(self) -> str:
        """A few characters for a view: the word, what its share did, and how it went."""
        name = f"{'-' if self.weight < 0.0 else ''}{self.word}"
        if self.outcome in (Outcome.SILENT, Outcome.NOT_ASKED):
            return f"{name}: {self.outcome}"
        moved = f"{name} {self.change_db:+.1f} dB"
        return moved if self.outcome is Outcome.REACHED else f"{moved}: {self.outcome}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "word": self.word,
            "weight": round(self.weight, 4),
            "low_hz": round(self.direction.low_hz, 1),
            "high_hz": round(self.direction.high_hz, 1),
            "wants": "more" if self.direction.sign > 0 else "less",
            "outcome": str(self.outcome),
            "is_miss": self.is_miss,
            "before_db": round(self.before_db, 3),
            "after_db": round(self.after_db, 3),
            "change_db": round(self.change_db, 3),
            "expected_db": round(self.expected_db, 3),
            "strength": None if self.strength is None else round(self.strength, 3),
            "cause": self.cause,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """The verdicts on a sound, and its balance on both sides."""

    verdicts: tuple[Verdict, ...]
    before: Balance
    after: Balance

    @property
    def misses(self) -> tuple[str, ...]:
        """A line for each miss."""
        return tuple(verdict.text for verdict in self.verdicts if verdict.is_miss)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
            "in": self.before.as_dict(),
            "out": self.after.as_dict(),
        }


def _moved(change_db: float) -> str:
    if abs(change_db) < MOVED_DB:
        return "unchanged"
    return f"{'up' if change_db > 0.0 else 'down'} {abs(change_db):.1f} dB"
