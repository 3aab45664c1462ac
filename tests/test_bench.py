"""The benchmark runs, and what it finds about a moving EQ is what we promise."""

import json
import subprocess
import sys
from pathlib import Path

#: Spurious energy of any case, in dB against the whole. Measured: -121 or less.
SPURIOUS_DB = -110.0


def test_moving_bands_are_not_heard(tmp_path: Path) -> None:
    here = Path(__file__).parent / "bench"
    command = [sys.executable, str(here), "--quick", "--only", "modulation", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    tables = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))["tables"]
    spurious = tables["What moves is not heard"]["data"]
    assert len(spurious) == 3
    assert all(case["semeq_db"] < SPURIOUS_DB < case["swapped_db"] for case in spurious.values())
    peaks = tables["Wild moves stay bounded"]["data"]
    # A boost held still may raise the peak of noise by as much.
    assert peaks["semeq"] <= max(1.1, peaks["still"]) < peaks["swapped"]
    assert {path.name for path in tmp_path.iterdir()} == {"bench.md", "bench.json"}
