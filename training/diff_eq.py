"""The seven bands as a layer: gradients from filtered sound to gain, frequency and q.

Conventions
-----------
Audio is ``(batch, channels, time)``. Parameters are those of `semeq.training.response`, ``(batch, 7, 3)``.
The filters are dasp-pytorch's biquads [1]_, the same cookbook filters as the live kernel runs.

dasp applies them by frequency sampling: the spectrum of the sound times the response at its FFT bins. Two
things follow, and both are bounded here and in the tests:

- *Time aliasing.* A response longer than the FFT wraps round. dasp pads a sound to twice its length,
  which for 128 samples under a 22 Hz shelf leaves an error of -20 dB. `DifferentiableEQ` always pads by
  at least `TAIL_S`, long enough for all but narrow bands at the lowest frequencies.
- *Cancellation.* In float32 the coefficients of a band below 40 Hz lose up to 3.5 dB near 0 Hz. The
  response is computed in float64 and only the product with the sound in its own precision.

It is for sounds of a second or more, in training. Live and offline sound goes through the kernel.

References
----------
.. [1] C. J. Steinmetz, N. J. Bryan, J. D. Reiss, "Style transfer of audio effects with differentiable
       signal processing", JAES 2022; dasp-pytorch, Apache-2.0.
"""

import math

import torch
from dasp_pytorch.signal import biquad, fft_sosfreqz

from semeq.engine.design import MAX_FREQ_OF_FS
from semeq.engine.errors import SettingsError
from semeq.engine.settings import LAYOUT, Kind
from semeq.training.response import REFERENCE_HZ

#: Silence behind the sound, in seconds, for the filters to ring out into.
TAIL_S = 0.5
_DASP_NAMES = {
    Kind.LOW_SHELF: "low_shelf",
    Kind.PEAK: "peaking",
    Kind.HIGH_SHELF: "high_shelf",
}


def sections(parameters: torch.Tensor, fs: float) -> torch.Tensor:
    """Return dasp's second-order sections, shape ``(batch, 7, 6)``, rows ``b0 b1 b2 1 a1 a2``."""
    gain_db, ln_f, ln_q = parameters.unbind(-1)
    top = math.log(MAX_FREQ_OF_FS * fs / REFERENCE_HZ)
    freq_hz = REFERENCE_HZ * torch.exp(torch.clamp(ln_f, max=top))
    q = torch.exp(ln_q)
    rows = [
        torch.cat(
            biquad(gain_db[:, k], freq_hz[:, k], q[:, k], fs, filter_type=_DASP_NAMES[kind]), dim=-1
        )
        for k, kind in enumerate(LAYOUT)
    ]
    return torch.stack(rows, dim=1)


class DifferentiableEQ(torch.nn.Module):
    """Seven bands over whole sounds.

    Parameters
    ----------
    fs : float
        Sample rate in Hz.
    tail_s : float
        Least padding in seconds, 0 or more. With 0 the padding is dasp's own: the sound's length.

    Raises
    ------
    SettingsError
        If the rate is not positive or the tail is negative.
    """

    def __init__(self, fs: float, *, tail_s: float = TAIL_S) -> None:
        super().__init__()
        if not (math.isfinite(fs) and fs > 0.0):
            raise SettingsError(f"fs must be a positive number of Hz, got {fs:g}")
        if not (math.isfinite(tail_s) and tail_s >= 0.0):
            raise SettingsError(f"tail_s must be 0 or more seconds, got {tail_s:g}")
        self.fs = fs
        self.tail_s = tail_s

    def fft_size(self, frames: int) -> int:
        """Return the FFT length for sounds of `frames` samples: a power of two."""
        needed = max(2 * frames - 1, frames + round(self.tail_s * self.fs))
        return 1 << (needed - 1).bit_length()

    def forward(self, audio: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """Return the equalised sound.

        Parameters
        ----------
        audio : torch.Tensor
            ``(batch, channels, time)``.
        parameters : torch.Tensor
            ``(batch, 7, 3)``: dB, ln(f / 1 kHz), ln(q); the same for all channels.

        Returns
        -------
        torch.Tensor
            Same shape, dtype and device as the audio.

        Raises
        ------
        SettingsError
            If the shapes do not fit.
        """
        if audio.ndim != 3 or parameters.shape != (audio.shape[0], len(LAYOUT), 3):
            raise SettingsError(
                "audio must be (batch, channels, time) and parameters (batch, 7, 3), "
                f"got {tuple(audio.shape)} and {tuple(parameters.shape)}"
            )
        frames = audio.shape[-1]
        size = self.fft_size(frames)
        response = fft_sosfreqz(sections(parameters.to(torch.float64), self.fs), size)
        spectrum = torch.fft.rfft(audio, size)
        filtered: torch.Tensor = torch.fft.irfft(
            spectrum * response.to(spectrum.dtype).unsqueeze(1), size
        )
        return filtered[..., :frames]
