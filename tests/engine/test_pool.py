"""Jobs on several processes: all answers, progress, and a death that costs one job."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from semeq.engine.pool import Died, run_all

Progress = Callable[[float], None]


def square(job: int, progress: Progress) -> tuple[int, int]:
    progress(0.5)
    progress(1.0)
    return job * job, os.getpid()


def die(job: str, progress: Progress) -> str:
    if job == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "left":
        os._exit(3)
    return job.upper()


def wait_with_a_file(job: Path, progress: Progress) -> None:
    try:
        job.touch()
        progress(0.5)
        time.sleep(60.0)
    finally:
        job.unlink()


def take_long_to_tidy(job: Path, progress: Progress) -> None:
    job.touch()
    try:
        progress(0.5)
        time.sleep(60.0)
    finally:
        time.sleep(1.0)  # longer than the parent waits before it asks again
        job.unlink()


def test_all_jobs_are_answered_by_as_many_processes_as_asked() -> None:
    told: list[tuple[int, float]] = []
    answers = dict(run_all(square, list(range(7)), 2, lambda n, share: told.append((n, share))))
    assert {n: answer[0] for n, answer in answers.items() if not isinstance(answer, Died)} == {
        n: n * n for n in range(7)
    }
    processes = {answer[1] for answer in answers.values() if not isinstance(answer, Died)}
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert sorted(told) == [(n, share) for n in range(7) for share in (0.5, 1.0)]


def test_a_process_that_dies_costs_one_job() -> None:
    jobs = ["a", "killed", "b", "left", "c", "d"]
    answers = dict(run_all(die, jobs, 2, lambda n, share: None))
    assert [answers[n] for n in (0, 2, 4, 5)] == ["A", "B", "C", "D"]
    assert str(answers[1]) == "its process was ended by SIGKILL"
    assert str(answers[3]) == "its process ended early (code 3)"


@pytest.mark.parametrize("work", [wait_with_a_file, take_long_to_tidy])
def test_stopping_ends_the_processes_and_lets_them_clean_up(
    tmp_path: Path, work: Callable[[Path, Progress], None]
) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    running: list[int] = []

    def stop_when_both_run(number: int, share: float) -> None:
        running.append(number)
        if len(running) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        for _ in run_all(work, files, 2, stop_when_both_run):
            pass
    assert not any(path.exists() for path in files)


def test_no_jobs_need_no_processes() -> None:
    assert list(run_all(square, [], 4, lambda n, share: None)) == []
