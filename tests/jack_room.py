"""JACK for one test process at a time, or shared memory of its own for each.

JACK names a client's line after the client alone, not after its server: two clients of one name that open
at the same moment take each other's, though their servers are different ones. Then notices get lost, and a
graph whose clients do not know of each other waits in every cycle until it is given up. Test processes run
beside each other and use the same names. So each gets a ``/dev/shm`` of its own, where the system lets it;
where not, a lock.
"""

import ctypes
import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_CLONE_NEWNS = 0x0002_0000
_MS_REC, _MS_PRIVATE = 0x4000, 0x4_0000
_holders: list[int] = []


@cache
def has_own_memory() -> bool:
    """Give this thread, and all that it starts, a ``/dev/shm`` of its own; return whether it has one."""
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(
        libc.unshare(_CLONE_NEWNS) == 0
        # first: or the whole machine would get it
        and libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None) == 0
        and libc.mount(b"semeq-tests", b"/dev/shm", b"tmpfs", 0, None) == 0
    )


@contextmanager
def jack_to_oneself() -> Iterator[None]:
    """Use JACK here, with nobody beside who could have clients of the same names; may be nested."""
    if has_own_memory() or _holders:
        yield
        return
    with (Path(tempfile.gettempdir()) / "semeq-tests-jack.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _holders.append(1)
        try:
            yield
        finally:
            _holders.pop()
