"""A one-slot mailbox between the control side and the audio thread: the newest set wins.

A triple buffer: the writer owns one slot, the reader another, and one waits in between. Publishing
and taking are each one atomic exchange; neither side ever waits, fails or sees half a set.

The word that is exchanged holds the number of the waiting slot and, above it, whether it is fresh.
"""

import numpy as np

from semeq.engine.jit import jit
from semeq.engine.units import Floats, Ints
from semeq.realtime.atomic import acquire, exchange

SLOTS = 3
FRESH = 4
# the shared words: the slot in between, the writer's own, the reader's own
WAITING, WRITING, READING = range(3)


def mailbox(size: int) -> tuple[Ints, Floats]:
    """Return an empty mailbox for sets of `size` doubles: ``(words (3,), slots (3, size))``."""
    return np.array([0, 1, 2], dtype=np.int64), np.zeros((SLOTS, size))


@jit
def post(words: Ints, slots: Floats, values: Floats) -> None:
    """Publish `values`; called by one thread only. A set not taken yet is replaced."""
    own = words[WRITING]
    for j in range(values.size):
        slots[own, j] = values[j]
    words[WRITING] = exchange(words, WAITING, own | FRESH) & ~FRESH


@jit
def has_post(words: Ints) -> bool:
    """Whether a set waits that was not taken yet."""
    return bool(acquire(words, WAITING) & FRESH)


@jit
def take(words: Ints) -> int:
    """Return the slot that holds the newest set; called by one thread only, after `has_post`."""
    words[READING] = exchange(words, WAITING, words[READING]) & ~FRESH
    return int(words[READING])
