"""Analyses many files, here or in other processes; a file that fails does not stop the others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semeq.engine.analysis_file import analyse_file
from semeq.engine.analysis_tables import as_dict
from semeq.engine.analysis_types import AnalysisConfig
from semeq.engine.errors import AudioFileError, SemeqError, one_line
from semeq.engine.pool import Died, run_all
from semeq.presets.library import load_vocabulary
from semeq.presets.shipped_model import load_shipped_model

#: What is taken from a folder; a file that is named is tried whatever its suffix.
SUFFIXES = frozenset(
    (".wav", ".wave", ".aif", ".aiff", ".aifc", ".flac", ".ogg", ".oga", ".mp3", ".rf64", ".w64")
)

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One file to analyse."""

    source: Path
    config: AnalysisConfig = field(default_factory=AnalysisConfig)


def find_sources(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are named, and the sound files in folders that are, each once.

    Raises
    ------
    AudioFileError
        If a folder holds no sound file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        inside = sorted(
            one
            for one in path.rglob("*")
            if one.suffix.lower() in SUFFIXES and one.is_file() and not one.name.startswith(".")
        )
        if not inside:
            raise AudioFileError(f"{path} must hold sound files, got none")
        found |= dict.fromkeys(inside)
    return list(found)


def fulfil(request: Request, progress: Callable[[float], None]) -> Content | str:
    """Analyse one file; return plain values, or what went wrong in one line."""
    try:
        found = analyse_file(
            request.source, load_shipped_model(), load_vocabulary(), request.config, progress
        )
        return as_dict(found, str(request.source))
    except SemeqError as error:
        return one_line(error)
    except Exception as error:
        # a mistake of ours: it must not stop the other files
        said = one_line(error)
        return f"{request.source} failed: {type(error).__name__}: {said}"


def run(
    requests: Sequence[Request], workers: int, on_progress: Callable[[int, float], None]
) -> Iterator[tuple[int, Content]]:
    """Fulfil all requests; yield number and values of each, or ``{"file", "status", "error"}``."""
    if workers == 1 or len(requests) == 1:
        for number, request in enumerate(requests):

            def progress(share: float, number: int = number) -> None:
                on_progress(number, share)

            yield number, _content(request, fulfil(request, progress))
        return
    for number, answer in run_all(fulfil, requests, workers, on_progress):
        if isinstance(answer, Died):
            answer = f"{requests[number].source} failed: {answer}"
        yield number, _content(requests[number], answer)


def _content(request: Request, answer: Content | str) -> Content:
    if isinstance(answer, str):
        return {"file": str(request.source), "status": "failed", "error": answer}
    return answer
