"""Jumps of the level in a window of band levels: what is taken out, and what is left as it is."""

import numpy as np
import pytest

from semeq.engine.frontend import BANDS, Levels
from semeq.engine.heard_window import HeardWindow
from semeq.engine.level_jumps import LATEST_S, SURE_S, LevelJumps
from semeq.engine.units import Floats

HOP_S = 1024 / 48_000
FULL = 117
#: Frames of music that is steady but for a few decibels, 6 s of it.
STEADY: Levels = (
    np.linspace(0.0, -30.0, BANDS) + np.random.default_rng(0).normal(0.0, 2.0, (280, BANDS))
).astype(np.float32)
JUMP_AT = 160


def stepped(*steps: tuple[int, float | Floats]) -> Levels:
    """Return the music with all from a frame on raised by so many decibels."""
    levels = STEADY.copy()
    for frame, by_db in steps:
        levels[frame:] += np.asarray(by_db, dtype=np.float32)
    return levels


def run(levels: Levels, fresh: int = 5) -> tuple[LevelJumps, list[bool], list[Levels]]:
    """Return the jumps, and after each step whether to wait and what is to be heard."""
    window, jumps = HeardWindow(FULL), LevelJumps(HOP_S)
    waits, heard = [], []
    for at in range(0, len(levels), fresh):
        new = levels[at : at + fresh]
        bands = 10.0 ** (new.astype(np.float64) / 10.0)
        window.append(new, bands, bands.sum(axis=1), np.ones(len(new), dtype=np.bool_))
        waits.append(jumps.wait(window, len(new)))
        heard.append(window.levels[window.passed].copy())
    return jumps, waits, heard


@pytest.mark.parametrize("by_db", [-30.0, -20.0, -12.0, 8.0, 12.0, 20.0])
@pytest.mark.parametrize("fresh", [1, 4, 5])
def test_a_jump_is_taken_out(by_db: float, fresh: int) -> None:
    jumps, waits, heard = run(stepped((JUMP_AT, by_db)), fresh)
    assert jumps.count == 1
    assert SURE_S - 0.15 <= HOP_S * fresh * sum(waits) <= SURE_S + 0.15
    # Whatever is heard is of one level, but for the frames that it takes to notice one.
    for now, waited in zip(heard, waits, strict=True):
        off = np.abs(now.mean(axis=1) - np.median(now.mean(axis=1))) > 3.0
        assert waited or np.count_nonzero(off) <= 5
    after = heard[-1].mean(axis=0) - STEADY.mean(axis=0)
    assert np.abs(after - by_db).max() < 1.5


def test_steady_music_and_no_new_frame_wait_for_nothing() -> None:
    jumps, waits, heard = run(STEADY)
    assert (jumps.count, any(waits)) == (0, False)
    np.testing.assert_array_equal(heard[-1], STEADY[-FULL:])
    window = HeardWindow(FULL)
    assert not LevelJumps(HOP_S).wait(window, 0)


@pytest.mark.parametrize("by_db", [-20.0, 20.0])
def test_accents_and_rests_are_left_as_they_are(by_db: float) -> None:
    frames = round(0.3 / HOP_S)
    levels = stepped((JUMP_AT, by_db), (JUMP_AT + frames, -by_db))
    jumps, waits, heard = run(levels)
    assert jumps.count == 0
    # Once for the accent, and once for what is soft against it.
    assert HOP_S * 5 * sum(waits) <= 0.3 + SURE_S + 0.15
    np.testing.assert_array_equal(heard[-1], levels[-FULL:])


def test_a_jump_with_another_spectrum_is_no_jump() -> None:
    levels = stepped((JUMP_AT, 15.0 + np.linspace(-17.0, 17.0, BANDS)))
    jumps, waits, heard = run(levels)
    assert jumps.count == 0
    assert HOP_S * 5 * sum(waits) <= LATEST_S + 0.1
    np.testing.assert_array_equal(heard[-1], levels[-FULL:])


def test_a_fade_is_no_jump() -> None:
    levels = STEADY - np.linspace(0.0, 20.0, len(STEADY), dtype=np.float32)[:, None]
    assert run(levels)[0].count == 0


def test_jumps_may_follow_each_other() -> None:
    levels = stepped((100, 20.0), (150, -20.0), (200, 15.0))
    jumps, _, heard = run(levels)
    assert jumps.count == 3
    assert np.ptp(heard[-1].mean(axis=1)) < 5.0
