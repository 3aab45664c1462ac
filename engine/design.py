"""From settings to filter coefficients.

Conventions
-----------
A section is a state-variable filter in trapezoidal form. A designer returns, for each of the seven
bands, ``(g, k, m0, m1, m2)``: ``g`` the integrator gain, ``k`` the damping, and the output mix
``y = m0 x + m1 band + m2 low`` [1]_. The kernel runs the equivalent state-space rows
``(p, b1, b2, c1, c2, d)``::

    v  = x - s2                     with  a1 = 1 / (1 + g (g + k)), a2 = g a1, a3 = g a2
    y  = c1 s1 + c2 s2 + d x        p  = 2 a1 - 1   b1 = 2 a2             b2 = 2 a3
    s1 = p s1 + b1 v                c1 = m1 a1 + m2 a2   c2 = m2 (1 - a3) - m1 a2
    s2 = s2 + b1 s1 + b2 v          d  = m0 + m1 a2 + m2 a3

For every g > 0, k > 0 the zero-input step never increases ``s1² + s2²`` (it falls by ``4 g k band²``),
so it is a contraction, and so is every convex combination of such steps: ramping these rows linearly
between any two designs is stable by construction, whatever the jump.

Every stable biquad has this form: a denominator with its poles inside the unit circle has g > 0 and k > 0,
and the mix makes any numerator. Two designers use it. ``decramped`` (`semeq.engine.decramped`) follows
the analogue prototype up to 20 kHz, and is what sounds unless told otherwise. ``rbj`` is the audio-EQ
cookbook [2]_ to the letter: the response of dasp-pytorch, JUCE (Pedalboard) and the SAFE plug-ins,
bilinear cramping near Nyquist included.

References
----------
.. [1] A. Simper, "Solving the continuous SVF equations using trapezoidal integration", 2013.
.. [2] R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from semeq.engine.compiled import is_at_hand
from semeq.engine.decramped import SHAPES, decramped, highest_followed
from semeq.engine.errors import SettingsError
from semeq.engine.settings import Band, EQSettings, Kind
from semeq.engine.units import Floats, db_to_gain, read_only

SECTIONS = 8  # seven bands and one gain stage
ROW = 6  # p, b1, b2, c1, c2, d
#: Highest centre frequency as a share of fs: above it tan() leaves the range where rounding is harmless.
MAX_FREQ_OF_FS = 0.49

Section = tuple[float, float, float, float, float]
Designer = Callable[[Band, float], Section]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """What the kernel runs: read-only ``rows`` of shape ``(8, 6)``, the last row a plain gain."""

    rows: Floats

    @property
    def is_identity(self) -> bool:
        """Whether the output is the input, bit for bit."""
        return bool(np.all(self.rows[:, 3:5] == 0.0) and np.all(self.rows[:, 5] == 1.0))


def rbj(band: Band, fs: float) -> Section:
    """Return the cookbook filter of a band as ``(g, k, m0, m1, m2)``.

    A centre above ``0.49 fs`` is moved there: the band keeps its effect on what can be heard.
    """
    freq_hz = min(band.freq_hz, MAX_FREQ_OF_FS * fs)
    return _cookbook(band, math.tan(math.pi * freq_hz / fs))


def _cookbook(band: Band, t: float) -> Section:
    """Return the prototype with its centre at `t`, in whatever unit frequencies come."""
    a = db_to_gain(band.gain_db / 2.0)
    if band.gain_db == 0.0:
        return t, 1.0 / band.q, 1.0, 0.0, 0.0
    if band.kind is Kind.PEAK:
        k = 1.0 / (band.q * a)
        return t, k, 1.0, k * (a * a - 1.0), 0.0
    k = 1.0 / band.q
    if band.kind is Kind.LOW_SHELF:
        return t / math.sqrt(a), k, 1.0, k * (a - 1.0), a * a - 1.0
    return t * math.sqrt(a), k, a * a, k * (1.0 - a) * a, 1.0 - a * a


#: Filter designs by name. ``rbj`` is bilinear and matches dasp-pytorch, Pedalboard and SAFE.
DESIGNERS: dict[str, Designer] = {"decramped": decramped, "rbj": rbj}
DEFAULT_DESIGN = "decramped"


def _sections(settings: EQSettings, fs: float, design: str) -> list[Section]:
    if not (math.isfinite(fs) and fs > 0):
        raise SettingsError(f"fs must be a positive number of Hz, got {fs:g}")
    try:
        designer = DESIGNERS[design]
    except KeyError:
        known = ", ".join(sorted(DESIGNERS))
        raise SettingsError(f"design must be one of {known}, got {design!r}") from None
    if designer is decramped and is_at_hand():
        return _compiled_sections(settings, fs)
    return [designer(band, fs) for band in settings.bands]


@lru_cache(maxsize=16)
def _compiled_sections(settings: EQSettings, fs: float) -> list[Section]:
    from semeq.engine.sections_kernel import write_decramped

    bands = np.array([(SHAPES[b.kind], b.freq_hz, b.gain_db, b.q) for b in settings.bands])
    sections: Floats = np.empty((len(bands), 5))
    write_decramped(bands, float(fs), highest_followed(fs), sections)
    return [(g, k, m0, m1, m2) for g, k, m0, m1, m2 in sections.tolist()]


def design(
    settings: EQSettings, fs: float, *, gain_db: float = 0.0, design: str = DEFAULT_DESIGN
) -> Coefficients:
    """Return the kernel's coefficients for `settings` at sample rate `fs`, followed by a gain.

    Parameters
    ----------
    settings : EQSettings
        The seven bands.
    fs : float
        Sample rate in Hz.
    gain_db : float
        Broadband gain after the bands, in dB (loudness compensation and output trim).
    design : str
        A name of `DESIGNERS`.

    Returns
    -------
    Coefficients
        Rows of shape ``(8, 6)``, float64, read-only.

    Examples
    --------
    >>> design(EQSettings.flat(), 48000.0).is_identity
    True
    """
    rows = np.zeros((SECTIONS, ROW))
    for row, (g, k, m0, m1, m2) in zip(rows, _sections(settings, fs, design), strict=False):
        a1 = 1.0 / (1.0 + g * (g + k))
        a2, a3 = g * a1, g * g * a1
        row[:] = (
            2.0 * a1 - 1.0,
            2.0 * a2,
            2.0 * a3,
            m1 * a1 + m2 * a2,
            m2 * (1.0 - a3) - m1 * a2,
            m0 + m1 * a2 + m2 * a3,
        )
    rows[-1, 5] = db_to_gain(gain_db)
    return Coefficients(read_only(rows))


def design_sos(settings: EQSettings, fs: float, *, design: str = DEFAULT_DESIGN) -> Floats:
    """Return the same filters as second-order sections, shape ``(7, 6)``, rows ``b0 b1 b2 1 a1 a2``.

    The array is the caller's own: scipy's ``sosfilt`` refuses a read-only one.
    """
    sos = np.empty((len(settings.bands), 6))
    for row, (g, k, m0, m1, m2) in zip(sos, _sections(settings, fs, design), strict=True):
        g2 = g * g
        norm = 1.0 / (1.0 + g * k + g2)
        row[:] = (
            (m0 * (1.0 + g * k + g2) + m1 * g + m2 * g2) * norm,
            2.0 * (m0 * (g2 - 1.0) + m2 * g2) * norm,
            (m0 * (1.0 - g * k + g2) - m1 * g + m2 * g2) * norm,
            1.0,
            2.0 * (g2 - 1.0) * norm,
            (1.0 - g * k + g2) * norm,
        )
    return sos


def _response(omega: Floats, sections: Sequence[Section]) -> Floats:
    """Return the magnitude in dB of sections at ``omega = tan(π f / fs)``, or at f where g is in Hz."""
    if omega.ndim == 1 and is_at_hand():
        from semeq.engine.sections_kernel import write_response

        response: Floats = np.empty(len(omega))
        # copies: of one type, whatever came
        write_response(np.array(sections), np.array(omega), response)
        return response
    # one axis of sections before those of omega, however many it has
    g, k, m0, m1, m2 = np.array(sections).T.reshape(5, -1, *(1,) * omega.ndim)
    w = omega / g
    low = 1.0 - w * w
    # H(jw) = m0 + (m1 jw + m2) / (1 - w² + j k w)
    numerator = (m0 * low + m2) ** 2 + ((m0 * k + m1) * w) ** 2
    decibels: Floats = (10.0 * np.log10(numerator / (low**2 + (k * w) ** 2))).sum(axis=0)
    return decibels


def response_db(
    settings: EQSettings, fs: float, freqs_hz: Floats, *, design: str = DEFAULT_DESIGN
) -> Floats:
    """Return the magnitude response in dB at `freqs_hz` (Hz, below fs/2).

    Evaluated from the analogue form at the warped frequency ``tan(π f / fs)``, which keeps full
    precision at 20 Hz where the usual sum over ``z⁻¹`` cancels.
    """
    omega = np.tan(np.pi * np.asarray(freqs_hz, dtype=np.float64) / fs)
    return _response(omega, _sections(settings, fs, design))


def prototype_db(settings: EQSettings, freqs_hz: Floats) -> Floats:
    """Return the magnitude response in dB of the analogue prototypes: what the bands stand for."""
    freqs_hz = np.asarray(freqs_hz, dtype=np.float64)
    return _response(freqs_hz, [_cookbook(band, band.freq_hz) for band in settings.bands])
