"""Compiled code without a place to keep it: a read-only system compiles each time, and works."""

import os
import subprocess
import sys

import numba
import pytest
from numba import cfunc, types
from numba.core import caching

from semeq.engine.jit import cache_folder, jit, kept


def double(x: float) -> float:
    return 2.0 * x


def test_code_is_kept_where_it_can_be() -> None:
    assert cache_folder() is not None
    assert jit(double)(3.0) == 6.0


def test_nowhere_to_keep_it_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    for parent in (caching.CompileResultCacheImpl, caching.CodeLibraryCacheImpl):
        monkeypatch.setattr(parent, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator"):
        numba.njit(cache=True)(double)
    assert jit(double)(3.0) == 6.0
    native = kept(cfunc, types.float64(types.float64), error_model="numpy")(double)
    assert native.ctypes(4.0) == 8.0


def test_a_cache_that_cannot_be_made_is_none() -> None:
    code = "from semeq.engine.jit import cache_folder; print(cache_folder())"
    environment = {**os.environ, "XDG_CACHE_HOME": "/proc/nowhere"}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "None"
