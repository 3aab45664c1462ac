"""Examines the machine for ``semeq doctor``: every check within its time, whatever it meets.

A *finding* says how one thing stands: ``ok``, ``note`` (semeq works, something could be better or is missing
that not everybody needs) or ``problem`` (it stops semeq from working). Checks that call into C libraries of
others run in a process of their own (`semeq.realtime.doctor_probes`): one that hangs or crashes is a finding,
too.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

#: How long one check may take, s. All run at once.
TIMEOUT_S = 4.0


class Level(StrEnum):
    """How a thing stands."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands.

    Parameters
    ----------
    subject : str
        What was looked at.
    level : Level
        How it stands.
    says : str
        What was found.
    means : str
        What follows from it; empty where it is well.
    mend : str
        What to do about it; empty where there is nothing.
    """

    subject: str
    level: Level
    says: str
    means: str = ""
    mend: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it as plain values for JSON."""
        return {**asdict(self), "level": self.level.value}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Finding":
        """Return a finding that `as_dict` made."""
        texts = {key: str(values[key]) for key in ("subject", "says", "means", "mend")}
        return cls(level=Level(values["level"]), **texts)

    def line(self) -> str:
        """Return the finding for people."""
        parts = [part for part in (self.says, self.means, self.mend) if part]
        return " ".join(f"{self.level.value:<8} {self.subject:<10} {' — '.join(parts)}".split("\n"))


def ok(subject: str, says: str) -> Finding:
    """Return that something is well."""
    return Finding(subject, Level.OK, says)


def note(subject: str, says: str, means: str, mend: str = "") -> Finding:
    """Return that something could be better."""
    return Finding(subject, Level.NOTE, says, means, mend)


def problem(subject: str, says: str, means: str, mend: str = "") -> Finding:
    """Return that something stops semeq from working."""
    return Finding(subject, Level.PROBLEM, says, means, mend)


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at.

    Parameters
    ----------
    subject : str
        What it is called if it fails.
    look : callable
        Returns the findings.
    if_it_fails : Level
        How bad it is when it does not answer.
    """

    subject: str
    look: Callable[[], Sequence[Finding]]
    if_it_fails: Level = Level.NOTE

    def failed(self, why: str) -> Finding:
        """Return that the check itself failed."""
        means = "semeq would hang or fail there, too"
        if self.if_it_fails is Level.NOTE:
            means = "nothing is known of it"
        mend = "a busy machine needs longer: try again; if it stays, report it with this line"
        return Finding(self.subject, self.if_it_fails, why, means, mend)


def probe(name: str, subject: str, if_it_fails: Level, timeout_s: float = TIMEOUT_S) -> Check:
    """Return a check of `semeq.realtime.doctor_probes`, run in a process of its own."""

    def look() -> Sequence[Finding]:
        command = [sys.executable, "-m", "semeq.realtime.doctor_probes", name]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [check.failed(f"no answer within {timeout_s:g} s")]
        if done.returncode != 0:
            return [check.failed(_why(done.returncode, done.stderr))]
        return [Finding.from_dict(values) for values in json.loads(done.stdout.splitlines()[-1])]

    check = Check(subject, look, if_it_fails)
    return check


def _why(code: int, errors: bytes) -> str:
    last = (errors.decode(errors="replace").strip().splitlines() or ["it says nothing"])[-1]
    what = f"crashed (signal {-code})" if code < 0 else "failed"
    return f"the check {what}: {' '.join(last.split())[:200]}"


def examine(checks: Sequence[Check], timeout_s: float = TIMEOUT_S) -> list[Finding]:
    """Run all checks at once and return what they found, in their order; never raises, never hangs."""
    found: list[list[Finding] | None] = [None] * len(checks)

    def work(number: int, check: Check) -> None:
        try:
            found[number] = list(check.look())
        except Exception as error:
            found[number] = [check.failed(f"the check failed: {type(error).__name__}: {error}")]

    threads = [threading.Thread(target=work, args=pair, daemon=True) for pair in enumerate(checks)]
    for thread in threads:
        thread.start()
    # a probe ends itself after its time; a moment more for it to be said
    end = time.monotonic() + timeout_s + 0.5
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0.0))
    findings: list[Finding] = []
    for check, result in zip(checks, found, strict=True):
        findings += (
            [check.failed(f"no answer within {timeout_s:g} s")] if result is None else result
        )
    return findings


def works(findings: Sequence[Finding]) -> bool:
    """Whether nothing stops semeq from working."""
    return all(finding.level is not Level.PROBLEM for finding in findings)
