"""A cache with a limit in bytes: what was used last stays."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from semeq.engine.errors import SettingsError

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Values that were dear to make, within a limit of memory.

    What is given back never depends on what was kept: a cache changes the time, not the result.

    Parameters
    ----------
    limit_bytes : int
        At most this much is kept, >= 0; a value that is larger on its own is not kept.
    size : callable
        The bytes that a value takes.

    Examples
    --------
    >>> cache = BoundedCache[str, str](8, size=len)
    >>> [cache.get(name, lambda: "1234") for name in "abca"][-1]
    '1234'
    >>> cache.hits, cache.misses, cache.bytes
    (0, 4, 8)
    """

    def __init__(self, limit_bytes: int, *, size: Callable[[Value], int]) -> None:
        if limit_bytes < 0:
            raise SettingsError(f"limit_bytes must be at least 0, got {limit_bytes}")
        self.limit_bytes = limit_bytes
        self.bytes = self.hits = self.misses = 0
        self._size = size
        self._kept: OrderedDict[Key, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value of `key`, made now if it is not kept."""
        if key in self._kept:
            self.hits += 1
            self._kept.move_to_end(key)
            return self._kept[key][0]
        self.misses += 1
        value = make()
        size = self._size(value)
        if size <= self.limit_bytes:
            self._kept[key] = (value, size)
            self.bytes += size
            while self.bytes > self.limit_bytes:
                self.bytes -= self._kept.popitem(last=False)[1][1]
        return value

    def discard(self, key: Key) -> None:
        """Forget the value of `key`, where it is kept: it will not be asked for again."""
        if key in self._kept:
            self.bytes -= self._kept.pop(key)[1]
