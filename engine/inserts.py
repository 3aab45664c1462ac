"""Third-party plugins before and after the EQ of a file, each in a process of its own.

An insert neither moves nor shortens the sound: its reported latency is taken off, and as many frames come
out as went in. A mono file goes through both channels of a stereo plugin; a mono plugin takes each channel by
itself. What a plugin returns that is not a number becomes silence, and is counted.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from semeq.engine.plugin_guest import BLOCKSIZE, Guest
from semeq.engine.plugin_state import PluginState, check_restored, restore_state
from semeq.engine.units import Audio

#: A plugin's samples beyond this are as wrong as what is no number.
LOUDEST = 1e4


class Place(StrEnum):
    """Where an insert stands; `EQ` is the place of a plugin that is the EQ itself."""

    PRE = "pre"
    EQ = "eq"
    POST = "post"


@dataclass(frozen=True, slots=True)
class Insert:
    """One plugin to run a file through.

    Parameters
    ----------
    path : Path
        Its file or bundle, with ``#NAME`` behind it where it holds several.
    place : Place
        Before or after the EQ.
    values : tuple of (str, str)
        Parameters by name, in their units, set after `state`.
    state : PluginState, optional
        What it is restored to.
    raws : tuple of (str, float)
        Parameters as raw values in [0, 1], set last.
    """

    path: Path
    place: Place = Place.POST
    values: tuple[tuple[str, str], ...] = ()
    state: PluginState | None = None
    raws: tuple[tuple[str, float], ...] = ()


@contextmanager
def opened(
    insert: Insert, fs: float, channels: int | None, blocksize: int = BLOCKSIZE
) -> Iterator[Guest]:
    """Load an insert's plugin, set it, and make it ready; end its process afterwards.

    `channels` may be None where any number will do.
    """
    with Guest(insert.path) as guest:
        if insert.state is not None:
            restore_state(guest, insert.state)
            _prepare(guest, fs, channels, blocksize)
            check_restored(guest, insert.state)
        if insert.values:
            guest.set(dict(insert.values))
        if insert.raws:
            guest.set_raw(dict(insert.raws))
        _prepare(guest, fs, channels, blocksize)
        yield guest


def _prepare(guest: Guest, fs: float, channels: int | None, blocksize: int) -> None:
    if channels is None:
        guest.prepare_any(fs, blocksize)
    else:
        guest.prepare(fs, channels, blocksize)


def _finite(block: Audio) -> tuple[Audio, int]:
    """Return the block with what is no number silenced, and how much that was."""
    good = np.abs(block) <= LOUDEST  # False for NaN
    bad = int(block.size - np.count_nonzero(good))
    return (np.where(good, block, np.float32(0.0)), bad) if bad else (block, 0)


def _aligned(guest: Guest, channels: int, blocks: Iterable[Audio]) -> Iterator[Audio]:
    """Yield what a guest makes of `blocks`, its latency taken off, as many frames as go in."""
    rest: Audio = np.zeros((0, channels), dtype=np.float32)
    late, owed = guest.latency_frames, 0
    for block in blocks:
        owed += len(block)
        rest = np.concatenate((rest, block)) if len(rest) else block
        whole = len(rest) // BLOCKSIZE * BLOCKSIZE
        if not whole:
            continue
        out = guest.stream(rest[:whole])
        rest = rest[whole:].copy()
        skipped = min(late, len(out))
        late -= skipped
        if skipped < len(out):
            owed -= len(out) - skipped
            yield out[skipped:]
    missing = owed + late
    while missing > 0:
        share = min(-(-missing // BLOCKSIZE), 64) * BLOCKSIZE
        fed: Audio = np.zeros((max(share, BLOCKSIZE), channels), dtype=np.float32)
        fed[: len(rest)] = rest
        rest = rest[:0]
        out = guest.stream(fed)
        missing -= len(out)
        skipped = min(late, len(out))
        late -= skipped
        out = out[skipped : skipped + owed]
        owed -= len(out)
        if len(out):
            yield out


class Inserts:
    """The inserts of one render: runs them, and keeps what is to be told.

    Parameters
    ----------
    inserts : iterable of Insert
        In the order in which the sound meets them.
    fs : float
        Sample rate in Hz.
    channels : int
        1 to 8.

    Attributes
    ----------
    notes : list of dict
        What each insert was, for the report; of the latest run.
    """

    def __init__(self, inserts: Iterable[Insert], fs: float, channels: int) -> None:
        self.inserts = tuple(inserts)
        self._fs, self._channels = fs, channels
        self._notes: list[dict[str, Any]] = [{} for _ in self.inserts]

    def __bool__(self) -> bool:
        return bool(self.inserts)

    @property
    def notes(self) -> tuple[dict[str, Any], ...]:
        """What each insert was and did."""
        return tuple(note for note in self._notes if note)

    @property
    def warnings(self) -> list[str]:
        """What the listener should know."""
        return [
            f"{note['name']} returned {note['bad_samples']:,} samples that are no numbers (or beyond "
            f"±{LOUDEST:,.0f}): they became silence"
            for note in self.notes
            if note["bad_samples"]
        ]

    def through(self, place: Place, blocks: Iterable[Audio]) -> Iterator[Audio]:
        """Run blocks through all inserts of one place; each starts anew."""
        stream = iter(blocks)
        for number, insert in enumerate(self.inserts):
            if insert.place is place:
                stream = self._one(number, insert, stream)
        return stream

    def has(self, place: Place) -> bool:
        """Whether there is an insert at a place."""
        return any(insert.place is place for insert in self.inserts)

    def _one(self, number: int, insert: Insert, blocks: Iterable[Audio]) -> Iterator[Audio]:
        with opened(insert, self._fs, self._channels) as guest:
            note = self._notes[number] = {
                **guest.facts,
                "place": str(insert.place),
                "latency_frames": guest.latency_frames,
                "channels": guest.arrangement,
                "state": None if insert.state is None else str(insert.state.file),
                "parameters": {facts.name: facts.value for facts in guest.parameters()},
                "bad_samples": 0,
            }
            for out in _aligned(guest, self._channels, blocks):
                fine, bad = _finite(out)
                note["bad_samples"] += bad
                yield fine
