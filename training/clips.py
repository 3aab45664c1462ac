"""Crops with an equaliser curve put on each: what a method is asked about."""

from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from semeq.engine.errors import DataError
from semeq.engine.units import Audio, Floats, read_only
from semeq.training.spectra import FREQS_HZ, Spectra, band_powers


class Clips:
    """Crops with an equaliser curve put on each: what a method is asked about.

    A method that looks at more than the long-term spectrum finds the original crop by ``index`` in
    ``spectra``, and what was put on it in ``put_on_db``. Equality is identity: a method may remember what
    it made of a `Clips` object and be asked again with another word or amount.

    Parameters
    ----------
    spectra : Spectra
        The crops.
    index : array of int
        Which crop each clip is, shape ``(n,)``.
    put_on_db : Floats or None
        What was put on each, in dB at `FREQS_HZ`, shape ``(n, m)``; None: nothing.
    """

    __slots__ = ("__weakref__", "index", "power", "put_on_db", "spectra")

    def __init__(
        self, spectra: Spectra, index: npt.ArrayLike, put_on_db: Floats | None = None
    ) -> None:
        self.spectra = spectra
        self.index = np.asarray(index, dtype=np.intp)
        shape = (len(self.index), len(FREQS_HZ))
        self.put_on_db: Floats = np.zeros(shape) if put_on_db is None else put_on_db
        if self.put_on_db.shape != shape:
            raise DataError(f"put_on_db must have shape {shape}, got {self.put_on_db.shape}")
        power = spectra.power[self.index] * 10.0 ** (self.put_on_db / 10.0)
        #: Band powers with the curve put on, shape ``(n, m)``; each row sums to 1.
        self.power: Floats = read_only(power / power.sum(axis=1, keepdims=True))

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.index)

    @classmethod
    def of_audio(cls, audio: Audio, fs: float) -> Self:
        """Return one sound as clips."""
        power = band_powers(audio, fs)
        power = np.maximum(power, max(float(power.sum()), 1e-30) * 1e-15)
        one = np.ones(1)
        return cls(Spectra(power[None] / power.sum(), ("audio",), 0.0 * one, one), [0])

    def audio(self, k: int) -> tuple[Audio, float]:
        """Return clip `k` as sound, the curve applied with zero phase, and its sample rate in Hz."""
        audio, fs = self.spectra.audio(int(self.index[k]))
        return apply_curve(audio, fs, self.put_on_db[k], FREQS_HZ), fs


def apply_curve(audio: Audio, fs: float, curve_db: Floats, freqs_hz: Floats) -> Audio:
    """Return `audio` ``(frames, channels)`` filtered with zero phase by a curve in dB at `freqs_hz`."""
    if not np.any(curve_db):
        return audio
    frames = len(audio)
    # Zeros at the end keep the filter's tail from wrapping round to the other side.
    size = next_fast_len(frames + int(0.2 * fs), real=True)
    at = np.log(np.maximum(rfftfreq(size, 1.0 / fs), 1.0))
    gain = 10.0 ** (np.interp(at, np.log(freqs_hz), curve_db) / 20.0)
    # In single precision, unlike numpy's: twice as fast, and -120 dB is far below any judge.
    spectrum = rfft(np.asarray(audio, dtype=np.float32), size, axis=0)
    spectrum *= gain.astype(np.float32)[:, None]
    filtered: Audio = irfft(spectrum, size, axis=0)[:frames]
    return filtered
