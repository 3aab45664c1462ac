"""The cache keeps to its limit and never changes what is given."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.errors import SettingsError
from semeq.training.cache import BoundedCache


@given(st.integers(0, 60), st.lists(st.integers(0, 20), max_size=60))
def test_limit_and_content(limit: int, keys: list[int]) -> None:
    cache = BoundedCache[int, bytes](limit, size=len)
    for key in keys:
        assert cache.get(key, partial(bytes, key)) == bytes(key)
        assert cache.bytes <= limit
    assert cache.hits + cache.misses == len(keys)


def test_the_least_used_goes_first() -> None:
    cache = BoundedCache[str, str](3, size=len)
    for name in "abc":
        cache.get(name, lambda: "x")
    cache.get("a", lambda: "never made")
    cache.get("d", lambda: "x")
    assert cache.get("a", lambda: "made again") == "x"
    assert cache.get("b", lambda: "made again") == "made again"


def test_what_is_too_large_is_given_and_not_kept() -> None:
    cache = BoundedCache[str, str](3, size=len)
    cache.get("small", lambda: "xy")
    assert cache.get("large", lambda: "xxxx") == "xxxx"
    assert (len(cache), cache.bytes) == (1, 2)


def test_what_is_discarded_makes_room() -> None:
    cache = BoundedCache[str, str](4, size=len)
    cache.get("a", lambda: "xx")
    cache.discard("a")
    cache.discard("never kept")
    assert (len(cache), cache.bytes) == (0, 0)
    assert cache.get("a", lambda: "new") == "new"


def test_a_negative_limit() -> None:
    with pytest.raises(SettingsError, match="limit_bytes must be at least 0, got -1"):
        BoundedCache[str, str](-1, size=len)
