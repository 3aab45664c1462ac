"""The chain: block cuts, ramps, bypass, gate, damage; every claim about a sample, not about a block."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from strategies import partitions, settings

from semeq.engine.chain import Chain
from semeq.engine.design import design, design_sos
from semeq.engine.errors import SettingsError
from semeq.engine.faders import set_gate
from semeq.engine.settings import Band, EQSettings, Kind
from semeq.engine.units import Audio

FS = 48_000.0
CHAINS: list[dict[str, Any]] = [
    {},
    {"ceiling_db": -3.0},
    {"lookahead_s": 0.0015, "ceiling_db": -3.0},
]


def noise(frames: int, channels: int = 2, level: float = 0.3) -> Audio:
    rng = np.random.default_rng(1)
    return (level * rng.standard_normal((frames, channels))).astype(np.float32)


def peak(freq_hz: float, gain_db: float, q: float) -> EQSettings:
    flat = EQSettings.flat()
    return EQSettings((flat.bands[0], Band(Kind.PEAK, freq_hz, gain_db, q), *flat.bands[2:]))


def take(chain: Chain, x: Audio, events: dict[int, Any], blocks: list[int]) -> Audio:
    """Run `x` through the chain in these blocks, further cut where an event falls."""
    edges = sorted({0, *np.cumsum(blocks).tolist(), *events})
    parts = []
    for first, last in pairwise(edges):
        if first in events:
            events[first](chain)
        parts.append(chain.process(x[first:last]))
    return np.concatenate(parts)


@pytest.mark.parametrize("kind", CHAINS)
@given(eq=settings(), blocks=partitions(6000))
@hypothesis_settings(deadline=None, max_examples=25)
def test_any_partition_gives_the_same_bits(
    kind: dict[str, Any], eq: EQSettings, blocks: list[int]
) -> None:
    x = noise(6000)
    coefficients = design(eq, FS, gain_db=-3.0)
    events = {
        0: lambda chain: chain.set_gate(False),
        100: lambda chain: chain.set_gate(True, 1500),
        1000: lambda chain: chain.set_target(coefficients, ramp_frames=480),
        1200: lambda chain: chain.set_target(design(eq.scaled(0.5), FS), ramp_frames=777),
        3000: lambda chain: chain.set_target(
            coefficients, ramp_frames=1, bypass=True, fade_frames=960
        ),
        4500: lambda chain: chain.set_target(design(EQSettings.flat(), FS), ramp_frames=480),
        5000: lambda chain: chain.set_target(
            coefficients, ramp_frames=100, delta=True, fade_frames=700
        ),
    }
    whole = take(Chain(FS, 2, **kind), x, events, [6000])
    np.testing.assert_array_equal(take(Chain(FS, 2, **kind), x, events, blocks), whole)
    assert np.abs(whole).max() > 0.01


@pytest.mark.parametrize("channels", [1, 2, 3, 8])
def test_flat_passes_bit_for_bit(channels: int) -> None:
    x = noise(5000, channels, level=0.1)
    x[10] = -0.0
    x[11] = 1e-40  # a denormal
    chain = Chain(FS, channels, ceiling_db=0.0)
    y = np.concatenate([chain.process(x[:1234]), chain.process(x[1234:])])
    np.testing.assert_array_equal(y.view(np.int32), x.view(np.int32))


def test_bypass_passes_bit_for_bit_and_comes_back() -> None:
    x = noise(20_000, level=0.05)
    coefficients = design(peak(1000.0, 12.0, 1.0), FS)
    chain, always = Chain(FS, 2), Chain(FS, 2)
    for one in (chain, always):
        one.set_target(coefficients)
    chain.set_target(coefficients, bypass=True, fade_frames=960)
    y = chain.process(x[:10_000])
    np.testing.assert_array_equal(y[960:], x[960:10_000])
    chain.set_target(coefficients, bypass=False, fade_frames=960)
    back = chain.process(x[10_000:])
    wet = np.concatenate([always.process(x[:10_000]), always.process(x[10_000:])])
    np.testing.assert_array_equal(back[960:], wet[10_960:])
    assert np.abs(wet - x).max() > 0.05


def test_the_bypass_is_the_ideal_cross_fade() -> None:
    """At -100 dB or less from dry and wet mixed by the smoothstep in double precision."""
    x = noise(8000, level=0.1)
    coefficients = design(peak(300.0, -12.0, 2.0), FS)
    wet_chain, chain = Chain(FS, 2), Chain(FS, 2)
    wet_chain.set_target(coefficients)
    chain.set_target(coefficients)
    wet = wet_chain.process(x).astype(np.float64)
    chain.process(x[:2000])
    chain.set_target(coefficients, bypass=True, fade_frames=960)
    faded = chain.process(x[2000:])
    u = np.clip((np.arange(6000) + 1) / 960, 0, 1)[:, None]
    share = u**4 * (35 - 84 * u + 70 * u**2 - 20 * u**3)
    ideal = wet[2000:] + share * (x[2000:] - wet[2000:])
    assert 20 * np.log10(np.abs(faded - ideal).max() / 0.1) <= -100


SMOOTHSTEP_DB = -100.0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"delta": True}),
        ({"delta": True}, {}),
        ({"delta": True}, {"bypass": True}),
        ({"bypass": True}, {"delta": True}),
        ({"delta": True}, {"delta": True, "bypass": True}),  # bypass has the last word
    ],
)
def test_what_the_eq_changes_is_faded_in_ideally(
    before: dict[str, bool], after: dict[str, bool]
) -> None:
    """Delta is wet - dry to a float's rounding, and the way to it a plain cross-fade."""
    x = noise(8000, level=0.1)
    coefficients = design(peak(300.0, 9.0, 2.0), FS, gain_db=-2.0)
    wet_chain, chain = Chain(FS, 2), Chain(FS, 2)
    wet_chain.set_target(coefficients)
    wet = wet_chain.process(x).astype(np.float64)
    dry = x.astype(np.float64)

    def ideal(mode: dict[str, bool]) -> np.ndarray:
        if mode.get("bypass"):
            return dry
        return wet - dry if mode.get("delta") else wet

    chain.set_target(coefficients, fade_frames=0, **before)
    start = chain.process(x[:2000])
    rounding = 2.0**-24 * (np.abs(wet) + np.abs(dry))
    assert np.all(np.abs(start - ideal(before)[:2000]) <= rounding[:2000])
    chain.set_target(coefficients, fade_frames=960, **after)
    y = chain.process(x[2000:])
    u = np.clip((np.arange(6000) + 1) / 960, 0, 1)[:, None]
    share = u**4 * (35 - 84 * u + 70 * u**2 - 20 * u**3)
    faded = (1 - share) * ideal(before)[2000:] + share * ideal(after)[2000:]
    assert 20 * np.log10(np.abs(y - faded).max() / 0.1) <= SMOOTHSTEP_DB


def test_a_flat_eq_changes_nothing_at_all() -> None:
    chain = Chain(FS, 2)
    chain.set_target(design(EQSettings.flat(), FS), delta=True)
    assert np.all(chain.process(noise(3000)) == 0.0)


@pytest.mark.parametrize("mode", ["wet", "bypass", "delta"])
def test_wet_and_dry_are_aligned_behind_the_look_ahead(mode: str) -> None:
    """0 samples apart: an impulse comes out at the same frame, and their sum is the wet sound."""
    x = np.zeros((400, 1), dtype=np.float32)
    x[100] = 0.25
    chain = Chain(FS, 1, 0.0015, 0.0)
    eq = design(peak(9000.0, 6.0, 1.0), FS)
    chain.set_target(eq, bypass=mode == "bypass", delta=mode == "delta")
    y = chain.process(x)[:, 0]
    assert int(np.argmax(np.abs(y))) == 100 + chain.latency_frames
    wet, dry, delta = (Chain(FS, 1, 0.0015, 0.0) for _ in range(3))
    wet.set_target(eq)
    dry.set_target(eq, bypass=True)
    delta.set_target(eq, delta=True)
    sum_of_both = dry.process(x) + delta.process(x)
    np.testing.assert_allclose(sum_of_both, wet.process(x), rtol=0, atol=2e-8)


def test_the_gate_starts_from_silence_without_a_step() -> None:
    chain = Chain(FS, 1)
    chain.set_gate(False)
    ones = np.ones((30_000, 1), dtype=np.float32)
    assert np.all(chain.process(ones[:100]) == 0.0)
    chain.set_gate(True, 24_000)
    y = chain.process(ones)[:, 0]
    assert y[0] < 1e-6
    assert np.all(np.diff(y) >= 0.0)
    assert np.diff(y).max() < 1e-4
    assert np.all(y[24_000:] == 1.0)


def test_a_gate_stands_half_open_for_good() -> None:
    chain = Chain(FS, 1)
    set_gate(chain.state, 0.25, 480)
    y = chain.process(np.ones((2000, 1), dtype=np.float32))[:, 0]
    assert np.all(np.diff(y) <= 0.0)
    assert np.all(y[480:] == 0.25)
    set_gate(chain.state, 1.0, 480)
    y = chain.process(np.ones((2000, 1), dtype=np.float32))[:, 0]
    assert np.all(y[480:] == 1.0)  # bit for bit


def test_a_gate_turned_round_starts_where_it_is() -> None:
    chain = Chain(FS, 1)
    chain.set_gate(False)
    chain.set_gate(True, 1000)
    ones = np.ones((500, 1), dtype=np.float32)
    up = chain.process(ones)[:, 0]
    chain.set_gate(False, 1000)
    down = chain.process(ones)[:, 0]
    assert abs(float(down[0]) - float(up[-1])) < 2e-3


@given(settings(), st.integers(1, 2000))
@hypothesis_settings(deadline=None, max_examples=30)
def test_after_a_ramp_the_filter_is_the_target(eq: EQSettings, ramp_frames: int) -> None:
    """Far enough behind the ramp the output is that of a chain which always had the target."""
    ramped, always = Chain(FS, 1), Chain(FS, 1)
    always.set_target(design(eq, FS))
    ramped.set_target(design(eq, FS), ramp_frames=ramp_frames)
    x = noise(2100, 1, level=0.1)
    silence = np.zeros((1_000_000, 1), dtype=np.float32)  # the slowest band rings for seconds
    for chain in (ramped, always):
        chain.process(x)
        chain.process(silence)
    np.testing.assert_allclose(ramped.process(x), always.process(x), rtol=0, atol=1e-6)


#: As the live conductor ramps: 5 ms.
RAMP_FRAMES = 240


def spurious_db(
    tone_hz: float, band_hz: float, q: float, above_hz: float, gains_db: np.ndarray
) -> float:
    """Return the energy above a corner, in dB of the total, while the band's gain changes each 20 ms."""
    frames = 960
    x = (0.5 * np.sin(2 * np.pi * tone_hz * np.arange(frames * len(gains_db)) / FS)).astype(
        np.float32
    )
    chain = Chain(FS, 1)
    parts = []
    for i, gain_db in enumerate(gains_db):
        chain.set_target(design(peak(band_hz, gain_db, q), FS), ramp_frames=RAMP_FRAMES if i else 0)
        parts.append(chain.process(x[i * frames : (i + 1) * frames, None]))
    y = np.concatenate(parts)[4800:, 0].astype(np.float64)
    # a window whose sidelobes are far below what is looked for
    n = np.arange(len(y)) / len(y)
    window = sum(
        a * np.cos(2 * np.pi * k * n)
        for k, a in enumerate((0.21557895, -0.41663158, 0.277263158, -0.083578947, 0.006947368))
    )
    power = np.abs(np.fft.rfft(y * window)) ** 2
    freqs = np.fft.rfftfreq(len(y), 1 / FS)
    return float(10 * np.log10(power[freqs > above_hz].sum() / power.sum()))


# What the float32 output itself carries: its rounding noise at this level, spread over the band.
SPURIOUS_DB = -110.0


@pytest.mark.parametrize(
    ("tone_hz", "band_hz", "q", "above_hz", "control"),
    [
        (100.0, 100.0, 2.0, 1000.0, "slow"),
        (100.0, 1000.0, 1.0, 2000.0, "jumps"),
        (1000.0, 1000.0, 1.0, 4000.0, "jumps"),
    ],
)
def test_moving_gains_make_no_zipper_noise(
    tone_hz: float, band_hz: float, q: float, above_hz: float, control: str
) -> None:
    steps = 100
    if control == "slow":
        gains = 12.0 * np.sin(2 * np.pi * 2.0 * np.arange(steps) * 0.02)
    else:
        gains = np.random.default_rng(3).uniform(-12.0, 12.0, steps)
    assert spurious_db(tone_hz, band_hz, q, above_hz, gains) <= SPURIOUS_DB


def test_random_jumps_never_overshoot() -> None:
    """f 60 Hz–12 kHz, Q 0.5–8, ±12 dB, every 64 samples: no louder than the loudest of these filters.

    What a +12 dB band adds by right is not overshoot, so the measure is each filter alone on the same
    noise. Swapping the coefficients of direct-form sections reaches about ten times that.
    """
    rng = np.random.default_rng(1)
    steps = 600
    x = noise(64 * steps, 1, level=0.1)
    chain = Chain(FS, 1)
    highest = alone = swapped = 0.0
    direct = np.zeros(2)
    for i in range(steps):
        eq = peak(
            float(np.exp(rng.uniform(np.log(60.0), np.log(12_000.0)))),
            float(rng.uniform(-12.0, 12.0)),
            float(rng.uniform(0.5, 8.0)),
        )
        chain.set_target(design(eq, FS), ramp_frames=64)
        stretch = x[i * 64 : (i + 1) * 64]
        highest = max(highest, float(np.abs(chain.process(stretch)).max()))
        b, a = np.split(design_sos(eq, FS)[1], 2)
        alone = max(alone, float(np.abs(scipy.signal.lfilter(b, a, x[:, 0].astype(float))).max()))
        y, direct = scipy.signal.lfilter(b, a, stretch[:, 0].astype(float), zi=direct)
        swapped = max(swapped, float(np.abs(y).max()))
    assert highest <= 1.1 * alone
    assert swapped > 3.0 * alone  # the test would see what it looks for


@pytest.mark.parametrize("channels", [0, 9, -1])
def test_channels_are_checked(channels: int) -> None:
    with pytest.raises(SettingsError, match=r"channels must be in 1\.\.8"):
        Chain(FS, channels)


def test_a_block_of_another_shape_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"block must have shape \(frames, 2\), got \(5, 3\)"):
        Chain(FS, 2).process(np.zeros((5, 3), dtype=np.float32))
