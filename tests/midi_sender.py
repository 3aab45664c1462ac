"""A controller in a process of its own, as real ones are: sends through JACK MIDI."""

import subprocess
import sys
from types import TracebackType
from typing import Self

PROGRAM = """
import sys, time
import rtmidi
out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name=sys.argv[1])
out.open_virtual_port(sys.argv[2])
print("ready", flush=True)
for line in sys.stdin:
    # perf_counter is one clock for all processes of a machine (CLOCK_MONOTONIC)
    sent = time.perf_counter()
    out.send_message([int(byte) for byte in line.split()])
    print(sent, flush=True)
out.close_port()
out.delete()
"""


class MidiSender:
    """A JACK client with one MIDI output; a context manager."""

    def __init__(self, client: str = "nano", port: str = "knobs") -> None:
        self.name = f"{client}:{port}"
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, client, port],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def send(self, *message: int) -> float:
        """Send one message; return when that was (``time.perf_counter``)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(map(str, message)) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.communicate(timeout=10.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
