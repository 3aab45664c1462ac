"""Test processes beside each other, each with a JACK server and clients of the same names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from jack_room import has_own_memory
from jack_server import JackServer

#: Opens and closes two clients again and again, wires them, and waits for JACK to call them.
BUSY = """
import sys
import numpy as np
from jack_probe import Probe
from jack_room import has_own_memory
from jack_server import JackServer
assert has_own_memory()
server = JackServer(sys.argv[1])
server.start()
try:
    for _ in range(30):
        sound = np.zeros((4800, 1), np.float32)
        with Probe("player", sound, 1) as player, Probe("copy", sound, 1, through=True):
            player.connect("player:out_1", "copy:in_1")
            player.connect("copy:out_1", "player:in_1")
            player.run(10.0)
finally:
    server.end()
print("undisturbed")
"""


def test_test_processes_do_not_disturb_each_others_jack(jack: JackServer) -> None:
    if not has_own_memory():
        pytest.skip("no process may have a /dev/shm of its own here: a lock is used instead")
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    processes = []
    for number in range(2):
        name = f"{jack.name}-{number}"
        environment = {**os.environ, "PYTHONPATH": path, "JACK_DEFAULT_SERVER": name}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", BUSY, name],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    for process in processes:
        out, err = process.communicate(timeout=120.0)
        assert (process.returncode, out) == (0, "undisturbed\n"), err
