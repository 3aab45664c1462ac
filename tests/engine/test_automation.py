"""Tracks of an EQ over time, thinned for a report and written for other programs."""

import csv
import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from semeq.engine.automation import TICKS_PER_S, WRITERS, write_automation
from semeq.engine.eq_track import MOST_POINTS, EQTrack
from semeq.engine.errors import UsageError
from semeq.engine.settings import FREQ_RANGE_HZ, GAIN_LIMIT_DB, EQSettings

FS = 1000.0
EVERY = 100


def settings(gain_db: float, freq_hz: float = 400.0) -> EQSettings:
    bands = list(EQSettings.flat().bands)
    bands[2] = replace(bands[2], gain_db=gain_db, freq_hz=freq_hz)
    return EQSettings(tuple(bands))


def track(gains: list[float], step: int = EVERY) -> EQTrack:
    made = EQTrack(FS, EVERY)
    for index, gain_db in enumerate(gains):
        made.append(index * step, settings(gain_db), -0.5 * gain_db)
    return made


def write(path: Path, made: EQTrack, frames: int, gain_db: float = 1.0) -> None:
    write_automation(
        path, made, every=EVERY, frames=frames, gain_db=gain_db, notes={"recipe": "wärm"}
    )


def test_points_are_kept_as_they_are() -> None:
    made = track([0.0, 1.5, -12.0])
    assert [made.settings(k) for k in range(3)] == [settings(g) for g in (0.0, 1.5, -12.0)]
    assert [made.gain_db(k) for k in range(3)] == [0.0, -0.75, 6.0]
    assert made.event(0).control.ramp_frames == 0
    assert made.event(1).control.ramp_frames == EVERY


def test_a_point_at_the_same_frame_replaces() -> None:
    made = track([1.0])
    made.append(0, settings(3.0), 0.0)
    assert len(made) == 1
    assert made.settings(0) == settings(3.0)


def test_a_thinned_track_tells_the_story() -> None:
    still = track([2.0] * 500)
    assert still.thinned() == [0, 499]
    for pace in (3.0, 30.0, 300.0):
        moving = track([10.0 * math.sin(k / pace) for k in range(20_000)])
        chosen = moving.thinned()
        assert 500 < len(chosen) <= MOST_POINTS
        assert chosen[0] == 0
        assert chosen[-1] == len(moving) - 1
    slow = track([k / 100.0 for k in range(600)])
    gains = [slow.settings(k).bands[2].gain_db for k in slow.thinned()]
    assert max(b - a for a, b in pairwise(gains)) < 0.27


def test_where_a_band_does_nothing_its_place_does_not_matter() -> None:
    made = EQTrack(FS, EVERY)
    for index in range(50):
        made.append(index, settings(0.0, 100.0 * (1 + index)), 0.0)
    assert len(made.thinned()) == 2


def test_csv_has_a_row_a_window(tmp_path: Path) -> None:
    path = tmp_path / "eq.csv"
    write(path, track([0.0, 1.5], 3 * EVERY), 650)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["t_s"]) for row in rows] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert [float(row["band3_gain_db"]) for row in rows] == [0.0] * 3 + [1.5] * 4
    assert float(rows[-1]["gain_db"]) == pytest.approx(0.25)
    assert len(rows[0]) == 2 + 3 * 7


def test_json_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "eq.json"
    write(path, track([0.0, 1.5]), 200)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["semeq_automation"] == 1
    assert content["recipe"] == "wärm"
    assert [row["band3_gain_db"] for row in content["windows"]] == [0.0, 1.5]


def test_midi_reads_back_as_what_it_was(tmp_path: Path) -> None:
    mido = pytest.importorskip("mido")
    path = tmp_path / "eq.mid"
    gains = [0.0, 1.5, -3.25, -3.25, 6.0]
    write(path, track(gains), EVERY * len(gains))
    at, coarse = 0.0, {}
    found: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for message in mido.MidiFile(path):
        at += message.time
        if message.is_meta:
            continue
        key = message.channel, message.control
        if message.control < 32:
            coarse[key] = message.value
        else:
            whole = (coarse[message.channel, message.control - 32] << 7) + message.value
            found.setdefault((message.channel, message.control - 32), []).append((at, whole))
    steps = 2**14 - 1
    heard = [
        (round(t, 4), value / steps * 2.0 * GAIN_LIMIT_DB - GAIN_LIMIT_DB)
        for t, value in found[0, 22]
    ]
    assert [t for t, _ in heard] == [0.0, 0.1, 0.2, 0.4]
    assert [gain for _, gain in heard] == pytest.approx([0.0, 1.5, -3.25, 6.0], abs=0.002)
    ((_, freq),) = found[1, 22]
    low, high = FREQ_RANGE_HZ
    assert low * (high / low) ** (freq / steps) == pytest.approx(400.0, rel=1e-3)
    assert TICKS_PER_S == 1000


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--automation must name"):
        write(tmp_path / "eq.txt", track([0.0]), 10)
    assert set(WRITERS) == {".csv", ".json", ".mid"}
