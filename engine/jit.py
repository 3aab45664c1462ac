"""How our numeric kernels are compiled: one decorator, one set of flags, one cache.

``error_model="numpy"`` because raising code would need the interpreter, ``nogil`` because the control
side must go on, no ``fastmath`` because results must not depend on how a compiler felt that day.

Numba's own cache watches only the file a function stands in, not the files it calls into. The kernels
span several modules, so the cache folder is named after the content of all of them.
"""

import hashlib
import importlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import numba
from numba.core import config as numba_config

#: Compiled code of another version that nobody has used for so long is removed.
KEPT_DAYS = 30.0
_MARK, _PREFIX = b"semeq.engine.jit", "numba-"
F = TypeVar("F", bound=Callable[..., Any])


def _cache_home() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "semeq"


def _fingerprint() -> str:
    digest = hashlib.sha256()
    engine = Path(__file__).parent
    for path in sorted([*engine.glob("*.py"), *engine.parent.glob("realtime/*.py")]):
        source = path.read_bytes()
        if _MARK in source:
            digest.update(source)
    return digest.hexdigest()[:16]


def _use_cache() -> None:
    settings = vars(numba_config)
    if settings["CACHE_DIR"]:  # the user's NUMBA_CACHE_DIR comes first
        return
    folder = _cache_home() / f"{_PREFIX}{_fingerprint()}"
    try:
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # read-only home: numba finds a place of its own, or compiles each time
    with suppress(OSError):
        os.utime(folder)  # in use
    if is_new:
        _drop_old(folder)
    settings["CACHE_DIR"] = str(folder)


def _drop_old(folder: Path) -> None:
    """Remove what other versions compiled and nobody has used for long: each leaves some 4 MB."""
    oldest = time.time() - KEPT_DAYS * 86_400.0
    for other in folder.parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if other != folder and other.stat().st_mtime < oldest:
                shutil.rmtree(other, ignore_errors=True)


_use_cache()


def _skip_blas() -> None:
    """Load numba's array functions without SciPy.

    They look whether SciPy's linear algebra is there, which takes 0.2 s and is nothing that our kernels use.
    """
    blas = "scipy.linalg.cython_blas"
    if blas in sys.modules:
        return
    sys.modules[blas] = cast(ModuleType, None)  # "cannot be imported", for the time being
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del sys.modules[blas]


_skip_blas()


def cache_folder() -> Path | None:
    """Return where compiled code is kept; None where no such folder can be made."""
    folder = vars(numba_config)["CACHE_DIR"]
    return Path(folder) if folder else None


def is_compiled(module: str) -> bool:
    """Whether kernels of `module` (its last name) are in the cache already."""
    folder = vars(numba_config)["CACHE_DIR"]
    return bool(folder) and any(Path(folder).rglob(f"{module}.*.nbi"))


def kept(compiler: Callable[..., Any], *args: Any, **flags: Any) -> Callable[[F], Any]:  # noqa: ANN401 (numba has no types)
    """Return numba's `compiler` as a decorator that keeps its code on disk, where any disk can be written."""

    def decorate(function: F) -> Any:  # noqa: ANN401
        try:
            return compiler(*args, cache=True, **flags)(function)
        except RuntimeError:  # "no locator available": a read-only system; compiled anew each time
            return compiler(*args, **flags)(function)

    return decorate


def jit(function: F) -> F:
    """Compile `function` for use in files and inside the audio callback alike."""
    return cast(F, kept(numba.njit, error_model="numpy", nogil=True)(function))


def jit_short(function: F) -> F:
    """Compile a function of the control side that is done in a fraction of a millisecond.

    It keeps the interpreter meanwhile: a thread that lets go of it for so little waits longer to get it back
    than the work takes, and a turned knob waits with it.
    """
    return cast(F, kept(numba.njit, error_model="numpy")(function))
