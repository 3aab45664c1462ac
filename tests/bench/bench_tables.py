"""What the benchmarks share: interleaved rounds, Markdown, a note of the machine."""

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Table:
    """One table of results: Markdown for people, rows for machines."""

    title: str
    how: str
    header: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        lines = [f"### {self.title}", "", self.how, ""]
        lines.append("| " + " | ".join(self.header) + " |")
        lines.append("|---" + "|---:" * (len(self.header) - 1) + "|")
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"


def interleaved(
    runs: Mapping[str, Callable[[], float]], rounds: int, *, warm_up: bool = True
) -> dict[str, list[float]]:
    """Return the seconds of every run, taken in turns (A B C A B C …): all see the same weather."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    if warm_up:
        for run in runs.values():
            run()
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(run())
    return times


def ratio(times: Mapping[str, Sequence[float]], name: str, reference: str) -> float:
    """Return how many times faster `name` is than `reference`: the median of the rounds' ratios."""
    pairs = zip(times[reference], times[name], strict=True)
    return statistics.median(ours / theirs for ours, theirs in pairs)


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    """Return ``median (lowest to highest)``."""
    middle = statistics.median(values)
    return f"{middle:.{digits}f} {unit} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    packages = ("semeq", "numba", "numpy", "scipy", "pedalboard")
    return {
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in packages),
        "load average at the start": f"{load:.2f}",
    }
