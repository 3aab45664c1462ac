"""A recorded take reads back to the same bits, and damage in its file is one clear line."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from strategies import partitions, settings

from semeq.engine.design import design
from semeq.engine.errors import DataError
from semeq.engine.path import process
from semeq.engine.settings import EQSettings
from semeq.engine.take_file import end_line, event_line, header_line, read_take
from semeq.engine.timeline import (
    ControlSet,
    Event,
    Take,
    align,
    apply_set,
    replay,
    session_chain,
)
from semeq.engine.units import Audio

FS = 48_000.0


def noise(frames: int, channels: int = 2) -> Audio:
    return (0.1 * np.random.default_rng(0).standard_normal((frames, channels))).astype(np.float32)


def control(eq: EQSettings, **changes: object) -> ControlSet:
    values: dict[str, object] = {
        "ramp_frames": 480,
        "gate_frames": 1000,
        "fade_frames": 960,
        **changes,
    }
    return ControlSet(design(eq, FS, gain_db=-2.0), **values)  # type: ignore[arg-type]  # a table of keywords


def take_of(eq: EQSettings, *, lookahead: int = 0, first_sound: int | None = 300) -> Take:
    events = (
        Event(100, control(eq, ramp_frames=0), {"recipe": "warm"}),
        Event(2000, control(eq.scaled(0.3))),
        Event(2000, control(eq.scaled(-0.3))),
        Event(4000, control(eq, delta=True)),
        Event(5000, control(eq, bypass=True, shed=3)),
        Event(6000, control(eq, gate_level=0.25, gate_frames=300)),
        Event(6500, control(eq, bypass=True, shed=2)),
        Event(7000, control(eq, gate_open=False, gate_frames=500)),
    )
    return Take(FS, 2, lookahead, -1.0, events, first_sound, 9000)


def write(take: Take, path: Path) -> Path:
    assert take.frames is not None
    lines = [
        header_line(take),
        *map(event_line, take.events),
        end_line(take.frames, take.first_sound),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@given(settings())
@hypothesis_settings(deadline=None, max_examples=20)
def test_a_take_reads_back_to_the_same_doubles(eq: EQSettings) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        take = take_of(eq)
        read = read_take(write(take, Path(folder) / "take.jsonl"))
    assert (read.fs, read.channels, read.ceiling_db, read.first_sound, read.frames) == (
        FS,
        2,
        -1.0,
        300,
        9000,
    )
    for ours, theirs in zip(take.events, read.events, strict=True):
        assert ours.frame == theirs.frame
        np.testing.assert_array_equal(ours.control.pack(), theirs.control.pack())


@pytest.mark.parametrize("lookahead", [0, 72])
@given(eq=settings(), blocks=partitions(9000))
@hypothesis_settings(deadline=None, max_examples=15)
def test_replay_is_the_session_bit_for_bit(
    lookahead: int, eq: EQSettings, blocks: list[int]
) -> None:
    """The session ran sample by sample what replay runs in other blocks."""
    x = noise(9000)
    x[:300] = 0.0
    take = take_of(eq, lookahead=lookahead)
    chain = session_chain(FS, 2, lookahead_frames=lookahead, ceiling_db=-1.0)
    live = np.zeros((9000 + lookahead, 2), dtype=np.float32)
    padded = np.concatenate([x, np.zeros((lookahead, 2), dtype=np.float32)])
    marks = sorted({0, len(padded), *(event.frame for event in take.events)})
    for first, last in pairwise(marks):
        for event in take.events:
            if event.frame == first:
                apply_set(chain, event.control.pack())
        process(chain, padded[first:last], live[first:last])
    edges = np.cumsum([0, *blocks])
    cut = [x[a:b] for a, b in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(list(replay(take, cut))), live[lookahead:])
    # and from a file that begins where the sound begins
    start = align(take, 0)
    assert start == 300
    later = np.concatenate(list(replay(take, [x[300:]], start=start)))
    np.testing.assert_array_equal(later, live[lookahead:][300:])


def test_a_log_cut_off_in_the_middle_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(take_of(EQSettings.flat()), tmp_path / "take.jsonl")
    text = path.read_text()
    path.write_text(text[: text.index('"frame": 5000') + 40])
    take = read_take(path)
    assert [event.frame for event in take.events] == [100, 2000, 2000, 4000]
    assert take.warnings == (f"{path} ends early: used 4 events",)


def damage(path: Path, change: dict[str, object], line: int) -> Path:
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    lines[line] |= change
    path.write_text("\n".join(json.dumps(text) for text in lines))
    return path


@pytest.mark.parametrize(
    ("line", "change", "message"),
    [
        (0, {"semeq_log": 99}, "must be a log of version 1 to 3"),
        (0, {"fs": -1}, "line 1: fs must be in"),
        (0, {"channels": 900}, "line 1: channels must be in"),
        (1, {"rows": [[1.0] * 6] * 8}, "line 2: rows must be stable filters"),
        (1, {"rows": [[0.0] * 6] * 7}, "line 2: rows must be 8 × 6 finite numbers"),
        (1, {"rows": "warm"}, "line 2: could not convert"),
        (1, {"rows": [[float("inf")] * 6] * 8}, "line 2: rows must be 8 × 6 finite numbers"),
        (2, {"frame": -5}, "line 3: frame must be in"),
        (2, {"frame": 50}, "line 3: frame must not go back, got 50"),
        (2, {"bypass": "yes"}, "line 3: bypass must be true or false"),
        (2, {"delta": 1}, "line 3: delta must be true or false"),
        (0, {"bad_above": 0.1}, "line 1: bad_above must be in"),
        (2, {"ramp_frames": 1e300}, "line 3: ramp_frames must be in"),
    ],
)
def test_damage_is_one_line_that_says_where(
    tmp_path: Path, line: int, change: dict[str, object], message: str
) -> None:
    path = damage(write(take_of(EQSettings.flat()), tmp_path / "take.jsonl"), change, line)
    with pytest.raises(DataError, match=message) as caught:
        read_take(path)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=400))
def test_any_bytes_are_an_error_not_a_crash(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "take.jsonl"
        path.write_bytes(data)
        with pytest.raises(DataError):
            read_take(path)


def test_a_log_of_the_first_version_is_read_as_it_was_meant(tmp_path: Path) -> None:
    """It knew no delta, and made silence of damage above 1e4."""
    path = write(take_of(EQSettings.flat()), tmp_path / "take.jsonl")
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    lines[0]["semeq_log"] = 1
    del lines[0]["bad_above"]
    for line in lines[1:]:
        line.pop("delta", None)
        line.pop("shed", None)
        line.pop("gate_level", None)
    path.write_text("\n".join(map(json.dumps, lines)))
    take = read_take(path)
    assert take.bad_above is None
    assert not any(event.control.delta for event in take.events)
    assert not any(event.control.shed for event in take.events)
    assert all(event.control.gate_level == 1.0 for event in take.events)
    assert len(take.events) == 8


def test_a_missing_or_empty_log_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="name the file that 'semeq live --record-log' wrote"):
        read_take(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(DataError, match="must be a log of version 1 to 3"):
        read_take(tmp_path / "empty.jsonl")


def test_a_file_with_too_much_silence_in_front_says_what_to_cut() -> None:
    with pytest.raises(DataError, match="cut 100 frames"):
        align(take_of(EQSettings.flat()), 400)


def test_another_channel_count_is_refused() -> None:
    with pytest.raises(DataError, match="the input must have 2 channels"):
        list(replay(take_of(EQSettings.flat()), [noise(10, 1)]))
