"""Splits: fair, the same everywhere, and no track on two sides."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.errors import SettingsError
from semeq.training.splits import Shares, Split, joined, split_of

#: Three standard deviations of 0.1 over 4,000 names.
SHARE_ATOL = 3 * (0.1 * 0.9 / 4000) ** 0.5
names = st.text(st.characters(codec="utf-8"), max_size=8)


def test_it_never_changes() -> None:
    # Written down: another answer would let a test track into the training of an old model.
    sides = [str(split_of(f"artist {k}")) for k in range(24)]
    assert sides.count("train") == 19
    assert [k for k, side in enumerate(sides) if side == "valid"] == [1, 6, 14, 22]
    assert [k for k, side in enumerate(sides) if side == "test"] == [0]


def test_shares_are_kept() -> None:
    sides = [split_of(f"group {k}") for k in range(4000)]
    for side in (Split.VALID, Split.TEST):
        assert sides.count(side) / len(sides) == pytest.approx(0.1, abs=SHARE_ATOL)
    assert {split_of(f"group {k}", Shares(0.0, 0.0)) for k in range(100)} == {Split.TRAIN}
    assert {split_of(f"group {k}", Shares(0.0, 1.0)) for k in range(100)} == {Split.TEST}


def test_a_salt_makes_another_split() -> None:
    differ = sum(split_of(f"g{k}") != split_of(f"g{k}", salt="other") for k in range(1000))
    assert differ > 200


@given(names)
def test_case_and_spaces_do_not_matter(name: str) -> None:
    assert split_of(name) is split_of(f"  {name} ")
    assert split_of("The  Band") is split_of("the band")


@given(st.lists(st.tuples(st.integers(0, 9).map(str), st.integers(0, 12).map(str)), max_size=25))
def test_groups_with_a_common_member_are_one(pairs: list[tuple[str, str]]) -> None:
    root = joined(pairs)
    assert set(root) == {group for group, _ in pairs}
    for (a, member), (b, other) in combinations(pairs, 2):
        if member == other:
            assert root[a] == root[b]
    # As many classes as a plain search of the graph finds.
    left, classes = set(root), 0
    while left:
        grown, reach = {left.pop()}, set[str]()
        while grown != reach:
            reach = grown
            members = {m for g, m in pairs if g in reach}
            grown = reach | {g for g, m in pairs if m in members}
        left -= reach
        classes += 1
    assert len(set(root.values())) == classes


@given(st.permutations([("a", "x"), ("b", "x"), ("c", "y"), ("b", "z"), ("d", "z")]))
def test_the_order_does_not_matter(pairs: list[tuple[str, str]]) -> None:
    assert joined(pairs) == {"a": "a", "b": "a", "c": "c", "d": "a"}


@pytest.mark.parametrize("shares", [(-0.1, 0.1), (0.1, 1.1), (0.6, 0.6), (float("nan"), 0.0)])
def test_wrong_shares(shares: tuple[float, float]) -> None:
    with pytest.raises(SettingsError, match="must"):
        Shares(*shares)
