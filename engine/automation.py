"""The EQ of a render over time, as files for other programs: CSV, JSON, or MIDI controllers.

Conventions
-----------
One row a window (the clock of the listener): the bands and the gain that are headed for from that time
on, within one window. The MIDI file has 1000 ticks a second; a value is two controllers, coarse and then
fine (14 bits), and is written when it changes:

=============  =======================  =======================  =================================
channel        coarse (band 1 to 7)     fine                     value
=============  =======================  =======================  =================================
1              20 to 26                 52 to 58                 gain, -18 to +18 dB, linear
2              20 to 26                 52 to 58                 frequency, 10 Hz to 30 kHz, log
3              20 to 26                 52 to 58                 q, 0.1 to 10, log
1              27                       59                       output gain, -36 to +36 dB, linear
=============  =======================  =======================  =================================
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from semeq.engine.atomic import Replacement
from semeq.engine.eq_track import EQTrack
from semeq.engine.errors import UsageError
from semeq.engine.settings import FREQ_RANGE_HZ, GAIN_LIMIT_DB, LAYOUT, Q_RANGE

VERSION = 1
TICKS_PER_S = 1000
#: Half a million microseconds a beat, 500 ticks a beat.
_TEMPO_US, _TICKS_PER_BEAT = 500_000, 500
FIRST_CONTROLLER, OUTPUT_CONTROLLER, FINE = 20, 27, 32
OUTPUT_LIMIT_DB = 36.0
STEPS = (1 << 14) - 1
_NAMES = tuple(f"band{band}" for band in range(1, len(LAYOUT) + 1))


def rows(track: EQTrack, every: int, frames: int, gain_db: float) -> Iterator[dict[str, float]]:
    """Yield one row a window: time, output gain, and gain, frequency and q of each band.

    Parameters
    ----------
    track : EQTrack
        What the bands were.
    every, frames : int
        Frames of a window and of the file.
    gain_db : float
        The gain of the whole file, on top of the track's own.
    """
    last, row = -1, dict[str, float]()
    for frame, index in track.at_times(every, frames):
        if index != last:
            last, row = index, {"t_s": 0.0, "gain_db": round(gain_db + track.gain_db(index), 3)}
            for name, band in zip(_NAMES, track.settings(index).bands, strict=True):
                row[f"{name}_gain_db"] = round(band.gain_db, 3) + 0.0
                row[f"{name}_freq_hz"] = round(band.freq_hz, 2)
                row[f"{name}_q"] = round(band.q, 4)
        yield {**row, "t_s": round(frame / track.fs, 4)}


def _as_csv(content: Iterator[dict[str, float]], notes: dict[str, Any]) -> bytes:
    text = io.StringIO(newline="")
    writer: csv.DictWriter[str] | None = None
    for row in content:
        if writer is None:
            writer = csv.DictWriter(text, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return text.getvalue().encode()


def _as_json(content: Iterator[dict[str, float]], notes: dict[str, Any]) -> bytes:
    head = {"semeq_automation": VERSION, **notes, "kinds": [kind.value for kind in LAYOUT]}
    start = json.dumps(head, ensure_ascii=False)[:-1]
    return (
        start + ', "windows": [\n' + ",\n".join(json.dumps(row) for row in content) + "\n]}\n"
    ).encode()


def _linear(value: float, limit: float) -> int:
    return _step((value + limit) / (2.0 * limit))


def _log(value: float, span: tuple[float, float]) -> int:
    return _step(math.log(value / span[0]) / math.log(span[1] / span[0]))


def _step(share: float) -> int:
    return round(min(max(share, 0.0), 1.0) * STEPS)


def _values(row: dict[str, float]) -> dict[tuple[int, int], int]:
    """Return the 14-bit value of each channel and coarse controller."""
    values = {(0, OUTPUT_CONTROLLER): _linear(row["gain_db"], OUTPUT_LIMIT_DB)}
    for band, name in enumerate(_NAMES):
        controller = FIRST_CONTROLLER + band
        values[0, controller] = _linear(row[f"{name}_gain_db"], GAIN_LIMIT_DB)
        values[1, controller] = _log(row[f"{name}_freq_hz"], FREQ_RANGE_HZ)
        values[2, controller] = _log(row[f"{name}_q"], Q_RANGE)
    return values


def _as_midi(content: Iterator[dict[str, float]], notes: dict[str, Any]) -> bytes:
    # only here: nothing else needs it
    from mido import Message, MetaMessage, MidiFile, MidiTrack

    track = MidiTrack()
    track.append(MetaMessage("track_name", name="semeq EQ"))
    track.append(MetaMessage("set_tempo", tempo=_TEMPO_US))
    said: dict[tuple[int, int], int] = {}
    at = end = 0
    for row in content:
        end = round(row["t_s"] * TICKS_PER_S)
        for (channel, controller), value in _values(row).items():
            if said.get((channel, controller)) == value:
                continue
            said[channel, controller] = value
            for control, part in ((controller, value >> 7), (controller + FINE, value & 127)):
                track.append(
                    Message(
                        "control_change",
                        channel=channel,
                        control=control,
                        value=part,
                        time=end - at,
                    )
                )
                at = end
    track.append(MetaMessage("end_of_track", time=end - at))
    file = MidiFile(type=0, ticks_per_beat=_TICKS_PER_BEAT, tracks=[track])
    content_bytes = io.BytesIO()
    file.save(file=content_bytes)
    return content_bytes.getvalue()


_Writer = Callable[[Iterator[dict[str, float]], dict[str, Any]], bytes]
WRITERS: dict[str, _Writer] = {".csv": _as_csv, ".json": _as_json, ".mid": _as_midi}


def check_suffix(path: Path) -> None:
    """Refuse a file that says nothing about its kind.

    Raises
    ------
    UsageError
        If its suffix is none of ours.
    """
    if path.suffix.lower() not in WRITERS:
        raise UsageError(f"--automation must name a {', '.join(WRITERS)} file, got {path}")


def write_automation(
    path: Path,
    track: EQTrack,
    *,
    every: int,
    frames: int,
    gain_db: float,
    notes: dict[str, Any],
    inputs: tuple[Path, ...] = (),
) -> None:
    """Write the EQ window by window; the suffix says how, and what was there is replaced.

    Parameters
    ----------
    path : Path
        With one of the suffixes of `WRITERS`.
    track, every, frames, gain_db
        See `rows`.
    notes : dict
        What a JSON file says besides.
    inputs : tuple of Path
        Files that are not to be replaced.

    Raises
    ------
    AudioFileError
        If it cannot be written.
    """
    check_suffix(path)
    content = WRITERS[path.suffix.lower()](rows(track, every, frames, gain_db), notes)
    with Replacement(path, overwrite=True, inputs=inputs) as new:
        new.file.write(content)
        new.commit()
