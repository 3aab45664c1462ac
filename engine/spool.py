"""Room for a sound between two passes: a nameless file, if the sound is not too long.

Filtering is the dear part of a pass. What the first pass filtered is kept, so that the second only has to
multiply and write. A long sound is not kept: the second pass filters again, with the same result.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from semeq.engine.units import Audio

#: Longest sound to keep, in bytes: 22 minutes of stereo at 48 kHz.
MAX_BYTES = 512 << 20


class Spool:
    """Blocks to write and then to read again; a context manager that leaves nothing behind.

    Parameters
    ----------
    folder : Path
        Where the file is: beside the output, where there has to be room anyway.
    channels : int
        Channels of every block.
    """

    def __init__(self, folder: Path, channels: int) -> None:
        self._folder = folder
        self._channels = channels
        self._bytes = 0
        self._file: BinaryIO | None = None
        #: Whether all that was written is here.
        self.is_complete = False

    def __enter__(self) -> Self:
        try:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)
            self.is_complete = True
        except OSError:
            self._file = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop()

    def _drop(self) -> None:
        self.is_complete = False
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, block: Audio) -> None:
        """Keep a block, or give up quietly when there is no room."""
        if self._file is None:
            return
        self._bytes += block.nbytes
        try:
            if self._bytes > MAX_BYTES or self._file.write(block.data) != block.nbytes:
                self._drop()
        except OSError:
            self._drop()

    def blocks(self, frames: int) -> Iterator[Audio]:
        """Yield what was written, ``(up to frames, channels)``."""
        if self._file is None:
            return
        self._file.seek(0)
        while True:
            flat = np.fromfile(self._file, np.float32, frames * self._channels)
            if not flat.size:
                return
            yield flat.reshape(-1, self._channels)
