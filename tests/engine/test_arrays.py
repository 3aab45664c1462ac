"""Arrays of anybody's: refused in one line before any room is made for what they claim."""

import io
import struct
import time
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semeq.engine.arrays import DAMAGE, read_arrays, reason

MOST = 1 << 20


def packed(path: Path, method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name + ".npy", content)
    return path


def npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def claim(shape: str, kind: str = "<f8", content: bytes = b"") -> bytes:
    return npy(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}", content)


def test_what_numpy_wrote_comes_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    given: dict[str, Any] = {
        "plain": rng.standard_normal((3, 4)),
        "turned": np.asfortranarray(rng.standard_normal((5, 2)).astype(np.float32)),
        "one": np.array("text"),
        "none": np.zeros((0, 3), dtype=np.int16),
        "flags": np.array([True, False]),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **given)
        back = read_arrays(tmp_path / "a.npz", most_bytes=MOST)
        assert list(back) == list(given)
        for name, array in given.items():
            np.testing.assert_array_equal(back[name], array)
            assert back[name].dtype == array.dtype
    assert list(read_arrays(tmp_path / "a.npz", ("one",), most_bytes=MOST)) == ["one"]


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (claim("(1000000000, 1000000000)"), "for the shape"),
        (claim("(4294967296, 4294967296)"), "for the shape"),  # 0 in 64 bits
        (claim("(-1,)", content=bytes(8)), "for the shape"),
        (claim("(2,)", content=bytes(8)), "for the shape"),
        (claim("(1000000000000,)", "|V0"), "of type"),
        (claim("(1,)", "|O", bytes(8)), "of type object"),
        (claim("(1,)", "<M8[s]", bytes(8)), "of type datetime64"),
        (claim("()", "<U1000000000"), "header"),
        (npy("(" * 90), "header"),
        (b"\x80\x04\x95pickle", "magic string"),
        (b"", "magic string"),
    ],
)  # fmt: skip
def test_what_is_no_plain_array_is_refused(tmp_path: Path, member: bytes, said: str) -> None:
    path = packed(tmp_path / "a.npz", x=member)
    with pytest.raises(DAMAGE) as caught:
        read_arrays(path, most_bytes=MOST)
    assert said in reason(caught.value).replace("\n", " ")


def test_a_bomb_takes_no_room(tmp_path: Path) -> None:
    """64 MB of zeros in 64 kB, and as a claim alone."""
    path = packed(tmp_path / "a.npz", x=claim("(8388608,)", content=bytes(64 << 20)))
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(ValueError, match="more than 1,048,576 bytes"):
            read_arrays(path, most_bytes=MOST)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST
    assert time.process_time() - began < 1.0


def test_damaged_archives(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.savez_compressed(whole, x=np.arange(1000.0))
    for at in range(0, len(whole.getvalue()), 37):
        path = tmp_path / "a.npz"
        damaged = bytearray(whole.getvalue())
        damaged[at] ^= 0xFF
        path.write_bytes(damaged)
        with suppress(*DAMAGE):  # a bit that does not matter may have been hit
            read_arrays(path, most_bytes=MOST)
        path.write_bytes(whole.getvalue()[:at])
        with pytest.raises(DAMAGE):
            read_arrays(path, most_bytes=MOST)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="no y"):
        read_arrays(tmp_path / "a.npz", ("x", "y"), most_bytes=MOST)
    np.save(tmp_path / "b.npy", np.zeros(3))
    with pytest.raises(zipfile.BadZipFile):
        read_arrays(tmp_path / "b.npy", most_bytes=MOST)
