"""A file that is written beside its target and moved into place: a failure leaves what was there.

The temporary file has the target's suffix and stands in the target's folder, so that the move is one
step of the file system. Its content is on the disk before the move. What a writer that was killed left in
that folder is removed by the next one (`semeq.engine.unfinished`).
"""

import contextlib
import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from semeq.engine.errors import AudioFileError, SemeqError
from semeq.engine.unfinished import MARK, create, remove_abandoned, temporary_name

#: What a system says when there is no room (left) for a file.
_NO_ROOM = {
    errno.ENOSPC,
    errno.EFBIG,
    errno.EIO,
    errno.EROFS,
    getattr(errno, "EDQUOT", errno.ENOSPC),
}


def explain(error: OSError) -> str:
    """Return what the system says went wrong, as the end of a sentence."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def is_same_file(one: Path, other: Path) -> bool:
    """Whether two paths are one file: through links, other spellings, or a disk that ignores case."""
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them does not exist (yet)
        return os.path.abspath(one) == os.path.abspath(other)


def leftovers(target: Path, token: str) -> list[Path]:
    """Return the temporary files that a killed writer with this token left beside `target`."""
    folder = Path(os.path.realpath(target)).parent
    return [path for path in folder.glob(f".*.{MARK}-{token}.*") if path.is_file()]


class Replacement:
    """A new file for `target`: a context manager that removes it unless `commit` was called.

    Parameters
    ----------
    target : Path
        Where the file shall be. A symbolic link is followed: the link stays.
    overwrite : bool
        Whether an existing file may be replaced.
    inputs : iterable of Path
        Files that must not be replaced in any case.
    token : str, optional
        Goes into the temporary name, for `leftovers`.

    Raises
    ------
    AudioFileError
        If the target exists and must not be replaced, is an input or a folder, or its folder cannot be
        written to.
    """

    def __init__(
        self,
        target: Path,
        *,
        overwrite: bool = False,
        inputs: Iterable[Path] = (),
        token: str | None = None,
    ) -> None:
        self.target = target
        self.overwrite = overwrite
        self._check(inputs)
        self._real = Path(os.path.realpath(target))
        name = temporary_name(self._real, token or os.urandom(4).hex())
        self.path = self._real.with_name(name)
        self.file: BinaryIO
        self._done = False

    def _check(self, inputs: Iterable[Path]) -> None:
        if self.target.is_dir():
            raise AudioFileError(f"{self.target} must be a file to write, got a folder")
        for source in inputs:
            if is_same_file(self.target, source):
                raise AudioFileError(
                    f"{self.target} is the input {source}: choose another name for the output"
                )
        if not self.overwrite and os.path.lexists(self.target):
            raise AudioFileError(f"{self.target} exists: give --overwrite to replace it")

    def __enter__(self) -> Self:
        remove_abandoned(self._real.parent)
        try:
            self.file = create(self.path)
        except OSError as error:
            raise AudioFileError(f"{self.target} cannot be written: {explain(error)}") from None
        except BaseException:  # a request to end, just then: nobody would leave what nobody entered
            self.path.unlink(missing_ok=True)
            raise
        return self

    def commit(self) -> None:
        """Put the finished file in the target's place."""
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            if sys.platform == "win32":  # what is open cannot be moved there
                self.file.close()
            with contextlib.suppress(OSError):  # keep the permissions of what is replaced
                os.chmod(self.path, os.stat(self._real).st_mode & 0o7777)
            if self.overwrite:
                os.replace(self.path, self._real)
            else:
                self._add()
        except SemeqError:
            raise
        except OSError as error:
            raise self._failure(error) from None
        self._done = True

    def _add(self) -> None:
        """Give the file its name, unless somebody else took that meanwhile: in one step where links are."""
        taken = AudioFileError(f"{self.target} appeared meanwhile: give --overwrite to replace it")
        if os.path.lexists(self.target):
            raise taken
        try:
            os.link(self.path, self._real)
        except FileExistsError:
            raise taken from None
        except (OSError, NotImplementedError):  # a file system without links
            os.replace(self.path, self._real)
        else:
            self.path.unlink()

    def _failure(self, error: OSError) -> AudioFileError:
        return AudioFileError(f"{self.target} cannot be written: {explain(error)}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._done:  # first, as a lock that is given back says that nobody needs it
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # what is still in the buffer may not find room
            self.file.close()
        if not self._done and sys.platform == "win32":
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise self._failure(error) from None


def write_text(target: Path, text: str, *, inputs: Iterable[Path] = ()) -> None:
    """Write a small text file in the same way, replacing what was there."""
    with Replacement(target, overwrite=True, inputs=inputs) as new:
        new.file.write(text.encode())
        new.commit()
