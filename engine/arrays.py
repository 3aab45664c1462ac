"""Arrays out of an ``.npz`` file of anybody's: sizes are checked first, nothing is unpickled.

`numpy.load` makes room for whatever a header claims, and lets errors of five libraries through. A file here
is read member by member: plain numbers and text only, as many bytes as the header's shape needs, and no more
in all than the caller expects.
"""

import math
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

#: What reading a damaged archive may raise.
DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,  # an encrypted member; a method that zipfile does not know
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)
#: Booleans, whole numbers, floats and text.
_KINDS = "biufU"
_SUFFIX = ".npy"
_MOST_MEMBERS = 10_000
_PIECE = 1 << 20
_LONGEST_REASON = 160


def reason(error: BaseException) -> str:
    """Return what an error says in one short line."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= _LONGEST_REASON else said[: _LONGEST_REASON - 1] + "…"


def read_arrays(
    path: Path, names: Collection[str] | None = None, *, most_bytes: int
) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file that `numpy.savez` wrote.

    Parameters
    ----------
    path : Path
        The file.
    names : collection of str, optional
        Which of its arrays; all by default.
    most_bytes : int
        What they may take together, unpacked.

    Raises
    ------
    One of `DAMAGE`
        If the file cannot be read, is damaged, or holds anything but plain arrays of that size.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        if len(archive.infolist()) > _MOST_MEMBERS:
            raise ValueError(f"more than {_MOST_MEMBERS:,} members")
        wanted = [one.removesuffix(_SUFFIX) for one in archive.namelist() if one.endswith(_SUFFIX)]
        if names is not None:
            missing = sorted(set(names) - set(wanted))
            if missing:
                raise ValueError(f"no {missing[0]}")
            wanted = [one for one in wanted if one in names]
        left = most_bytes
        for name in wanted:
            info = archive.getinfo(name + _SUFFIX)
            left -= info.file_size
            if left < 0:
                raise ValueError(f"more than {most_bytes:,} bytes")
            with archive.open(info) as member:
                arrays[name] = _array(member, info.file_size, name)
    return arrays


def _array(member: IO[bytes], size: int, name: str) -> npt.NDArray[Any]:
    version = np.lib.format.read_magic(member)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise ValueError(f"{name} of version {version}")
    try:
        shape, is_fortran, dtype = read_header(member)
    except Exception as error:  # numpy parses it as Python: there is more than one way to fail
        raise ValueError(f"{name} with a damaged header") from error
    if dtype.kind not in _KINDS or dtype.hasobject:
        raise ValueError(f"{name} of type {dtype}")
    # in Python's own numbers, which do not wrap round
    if math.prod(shape) * dtype.itemsize != size - member.tell() or min(shape, default=0) < 0:
        raise ValueError(f"{name} of {size:,} bytes for the shape {shape}"[:_LONGEST_REASON])
    flat = np.empty(math.prod(shape), dtype=dtype)
    room = flat.view(np.uint8)
    at = 0
    while at < flat.nbytes:
        piece = np.frombuffer(member.read(min(_PIECE, flat.nbytes - at)), dtype=np.uint8)
        if not len(piece):
            raise EOFError(f"{name} ends early")
        room[at : at + len(piece)] = piece
        at += len(piece)
    member.read()  # to its end, where the checksum is compared
    return flat.reshape(shape, order="F" if is_fortran else "C")
