"""``semeq live`` as a user starts it: a process of its own, watched from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SEMEQ = Path(sys.executable).parent / "semeq"
START_TIMEOUT_S = 90.0  # the first start on a machine compiles


def ports(kind: str = "") -> list[str]:
    """Return the names of all JACK ports that contain `kind`."""
    listed = subprocess.run(
        ["jack_lsp"], capture_output=True, text=True, check=False, env=os.environ
    )
    return [
        line for line in listed.stdout.splitlines() if kind in line and not line.startswith(" ")
    ]


class Live:
    """A running ``semeq live``; leaving the context sends Ctrl-C and waits."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.status_file = folder / "status.jsonl"
        self._arguments = [*arguments, "--status", str(self.status_file)]
        self._folder = folder
        self.process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [str(SEMEQ), "live", *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.statuses():
            if self.process.poll() is not None:
                raise AssertionError(f"semeq live ended: {self.process.stderr.read()}")  # type: ignore[union-attr]  # a pipe
            assert time.monotonic() < deadline, "semeq live did not start"
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.stop()

    def statuses(self) -> list[dict[str, Any]]:
        """Return what the status file holds so far."""
        if not self.status_file.exists():
            return []
        lines = self.status_file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def stop(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """End the session; return exit code, standard output and standard error."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err
