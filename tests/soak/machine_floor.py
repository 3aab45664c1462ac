"""The floor of a machine: what it does to a thread of the highest priority while something is measured.

A callback cannot be quicker than the machine lets anybody be. Where the host of a virtual machine takes
a core away for a millisecond, a fixed piece of arithmetic in a thread above all others takes that longer.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from c_code import compiled

SOURCE = Path(__file__).with_name("floor.c")
#: About what a callback of 64 frames takes, µs.
WORK_US = 12.0


@contextmanager
def machine_floor(seconds: float, period_us: float) -> Iterator[dict[str, Any]]:
    """Measure each core meanwhile; the dictionary is filled at the end, and stays empty where that cannot be.

    Parameters
    ----------
    seconds : float
        How long.
    period_us : float
        From one piece of work to the next.
    """
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(SOURCE, Path(folder))
        if program is None:
            yield found
            return
        arguments = [str(program), f"{seconds:g}", f"{period_us:.3f}", f"{WORK_US:g}"]
        running = [
            subprocess.Popen([*arguments, str(core)], stdout=subprocess.PIPE, text=True)
            for core in range(os.cpu_count() or 1)
        ]
        try:
            yield found
            said = [process.communicate(timeout=seconds + 30.0)[0] for process in running]
        finally:
            for process in running:
                process.kill()
                process.wait()
    if all(said):
        cores = [json.loads(text) for text in said]
        found.update(
            pieces=sum(core["pieces"] for core in cores),
            work_us=WORK_US,
            max_us=max(core["max_us"] for core in cores),
            over_a_quarter=sum(core["over"][0] for core in cores),
            over_a_period=sum(core["over"][1] for core in cores),
        )
