"""A private JACK server with the dummy driver, so that ports and streams are tried on the real thing."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

FS = 48_000
BLOCK = 128
START_TIMEOUT_S = 10.0


class JackServer:
    """A jackd of our own; clients reach it through JACK_DEFAULT_SERVER."""

    def __init__(self, name: str, fs: int = FS, block: int = BLOCK) -> None:
        self.name, self.fs, self.block = name, fs, block
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = ["jackd", "-n", self.name, "-R", "-P", "70", "-d", "dummy"]
        command += ["-r", str(self.fs), "-p", str(self.block)]
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


def _server(name: str) -> Iterator[JackServer]:
    if shutil.which("jackd") is None or shutil.which("jack_lsp") is None:
        pytest.skip("jackd is not installed: apt-get install jackd2")
    server = JackServer(f"{name}-{os.getpid()}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JACK_DEFAULT_SERVER", server.name)
        patch.setenv("JACK_NO_START_SERVER", "1")
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def jack() -> Iterator[JackServer]:
    """One server for the session; tests leave it running."""
    yield from _server("semeq-test")


@pytest.fixture
def own_jack() -> Iterator[JackServer]:
    """A server that the test may stop, kill and start again."""
    yield from _server("semeq-own")
