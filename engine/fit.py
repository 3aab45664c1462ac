"""Seven bands that follow a curve: damped Gauss-Newton on the magnitude response.

Conventions
-----------
A band is three numbers: gain in dB, ln(frequency in Hz), ln(q). It stands for its analogue prototype, the
same at every sample rate, or, where a rate is given, for the bilinear filter of that rate; see
`semeq.engine.responses`. All arrays may carry leading axes, so that many curves are fitted at once.

A live knob calls this a hundred times a second, so the fit has to be *smooth* in its inputs before it
is optimal: the number of steps is fixed, every step is a smooth function of what went before (no step is
accepted or refused, the step length saturates softly), and limits only clip. Equal inputs give
equal outputs, nearby inputs give nearby outputs, and a start that fits exactly is returned unchanged.

References
----------
.. [1] D. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", SIAM 1963.
"""

import math
from functools import lru_cache

import numpy as np

from semeq.engine.compiled import is_at_hand
from semeq.engine.errors import SettingsError
from semeq.engine.responses import prototypes_db, responses_db
from semeq.engine.settings import (
    DEFAULT_GAIN_LIMIT_DB,
    FREQ_RANGE_HZ,
    GAIN_LIMIT_DB,
    LAYOUT,
    Q_RANGE,
    Band,
    EQSettings,
)
from semeq.engine.units import Floats, read_only

#: The rate that is meant where one has to be named.
FIT_FS = 48_000.0
#: Where a fitted band may sit (Hz), band by band: wide and overlapping, but in ascending order.
FIT_FREQ_RANGES_HZ = (
    (20.0, 800.0),
    (25.0, 1000.0),
    (60.0, 3000.0),
    (150.0, 6000.0),
    (400.0, 12_000.0),
    (1000.0, 19_000.0),
    (1500.0, 20_000.0),
)
#: Sharpest and widest fitted band. Curves of people resolve no more than a sixth of an octave, and a
#: shelf of high q is a resonance.
PEAK_Q_RANGE = (0.2, 6.0)
SHELF_Q_RANGE = (0.3, 1.5)
#: Where bilinear filters are fitted, points above this share of fs are left out: no freedom there.
HIGHEST_POINT_OF_FS = 0.475

ITERATIONS = 4
#: A fit that ends as near to its start has not moved: rounding, and nothing that could be heard.
UNMOVED = 1e-9
#: What a step costs beside the mean squared error in dB²: per dB², per (ln f)², per (ln q)².
DAMPING = (5e-3, 0.2, 0.2)
#: What the distance from the start costs, in the same units. Without it the bands would find their way
#: to one of many local optima, and a turning knob would hop between them.
ANCHOR = (1e-3, 2.0, 0.5)
#: Where a step saturates: dB, ln f, ln q. Half an octave of frequency at most.
STEP_LIMITS = (6.0, 0.35, 0.35)

_LN_Q = np.log([SHELF_Q_RANGE, *(PEAK_Q_RANGE,) * 5, SHELF_Q_RANGE])


def to_parameters(settings: EQSettings) -> Floats:
    """Return the bands as ``(7, 3)``: gain in dB, ln(frequency in Hz), ln(q)."""
    return np.array([(b.gain_db, math.log(b.freq_hz), math.log(b.q)) for b in settings.bands])


def to_settings(parameters: Floats) -> EQSettings:
    """Return the settings of one ``(7, 3)`` array."""
    # exp(log(10)) is a little more than 10: rounding must not leave the range.
    (low_hz, high_hz), (low_q, high_q) = FREQ_RANGE_HZ, Q_RANGE
    return EQSettings(
        tuple(
            [
                Band(
                    kind,
                    min(max(math.exp(ln_f), low_hz), high_hz),
                    gain_db,
                    min(max(math.exp(ln_q), low_q), high_q),
                )
                for kind, (gain_db, ln_f, ln_q) in zip(LAYOUT, parameters.tolist(), strict=True)
            ]
        )
    )


@lru_cache(maxsize=64)
def bounds(fs: float | None, gain_limit_db: float) -> Floats:
    """Return the lowest and highest parameters, ``(2, 7, 3)``, read-only; `fs` as for `fit_bands`."""
    limits = np.empty((2, len(LAYOUT), 3))
    low, high = limits
    low[:, 0], high[:, 0] = -gain_limit_db, gain_limit_db
    top = math.inf if fs is None else HIGHEST_POINT_OF_FS * fs
    for k, (f_low, f_high) in enumerate(FIT_FREQ_RANGES_HZ):
        # A rate of 8 kHz leaves some ranges no room: the band then stays at its highest place.
        low[k, 1], high[k, 1] = math.log(min(f_low, top)), math.log(min(f_high, top))
    low[:, 2], high[:, 2] = _LN_Q.T
    return read_only(limits)


@lru_cache(maxsize=16)
def costs_of(
    damping: tuple[float, float, float] = DAMPING, anchor: tuple[float, float, float] = ANCHOR
) -> Floats:
    """Return what the compiled steps cost and where they saturate, shape ``(3, 3)``."""
    return np.array((damping, anchor, STEP_LIMITS))


def _flat(parameters: Floats) -> Floats:
    return parameters.reshape(*parameters.shape[:-2], 3 * len(LAYOUT))


def refine(
    parameters: Floats,
    target_db: Floats,
    freqs_hz: Floats,
    fs: float | None = None,
    *,
    limits: Floats,
    iterations: int = ITERATIONS,
    damping: tuple[float, float, float] = DAMPING,
    anchor: tuple[float, float, float] = ANCHOR,
    rest: Floats | None = None,
    fixed: frozenset[int] = frozenset(),
) -> Floats:
    """Return parameters after a fixed number of damped Gauss-Newton steps.

    Parameters
    ----------
    parameters : Floats
        Where to start, shape ``(..., 7, 3)``.
    target_db : Floats
        The curves to follow, shape ``(..., n)``.
    freqs_hz : Floats
        Shape ``(n,)``; below fs/2 where there is one.
    fs : float or None
        Sample rate of bilinear filters in Hz; None: prototypes.
    limits : Floats
        Lowest and highest parameters, ``(2, 7, 3)``, see `bounds`.
    iterations : int
        Number of steps.
    damping : tuple of float
        Cost of a step in gain, ln f and ln q, beside the mean squared error.
    anchor : tuple of float
        Cost of the distance from `rest` in gain, ln f and ln q.
    rest : Floats or None
        Where the anchor holds, shape ``(7, 3)`` or that of `parameters`; None: where the steps start.
    fixed : frozenset of int
        Bands, counted from 0, that stay where they start.

    Returns
    -------
    Floats
        Shape ``(..., 7, 3)``.
    """
    if fs is None and parameters.ndim == 2 and is_at_hand():
        from semeq.engine.fit_kernel import take_steps

        one = np.array(parameters, dtype=np.float64)
        take_steps(
            one,
            # copies: of one type, whatever came
            np.array(target_db, dtype=np.float64),
            np.array(freqs_hz, dtype=np.float64),
            np.array(parameters if rest is None else rest, dtype=np.float64),
            np.array(limits, dtype=np.float64),
            costs_of(damping, anchor),
            np.array(sorted(fixed), dtype=np.int64),
            iterations,
        )
        return one
    bands = len(LAYOUT)
    damp, pull = np.tile(damping, bands), np.tile(anchor, bands)
    limit = np.tile(STEP_LIMITS, bands)
    held = _flat(parameters if rest is None else rest)
    frozen = [3 * band + part for band in sorted(fixed) for part in range(3)]
    n = len(freqs_hz)
    for _ in range(iterations):
        if fs is None:
            response, slopes = prototypes_db(parameters, freqs_hz)
        else:
            response, slopes = responses_db(parameters, freqs_hz, fs)
        if frozen:
            slopes[..., frozen, :] = 0.0
        downhill = (slopes @ (target_db - response)[..., None])[..., 0] / n
        downhill -= pull * (_flat(parameters) - held)
        hessian = slopes @ slopes.swapaxes(-1, -2) / n + np.diag(damp + pull)
        step = np.linalg.solve(hessian, downhill[..., None])[..., 0]
        step /= np.sqrt(1.0 + (step / limit) ** 2)
        parameters = np.clip(parameters + step.reshape(parameters.shape), *limits)
    return parameters


def prototype_curve_db(parameters: Floats, freqs_hz: Floats) -> Floats:
    """Return the response of prototypes ``(..., 7, 3)`` in dB, shape ``(..., n)``; compiled for one set."""
    if parameters.ndim == 2 and is_at_hand():
        from semeq.engine.fit_kernel import write_response

        response: Floats = np.empty(len(freqs_hz))
        slopes = np.empty((len(freqs_hz), 3 * len(LAYOUT)))
        write_response(np.array(parameters), np.array(freqs_hz), response, slopes)
        return response
    return prototypes_db(parameters, freqs_hz)[0]


def fit_bands(
    curve_db: Floats,
    freqs_hz: Floats,
    fs: float | None = None,
    *,
    start: EQSettings,
    iterations: int = ITERATIONS,
    gain_limit_db: float = DEFAULT_GAIN_LIMIT_DB,
    fixed: frozenset[int] = frozenset(),
) -> EQSettings:
    """Return seven bands whose response follows a curve.

    Parameters
    ----------
    curve_db : Floats
        Wanted magnitude response in dB, shape ``(n,)``.
    freqs_hz : Floats
        Where, in Hz, shape ``(n,)``, ascending.
    fs : float or None
        None: the bands stand for their prototypes, at any rate. A rate in Hz: they stand for bilinear
        filters at that rate, and points above 0.475 fs are left out.
    start : EQSettings
        Where the search starts: the answer is a smooth function of it and of the curve.
    iterations : int
        Number of steps.
    gain_limit_db : float
        Largest gain of a band, in (0, 18] dB.
    fixed : frozenset of int
        Bands, counted from 0, that stay as they are in `start`: the others are fitted around them.

    Returns
    -------
    EQSettings
        `start` itself, limits kept, if it follows the curve already.

    Raises
    ------
    SettingsError
        If the curve or the rate cannot be used.
    """
    if fs is not None and not (math.isfinite(fs) and fs > 0):
        raise SettingsError(f"fs must be a positive number of Hz, got {fs:g}")
    if not 0.0 < gain_limit_db <= GAIN_LIMIT_DB:
        raise SettingsError(
            f"gain_limit_db must be in (0, {GAIN_LIMIT_DB:g}], got {gain_limit_db:g}"
        )
    curve_db = np.asarray(curve_db, dtype=np.float64)
    freqs_hz = np.asarray(freqs_hz, dtype=np.float64)
    if curve_db.ndim != 1 or curve_db.shape != freqs_hz.shape:
        raise SettingsError(
            "curve_db and freqs_hz must be one row of equal length, "
            f"got shapes {curve_db.shape} and {freqs_hz.shape}"
        )
    heard = freqs_hz <= (math.inf if fs is None else HIGHEST_POINT_OF_FS * fs)
    if not (heard.any() and np.isfinite(curve_db).all() and (freqs_hz > 0.0).all()):
        raise SettingsError(
            "curve_db must be finite, at positive frequencies below fs/2, "
            f"got {int(heard.sum())} usable points of {len(freqs_hz)}"
        )
    limits = bounds(fs, gain_limit_db)
    given = to_parameters(start)
    parameters = np.clip(given, *limits)
    fitted = refine(
        parameters,
        curve_db[heard],
        freqs_hz[heard],
        fs,
        limits=limits,
        iterations=iterations,
        fixed=fixed,
    )
    # exp(log(x)) is not always x: an unmoved start is handed back as it came.
    return start if np.abs(fitted - given).max() < UNMOVED else to_settings(fitted)
