"""Long-term spectra: how much of the sound lies where.

Conventions
-----------
Levels are powers averaged over the whole sound and over its channels, in dB against a full-scale
square wave (power 1). A sine at full scale reads −3 dB.
"""

import math
from dataclasses import dataclass

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.units import Audio, Floats

FLOOR_DB = -150.0
_WINDOW_S = 0.68  # 32768 frames at 48 kHz: bins of 1.5 Hz, narrower than 1/6 octave at 20 Hz


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of the spectrum under the name that musicians give it."""

    name: str
    low_hz: float
    high_hz: float


REGIONS = (
    Region("sub", 20.0, 60.0),
    Region("bass", 60.0, 200.0),
    Region("low mids", 200.0, 500.0),
    Region("mids", 500.0, 2000.0),
    Region("presence", 2000.0, 6000.0),
    Region("brilliance", 6000.0, 12_000.0),
    Region("air", 12_000.0, 20_000.0),
)


def _cumulative_power(audio: Audio, fs: float) -> tuple[Floats, Floats]:
    """Return bin edges in Hz and the power below each of them: Welch's method, Hann, half overlap."""
    if not (math.isfinite(fs) and fs > 0):
        raise SettingsError(f"fs must be a positive number of Hz, got {fs:g}")
    if audio.ndim != 2 or audio.size == 0:
        raise SettingsError(f"audio must be (frames, channels) and not empty, got {audio.shape}")
    size = 1 << max(8, round(math.log2(_WINDOW_S * fs)))
    window = np.hanning(size + 1)[:-1]
    power = np.zeros(size // 2 + 1)
    # Half a window of silence on both sides: each sample then weighs the same.
    padded = np.pad(np.asarray(audio, dtype=np.float64), ((size // 2, size), (0, 0)))
    for start in range(0, len(padded) - size, size // 2):
        block = padded[start : start + size] * window[:, None]
        power += np.mean(np.abs(np.fft.rfft(block, axis=0)) ** 2, axis=1)
    power[1:-1] *= 2.0
    # Hann windows squared, at half overlap, sum to 3/4 on average.
    power /= size * 0.75 * len(audio)
    edges = (np.arange(size // 2 + 2) - 0.5) * fs / size
    return np.maximum(edges, 0.0), np.concatenate(([0.0], np.cumsum(power)))


def _to_db(power: Floats) -> Floats:
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (FLOOR_DB / 10.0))))


def spectrum_db(
    audio: Audio, fs: float, *, fraction: float = 6.0, points: int = 181
) -> tuple[Floats, Floats]:
    """Return the long-term spectrum, smoothed to a fraction of an octave.

    Parameters
    ----------
    audio : Audio
        Shape ``(frames, channels)``.
    fs : float
        Sample rate in Hz.
    fraction : float
        Each point holds the power in ``1/fraction`` octave around it; pink noise is a flat line.
    points : int
        Number of points, log-spaced from 20 Hz to 20 kHz or to fs/2 where that is less.

    Returns
    -------
    freqs_hz, db : Floats
        Shape ``(points,)`` each.

    Raises
    ------
    SettingsError
        If `audio` is empty or not two-dimensional, or `fs` is not positive.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)[:, None].astype(np.float32)
    >>> freqs_hz, db = spectrum_db(tone, 48000.0)
    >>> round(float(db.max())), bool(abs(np.log2(freqs_hz[np.argmax(db)] / 1000)) < 1 / 12)
    (-3, True)
    """
    edges, below = _cumulative_power(audio, fs)
    half = 2.0 ** (0.5 / fraction)
    freqs = np.geomspace(20.0, min(20_000.0, fs / 2.0 / half), points)
    power = np.interp(freqs * half, edges, below) - np.interp(freqs / half, edges, below)
    return freqs, _to_db(power)


def region_levels_db(audio: Audio, fs: float) -> dict[str, float]:
    """Return the level of each of `REGIONS` in dB against the level of the whole sound.

    Relative levels tell the balance and leave the loudness out. A region above fs/2 reads −150.

    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)[:, None].astype(np.float32)
    >>> levels = region_levels_db(tone, 48000.0)
    >>> bool(levels["mids"] > -0.1), bool(levels["air"] < -60)
    (True, True)
    """
    edges, below = _cumulative_power(audio, fs)
    whole = max(float(below[-1]), 1e-30)
    bounds = np.array([[region.low_hz, region.high_hz] for region in REGIONS])
    power = np.diff(np.interp(bounds, edges, below), axis=1)[:, 0]
    levels = _to_db(power / whole)
    return {region.name: float(level) for region, level in zip(REGIONS, levels, strict=True)}
