"""Runs an iterator ahead in a thread, so that what makes the items and what uses them work at once."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
_PATIENCE_S = 0.2


class _End:
    """What comes after the last item: an error, or none."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Producer(Generic[Item]):
    """Puts items into a queue until there are no more, or nobody wants them."""

    def __init__(self, items: Iterable[Item], depth: int) -> None:
        self.queue: queue.Queue[Item | _End] = queue.Queue(depth)
        self.is_over = threading.Event()
        self._items = items

    def run(self) -> None:
        """Serve as the body of the thread."""
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as failure:
            error = failure
        self._put(_End(error))

    def _put(self, item: Item | _End) -> bool:
        while not self.is_over.is_set():
            try:
                self.queue.put(item, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return True
        return False


def prefetched(items: Iterable[Item], depth: int = 4) -> Iterator[Item]:
    """Yield the items in order, made up to `depth` ahead in another thread.

    An error in making them is raised here, after the items before it. Leaving the loop ends the thread.

    >>> list(prefetched(range(3)))
    [0, 1, 2]
    """
    producer = _Producer(items, depth)
    thread = threading.Thread(target=producer.run, name="semeq-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := producer.queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        producer.is_over.set()
        thread.join()
