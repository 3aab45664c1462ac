"""Keeps what C libraries print, while they look for hardware that is not there, off the terminal."""

import ctypes
import ctypes.util
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from semeq.realtime import jack

_quieting = threading.RLock()
_hushed = threading.Event()


@contextmanager
def quiet() -> Iterator[None]:
    """Send what C libraries print on standard error to nowhere for a moment; one thread at a time."""
    if _hushed.is_set():
        yield
        return
    with _quieting:
        try:
            sys.stderr.flush()
            saved = os.dup(2)
        except (OSError, ValueError):  # no standard error at all
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(nowhere)


def hush() -> None:
    """Let the audio libraries print nothing from now on: a live view is on the terminal."""
    jack.hush()
    try:
        asound = ctypes.CDLL(ctypes.util.find_library("asound") or "libasound.so.2")
        asound.snd_lib_error_set_handler(ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p))
    except (AttributeError, OSError, TypeError):
        pass  # not Linux
    _hushed.set()
