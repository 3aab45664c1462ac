"""A minute of ``make soak``: the live session keeps its promises under the worst load in its own process."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.alone, pytest.mark.jack, pytest.mark.slow]

SOAK = Path(__file__).parents[1] / "soak" / "soak_main.py"
SECONDS = 30


def soaked(out: Path, block: int) -> tuple[dict[str, Any], str]:
    command = [sys.executable, str(SOAK), "--seconds", str(SECONDS), "--block", str(block)]
    done = subprocess.run(
        [*command, "--out", str(out)], capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    (run,) = json.loads((out / "soak.json").read_text(encoding="utf-8"))["runs"]
    assert done.returncode == (1 if run["failures"] else 0)
    assert f"| {block} | {SECONDS} |" in (out / "soak.md").read_text(encoding="utf-8")
    return run, "; ".join(run["own_failures"])


def is_the_machines(run: dict[str, Any]) -> bool:
    """Whether it was only late, and the machine stopped even a thread above all others for that long."""
    is_late = all("deadlines missed" in line or "longest" in line for line in run["own_failures"])
    return is_late and run["machine"]["floor"].get("over_a_quarter", 0) > 0


@pytest.mark.parametrize("block", [64, 128])
def test_it_keeps_its_promises_under_load(
    block: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """By its own time, whoever else has the core; the better of two runs.

    A run in which even own time is late, and the machine stopped a thread above all others for as long, tells
    nothing (the host of a virtual machine does not count all that it takes), and is taken again.
    """
    tries: list[tuple[str, dict[str, Any]]] = []
    told, failed = 0, ""
    while len(tries) < 3 and told < 2 and (failed or not tries):
        run, failed = soaked(tmp_path, block)
        tries.append((failed, run["machine"]))
        told += not is_the_machines(run)
    record_property(
        f"soak_{block}",
        f"{run['status']['missed_deadlines']} missed, {run['status']['xruns']} xruns, "
        f"max {run['max_share_of_period']:.1%}, own {run['witness'].get('longest_own_us')} µs, "
        f"{run['growth_mib']:+.2f} MiB; tries {tries}",
    )
    if failed and told < 2:
        pytest.skip(f"the machine was late for anybody: {tries}")
    assert not failed, tries
    floor = run["machine"]["floor"]
    if shutil.which("cc") is not None and os.geteuid() == 0:
        assert floor["max_us"] >= floor["work_us"]
        assert floor["pieces"] > 1000 * SECONDS * 64 / block
        # the witness stood by, around the callback itself
        seen = run["witness"]
        assert seen["late"] == len(seen["rows"])
        assert seen["longest_own_us"] >= run["status"]["callback_us"]["p50"] - 1.0
    # there was sound, and the load was one
    status, load = run["status"], run["load"]
    assert status["peak_out"] > 0.01
    assert status["encoder"]["state"] in ("listening", "held")
    assert load["changes"] > 100 * SECONDS
    assert load["collections"] > SECONDS // 2
    assert status["applied"] > 10 * SECONDS
