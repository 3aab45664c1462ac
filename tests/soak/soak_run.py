"""One soak: a loaded live session on a real JACK server, and whether it kept its promises.

Conventions
-----------
A *missed deadline* is ours: the callback took longer than a block lasts, by its own clock. An *xrun* is what
JACK says of the whole graph: with no deadline missed, the machine woke somebody late. *Steal* is time that
the host of a virtual machine gave to others: nobody inside can help it. The *floor* is what the machine does,
in the same minutes, to a fixed piece of arithmetic in a thread above all others (`machine_floor`).
A callback's *own* time is what it was at work, or all of its time if it waited for anybody (`witness`): what
the wall clock has above it is time in which the machine had given its core away.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import witness
from c_code import compiled
from jack_probe import Probe
from jack_server import FS, JackServer
from machine_floor import machine_floor

from semeq.engine.synth import demo_mix

HERE = Path(__file__).parent
#: Longest callback as a share of the period.
MAX_SHARE = 0.25
#: What a session may grow, MiB in ten minutes or in a shorter run (the slope of a few seconds says nothing
#: of ten minutes); the first part of a run warms up and is not counted.
MAX_GROWTH_MIB = 2.0
SETTLES_S = 15.0
START_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Soak:
    """What came of one run: the session's last status, its load, its memory, and the machine."""

    block: int
    seconds: float
    session: dict[str, Any]
    rss_mib: list[tuple[float, float]]  # (s, MiB)
    machine: dict[str, Any]

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.session["status"]
        return status

    @property
    def period_us(self) -> float:
        """How long a block lasts."""
        return 1e6 * self.block / FS

    @property
    def max_share(self) -> float:
        """The longest callback as a share of the period."""
        return float(self.status["callback_us"]["max"]) / self.period_us

    @property
    def own_us(self) -> float:
        """The longest own time of a callback; by the wall clock where no witness stood by."""
        longest: float = self.session["witness"].get(
            "longest_own_us", self.status["callback_us"]["max"]
        )
        return longest

    @property
    def own_missed(self) -> int:
        """How many callbacks were at work for longer than a block lasts."""
        if not self.session["witness"]:
            return int(self.status["missed_deadlines"])
        rows = self.session["witness"]["rows"]
        return sum(row["own_us"] > self.period_us for row in rows)

    @property
    def growth_mib(self) -> float:
        """Growth of the resident memory after it has settled, by its slope: in ten minutes, or in the run."""
        t, rss = np.array([pair for pair in self.rss_mib if pair[0] >= SETTLES_S]).T
        return float(np.polyfit(t, rss, 1)[0]) * min(600.0, self.seconds)

    def failures(self) -> list[str]:
        """Return each promise that was not kept by the wall clock, in a line."""
        missed = self.status["missed_deadlines"]
        return [*self._late(missed, self.max_share, "the wall clock"), *self._others()]

    def own_failures(self) -> list[str]:
        """Return each promise that semeq itself did not keep: what its callbacks' own time says."""
        share = self.own_us / self.period_us
        return [*self._late(self.own_missed, share, "its own time"), *self._others()]

    def _late(self, missed: int, share: float, clock: str) -> list[str]:
        failed = []
        if missed:
            failed.append(f"{missed} deadlines missed by {clock}, 0 promised")
        if share > MAX_SHARE:
            failed.append(
                f"the longest callback took {share:.1%} of the period by {clock}, {MAX_SHARE:.0%} promised"
            )
        return failed

    def _others(self) -> list[str]:
        failed = []
        if self.growth_mib > MAX_GROWTH_MIB:
            failed.append(f"memory grew by {self.growth_mib:.2f} MiB, {MAX_GROWTH_MIB} promised")
        if self.status["encoder"]["updates"] < self.seconds:
            failed.append(f"the encoder heard {self.status['encoder']['updates']} windows: no load")
        if self.session["load"]["changes"] < 1000 or self.session["load"]["collections"] < 2:
            failed.append(f"the load did not run: {self.session['load']}")
        return failed

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return {
            "block": self.block,
            "seconds": self.seconds,
            "fs": FS,
            "max_share_of_period": round(self.max_share, 5),
            "growth_mib": round(self.growth_mib, 3),
            "failures": self.failures(),
            "own_failures": self.own_failures(),
            "machine": self.machine,
            "rss_mib": self.rss_mib,
            **self.session,
        }


def soak(block: int, seconds: float, folder: Path) -> Soak:
    """Run a session of `block` frames under load for `seconds` on a JACK server of our own."""
    server = JackServer(f"semeq-soak-{os.getpid()}", block=block, waits=False)
    before = os.environ.get("JACK_DEFAULT_SERVER")
    os.environ["JACK_DEFAULT_SERVER"], os.environ["JACK_NO_START_SERVER"] = server.name, "1"
    server.start()
    try:
        with (
            tempfile.TemporaryDirectory() as made,
            machine_floor(seconds, 1e6 * block / FS) as floor,
        ):
            library = compiled(witness.SOURCE, Path(made), *witness.OPTIONS)
            run = _run(block, seconds, folder, library)
        run.machine["floor"] = floor
        return run
    finally:
        server.stop()
        if before is None:
            del os.environ["JACK_DEFAULT_SERVER"]
        else:
            os.environ["JACK_DEFAULT_SERVER"] = before


def _run(block: int, seconds: float, folder: Path, library: Path | None) -> Soak:
    status, said = folder / f"status_{block}.jsonl", folder / f"session_{block}.json"
    errors = folder / f"errors_{block}.txt"
    for old in (status, said, errors):
        old.unlink(missing_ok=True)
    command = [sys.executable, str(HERE / "loaded_session.py")]
    command += ["--seconds", f"{seconds:g}", "--status", str(status)]
    if library is not None:
        command += ["--witness", str(library), "--late-us", f"{MAX_SHARE * 1e6 * block / FS:g}"]
    steal, loads = _steal_s(), [os.getloadavg()[0]]
    with said.open("w") as out, errors.open("w") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    rss: list[tuple[float, float]] = []
    try:
        _wait_for_first(status, process)
        started = time.perf_counter()
        with _music():
            while process.poll() is None:
                rss.append((round(time.perf_counter() - started, 2), _rss_mib(process.pid)))
                loads.append(os.getloadavg()[0])
                with suppress(subprocess.TimeoutExpired):
                    process.wait(1.0)
                if time.perf_counter() - started > seconds + 60.0:
                    raise RuntimeError(f"the session did not end: {errors.read_text()}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"the session failed: {errors.read_text()}")
    machine = {
        "cores": os.cpu_count(),
        "load_average_before": round(loads[0], 2),
        "load_average_during": [round(min(loads[1:]), 2), round(max(loads[1:]), 2)],
        "steal_s": round(_steal_s() - steal, 2),
    }
    # the last sample may be of a process that is on its way out
    return Soak(block, seconds, json.loads(said.read_text()), rss[:-1], machine)


@contextmanager
def _music() -> Iterator[None]:
    """Play music into the session while the context lasts, from a client of native code."""
    over = threading.Event()

    def play(probe: Probe) -> None:
        with suppress(AssertionError):  # the server ended in the middle
            while not over.is_set():
                probe.run(60.0)

    with Probe("player", demo_mix(float(FS), 20.0), 2) as probe:
        for i in (0, 1):
            probe.connect(f"player:out_{i + 1}", f"semeq:in_{i}")
            probe.connect(f"semeq:out_{i}", f"player:in_{i + 1}")
        threading.Thread(target=play, args=(probe,), daemon=True).start()
        try:
            yield
        finally:
            over.set()


def _wait_for_first(status: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (status.exists() and status.stat().st_size):
        if process.poll() is not None or time.monotonic() > deadline:
            return  # what it said is read by the caller
        time.sleep(0.1)


def _rss_mib(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return round(int(line.split()[1]) / 1024.0, 3)
    return float("nan")


def _steal_s() -> float:
    fields = Path("/proc/stat").read_text().splitlines()[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")
