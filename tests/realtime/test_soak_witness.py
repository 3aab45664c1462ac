"""The soak's witness: a callback that works, one that waits and one that ends at once are told apart."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import witness
from c_code import compiled

LATE_US, LONG_S = 2_000.0, 0.005
CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_void_p,
)


class Function:
    """A callback of Python, with its address; it returns 7."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.seen: list[tuple[int, ...]] = []

        def call(*arguments: int | None) -> int:
            self.seen.append(tuple(int(value or 0) for value in arguments))
            work()
            return 7

        self._native = CALLBACK(call)
        self.address = int(ctypes.cast(self._native, ctypes.c_void_p).value or 0)


def work() -> None:
    """Be at work for so long, whatever the wall clock says."""
    until = time.thread_time() + LONG_S
    while time.thread_time() < until:
        pass


def called(folder: Path, function: Function) -> dict[str, Any]:
    library = compiled(witness.SOURCE, folder, *witness.OPTIONS)
    if library is None:
        pytest.skip("there is no C compiler here")
    stand_in = witness.Witness(library, function, LATE_US)
    assert CALLBACK(stand_in.address)(1, 2, 64, 3, 4, 5) == 7
    assert function.seen == [(1, 2, 64, 3, 4, 5)]
    return stand_in.report()


def test_work_is_own_time_without_what_others_took(tmp_path: Path) -> None:
    report = called(tmp_path, Function(work))
    (row,) = report["rows"]
    assert row["wall_us"] >= 1e6 * LONG_S
    assert 1e6 * LONG_S <= row["own_us"] <= row["wall_us"]
    assert report["longest_own_us"] == row["own_us"]


def test_waiting_is_own_time(tmp_path: Path) -> None:
    report = called(tmp_path, Function(lambda: time.sleep(LONG_S)))
    (row,) = report["rows"]
    assert row["waited"] > 0
    assert row["own_us"] == row["wall_us"] >= 1e6 * LONG_S


def test_what_ends_in_time_is_not_noted_alone(tmp_path: Path) -> None:
    report = called(tmp_path, Function(lambda: None))
    assert report["late"] == len(report["rows"]) <= 1  # a busy machine may make it late
    assert report["longest_own_us"] > 0.0
