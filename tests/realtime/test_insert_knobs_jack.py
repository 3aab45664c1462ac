"""A plugin's parameter under a MIDI knob, on a real JACK server: heard, and kept when its process dies."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from jack_probe import POSITION, Probe
from jack_server import JackServer
from jack_takes import FS, lag, through_semeq
from live_process import Live

from semeq.engine.plugin_state import read_state

pytestmark = pytest.mark.jack

MAP = """
schema = 1
[[bind]]
cc = 20
param = "gain.Gain"
min = -20
max = 0
[[bind]]
cc = 21
param = "gain.Gian"
[[bind]]
cc = 22
param = "2.mix"
[[bind]]
cc = 80
control = "bypass"
"""
#: Where the knob goes, s, and what is then to be heard, dB: it is picked up where it passes -6 dB.
MOVES = ((0.7, 20, -6.0), (1.2, 0, -6.0), (1.7, 127, 0.0), (2.2, 0, -20.0))
KILLED_S, END_S = 2.6, 4.6
#: A parameter of 32 bits, interpolated in its scale.
TOLERANCE_DB = 0.01


def test_a_knob_turns_a_parameter_which_is_kept_when_its_process_dies(
    jack: JackServer, tmp_path: Path, vst3: Callable[[str], Path]
) -> None:
    sent = np.full((round(END_S * FS), 2), 0.25, np.float32)
    events = [(round(at_s * FS), bytes([0xB0, 20, value])) for at_s, value, _ in MOVES]
    (tmp_path / "map.toml").write_text(MAP)
    options = ["--fresh", "--adapt", "0", "--midi", "virtual", "--midi-map", "map.toml"]
    options[-1] = str(tmp_path / "map.toml")
    options += ["--insert", f"post:{vst3('gain')}", "--set", "gain.gain_db=-6"]
    options += ["--insert-blocks", "12"]  # this is not about how late a busy machine may be
    options += ["--save-state", f"gain={tmp_path / 'gain.json'}"]
    with Live(tmp_path, *options) as live, Probe("player", sent, 2, events) as probe:
        through_semeq(probe)
        probe.connect("player:midi", "semeq-midi:in")
        time.sleep(0.8)  # the start ramp is over

        def strike() -> None:
            while probe._table[POSITION] < KILLED_S * FS:
                time.sleep(0.002)
            os.kill(live.statuses()[-1]["inserts"][0]["pid"], signal.SIGKILL)

        thread = threading.Thread(target=strike)
        thread.start()
        heard = probe.run(30)
        thread.join()
        (insert,) = live.statuses()[-1]["inserts"]
        code, _, err = live.stop()
    assert code == 0, err
    level_db = 20.0 * np.log10(np.maximum(np.abs(heard[:, 0]), 1e-6) / 0.25)
    late = lag(sent, heard)
    for at_s, _, wanted_db in MOVES:
        settled = late + round((at_s + 0.3) * FS)
        assert level_db[settled : settled + FS // 20] == pytest.approx(wanted_db, abs=TOLERANCE_DB)
    moving = late + round(MOVES[2][0] * FS)
    steps = np.abs(np.diff(level_db[moving : moving + FS // 4]))
    assert steps.max() < 1.5  # 6 dB in steps: the plugin itself smooths nothing
    assert level_db[-FS // 10 :] == pytest.approx(-20.0, abs=TOLERANCE_DB)  # after the restart
    assert insert["restarts"] == 1
    assert insert["parameters"] == {"gain_db": pytest.approx(-20.0, abs=TOLERANCE_DB)}
    kept = dict(read_state(tmp_path / "gain.json").raws)  # as it was turned, also after the restart
    assert kept["gain_db"] == pytest.approx(40.0 / 84.0, abs=1e-4)
    assert "Test Gain has no parameter 'Gian': did you mean gain_db?: this knob does nothing" in err
    assert "param must name an insert, got '2'" in err
