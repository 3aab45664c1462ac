"""One tone in a sound: how it has grown, and whether it grew as only a loop makes a tone grow.

A loop through a microphone multiplies its tone by the same factor on each round. So its level rises on a
straight line in dB, at one frequency, its phase on a straight line too, until something limits it: the
*interframe magnitude slope deviation* of the literature, here with the phase, and over stretches from 80 ms
to 2.6 s, since a loop may take a few milliseconds a round or many.

Whoever plays a note makes its level rise along a curve: fast at first and slowly towards the end, or in a
wave.

References
----------
T. van Waterschoot, M. Moonen, "Fifty years of acoustic feedback control: state of the art and future
challenges", Proceedings of the IEEE 99 (2), 2011 (howling detection criteria).
N. Osmanovic, V. E. Clarke, E. Velandia, "An in-flight low latency acoustic feedback cancellation
algorithm", AES 123rd Convention, 2007 (magnitude slope deviation).
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from semeq.engine.tone_kernel import straightness
from semeq.engine.units import Floats, read_only

Phasors = npt.NDArray[np.complex128]

#: Time from one point of an envelope to the next, s.
STEP_S = 0.004
#: A tone that has reached what limits it is still looked at for so long, s.
PLATEAU_S = 0.25
#: It has, when its level is so near its highest, dB.
NEAR_DB = 1.5


@dataclass(frozen=True, slots=True)
class Straight:
    """What a growth must be to be a loop's.

    Parameters
    ----------
    least_db : float
        It is at least this large.
    bent, wander : float
        For each dB of it beyond `SPARE_DB`: how far the level may be from the line (rms, dB), and the phase
        (rms, rad).
    slowest, fastest : float
        Its pace in the second half, as a share of that in the first.
    """

    least_db: float
    bent: float
    wander: float
    slowest: float
    fastest: float


@dataclass(frozen=True, slots=True)
class Scale:
    """A stretch of time that a growth is looked for in.

    Parameters
    ----------
    stretch_s : float
        Its length in s.
    smooth_s : float
        What an envelope is smoothed over, in s: longer lets less of the rest of the sound in.
    most_wander : float
        The phase is never further from the line, rms in rad.
    tests : tuple of Straight
        One of them is to be passed.
    """

    stretch_s: float
    smooth_s: float
    most_wander: float
    tests: tuple[Straight, ...]

    @property
    def points(self) -> int:
        """Points of the envelope in the stretch."""
        return round(self.stretch_s / STEP_S)

    @property
    def least_db(self) -> float:
        """The least growth that one of the tests asks for."""
        return min(test.least_db for test in self.tests)

    @property
    def taps(self) -> int:
        """Points that one of them is smoothed over."""
        return round(self.smooth_s / STEP_S)


#: With no other sound about, a few dB tell a line from the gentlest curve: a cosine's fade, which slows down
#: by 3 % for each dB that it has grown by.
_CLEAN = Straight(3.5, 0.02, 0.015, 0.92, 1.2)
#: With others about, it takes more of them.
_AMONG = Straight(9.0, 0.08, 0.1, 0.8, 2.0)
#: A short growth is like the start of many a note, so it must be long in dB and very straight. Hardly a note
#: grows steadily for half a second and more: there a howl may have sound above it.
SCALES = (
    Scale(0.08, 0.016, 0.06, (Straight(22.0, 0.02, 0.004, 0.8, 1.3),)),
    Scale(0.16, 0.024, 0.1, (_CLEAN,)),
    Scale(0.32, 0.04, 0.1, (_CLEAN, Straight(9.0, 0.05, 0.02, 0.8, 1.6))),
    Scale(0.64, 0.06, 0.3, (_CLEAN, _AMONG)),
    Scale(1.28, 0.08, 0.3, (_CLEAN, _AMONG)),
    Scale(2.56, 0.1, 0.3, (_CLEAN, _AMONG)),
)
#: So much of a growth proves nothing: a steady tone among others wavers by that.
SPARE_DB = 1.5
#: As much sound as the longest needs, s.
MEMORY_S = SCALES[-1].stretch_s + SCALES[-1].smooth_s + PLATEAU_S + 2 * STEP_S
#: A tone that has stopped growing may have fallen by so much; one that falls is none of ours.
FALLEN_DB = 1.5
#: A tone is sudden that was so much quieter (dB) within the last time (s), and steady when it varies by so
#: little (dB) over the newest (s).
SUDDEN_DB, SUDDEN_S, STEADY_DB, STEADY_S = 20.0, 1.0, 2.5, 0.12


@dataclass(frozen=True, slots=True)
class Growth:
    """How a tone has grown.

    Parameters
    ----------
    rise_db : float
        By how much over the stretch.
    rate_db_s : float
        How fast, in dB a second.
    bend_db : float
        How far it was from a straight line, rms.
    wander : float
        How far the phase was from a straight line, rms in rad.
    pace : float
        Its rate in the second half as a share of that in the first.
    """

    rise_db: float
    rate_db_s: float
    bend_db: float
    wander: float
    pace: float

    def is_a_loops(self, scale: Scale) -> bool:
        """Return whether it is as a loop's, on the scale that it was found on."""
        proof_db = self.rise_db - SPARE_DB
        return self.wander <= scale.most_wander and any(
            self.rise_db >= test.least_db
            and self.bend_db <= test.bent * proof_db
            and self.wander <= test.wander * proof_db
            and test.slowest <= self.pace <= test.fastest
            for test in scale.tests
        )


def phasors(sound: npt.NDArray[np.float32], fs: float, freq_hz: float) -> Phasors:
    """Return amplitude and phase of a tone, every `STEP_S`, the newest last, of a mono sound."""
    size = round(STEP_S * fs)
    count = len(sound) // size
    turn = 2.0 * math.pi * freq_hz / fs
    angle = turn * np.arange(size)
    oscillator = np.stack([np.cos(angle), -np.sin(angle)], axis=1).astype(np.float32)
    parts = sound[len(sound) - count * size :].reshape(count, size) @ oscillator
    start = np.exp(-1j * turn * size * np.arange(count))
    tone: Phasors = (parts[:, 0] + 1j * parts[:, 1]) * start * (2.0 / size)
    return tone


@cache
def _smoothing(taps: int) -> Floats:
    window = np.hanning(taps + 2)[1:-1]
    return read_only(window / window.sum())


def growth(tone: Phasors, scale: Scale) -> Growth | None:
    """Return how a tone has grown up to now, or to where it was limited.

    None where too little is known, or where its level alone says that it is no loop's.
    """
    points, taps = scale.points, scale.taps
    newest = tone[-(points + taps + round(PLATEAU_S / STEP_S)) :]
    if len(newest) < points + taps:
        return None
    slope_db, bend_db, wander, pace = straightness(
        newest, _smoothing(taps), points, NEAR_DB, FALLEN_DB, scale.least_db
    )
    if slope_db == 0.0:
        return None
    return Growth(slope_db * points, slope_db / STEP_S, bend_db, wander, pace)


def loops_growth(tone: Phasors) -> Growth | None:
    """Return how a tone has grown, where it has as only a loop's does; else None."""
    for scale in SCALES:
        found = growth(tone, scale)
        if found is not None and found.is_a_loops(scale):
            return found
    return None


def is_sudden(tone: Phasors) -> bool:
    """Return whether a tone has come lately, from `SUDDEN_DB` below, and stands at its highest level."""
    recent_db = 20.0 * np.log10(np.abs(tone[-round(SUDDEN_S / STEP_S) :]) + 1e-9)
    newest_db = recent_db[-round(STEADY_S / STEP_S) :]
    top_db = float(recent_db.max())
    return (
        float(newest_db.min()) > top_db - STEADY_DB and float(recent_db.min()) < top_db - SUDDEN_DB
    )
