"""Takes as files: one JSON object a line; a header, then events, then an end mark.

Numbers are written so that they read back to the same double. A log cut off in the middle (power, kill)
is used up to its last whole line.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from semeq.engine.design import ROW, SECTIONS, Coefficients
from semeq.engine.errors import DataError
from semeq.engine.shed import LEVELS
from semeq.engine.texts import load_json
from semeq.engine.timeline import ControlSet, Event, Take
from semeq.engine.units import read_only

#: Version 2 knows the delta listen, and bridges damage in the input; version 3 says what was left out, and
#: knows a gate that is half open.
LOG_VERSION = 3
_KNOWN_VERSIONS = (1, 2, 3)
#: Longest log line we read: a set is about 1.5 kB.
MAX_LINE = 65536


def header_line(take: Take) -> str:
    """Return the first line of a log."""
    return json.dumps(
        {
            "semeq_log": LOG_VERSION,
            "fs": take.fs,
            "channels": take.channels,
            "lookahead_frames": take.lookahead_frames,
            "ceiling_db": take.ceiling_db,
            "bad_above": take.bad_above,
        }
    )


def event_line(event: Event) -> str:
    """Return an event as one line of a log."""
    control = event.control
    return json.dumps(
        {
            "frame": event.frame,
            "ramp_frames": control.ramp_frames,
            "bypass": control.bypass,
            "delta": control.delta,
            "shed": control.shed,
            "fade_frames": control.fade_frames,
            "gate_open": control.gate_open,
            "gate_frames": control.gate_frames,
            "gate_level": control.gate_level,
            "rows": control.coefficients.rows.tolist(),
            **event.notes,
        },
        allow_nan=False,
    )


def end_line(frames: int, first_sound: int | None) -> str:
    """Return the last line of a log."""
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
        _flag(record, "delta") if "delta" in record else False,
        int(_number(record, "shed", 0, LEVELS - 1)) if "shed" in record else 0,
        _number(record, "gate_level", 0.0, 1.0) if "gate_level" in record else 1.0,
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
                    record = load_json(text)
                except ValueError:
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
    if head is None or head.get("semeq_log") not in _KNOWN_VERSIONS:
        raise DataError(
            f"{path} must be a log of version 1 to {LOG_VERSION} written by 'semeq live --record-log'"
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
        is_old = head.get("bad_above") is None
        bad_above = None if is_old else _number(head, "bad_above", 1, 1e6)
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
    return Take(
        fs, channels, lookahead, ceiling, tuple(events), first_sound, frames, warnings, bad_above
    )
