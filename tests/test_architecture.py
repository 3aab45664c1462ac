"""The shape of the house: imports go one way, modules are small and say what they are for."""

import ast
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: What each folder may import of the project.
ALLOWED = {
    "engine": {"engine"},
    "presets": {"presets", "engine"},
    "realtime": {"realtime", "presets", "engine"},
    "training": {"training", "presets", "engine"},
}
FOLDERS = tuple(ALLOWED)
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_LINES = 300
#: Libraries that belong to training alone.
TRAINING_ONLY = {"torch", "torchaudio", "dasp_pytorch", "auraloss"}
#: Too slow to import for a command that only looks words up.
HEAVY = {
    "numba",
    "llvmlite",
    "scipy",
    "pedalboard",
    "sounddevice",
    "rtmidi",
    "matplotlib",
    "mutagen",
}
#: Modules that must stay light.
LIGHT = ("semeq.engine.cli", "semeq.presets.cli_words")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    """Return every module that a file imports, at the top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # Only absolute imports are used: a relative one shows as "." and fails below.
            base = "." * node.level + (node.module or "")
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def test_there_is_something_to_look_at() -> None:
    assert {path.parent.name for path in MODULES} >= set(FOLDERS)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_go_one_way(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    for module in imports(path):
        parts = module.split(".")
        assert parts[0], f"{name(path)}: relative import {module!r}"
        if parts[0] == "semeq" and len(parts) > 1:
            assert parts[1] in ALLOWED[folder], f"{name(path)} must not import {module}"


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=name)
def test_the_package_is_imported_by_its_full_name(path: Path) -> None:
    for module in imports(path):
        assert module.split(".")[0] not in FOLDERS, f"{name(path)}: import semeq.{module}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.relative_to(ROOT).parts[0] != "training"], ids=name
)
def test_torch_stays_in_training(path: Path) -> None:
    assert not {module.split(".")[0] for module in imports(path)} & TRAINING_ONLY


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_one_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
    assert first.endswith((".", ":")), (
        f"{name(path)}: the first line must say what the module is for"
    )
    assert len(text.splitlines()) <= MAX_LINES, f"{name(path)} is longer than {MAX_LINES} lines"


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_types_are_shipped(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()


@pytest.mark.parametrize("module", LIGHT)
def test_looking_words_up_stays_light(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not set(done.stdout.split()) & HEAVY


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_threads_keep_what_the_library_calls_its_own(path: Path) -> None:
    """A thread's own ``_stop`` is called by ``join``: no class of ours may mean something else by it."""
    taken = {one for one in dir(threading.Thread) if one.startswith("_") and one[1] != "_"}
    taken |= {one for one in vars(threading.Thread()) if one.startswith("_")}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and "threading.Thread" in map(ast.unparse, node.bases):
            own = {part.name for part in ast.walk(node) if isinstance(part, ast.FunctionDef)}
            own |= {
                part.attr
                for part in ast.walk(node)
                if isinstance(part, ast.Attribute)
                and ast.unparse(part.value) == "self"
                and isinstance(part.ctx, ast.Store)
            }
            assert not own & taken, f"{name(path)}: {node.name} must not use {sorted(own & taken)}"
