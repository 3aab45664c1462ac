"""Between the numbers in a file and ours: exact both ways, one pass over the data.

Conventions
-----------
A sample of n bits is ``v / 2**(n - 1)``, so that full scale is [-1, 1) and every number of up to 24
bits is a float32: read and written again it is the same number. (Pedalboard's own conversion divides
by ``2**(n - 1) - 1`` on the way in and rounds down on the way out: half of all samples come back one lower.)

Rounding to 8 or 16 bits adds triangular noise of two steps (TPDF dither): without it the error is
distortion that follows the signal. Exact zeros stay zeros, so that silence is silence. The noise is a
hash of the sample's position: a render gives the same bits each time, for any partition into blocks. At 24
bits the step is that of a float32 at full scale, and numbers are just rounded.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from semeq.engine.jit import jit
from semeq.engine.path import BAD_ABOVE
from semeq.engine.units import Audio

_MULTIPLY_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLY_2 = np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)


@jit
def from_integers(raw: npt.NDArray[Any], scale: float, out: Audio) -> None:
    """Write integers of shape ``(channels, frames)`` as ``raw * scale`` into ``(frames, channels)``."""
    for channel in range(raw.shape[0]):
        for n in range(raw.shape[1]):
            out[n, channel] = np.float32(raw[channel, n] * scale)


@jit
def from_rounded(raw: Audio, steps: float, scale: float, out: Audio) -> None:
    """Recover the integers behind floats that are ``v / steps``, and write them as ``v * scale``."""
    for channel in range(raw.shape[0]):
        for n in range(raw.shape[1]):
            out[n, channel] = np.float32(np.rint(np.float64(raw[channel, n]) * steps) * scale)


@jit
def silence_damage(flat: npt.NDArray[Any]) -> int:
    """Replace what is not a number or beyond ±1e4 by silence; return how many samples that was."""
    if flat.itemsize == 4:
        # magnitudes of floats order as their bits do, NaN on top: whole vectors of them at a time
        highest = np.int32(0)
        for bits in flat.view(np.int32):
            highest = max(highest, bits & np.int32(0x7FFFFFFF))
        if highest <= np.float32(BAD_ABOVE).view(np.int32):
            return 0
    bad = 0
    for n in range(flat.size):
        if not abs(flat[n]) <= BAD_ABOVE:
            flat[n] = 0.0
            bad += 1
    return bad


@jit
def from_floats(raw: Audio, out: Audio) -> int:
    """Copy floats of shape ``(channels, frames)`` into ``(frames, channels)``, damage as silence."""
    bad = 0
    for channel in range(raw.shape[0]):
        row = raw[channel]
        bad += silence_damage(row)
        for n in range(row.size):
            out[n, channel] = row[n]
    return bad


@jit
def _noise(position: int, channel: int) -> float:
    """Return triangular noise in (-1, 1), a hash of where it is (splitmix64)."""
    z = np.uint64(position * 8 + channel + 1) * _STEP
    z = (z ^ (z >> np.uint64(30))) * _MULTIPLY_1
    z = (z ^ (z >> np.uint64(27))) * _MULTIPLY_2
    z = z ^ (z >> np.uint64(31))
    low, high = np.int64(z & np.uint64(0xFFFFFFFF)), np.int64(z >> np.uint64(32))
    return float(high - low) * 2.0**-32


@jit
def to_integers(
    block: Audio, full: float, shift: int, dither: bool, position: int, out: npt.NDArray[Any]
) -> int:
    """Round ``(frames, channels)`` to integers of shape ``(channels, frames)``; return how many clipped.

    Full scale is `full`; results are shifted left by `shift` bits. `position` is the block's first frame.
    """
    clipped = 0
    for channel in range(block.shape[1]):
        for n in range(block.shape[0]):
            value = np.float64(block[n, channel]) * full
            if abs(value) > full:
                clipped += 1
            if dither and value != 0.0:
                value += _noise(position + n, channel)
            step = min(max(np.rint(value), -full), full - 1.0)
            out[channel, n] = np.int64(step) << shift
    return clipped
