"""Compiled code without a place to keep it: a read-only system compiles each time, and works."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numba
import pytest
from numba import cfunc, types
from numba.core import caching

from semeq.engine.jit import KEPT_DAYS, cache_folder, jit, kept


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


def cache_folder_under(home: str) -> str:
    """Return what another process takes for its cache folder."""
    code = "from semeq.engine.jit import cache_folder; print(cache_folder())"
    environment = {**os.environ, "XDG_CACHE_HOME": home}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_cache_that_cannot_be_made_is_none() -> None:
    assert cache_folder_under("/proc/nowhere") == "None"


def test_what_older_versions_compiled_does_not_pile_up(tmp_path: Path) -> None:
    home = tmp_path / "semeq"
    for name, days in (("numba-1", KEPT_DAYS + 1.0), ("numba-2", 1.0), ("mine", 900.0)):
        (home / name / "engine").mkdir(parents=True)
        (home / name / "engine" / "x.nbi").write_bytes(b"x")
        then = time.time() - 86_400.0 * days
        os.utime(home / name, (then, then))
    folder = Path(cache_folder_under(str(tmp_path)))
    assert {entry.name for entry in home.iterdir()} == {folder.name, "numba-2", "mine"}
    then = time.time() - 86_400.0 * 2.0 * KEPT_DAYS
    os.utime(folder, (then, then))
    assert cache_folder_under(str(tmp_path)) == str(folder)  # ours is used, however old
    assert time.time() - folder.stat().st_mtime < 60.0
