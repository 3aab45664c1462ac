"""The audio thread's counters, read as one value."""

from dataclasses import dataclass

import numpy as np

from semeq.engine.limiter import LIMITED
from semeq.engine.path import BAD, POSITION
from semeq.realtime import callback as native
from semeq.realtime.callback import LiveState


@dataclass(frozen=True, slots=True)
class Counts:
    """The audio thread's counters at one moment."""

    position: int
    callbacks: int
    missed: int
    xruns: int
    max_us: float
    p50_us: float
    p999_us: float
    load: float
    blocksize: int
    bad_samples: int
    clipped_samples: int
    limited_frames: int
    applied: int
    first_sound: int | None


def read_counts(state: LiveState, fs: float) -> Counts:
    """Return the counters of a stream at `fs` Hz; reading them disturbs nobody."""
    counters, histogram = state.counters, state.histogram
    callbacks = int(counters[native.CALLBACKS])
    block = int(counters[native.BLOCK])
    mean_us = float((histogram * (np.arange(histogram.size) + 0.5)).sum()) / max(callbacks, 1)
    first = int(counters[native.FIRST_SOUND])
    return Counts(
        position=int(state.chain.ints[POSITION]),
        callbacks=callbacks,
        missed=int(counters[native.MISSED]),
        xruns=int(counters[native.INPUT_XRUNS] + counters[native.OUTPUT_XRUNS]),
        max_us=float(counters[native.MAX_NS]) / 1000.0,
        p50_us=_percentile(histogram, 0.5),
        p999_us=_percentile(histogram, 0.999),
        load=mean_us * 1e-6 * fs / block if block else 0.0,
        blocksize=block,
        bad_samples=int(state.chain.ints[BAD]),
        clipped_samples=int(counters[native.OVERS]),
        limited_frames=int(state.chain.limiter_ints[LIMITED]),
        applied=int(counters[native.APPLIED]),
        first_sound=first if first >= 0 else None,
    )


def _percentile(histogram: np.ndarray, share: float) -> float:
    """Return the duration in µs that `share` of the callbacks stayed under."""
    total = int(histogram.sum())
    if total == 0:
        return 0.0
    return float(np.searchsorted(np.cumsum(histogram), share * total) + 1)


def count_on(state: LiveState, before: LiveState) -> None:
    """Let a stream begin with what an earlier one has counted, its frames left out; before it opens."""
    counted = [native.CALLBACKS, native.MISSED, native.MAX_NS]
    counted += [native.INPUT_XRUNS, native.OUTPUT_XRUNS, native.OVERS]
    state.counters[counted] = before.counters[counted]
    state.histogram[:] = before.histogram
    state.chain.ints[BAD] = before.chain.ints[BAD]
    state.chain.limiter_ints[LIMITED] = before.chain.limiter_ints[LIMITED]
