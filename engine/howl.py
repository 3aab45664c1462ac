"""Hears a howl: a tone that a loop through microphone and loudspeaker makes grow.

Two steps. Some fifty times a second the spectrum of the newest 85 ms is looked at: does one narrow peak hold
a good part of the power (peak-to-average ratio, PAPR), stand out from its neighbours (PNPR) and have no
harmonics to speak of (PHPR)? Music does that now and then. Only then the tone itself is followed back in
time: a loop's has grown on a straight line (`semeq.engine.tone`), and music's, hardly ever.

It reads a sound and says what it hears; nothing here knows of a session. What is done about it, see
`semeq.engine.howl_guard`.

References
----------
T. van Waterschoot, M. Moonen, "Comparative evaluation of howling detection criteria in notch-filter-based
howling suppression", Journal of the AES 58 (11), 2010 (PAPR, PNPR, PHPR, IMSD).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from semeq.engine.tone import MEMORY_S, is_sudden, loops_growth, phasors
from semeq.engine.units import Audio, gain_to_db

WINDOW_S = 0.085
HOPS_A_WINDOW = 4
#: Loops howl between these, Hz (and below 0.45 fs).
LOW_HZ, HIGH_HZ = 120.0, 12_000.0
#: Nothing below this is a howl yet (dB, a sine of full scale is 0).
QUIET_DB = -50.0
#: The tone's share of all power between `LOW_HZ` and half of fs.
SHARE = 0.4
#: Its power over that of as many bins beside it, dB.
ABOVE_NEIGHBOURS_DB = 12.0
#: Its second and third harmonics are so far below it, dB.
HARMONICS_DB = -16.0
#: So many looks in a row have to agree, on one frequency (as a ratio).
AGREE, SAME = 2, 1.01
#: A tone this loud that holds so much of the power, and has come all of a sudden, has run into the limit of
#: something: a loop may be there in less time than a spectrum sees. So many looks in a row have to agree.
FULL_DB, FULL_SHARE, FULL_AGREE = -6.0, 0.9, 5
#: Bass is as loud and as pure in music.
FULL_FROM_HZ = 250.0
#: Bins of the lobe that a tone makes, to each side.
_LOBE = 2
_NEIGHBOURS = np.array([-8, -7, -6, -5, -4, 4, 5, 6, 7, 8])


@dataclass(frozen=True, slots=True)
class Howl:
    """A howl that was heard.

    Parameters
    ----------
    frame : int
        How many frames of the sound were known then.
    freq_hz, level_db : float
        Its frequency, and its level (a sine of full scale is 0 dB).
    rate_db_s : float
        How fast it has grown, in dB a second; infinite where it was too fast to follow.
    """

    frame: int
    freq_hz: float
    level_db: float
    rate_db_s: float


@dataclass(frozen=True, slots=True)
class Peak:
    """The strongest narrow peak of a spectrum: frequency, level, share of all power."""

    freq_hz: float
    level_db: float
    share: float


class HowlDetector:
    """Listens to a stream of blocks for a howl.

    Parameters
    ----------
    fs : float
        Sample rate in Hz.
    channels : int
        Channels of the sound. They are added up with unequal weights, so that none is lost by being
        out of phase with another.

    Attributes
    ----------
    frame : int
        Frames heard so far.

    Notes
    -----
    One owner: not thread-safe. The same sound gives the same answers, however it is cut into blocks.
    """

    def __init__(self, fs: float, channels: int) -> None:
        self.fs = fs
        self.size: int = 1 << round(math.log2(WINDOW_S * fs))
        self.hop = self.size // HOPS_A_WINDOW
        self.frame = 0
        weights = 0.8 ** np.arange(channels)
        self._weights = (weights / weights.sum()).astype(np.float32)
        self._window = np.hanning(self.size + 1)[:-1].astype(np.float32)
        self._scale = 4.0 / (self.size * float(np.sum(self._window.astype(np.float64) ** 2)))
        self._bin_hz = fs / self.size
        self._low = int(LOW_HZ / self._bin_hz)
        self._high = int(min(HIGH_HZ, 0.45 * fs) / self._bin_hz)
        self._memory = max(round(MEMORY_S * fs), self.size)
        self._sound = np.zeros(2 * self._memory + self.hop, dtype=np.float32)
        self._end = self._memory  # silence before the beginning
        self._power = np.zeros(self.size // 2 + 1)
        self._last_hz = 0.0
        self._grown = self._full = 0
        loops_growth(
            phasors(self._sound[: self._memory], fs, LOW_HZ)
        )  # compiled before any sound comes

    def feed(self, audio: Audio) -> tuple[Howl, ...]:
        """Take the next samples, ``(frames, channels)``, and return the howls that were heard in them."""
        found: list[Howl] = []
        mono = audio @ self._weights
        done = 0
        while done < len(mono):
            n = min(self.hop - self.frame % self.hop, len(mono) - done)
            self._append(mono[done : done + n])
            done += n
            if self.frame % self.hop == 0:
                howl = self._look()
                if howl is not None:
                    found.append(howl)
        return tuple(found)

    def _append(self, mono: npt.NDArray[np.float32]) -> None:
        if self._end + len(mono) > len(self._sound):
            self._sound[: self._memory] = self._sound[self._end - self._memory : self._end]
            self._end = self._memory
        self._sound[self._end : self._end + len(mono)] = mono
        self._end += len(mono)
        self.frame += len(mono)

    def _look(self) -> Howl | None:
        peak = self.peak()
        if peak is None or not 1.0 / SAME < peak.freq_hz / (self._last_hz or peak.freq_hz) < SAME:
            self._grown = self._full = 0
        self._last_hz = 0.0 if peak is None else peak.freq_hz
        if peak is None:
            return None
        tone = phasors(self._sound[self._end - self._memory : self._end], self.fs, peak.freq_hz)
        found = loops_growth(tone)
        self._grown = 0 if found is None else self._grown + 1
        is_full = (
            peak.level_db >= FULL_DB
            and peak.share >= FULL_SHARE
            and peak.freq_hz >= FULL_FROM_HZ
            and is_sudden(tone)
        )
        self._full = self._full + 1 if is_full else 0
        if self._grown < AGREE and self._full < FULL_AGREE:
            return None
        rate_db_s = math.inf if found is None else found.rate_db_s
        return Howl(self.frame, peak.freq_hz, peak.level_db, rate_db_s)

    def peak(self) -> Peak | None:
        """Return the peak of the newest window, or None where none is as a howl's."""
        window = self._sound[self._end - self.size : self._end]
        spectrum = np.fft.rfft(window * self._window)
        power = self._power = (spectrum.real**2 + spectrum.imag**2) * self._scale
        at = self._low + int(power[self._low : self._high].argmax())
        tone = float(power[at - _LOBE : at + _LOBE + 1].sum())
        level_db = 0.5 * gain_to_db(tone)
        total = float(power[self._low :].sum())
        if level_db < QUIET_DB or tone < SHARE * total:
            return None
        beside = float(power[(at + _NEIGHBOURS).clip(0)].mean()) * (2 * _LOBE + 1)
        if tone < 10.0 ** (ABOVE_NEIGHBOURS_DB / 10.0) * beside:
            return None
        freq_hz = self._between(at) * self._bin_hz
        if max(self._level(2.0 * freq_hz), self._level(3.0 * freq_hz)) > level_db + HARMONICS_DB:
            return None
        return Peak(freq_hz, level_db, tone / total)

    def _between(self, at: int) -> float:
        """Return where a peak stands between the bins: a parabola through three levels."""
        left, middle, right = np.log(self._power[at - 1 : at + 2] + 1e-30)
        bend = left - 2.0 * middle + right
        return at + (0.5 * float((left - right) / bend) if bend < 0.0 else 0.0)

    def _level(self, freq_hz: float) -> float:
        at = round(freq_hz / self._bin_hz)
        if at + _LOBE >= len(self._power):
            return -200.0
        return 0.5 * gain_to_db(float(self._power[at - _LOBE : at + _LOBE + 1].sum()))

    def level_db(self, freq_hz: float) -> float:
        """Return the level of the tone that is nearest, within 2 %, in the newest window."""
        low = min(int(freq_hz / SAME**2 / self._bin_hz), len(self._power) - 2)
        high = max(math.ceil(freq_hz * SAME**2 / self._bin_hz), low + 1) + 1
        at = low + int(self._power[low:high].argmax())
        return 0.5 * gain_to_db(float(self._power[max(at - _LOBE, 0) : at + _LOBE + 1].sum()))
