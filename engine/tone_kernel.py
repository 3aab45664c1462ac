"""How straight the level and the phase of a tone are, compiled: the numbers behind `semeq.engine.tone`.

A live session asks for them fifty times a second, beside the threads that carry a knob's move: in compiled
code they take a fifth of the time, and no other thread waits for them.
"""

import math

import numpy as np
import numpy.typing as npt

from semeq.engine.jit import jit
from semeq.engine.units import Floats


@jit
def line(values: Floats) -> tuple[float, float]:
    """Return slope (a point) and rms distance of the straight line through them."""
    count = len(values)
    middle = 0.5 * (count - 1)
    mean = moment = 0.0
    for i in range(count):
        mean += values[i] / count
        moment += (i - middle) * values[i]
    slope = moment * 12.0 / (count * (count * count - 1.0))
    rest = 0.0
    for i in range(count):
        rest += (values[i] - mean - slope * (i - middle)) ** 2
    return slope, math.sqrt(rest / count)


@jit
def smoothed(tone: npt.NDArray[np.complex128], window: Floats) -> npt.NDArray[np.complex128]:
    """Return the tone smoothed by a symmetric window, where that is all there."""
    smooth = np.empty(len(tone) - len(window) + 1, dtype=np.complex128)
    for i in range(len(smooth)):
        total = 0.0j
        for k in range(len(window)):
            total += window[k] * tone[i + k]
        smooth[i] = total
    return smooth


@jit
def unwrapped(tone: npt.NDArray[np.complex128]) -> Floats:
    """Return the phase, in rad, without jumps."""
    phase = np.empty(len(tone))
    before = turned = 0.0
    for i in range(len(tone)):
        now = math.atan2(tone[i].imag, tone[i].real)
        if i > 0:
            turned -= 2.0 * math.pi * round((now - before) / (2.0 * math.pi))
        phase[i] = now + turned
        before = now
    return phase


@jit
def straightness(
    tone: npt.NDArray[np.complex128],
    window: Floats,
    points: int,
    near_db: float,
    fallen_db: float,
    least_db: float,
) -> tuple[float, float, float, float]:
    """Return slope, bend, wander and pace of a tone's growth, up to where it has come near its highest level.

    Parameters
    ----------
    tone : ndarray
        Phasors, the newest last; at least ``points + len(window)``.
    window : Floats
        What they are smoothed by.
    points : int
        How many of them the growth takes.
    near_db : float
        It is over where the level is so near the highest.
    fallen_db, least_db : float
        A slope of 0 is returned where the level has come down by more than that, or where it has grown by
        less.

    Returns
    -------
    slope_db, bend_db, wander, pace : float
        dB a point; rms distance from the line of level (dB) and phase (rad); slope of the second half over
        that of the first.
    """
    none = 0.0, 0.0, 0.0, 0.0
    smooth = smoothed(tone, window)
    level_db = np.empty(len(smooth))
    for i in range(len(smooth)):
        level_db[i] = 20.0 * math.log10(abs(smooth[i]) + 1e-9)
    top_db = level_db.max()
    end = 0
    while level_db[end] < top_db - near_db:
        end += 1
    end += 1
    if end < points or level_db[-1] < top_db - fallen_db:
        return none
    stretch = level_db[end - points : end]
    slope, bend_db = line(stretch)
    if slope * points < least_db:
        return none
    _, wander = line(unwrapped(smooth[end - points : end]))
    half = points // 2
    before, after = line(stretch[:half])[0], line(stretch[half:])[0]
    return slope, bend_db, wander, after / before if before > 0.0 else math.inf
