"""The audio callback: native code from end to end, never the interpreter.

PortAudio calls it with two buffers and a pointer to a table of addresses; from there it finds the
chain's arrays, the mailbox, the tap ring and its own counters, all allocated before the stream opens.
Order in a block: take the newest set if no ramp is under way, process, copy the input into the tap
ring, count. It allocates nothing, waits for nothing and raises nothing.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import cfunc, types
from numba.np.numpy_support import carray

from semeq.engine.chain_state import SHED
from semeq.engine.jit import jit, kept
from semeq.engine.kernel import FLUSH_EVERY, PAIR_STATE, SET_SIZE
from semeq.engine.path import FLOATS, INTS, PEAK_SLOTS, POSITION, ChainState, is_busy, process
from semeq.engine.shed import METERS
from semeq.engine.timeline import GENTLE, SEQUENCE, SET_DOUBLES, apply_set, session_chain
from semeq.engine.units import Audio, Ints
from semeq.realtime.atomic import TICKS_PER_NS, now_ticks, pointer_to, publish
from semeq.realtime.mailbox import SLOTS, has_post, mailbox, take
from semeq.realtime.tap import COUNTERS, TAP_FRAMES, TAPPED, Tap, private_tap

#: Frames handled at once; a host that asks for more is served in several goes.
MAX_FRAMES = 8192
APPLIED_SLOTS = 1024
#: Frames of output that are kept for whoever measures it, a power of two.
HEARD_FRAMES = 1 << 17
HISTOGRAM_US = 4096

# int64 counters
(
    CALLBACKS,
    MISSED,
    MAX_NS,
    INPUT_XRUNS,
    OUTPUT_XRUNS,
    FIRST_SOUND,
    APPLIED,
    _,
    LAST_NS,
    BLOCK,
    IS_GENTLE,
    BUSY_NS,
    OVERS,
    HEARD,
) = range(COUNTERS)

# words of the address table: sizes first, then one address an array
_IN_CHANNELS, _OUT_CHANNELS, _FS, _RING_FRAMES, _LIMITER_INTS, _LIMITER_FLOATS = range(6)
_ADDRESSES = 6
_ARRAYS = len(ChainState._fields) + 8
_FULL_SCALE_BITS = int(np.float32(1.0).view(np.int32))
_ABS_BITS, _INFINITE_BITS = 0x7FFFFFFF, 0x7F800000
_PA_INPUT_XRUN = 0x1 | 0x2
_PA_OUTPUT_XRUN = 0x4 | 0x8


class LiveState(NamedTuple):
    """All arrays that the audio thread touches; keep it alive as long as the stream."""

    chain: ChainState
    words: Any  # (3,) int64, mailbox
    slots: Any  # (3, 57) float64, mailbox
    counters: Any  # (14,) int64
    histogram: Any  # (4097,) int64, callback durations by microsecond
    applied: Any  # (1024, 2) int64, (sequence, frame) of the sets taken
    tap: Any  # (TAP_FRAMES, in_channels) float32, the newest input
    entry: Any  # (MAX_FRAMES, out_channels) float32, input spread over the output's channels
    heard: Any  # (HEARD_FRAMES, out_channels) float32, the newest output


def live_state(
    fs: float,
    in_channels: int,
    out_channels: int,
    *,
    lookahead_frames: int = 0,
    ceiling_db: float | None = None,
    tap: Tap | None = None,
) -> LiveState:
    """Return the arrays of a session, the gate closed and the EQ flat; `tap` may lie in shared memory."""
    tap = tap or private_tap(in_channels)
    chain = session_chain(
        fs, out_channels, lookahead_frames=lookahead_frames, ceiling_db=ceiling_db
    )
    tap.counters[FIRST_SOUND] = -1
    state = LiveState(
        chain,
        *mailbox(SET_DOUBLES),
        tap.counters,
        np.zeros(HISTOGRAM_US + 1, dtype=np.int64),
        np.zeros((APPLIED_SLOTS, 2), dtype=np.int64),
        tap.ring,
        np.zeros((MAX_FRAMES, out_channels), dtype=np.float32),
        np.zeros((HEARD_FRAMES, out_channels), dtype=np.float32),
    )
    # Zeros are only promised by the system until somebody writes: better now than in the callback.
    for array in (state.histogram, state.applied, state.entry, state.heard):
        array.fill(0)
    return state


def address_table(state: LiveState, fs: float) -> Ints:
    """Return what the callback gets as user data: sizes and addresses, int64."""
    chain = state.chain
    arrays = (*chain, *state[1:])
    head = [
        state.tap.shape[1],
        state.entry.shape[1],
        round(fs),
        chain.limiter_ring.shape[0],
        chain.limiter_ints.size,
        chain.limiter_floats.size,
    ]
    return np.array(head + [array.ctypes.data for array in arrays], dtype=np.int64)


@jit
def take_newest(state: LiveState) -> None:
    """Take the newest set, if there is one and its time has come."""
    if not has_post(state.words):
        return
    if is_busy(state.chain) and not state.counters[IS_GENTLE]:
        return  # ramps are smooth from end to end; a knob turned meanwhile is served when this one is over
    values = state.slots[take(state.words)]
    apply_set(state.chain, values)
    state.counters[IS_GENTLE] = int(values[GENTLE])
    count = state.counters[APPLIED]
    state.applied[count % APPLIED_SLOTS, 0] = int(values[SEQUENCE])
    state.applied[count % APPLIED_SLOTS, 1] = state.chain.ints[POSITION]
    publish(state.counters, APPLIED, count + 1)


@jit
def _tap(state: LiveState, x: Audio) -> None:
    frames, channels = x.shape
    written = state.counters[TAPPED]
    at = written & (TAP_FRAMES - 1)
    for t in range(frames):
        for c in range(channels):
            state.tap[at, c] = x[t, c]
        at = (at + 1) & (TAP_FRAMES - 1)
    publish(state.counters, TAPPED, written + frames)


@jit
def _mark_first_sound(state: LiveState, x: Audio) -> None:
    for t in range(x.shape[0]):
        for c in range(x.shape[1]):
            if x[t, c] != 0.0:
                state.counters[FIRST_SOUND] = state.chain.ints[POSITION] + t
                return


@jit
def _count_overs(state: LiveState, x: Audio) -> None:
    """Count the samples at full scale or beyond: the converter has clipped them, or is about to."""
    bits = x.view(np.int32)  # non-negative floats compare as their bits do
    overs = 0
    for t in range(x.shape[0]):
        for c in range(x.shape[1]):
            magnitude = bits[t, c] & np.int32(_ABS_BITS)
            is_over = np.int32(_FULL_SCALE_BITS) <= magnitude < np.int32(_INFINITE_BITS)
            overs += 1 if is_over else 0
    state.counters[OVERS] += overs


@jit
def note_input(state: LiveState, x: Audio) -> None:
    """Let whoever listens, and the counters, have the input as it came."""
    if state.counters[FIRST_SOUND] < 0:
        _mark_first_sound(state, x)
    _tap(state, x)
    if state.chain.ints[SHED] < METERS:
        _count_overs(state, x)


@jit
def note_output(state: LiveState, y: Audio) -> None:
    """Let whoever measures it have the output; not while there is no time for meters."""
    if state.chain.ints[SHED] >= METERS:
        return
    frames, channels = y.shape
    written = state.counters[HEARD]
    at = written & (HEARD_FRAMES - 1)
    for t in range(frames):
        for c in range(channels):
            state.heard[at, c] = y[t, c]
        at = (at + 1) & (HEARD_FRAMES - 1)
    publish(state.counters, HEARD, written + frames)


@jit
def run_block(state: LiveState, x: Audio, y: Audio) -> None:
    """Process one block of at most `MAX_FRAMES`: everything but the counting of time."""
    take_newest(state)
    note_input(state, x)
    if x.shape[1] == y.shape[1]:
        process(state.chain, x, y)
        note_output(state, y)
        return
    entry = state.entry[: x.shape[0]]
    for t in range(x.shape[0]):
        for c in range(y.shape[1]):
            entry[t, c] = x[t, min(c, x.shape[1] - 1)]
    process(state.chain, entry, y)
    note_output(state, y)


@jit
def count_block(state: LiveState, started: int, frames: int, fs: int, flags: int) -> None:
    """Note how long a block took, and what PortAudio says of it."""
    counters = state.counters
    elapsed_ns = int((now_ticks() - started) / TICKS_PER_NS)
    counters[CALLBACKS] += 1
    counters[BLOCK] = frames
    counters[LAST_NS] = elapsed_ns
    counters[BUSY_NS] += elapsed_ns
    counters[MAX_NS] = max(counters[MAX_NS], elapsed_ns)
    if elapsed_ns * fs > frames * 1_000_000_000:
        counters[MISSED] += 1
    if flags & _PA_INPUT_XRUN:
        counters[INPUT_XRUNS] += 1
    if flags & _PA_OUTPUT_XRUN:
        counters[OUTPUT_XRUNS] += 1
    state.histogram[min(elapsed_ns // 1000, HISTOGRAM_US)] += 1


SIGNATURE = types.int32(
    types.voidptr, types.voidptr, types.uint64, types.voidptr, types.uint64, types.voidptr
)


def _callback(
    source: Any, sink: Any, frames: int, time: Any, flags: int, userdata: Any
) -> int:  # pragma: no cover - runs as native code only
    started = now_ticks()
    table = carray(userdata, _ADDRESSES + _ARRAYS, np.int64)
    n_in, n_out, fs = table[_IN_CHANNELS], table[_OUT_CHANNELS], table[_FS]
    at = table[_ADDRESSES:]
    chain = ChainState(
        carray(pointer_to(at[0]), INTS, np.int64),
        carray(pointer_to(at[1]), FLOATS, np.float64),
        carray(pointer_to(at[2]), SET_SIZE, np.float64),
        carray(pointer_to(at[3]), SET_SIZE, np.float64),
        carray(pointer_to(at[4]), SET_SIZE, np.float64),
        carray(pointer_to(at[5]), (n_out + 1) // 2 * PAIR_STATE, np.float64),
        carray(pointer_to(at[6]), (FLUSH_EVERY, n_out), np.float32),
        carray(pointer_to(at[7]), (PEAK_SLOTS, 2), np.float32),
        carray(pointer_to(at[8]), table[_LIMITER_INTS], np.int64),
        carray(pointer_to(at[9]), table[_LIMITER_FLOATS], np.float64),
        carray(pointer_to(at[10]), (table[_RING_FRAMES], n_out), np.float32),
    )
    state = LiveState(
        chain,
        carray(pointer_to(at[11]), SLOTS, np.int64),
        carray(pointer_to(at[12]), (SLOTS, SET_DOUBLES), np.float64),
        carray(pointer_to(at[13]), COUNTERS, np.int64),
        carray(pointer_to(at[14]), HISTOGRAM_US + 1, np.int64),
        carray(pointer_to(at[15]), (APPLIED_SLOTS, 2), np.int64),
        carray(pointer_to(at[16]), (TAP_FRAMES, n_in), np.float32),
        carray(pointer_to(at[17]), (MAX_FRAMES, n_out), np.float32),
        carray(pointer_to(at[18]), (HEARD_FRAMES, n_out), np.float32),
    )
    total = int(frames)
    x = carray(source, (total, n_in), np.float32)
    y = carray(sink, (total, n_out), np.float32)
    done = 0
    while done < total:
        n = min(total - done, MAX_FRAMES)
        run_block(state, x[done : done + n], y[done : done + n])
        done += n
    count_block(state, started, total, fs, int(flags))
    return 0


def native_callback() -> Any:
    """Return the compiled callback; its ``address`` goes to PortAudio. Cached on disk."""
    return kept(cfunc, SIGNATURE, error_model="numpy")(_callback)
