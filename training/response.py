"""Magnitude response of the seven bands in torch, in closed form, with slopes for training.

Conventions
-----------
Parameters are tensors of shape ``(..., 7, 3)``: gain in dB, ``ln(f / 1 kHz)`` and ``ln(q)``, bands in the
order of `semeq.engine.settings.LAYOUT`. The logarithm is taken from 1 kHz because float32 then keeps a
centre frequency to 1e-7: counted from 1 Hz a narrow peak would be off by 1e-4 dB.

With ``p = sin²(w / 2)``, ``r = 1 - p`` and the same of the centre (``p0``, ``r0``), the squared magnitudes
of the cookbook filters [1]_ are ratios of sums of squares::

    peak        ((p0 - p)² + A² s) / ((p0 - p)² + s / A²)          s = p r p0 r0 / q²
    low shelf   A² ((A p0 r - p r0)² + A s) / ((p0 r - A p r0)² + A s)
    high shelf  A² ((p0 r - A p r0)² + A s) / ((A p0 r - p r0)² + A s)          A = 10^(gain / 40)

Nothing cancels near 0 Hz, where the sum over z⁻¹ loses 2 dB in float32. A band at 0 dB gives exactly 0 dB.

References
----------
.. [1] R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
"""

import math

import numpy as np
import torch

from semeq.engine.design import MAX_FREQ_OF_FS
from semeq.engine.fit import to_parameters, to_settings
from semeq.engine.settings import LAYOUT, EQSettings
from semeq.engine.units import Floats

#: Where the logarithm of a frequency is 0.
REFERENCE_HZ = 1000.0
_LN_REFERENCE = math.log(REFERENCE_HZ)
_DB = 10.0 / math.log(10.0)


def to_tensor(settings: EQSettings, *, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Return the bands as a ``(7, 3)`` tensor.

    >>> to_tensor(EQSettings.flat()).shape
    torch.Size([7, 3])
    """
    parameters = to_parameters(settings)
    parameters[:, 1] -= _LN_REFERENCE
    return torch.tensor(parameters, dtype=dtype)


def from_tensor(parameters: torch.Tensor) -> EQSettings:
    """Return the settings of one ``(7, 3)`` tensor.

    Raises
    ------
    SettingsError
        If a gain or a q is out of range.
    """
    values = parameters.detach().to(torch.float64).cpu().numpy().copy()
    values[:, 1] += _LN_REFERENCE
    return to_settings(values)


def half_angle_sine(freqs_hz: Floats | torch.Tensor, fs: float) -> torch.Tensor:
    """Return ``sin²(π f / fs)`` in double precision, for the frequencies of a grid."""
    freqs = torch.as_tensor(np.asarray(freqs_hz), dtype=torch.float64)
    return torch.sin(math.pi * freqs / fs) ** 2


def band_responses_db(parameters: torch.Tensor, freqs_hz: Floats, fs: float) -> torch.Tensor:
    """Return the response of each band.

    Parameters
    ----------
    parameters : torch.Tensor
        Shape ``(..., 7, 3)``: dB, ln(f / 1 kHz), ln(q). Centres above ``0.49 fs`` count as there.
    freqs_hz : Floats
        Shape ``(n,)``, in (0, fs/2).
    fs : float
        Sample rate in Hz.

    Returns
    -------
    torch.Tensor
        Magnitudes in dB, shape ``(..., 7, n)``, of the dtype and device of the parameters.
    """
    # Differences of nearly equal numbers are taken in double precision; the rest may be in single.
    p = half_angle_sine(freqs_hz, fs).to(parameters.device)
    gain_db, ln_f, ln_q = (parameters[..., k].unsqueeze(-1).double() for k in range(3))
    top = math.log(MAX_FREQ_OF_FS * fs) - _LN_REFERENCE
    centre_hz = REFERENCE_HZ * torch.exp(torch.clamp(ln_f, max=top))
    p0 = torch.sin(math.pi / fs * centre_hz) ** 2
    r, r0 = 1.0 - p, 1.0 - p0
    a = torch.exp(gain_db * (math.log(10.0) / 40.0))
    narrow = p0 * r0 * torch.exp(-2.0 * ln_q)

    peaks = slice(1, len(LAYOUT) - 1)
    s = (p * r).to(parameters) * narrow[..., peaks, :].to(parameters)
    apart = (p0[..., peaks, :] - p).to(parameters) ** 2
    a2 = (a[..., peaks, :] ** 2).to(parameters)
    peak = torch.log((apart + a2 * s) / (apart + s / a2))

    ends = [0, len(LAYOUT) - 1]
    a, p0, r0 = (x[..., ends, :] for x in (a, p0, r0))
    damping = (p * r).to(parameters) * (a * narrow[..., ends, :]).to(parameters)
    above = (a * p0 * r - p * r0).to(parameters) ** 2 + damping
    below = (p0 * r - a * p * r0).to(parameters) ** 2 + damping
    sign = torch.tensor([[1.0], [-1.0]], dtype=parameters.dtype, device=parameters.device)
    shelf = 0.5 * parameters[..., ends, 0].unsqueeze(-1) + sign * _DB * torch.log(above / below)
    return torch.cat([shelf[..., :1, :], _DB * peak, shelf[..., 1:, :]], dim=-2)


def response_db(parameters: torch.Tensor, freqs_hz: Floats, fs: float) -> torch.Tensor:
    """Return the response of all seven bands in dB, shape ``(..., n)``; see `band_responses_db`."""
    return band_responses_db(parameters, freqs_hz, fs).sum(dim=-2)


def power_response(parameters: torch.Tensor, bins: int, fs: float) -> torch.Tensor:
    """Return ``|H|²`` at the `bins` frequencies of a real FFT, shape ``(..., bins)``, 0 Hz and fs/2 included.

    The EQ is linear and time-invariant: a power spectrum times this is that of the equalised sound.
    """
    freqs = np.linspace(0.0, fs / 2.0, bins)
    # The formulas hold at both ends, where a peak's ratio would be 0 / 0 only if it sat there itself.
    return torch.exp(response_db(parameters, freqs, fs) / _DB)
