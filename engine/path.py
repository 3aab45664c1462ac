"""The audio path, compiled: sanitise → EQ → bypass fade → limiter → start gate → peaks.

The same `process` runs a file and stands inside the live callback. It never allocates, waits, logs or
calls Python. All of its state lives in the arrays of a `ChainState`; whoever runs it owns one.

Every decision depends on a sample's absolute position, never on where a block ends: any partition of
the input gives bit-identical output.
"""

from typing import Any, NamedTuple

import numpy as np

from semeq.engine.design import SECTIONS
from semeq.engine.errors import SettingsError
from semeq.engine.jit import jit
from semeq.engine.kernel import (
    FLUSH_EVERY,
    PAIR_STATE,
    SET_SIZE,
    flush,
    run_ramp,
    run_static,
    smoothstep,
    spread,
)
from semeq.engine.limiter import limit, limiter_state
from semeq.engine.units import Audio, Floats, Ints

MAX_CHANNELS = 8
#: A sample whose magnitude is above this (80 dB over full scale), or is not a number, is damage.
BAD_ABOVE = 1e4
_BAD_BITS = int(np.float32(BAD_ABOVE).view(np.int32))
_ABS_BITS = 0x7FFFFFFF

# int64 state
POSITION, RAMP_AT, RAMP_FRAMES, IDENTITY, BAD, LIMITING, PEAKS = range(7)
BYPASS_AT, BYPASS_FRAMES, GATE_AT, GATE_FRAMES = range(7, 11)
INTS = 11
# float64 state
BYPASS_FROM, BYPASS_TO, GATE_FROM, GATE_TO = range(4)
FLOATS = 4
#: Peaks of the last 64 stretches of 1024 frames: (in, out), newest at ``(PEAKS - 1) % 64``.
PEAK_SLOTS = 64


class ChainState(NamedTuple):
    """The arrays that `process` works on."""

    ints: Any  # (11,) int64
    floats: Any  # (4,) float64
    base: Any  # (96,) float64, where a ramp starts
    delta: Any  # (96,) float64, how far it goes
    target: Any  # (96,) float64, what runs once it has ended
    filters: Any  # (pairs * 32,) float64
    dry: Any  # (1024, channels) float32, the sanitised input of one stretch
    peaks: Any  # (64, 2) float32
    limiter_ints: Any
    limiter_floats: Any
    limiter_ring: Any


@jit
def _sanitise(x: Audio, dry: Audio) -> tuple[int, int]:
    """Copy `x` with damaged samples as silence; return their count and the peak's float bits."""
    bits = x.view(np.int32)
    out = dry.view(np.int32)
    bad = 0
    peak = np.int32(0)
    for t in range(x.shape[0]):
        for c in range(x.shape[1]):
            magnitude = bits[t, c] & np.int32(_ABS_BITS)
            good = magnitude <= np.int32(_BAD_BITS)
            out[t, c] = bits[t, c] if good else np.int32(0)
            peak = max(peak, magnitude if good else np.int32(0))
            bad += 0 if good else 1
    return bad, int(peak)


@jit
def _copy(source: Audio, sink: Audio) -> None:
    # a loop: numba's slice assignment compiles in a formatter for its shape errors
    for t in range(source.shape[0]):
        for c in range(source.shape[1]):
            sink[t, c] = source[t, c]


@jit
def _peak_bits(y: Audio) -> int:
    bits = y.view(np.int32)
    peak = np.int32(0)
    for t in range(y.shape[0]):
        for c in range(y.shape[1]):
            peak = max(peak, bits[t, c] & np.int32(_ABS_BITS))
    return int(peak)


@jit
def _fade(y: Audio, dry: Audio, start: float, end: float, at: int, frames: int) -> None:
    """Cross-fade from `y` to `dry`: the share of `dry` moves from `start` to `end`."""
    for t in range(y.shape[0]):
        share = start + (end - start) * smoothstep(at + t, frames)
        for c in range(y.shape[1]):
            wet = np.float64(y[t, c])
            y[t, c] = np.float32(wet + share * (np.float64(dry[t, c]) - wet))


@jit
def _gate(y: Audio, start: float, end: float, at: int, frames: int) -> None:
    for t in range(y.shape[0]):
        gain = start + (end - start) * smoothstep(at + t, frames)
        for c in range(y.shape[1]):
            y[t, c] = np.float32(gain * np.float64(y[t, c]))


@jit
def is_busy(state: ChainState) -> bool:
    """Whether a ramp or a bypass fade is under way; a new set then waits, so that both stay smooth."""
    ints = state.ints
    return bool(ints[RAMP_AT] < ints[RAMP_FRAMES] or ints[BYPASS_AT] < ints[BYPASS_FRAMES])


@jit
def set_rows(state: ChainState, rows: Floats, ramp_frames: int) -> None:
    """Head for `rows`, shape ``(8, 6)``, from the values of this instant, in `ramp_frames`."""
    ints = state.ints
    if ints[RAMP_AT] < ints[RAMP_FRAMES]:
        weight = smoothstep(ints[RAMP_AT] - 1, ints[RAMP_FRAMES])
        for j in range(SET_SIZE):
            state.base[j] += weight * state.delta[j]
    else:
        for j in range(SET_SIZE):
            state.base[j] = state.target[j]
    spread(rows, state.target)
    identity = 1
    for k in range(SECTIONS):
        if rows[k, 3] != 0.0 or rows[k, 4] != 0.0 or rows[k, 5] != 1.0:
            identity = 0
    moves = False
    for j in range(SET_SIZE):
        state.delta[j] = state.target[j] - state.base[j]
        moves = moves or state.delta[j] != 0.0
    ints[IDENTITY] = identity
    ints[RAMP_AT] = 0
    ints[RAMP_FRAMES] = ramp_frames if moves else 0


@jit
def set_bypass(state: ChainState, bypass: bool, frames: int) -> None:
    """Fade to the dry input (or back) over `frames`; nothing happens if already heading there."""
    _head_for(state, BYPASS_FROM, BYPASS_AT, 1.0 if bypass else 0.0, frames)


@jit
def set_gate(state: ChainState, is_open: bool, frames: int) -> None:
    """Open or close the output over `frames`; nothing happens if already heading there."""
    _head_for(state, GATE_FROM, GATE_AT, 1.0 if is_open else 0.0, frames)


@jit
def _head_for(state: ChainState, value_at: int, clock_at: int, to: float, frames: int) -> None:
    floats, ints = state.floats, state.ints
    if floats[value_at + 1] == to:
        return
    start = floats[value_at + 1]
    if ints[clock_at] < ints[clock_at + 1]:
        weight = smoothstep(ints[clock_at] - 1, ints[clock_at + 1])
        start = floats[value_at] + (floats[value_at + 1] - floats[value_at]) * weight
    floats[value_at] = start
    floats[value_at + 1] = to
    ints[clock_at] = 0
    ints[clock_at + 1] = frames


@jit
def _equalise(state: ChainState, dry: Audio, y: Audio) -> None:
    ints = state.ints
    ramping = ints[RAMP_AT] < ints[RAMP_FRAMES]
    for pair in range(0, y.shape[1], 2):
        if ramping:
            run_ramp(
                dry,
                y,
                pair,
                state.filters,
                state.base,
                state.delta,
                ints[RAMP_AT],
                ints[RAMP_FRAMES],
            )
        else:
            run_static(dry, y, pair, state.filters, state.target)
    if ramping:
        ints[RAMP_AT] += y.shape[0]
    elif ints[IDENTITY]:
        _copy(dry, y)  # the filters stay warm, the samples pass untouched (even a negative zero)


@jit
def _bypass(state: ChainState, dry: Audio, y: Audio) -> None:
    ints, floats = state.ints, state.floats
    at, frames = ints[BYPASS_AT], ints[BYPASS_FRAMES]
    if at < frames:
        _fade(y, dry, floats[BYPASS_FROM], floats[BYPASS_TO], at, frames)
        ints[BYPASS_AT] += y.shape[0]
    elif floats[BYPASS_TO] == 1.0:
        _copy(dry, y)


@jit
def _open_gate(state: ChainState, y: Audio) -> None:
    ints, floats = state.ints, state.floats
    at, frames = ints[GATE_AT], ints[GATE_FRAMES]
    if at < frames:
        _gate(y, floats[GATE_FROM], floats[GATE_TO], at, frames)
        ints[GATE_AT] += y.shape[0]
    elif floats[GATE_TO] == 0.0:
        for t in range(y.shape[0]):
            for c in range(y.shape[1]):
                y[t, c] = np.float32(0.0)


@jit
def _stretch(ints: Ints, frames: int) -> int:
    """Return how many of `frames` can be done before something changes."""
    n = min(frames, FLUSH_EVERY - ints[POSITION] % FLUSH_EVERY)
    for clock in (RAMP_AT, BYPASS_AT, GATE_AT):
        left = ints[clock + 1] - ints[clock]
        if left > 0:
            n = min(n, left)
    return int(n)


@jit
def process(state: ChainState, x: Audio, y: Audio) -> None:
    """Run `x` through the chain into `y`, both ``(frames, channels)`` float32, C-contiguous."""
    ints = state.ints
    done = 0
    while done < x.shape[0]:
        n = _stretch(ints, x.shape[0] - done)
        dry = state.dry[:n]
        out = y[done : done + n]
        bad, peak_in = _sanitise(x[done : done + n], dry)
        ints[BAD] += bad
        _equalise(state, dry, out)
        _bypass(state, dry, out)
        if ints[LIMITING]:
            limit(state.limiter_ints, state.limiter_floats, state.limiter_ring, out)
        _open_gate(state, out)
        slot = ints[PEAKS] % PEAK_SLOTS
        peaks = state.peaks.view(np.int32)
        peaks[slot, 0] = max(peaks[slot, 0], np.int32(peak_in))
        peaks[slot, 1] = max(peaks[slot, 1], np.int32(_peak_bits(out)))
        ints[POSITION] += n
        if ints[POSITION] % FLUSH_EVERY == 0:
            flush(state.filters)
            following = (ints[PEAKS] + 1) % PEAK_SLOTS
            peaks[following, 0] = 0
            peaks[following, 1] = 0
            ints[PEAKS] += 1
        done += n


def chain_state(
    fs: float, channels: int, *, lookahead_frames: int = 0, ceiling_db: float | None = None
) -> ChainState:
    """Return the state of a chain that passes everything: flat, gate open, not bypassed."""
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
    state.ints[LIMITING] = 0 if ceiling_db is None else 1
    return state
