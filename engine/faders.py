"""What moves between two values without a step: the bypass, the delta listen and the gate.

Conventions
-----------
Each fader is a pair of values (from, to) and a clock (at, frames); the way between is `smoothstep`. One
that is turned round on its way starts from where it is.

What is heard is ``wet + bypass (dry - wet) - delta dry``: the sound as it is made, as it came, or what the EQ
changes. Both shares move by the same law, so from any of the three to any other is a plain cross-fade.
The dry side must be as late as the wet one: a stage that delays the wet side delays `dry` before `mix`.
"""

import numpy as np

from semeq.engine.chain_state import (
    BYPASS_AT,
    BYPASS_FRAMES,
    BYPASS_FROM,
    BYPASS_TO,
    DELTA_AT,
    DELTA_FRAMES,
    DELTA_FROM,
    DELTA_TO,
    GATE_AT,
    GATE_FRAMES,
    GATE_FROM,
    GATE_TO,
    ChainState,
)
from semeq.engine.jit import jit
from semeq.engine.kernel import smoothstep
from semeq.engine.units import Audio, Floats, Ints


@jit
def set_bypass(state: ChainState, bypass: bool, frames: int) -> None:
    """Fade to the dry input (or back) over `frames`; nothing happens if already heading there."""
    _head_for(state, BYPASS_FROM, BYPASS_AT, 1.0 if bypass else 0.0, frames)


@jit
def set_delta(state: ChainState, delta: bool, frames: int) -> None:
    """Fade to what the EQ changes (or back) over `frames`; nothing happens if already heading there."""
    _head_for(state, DELTA_FROM, DELTA_AT, 1.0 if delta else 0.0, frames)


@jit
def set_gate(state: ChainState, level: float, frames: int) -> None:
    """Let so much through (0 nothing, 1 all), over `frames`; nothing happens if already heading there."""
    _head_for(state, GATE_FROM, GATE_AT, level, frames)


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
def copy(source: Audio, sink: Audio) -> None:
    """Copy frames."""
    # a loop: numba's slice assignment compiles in a formatter for its shape errors
    for t in range(source.shape[0]):
        for c in range(source.shape[1]):
            sink[t, c] = source[t, c]


@jit
def _fade(y: Audio, dry: Audio, start: float, end: float, at: int, frames: int) -> None:
    """Cross-fade from `y` to `dry`: the share of `dry` moves from `start` to `end`."""
    for t in range(y.shape[0]):
        share = start + (end - start) * smoothstep(at + t, frames)
        for c in range(y.shape[1]):
            wet = np.float64(y[t, c])
            y[t, c] = np.float32(wet + share * (np.float64(dry[t, c]) - wet))


@jit
def _take_away(y: Audio, dry: Audio, start: float, end: float, at: int, frames: int) -> None:
    """Take a share of `dry` from `y`; it moves from `start` to `end`, and stays where `frames` is 0."""
    for t in range(y.shape[0]):
        share = end
        if frames > 0:
            share = start + (end - start) * smoothstep(at + t, frames)
        for c in range(y.shape[1]):
            y[t, c] = np.float32(np.float64(y[t, c]) - share * np.float64(dry[t, c]))


@jit
def _gate(y: Audio, start: float, end: float, at: int, frames: int) -> None:
    for t in range(y.shape[0]):
        gain = start + (end - start) * smoothstep(at + t, frames)
        for c in range(y.shape[1]):
            y[t, c] = np.float32(gain * np.float64(y[t, c]))


@jit
def mix(ints: Ints, floats: Floats, dry: Audio, y: Audio) -> None:
    """Turn the wet sound `y` into what is to be heard, in place; `dry` is the input that belongs to it."""
    at, frames = ints[BYPASS_AT], ints[BYPASS_FRAMES]
    if at < frames:
        _fade(y, dry, floats[BYPASS_FROM], floats[BYPASS_TO], at, frames)
        ints[BYPASS_AT] += y.shape[0]
    elif floats[BYPASS_TO] == 1.0:
        copy(dry, y)
    at, frames = ints[DELTA_AT], ints[DELTA_FRAMES]
    if at < frames:
        _take_away(y, dry, floats[DELTA_FROM], floats[DELTA_TO], at, frames)
        ints[DELTA_AT] += y.shape[0]
    elif floats[DELTA_TO] == 1.0:
        _take_away(y, dry, 1.0, 1.0, 0, 0)


@jit
def gate(ints: Ints, floats: Floats, y: Audio) -> None:
    """Let through what the gate lets through, in place."""
    at, frames = ints[GATE_AT], ints[GATE_FRAMES]
    if at < frames:
        _gate(y, floats[GATE_FROM], floats[GATE_TO], at, frames)
        ints[GATE_AT] += y.shape[0]
    elif floats[GATE_TO] == 0.0:
        for t in range(y.shape[0]):
            for c in range(y.shape[1]):
                y[t, c] = np.float32(0.0)
    elif floats[GATE_TO] != 1.0:
        _gate(y, floats[GATE_TO], floats[GATE_TO], 0, 1)
