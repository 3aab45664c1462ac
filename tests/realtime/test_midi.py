import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.presets.midi_bindings import Encoding, Order
from semeq.realtime.midi import (
    HOLD_S,
    QUIET_S,
    TOP14,
    ControlChange,
    Pair,
    clicks,
    describe,
    parse,
    spread7,
)

MSB, LSB = Order.MSB, Order.LSB


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ([0xB0, 0, 0], ControlChange(1, 0, 0)),
        ([0xBF, 127, 127], ControlChange(16, 127, 127)),
        (b"\xb4\x14\x40", ControlChange(5, 20, 64)),
        ([0xAF, 1, 1], None),
        ([0xC0, 1, 1], None),
        ([0xB0, 20], None),
        ([0xB0, 20, 64, 0], None),
        ([0xB0, 128, 0], None),
        ([0xB0, 0, 200], None),
        ([0x14, 64, 0], None),
        ([], None),
    ],
)
def test_parse(message: list[int], change: ControlChange | None) -> None:
    assert parse(message) == change


@given(st.lists(st.integers(0, 255), max_size=12))
def test_any_bytes_are_described_and_never_misread(message: list[int]) -> None:
    assert describe(message)
    change = parse(message, 1.5)
    if change is not None:
        assert [0xB0 | change.channel - 1, change.cc, change.value] == message
        assert change.at_s == 1.5


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ([0xB0, 20, 64], "ch  1  control change  20 64"),
        ([0x9F, 60, 100], "ch 16  note on  60 100"),
        ([0xF8], "       clock"),
        ([0xF0, 1, 2, 3, 4, 5, 0xF7], "       system exclusive  1 2 3 4 … (7 bytes)"),
        ([0xF4], "       system"),
        ([20, 64], "       no message: 14 40"),
        ([], "nothing"),
    ],
)
def test_describe(message: list[int], text: str) -> None:
    assert describe(message) == text


CLICKS = {
    # value: (twos, offset, sign)
    0: (0, -64, 0),
    1: (1, -63, 1),
    2: (2, -62, 2),
    63: (63, -1, 63),
    64: (-64, 0, 0),
    65: (-63, 1, -1),
    66: (-62, 2, -2),
    127: (-1, 63, -63),
}


@pytest.mark.parametrize("value", CLICKS)
def test_clicks_of_the_three_conventions(value: int) -> None:
    encodings = (Encoding.TWOS, Encoding.OFFSET, Encoding.SIGN)
    assert tuple(clicks(value, encoding) for encoding in encodings) == CLICKS[value]


@pytest.mark.parametrize("encoding", [Encoding.TWOS, Encoding.OFFSET, Encoding.SIGN])
def test_every_movement_has_its_opposite(encoding: Encoding) -> None:
    moves = [clicks(value, encoding) for value in range(128)]
    assert {-move for move in moves if abs(move) < 64} == {m for m in moves if abs(m) < 64}
    assert set(range(-63, 64)) <= set(moves)


def test_seven_bits_on_the_fourteen_bit_scale() -> None:
    spread = [spread7(value) for value in range(128)]
    assert (spread[0], spread[64], spread[127]) == (0, 8192, TOP14)
    assert all(a < b for a, b in itertools.pairwise(spread))


# ------------------------------------------------------------------------------------ 14-bit pairs


def halves(value: int, first: Order) -> list[tuple[Order, int]]:
    pair = [(MSB, value >> 7), (LSB, value & 127)]
    return pair if first is MSB else pair[::-1]


def play(pair: Pair, events: list[tuple[float, Order, int]]) -> list[int]:
    """Feed events at their times, call flush whenever it is due, and return all values."""
    out: list[int] = []
    for at_s, half, value in events:
        while pair.due is not None and pair.due <= at_s:
            out += pair.flush(pair.due)
        out += pair.feed(half, value, at_s)
    if pair.due is not None:
        out += pair.flush(pair.due)
    return out


def stream(
    values: list[int], first: Order, *, gap_s: float, within_s: float = 0.0005
) -> list[tuple[float, Order, int]]:
    events = []
    for number, value in enumerate(values):
        (a, x), (b, y) = halves(value, first)
        events += [(number * gap_s, a, x), (number * gap_s + within_s, b, y)]
    return events


values14 = st.lists(st.integers(0, TOP14), min_size=1, max_size=40)


@given(
    values=values14,
    first=st.sampled_from([MSB, LSB]),
    says=st.sampled_from([True, False]),
    gap_s=st.sampled_from([0.001, 0.004, HOLD_S, 0.03, QUIET_S * 2]),
)
def test_every_pair_gives_its_value_and_nothing_between(
    values: list[int], first: Order, says: bool, gap_s: float
) -> None:
    pair = Pair(first if says else Order.AUTO)
    assert play(pair, stream(values, first, gap_s=gap_s)) == values


def test_no_glitch_where_the_upper_half_steps() -> None:
    sweep = list(range(1270, 1300))  # 1279 → 1280 changes both halves
    for first, order in itertools.product((MSB, LSB), (Order.AUTO, None)):
        out = play(Pair(order or first), stream(sweep, first, gap_s=0.002))
        assert out == sweep


@given(
    values=st.lists(st.integers(0, 127), min_size=1, max_size=20),
    gap_s=st.sampled_from([0.001, 0.05]),
)
def test_a_controller_of_seven_bits_reaches_both_ends(values: list[int], gap_s: float) -> None:
    events = [(number * gap_s, MSB, value) for number, value in enumerate(values)]
    for order in (Order.AUTO, MSB, LSB):
        assert play(Pair(order), events) == [spread7(value) for value in values]


def test_a_controller_of_seven_bits_is_soon_not_kept_waiting() -> None:
    pair = Pair()
    waits = []
    for number in range(6):
        pair.feed(MSB, number, number * 0.05)
        waits.append(pair.due is not None)
        pair.flush(number * 0.05 + HOLD_S)
    assert waits == [True, True, True, False, False, False]


def test_fine_movements_send_the_lower_half_alone() -> None:
    pair = Pair()
    assert play(pair, stream([1000], MSB, gap_s=0.0)) == [
        1000
    ]  # the order is known: 1000 = 7 · 128 + 104
    events = [(1.0 + 0.001 * n, LSB, 105 + n) for n in range(5)]
    assert play(pair, events) == [1001, 1002, 1003, 1004, 1005]
    assert pair.due is None


def test_a_lone_upper_half_takes_the_lower_as_zero() -> None:
    pair = Pair(MSB)
    assert play(pair, stream([1000], MSB, gap_s=0.0)) == [1000]
    assert play(pair, [(1.0, MSB, 8)]) == [1024]


def test_a_half_waits_no_longer_than_it_must() -> None:
    pair = Pair(MSB)
    assert pair.feed(MSB, 8, 1.0) == []
    assert pair.due == pytest.approx(1.0 + HOLD_S)
    assert pair.flush(1.0 + HOLD_S * 0.9) == []
    assert pair.flush(1.0 + HOLD_S) == [1024]
    assert pair.flush(2.0) == []


def test_a_lower_half_before_any_upper_one_says_nothing() -> None:
    assert play(Pair(MSB), [(0.0, LSB, 5)]) == []


def test_a_wrong_belief_is_given_up_at_the_second_sight() -> None:
    pair = Pair()
    # One lower half left over by another program, then an upper one: looks like LSB first.
    assert play(pair, [(0.0, LSB, 127), (0.004, MSB, 10), (0.0045, LSB, 3)]) != []
    for second in (1.0, 2.0):
        play(pair, [(second, MSB, 11), (second + 0.001, LSB, 1)])
    sweep = list(range(1270, 1300))
    events = [(3.0 + at, half, value) for at, half, value in stream(sweep, MSB, gap_s=0.002)]
    assert play(pair, events) == sweep
