"""``semeq live`` on a real JACK server says in its status what became of the words, and a miss once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jack_probe import Probe
from jack_server import JackServer
from jack_takes import FS, through_semeq
from live_process import Live
from made_sounds import pink
from scipy.signal import butter, sosfilt
from sound_files import write_float

from semeq.engine.design import design_sos
from semeq.presets.library import load_vocabulary

pytestmark = pytest.mark.jack

SECONDS = 9.0


def verdicts(live: Live) -> list[dict[str, Any]]:
    """Return the last verdicts in the status file."""
    told = [status["verification"] for status in live.statuses() if status["verification"]]
    return list(told[-1]["verdicts"]) if told else []


def test_what_is_reached_and_what_cannot_be(jack: JackServer, tmp_path: Path) -> None:
    sound = pink(SECONDS, FS, 2)
    low = sosfilt(butter(16, 3000.0, fs=FS, output="sos"), sound, axis=0).astype(np.float32)
    options = ["--make", "warm + airy", "--adapt", "0", "--plain"]
    with Live(tmp_path, *options) as live, Probe("player", low, 2) as probe:
        through_semeq(probe)
        probe.run(30)
        found = {verdict["word"]: verdict for verdict in verdicts(live)}
        code, _, err = live.stop()
    assert code == 0, err
    assert found["airy"]["outcome"] == "nothing there"
    assert found["airy"]["is_miss"]
    assert err.count("the input has nothing above 10 kHz") == 1


def test_pink_noise_becomes_what_was_asked(jack: JackServer, tmp_path: Path) -> None:
    options = ["--make", "dark:0.8", "--adapt", "0", "--plain"]
    with Live(tmp_path, *options) as live, Probe("player", pink(5.0, FS, 2), 2) as probe:
        through_semeq(probe)
        probe.run(30)
        (dark,) = verdicts(live)
        code, _, err = live.stop()
    assert code == 0, err
    assert dark["outcome"] == "reached"
    assert dark["strength"] == pytest.approx(1.0, abs=0.35)
    assert "asked for" not in err


def test_a_session_starts_like_a_reference(jack: JackServer, tmp_path: Path) -> None:
    eq = load_vocabulary().get("dark").settings
    usual = np.cumsum(pink(3.0, FS), axis=0) * 0.02  # falls as music does, and more
    usual -= usual.mean()
    dark = sosfilt(design_sos(eq, FS), usual, axis=0).astype(np.float32)
    reference = write_float(tmp_path / "ref.wav", 0.5 * dark / np.abs(dark).max(), FS)
    with Live(tmp_path, "--like", str(reference), "--adapt", "0", "--plain") as live:
        recipe = live.statuses()[-1]["recipe"]
        code, _, err = live.stop()
    assert code == 0, err
    assert recipe
    assert f"like ref.wav: {recipe}, explains" in err
