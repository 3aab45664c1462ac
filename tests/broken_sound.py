"""What a broken driver or a broken program may send, for hypothesis."""

import struct

import numpy as np
from hypothesis import strategies as st

from semeq.engine.units import Audio


def as_float(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


#: One sample of it.
BROKEN = st.one_of(
    st.sampled_from([np.nan, np.inf, -np.inf, 1e30, -1e30, 9e3, 20.0, -16.1]),
    st.integers(0, 2**32 - 1).map(as_float),
)
WHOLE = st.sampled_from(["dc", "square", "denormals", "ordinary", "alternating"])


@st.composite
def inputs(draw: st.DrawFn, frames: int) -> Audio:
    """Return sound of some kind with bursts of anything in it."""
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    x = 0.3 * rng.standard_normal((frames, 2))
    match draw(WHOLE):
        case "dc":
            x[:] = draw(st.sampled_from([1.0, -1.0, 16.0]))
        case "square":
            x = np.where((np.arange(frames) // draw(st.integers(1, 300))) % 2, 1.0, -1.0)
            x = np.repeat(x[:, None], 2, axis=1)
        case "denormals":
            x *= 1e-41
        case "alternating":
            x[::2] = np.nan
    out: Audio = x.astype(np.float32)
    for at, length, value in draw(
        st.lists(
            st.tuples(st.integers(0, frames - 1), st.sampled_from([1, 2, 64, 700]), BROKEN),
            max_size=4,
        )
    ):
        out[at : at + length, draw(st.integers(0, 1)) :] = value
    return out
