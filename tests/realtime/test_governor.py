"""What is left out, and when it is taken up again, against loads that the test makes up."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine import shed
from semeq.realtime.governor import (
    HIGH,
    LOW,
    MOST_PATIENCE_S,
    PATIENCE_S,
    WARM_S,
    WINDOW_S,
    Governor,
    levels,
)

ALL = levels(looks_ahead=True)
EVERY_S = 0.1


class Clock:
    """Makes time pass for a governor, at a load that may depend on what it leaves out."""

    def __init__(self, governor: Governor, every_s: float = EVERY_S) -> None:
        self.governor, self.every_s = governor, every_s
        self.now_s, self.busy_s = 1000.0, 0.0
        self.said: list[str] = []
        self.levels: list[int] = [0]
        self.changed_at: list[float] = [0.0]

    def run(self, seconds: float, load: float | Callable[[int], float]) -> None:
        for _ in range(round(seconds / self.every_s)):
            level = self.governor.relief.level
            self.now_s += self.every_s
            self.busy_s += self.every_s * (load if isinstance(load, float) else load(level))
            said = self.governor.look(self.busy_s, self.now_s, self.now_s)
            if said is not None:
                self.said.append(said)
            if self.governor.relief.level != self.levels[-1]:
                self.levels.append(self.governor.relief.level)
                self.changed_at.append(self.now_s - 1000.0)


def test_a_lasting_overload_drops_one_thing_a_second_in_order() -> None:
    clock = Clock(Governor(ALL))
    clock.run(8.0, 0.95)
    assert clock.levels == [0, 1, 2, 3]
    assert all(WINDOW_S * 0.9 <= b - a <= 1.2 * WINDOW_S for a, b in pairwise(clock.changed_at))
    assert clock.governor.dropped == ("meters", "look-ahead", "eq")
    assert clock.governor.relief.is_bypassed
    assert clock.governor.steps == 3
    assert [line.split(": ")[1].split(",")[0] for line in clock.said] == [
        "the meters stop",
        "the limiter looks at samples only",
        "the EQ is bypassed",
        "a larger --blocksize helps",
    ]
    assert clock.said[0].startswith("overload, 95 % of the time")


def test_it_drops_no_more_than_it_must() -> None:
    clock = Clock(Governor(ALL))
    clock.run(30.0, lambda level: (0.9, 0.7, 0.3, 0.1)[level])
    assert clock.levels == [0, 1]


def test_a_moment_of_load_is_no_overload() -> None:
    clock = Clock(Governor(ALL))
    for _ in range(20):
        clock.run(0.3, 1.5)
        clock.run(0.7, 0.2)
    assert clock.levels == [0]


def test_all_comes_back_one_step_at_a_time_and_the_filters_get_warm_first() -> None:
    clock = Clock(Governor(ALL))
    clock.run(5.0, 0.95)
    clock.run(4.5, 0.1)
    assert clock.governor.relief.level == 3
    clock.run(1.0, 0.1)
    assert clock.governor.relief.level == 2
    assert clock.governor.relief.is_bypassed == (clock.now_s - 1000 - clock.changed_at[-1] < WARM_S)
    clock.run(WARM_S + EVERY_S, 0.1)
    assert not clock.governor.relief.is_bypassed
    clock.run(12.0, 0.1)
    assert clock.levels == [0, 1, 2, 3, 2, 1, 0]
    assert all(b - a >= PATIENCE_S for a, b in pairwise(clock.changed_at[3:]))
    assert "the EQ is back" in clock.said[-3]
    assert "the meters are back" in clock.said[-1]
    assert clock.governor.dropped == ()


@pytest.mark.parametrize("load", [LOW + 0.01, HIGH - 0.01])
def test_between_the_two_loads_all_stays_as_it_is(load: float) -> None:
    clock = Clock(Governor(ALL))
    clock.run(60.0, load)
    assert clock.levels == [0]
    clock.run(3.0, lambda level: load if level else 0.95)
    clock.run(60.0, load)
    assert clock.levels == [0, 1]


def test_a_machine_on_the_brink_is_left_in_peace_longer_and_longer() -> None:
    """With the look-ahead it is too slow, without it there is plenty of time."""
    clock = Clock(Governor(ALL))
    clock.run(300.0, lambda level: 0.9 if level < shed.LOOK_AHEAD else 0.2)
    ups = [
        at for at, (a, b) in zip(clock.changed_at[1:], pairwise(clock.levels), strict=True) if b < a
    ]
    gaps = [b - a for a, b in pairwise(ups)]
    assert gaps[0] < 3 * PATIENCE_S
    assert gaps == sorted(gaps)
    assert max(gaps) > 0.9 * MOST_PATIENCE_S
    assert len(ups) < 10


def test_what_would_not_help_is_left_out_of_the_order() -> None:
    """The guard has no look-ahead to be dropped."""
    clock = Clock(Governor(levels(looks_ahead=False)))
    clock.run(5.0, 0.95)
    assert clock.levels == [0, shed.METERS, shed.FILTERS]
    assert clock.governor.dropped == ("meters", "eq")


def test_late_looks_are_looks() -> None:
    """On a machine that is too slow this thread, too, comes late."""
    clock = Clock(Governor(ALL), every_s=1.7)
    clock.run(12.0, 0.95)
    assert clock.levels == [0, 1, 2, 3]


def test_without_sound_there_is_no_load() -> None:
    governor = Governor(ALL)
    for i in range(100):
        assert governor.look(0.0, 0.0, 0.1 * i) is None
    assert governor.load == 0.0


@given(st.lists(st.tuples(st.floats(0.1, 5.0), st.floats(0.0, 3.0)), max_size=40))
def test_whatever_comes_it_goes_one_step_at_a_time(stretches: list[tuple[float, float]]) -> None:
    clock = Clock(Governor(ALL))
    for seconds, load in stretches:
        clock.run(seconds, load)
        relief = clock.governor.relief
        assert relief.is_bypassed or relief.level < shed.FILTERS
    assert all(abs(a - b) == 1 for a, b in pairwise(clock.levels))
    assert clock.governor.steps == sum(b > a for a, b in pairwise(clock.levels))
