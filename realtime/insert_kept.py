"""What is known of one plugin of a live session, and how it stands."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from semeq.engine.inserts import Insert


class InsertState(StrEnum):
    """How a plugin stands."""

    LOADING = "loading"
    RUNNING = "running"
    DRY = "dry"
    BYPASSED = "bypassed"
    STOPPED = "stopped"
    OUT = "left out"


@dataclass(slots=True)
class Kept:
    """A plugin that is kept going, and what is known of it; `number` counts from 1 over all places."""

    number: int
    insert: Insert
    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    failures: list[float] = field(default_factory=list)
    restarts: int = 0
    reason: str = ""
    is_out: bool = False


def parameter_at(kept: Kept, wanted: str) -> tuple[int, dict[str, Any]] | None:
    """Return the index and the facts of a parameter by its name or label, or None."""
    folded = wanted.strip().casefold()
    for key in ("name", "label"):
        for at, facts in enumerate(kept.facts.get("parameters", ())):
            if str(facts[key]).casefold() == folded:
                return at, facts
    return None
