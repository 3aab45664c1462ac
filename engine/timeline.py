"""What was asked of the audio path, and at which sample: the part that live and offline share.

A `ControlSet` is everything the audio path can be told at once. An `Event` is a set with the frame at
which it took effect. A `Take` is the whole list, as a live session recorded it: rendered again over
the same input it gives the same output bit for bit, because both sides run `apply_set` and the same
chain at the same frames.

`semeq.engine.take_file` reads and writes takes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from semeq.engine.design import ROW, SECTIONS, Coefficients
from semeq.engine.errors import DataError
from semeq.engine.jit import jit
from semeq.engine.path import (
    BAD_ABOVE,
    LIVE_BAD_ABOVE,
    ChainState,
    chain_state,
    process,
    set_bypass,
    set_delta,
    set_gate,
    set_rows,
    set_shed,
)
from semeq.engine.units import Audio, Floats

# a set as doubles, for the mailbox and for `apply_set`
SEQUENCE, RAMP, BYPASS, FADE, GATE, GATE_RAMP, GENTLE, DELTA, SHED = range(9)
ROWS = 9
SET_DOUBLES = ROWS + SECTIONS * ROW


@dataclass(frozen=True, slots=True)
class ControlSet:
    """Everything the audio path is told at once.

    Parameters
    ----------
    coefficients : Coefficients
        The EQ and the gain to head for.
    ramp_frames : int
        How long the EQ takes to get there.
    bypass : bool
        Whether the dry input is heard instead, cross-faded over `fade_frames`.
    gate_open : bool
        Whether anything is heard, ramped over `gate_frames`.
    delta : bool
        Whether only what the EQ changes is heard, cross-faded over `fade_frames`; not while bypassed.
    shed : int
        What is left out while the machine is too slow, see `semeq.engine.shed`.
    gate_level : float
        How much an open gate lets through, a factor in [0, 1]: the very last gain, which the howl guard owns.
    """

    coefficients: Coefficients
    ramp_frames: int
    bypass: bool = False
    fade_frames: int = 0
    gate_open: bool = True
    gate_frames: int = 0
    delta: bool = False
    shed: int = 0
    gate_level: float = 1.0

    def pack(self, sequence: int = 0, *, gentle: bool = False) -> Floats:
        """Return the set as doubles, shape ``(57,)``.

        A *gentle* set moves so little that the next one need not wait until it has arrived.
        """
        head = [
            sequence,
            self.ramp_frames,
            self.bypass,
            self.fade_frames,
            self.gate_level if self.gate_open else 0.0,
            self.gate_frames,
            gentle,
            self.delta,
            self.shed,
        ]
        return np.concatenate([np.array(head, dtype=np.float64), self.coefficients.rows.ravel()])


@jit
def apply_set(chain: ChainState, values: Floats) -> None:
    """Make a packed set the chain's new target, from this frame on."""
    set_rows(chain, values[ROWS:].reshape(SECTIONS, ROW), int(values[RAMP]))
    is_bypassed = values[BYPASS] != 0.0
    set_bypass(chain, is_bypassed, int(values[FADE]))
    set_delta(chain, values[DELTA] != 0.0 and not is_bypassed, int(values[FADE]))
    set_gate(chain, values[GATE], int(values[GATE_RAMP]))
    set_shed(chain, int(values[SHED]))


def session_chain(
    fs: float,
    channels: int,
    *,
    lookahead_frames: int = 0,
    ceiling_db: float | None = None,
    bad_above: float | None = LIVE_BAD_ABOVE,
) -> ChainState:
    """Return the chain as a session starts it: flat and silent until the first set opens the gate.

    `bad_above` is as in `Take`.
    """
    chain = chain_state(
        fs,
        channels,
        lookahead_frames=lookahead_frames,
        ceiling_db=ceiling_db,
        bad_above=BAD_ABOVE if bad_above is None else bad_above,
        conceals=bad_above is not None,
    )
    flat = np.zeros((SECTIONS, ROW))
    flat[:, 5] = 1.0
    set_rows(chain, flat, 0)
    set_gate(chain, 0.0, 0)
    return chain


@dataclass(frozen=True, slots=True)
class Event:
    """A set and the frame at which it took effect; `notes` say what it meant (recipe, bands)."""

    frame: int
    control: ControlSet
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Take:
    """A recorded session: what it ran with, and every set it took.

    `first_sound` is the frame of the first input sample that was not zero: a file of the same sound is
    lined up by it. `ceiling_db` is None where the limiter was left out. `bad_above` is the magnitude above
    which a sample was damage; None in logs of the first version, which made silence of what is above 1e4.
    """

    fs: float
    channels: int
    lookahead_frames: int
    ceiling_db: float | None
    events: tuple[Event, ...]
    first_sound: int | None = None
    frames: int | None = None
    warnings: tuple[str, ...] = ()
    bad_above: float | None = LIVE_BAD_ABOVE


def take_chain(take: Take) -> ChainState:
    """Return the chain that the session ran, as it stood at its start."""
    return session_chain(
        take.fs,
        take.channels,
        lookahead_frames=take.lookahead_frames,
        ceiling_db=take.ceiling_db,
        bad_above=take.bad_above,
    )


def _advance(
    chain: ChainState, take: Take, block: Audio, position: int, following: int
) -> tuple[Audio, int]:
    """Process one block that starts at `position`, applying the events that fall into it."""
    out = np.empty_like(block)
    done = 0
    while done < len(block):
        while following < len(take.events) and take.events[following].frame <= position + done:
            apply_set(chain, take.events[following].control.pack())
            following += 1
        end = len(block)
        if following < len(take.events):
            end = min(end, take.events[following].frame - position)
        process(chain, block[done:end], out[done:end])
        done = end
    return out, following


def replay(
    take: Take, blocks: Iterable[Audio], *, start: int = 0, chain: ChainState | None = None
) -> Iterator[Audio]:
    """Run `blocks` through the recorded session and yield as many frames as came in.

    Parameters
    ----------
    take : Take
        The session.
    blocks : iterable of Audio
        The input, ``(frames, channels)`` float32, with the session's channel count.
    start : int
        The session's frame at which the first block begins, 0 or more. Before it the input is taken
        to have been silent, as it was if the session's first sound is in the blocks.
    chain : ChainState, optional
        What to run it on: one of `take_chain`, for a caller who wants to see its counters afterwards.

    Yields
    ------
    Audio
        The output, the limiter's look-ahead taken off: sample n belongs to input sample n.

    Raises
    ------
    DataError
        If a block's channel count is not the session's.
    """
    chain = take_chain(take) if chain is None else chain
    position = following = 0
    while (
        position < start
    ):  # silence up to the first block, so that ramps and gates are where they were
        silent = np.zeros((min(65536, start - position), take.channels), dtype=np.float32)
        _, following = _advance(chain, take, silent, position, following)
        position += len(silent)
    early = take.lookahead_frames
    tail = [np.zeros((early, take.channels), dtype=np.float32)] if early else []
    for source in (blocks, tail):
        for block in source:
            if block.ndim != 2 or block.shape[1] != take.channels:
                raise DataError(
                    f"the input must have {take.channels} channels, as the recorded session had, "
                    f"got {block.shape[-1]}"
                )
            out, following = _advance(chain, take, np.ascontiguousarray(block), position, following)
            position += len(block)
            skipped = min(early, len(out))
            early -= skipped
            if skipped < len(out):
                yield out[skipped:]


def align(take: Take, first_sound: int | None) -> int:
    """Return the session's frame at which a file begins whose first non-zero frame is `first_sound`.

    Raises
    ------
    DataError
        If the file has more silence in front than the session had, or nothing but silence.
    """
    if take.first_sound is None or first_sound is None:
        return 0
    start = take.first_sound - first_sound
    if start < 0:
        raise DataError(
            f"the input starts with {first_sound} silent frames, the session heard sound after "
            f"{take.first_sound}: cut {-start} frames ({-start / take.fs:.3f} s) off its start"
        )
    return start
