"""A witness around the audio callback: whether a late one was at work, waited, or had no core.

The callback's own clock cannot tell a callback that is slow from one whose core the host of a virtual machine
has given to somebody else. The kernel can (`witness.c`): a thread's CPU time stands still meanwhile.
"""

import ctypes
from pathlib import Path
from typing import Any, Protocol

SOURCE = Path(__file__).with_name("witness.c")
OPTIONS = ("-shared", "-fPIC")
_ROWS = 4096


class Callback(Protocol):
    """A compiled function."""

    @property
    def address(self) -> int:
        """Where its code is."""


class Witness:
    """Stands in for a callback and calls it.

    Parameters
    ----------
    library : Path
        `SOURCE`, compiled with `OPTIONS`.
    function : Callback
        What it stands around; it is kept alive.
    late_us : float
        Callbacks that take longer are noted one by one.
    """

    def __init__(self, library: Path, function: Callback, late_us: float) -> None:
        self._function, self._library = function, ctypes.CDLL(str(library))
        begin = self._library.witness_begin
        begin.argtypes, begin.restype = (ctypes.c_void_p, ctypes.c_longlong), None
        begin(function.address, round(1e3 * late_us))
        self._table = (ctypes.c_longlong * (2 + 4 * _ROWS)).in_dll(self._library, "witness_table")
        callback = self._library.witness_callback
        self.address = int(ctypes.cast(callback, ctypes.c_void_p).value or 0)

    def report(self) -> dict[str, Any]:
        """Return how many were late, the longest own time of any, and what each late one did.

        A callback's *own* time is what it was at work; all of its time, if it waited for somebody.
        """
        count, longest, *numbers = self._table
        rows = [numbers[4 * i : 4 * i + 4] for i in range(min(count, _ROWS))]
        return {
            "late": count,
            "longest_own_us": longest / 1e3,
            "rows": [
                {
                    "wall_us": wall / 1e3,
                    "own_us": (wall if waited else work) / 1e3,
                    "waited": waited,
                    "preempted": preempted,
                }
                for wall, work, waited, preempted in rows
            ],
        }
