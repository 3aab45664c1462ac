"""The loudness that a live session says is the one that others measure on what was heard."""

import re
import subprocess
import time
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
from callback_host import FS, Host
from jack_probe import Probe
from jack_server import JackServer
from jack_takes import through_semeq, write_wav
from live_process import Live

from semeq.engine.design import design
from semeq.engine.settings import EQSettings
from semeq.engine.synth import demo_mix
from semeq.engine.timeline import ControlSet
from semeq.engine.units import Audio
from semeq.realtime import callback as native
from semeq.realtime.loudness import LiveLoudness
from semeq.realtime.stream import LiveStream

AGREEMENT_LU = 0.1


class HandStream(LiveStream):
    """A stream without a device: the test plays its part."""

    def __init__(self, host: Host) -> None:
        self.fs, self.channels, self.state = FS, 2, host.state


def by_ffmpeg(path: Path) -> float:
    command = ["ffmpeg", "-nostats", "-i", str(path), "-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"I:\s+(-?[0-9.]+) LUFS", said)[-1])


@pytest.mark.jack
def test_what_a_session_says_is_what_ffmpeg_and_pyloudnorm_measure(
    jack: JackServer, tmp_path: Path
) -> None:
    mix = demo_mix(seconds=8.0)
    with (
        Live(tmp_path, "--make", "warm", "--adapt", "0", "--limiter", "lookahead") as live,
        Probe("player", mix, 2) as probe,
    ):
        through_semeq(probe)
        time.sleep(0.7)
        heard = probe.run(60)
        time.sleep(1.2)
        code, _, err = live.stop()
        last = live.statuses()[-1]["loudness"]
    assert code == 0, err
    assert np.abs(heard - mix).max() > 0.05  # the output is what is measured, not the input
    said = last["integrated_lufs"]
    assert f"loudness {said:.1f} LUFS" in err
    # others measure the same with the silence around it, which the gate leaves out
    quiet = np.zeros((24_000, 2), np.float32)
    padded = np.concatenate([quiet, heard, quiet])
    assert abs(said - pyloudnorm.Meter(48_000).integrated_loudness(padded)) <= AGREEMENT_LU
    # ffmpeg says tenths
    assert abs(said - by_ffmpeg(write_wav(tmp_path / "heard.wav", padded))) <= AGREEMENT_LU + 0.05


def test_who_is_late_or_has_no_time_forgets_the_last_seconds_and_no_more() -> None:
    host = Host(2, 2)
    host.post(ControlSet(design(EQSettings.flat(), FS), 0))
    loudness = LiveLoudness(HandStream(host))
    t = np.arange(4800) / FS
    x: Audio = np.repeat((0.1 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)[:, None], 2, 1)

    def play(blocks: int, every: int = 1) -> None:
        for number in range(blocks):
            host.block(x)
            if number % every == every - 1:
                loudness.look()

    play(35)
    assert loudness.now.short_term == pytest.approx(-20.0, abs=0.1)
    integrated = loudness.now.integrated
    assert integrated == pytest.approx(-20.0, abs=0.1)
    loudness.look(is_measured=False)
    assert loudness.now.momentary is None
    assert loudness.now.integrated == integrated
    play(5)
    assert loudness.now.momentary == pytest.approx(-20.0, abs=0.1)
    late = native.HEARD_FRAMES // 4800 + 1
    play(late, every=late)
    assert loudness.now.momentary is None
    play(5)
    assert loudness.now.momentary == pytest.approx(-20.0, abs=0.1)
    assert loudness.now.integrated == pytest.approx(-20.0, abs=0.1)
