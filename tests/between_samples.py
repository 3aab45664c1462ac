"""The peak between the samples: behind a converter, in a meter, of a sum of sines; none is ours."""

import numpy as np
import scipy.fft
import scipy.signal

from semeq.engine.units import Audio

OVERSAMPLE = 16
#: A converter is flat to 20 kHz at 44.1 kHz, and silent as far above half the rate.
FLAT_TO, SILENT_FROM, SILENCE_DB = 0.4535, 0.5465, 90.0


def _converter() -> np.ndarray:
    width = 2.0 * (SILENT_FROM - FLAT_TO) / OVERSAMPLE
    taps, beta = scipy.signal.kaiserord(SILENCE_DB, width)
    cutoff = (FLAT_TO + SILENT_FROM) / OVERSAMPLE
    h = scipy.signal.firwin(taps | 1, cutoff, window=("kaiser", beta))
    return np.asarray(OVERSAMPLE * h)


_CONVERTER = _converter()


def as_converted(y: Audio) -> float:
    """Return the peak behind a converter's steep filter."""
    return float(
        np.abs(scipy.signal.upfirdn(_CONVERTER, y.astype(np.float64), OVERSAMPLE, axis=0)).max()
    )


def as_metered(y: Audio) -> float:
    """Return the peak behind a short filter, as meters have."""
    y = y.astype(np.float64)
    return float(np.abs(scipy.signal.resample_poly(y, OVERSAMPLE, 1, axis=0)).max())


def as_summed(y: Audio) -> float:
    """Return the peak of the sum of sines that passes through all samples."""
    size = scipy.fft.next_fast_len(len(y) + 4096)
    spectrum = np.fft.rfft(y.astype(np.float64), size, axis=0)
    return float(OVERSAMPLE * np.abs(np.fft.irfft(spectrum, OVERSAMPLE * size, axis=0)).max())
