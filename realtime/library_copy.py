"""PortAudio once more, beside one that can no longer be ended: the same library from a copy of its file.

A PortAudio whose JACK server is gone cannot be closed (it waits ten minutes) nor ended (an assertion of its
own ends the process), and it never looks for devices again. The loader takes another file for another
library, so a copy begins anew while the old one is left as it is: a few hundred kilobytes a loss.
"""

import ctypes
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from semeq.engine.errors import DeviceError

#: Libraries that were left behind: libjack and threads may still call into them.
_left: list[Any] = []


def _file_of(name: str) -> Path:
    """Return the file of a library that is loaded under `name`."""
    if Path(name).is_file():
        return Path(name)
    with suppress(OSError):
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        for line in maps.splitlines():
            path = Path(line.split(maxsplit=5)[-1])
            if path.name.startswith(Path(name).name.split(".")[0]) and path.is_file():
                return path
    raise DeviceError(
        f"PortAudio's library {name} must be a file to be opened again: start semeq again"
    )


def take_copy(sounddevice: ModuleType) -> ctypes.CDLL:
    """Let `sounddevice` use a fresh copy of its library, not started yet, and return the copy for ctypes.

    Raises
    ------
    DeviceError
        If the library's file is not found or cannot be copied.
    """
    file = _file_of(sounddevice._libname)
    try:
        folder = Path(tempfile.mkdtemp(prefix="semeq-"))
        try:
            copy = Path(shutil.copy(file, folder / file.name))
            library = sounddevice._ffi.dlopen(str(copy))
            handle = ctypes.CDLL(str(copy))
        finally:
            # open libraries keep their file's contents; Windows keeps the file, too
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise DeviceError(
            f"PortAudio cannot be opened once more: {error}; start semeq again"
        ) from None
    _left.append(sounddevice._lib)
    vars(sounddevice).update(_lib=library, _initialized=0)
    return handle
