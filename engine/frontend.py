"""What the audio encoder sees, computed as the sound arrives: levels of sixty-one bands, frame by frame.

Conventions
-----------
- Bands sit at `GRID_HZ`, a sixth of an octave apart. A frame of `FFT_SIZE` samples under a Hann window is
  taken every `HOP`; a band is a triangle over frequency, as wide as its neighbours' distance and at least
  one FFT bin; its level is a mean density times its frequency in dB, so that pink noise is flat.
  Channels are averaged in power. It is what the encoder was trained on.
- At other rates than 44.1 and 48 kHz frame and hop are scaled by a power of two, so that a frame stays near
  90 ms. Bands that a low rate does not have take the level of the highest that it has.
- Every frame is computed once, when its last sample arrives. The bands are summed in a loop of our own: what
  a BLAS returns depends on the processor and on the number of threads; the same sound is to be heard alike.
"""

import math

import numpy as np
import numpy.typing as npt

from semeq.engine.errors import SettingsError
from semeq.engine.jit import jit
from semeq.engine.units import Audio, Floats, Ints, read_only

#: Levels in dB, shape ``(frames, 61)``.
Levels = npt.NDArray[np.float32]

GRID_HZ: Floats = read_only(np.round(np.geomspace(20.0, 20_000.0, 61), 2))
BANDS = len(GRID_HZ)
#: A frame at `BASE_FS` and at 44.1 kHz.
FFT_SIZE, HOP, BASE_FS = 4096, 1024, 46_000.0
#: Power below this is silence (full scale is 1): -200 dB.
POWER_FLOOR = 1e-20
#: A band exists where its centre is below this share of the rate.
HIGHEST_OF_FS = 0.46
#: Samples beyond this are damaged, as they are to the audio path.
ABSURD = 1e4
_LOWEST_FS, _HIGHEST_FS, _MOST_CHANNELS = 1000.0, 1e6, 64
#: No more frames than these are worked on at a time.
_BATCH = 32


def frame_sizes(fs: float) -> tuple[int, int]:
    """Return the length of a frame and the hop at a rate, in samples.

    >>> frame_sizes(48_000.0), frame_sizes(96_000.0)
    ((4096, 1024), (8192, 2048))
    """
    octaves = round(math.log2(fs / BASE_FS))
    return round(FFT_SIZE * 2.0**octaves), round(HOP * 2.0**octaves)


def band_weights(fs: float, size: int) -> npt.NDArray[np.float32]:
    """Return the weights of the FFT bins in each band, shape ``(61, size // 2 + 1)``."""
    centres = GRID_HZ[:, None]
    spacing = fs / size
    bins = np.arange(size // 2 + 1) * spacing
    width = np.maximum(centres * (2.0 ** (1.0 / 6.0) - 1.0), spacing)
    weights = np.clip(1.0 - np.abs(bins - centres) / width, 0.0, None)
    weights[:, 0] = 0.0
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)
    weights *= centres / (1000.0 * total)
    exists = np.flatnonzero((HIGHEST_OF_FS * fs >= GRID_HZ) & (weights.sum(axis=1) > 0.0))
    weights[exists[-1] + 1 :] = weights[exists[-1]]
    weights32: npt.NDArray[np.float32] = weights.astype(np.float32)
    return weights32


@jit
def _band_sums(
    power: npt.NDArray[np.float32], weights: npt.NDArray[np.float32], spans: Ints
) -> Floats:
    """Return the weighted sums of a frame's bins, shape ``(frames, bands)``; band b has bins spans[b]."""
    frames, bands = power.shape[0], weights.shape[0]
    sums = np.empty((frames, bands))
    for t in range(frames):
        for b in range(bands):
            total = 0.0
            for k in range(spans[b, 0], spans[b, 1]):
                total += float(power[t, k]) * float(weights[b, k])
            sums[t, b] = total
    return sums


def _spans(weights: npt.NDArray[np.float32]) -> Ints:
    """Return the first bin that counts and the one after the last, for each band, shape ``(bands, 2)``."""
    counting = [np.flatnonzero(row) for row in weights]
    return np.array([(k[0], k[-1] + 1) if len(k) else (0, 0) for k in counting], dtype=np.int64)


class BandStream:
    """Turns blocks of sound into frames of band levels.

    Parameters
    ----------
    fs : float
        Sample rate in Hz, from 1 kHz on.
    channels : int
        From 1 on.

    Attributes
    ----------
    fft_size, hop : int
        Length of a frame, and from one to the next, in samples.

    Raises
    ------
    SettingsError
        If the rate or the number of channels cannot be used.

    Notes
    -----
    One owner: not thread-safe. Samples that are no numbers, or absurdly large, count as silence.

    Examples
    --------
    >>> BandStream(48_000.0, 2).feed(np.zeros((6144, 2), dtype=np.float32)).shape
    (3, 61)
    """

    def __init__(self, fs: float, channels: int) -> None:
        if not (math.isfinite(fs) and _LOWEST_FS <= fs <= _HIGHEST_FS):
            raise SettingsError(f"fs must be in [{_LOWEST_FS:g}, {_HIGHEST_FS:g}] Hz, got {fs:g}")
        if not 1 <= channels <= _MOST_CHANNELS:
            raise SettingsError(f"channels must be in [1, {_MOST_CHANNELS}], got {channels}")
        self.fs, self.channels = fs, channels
        self.fft_size, self.hop = frame_sizes(fs)
        window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(self.fft_size) / self.fft_size)
        # Power of a frame relative to its window's, averaged over channels.
        window /= math.sqrt(float(np.sum(window**2)) * channels)
        self._window = window.astype(np.float32)
        self._weights = band_weights(fs, self.fft_size)
        self._spans = _spans(self._weights)
        #: What is still needed of the past, one row a channel.
        self._kept: npt.NDArray[np.float32] = np.zeros((channels, 0), dtype=np.float32)

    def feed(self, block: Audio) -> Levels:
        """Take the next samples, ``(frames, channels)``; return the frames that they complete.

        Raises
        ------
        SettingsError
            If the block has another number of channels.
        """
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise SettingsError(
                f"block must have shape (frames, {self.channels}), got {block.shape}"
            )
        fresh = np.asarray(block, dtype=np.float32).T
        damaged = ~(np.abs(fresh) <= ABSURD)
        if damaged.any():
            fresh = np.where(damaged, np.float32(0.0), fresh)
        sound = np.concatenate((self._kept, fresh), axis=1)
        count = max(0, (sound.shape[1] - self.fft_size) // self.hop + 1)
        levels = np.empty((count, BANDS), dtype=np.float32)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(sound, self.fft_size, axis=1)
            for first in range(0, count, _BATCH):
                last = min(count, first + _BATCH)
                chosen = frames[:, first * self.hop : (last - 1) * self.hop + 1 : self.hop]
                spectrum = np.fft.rfft(chosen * self._window, axis=-1)
                power = (spectrum.real**2 + spectrum.imag**2).sum(axis=0).astype(np.float32)
                sums = _band_sums(power, self._weights, self._spans)
                levels[first:last] = 10.0 * np.log10(sums + POWER_FLOOR)
        self._kept = sound[:, count * self.hop :].copy()
        return levels
