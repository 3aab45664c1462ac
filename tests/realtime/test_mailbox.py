"""The mailbox under fire: never a torn set, never an older one after a newer one."""

import threading

import numpy as np

from semeq.engine.jit import jit
from semeq.engine.units import Floats, Ints
from semeq.realtime.mailbox import has_post, mailbox, post, take

SIZE = 54
POSTS = 8_000_000


@jit
def _write(words: Ints, slots: Floats, values: Floats, posts: int) -> None:
    for i in range(1, posts + 1):
        for j in range(values.size):
            values[j] = i
        post(words, slots, values)


@jit
def _read(words: Ints, slots: Floats, last: int, report: Ints) -> None:
    newest = 0
    while newest < last:
        if not has_post(words):
            continue
        slot = take(words)
        first = int(slots[slot, 0])
        report[0] += 1
        for j in range(slots.shape[1]):
            if slots[slot, j] != first:
                report[1] += 1
        if first <= newest:
            report[2] += 1
        newest = first


def test_the_newest_set_wins_whole_and_in_order() -> None:
    words, slots = mailbox(SIZE)
    values, report = np.zeros(SIZE), np.zeros(3, dtype=np.int64)
    _write(words, slots, values, 1)  # compiled before the race
    _read(words, slots, 1, report)
    report[:] = 0
    reader = threading.Thread(target=_read, args=(words, slots, POSTS, report))
    reader.start()
    _write(words, slots, values, POSTS)
    reader.join(60)
    assert not reader.is_alive()
    taken, torn, stale = report
    assert taken > 1000  # the race took place
    assert torn == 0
    assert stale == 0


def test_an_empty_mailbox_has_nothing_and_a_taken_set_is_gone() -> None:
    words, slots = mailbox(4)
    assert not has_post(words)
    post(words, slots, np.full(4, 1.0))
    post(words, slots, np.full(4, 2.0))
    assert has_post(words)
    np.testing.assert_array_equal(slots[take(words)], 2.0)
    assert not has_post(words)
