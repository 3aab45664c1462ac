"""Level-neutral EQ while it runs: how much louder these bands make *this* sound, known in advance.

An EQ is linear: what it does to the loudness of a steady sound follows from the sound's spectrum and
the EQ's response, without waiting for the result. `ProgrammeSpectrum` keeps a running K-weighted
spectrum of what comes in (ITU-R BS.1770 weighting, a few seconds of memory, silence left out), so that
the gain which holds the level moves together with the bands, in the same ramp.

What is known of a sound is a little old. Where loud and quiet moments differ in spectrum (a bass drum), the
gain comes too late each time, and always the same way. Hence what went in during the last seconds is held
against what must have come out, and the difference is made up for.

Until anything was heard it answers for pink noise.
"""

import numpy as np

from semeq.engine.design import DEFAULT_DESIGN, response_db
from semeq.engine.loudness import k_weighting
from semeq.engine.settings import EQSettings
from semeq.engine.units import Audio, Floats

#: How far the compensation goes. Up is kept short: what an EQ takes away may be all there was.
MAX_UP_DB = 12.0
MAX_DOWN_DB = 24.0
MEMORY_S = 1.5
#: What went in and out is compared over so long, and made equal in so long (s), within limits (dB).
BALANCE_S, CATCH_UP_S, MAX_DEBT_DB = 10.0, 3.0, 1.5
#: An EQ that changes less (dB rms) owes nothing worth counting.
_SMALL_DB = 0.5
SILENCE_LUFS = -60.0
WINDOW_S = 0.17
BANDS = 120
_PINK_WEIGHT = 1e-8


def _k_power(fs: float, freqs_hz: Floats) -> Floats:
    z = np.exp(-2j * np.pi * freqs_hz / fs)
    power = np.ones(len(freqs_hz))
    for b0, b1, b2, _, a1, a2 in k_weighting(fs):
        power *= np.abs((b0 + b1 * z + b2 * z * z) / (1.0 + a1 * z + a2 * z * z)) ** 2
    return power


def _window(frames: int, hop: int) -> Floats:
    """Return a window whose squares, one each `hop`, add up to one: no beat falls between two looks."""
    slope = min(frames - hop, frames // 2)
    rise = np.sin(0.5 * np.pi * (np.arange(slope) + 0.5) / slope)
    return np.concatenate((rise, np.ones(frames - 2 * slope), rise[::-1]))


class ProgrammeSpectrum:
    """A running K-weighted spectrum of a programme, and the loudness change an EQ makes on it.

    Parameters
    ----------
    fs : float
        Sample rate in Hz.
    hop_s : float
        Time between two calls of `feed`, in seconds; sets the memory in calls.
    design : str
        How bands become filters, see `semeq.engine.design.DESIGNERS`.

    Notes
    -----
    One owner: not thread-safe.

    Examples
    --------
    >>> ProgrammeSpectrum(48000.0).compensation_db(EQSettings.flat())
    0.0
    """

    def __init__(self, fs: float, hop_s: float = 0.1, *, design: str = DEFAULT_DESIGN) -> None:
        self.fs = fs
        self._design = design
        self.frames = 1 << round(np.log2(WINDOW_S * fs))
        bins_hz: Floats = np.fft.rfftfreq(self.frames, 1.0 / fs).astype(np.float64)
        top = min(20_000.0, 0.48 * fs)
        edges = np.geomspace(20.0, top, BANDS + 1)
        self.freqs_hz: Floats = np.sqrt(edges[1:] * edges[:-1])
        self._band = np.digitize(bins_hz, edges) - 1
        self._inside = (self._band >= 0) & (self._band < BANDS)
        self._weight = _k_power(fs, bins_hz)
        self._window = _window(self.frames, round(hop_s * fs))
        self._memory = MEMORY_S / hop_s
        self._heard = 0
        self._response: tuple[EQSettings, Floats] | None = None
        self._hop_s = hop_s
        self._answer_db = self._size_db = 0.0
        #: What is owed, in dB for each dB (rms) of the EQ: it goes with a knob that is turned back.
        self._debt = 0.0
        self._in = self._out = 0.0
        # pink noise has the same power in each of our bands
        self._power = _PINK_WEIGHT * _k_power(fs, self.freqs_hz)

    def feed(self, audio: Audio) -> None:
        """Take the newest input, shape ``(frames, channels)``; too short or silent, it is left out."""
        if len(audio) < self.frames:
            return
        block = audio[-self.frames :].astype(np.float64) * self._window[:, None]
        power = (np.abs(np.fft.rfft(block, axis=0)) ** 2).sum(axis=1) * self._weight
        power *= 2.0 / (self.frames * float(np.sum(self._window**2)))
        if 10.0 * np.log10(power.sum() + 1e-20) - 0.691 < SILENCE_LUFS:
            return
        bands: Floats = np.bincount(
            self._band[self._inside], weights=power[self._inside], minlength=BANDS
        ).astype(np.float64)
        self._heard += 1
        share = 1.0 / min(self._heard, self._memory)
        self._power = (1.0 - share) * self._power + share * bands
        self._take_stock(bands)

    def _take_stock(self, bands: Floats) -> None:
        """Compare what went in lately with what must have come out."""
        if self._response is None or self._size_db < _SMALL_DB:
            self._debt = self._in = self._out = 0.0
            return
        kept = 1.0 - self._hop_s / BALANCE_S
        self._in = kept * self._in + float(bands.sum())
        self._out = kept * self._out + 10.0 ** (0.1 * self._answer_db) * float(
            bands @ self._response[1]
        )
        owed_db = self._hop_s / CATCH_UP_S * 10.0 * np.log10(self._in / self._out)
        most = MAX_DEBT_DB / self._size_db
        self._debt = float(np.clip(self._debt + owed_db / self._size_db, -most, most))

    def compensation_db(self, settings: EQSettings) -> float:
        """Return the gain in dB that keeps the loudness of this programme under `settings`."""
        if settings.is_flat:
            self._response, self._size_db = None, 0.0
            return 0.0
        if self._response is None or self._response[0] != settings:
            decibels = response_db(settings, self.fs, self.freqs_hz, design=self._design)
            self._response = settings, 10.0 ** (decibels / 10.0)
            self._size_db = float(np.sqrt(np.mean(decibels**2)))
        gain = self._response[1]
        change_db = 10.0 * np.log10(float(gain @ self._power) / float(self._power.sum()))
        owed_db = self._debt * self._size_db
        self._answer_db = min(max(float(owed_db - change_db), -MAX_DOWN_DB), MAX_UP_DB)
        return self._answer_db
