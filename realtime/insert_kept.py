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
    """A plugin that is kept going, and what is known of it; `number` counts from 1 over all places.

    `asked` are the parameters, by name or label, whose scales are wanted.
    """

    number: int
    insert: Insert
    name: str
    asked: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    failures: list[float] = field(default_factory=list)
    restarts: int = 0
    reason: str = ""
    is_out: bool = False
