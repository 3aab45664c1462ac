"""What one block costs: flat, static and ramping, and after a minute of silence."""

import statistics
import time
from typing import Any

import numpy as np
from bench_tables import Table
from numba import njit
from scipy.signal import sosfilt

from semeq.engine.chain import Chain
from semeq.engine.design import Coefficients, design, design_sos
from semeq.engine.path import is_busy, set_rows
from semeq.engine.settings import LAYOUT, Band, EQSettings
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio, Floats, Ints
from semeq.realtime.atomic import TICKS_PER_NS, now_ticks
from semeq.realtime.callback import LiveState, live_state, run_block

FS = 48_000.0
#: One control period of the live side.
RAMP_FRAMES = 480


def settings(*gains_db: float, q: float = 1.0) -> EQSettings:
    freqs = (40.0, 80.0, 250.0, 800.0, 2500.0, 6000.0, 10_000.0)
    return EQSettings(
        tuple(Band(kind, f, g, q) for kind, f, g in zip(LAYOUT, freqs, gains_db, strict=True))
    )


FLAT = EQSettings.flat()
ONE = settings(6.0, -4.0, 3.0, -2.0, 4.0, -6.0, 5.0)
OTHER = settings(-5.0, 4.0, -3.0, 6.0, -2.0, 3.0, -6.0)


@njit
def _blocks(
    state: LiveState,
    x: Audio,
    y: Audio,
    block: int,
    first: Floats,
    second: Floats,
    ramp: int,
    ticks: Ints,
) -> None:
    """Time each block; while `ramp` is not 0 a new ramp starts whenever the last one has ended."""
    per_pass = x.shape[0] // block
    turn = 0
    for i in range(ticks.size):
        if ramp > 0 and not is_busy(state.chain):
            turn = 1 - turn
            set_rows(state.chain, first if turn else second, ramp)
        at = (i % per_pass) * block
        start = now_ticks()
        run_block(state, x[at : at + block], y[at : at + block])
        ticks[i] = now_ticks() - start


def _rows(coefficients: Coefficients) -> Floats:
    return np.array(coefficients.rows)


def callback_cost(rounds: int, blocks: int) -> Table:
    """Measure the live block, all but PortAudio around it."""
    mix = np.ascontiguousarray(demo_mix(FS, 4.0))
    out = np.empty_like(mix)
    one, other = _rows(design(ONE, FS)), _rows(design(OTHER, FS))
    cases = {
        "flat": (_rows(design(FLAT, FS)), 0),
        "static": (one, 0),
        "ramping": (one, RAMP_FRAMES),
    }
    table = Table(
        "One callback",
        "Native code of the live callback on stereo at 48 kHz: mailbox, tap, seven bands, gate, peaks. "
        f"{rounds} interleaved rounds of {blocks} blocks; *ramping*: every sample inside a ramp.",
        ["block", "EQ", "p50", "share of the period", "p99.9"],
    )
    for block in (64, 128):
        taken: dict[str, list[Any]] = {name: [] for name in cases}
        for turn in range(rounds + 1):
            for name, (rows, ramp) in cases.items():
                state = live_state(FS, 2, 2)
                set_rows(state.chain, rows, 0)
                ticks = np.zeros(blocks, dtype=np.int64)
                _blocks(state, mix, out, block, rows, other, ramp, ticks)
                if turn:  # the first round compiles and warms up
                    taken[name].append(ticks / TICKS_PER_NS / 1000.0)
        period_us = block / FS * 1e6
        for name, parts in taken.items():
            us = np.concatenate(parts)
            p50, p999 = np.percentile(us, (50.0, 99.9))
            share = f"{100 * p50 / period_us:.2f} %"
            table.rows.append((str(block), name, f"{p50:.2f} µs", share, f"{p999:.2f} µs"))
            table.data[f"{name} {block}"] = {"p50_us": float(p50), "p99.9_us": float(p999)}
    return table


def _seconds(chain: Chain, audio: Audio, out: Audio) -> float:
    start = time.perf_counter()
    chain.process(audio, out)
    return time.perf_counter() - start


def ramps(rounds: int) -> Table:
    """Measure what a ramp adds to the filters, over a long stretch."""
    mix = np.ascontiguousarray(demo_mix(FS, 10.0))
    out = np.empty_like(mix)
    static, ramping = Chain(FS, 2), Chain(FS, 2)
    ratios = []
    static.set_target(design(ONE, FS))
    for turn in range(rounds + 1):
        ramping.set_target(design(OTHER if turn % 2 else ONE, FS), ramp_frames=len(mix))
        pair = _seconds(static, mix, out), _seconds(ramping, mix, out)
        if turn:
            ratios.append(pair[1] / pair[0])
    table = Table(
        "The price of a ramp",
        f"Ten seconds inside one ramp against ten seconds static, {rounds} interleaved rounds.",
        ["", "ramping / static"],
    )
    table.rows.append(("seven bands, stereo", f"{statistics.median(ratios):.2f} ×"))
    table.data = {"ratios": ratios}
    return table


def silence(rounds: int, wait_s: int) -> Table:
    """Measure the filters on the silence after sound, where denormal numbers would slow them."""
    second = np.ascontiguousarray(demo_mix(FS, 2.0)[: int(FS)])
    nothing = np.zeros_like(second)
    out = np.empty_like(second)
    sos = np.array(design_sos(ONE, FS))
    ours, theirs = [], []
    for _ in range(rounds):
        chain = Chain(FS, 2)
        chain.set_target(design(ONE, FS))
        zi = np.zeros((len(sos), 2, 2))
        loud: list[float] = []
        quiet: list[float] = []
        for t in range(2 * wait_s):
            block = second if t < wait_s else nothing
            (loud if t < wait_s else quiet).append(_seconds(chain, block, out))
        ours.append(statistics.median(quiet[-5:]) / statistics.median(loud[-5:]))
        loud, quiet = [], []
        for t in range(5 + wait_s):
            block = second if t < 5 else nothing
            start = time.perf_counter()
            _, zi = sosfilt(sos, block.T, axis=1, zi=zi)
            (loud if t < 5 else quiet).append(time.perf_counter() - start)
        theirs.append(statistics.median(quiet[-5:]) / statistics.median(loud[-5:]))
    table = Table(
        "Silence",
        f"Cost of the last five of {wait_s} s of silence after sound, against sound, {rounds} rounds.",
        ["", "silence / sound"],
    )
    table.rows.append(("semeq", f"{statistics.median(ours):.2f} ×"))
    table.rows.append(("scipy sosfilt", f"{statistics.median(theirs):.2f} ×"))
    table.data = {"semeq": ours, "scipy": theirs}
    return table
