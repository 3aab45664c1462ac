"""What is left out under overload is left out without a sound, at a frame, and comes back whole."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from strategies import partitions, settings

from semeq.engine import shed
from semeq.engine.chain import Chain
from semeq.engine.design import design
from semeq.engine.path import PEAKS
from semeq.engine.settings import LAYOUT, REST_FREQS_HZ, Band, EQSettings
from semeq.engine.units import Audio, db_to_gain

FS = 48_000.0
LOOKAHEAD_S = 0.0015
CEILING_DB = -6.0
FADE = 960
#: How far below the sound is what resting has left in filters that were given time to get warm.
WARM_DB = -100.0
WARM_FRAMES = round(0.3 * FS)
TRUE_PEAK_TOLERANCE_DB = 0.1

EQ = EQSettings(
    tuple(
        Band(k, f, g)
        for k, f, g in zip(LAYOUT, REST_FREQS_HZ, (9, -6, 6, 0, 3, -9, 6), strict=True)
    )
)


def noise(frames: int, level: float = 0.3) -> Audio:
    rng = np.random.default_rng(1)
    return (level * rng.standard_normal((frames, 2))).astype(np.float32)


def run(chain: Chain, x: Audio, levels: dict[int, tuple[int, bool]], blocks: list[int]) -> Audio:
    """Run `x` through the chain in these blocks; at some frames the level and the bypass change."""
    edges = sorted({0, *np.cumsum(blocks).tolist(), *levels})
    parts = []
    for first, last in pairwise(edges):
        if first in levels:
            level, is_bypassed = levels[first]
            chain.set_target(design(EQ, FS), ramp_frames=FADE, bypass=is_bypassed)
            shed.set_shed(chain.state, level)
        parts.append(chain.process(x[first:last]))
    return np.concatenate(parts)


LEVELS = {
    0: (shed.NOTHING, False),
    700: (shed.METERS, False),
    1500: (shed.LOOK_AHEAD, False),
    2100: (shed.FILTERS, True),
    4000: (shed.LOOK_AHEAD, True),
    4800: (shed.LOOK_AHEAD, False),
    5900: (shed.NOTHING, False),
}


@given(eq=settings(), blocks=partitions(7000))
@hypothesis_settings(deadline=None, max_examples=25)
def test_any_partition_gives_the_same_bits(eq: EQSettings, blocks: list[int]) -> None:
    x = noise(7000, 0.5)
    chains = [Chain(FS, 2, LOOKAHEAD_S, CEILING_DB) for _ in range(2)]
    for chain in chains:
        chain.set_target(design(eq, FS))
    whole = run(chains[0], x, LEVELS, [7000])
    np.testing.assert_array_equal(run(chains[1], x, LEVELS, blocks), whole)
    assert chains[0].limited_samples == chains[1].limited_samples


def test_filters_rest_once_the_fade_is_over_and_what_is_heard_is_the_input() -> None:
    x = noise(20_000)
    chain = Chain(FS, 2)
    run(chain, x[:6000], {0: (shed.NOTHING, False), 3000: (shed.FILTERS, True)}, [6000])
    before = chain.state.filters.copy()
    y = chain.process(x[6000:])
    np.testing.assert_array_equal(y, x[6000:])
    np.testing.assert_array_equal(chain.state.filters, before)


def test_a_set_that_comes_while_the_filters_rest_is_in_force_when_they_are_back() -> None:
    x = noise(60_000)
    chain = Chain(FS, 2)
    run(chain, x[:6000], {0: (shed.FILTERS, True)}, [6000])
    other = design(EQ.scaled(-0.5), FS)
    chain.set_target(other, ramp_frames=480, bypass=True)
    chain.process(x[6000:12_000])
    np.testing.assert_array_equal(chain.state.target.reshape(6, -1)[:, ::2].T[:8], other.rows)
    shed.set_shed(chain.state, shed.NOTHING)
    chain.process(x[12_000 : 12_000 + WARM_FRAMES])
    chain.set_target(other, bypass=False)
    y = chain.process(x[12_000 + WARM_FRAMES :])
    plain = Chain(FS, 2)
    plain.set_target(other)
    wanted = plain.process(x)[12_000 + WARM_FRAMES :]
    assert np.abs(y - wanted).max() < db_to_gain(WARM_DB) * np.abs(wanted).max()


def test_warm_filters_sound_as_if_they_had_never_rested() -> None:
    """Bass, which filters remember longest, around a rest."""
    t = np.arange(96_000) / FS
    bass = 0.4 * np.sin(2 * np.pi * 45.0 * t) + 0.2 * np.sin(2 * np.pi * 110.0 * t)
    x = np.repeat(bass.astype(np.float32)[:, None], 2, axis=1)
    back = 30_000 + WARM_FRAMES
    bypasses = {0: (0, False), 10_000: (0, True), back: (0, False)}
    rests = {0: (0, False), 10_000: (3, True), 30_000: (2, True), back: (2, False)}
    never = run(Chain(FS, 2), x, bypasses, [len(x)])
    rested = run(Chain(FS, 2), x, rests, [len(x)])
    assert np.abs(rested - never).max() < db_to_gain(WARM_DB) * np.abs(never).max()


def test_the_limiters_delay_stays_and_what_needs_no_limiting_passes_bit_for_bit() -> None:
    x = noise(12_000, 0.02)
    chain = Chain(FS, 2, LOOKAHEAD_S, CEILING_DB)
    parts: list[Audio] = []
    for level in (shed.NOTHING, shed.LOOK_AHEAD, shed.NOTHING):
        shed.set_shed(chain.state, level)
        parts.append(chain.process(x[4000 * len(parts) : 4000 * (len(parts) + 1)]))
    y = np.concatenate(parts)
    np.testing.assert_array_equal(y[72:], x[:-72])
    assert chain.limited_samples == 0


def between_samples(frames: int) -> Audio:
    """Return a tone whose peaks all lie between its samples, 3 dB above them."""
    t = np.arange(frames)
    ramp = np.minimum(1.0, t / 2400.0)
    return (ramp * np.sin(np.pi * t / 2 + np.pi / 4)).astype(np.float32)[:, None]


def over_db(y: np.ndarray) -> float:
    middle = scipy.signal.resample_poly(
        y.astype(np.float64), 16, 1, axis=0, window=("kaiser", 12.0)
    )
    return float(20 * np.log10(np.abs(middle[3200:-3200]).max() / db_to_gain(CEILING_DB)))


def test_the_limiter_looks_at_samples_then_between_them_again() -> None:
    x = between_samples(72_000)
    chain = Chain(FS, 1, LOOKAHEAD_S, CEILING_DB)
    y = [chain.process(x[:24_000])]
    shed.set_shed(chain.state, shed.LOOK_AHEAD)
    y.append(chain.process(x[24_000:48_000]))
    shed.set_shed(chain.state, shed.NOTHING)
    y.append(chain.process(x[48_000:]))
    assert over_db(y[0][6000:]) <= TRUE_PEAK_TOLERANCE_DB
    assert np.abs(y[1]).max() <= np.float32(db_to_gain(CEILING_DB))
    assert 2.0 < over_db(y[1][12_000:]) < 3.1  # between the samples nobody looked
    assert over_db(y[2][200:]) <= TRUE_PEAK_TOLERANCE_DB  # from the look-ahead on it is held
    # the gain has no step: at most what release and hold make of it
    gain = np.abs(np.concatenate(y))[2500:] / np.abs(x[2428:-72])
    assert np.abs(np.diff(np.log10(gain), axis=0)).max() < 0.01


def test_meters_stop_and_their_last_levels_do_not_stay() -> None:
    x = noise(200_000)
    chain = Chain(FS, 2)
    chain.process(x[:100_000])
    assert chain.state.peaks.max() > 0.5
    shed.set_shed(chain.state, shed.METERS)
    chain.process(x[100_000:])
    newest = int(chain.state.ints[PEAKS])
    assert chain.state.peaks[(np.arange(newest - 60, newest + 1)) % 64].max() == 0.0


@pytest.mark.parametrize("level", range(shed.LEVELS))
def test_damage_is_bridged_at_every_level(level: int) -> None:
    x = noise(9000)
    x[5000:5004] = np.nan
    chain = Chain(FS, 2, LOOKAHEAD_S, CEILING_DB)
    y = run(chain, x, {0: (level, level == shed.FILTERS)}, [9000])
    assert np.isfinite(y).all()
    assert np.abs(y).max() <= np.float32(db_to_gain(CEILING_DB))
    assert chain.bad_samples == 8
