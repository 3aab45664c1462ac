"""Runs cases in processes of their own, which may die, hang or run out of memory: that is a case's result.

A case is fine when the file is read, clean when it is refused by one of semeq's errors in one line, and fails
otherwise: another exception or a warning, a crash, more than `LONGEST_S` of work, or more than `MOST_MIB`.
"""

import multiprocessing
import random
import resource
import shutil
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz_mutate import mutated

#: What one case may take: seconds of CPU time (and of the clock, if it waits), and memory.
LONGEST_S, HANGS_S = 8.0, 60.0
#: What a process may take to load everything, on a busy machine.
STARTS_S = 600.0
MOST_MIB = 256
_ADDRESSES_MIB = 2048
FINE, CLEAN = "fine", "clean"
_WEIGHTS = {"audio": 60.0, "encoder": 0.5, "network": 1.0, "arrays": 4.0, "check": 0.5}
_SHARE = 5.0


@dataclass(frozen=True, slots=True)
class Case:
    """What came of one case: `verdict` is "fine", "clean" or how it failed."""

    number: int
    seed: str
    verdict: str
    detail: str = ""

    @property
    def failed(self) -> bool:
        return self.verdict not in (FINE, CLEAN)


#: A case that ended, and its file.
Result = tuple[Case, bytes]


def damaged(seeds: Path, seed: int, number: int) -> tuple[str, bytes]:
    """Return the name of the seed that case `number` is made of, and the case itself."""
    chance = random.Random(f"{seed}/{number}")
    kinds: dict[str, list[Path]] = {}
    for path in sorted(seeds.iterdir()):
        kinds.setdefault(path.name.split(".")[0], []).append(path)
    names = list(kinds)
    weights = [_WEIGHTS.get(name, _SHARE) for name in names]
    (kind,) = chance.choices(names, weights)
    chosen, other = chance.choice(kinds[kind]), chance.choice(chance.choice(list(kinds.values())))
    return chosen.name, mutated(chance, chosen.name, chosen.read_bytes(), other.read_bytes())


def tried(name: str, data: bytes, chance: random.Random, scratch: Path) -> tuple[str, str]:
    """Read a file in this process; return the verdict and what was said."""
    from fuzz_readers import READERS

    from semeq.engine.errors import SemeqError, one_line

    path = scratch / f"case.{name.rpartition('.')[2]}"
    path.write_bytes(data)
    read = chance.choice(READERS[name.split(".")[0]])
    try:
        read(path, scratch)
    except SemeqError as error:
        return CLEAN, one_line(str(error).replace(str(scratch), ""))
    except MemoryError:
        return "memory", traceback.format_exc()
    except Exception as error:
        return type(error).__name__, traceback.format_exc()
    return FINE, ""


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + (_ADDRESSES_MIB << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _work(pipe: Connection, seeds: Path, scratch: Path, seed: int, numbers: list[int]) -> None:
    """Work cases off until done, or until one was too much."""
    scratch.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("error")
    for path in sorted(seeds.iterdir()):  # compile, load and fill what stays
        for chance in range(3):
            tried(path.name, path.read_bytes(), random.Random(chance), scratch)
    warmed = _peak_mib()
    _limit_memory()
    for number in numbers:
        name, data = damaged(seeds, seed, number)
        pipe.send(("begins", Case(number, name, "crash"), data))
        started = time.process_time()
        verdict, detail = tried(name, data, random.Random(number), scratch)
        took, grown = time.process_time() - started, _peak_mib() - warmed
        if verdict in (FINE, CLEAN) and took > LONGEST_S:
            verdict, detail = "slow", f"{took:.1f} s of work: {detail}"
        if verdict in (FINE, CLEAN) and grown > MOST_MIB:
            verdict, detail = "memory", f"{grown:.0f} MiB: {detail}"
        pipe.send(("ends", Case(number, name, verdict, detail), b""))
        if grown > MOST_MIB / 2:
            break
    shutil.rmtree(scratch, ignore_errors=True)


class Worker:
    """A process that works cases off, and is replaced when it dies."""

    def __init__(self, seeds: Path, place: Path, seed: int, numbers: list[int]) -> None:
        self._seeds, self._place, self._seed = seeds, place, seed
        self.left = list(numbers)
        self._starts = 0
        self._start()

    def _start(self) -> None:
        self._starts += 1
        ours, theirs = multiprocessing.Pipe(duplex=False)
        scratch = self._place / str(self._starts)
        arguments = (theirs, self._seeds, scratch, self._seed, self.left)
        self._process = multiprocessing.get_context("spawn").Process(
            target=_work, args=arguments, daemon=True
        )
        self._process.start()
        theirs.close()
        self.pipe = ours
        self.case: Case | None = None
        self.data = b""
        self.since = time.monotonic()

    def take(self) -> Result | None:
        """Take one message; return a case and its file if one ended."""
        try:
            what, case, data = self.pipe.recv()
        except (EOFError, OSError):
            what, case, data = "died", None, b""
        self.since = time.monotonic()
        if what == "begins":
            self.case, self.data = case, data
            return None
        if what == "ends":
            self.left.remove(case.number)
            self.case = None
            return case, self.data
        self._process.join()
        return self._lost("crash", f"exit code {self._process.exitcode}")

    def overdue(self) -> Result | None:
        """End a process that hangs; return its case."""
        patience = HANGS_S if self.case else STARTS_S
        if time.monotonic() - self.since < patience or not self.left:
            return None
        self._process.kill()
        self._process.join()
        return self._lost("hang", f"no answer within {patience:g} s")

    def _lost(self, verdict: str, detail: str) -> Result | None:
        lost, data, self.case = self.case, self.data, None
        self.pipe.close()
        if lost is None and self._process.exitcode != 0:
            raise RuntimeError(f"a worker ended before its work: {detail}")
        if lost is not None:
            self.left.remove(lost.number)
        if self.left:
            self._start()
        return (Case(lost.number, lost.seed, verdict, detail), data) if lost else None


def run(seeds: Path, scratch: Path, seed: int, numbers: list[int], jobs: int) -> Iterator[Result]:
    """Yield every case as it ends, with its file."""
    workers = [
        Worker(seeds, scratch / f"worker-{at}", seed, numbers[at::jobs])
        for at in range(jobs)
        if numbers[at::jobs]
    ]
    while any(worker.left for worker in workers):
        busy = {worker.pipe: worker for worker in workers if worker.left}
        ready = multiprocessing.connection.wait(list(busy), timeout=1.0)
        results = [busy[pipe].take() for pipe in ready if isinstance(pipe, Connection)]
        results += [worker.overdue() for worker in busy.values()]
        yield from (one for one in results if one is not None)
