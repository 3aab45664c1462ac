"""The mailbox under fire: never a torn set, never an older one after a newer one."""

import threading
import time

import numpy as np

from semeq.engine.jit import jit
from semeq.engine.units import Floats, Ints
from semeq.realtime.mailbox import has_post, mailbox, post, take

SIZE = 54
POSTS = 8_000_000
MEETINGS = 1000


@jit
def _write(words: Ints, slots: Floats, values: Floats, first: int, last: int) -> None:
    for i in range(first, last + 1):
        for j in range(values.size):
            values[j] = i
        post(words, slots, values)


@jit
def _read(words: Ints, slots: Floats, report: Ints) -> None:
    newest = 0
    while report[3] == 0 or newest < report[3]:
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
    values = np.zeros(SIZE)
    _write(words, slots, values, 1, 1)  # compiled before the race
    _read(words, slots, np.array([0, 0, 0, 1]))
    report = np.zeros(4, dtype=np.int64)  # taken, torn, stale; the last set, once it is known
    reader = threading.Thread(target=_read, args=(words, slots, report))
    reader.start()
    posted, deadline = 1, time.monotonic() + 60
    # on a busy machine the two seldom run at once: go on until they have met often
    while posted < POSTS or (report[0] < MEETINGS and time.monotonic() < deadline):
        _write(words, slots, values, posted + 1, posted + POSTS // 10)
        posted += POSTS // 10
    report[3] = posted
    reader.join(60)
    assert not reader.is_alive()
    taken, torn, stale, _ = report
    assert taken >= MEETINGS  # the race took place
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
