"""Damaged samples, and how the path gets over them: nothing of them is heard, and the sound is back at once.

Damage is what is no number, or so far over full scale that no converter sent it. Where it stands, the
last good sample goes on in its place and falls to silence; when the sound is back, the step to it is
closed in the same way. Within 20 ms of the last damaged sample the input passes bit for bit again.

A broken stream (random bits, say) has values among the damage that look like sound. Hence, within 5 ms of
damage everything beyond full scale is damage, too.

Each decision depends on the samples before it, never on where a block ends.
"""

import numpy as np

from semeq.engine.chain_state import (
    BAD,
    BAD_BITS,
    BURST,
    BURST_FRAMES,
    CONCEAL_DECAY,
    CONCEALS,
    GAP,
    LAST,
    OFFSET,
    RETURNING,
)
from semeq.engine.jit import jit
from semeq.engine.units import Audio, Floats, Ints

_ABS_BITS = 0x7FFFFFFF
_FULL_SCALE_BITS = int(np.float32(1.0).view(np.int32))
#: Kinds of frames.
SOUND, LOUD, DAMAGE = range(3)
#: An offset below this (−160 dB) is none.
_CLOSED = 1e-8


@jit
def peak_bits(audio: Audio) -> int:
    """Return the float bits of the greatest magnitude; they order as the magnitudes do, NaN on top."""
    bits = audio.view(np.int32)
    peak = np.int32(0)
    for t in range(audio.shape[0]):
        for c in range(audio.shape[1]):
            peak = max(peak, bits[t, c] & np.int32(_ABS_BITS))
    return int(peak)


@jit
def _kind(ints: Ints, magnitude: int, burst: int) -> int:
    if magnitude <= _FULL_SCALE_BITS:
        return SOUND
    if magnitude > ints[BAD_BITS] or (burst > 0 and ints[CONCEALS] != 0):
        return DAMAGE
    return LOUD


@jit
def next_run(ints: Ints, x: Audio) -> tuple[int, int]:
    """Return how many frames of `x` from the first on are of one kind, and which: sound, loud, damage.

    Loud is what is beyond full scale: sound, unless damage follows.
    """
    frames = x.shape[0]
    burst = ints[BURST]
    if peak_bits(x) <= _FULL_SCALE_BITS:
        return frames, SOUND
    first = SOUND
    for t in range(frames):
        highest = peak_bits(x[t : t + 1])
        kind = _kind(ints, highest, burst)
        if t == 0:
            first = kind
        elif kind != first:
            return t, first
        burst = ints[BURST_FRAMES] if highest > ints[BAD_BITS] else max(burst - 1, 0)
    return frames, first


@jit
def take_in(ints: Ints, floats: Floats, x: Audio, dry: Audio, kind: int) -> None:
    """Copy a run of `next_run` into `dry`, its damage concealed and counted."""
    if kind == DAMAGE or ints[BURST] > 0 or ints[RETURNING] > 0:
        _bridge(ints, floats, x, dry)
        return
    for t in range(x.shape[0]):
        for c in range(x.shape[1]):
            dry[t, c] = x[t, c]
    newest = x.shape[0] - 1
    for c in range(x.shape[1]):
        floats[LAST + c] = min(max(np.float64(x[newest, c]), -1.0), 1.0)


@jit
def _bridge(ints: Ints, floats: Floats, x: Audio, dry: Audio) -> None:
    bits = x.view(np.int32)
    decay = floats[CONCEAL_DECAY]
    conceals = ints[CONCEALS] != 0
    burst = ints[BURST]
    for t in range(x.shape[0]):
        before = burst
        burst = max(burst - 1, 0)
        for c in range(x.shape[1]):
            magnitude = bits[t, c] & np.int32(_ABS_BITS)
            if magnitude > ints[BAD_BITS]:
                burst = ints[BURST_FRAMES]
            if _kind(ints, magnitude, before) == DAMAGE:
                ints[BAD] += 1
                floats[LAST + c] = floats[LAST + c] * decay if conceals else 0.0
                floats[GAP + c] = 1.0
                dry[t, c] = np.float32(floats[LAST + c])
                continue
            sample = np.float64(x[t, c])
            if floats[GAP + c] != 0.0:
                floats[GAP + c] = 0.0
                floats[OFFSET + c] = floats[LAST + c] - sample if conceals else 0.0
            offset = floats[OFFSET + c] * decay
            if abs(offset) < _CLOSED:
                offset = 0.0
            floats[OFFSET + c] = offset
            # what has no offset passes as it is, even a negative zero
            dry[t, c] = np.float32(sample + offset) if offset != 0.0 else x[t, c]
            floats[LAST + c] = min(max(sample + offset, -1.0), 1.0)
    ints[BURST] = burst
    returning = 0
    for c in range(x.shape[1]):
        if floats[OFFSET + c] != 0.0 or floats[GAP + c] != 0.0:
            returning += 1
    ints[RETURNING] = returning
