"""The audio path, compiled: sanitise → EQ → bypass and delta → limiter → start gate → peaks.

The same `process` runs a file and stands inside the live callback. It never allocates, waits, logs or
calls Python. All of its state lives in the arrays of a `ChainState`; whoever runs it owns one.

Every decision depends on a sample's absolute position and on the samples before it, never on where a block
ends: any partition of the input gives bit-identical output.
"""

import numpy as np

from semeq.engine.chain_state import (
    BAD,
    BAD_ABOVE,
    BYPASS_AT,
    BYPASS_FRAMES,
    BYPASS_TO,
    CONCEALS,
    DELTA_AT,
    DELTA_FRAMES,
    FLOATS,
    GATE_AT,
    IDENTITY,
    INTS,
    LIMITING,
    LIVE_BAD_ABOVE,
    MAX_CHANNELS,
    PEAK_SLOTS,
    PEAKS,
    POSITION,
    RAMP_AT,
    RAMP_FRAMES,
    SHED,
    ChainState,
    chain_state,
)
from semeq.engine.conceal import DAMAGE, SOUND, next_run, peak_bits, take_in
from semeq.engine.design import SECTIONS
from semeq.engine.faders import copy, gate, mix, set_bypass, set_delta, set_gate
from semeq.engine.jit import jit
from semeq.engine.kernel import (
    FLUSH_EVERY,
    SET_SIZE,
    flush,
    run_ramp,
    run_static,
    smoothstep,
    spread,
)
from semeq.engine.limiter import doubt, limit
from semeq.engine.shed import FILTERS, METERS, set_shed
from semeq.engine.units import Audio, Floats, Ints

__all__ = [
    "BAD",
    "BAD_ABOVE",
    "FLOATS",
    "INTS",
    "LIVE_BAD_ABOVE",
    "MAX_CHANNELS",
    "PEAKS",
    "PEAK_SLOTS",
    "POSITION",
    "ChainState",
    "chain_state",
    "is_busy",
    "process",
    "set_bypass",
    "set_delta",
    "set_gate",
    "set_rows",
    "set_shed",
]


@jit
def is_busy(state: ChainState) -> bool:
    """Whether a ramp or a cross-fade is under way; a new set then waits, so that both stay smooth."""
    ints = state.ints
    return bool(
        ints[RAMP_AT] < ints[RAMP_FRAMES]
        or ints[BYPASS_AT] < ints[BYPASS_FRAMES]
        or ints[DELTA_AT] < ints[DELTA_FRAMES]
    )


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
def _rests(state: ChainState, ramping: bool) -> bool:
    """Whether the filters are left out: there is no time for them, and nothing of them is heard."""
    ints = state.ints
    if ints[SHED] < FILTERS:
        return False
    is_bypassed = state.floats[BYPASS_TO] == 1.0 and ints[BYPASS_AT] >= ints[BYPASS_FRAMES]
    return bool(is_bypassed or (ints[IDENTITY] and not ramping))


@jit
def _equalise(state: ChainState, dry: Audio, y: Audio) -> None:
    ints = state.ints
    ramping = ints[RAMP_AT] < ints[RAMP_FRAMES]
    pairs = 0 if _rests(state, ramping) else y.shape[1]
    for pair in range(0, pairs, 2):
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
        copy(dry, y)  # the filters stay warm, the samples pass untouched (even a negative zero)


@jit
def _stretch(ints: Ints, frames: int) -> int:
    """Return how many of `frames` can be done before something changes."""
    n = min(frames, FLUSH_EVERY - ints[POSITION] % FLUSH_EVERY)
    for clock in (RAMP_AT, BYPASS_AT, GATE_AT, DELTA_AT):
        left = ints[clock + 1] - ints[clock]
        if left > 0:
            n = min(n, left)
    return int(n)


@jit
def process(state: ChainState, x: Audio, y: Audio) -> None:
    """Run `x` through the chain into `y`, both ``(frames, channels)`` float32, C-contiguous."""
    ints, floats = state.ints, state.floats
    done = 0
    while done < x.shape[0]:
        n = _stretch(ints, x.shape[0] - done)
        n, kind = next_run(ints, x[done : done + n])
        dry = state.dry[:n]
        out = y[done : done + n]
        take_in(ints, floats, x[done : done + n], dry, kind)
        is_metered = ints[SHED] < METERS
        peak_in = peak_bits(dry) if is_metered else 0
        _equalise(state, dry, out)
        mix(ints, floats, dry, out)
        if ints[LIMITING]:
            if kind != SOUND and ints[CONCEALS]:
                doubt(state.limiter_ints, n, kind == DAMAGE)
            limit(state.limiter_ints, state.limiter_floats, state.limiter_ring, out)
        gate(ints, floats, out)
        peaks = state.peaks.view(np.int32)
        if is_metered:
            slot = ints[PEAKS] % PEAK_SLOTS
            peaks[slot, 0] = max(peaks[slot, 0], np.int32(peak_in))
            peaks[slot, 1] = max(peaks[slot, 1], np.int32(peak_bits(out)))
        ints[POSITION] += n
        if ints[POSITION] % FLUSH_EVERY == 0:
            flush(state.filters)
            following = (ints[PEAKS] + 1) % PEAK_SLOTS
            peaks[following, 0] = 0
            peaks[following, 1] = 0
            ints[PEAKS] += 1
        done += n
