import threading
from collections.abc import Iterator

import pytest

from semeq.engine.prefetch import prefetched


def test_order_is_kept_and_work_is_ahead() -> None:
    made = []
    gone_on = threading.Event()

    def items() -> Iterator[int]:
        for n in range(100):
            made.append(n)
            if n == 3:
                gone_on.set()
            yield n

    ahead = prefetched(items())
    assert next(ahead) == 0
    assert gone_on.wait(10.0)
    assert list(ahead) == list(range(1, 100))
    assert made == list(range(100))


def test_an_error_comes_after_what_was_made() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    ahead = prefetched(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="no more"):
        next(ahead)


def test_leaving_the_loop_ends_the_thread() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 0

    before = threading.active_count()
    ahead = prefetched(endless())
    next(ahead)
    assert threading.active_count() == before + 1
    ahead.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
