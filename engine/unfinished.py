"""Temporary files that say whether their writer lives: what a killed run left is found and removed.

A process that is killed cannot tidy up. So a temporary file is locked as long as its writer has it open, and
the system gives the lock back when the writer ends, however it ends. Whoever writes into the same folder next
removes the files that nobody holds. Windows needs no lock: there a file that is open cannot be removed.
"""

import contextlib
import os
import re
import stat
import sys
import time
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

MARK = "semeq-part"
_NAME = re.compile(rf"\..*\.{MARK}-\w+(\..*)?", re.DOTALL)
_TRIES, _PAUSE_S = 200, 0.005


def temporary_name(target: Path, token: str) -> str:
    """Return the name of the temporary file for a target: hidden, and with the target's suffix.

    >>> temporary_name(Path("song.wav"), "1f")
    '.song.semeq-part-1f.wav'
    """
    return f".{target.stem[:80]}.{MARK}-{token}{target.suffix}"


def create(path: Path) -> BinaryIO:
    """Create and lock a file for reading and writing.

    Raises
    ------
    OSError
        If it exists or cannot be created.
    """
    for _ in range(_TRIES):
        file = path.open("x+b")
        is_ours = False
        try:
            # between opening and locking it looked as if nobody had it
            is_ours = _is_locked_by(file) and _is_at(file, path)
        finally:
            if not is_ours:
                file.close()
        if is_ours:
            return file
        time.sleep(_PAUSE_S)
        path.unlink(missing_ok=True)
    raise FileExistsError(f"{path} is taken away again and again")


def remove_abandoned(folder: Path) -> int:
    """Remove the temporary files in `folder` whose writers are gone; return how many there were."""
    removed = 0
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if _NAME.fullmatch(entry.name)]
    except OSError:  # it may be writable and yet not readable
        return 0
    for path in found:
        with contextlib.suppress(OSError):  # somebody else's, or just gone
            removed += _remove_if_abandoned(path)
    return removed


def _remove_if_abandoned(path: Path) -> bool:
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    if sys.platform == "win32":
        path.unlink()
        return True
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # its writer lives, or nobody can know on this file system
            return False
        if not _is_at(file, path):
            return False
        path.unlink()
    return True


def _is_locked_by(file: BinaryIO) -> bool:
    """Lock a new file; False if somebody who clears up has it just now."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks: there nothing is cleared up either
            return True
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether the open file is the one that has this name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except OSError:
        return False
