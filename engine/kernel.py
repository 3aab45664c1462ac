"""The filter itself: seven bands and a gain over two channels, sixteen lanes wide.

Conventions
-----------
Lane ``2 k + c`` runs section ``k`` of channel ``c``. At step ``t`` section ``k`` works on sample
``t - k``: a wavefront, in which no lane waits for another, so a step of the whole cascade costs what
one section costs. Seven steps before the first and after the last sample of a stretch run with the
idle lanes held; the audio is not delayed.

The arithmetic of a sample depends on its absolute position alone (is it inside a ramp, and where), so
any partition of the input into blocks gives the same bits. States below 1e-30 are set to zero at every
multiple of 1024 samples, again by absolute position: denormals never slow silence down.

During a ramp every row moves as ``base + smoothstep(u) * delta``; see `semeq.engine.design` for why
that is stable whatever the jump.
"""

import numpy as np

from semeq.engine.design import ROW, SECTIONS
from semeq.engine.jit import jit
from semeq.engine.simd import LANES, keep_active, last, load, shift_in, store
from semeq.engine.units import Audio, Floats

#: Doubles of filter state for each pair of channels: s1 and s2 of every lane.
PAIR_STATE = 2 * LANES
#: Doubles in one set of rows, spread over the lanes.
SET_SIZE = ROW * LANES
FLUSH_EVERY = 1024
FLUSH_BELOW = 1e-30
_DEPTH = SECTIONS - 1


@jit
def spread(rows: Floats, lanes: Floats) -> None:
    """Write rows of shape ``(8, 6)`` into a flat set of lanes, shape ``(96,)``."""
    for k in range(SECTIONS):
        for i in range(ROW):
            lanes[i * LANES + 2 * k] = rows[k, i]
            lanes[i * LANES + 2 * k + 1] = rows[k, i]


@jit
def smoothstep(at: int, frames: int) -> float:
    """Return the ramp's weight after sample `at` of `frames`: 0 → 1, three derivatives 0 at both ends.

    What a moving gain adds to the spectrum falls off the faster the smoother its ramp: at the same
    length the usual cubic leaves 14 to 30 dB more of it.
    """
    u = (at + 1) / frames
    squared = u * u
    return squared * squared * (35.0 - 84.0 * u + 70.0 * squared - 20.0 * squared * u)


@jit
def _emit(y: Audio, frame: int, pair: int, stereo: bool, left: float, right: float) -> None:
    # Below 1e-30 is zero: the same bits whether or not a host's thread flushes denormals.
    y[frame, pair] = np.float32(left) if abs(left) >= FLUSH_BELOW else np.float32(0.0)
    if stereo:
        y[frame, pair + 1] = np.float32(right) if abs(right) >= FLUSH_BELOW else np.float32(0.0)


@jit
def run_static(x: Audio, y: Audio, pair: int, state: Floats, rows: Floats) -> None:
    """Filter channels `pair` and `pair` + 1 of `x` into `y`, coefficients fixed.

    Parameters
    ----------
    x, y : Audio
        ``(frames, channels)`` float32; `y` may be `x`.
    pair : int
        The first channel of the pair, even; the second is left out where there is none.
    state : Floats
        Flat filter state of all pairs; ``state[16 * pair : 16 * pair + 32]`` is read and written.
    rows : Floats
        A spread set of rows, shape ``(96,)``.
    """
    frames = x.shape[0]
    at = LANES * pair
    stereo = pair + 1 < x.shape[1]
    s1, s2 = load(state, at), load(state, at + LANES)
    p, b1, b2 = load(rows, 0), load(rows, LANES), load(rows, 2 * LANES)
    c1, c2, d = load(rows, 3 * LANES), load(rows, 4 * LANES), load(rows, 5 * LANES)
    out = s1 - s1
    left, right = 0.0, 0.0
    for t in range(frames + _DEPTH):
        if t < frames:
            left = np.float64(x[t, pair])
            right = np.float64(x[t, pair + 1]) if stereo else 0.0
        i = shift_in(out, left, right)
        v = i - s2
        out = d * i + (c2 * s2 + c1 * s1)
        new1 = p * s1 + b1 * v
        new2 = (s2 + b1 * s1) + b2 * v
        if t < _DEPTH or t >= frames:
            new1, new2 = keep_active(new1, s1, t, frames), keep_active(new2, s2, t, frames)
        s1, s2 = new1, new2
        if t >= _DEPTH:
            l_out, r_out = last(out)
            _emit(y, t - _DEPTH, pair, stereo, l_out, r_out)
    store(state, at, s1)
    store(state, at + LANES, s2)


@jit
def run_ramp(
    x: Audio,
    y: Audio,
    pair: int,
    state: Floats,
    base: Floats,
    delta: Floats,
    ramp_at: int,
    ramp_frames: int,
) -> None:
    """Filter a stretch that lies inside a ramp: rows move from `base` by ``smoothstep * delta``.

    Parameters as for `run_static`; `ramp_at` is the ramp's position at the first sample, and the
    stretch must not be longer than what is left of the ramp.
    """
    frames = x.shape[0]
    at = LANES * pair
    stereo = pair + 1 < x.shape[1]
    s1, s2 = load(state, at), load(state, at + LANES)
    p0, b10, b20 = load(base, 0), load(base, LANES), load(base, 2 * LANES)
    c10, c20, d0 = load(base, 3 * LANES), load(base, 4 * LANES), load(base, 5 * LANES)
    dp, db1, db2 = load(delta, 0), load(delta, LANES), load(delta, 2 * LANES)
    dc1, dc2, dd = load(delta, 3 * LANES), load(delta, 4 * LANES), load(delta, 5 * LANES)
    out = s1 - s1
    weight = out
    left, right, w = 0.0, 0.0, 0.0
    for t in range(frames + _DEPTH):
        if t < frames:
            left = np.float64(x[t, pair])
            right = np.float64(x[t, pair + 1]) if stereo else 0.0
            w = smoothstep(ramp_at + t, ramp_frames)
        weight = shift_in(weight, w, w)
        i = shift_in(out, left, right)
        b1 = b10 + weight * db1
        v = i - s2
        out = (d0 + weight * dd) * i + ((c20 + weight * dc2) * s2 + (c10 + weight * dc1) * s1)
        new1 = (p0 + weight * dp) * s1 + b1 * v
        new2 = (s2 + b1 * s1) + (b20 + weight * db2) * v
        if t < _DEPTH or t >= frames:
            new1, new2 = keep_active(new1, s1, t, frames), keep_active(new2, s2, t, frames)
        s1, s2 = new1, new2
        if t >= _DEPTH:
            l_out, r_out = last(out)
            _emit(y, t - _DEPTH, pair, stereo, l_out, r_out)
    store(state, at, s1)
    store(state, at + LANES, s2)


@jit
def flush(state: Floats) -> None:
    """Set states too small to matter to zero."""
    for j in range(state.size):
        if abs(state[j]) < FLUSH_BELOW:
            state[j] = 0.0
