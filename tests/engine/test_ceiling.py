"""Nothing goes over the ceiling, whoever draws the line between the samples (`between_samples`)."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import scipy.signal
from between_samples import as_converted, as_metered, as_summed
from made_sounds import pink

from semeq.engine.chain import Chain
from semeq.engine.design import design
from semeq.engine.settings import EQSettings
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio, Floats, db_to_gain

#: What we hold: no point of the waveform is above the ceiling by more than this.
TOLERANCE_DB = 0.1
RATES = [44_100.0, 48_000.0, 96_000.0]
CEILING_DB = -1.0
LOOKAHEAD_S = 0.0015
BOOST_DB = 24.0
#: Of the rate: inter-sample tones, up to next to the end.
TONES = [1 / 8, 1 / 6, 1 / 4, 1 / 3, 0.4, 0.45]
PHASES_DEG = [0.0, 30.0, 45.0, 67.5]


def over_db(y: Audio, *peaks: Callable[[Audio], float]) -> float:
    return float(20.0 * np.log10(max(peak(y) for peak in peaks) / db_to_gain(CEILING_DB)))


def limited(x: Audio, fs: float, boost_db: float) -> Audio:
    x = np.pad(x, ((1000, 1000), (0, 0))).astype(np.float32)
    chain = Chain(fs, x.shape[1], LOOKAHEAD_S, CEILING_DB)
    chain.set_target(design(EQSettings.flat(), fs, gain_db=boost_db))
    y = chain.process(x)
    assert chain.limited_samples > 0
    return y


def _tones(frames: int) -> Iterator[Audio]:
    n = np.arange(frames)
    for share in TONES:
        for phase_deg in PHASES_DEG:
            yield np.sin(2.0 * np.pi * share * n + np.deg2rad(phase_deg))[:, None].astype(
                np.float32
            )


@pytest.mark.parametrize(("fs", "boost_db"), [(48_000.0, 3.0), *((fs, BOOST_DB) for fs in RATES)])
def test_tones_and_bursts_of_them(fs: float, boost_db: float) -> None:
    """Smooth at both ends, they have no sound above half the rate: all three agree on what a peak is."""
    frames = round(0.03 * fs)
    ends = np.minimum(1.0, np.arange(frames) / (0.008 * fs))
    long = (np.sin(0.5 * np.pi * ends * ends[::-1]) ** 2)[:, None]
    short = np.hanning(frames)[:, None] ** 8
    for tone in _tones(frames):
        for shape in (long, short):
            y = limited((0.9 * shape * tone).astype(np.float32), fs, boost_db)
            assert over_db(y, as_converted, as_metered, as_summed) <= TOLERANCE_DB
            assert over_db(y, as_converted) > -1.0  # it limits, it does not crush


def _sounds(fs: float) -> Iterator[tuple[str, Floats | Audio]]:
    rng = np.random.default_rng(1)
    frames = round(0.15 * fs)
    n = np.arange(frames)
    clicks = np.zeros((frames, 1))
    clicks[rng.integers(0, frames, 40)] = rng.uniform(-1.0, 1.0, (40, 1))
    clicks[1000:1002] = 1.0
    clicks[2000:2024, 0] = np.sign(np.sinc(np.arange(24) - 11.5))  # the worst for a short filter
    yield "clicks", clicks
    yield "bits", np.sign(rng.standard_normal((frames, 2)))
    yield "full-scale noise", rng.uniform(-1.0, 1.0, (frames, 2))
    yield "white noise", 0.3 * rng.standard_normal((frames, 2))
    yield "pink noise", 6.0 * pink(0.15, fs, 2)
    yield "music", demo_mix(fs, 1.0)
    yield "square", np.sign(np.sin(2.0 * np.pi * 110.0 / fs * n))[:, None]
    yield "sweep", scipy.signal.chirp(n / fs, 20.0, frames / fs, 0.48 * fs)[:, None]
    for share in (*TONES, 0.47, 0.49):
        for phase_deg in PHASES_DEG:
            tone = np.sin(2.0 * np.pi * share * n[:1000] + np.deg2rad(phase_deg))
            yield f"switched {share:.3f} fs, {phase_deg:g} degrees", tone[:, None]


@pytest.mark.parametrize("fs", RATES)
def test_whatever_is_boosted_by_24_db(fs: float) -> None:
    for name, x in _sounds(fs):
        y = limited(x.astype(np.float32), fs, BOOST_DB)
        assert over_db(y, as_converted, as_metered) <= TOLERANCE_DB, name


@pytest.mark.parametrize("fs", RATES)
def test_noise_without_the_last_tenth_of_the_band(fs: float) -> None:
    """What a sum of sines makes of the last tenth no limiter of finite reach can know."""
    rng = np.random.default_rng(2)
    below = scipy.signal.firwin(401, 0.9, window=("kaiser", 9.0))
    x = scipy.signal.lfilter(below, 1.0, rng.uniform(-1.0, 1.0, (round(0.15 * fs), 2)), axis=0)
    y = limited(x.astype(np.float32), fs, BOOST_DB)
    assert over_db(y, as_converted, as_metered, as_summed) <= TOLERANCE_DB
