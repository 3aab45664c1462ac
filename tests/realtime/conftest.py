"""Fixtures that start private JACK servers, so that ports and streams are tried on the real thing."""

import os
import shutil
from collections.abc import Iterator

import pytest
from jack_room import has_own_memory, jack_to_oneself
from jack_server import BLOCK, JackServer

from semeq.presets.remembered import FOLDER_VARIABLE


@pytest.fixture(autouse=True)
def remembered_elsewhere(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test reads what another session remembers, nor writes over it."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session", autouse=True)
def jack_elsewhere() -> None:
    """No test process disturbs another's JACK; before the first client looks for a server."""
    has_own_memory()


def _server(name: str, block: int = BLOCK) -> Iterator[JackServer]:
    if shutil.which("jackd") is None or shutil.which("jack_lsp") is None:
        pytest.skip("jackd is not installed: apt-get install jackd2")
    server = JackServer(f"{name}-{os.getpid()}", block=block)
    with jack_to_oneself(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("JACK_DEFAULT_SERVER", server.name)
        patch.setenv("JACK_NO_START_SERVER", "1")
        server.start()
        yield server
        server.end()


@pytest.fixture(scope="session")
def jack() -> Iterator[JackServer]:
    """One server for the session; tests leave it running."""
    yield from _server("semeq-test")


@pytest.fixture
def own_jack() -> Iterator[JackServer]:
    """A server that the test may stop, kill and start again."""
    yield from _server("semeq-own")


@pytest.fixture
def jack_with_block(block: int) -> Iterator[JackServer]:
    """A server with the test's own block size."""
    yield from _server("semeq-block", block)
