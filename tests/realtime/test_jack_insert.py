"""semeq as an insert in somebody else's JACK patch: its name, its wires, and the script of the docs."""

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from jack_probe import Probe
from jack_server import JackServer
from jack_takes import FS, lag
from live_process import SEMEQ, Live

pytestmark = pytest.mark.jack

SCRIPT = Path(__file__).parents[2] / "docs" / "jack_insert.sh"


def wired(port: str) -> list[str]:
    """Return what a port is connected to."""
    listed = subprocess.run(["jack_lsp", "-c", port], capture_output=True, text=True, check=True)
    return [line.strip() for line in listed.stdout.splitlines() if line.startswith(" ")]


def test_a_session_under_its_own_name_is_wired_by_the_script_of_the_docs_alone(
    jack: JackServer, tmp_path: Path
) -> None:
    sent = (0.2 * np.random.default_rng(0).standard_normal((FS, 2))).astype(np.float32)
    options = ["--fresh", "--adapt", "0", "--client-name", "vocals", "--no-connect"]
    with Live(tmp_path, *options) as live, Probe("daw", sent, 2) as daw:
        for port in ("in_0", "in_1", "out_0", "out_1"):
            assert wired(f"vocals:{port}") == []
        ends = ["daw:out_1", "daw:out_2", "daw:in_1", "daw:in_2"]
        subprocess.run(["sh", str(SCRIPT), "vocals", *ends], check=True, timeout=20)
        assert wired("vocals:in_1") == ["daw:out_2"]
        assert wired("vocals:out_0") == ["daw:in_1"]
        time.sleep(0.5)
        heard = daw.run(20)
        code, _, err = live.stop()
    assert code == 0, err
    delay = lag(sent, heard)
    np.testing.assert_array_equal(heard[delay:], sent[:-delay])  # flat: the same bits


def test_the_script_says_when_there_is_no_such_session(jack: JackServer) -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    short = text.replace("-lt 100", "-lt 2")
    done = subprocess.run(
        ["sh", "-c", short, "sh", "nobody", "a:1", "a:2", "b:1", "b:2"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 1
    assert "there is no nobody on JACK" in done.stderr


@pytest.mark.parametrize("name", ["", "a:b", "x" * 61])
def test_a_name_that_jack_does_not_take_is_a_usage_error(name: str) -> None:
    command = [str(SEMEQ), "live", "--client-name", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--client-name must be" in done.stderr
