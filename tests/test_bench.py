"""The benchmark runs, and what it finds about a moving EQ is what we promise."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

#: Spurious energy of any case, in dB against the whole. Measured: -118 or less.
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
    # A boost that is held still raises the peak of noise: moving must not add to that.
    assert peaks["semeq"] <= max(1.1, peaks["still"]) < peaks["swapped"]
    assert {path.name for path in tmp_path.iterdir()} == {"bench.md", "bench.json"}


#: What may be heard of a switch, in dB against the sound. Measured: -133 or less.
CLICK_DB = -100.0


def test_no_switch_clicks(tmp_path: Path) -> None:
    here = Path(__file__).parent / "bench"
    command = [sys.executable, str(here), "--quick", "--only", "clicks", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    tables = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))["tables"]
    switches = tables["What switching adds"]["data"]
    assert len(switches) == 11
    for name, measured in switches.items():
        assert max(measured["away_db"], measured["lookahead_db"]) <= CLICK_DB, name
        assert measured.get("ideal_db", CLICK_DB) <= CLICK_DB, name
        if name != "freeze off":  # all but one would be heard without its fade
            assert measured["hard_db"] > CLICK_DB, name


def test_the_picture_of_the_filters_is_the_one_in_docs(tmp_path: Path) -> None:
    """``make picture`` redraws it."""
    here = Path(__file__).parent
    command = [sys.executable, str(here / "bench" / "bench_filters.py"), str(tmp_path / "new.svg")]
    subprocess.run(command, check=True, timeout=120)
    number = r"-?\d+\.\d+"
    committed, drawn = (
        path.read_text(encoding="utf-8")
        for path in (here.parent / "docs" / "decramped.svg", tmp_path / "new.svg")
    )
    assert re.sub(number, "#", committed) == re.sub(number, "#", drawn)
    one, other = (np.array([float(x) for x in re.findall(number, t)]) for t in (committed, drawn))
    np.testing.assert_allclose(one, other, atol=0.2)
