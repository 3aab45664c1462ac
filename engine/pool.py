"""Many jobs on several processes, where a process that dies takes one job with it and no more.

Each worker is a freshly started interpreter with a pipe. It gets one job at a time and sends shares of
progress and an answer. When a worker dies (killed, out of memory, a crash in a decoder) its job has failed
and another worker takes its place.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from semeq.engine.ending import leave

Job = TypeVar("Job")
Answer = TypeVar("Answer")
#: A job, and a function to call with the share that is done.
Work = Callable[[Job, Callable[[float], None]], Answer]
_PATIENCE_S = 5.0
_SMALLEST_STEP = 0.01


@dataclass(frozen=True, slots=True)
class Died:
    """What stands for the answer of a job whose process ended before it had one."""

    exit_code: int | None

    def __str__(self) -> str:
        """Return the end in words."""
        code = self.exit_code
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended early (code {code})"


def _serve(pipe: "Connection[Any, Any]", work: Work[Any, Any]) -> None:
    """Answer jobs until there are no more: the life of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    signal.signal(signal.SIGTERM, leave)
    with contextlib.suppress(EOFError, OSError):  # the parent is gone
        while True:
            job = pipe.recv()
            told = 0.0

            def progress(share: float) -> None:
                nonlocal told
                if share - told >= _SMALLEST_STEP:
                    told = share
                    pipe.send((False, share))

            pipe.send((True, work(job, progress)))


class _Worker(Generic[Job]):
    """A process, our end of its pipe, and the number of the job it has."""

    def __init__(self, work: Work[Job, Any]) -> None:
        context = get_context("spawn")  # a fork would copy threads' locks
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.job = -1
        self.is_idle = False

    def give(self, number: int, job: Job) -> None:
        self.job = number
        with contextlib.suppress(OSError):  # it is dead: reading its pipe will tell
            self.pipe.send(job)

    def end(self) -> int | None:
        """Close the pipe, end the process, and return its exit code."""
        self.pipe.close()
        self.process.join(_PATIENCE_S if self.is_idle else 0.1)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(_PATIENCE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode


def run_all(
    work: Work[Job, Answer],
    jobs: Sequence[Job],
    workers: int,
    on_progress: Callable[[int, float], None],
) -> Iterator[tuple[int, Answer | Died]]:
    """Run all jobs and yield the number and answer of each as it is ready.

    Parameters
    ----------
    work : callable
        A function of a module, as another process must find it. It must not raise.
    jobs : sequence
        What it is called with; must pickle.
    workers : int
        How many processes, at least 1.
    on_progress : callable
        Called with a job's number and the share of it that is done.

    Yields
    ------
    tuple of int and Answer or Died
        In the order in which jobs end. When the iterator is closed the rest is ended.
    """
    waiting = iter(range(len(jobs)))
    crew: list[_Worker[Job]] = []

    def hire() -> None:
        number = next(waiting, None)
        if number is not None:
            worker = _Worker(work)
            crew.append(worker)
            worker.give(number, jobs[number])

    try:
        for _ in range(min(workers, len(jobs))):
            hire()
        while crew:
            ready = wait([worker.pipe for worker in crew])
            for worker in [worker for worker in crew if worker.pipe in ready]:
                number = worker.job
                try:
                    is_answer, content = worker.pipe.recv()
                except (EOFError, OSError):
                    crew.remove(worker)
                    yield number, Died(worker.end())
                    hire()
                    continue
                if not is_answer:
                    on_progress(number, content)
                    continue
                following = next(waiting, None)
                if following is None:
                    worker.is_idle = True
                    crew.remove(worker)
                    worker.end()
                else:
                    worker.give(following, jobs[following])
                yield number, content
    finally:
        for worker in crew:
            worker.pipe.close()
            worker.process.terminate()
        for worker in crew:
            worker.end()
