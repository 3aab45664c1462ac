"""A private JACK server with the dummy driver: the real thing, on a machine without a sound card."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

FS = 48_000
BLOCK = 128
START_TIMEOUT_S = 10.0
#: A cycle is given up after ten times this, ms. JACK's own choice, two periods, is little on a busy machine.
CLIENT_TIMEOUT_MS = 200


class JackServer:
    """A jackd of our own; clients reach it through JACK_DEFAULT_SERVER."""

    def __init__(self, name: str, fs: int = FS, block: int = BLOCK, *, waits: bool = True) -> None:
        self.name, self.fs, self.block, self.waits = name, fs, block, waits
        self.process: subprocess.Popen[bytes] | None = None
        self.is_listed = False

    def start(self, channels: int = 2) -> None:
        # -S: a cycle lasts until its clients are done. A busy machine then makes time pass more slowly,
        # not samples go missing, and recordings can be compared bit for bit. -t: for as long as it takes.
        command = ["jackd", "-n", self.name, "-R", "-P", "70"]
        command += ["-S", "-t", str(CLIENT_TIMEOUT_MS)] * self.waits
        command += ["-d", "dummy", "-r", str(self.fs), "-p", str(self.block)]
        command += ["-C", str(channels), "-P", str(channels)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"jackd did not start: exit code {self.process.poll()}")
            time.sleep(0.05)

    def is_up(self) -> bool:
        listed = subprocess.run(["jack_lsp", "-s", self.name], capture_output=True, check=False)
        return listed.returncode == 0 and b"system:" in listed.stdout

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            try:
                self.process.wait(5.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
            self.is_listed = how is signal.SIGKILL

    def end(self) -> None:
        """Stop it; one that was killed still fills one of JACK's eight places, which another run frees."""
        if self.process is None and self.is_listed:
            self.start()
        self.stop()


#: System call pidfd_getfd of Linux: another process's file descriptor.
_PIDFD_GETFD = 438


def cut_off(pid: int) -> None:
    """Cut all of a process's lines to JACK, as a server does that drops its clients."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    cut = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if not os.readlink(entry).startswith("socket:"):
                continue
            number = libc.syscall(_PIDFD_GETFD, process, int(entry.name), 0)
            if number < 0:
                pytest.skip(f"sockets cannot be cut here: errno {ctypes.get_errno()}")
            with socket.socket(fileno=number) as line:
                names = f"{line.getsockname()!r} {line.getpeername()!r}"
                if line.family == socket.AF_UNIX and "jack_" in names:
                    line.shutdown(socket.SHUT_RDWR)
                    cut += 1
    os.close(process)
    assert cut, "no line to a JACK server was found"
