"""Made-up sounds, and the balance of any."""

import numpy as np

from semeq.engine.balance import Balance, Meter
from semeq.engine.units import Audio

FS = 44_100.0


def pink(seconds: float, fs: float = FS, channels: int = 1, seed: int = 0) -> Audio:
    count = int(seconds * fs)
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal((channels, count)))
    freqs = np.fft.rfftfreq(count, 1.0 / fs)
    spectrum /= np.sqrt(np.maximum(freqs, 10.0))
    sound = np.fft.irfft(spectrum, count)
    made: Audio = (0.1 * sound.T / sound.std()).astype(np.float32)
    return made


def balance_of(sound: Audio, fs: float = FS, dense_frames: int | None = None) -> Balance:
    meter = Meter(fs, sound.shape[1], dense_frames=dense_frames)
    meter.feed(sound)
    return meter.balance()
