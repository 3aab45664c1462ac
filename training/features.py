"""What the audio encoder sees: power in sixty-one bands, frame by frame, on the grid of the curves.

Conventions
-----------
- Bands sit at the vocabulary's frequencies (`GRID_HZ`, a sixth of an octave apart), so that an equaliser with
  curve c (dB on that grid) adds c to every frame: training puts on a thousand curves for the price of
  one decoding. The error against filtering the sound is below 0.3 dB for curves that people draw.
- A frame is 4096 samples under a Hann window, every 1024. A band is a triangle over frequency, as wide as its
  neighbours' distance, at least one FFT bin; its power is a mean density times its frequency, so that
  pink noise is flat. Channels are averaged in power: sound in opposite phase counts.
- `normalised` takes the level out before anything else looks: level cannot matter.
"""

import math
from functools import cache

import torch

from semeq.training.words import GRID_HZ

BANDS = len(GRID_HZ)
FFT_SIZE = 4096
HOP = 1024
#: Power below this is silence (full scale is 1): -140 dB.
POWER_FLOOR = 1e-14
#: Nothing counts that is further than this below the window's level (dB).
RANGE_DB = 70.0
#: Decibels that make one unit of the network's input.
UNIT_DB = 20.0


@cache
def _window() -> torch.Tensor:
    return torch.hann_window(FFT_SIZE)


def band_weights(fs: float) -> torch.Tensor:
    """Return the weights of the FFT bins in each band, shape ``(61, 2049)``."""
    return weights_for(torch.tensor(float(fs)))


def weights_for(fs: torch.Tensor) -> torch.Tensor:
    """Return `band_weights` for a rate given as a scalar tensor; bands beyond fs/2 are empty."""
    centres = torch.tensor(GRID_HZ, dtype=torch.float32)[:, None]
    spacing = fs / FFT_SIZE
    bins = torch.arange(FFT_SIZE // 2 + 1, dtype=torch.float32) * spacing
    width = torch.maximum(centres * (2.0 ** (1.0 / 6.0) - 1.0), spacing)
    weights = torch.clamp(1.0 - torch.abs(bins - centres) / width, min=0.0)
    weights = weights * (bins > 0.0)
    total = weights.sum(dim=1, keepdim=True)
    return weights / torch.clamp(total, min=1e-6) * centres / 1000.0


def frames_of(seconds: float, fs: float) -> int:
    """Return how many frames a sound has."""
    return max(0, math.floor(seconds * fs) - FFT_SIZE) // HOP + 1


def log_bands(audio: torch.Tensor, fs: float) -> torch.Tensor:
    """Return band levels in dB.

    Parameters
    ----------
    audio : torch.Tensor
        ``(channels, time)``, at least `FFT_SIZE` samples.
    fs : float
        Sample rate in Hz.

    Returns
    -------
    torch.Tensor
        Shape ``(frames, 61)``, dB against full scale, never below -140.
    """
    window = _window().to(audio)
    spectrum = torch.stft(audio, FFT_SIZE, HOP, window=window, center=False, return_complex=True)
    power = (spectrum.real**2 + spectrum.imag**2).mean(dim=0) / torch.sum(window**2)
    return 10.0 * torch.log10(band_weights(fs).to(audio) @ power + POWER_FLOOR).T


def long_term_db(levels: torch.Tensor) -> torch.Tensor:
    """Return the mean over time, in power, of levels ``(..., frames, 61)`` in dB: ``(..., 61)``."""
    nepers = levels * (math.log(10.0) / 10.0)
    # The logarithm of the count, as the trace of an export can follow it.
    count = torch.logsumexp(0.0 * nepers, dim=-2)
    return (torch.logsumexp(nepers, dim=-2) - count) * (10.0 / math.log(10.0))


def normalised(levels: torch.Tensor) -> torch.Tensor:
    """Return levels ``(..., frames, 61)`` in dB relative to the window's own level, in units of 20 dB.

    The level is the mean power over time and bands; what lies more than `RANGE_DB` below it counts as
    lying there.
    """
    nepers = (levels * (math.log(10.0) / 10.0)).flatten(-2)
    count = torch.logsumexp(0.0 * nepers, dim=-1)
    level = (torch.logsumexp(nepers, dim=-1) - count) * (10.0 / math.log(10.0))
    relative = torch.clamp(levels - level[..., None, None], min=-RANGE_DB)
    return relative / UNIT_DB
