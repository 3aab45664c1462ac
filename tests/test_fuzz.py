"""A few hundred cases of ``make fuzz``: whatever a file holds, it is read or refused in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent / "fuzz" / "fuzz_main.py"
CASES = 300

pytestmark = pytest.mark.slow


def test_damaged_files_of_every_kind(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, str(FUZZ), "--cases", str(CASES), "--seed", "7", "--jobs", "1"]
    done = subprocess.run(
        [*command, "--out", str(out)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((out / "fuzz.json").read_text(encoding="utf-8"))
    assert result["cases"] == CASES
    assert result["failed"] == 0
    assert result["fine"] > CASES / 20
    assert result["refused"] > CASES / 3
