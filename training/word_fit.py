"""Seven bands for many curves at once: near one layout, from deterministic starts, the best one kept.

A curve has many fits that are equally good. The one to ship is close to `LAYOUT_HZ`, seven bands an octave
apart: words whose bands sit at like places blend into bands at like places, so that the fit of a blend
(`semeq.engine.meaning`) has little way to go and no reason to hop. It costs words 0.1 dB.
"""

import numpy as np

from semeq.engine.fit import bounds, refine, to_parameters, to_settings
from semeq.engine.responses import prototypes_db
from semeq.engine.settings import LAYOUT, SHELF_Q, EQSettings
from semeq.engine.units import Floats

#: Short of the 12 dB that recipes may reach: a word at weight 1 leaves some room before it is held back, and
#: bands that work against each other at full strength are no good fit at any rate.
GAIN_LIMIT_DB = 11.0
#: Where the bands like to be, and how much their distance from there costs beside the mean squared
#: error in dB²: per dB² of gain, per (ln f)², per (ln q)².
LAYOUT_HZ = (150.0, 300.0, 700.0, 1400.0, 2800.0, 5600.0, 11_000.0)
LAYOUT_Q = 1.0
ANCHOR = (5e-5, 0.1, 0.1)
#: A word that is missed by more than this (dB rms) is fitted again on a longer line.
HARD_DB, LOOSE = 0.4, 0.1
#: Coarse steps from every start, then fine steps from the best of them.
COARSE, FINE = 28, 60
COARSE_DAMPING = (1e-3, 2e-2, 2e-2)
FINE_DAMPING = (1e-4, 2e-3, 2e-3)
#: A start on the watershed between two optima would make one rounding error of one processor decide.
#: Rounding the parameters to seven decimals as often as this keeps such errors from growing.
STEPS_BETWEEN_ROUNDINGS = 4
#: Words fitted together: their slopes then stay in the processor's cache.
CHUNK = 64
#: How much cheaper (dB²) a start must come to replace an earlier one: no choice hangs on rounding.
BETTER = 1e-3

#: Centre frequencies (Hz) and peak q of other starts.
STARTS = (
    ((80.0, 110.0, 300.0, 800.0, 2200.0, 6000.0, 10_000.0), 1.0),
    ((60.0, 200.0, 500.0, 1200.0, 3000.0, 8000.0, 13_000.0), 2.0),
    ((300.0, 100.0, 600.0, 1500.0, 4000.0, 9000.0, 3000.0), 0.7),
    ((100.0, 300.0, 800.0, 2000.0, 5000.0, 12_000.0, 16_000.0), 1.5),
    ((60.0, 100.0, 250.0, 3000.0, 8000.0, 14_000.0, 18_000.0), 1.0),
)


def rms_db(residuals: Floats) -> Floats:
    """Return the root mean square over the last axis."""
    rms: Floats = np.sqrt(np.mean(np.square(residuals), axis=-1))
    return rms


def _laid_out(curves: Floats, freqs_hz: Floats, centres: tuple[float, ...], q: float) -> Floats:
    start = np.empty((len(curves), len(LAYOUT), 3))
    at = np.log(freqs_hz)
    for k, centre in enumerate(centres):
        start[:, k, 0] = [0.5 * np.interp(np.log(centre), at, curve) for curve in curves]
        start[:, k, 1] = np.log(centre)
    start[:, :, 2] = np.log(q)
    start[:, [0, -1], 2] = np.log(SHELF_Q)
    return start


def _read_off(curves: Floats, freqs_hz: Floats, q: float) -> Floats:
    """Place the shelves at the ends and each peak at the largest deviation that is left."""
    start = np.empty((len(curves), len(LAYOUT), 3))
    octaves = np.log2(freqs_hz)
    for row, curve in zip(start, curves, strict=True):
        left = curve.copy()
        peaks = []
        for _ in LAYOUT[1:-1]:
            at = int(np.argmax(np.abs(left[2:-2]))) + 2
            gain = left[at]
            peaks.append((gain, np.log(freqs_hz[at]), np.log(q)))
            left -= gain * np.exp(-(((octaves - octaves[at]) * q / 0.8) ** 2))
        row[1:-1] = sorted(peaks, key=lambda peak: peak[1])
        row[0] = (left[0], np.log(60.0), np.log(SHELF_Q))
        row[-1] = (left[-1], np.log(11_000.0), np.log(SHELF_Q))
    return start


def _starts(curves: Floats, freqs_hz: Floats) -> list[Floats]:
    layouts = ((LAYOUT_HZ, LAYOUT_Q), *STARTS)
    laid_out = [_laid_out(curves, freqs_hz, centres, q) for centres, q in layouts]
    return laid_out + [_read_off(curves, freqs_hz, q) for q in (0.7, 1.2, 2.5)]


def _search(curves: Floats, freqs_hz: Floats, line: float) -> Floats:
    """Return the best parameters, shape ``(words, 7, 3)``, the anchor's cost times `line`."""
    limits = bounds(None, GAIN_LIMIT_DB)
    gain_cost, freq_cost, q_cost = ANCHOR
    anchor = (gain_cost, freq_cost * line, q_cost * line)
    rest = _laid_out(np.zeros((1, len(freqs_hz))), freqs_hz, LAYOUT_HZ, LAYOUT_Q)[0]

    def descend(start: Floats, steps: int, damping: tuple[float, float, float]) -> Floats:
        parameters = np.clip(start, *limits)
        for _ in range(steps // STEPS_BETWEEN_ROUNDINGS):
            parameters = refine(
                parameters,
                curves,
                freqs_hz,
                limits=limits,
                iterations=STEPS_BETWEEN_ROUNDINGS,
                damping=damping,
                anchor=anchor,
                rest=rest,
            )
            parameters = np.round(parameters, 7)
        return parameters

    best = np.empty((len(curves), len(LAYOUT), 3))
    lowest = np.full(len(curves), np.inf)
    for start in _starts(curves, freqs_hz):
        parameters = descend(start, COARSE, COARSE_DAMPING)
        error = prototypes_db(parameters, freqs_hz)[0] - curves
        away = (np.array(anchor) * (parameters - rest) ** 2).sum(axis=(-1, -2))
        cost = away + np.mean(error**2, axis=-1)
        better = cost < lowest - BETTER
        best[better], lowest[better] = parameters[better], cost[better]
    return descend(best, FINE, FINE_DAMPING)


def _rounded(parameters: Floats) -> EQSettings:
    """Return settings as they are written: peaks in ascending order, four digits of frequency."""
    peaks = sorted(range(1, len(LAYOUT) - 1), key=lambda k: parameters[k, 1])
    ordered = parameters[[0, *peaks, len(LAYOUT) - 1]]
    ordered[:, 0] = np.round(ordered[:, 0], 2) + 0.0
    ordered[:, 1] = np.log([float(f"{np.exp(ln_f):.4g}") for ln_f in ordered[:, 1]])
    ordered[:, 2] = np.log([float(f"{np.exp(ln_q):.3g}") for ln_q in ordered[:, 2]])
    return to_settings(ordered)


def _best(curves: Floats, freqs_hz: Floats) -> Floats:
    best = _search(curves, freqs_hz, 1.0)
    missed = rms_db(prototypes_db(best, freqs_hz)[0] - curves)
    hard = np.flatnonzero(missed > HARD_DB)
    again = _search(curves[hard], freqs_hz, LOOSE)
    found = rms_db(prototypes_db(again, freqs_hz)[0] - curves[hard])
    better = found < missed[hard] - HARD_DB / 10.0
    best[hard[better]] = again[better]
    return best


def fit_curves(curves: Floats, freqs_hz: Floats) -> tuple[list[EQSettings], Floats]:
    """Return the bands whose prototypes follow each curve, and how far off they are.

    Parameters
    ----------
    curves : Floats
        Level-removed curves in dB, shape ``(words, n)``.
    freqs_hz : Floats
        Their grid, shape ``(n,)``.

    Returns
    -------
    tuple
        Settings, values rounded as they are written, and the rms distance in dB, shape ``(words,)``.
    """
    chunks = [curves[k : k + CHUNK] for k in range(0, len(curves), CHUNK)]
    best = np.concatenate([_best(chunk, freqs_hz) for chunk in chunks])
    settings = [_rounded(parameters) for parameters in best]
    written = np.array([to_parameters(s) for s in settings])
    return settings, rms_db(prototypes_db(written, freqs_hz)[0] - curves)
