"""What was asked of the audio path, and at which sample: the part that live and offline share.

A `ControlSet` is everything the audio path can be told at once. An `Event` is a set with the frame at
which it took effect. A `Take` is the whole list, as a live session recorded it: rendered again over
the same input it gives the same output bit for bit, because both sides run `apply_set` and the same
chain at the same frames.

The file format is one JSON object a line: a header, then events, then an end mark. Numbers are written
so that they read back to the same double. A log cut off in the middle (power, kill) is used up to its
last whole line.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from semeq.engine.chain import (
    ChainState,
    chain_state,
    process,
    set_bypass,
    set_gate,
    set_rows,
)
from semeq.engine.design import ROW, SECTIONS, Coefficients
from semeq.engine.errors import DataError
from semeq.engine.jit import jit
from semeq.engine.units import Audio, Floats, read_only

LOG_VERSION = 1
#: Longest log line we read: a set is about 1.5 kB.
MAX_LINE = 65536

# a set as doubles, for the mailbox and for `apply_set`
SEQUENCE, RAMP, BYPASS, FADE, GATE, GATE_RAMP = range(6)
ROWS = 6
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
    """

    coefficients: Coefficients
    ramp_frames: int
    bypass: bool = False
    fade_frames: int = 0
    gate_open: bool = True
    gate_frames: int = 0

    def pack(self, sequence: int = 0) -> Floats:
        """Return the set as doubles, shape ``(54,)``."""
        head = [
            sequence,
            self.ramp_frames,
            self.bypass,
            self.fade_frames,
            self.gate_open,
            self.gate_frames,
        ]
        return np.concatenate([np.array(head, dtype=np.float64), self.coefficients.rows.ravel()])


@jit
def apply_set(chain: ChainState, values: Floats) -> None:
    """Make a packed set the chain's new target, from this frame on."""
    set_rows(chain, values[ROWS:].reshape(SECTIONS, ROW), int(values[RAMP]))
    set_bypass(chain, values[BYPASS] != 0.0, int(values[FADE]))
    set_gate(chain, values[GATE] != 0.0, int(values[GATE_RAMP]))


def session_chain(
    fs: float, channels: int, *, lookahead_frames: int = 0, ceiling_db: float | None = None
) -> ChainState:
    """Return the chain as a session starts it: flat and silent until the first set opens the gate."""
    chain = chain_state(fs, channels, lookahead_frames=lookahead_frames, ceiling_db=ceiling_db)
    flat = np.zeros((SECTIONS, ROW))
    flat[:, 5] = 1.0
    set_rows(chain, flat, 0)
    set_gate(chain, False, 0)
    return chain


@dataclass(frozen=True, slots=True)
class Event:
    """A set and the frame at which it took effect; `notes` say what it meant (recipe, bands)."""

    frame: int
    control: ControlSet
    notes: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """Return the event as one line of the log."""
        control = self.control
        return json.dumps(
            {
                "frame": self.frame,
                "ramp_frames": control.ramp_frames,
                "bypass": control.bypass,
                "fade_frames": control.fade_frames,
                "gate_open": control.gate_open,
                "gate_frames": control.gate_frames,
                "rows": control.coefficients.rows.tolist(),
                **self.notes,
            },
            allow_nan=False,
        )


@dataclass(frozen=True, slots=True)
class Take:
    """A recorded session: what it ran with, and every set it took.

    `first_sound` is the frame of the first input sample that was not zero: a file of the same sound is
    lined up by it. `ceiling_db` is None where the limiter was left out.
    """

    fs: float
    channels: int
    lookahead_frames: int
    ceiling_db: float | None
    events: tuple[Event, ...]
    first_sound: int | None = None
    frames: int | None = None
    warnings: tuple[str, ...] = ()

    def header(self) -> str:
        """Return the first line of the log."""
        return json.dumps(
            {
                "semeq_log": LOG_VERSION,
                "fs": self.fs,
                "channels": self.channels,
                "lookahead_frames": self.lookahead_frames,
                "ceiling_db": self.ceiling_db,
            }
        )

    @staticmethod
    def end(frames: int, first_sound: int | None) -> str:
        """Return the last line of the log."""
        return json.dumps({"end": frames, "first_sound": first_sound})


def _number(record: dict[str, Any], key: str, low: float, high: float) -> float:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{key} must be in [{low:g}, {high:g}], got {value!r}")
    return value


def _flag(record: dict[str, Any], key: str) -> bool:
    value = record.get(key)
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be true or false, got {value!r}")
    return value


def _rows(record: dict[str, Any]) -> Coefficients:
    rows = np.array(record.get("rows"), dtype=np.float64)
    if rows.shape != (SECTIONS, ROW) or not np.all(np.abs(rows) <= 1e6):
        raise ValueError(f"rows must be {SECTIONS} × {ROW} finite numbers")
    p, b1, b2 = rows[:-1, 0], rows[:-1, 1], rows[:-1, 2]
    # the state's step must shrink it (see engine.design): trace and determinant of [p -b1; b1 1-b2]
    determinant = p * (1.0 - b2) + b1 * b1
    if np.any(np.abs(determinant) >= 1.0) or np.any(np.abs(p + 1.0 - b2) > 1.0 + determinant):
        raise ValueError("rows must be stable filters")
    return Coefficients(read_only(rows))


def _event(record: dict[str, Any]) -> Event:
    longest = 2.0**40
    frame = int(_number(record, "frame", 0, longest))
    control = ControlSet(
        _rows(record),
        int(_number(record, "ramp_frames", 0, longest)),
        _flag(record, "bypass"),
        int(_number(record, "fade_frames", 0, longest)),
        _flag(record, "gate_open"),
        int(_number(record, "gate_frames", 0, longest)),
    )
    return Event(frame, control)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield the number and content of each line, None for one that is no JSON object."""
    try:
        with path.open("r", encoding="utf-8", errors="replace") as log:
            number = 0
            while text := log.readline(MAX_LINE):
                number += 1
                try:
                    record = json.loads(text)
                except (ValueError, RecursionError):
                    record = None
                yield number, record if isinstance(record, dict) else None
    except OSError as error:
        raise DataError(
            f"the log {path} cannot be read: {error.strerror or error}; name the file that "
            "'semeq live --record-log' wrote"
        ) from None


def read_take(path: Path) -> Take:
    """Return the session recorded in `path`.

    Raises
    ------
    DataError
        If the file cannot be read, is not a log of a known version, or holds values out of range.
    """
    lines = _lines(path)
    _, head = next(lines, (0, None))
    if head is None or head.get("semeq_log") != LOG_VERSION:
        raise DataError(
            f"{path} must be a log of version {LOG_VERSION} written by 'semeq live --record-log'"
        )
    events: list[Event] = []
    frames: int | None = None
    first_sound: int | None = None
    at = 1
    try:
        fs = float(_number(head, "fs", 1000, 1e6))
        channels = int(_number(head, "channels", 1, 8))
        lookahead = int(_number(head, "lookahead_frames", 0, 1e6))
        ceiling = None if head.get("ceiling_db") is None else _number(head, "ceiling_db", -60, 24)
        for number, record in lines:
            at = number
            if record is None:
                break  # cut off while being written
            if "end" in record:
                frames = int(_number(record, "end", 0, 2.0**62))
                if record.get("first_sound") is not None:
                    first_sound = int(_number(record, "first_sound", 0, 2.0**62))
                break
            event = _event(record)
            if events and event.frame < events[-1].frame:
                raise ValueError(f"frame must not go back, got {event.frame}")
            events.append(event)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{path}, line {at}: {' '.join(str(error).split())}") from None
    if not events:
        raise DataError(f"{path} must hold at least one event, got none: was the session empty?")
    warnings = () if frames is not None else (f"{path} ends early: used {len(events)} events",)
    return Take(fs, channels, lookahead, ceiling, tuple(events), first_sound, frames, warnings)


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


def replay(take: Take, blocks: Iterable[Audio], *, start: int = 0) -> Iterator[Audio]:
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

    Yields
    ------
    Audio
        The output, the limiter's look-ahead taken off: sample n belongs to input sample n.

    Raises
    ------
    DataError
        If a block's channel count is not the session's.
    """
    chain = session_chain(
        take.fs, take.channels, lookahead_frames=take.lookahead_frames, ceiling_db=take.ceiling_db
    )
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
