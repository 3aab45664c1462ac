"""The response of a plugin in dB, from what it makes of an impulse or of a sweep."""

import numpy as np

from semeq.engine.plugin_guest import Guest
from semeq.engine.units import Audio, Floats

#: Where responses are looked at, in Hz.
LOW_HZ, HIGH_HZ = 25.0, 18_000.0
IMPULSE_FRAMES = 1 << 14
SWEEP_S, SWEEP_LEVEL = 1.5, 0.1
#: A response below this is nothing (dB).
FLOOR_DB = -120.0


def grid(fs: float, points: int) -> Floats:
    """Return frequencies from `LOW_HZ` to `HIGH_HZ`, or as far as the rate goes."""
    freqs: Floats = np.geomspace(LOW_HZ, min(HIGH_HZ, 0.4 * fs), points)
    return freqs


def spectrum_db(numerator: Audio, denominator: Audio | None, fs: float, freqs_hz: Floats) -> Floats:
    """Return a response in dB at `freqs_hz`, from an impulse response or an output and its input."""
    size = 1 << (2 * len(numerator) - 1).bit_length()
    ratio = np.abs(np.fft.rfft(numerator.astype(np.float64), size))
    if denominator is not None:
        ratio /= np.maximum(np.abs(np.fft.rfft(denominator.astype(np.float64), size)), 1e-12)
    level = 20.0 * np.log10(np.maximum(ratio, 10.0 ** (FLOOR_DB / 20.0)))
    result: Floats = np.interp(freqs_hz, np.fft.rfftfreq(size, 1.0 / fs), level)
    return result


def sweep(fs: float) -> Audio:
    """Return a logarithmic sine sweep over the whole range, faded at both ends."""
    frames = round(SWEEP_S * fs)
    t = np.arange(frames) / frames
    low, high = 10.0, 0.49 * fs
    rate = np.log(high / low)
    phase = 2.0 * np.pi * low * SWEEP_S / rate * (np.exp(t * rate) - 1.0)
    fade = np.minimum(1.0, np.minimum(t, 1.0 - t) * 40.0)
    made: Audio = (SWEEP_LEVEL * fade * np.sin(phase)).astype(np.float32)
    return made


def measure_db(guest: Guest, fs: float, channels: int, freqs_hz: Floats, blocksize: int) -> Floats:
    """Return the response of a guest, as it is set, to a sweep."""
    sent = sweep(fs)
    frames = len(sent) + IMPULSE_FRAMES + guest.latency_frames
    block: Audio = np.zeros((-(-frames // blocksize) * blocksize, channels), dtype=np.float32)
    block[: len(sent)] = sent[:, np.newaxis]
    return spectrum_db(guest.stream(block)[:, 0], block[:, 0], fs, freqs_hz)
