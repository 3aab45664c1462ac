"""``semeq live --through`` on a real JACK server: words and knobs turn a real VST3 equaliser, heard."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from jack_probe import Probe
from jack_server import BLOCK, JackServer
from jack_takes import FS, lag, through_semeq
from live_process import SEMEQ, Live

from semeq.engine.design import response_db
from semeq.engine.settings import Band, EQSettings, Kind
from semeq.engine.units import Audio, Floats

pytestmark = pytest.mark.jack

MAP = """
schema = 1
plugin = "{plugin}"
{bands}
"""
BAND = '[[band]]\ngain = "band_{0}_gain_db"\nfreq = "band_{0}_frequency_hz"\nq = "band_{0}_q"\n'
FREQS_HZ = np.geomspace(40.0, 16_000.0, 120)
#: Measured: 0.09 dB rms, 0.22 dB at worst.
RMS_DB, MAX_DB = 0.2, 0.5
SIZE, BLOCKS = 8192, 12
SETTLED_S = 20.0


def write_map(folder: Path, plugin: Path) -> Path:
    path = folder / "eq.toml"
    bands = "".join(BAND.format(number) for number in (1, 2, 3, 4))
    path.write_text(MAP.format(plugin=plugin, bands=bands))
    return path


def heard_db(sent: Audio, heard: Audio) -> Floats:
    """Return the response from `sent` to `heard`, aligned, level removed (Welch's method)."""
    window = np.hanning(SIZE)
    cross, power = np.zeros(SIZE // 2 + 1, complex), np.zeros(SIZE // 2 + 1)
    for start in range(0, len(heard) - SIZE, SIZE // 2):
        x = np.fft.rfft(window * sent[start : start + SIZE, 0])
        cross += np.conj(x) * np.fft.rfft(window * heard[start : start + SIZE, 0])
        power += np.abs(x) ** 2
    level = 20.0 * np.log10(np.abs(cross) / power)
    got: Floats = np.interp(FREQS_HZ, np.arange(len(level)) * FS / SIZE, level)
    got -= got.mean()
    return got


def wanted_db(status: dict[str, object]) -> Floats:
    """Return the curve that a status asks for, level removed."""
    bands = [
        Band(Kind(b["kind"]), b["freq_hz"], b["gain_db"], b["q"])
        for b in status["bands"]  # type: ignore[attr-defined]  # plain JSON
    ]
    curve: Floats = response_db(EQSettings(tuple(bands)), FS, FREQS_HZ)
    curve -= curve.mean()
    return curve


def settled(live: Live) -> dict[str, object]:
    """Wait until the plugin follows the words as well as it can; return the status."""
    deadline = time.monotonic() + SETTLED_S
    while not live.statuses()[-1]["through"].get("is_settled"):
        assert time.monotonic() < deadline, live.statuses()[-1]["through"]
        time.sleep(0.1)
    return live.statuses()[-1]


def test_words_and_knobs_turn_somebody_elses_equaliser(
    jack: JackServer,
    tmp_path: Path,
    vst3: Callable[[str], Path],
    record_property: Callable[[str, object], None],
) -> None:
    rng = np.random.default_rng(1)
    sent = (0.05 * rng.standard_normal((round(6.6 * FS), 2))).astype(np.float32)
    knob = [(round(1.8 * FS), bytes([0xB0, 20, 127])), (round(1.9 * FS), bytes([0xB0, 20, 0]))]
    switch = [(round(6.0 * FS), bytes([0xB0, 80, 127]))]
    options = ["--fresh", "--adapt", "0", "--make", "warm", "--midi", "virtual"]
    # a busy machine is not to be heard: the dry sound in between would be measured, too
    options += [
        "--insert-blocks",
        str(BLOCKS),
        "--through",
        str(write_map(tmp_path, vst3("equaliser"))),
    ]
    with Live(tmp_path, *options) as live, Probe("player", sent, 2, [*knob, *switch]) as probe:
        through_semeq(probe)
        probe.connect("player:midi", "semeq-midi:in")
        first = settled(live)
        heard = probe.run(40)
        last = settled(live)
        code, _, err = live.stop()
    assert code == 0, err
    late = lag(sent, heard)
    assert first["added_frames"] == BLOCKS * BLOCK
    errors = []
    for status, begin_s, end_s in ((first, 0.3, 1.8), (last, 4.4, 6.0)):
        part = slice(round(begin_s * FS), round(end_s * FS))
        error = heard_db(sent[part], heard[late:][part]) - wanted_db(status)
        errors.append((float(np.sqrt(np.mean(error**2))), float(np.abs(error).max())))
        assert np.ptp(wanted_db(status)) > 4.0  # the curve is one, and so the error means something
        told = status["through"]
        assert isinstance(told, dict)
        record_property("error_db", f"heard {errors[-1]}, told {told['error_rms_db']} rms")
        assert abs(told["error_rms_db"] - errors[-1][0]) < 0.05  # what is said is what is heard
    assert np.array(errors)[:, 0].max() < RMS_DB, errors
    assert np.array(errors)[:, 1].max() < MAX_DB, errors
    # the knob went from one end to the other: so did the curve
    assert np.corrcoef(wanted_db(first), wanted_db(last))[0, 1] < -0.8
    bypassed = slice(round(6.2 * FS), round(6.5 * FS))
    np.testing.assert_array_equal(heard[late:][bypassed], sent[bypassed])


def test_a_map_that_does_not_fit_is_an_error_before_any_sound(
    jack: JackServer, tmp_path: Path, vst3: Callable[[str], Path]
) -> None:
    path = write_map(tmp_path, vst3("gain"))
    done = subprocess.run(
        [str(SEMEQ), "live", "--through", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Test Gain has no parameter 'band_1_gain_db'" in done.stderr
    assert "Traceback" not in done.stderr
