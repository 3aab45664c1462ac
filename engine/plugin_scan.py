"""Which plugins are installed: the standard folders of each system, every file tried in a child process."""

import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeq.engine.errors import SemeqError
from semeq.engine.plugin_guest import Guest, names_of
from semeq.engine.plugin_values import ParameterFacts

TIMEOUT_S = 20.0
WORKERS = 4
#: Folders deeper than this below a standard one are not looked into.
MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Found:
    """One plugin, or one file that failed.

    Parameters
    ----------
    path : str
        What to give as a plugin's path, ``#NAME`` included where the file holds several.
    facts : dict
        Name, vendor, version, kind, role and identifier; empty where it failed.
    parameters : tuple of ParameterFacts
        As they stand when it is loaded.
    error : str
        Why it cannot be used, in one line; empty where it can.
    """

    path: str
    facts: dict[str, str]
    parameters: tuple[ParameterFacts, ...] = ()
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            **self.facts,
            "path": self.path,
            "status": "failed" if self.error else "ok",
            "error": self.error or None,
            "parameters": [facts.as_dict() for facts in self.parameters],
        }


def standard_folders() -> list[Path]:
    """Return where this system keeps plugins, the user's own first."""
    home, environment = Path.home(), os.environ
    named = [Path(part) for part in environment.get("VST3_PATH", "").split(os.pathsep) if part]
    if sys.platform == "darwin":
        library = Path("Library/Audio/Plug-Ins")
        roots = [home / library, Path("/") / library]
        return named + [root / kind for root in roots for kind in ("VST3", "Components")]
    if sys.platform == "win32":
        local, common = environment.get("LOCALAPPDATA"), environment.get("COMMONPROGRAMFILES")
        found = [Path(local) / "Programs" / "Common" / "VST3"] if local else []
        return named + found + ([Path(common) / "VST3"] if common else [])
    system = ("/usr/local/lib/vst3", "/usr/lib/vst3", "/usr/lib64/vst3")
    return [*named, home / ".vst3", *map(Path, system)]


def _suffixes() -> tuple[str, ...]:
    return (".vst3", ".component") if sys.platform == "darwin" else (".vst3",)


def files_in(folders: Iterable[Path]) -> list[Path]:
    """Return all plugin files and bundles in `folders`, each once; a bundle may be given itself."""
    found: dict[Path, None] = {}

    def look(path: Path, depth: int) -> None:
        if path.suffix.casefold() in _suffixes():
            found[path.absolute()] = None
            return
        try:
            inside = sorted(path.iterdir()) if depth <= MAX_DEPTH and path.is_dir() else []
        except OSError:  # not ours to read
            return
        for entry in inside:
            if entry.is_dir() or entry.suffix.casefold() in _suffixes():
                look(entry, depth + 1)

    for folder in folders:
        look(folder, 0)
    return list(found)


def probe(path: Path, timeout_s: float = TIMEOUT_S) -> list[Found]:
    """Try a file: return each plugin in it, or the file with what is wrong with it."""
    try:
        names = names_of(path, timeout_s=timeout_s)
    except SemeqError as error:
        return [Found(str(path), {}, error=str(error))]
    # what cannot be listed is loaded all the same: that says what is wrong
    several = [Path(f"{path}#{name}") for name in names] if len(names) > 1 else [path]
    return [_probe_one(one, timeout_s) for one in several]


def _probe_one(path: Path, timeout_s: float) -> Found:
    try:
        with Guest(path, timeout_s=timeout_s, any_kind=True) as guest:
            return Found(str(path), guest.facts, tuple(guest.parameters()))
    except SemeqError as error:
        return Found(str(path), {}, error=str(error))


def scan(paths: Iterable[Path], *, timeout_s: float = TIMEOUT_S) -> Iterator[Found]:
    """Try all files and yield what is found, in the order of `paths`."""
    with ThreadPoolExecutor(WORKERS) as crew:
        for found in crew.map(lambda path: probe(path, timeout_s), paths):
            yield from found
