"""What is known of one plugin of a live session, and how it stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from semeq.engine.errors import SemeqError
from semeq.engine.inserts import Insert
from semeq.engine.plugin_state import write_state
from semeq.engine.plugin_trial import LATENCY_TOLERANCE_S


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

    `asked` are the parameters, by name or label, whose scales are wanted; `save` is where its state goes.
    """

    number: int
    insert: Insert
    name: str
    asked: tuple[str, ...] = ()
    save: Path | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    failures: list[float] = field(default_factory=list)
    restarts: int = 0
    reason: str = ""
    is_out: bool = False

    def delay_fault(self, fs: float) -> str:
        """Return a line where the plugin is later than it reports, at `fs` Hz; empty where it is not."""
        told, measured = self.facts["latency_frames"], self.facts["measured_frames"]
        if measured is None or abs(measured - told) <= LATENCY_TOLERANCE_S * fs:
            return ""
        return (
            f"insert {self.number} ({self.name}) reports a latency of {told} frames, but is late by "
            f"{measured}: the dry sound in its place comes early by the difference"
        )


def saved(kept: Sequence[Kept], ask: Callable[[], list[dict[str, Any]]]) -> list[str]:
    """Ask for the states that are wanted and write them; return a line for each that could not be."""
    is_asked = any(one.save is not None for one in kept)
    found, lines = {note["row"]: note for note in ask()} if is_asked else {}, []
    for row, one in enumerate(kept):
        if one.save is None:
            continue
        problem = "its process is gone"
        if (note := found.get(row)) is not None:
            try:
                write_state(one.save, note["facts"], note["raws"], note["text"])
                continue
            except SemeqError as error:
                problem = str(error)
        lines.append(f"the state of insert {one.number} ({one.name}) is not saved: {problem}")
    return lines
