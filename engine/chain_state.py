"""The arrays that the audio path works on, and what stands where in them.

Whoever runs a path owns one `ChainState`; the callback finds the same arrays by their addresses. These
numbers are compiled into it (`semeq.engine.jit` watches files that name it).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.kernel import FLUSH_EVERY, PAIR_STATE, SET_SIZE
from semeq.engine.limiter import limiter_state

MAX_CHANNELS = 8
#: In a file, a sample whose magnitude is above this (80 dB over full scale), or is no number, is damage.
BAD_ABOVE = 1e4
#: Live, damage begins 24 dB over full scale: no converter sends that, and no mix in floats needs it.
LIVE_BAD_ABOVE = 16.0
#: How fast what stands in for damage falls, and how fast the way back to the sound closes (time constant).
CONCEAL_S = 0.0005

# int64 state
POSITION, RAMP_AT, RAMP_FRAMES, IDENTITY, BAD, LIMITING, PEAKS = range(7)
BYPASS_AT, BYPASS_FRAMES, GATE_AT, GATE_FRAMES, DELTA_AT, DELTA_FRAMES = range(7, 13)
#: Float bits of the limit of damage; whether it is concealed, or silence; frames left of a burst of damage,
#: and how long one lasts; channels on their way back to the sound.
BAD_BITS, CONCEALS, BURST, BURST_FRAMES, RETURNING = range(13, 18)
#: How much is left out, see `semeq.engine.shed`.
SHED = 18
INTS = 19
# float64 state
BYPASS_FROM, BYPASS_TO, GATE_FROM, GATE_TO, DELTA_FROM, DELTA_TO, CONCEAL_DECAY = range(7)
#: For each channel: the last sample that went in, how far that is from the sound, and whether it is damage.
LAST = 7
OFFSET = LAST + MAX_CHANNELS
GAP = OFFSET + MAX_CHANNELS
FLOATS = GAP + MAX_CHANNELS
#: Peaks of the last 64 stretches of 1024 frames: (in, out), newest at ``(PEAKS - 1) % 64``.
PEAK_SLOTS = 64
_BURST_S = 0.005


class ChainState(NamedTuple):
    """The arrays that `semeq.engine.path.process` works on."""

    ints: Any  # (INTS,) int64
    floats: Any  # (FLOATS,) float64
    base: Any  # (96,) float64, where a ramp starts
    delta: Any  # (96,) float64, how far it goes
    target: Any  # (96,) float64, what runs once it has ended
    filters: Any  # (pairs * 32,) float64
    dry: Any  # (1024, channels) float32, the sanitised input of one stretch
    peaks: Any  # (64, 2) float32
    limiter_ints: Any
    limiter_floats: Any
    limiter_ring: Any


def chain_state(
    fs: float,
    channels: int,
    *,
    lookahead_frames: int = 0,
    ceiling_db: float | None = None,
    bad_above: float = BAD_ABOVE,
    conceals: bool = True,
) -> ChainState:
    """Return the state of a chain that passes everything: flat, gate open, not bypassed.

    Parameters
    ----------
    fs : float
        Sample rate in Hz.
    channels : int
        1 to 8.
    lookahead_frames : int
        Look-ahead of the limiter; 0 is the guard without delay.
    ceiling_db : float, optional
        The limiter's ceiling in dBFS; None leaves it out.
    bad_above : float
        Magnitude above which a sample is damage.
    conceals : bool
        Whether damage is bridged (`semeq.engine.conceal`); else it is silence.
    """
    if not (isinstance(channels, int) and 1 <= channels <= MAX_CHANNELS):
        raise SettingsError(f"channels must be in 1..{MAX_CHANNELS}, got {channels}")
    limiter = limiter_state(
        fs, channels, lookahead_frames, 0.0 if ceiling_db is None else ceiling_db
    )
    pairs = (channels + 1) // 2
    state = ChainState(
        np.zeros(INTS, dtype=np.int64),
        np.zeros(FLOATS),
        np.zeros(SET_SIZE),
        np.zeros(SET_SIZE),
        np.zeros(SET_SIZE),
        np.zeros(pairs * PAIR_STATE),
        np.zeros((FLUSH_EVERY, channels), dtype=np.float32),
        np.zeros((PEAK_SLOTS, 2), dtype=np.float32),
        *limiter,
    )
    state.floats[[GATE_FROM, GATE_TO]] = 1.0
    state.floats[CONCEAL_DECAY] = math.exp(-1.0 / (CONCEAL_S * fs))
    state.ints[LIMITING] = 0 if ceiling_db is None else 1
    state.ints[BAD_BITS] = int(np.float32(bad_above).view(np.int32))
    state.ints[CONCEALS] = conceals
    state.ints[BURST_FRAMES] = max(1, round(_BURST_S * fs))
    return state
