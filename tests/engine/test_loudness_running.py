"""The loudness of a stream without end is what the meter of files finds, and what others find."""

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from strategies import partitions

from semeq.engine.loudness import LoudnessMeter
from semeq.engine.loudness_running import LoudnessNow, RunningLoudness
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio

FS = 48_000
# The bin that the relative gate falls into counts as a whole.
BIN_LU = 0.02
# pyloudnorm takes its blocks to the sample; its filters are the standard's at 48 kHz.
PYLOUDNORM_LU = 0.1


def tone(seconds: float, level_db: float, fs: int = FS) -> Audio:
    t = np.arange(round(seconds * fs)) / fs
    one = 10.0 ** (level_db / 20.0) * np.sin(2.0 * np.pi * 997.0 * t)
    return np.repeat(one.astype(np.float32)[:, None], 2, axis=1)


def fed(audio: Audio, blocks: list[int] | None = None, fs: int = FS) -> RunningLoudness:
    running = RunningLoudness(fs, audio.shape[1])
    at = 0
    for frames in blocks or [len(audio)]:
        running.feed(audio[at : at + frames])
        at += frames
    return running


@given(
    st.lists(st.tuples(st.floats(0.2, 4.0), st.floats(-80.0, 0.0)), min_size=1, max_size=8),
    st.sampled_from([8000, 11_025, 44_100]),
)
@hypothesis_settings(deadline=None, max_examples=40)
def test_integrated_is_the_meter_of_files(parts: list[tuple[float, float]], fs: int) -> None:
    """Stretches of noise at any levels, so that the gates have work to do."""
    rng = np.random.default_rng(0)
    audio = np.concatenate(
        [10 ** (db / 20) * rng.uniform(-1, 1, (round(s * fs), 2)) for s, db in parts]
    ).astype(np.float32)
    meter = LoudnessMeter(fs, 2)
    meter.feed(audio)
    wanted, got = meter.integrated(), fed(audio, fs=fs).integrated()
    if wanted is None:
        assert got is None
        return
    assert got is not None
    # where the gate falls between two levels that are as near to it as a bin is wide, either is right
    assert abs(got - wanted) <= BIN_LU or (abs(got - wanted) < 0.5 and near_the_gate(meter))


def near_the_gate(meter: LoudnessMeter) -> bool:
    powers = meter._blocks(0)
    levels = -0.691 + 10.0 * np.log10(powers[powers > 0])
    levels = levels[levels > -70.0]
    gate = -0.691 + 10.0 * np.log10((10 ** ((levels + 0.691) / 10)).mean()) - 10.0
    return bool(np.abs(levels - gate).min() < 0.05)


@given(partitions(FS))
@hypothesis_settings(deadline=None, max_examples=10)
def test_any_partition_gives_the_same(blocks: list[int]) -> None:
    audio = demo_mix(seconds=1.0)
    assert fed(audio, blocks).now() == fed(audio).now()


@pytest.mark.parametrize("fs", [44_100, 48_000, 96_000])
def test_ebu_3341_a_tone_is_as_loud_as_it_is_in_all_three(fs: int) -> None:
    """Tests 1 and 2: 997 Hz in both channels at -23 and -33 dBFS, ±0.1 LU."""
    for level in (-23.0, -33.0):
        now = fed(tone(20.0, level, fs), fs=fs).now()
        for value in (now.momentary, now.short_term, now.integrated):
            assert value == pytest.approx(level, abs=0.1)


def test_ebu_3341_the_gate_leaves_out_what_is_quiet() -> None:
    """Test 3: 10 s at -36, 60 s at -23, 10 s at -36 dBFS."""
    audio = np.concatenate([tone(10, -36.0), tone(60, -23.0), tone(10, -36.0)])
    running = fed(audio)
    assert running.integrated() == pytest.approx(-23.0, abs=0.1)
    assert running.now().short_term == pytest.approx(-36.0, abs=0.1)


def test_ebu_3341_windows_are_400_ms_and_3_s() -> None:
    """As tests 9 and 12: bursts as long as the window are measured in full, at some time."""
    for seconds, name in ((0.4, "momentary"), (3.0, "short_term")):
        audio = np.concatenate([tone(1.0, -120.0), tone(seconds, -23.0), tone(1.0, -120.0)])
        running = RunningLoudness(FS, 2)
        highest = -200.0
        for at in range(0, len(audio), 4800):
            running.feed(audio[at : at + 4800])
            value = getattr(running.now(), name)
            highest = max(highest, -200.0 if value is None else value)
        assert highest == pytest.approx(-23.0, abs=0.1)


def test_pyloudnorm_agrees() -> None:
    audio = demo_mix(seconds=12.0)
    wanted = pyloudnorm.Meter(FS).integrated_loudness(audio.astype(np.float64))
    assert fed(audio).integrated() == pytest.approx(wanted, abs=PYLOUDNORM_LU)


def test_silence_has_no_loudness_and_a_gap_forgets_the_last_seconds() -> None:
    assert fed(np.zeros((FS, 2), np.float32)).now() == LoudnessNow()
    running = fed(tone(4.0, -20.0))
    running.gap()
    assert running.now() == LoudnessNow(integrated=running.integrated())
    running.feed(tone(1.0, -20.0))
    assert running.now().momentary == pytest.approx(-20.0, abs=0.1)


def test_it_goes_on_at_another_rate() -> None:
    before = fed(tone(5.0, -20.0))
    running = RunningLoudness(44_100, 2, before)
    running.feed(tone(5.0, -26.0, 44_100))
    power = (10**-2.0 + 10**-2.6) / 2
    assert running.integrated() == pytest.approx(10 * np.log10(power), abs=0.1)
