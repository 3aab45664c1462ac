"""Damaged input through the native callback itself: what comes out is sound, back in 20 ms, and counted."""

from itertools import pairwise

import numpy as np
import pytest
from broken_sound import BROKEN, inputs
from callback_host import FS, Host
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from strategies import partitions, settings

from semeq.engine.chain_state import LIVE_BAD_ABOVE
from semeq.engine.design import design
from semeq.engine.settings import EQSettings
from semeq.engine.timeline import ControlSet
from semeq.engine.units import Audio, db_to_gain
from semeq.realtime.counts import read_counts

CEILING_DB = -1.0
#: The guard, and 1.5 ms of look-ahead.
MODES = [0, 72]
RECOVERY_FRAMES = round(0.02 * FS)
FRAMES = 3000


def opened(eq: EQSettings, gain_db: float = 0.0) -> ControlSet:
    return ControlSet(design(eq, FS, gain_db=gain_db), 480, gate_open=True)


def is_damage(x: Audio) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return ~(np.abs(x) <= LIVE_BAD_ABOVE)


@pytest.mark.parametrize("lookahead_frames", MODES)
@given(
    x=inputs(FRAMES),
    blocks=partitions(FRAMES),
    first=settings(),
    second=settings(),
    gain_db=st.sampled_from([0.0, 24.0]),
    n_in=st.integers(1, 2),
)
@hypothesis_settings(deadline=None, max_examples=30)
def test_whatever_comes_in_what_comes_out_is_sound(
    lookahead_frames: int,
    x: Audio,
    blocks: list[int],
    first: EQSettings,
    second: EQSettings,
    gain_db: float,
    n_in: int,
) -> None:
    """Finite, under the ceiling and counted, in blocks of any size, while the bands move."""
    host = Host(n_in, 2, lookahead_frames=lookahead_frames, ceiling_db=CEILING_DB)
    host.post(opened(first, gain_db))
    x = x[:, :n_in]
    edges = np.cumsum([0, *blocks])
    for number, (a, b) in enumerate(pairwise(edges)):
        if number == 1:
            host.post(opened(second, gain_db), 2)
        y = host.block(x[a:b])
        assert np.all(np.isfinite(y))
        assert np.abs(y).max() <= np.float32(db_to_gain(CEILING_DB))
    counts = read_counts(host.state, FS)
    per_sample = 2 // n_in  # one microphone feeds both channels
    assert counts.bad_samples >= per_sample * np.count_nonzero(is_damage(x))
    assert counts.position == FRAMES
    assert counts.callbacks == len(blocks)
    assert np.all(np.isfinite(host.state.chain.peaks))


@pytest.mark.parametrize("lookahead_frames", MODES)
@given(
    value=BROKEN.filter(lambda value: not abs(value) <= LIVE_BAD_ABOVE),
    at=st.integers(0, FRAMES),
    length=st.sampled_from([1, 2, 64, 700]),
    blocks=partitions(2 * FRAMES),
)
@hypothesis_settings(deadline=None, max_examples=30)
def test_the_sound_is_back_in_20_ms(
    lookahead_frames: int, value: float, at: int, length: int, blocks: list[int]
) -> None:
    """From then on it is what it would have been, bit for bit; each damaged sample is counted."""
    t = np.arange(2 * FRAMES)[:, None] / FS
    clean = (0.4 * np.sin(2.0 * np.pi * np.array([220.0, 331.0]) * t)).astype(np.float32)
    damaged = clean.copy()
    damaged[at : at + length] = np.float32(value)
    out = []
    for x in (clean, damaged):
        host = Host(2, 2, lookahead_frames=lookahead_frames, ceiling_db=CEILING_DB)
        host.post(opened(EQSettings.flat()))
        edges = np.cumsum([0, *blocks])
        out.append(np.concatenate([host.block(x[a:b]) for a, b in pairwise(edges)]))
    assert read_counts(host.state, FS).bad_samples == 2 * length
    back = at + length + RECOVERY_FRAMES + lookahead_frames
    np.testing.assert_array_equal(out[1][back:], out[0][back:])
