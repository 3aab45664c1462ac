"""The audio callback of a session with inserts: the same native code, cut in two where they stand.

tap → plugins before the EQ → EQ, bypass → a plugin that is the EQ, ours flat → plugins after it → limiter →
gate → meters. What stands before and after the plugins are chains of their own with flat bands. A session
without inserts does not run any of this.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import cfunc
from numba.np.numpy_support import carray

from semeq.engine.jit import jit, kept
from semeq.engine.kernel import FLUSH_EVERY, PAIR_STATE, SET_SIZE
from semeq.engine.path import BAD, FLOATS, INTS, PEAK_SLOTS, ChainState, process, set_gate, set_shed
from semeq.engine.timeline import GATE, GATE_RAMP, SET_DOUBLES, SHED, session_chain
from semeq.engine.units import Audio, Ints
from semeq.realtime.atomic import now_ticks, pointer_to
from semeq.realtime.callback import (
    APPLIED,
    APPLIED_SLOTS,
    HEARD_FRAMES,
    HISTOGRAM_US,
    MAX_FRAMES,
    SIGNATURE,
    LiveState,
    count_block,
    live_state,
    note_input,
    note_output,
    take_newest,
)
from semeq.realtime.insert_ring import HEAD, RING_FRAMES
from semeq.realtime.insert_stage import WORDS, Stage, is_used, through
from semeq.realtime.mailbox import READING, SLOTS
from semeq.realtime.tap import COUNTERS, TAP_FRAMES, Tap

# words of the address table: sizes first, then one address an array
_IN_CHANNELS, _OUT_CHANNELS, _FS, _RING_FRAMES, _LIMITER_INTS, _LIMITER_FLOATS = range(6)
_FIRST_RING_FRAMES, _FIRST_LIMITER_INTS, _FIRST_LIMITER_FLOATS = range(6, 9)
_ADDRESSES = 9
_CHAIN = len(ChainState._fields)
_LIVE = _CHAIN + 8
_STAGE = len(Stage._fields)
_LAST = _LIVE + _CHAIN
_STAGES = _LAST + _CHAIN
_ARRAYS = _STAGES + 3 * _STAGE


class InsertedState(NamedTuple):
    """All arrays that the audio thread touches; keep it alive as long as the stream."""

    live: LiveState
    first: ChainState  # bridges damage before the plugins
    last: ChainState  # limiter, gate and meters
    pre: Stage
    eq: Stage
    post: Stage

    @property
    def seen(self) -> LiveState:
        """The same as a session without inserts shows it: what the limiter did is at the end of all."""
        chain = self.live.chain._replace(
            limiter_ints=self.last.limiter_ints,
            limiter_floats=self.last.limiter_floats,
            limiter_ring=self.last.limiter_ring,
        )
        return self.live._replace(chain=chain)


def inserted_state(
    fs: float,
    in_channels: int,
    pre: Stage,
    eq: Stage,
    post: Stage,
    *,
    lookahead_frames: int = 0,
    ceiling_db: float | None = None,
    tap: Tap | None = None,
) -> InsertedState:
    """Return the arrays of a session with inserts, the gate closed and the EQ flat."""
    channels = pre.line.shape[1]
    live = live_state(fs, in_channels, channels, tap=tap)
    set_gate(live.chain, 1.0, 0)  # the gate stands at the end of all
    first = session_chain(fs, channels)
    set_gate(first, 1.0, 0)
    last = session_chain(fs, channels, lookahead_frames=lookahead_frames, ceiling_db=ceiling_db)
    return InsertedState(live, first, last, pre, eq, post)


def inserted_table(state: InsertedState, fs: float) -> Ints:
    """Return what the callback gets as user data: sizes and addresses, int64."""
    live, last = state.live, state.last
    arrays = (*live.chain, *live[1:], *state.first, *last, *state.pre, *state.eq, *state.post)
    head = [live.tap.shape[1], live.entry.shape[1], round(fs)]
    for chain in (last, live.chain):
        head += [chain.limiter_ring.shape[0], chain.limiter_ints.size, chain.limiter_floats.size]
    return np.array(head + [array.ctypes.data for array in arrays], dtype=np.int64)


@jit
def _spread(x: Audio, entry: Audio) -> None:
    for t in range(x.shape[0]):
        for c in range(entry.shape[1]):
            entry[t, c] = x[t, min(c, x.shape[1] - 1)]


@jit
def run_inserted(state: InsertedState, x: Audio, y: Audio) -> None:
    """Process one block of at most `MAX_FRAMES`: everything but the counting of time."""
    live = state.live
    taken = live.counters[APPLIED]
    take_newest(live)
    if live.counters[APPLIED] != taken:
        values = live.slots[live.words[READING]]
        set_gate(live.chain, 1.0, 0)  # the set has moved it: it is the last chain's alone
        set_gate(state.last, values[GATE], int(values[GATE_RAMP]))
        set_shed(state.first, int(values[SHED]))
        set_shed(state.last, int(values[SHED]))
    note_input(live, x)
    entry = live.entry[: x.shape[0]]
    bad = state.first.ints[BAD] + state.last.ints[BAD]
    _spread(x, entry)
    if is_used(state.pre):
        process(state.first, entry, y)  # damage is bridged: no plugin is to choke on it
        through(state.pre, y)
        _spread(y, entry)
    process(live.chain, entry, y)
    if is_used(state.eq):
        through(state.eq, y)
    if is_used(state.post):
        through(state.post, y)
    _spread(y, entry)
    process(state.last, entry, y)
    note_output(live, y)
    live.chain.ints[BAD] += state.first.ints[BAD] + state.last.ints[BAD] - bad


@jit
def _chain_at(
    at: Ints, n_out: int, ring_frames: int, limiter_ints: int, limiter_floats: int
) -> ChainState:
    return ChainState(
        carray(pointer_to(at[0]), INTS, np.int64),
        carray(pointer_to(at[1]), FLOATS, np.float64),
        carray(pointer_to(at[2]), SET_SIZE, np.float64),
        carray(pointer_to(at[3]), SET_SIZE, np.float64),
        carray(pointer_to(at[4]), SET_SIZE, np.float64),
        carray(pointer_to(at[5]), (n_out + 1) // 2 * PAIR_STATE, np.float64),
        carray(pointer_to(at[6]), (FLUSH_EVERY, n_out), np.float32),
        carray(pointer_to(at[7]), (PEAK_SLOTS, 2), np.float32),
        carray(pointer_to(at[8]), limiter_ints, np.int64),
        carray(pointer_to(at[9]), limiter_floats, np.float64),
        carray(pointer_to(at[10]), (ring_frames, n_out), np.float32),
    )


@jit
def _stage_at(at: Ints, n_out: int) -> Stage:
    return Stage(
        carray(pointer_to(at[0]), WORDS, np.int64),
        carray(pointer_to(at[1]), 2, np.float64),
        carray(pointer_to(at[2]), n_out, np.float64),
        carray(pointer_to(at[3]), (RING_FRAMES, n_out), np.float32),
        carray(pointer_to(at[4]), HEAD, np.int64),
        carray(pointer_to(at[5]), (RING_FRAMES, n_out), np.float32),
        carray(pointer_to(at[6]), (RING_FRAMES, n_out), np.float32),
    )


def _callback(
    source: Any, sink: Any, frames: int, time: Any, flags: int, userdata: Any
) -> int:  # pragma: no cover - runs as native code only
    started = now_ticks()
    table = carray(userdata, _ADDRESSES + _ARRAYS, np.int64)
    n_in, n_out, fs = table[_IN_CHANNELS], table[_OUT_CHANNELS], table[_FS]
    at = table[_ADDRESSES:]
    ring, ints, floats = (
        table[_FIRST_RING_FRAMES],
        table[_FIRST_LIMITER_INTS],
        table[_FIRST_LIMITER_FLOATS],
    )
    chain = _chain_at(at, n_out, ring, ints, floats)
    first = _chain_at(at[_LIVE:], n_out, ring, ints, floats)
    live = LiveState(
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
    last = _chain_at(
        at[_LAST:], n_out, table[_RING_FRAMES], table[_LIMITER_INTS], table[_LIMITER_FLOATS]
    )
    pre = _stage_at(at[_STAGES:], n_out)
    eq = _stage_at(at[_STAGES + _STAGE :], n_out)
    post = _stage_at(at[_STAGES + 2 * _STAGE :], n_out)
    state = InsertedState(live, first, last, pre, eq, post)
    total = int(frames)
    x = carray(source, (total, n_in), np.float32)
    y = carray(sink, (total, n_out), np.float32)
    done = 0
    while done < total:
        n = min(total - done, MAX_FRAMES)
        run_inserted(state, x[done : done + n], y[done : done + n])
        done += n
    count_block(live, started, total, fs, int(flags))
    return 0


def inserted_callback() -> Any:
    """Return the compiled callback; its ``address`` goes to PortAudio. Cached on disk."""
    return kept(cfunc, SIGNATURE, error_model="numpy")(_callback)
