"""A session listens to nobody: while all it has is at work, none of its processes has a network port open."""

import os
import socket
import sys
from pathlib import Path

import pytest
from jack_server import JackServer
from live_process import Live

pytestmark = [
    pytest.mark.jack,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net"),
]


def family(pid: int) -> set[int]:
    """Return a process and all that descend from it."""
    found = {pid}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found |= family(int(child))
    return found


def sockets(pid: int) -> set[str]:
    """Return the inodes of a process's sockets of any kind."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            found.add(target[len("socket:[") : -1])
    return found


def network_ports(pid: int) -> list[str]:
    """Return what of TCP or UDP is open in a process: ``kind address:port``, in hexadecimal."""
    mine, found = sockets(pid), []
    for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        table = Path(f"/proc/{pid}/net/{kind}")
        if table.exists():
            rows = [line.split() for line in table.read_text().splitlines()[1:]]
            found += [f"{kind} {row[1]}" for row in rows if row[9] in mine]
    return found


def test_no_process_of_a_session_has_a_port_open(jack: JackServer, tmp_path: Path) -> None:
    with Live(tmp_path, "--make", "warm", "--isolate", "--fresh") as live:
        processes = family(live.process.pid)
        open_ports = {pid: network_ports(pid) for pid in processes}
        has_sockets = any(sockets(pid) for pid in processes)
    assert len(processes) > 1  # the ear is one of its own
    assert has_sockets  # to the JACK server, in the file system
    assert not any(open_ports.values()), open_ports


def test_a_port_would_be_seen() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket(type=socket.SOCK_DGRAM) as bound,
    ):
        bound.bind(("127.0.0.1", 0))
        seen = network_ports(os.getpid())
        for kind, one in (("tcp", listening), ("udp", bound)):
            assert any(
                entry.startswith(f"{kind} ") and entry.endswith(f":{one.getsockname()[1]:04X}")
                for entry in seen
            )
