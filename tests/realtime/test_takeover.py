import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.presets.midi_bindings import TakeOver
from semeq.realtime.takeover import Grip, take

SPAN = (-1.0, 1.0)
WINDOW = 2.0 / 127.0
#: Rounding of a few additions of numbers near 1.
EXACT = 1e-12


def turn(
    mode: TakeOver, moves: list[float], current: float, *, grip: Grip | None = None
) -> tuple[Grip, float, list[float | None]]:
    """Turn a knob through positions; return its grip, the value, and what each move set."""
    grip = grip or Grip()
    out: list[float | None] = []
    for knob in moves:
        grip, value = take(grip, knob, current, mode=mode, span=SPAN, window=WINDOW)
        out.append(value)
        current = current if value is None else value
    return grip, current, out


def test_jump_goes_where_the_knob_is() -> None:
    assert turn(TakeOver.JUMP, [0.9, -0.9], 0.0)[2] == [0.9, -0.9]


def test_pickup_waits_until_the_knob_passes_the_value() -> None:
    moves = [-0.8, -0.3, 0.1, 0.49, 0.6, 0.7]
    assert turn(TakeOver.PICKUP, moves, 0.5)[2] == [None, None, None, 0.49, 0.6, 0.7]
    assert turn(TakeOver.PICKUP, [-0.8, 0.9, 0.2], 0.5)[2] == [None, 0.9, 0.2]
    assert turn(TakeOver.PICKUP, [0.9, 0.6, -0.9, 0.2], 0.5)[2] == [None, None, -0.9, 0.2]


def test_a_first_touch_far_away_does_nothing_and_near_takes_hold() -> None:
    assert turn(TakeOver.PICKUP, [0.9], 0.5)[2] == [None]
    assert turn(TakeOver.PICKUP, [0.5 + 0.9 * WINDOW], 0.5)[2] == [0.5 + 0.9 * WINDOW]


def test_pickup_lets_go_when_the_value_is_changed_elsewhere() -> None:
    grip, _, out = turn(TakeOver.PICKUP, [0.0, 0.2], 0.0)
    assert out == [0.0, 0.2]
    grip, _, out = turn(TakeOver.PICKUP, [0.25, 0.3, 0.2], -0.5, grip=grip)
    assert out == [None, None, None]
    assert turn(TakeOver.PICKUP, [-0.2, -0.6], -0.5, grip=grip)[2] == [None, -0.6]


def test_at_its_stop_a_knob_reaches_what_it_could_never_pass() -> None:
    assert turn(TakeOver.PICKUP, [0.0, 0.9, 1.0, 0.9], 2.5)[2] == [None, None, 1.0, 0.9]
    assert turn(TakeOver.PICKUP, [0.0, -1.0], -2.5)[2] == [None, -1.0]


def test_scale_moves_at_once_and_meets_the_knob_at_the_end() -> None:
    _, value, out = turn(TakeOver.SCALE, [0.0, 0.5, 1.0], -0.5)
    # half of the knob's way left is half of the value's: −0.5 + 0.5 · 1.5 = 0.25
    assert out == [None, pytest.approx(0.25), pytest.approx(1.0)]
    assert value == pytest.approx(1.0, abs=EXACT)
    grip, value, _ = turn(TakeOver.SCALE, [0.0, -0.5, -1.0], 0.5)
    assert value == pytest.approx(-1.0, abs=EXACT)
    # after the end both are together
    _, value, out = turn(TakeOver.SCALE, [-0.3, 0.4], value, grip=grip)
    assert out == [pytest.approx(-0.3, abs=EXACT), pytest.approx(0.4, abs=EXACT)]


def test_scale_leaves_a_value_alone_while_the_knob_rests() -> None:
    grip, _, _ = turn(TakeOver.SCALE, [0.9, 1.0], 0.9)
    assert turn(TakeOver.SCALE, [1.0, 1.0], -0.4, grip=grip)[2] == [None, None]


positions = st.floats(*SPAN)
paths = st.lists(positions, min_size=1, max_size=30)
grips = st.builds(Grip, st.none() | positions, st.none() | positions)


@given(grip=grips, knob=positions, current=positions)
def test_pickup_never_jumps(grip: Grip, knob: float, current: float) -> None:
    """It sets nothing, or goes no further than the knob itself went, or one step."""
    after, value = take(grip, knob, current, mode=TakeOver.PICKUP, span=SPAN, window=WINDOW)
    assert after.knob == knob
    if value is None:
        assert abs(knob - current) > WINDOW
        return
    assert value == knob
    has_hold = grip.held is not None and math.isclose(grip.held, current, abs_tol=2e-9)
    moved = 0.0 if grip.knob is None else abs(knob - grip.knob)
    if not has_hold:
        assert abs(value - current) <= max(WINDOW, moved)


@given(path=paths, current=positions)
def test_pickup_follows_for_good_once_it_has_hold(path: list[float], current: float) -> None:
    out = turn(TakeOver.PICKUP, path, current)[2]
    caught = next((n for n, value in enumerate(out) if value is not None), len(out))
    assert out[caught:] == path[caught:]


@given(path=paths, current=positions)
def test_a_sweep_from_end_to_end_always_takes_hold(path: list[float], current: float) -> None:
    grip, current, _ = turn(TakeOver.PICKUP, path, current)
    assert turn(TakeOver.PICKUP, [-1.0, 1.0], current, grip=grip)[1] == 1.0


@given(path=paths, current=positions)
def test_scale_stays_inside_and_goes_the_knobs_way(path: list[float], current: float) -> None:
    grip = Grip()
    for knob in path:
        before = grip.knob
        grip, value = take(grip, knob, current, mode=TakeOver.SCALE, span=SPAN, window=WINDOW)
        if value is None:
            continue
        assert SPAN[0] - EXACT <= value <= SPAN[1] + EXACT
        if before is not None:
            assert (value - current) * (knob - before) >= -EXACT
        current = value


@given(path=paths, current=positions, end=st.sampled_from(SPAN))
def test_scale_meets_the_knob_at_either_end(path: list[float], current: float, end: float) -> None:
    grip, current, _ = turn(TakeOver.SCALE, path, current)
    _, value, _ = turn(TakeOver.SCALE, [-end, end], current, grip=grip)
    assert value == pytest.approx(end, abs=EXACT)
