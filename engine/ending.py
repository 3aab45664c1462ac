"""A polite request to end as an exception, once: whoever holds a temporary file removes it on the way out."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


def leave(number: int, frame: FrameType | None) -> NoReturn:
    """Handle a signal: exit as a shell expects it, and do not hear it again.

    Raises
    ------
    SystemExit
        With 128 + the signal's number.
    """
    signal.signal(number, signal.SIG_IGN)  # a second one would stop the tidying up half way
    sys.exit(128 + number)


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM remove temporary files, as Ctrl-C does; for the main thread."""
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is leave:  # else it came, and stays unheard to the end
            signal.signal(signal.SIGTERM, before)
