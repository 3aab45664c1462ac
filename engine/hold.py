"""The hold: what an adaptive move has to do to the band that its words are about, whatever was heard.

The direction of a word (`semeq.engine.directions`) is a band whose share of the whole it wants to rise or
fall. The effect of a move ``e`` on music of power ``P`` is how much it raises the band against the rest::

    q(e) = sign (10 lg Σ_in P 10^(e / 10) / Σ_out P 10^(e / 10)  -  10 lg Σ_in P / Σ_out P)

and every move has to satisfy ``q(e) >= max(HOLD q(words' own move), least)``. One that does not is given
as much of a smooth step over the band as it takes. In a blend, effects and steps are summed, weighed as
the words are.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Self

import numpy as np

from semeq.engine.balance import TOP_HZ
from semeq.engine.compiled import is_at_hand
from semeq.engine.directions import BOTTOM_HZ, Direction, direction_of
from semeq.engine.units import Floats

#: Least part of what the words' own move does to their band.
HOLD = 0.2
#: The step that holds a move is no higher than this (dB), found by so many halvings.
STEP_LIMIT_DB, HALVINGS = 40.0, 20
#: How soon the step rises at the edges of the band: width in octaves.
EDGE_OCTAVES = 0.25


class Aim:
    """Where a wish must show: the directions of its words, weighed as they are asked for.

    Parameters
    ----------
    inside, outside : Floats
        Shares of each grid point that lie in the words' bands and out of them, shape ``(k, n)``.
    steps_db : Floats
        A smooth step of 1 dB over each band, shape ``(k, n)``.
    weights : Floats
        Weights that sum to 1 in size, sign of the direction included, shape ``(k,)``; a negative one wants
        the reverse.
    """

    def __init__(self, inside: Floats, outside: Floats, steps_db: Floats, weights: Floats) -> None:
        self.inside, self.outside, self.weights = inside, outside, weights
        self.step_db: Floats = (weights[:, None] * steps_db).sum(axis=0)

    def contrast_db(self, power: Floats) -> Floats:
        """Return by how much the bands stand out in music of this power, ``(..., 1)``."""
        contrast = np.zeros((*power.shape[:-1], 1))
        for weight, inside, outside in zip(self.weights, self.inside, self.outside, strict=True):
            contrast += weight * (10.0 * np.log10((power @ inside) / (power @ outside)))[..., None]
        return contrast


def _as_bytes(values: Floats) -> bytes:
    return np.ascontiguousarray(values, dtype=np.float64).tobytes()


@lru_cache(maxsize=256)
def _shapes(directions: tuple[Direction, ...], grid: bytes) -> tuple[Floats, Floats, Floats]:
    """Return the shares inside and outside of bands, and their steps, on a grid; no share is ever nothing."""
    freqs_hz = np.frombuffer(grid)
    inside = np.array([_share_inside(freqs_hz, d.low_hz, d.high_hz) for d in directions])
    # Half of a point at the bottom is below all that is heard: neither in the band nor out of it.
    outside = _share_inside(freqs_hz, BOTTOM_HZ, np.inf) - inside
    steps_db = np.array([_step(freqs_hz, direction) for direction in directions])
    # not made read-only: to a kernel that is another type, and it would be compiled again
    return np.maximum(inside, 1e-9), np.maximum(outside, 1e-9), steps_db


def _share_inside(freqs_hz: Floats, low_hz: float, high_hz: float) -> Floats:
    """Return the share of each grid point's stretch that lies between two frequencies."""
    at = np.log2(freqs_hz)
    half = 0.5 * float(at[1] - at[0])
    covered = np.minimum(at + half, np.log2(high_hz)) - np.maximum(at - half, np.log2(low_hz))
    share: Floats = np.clip(covered / (2.0 * half), 0.0, 1.0)
    return share


def _step(freqs_hz: Floats, direction: Direction) -> Floats:
    """Return a smooth step of 1 dB over the band; an end of the spectrum is no edge."""
    at = np.log2(freqs_hz)
    step = np.ones(len(freqs_hz))
    if direction.low_hz > BOTTOM_HZ:
        step /= 1.0 + np.exp((np.log2(direction.low_hz) - at) * (4.0 / EDGE_OCTAVES))
    if direction.high_hz < TOP_HZ:
        step /= 1.0 + np.exp((at - np.log2(direction.high_hz)) * (4.0 / EDGE_OCTAVES))
    return step


@lru_cache(maxsize=256)
def _direction(word: str, curve: bytes, grid: bytes) -> Direction:
    return direction_of(word, np.frombuffer(curve), np.frombuffer(grid))


def aim_of(words: Sequence[tuple[str, float, Floats]], freqs_hz: Floats) -> Aim:
    """Return where a wish must show.

    Parameters
    ----------
    words : sequence of (str, float, Floats)
        Name, weight and typical curve ``(n,)`` in dB of each word.
    freqs_hz : Floats
        The grid of curves, shape ``(n,)``.
    """
    grid = _as_bytes(freqs_hz)
    directions = tuple(_direction(name, _as_bytes(curve), grid) for name, _, curve in words)
    whole = sum(abs(weight) for _, weight, _ in words) or 1.0
    weights = [d.sign * w / whole for d, (_, w, _) in zip(directions, words, strict=True)]
    return Aim(*_shapes(directions, grid), np.array(weights))


class Hold:
    """What moves on some music have to do, and what they lack.

    Parameters
    ----------
    aim : Aim
        Where the words must show.
    power : Floats
        Of the music, shape ``(..., n)``.
    least_contrast_db : Floats
        How much the words' bands have to stand out after a move, shape ``(..., 1)``.
    """

    def __init__(self, aim: Aim, power: Floats, least_contrast_db: Floats) -> None:
        self.aim, self.power, self.least_contrast_db = aim, power, least_contrast_db
        # One piece of music is what a knob waits for.
        self._is_compiled = power.ndim == 1 and is_at_hand()

    @classmethod
    def on(
        cls,
        aim: Aim,
        words_db: Floats,
        spectrum_db: Floats,
        *,
        least_db: float,
        hold: float = HOLD,
    ) -> Self:
        """Return the hold of some words on some music.

        Parameters
        ----------
        aim : Aim
            Where the words must show.
        words_db : Floats
            The words' own move in dB at the amount asked for, shape ``(..., n)``.
        spectrum_db : Floats
            The music's long-term spectrum (dB, pink noise flat), shape ``(..., n)``.
        least_db : float
            Least effect in dB.
        hold : float
            Least effect as a part of the words' own, in [0, 1].
        """
        power = 10.0 ** ((spectrum_db - spectrum_db.max(axis=-1, keepdims=True)) / 10.0)
        # Of the music as it is: every effect is counted from here.
        rest_db = aim.contrast_db(power)
        effect_db = aim.contrast_db(power * 10.0 ** (words_db / 10.0)) - rest_db
        return cls(aim, power, rest_db + np.maximum(hold * effect_db, least_db))

    def lacks_db(self, move_db: Floats) -> Floats:
        """Return how much the effect of a move is too small, in dB, shape ``(..., 1)``; 0 or less: none."""
        if self._is_compiled and move_db.ndim == 1:
            from semeq.engine.hold_kernel import contrast_db

            aim = self.aim
            # a copy: of one type, whatever came
            moved = np.array(move_db, dtype=np.float64)
            contrast = contrast_db(self.power, moved, aim.weights, aim.inside, aim.outside)
            return self.least_contrast_db - contrast
        return self.least_contrast_db - self.aim.contrast_db(self.power * 10.0 ** (move_db / 10.0))

    def held(self, move_db: Floats) -> Floats:
        """Return a move that lacks nothing, shape ``(..., n)``; its level is arbitrary."""
        missing = self.lacks_db(move_db) > 0.0
        if not missing.any():
            return move_db
        low = np.zeros(missing.shape)
        high = np.full(missing.shape, STEP_LIMIT_DB)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            enough = self.lacks_db(move_db + middle * self.aim.step_db) <= 0.0
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return self.raised(move_db, np.where(missing, high, 0.0))

    def raised(self, move_db: Floats, by_db: Floats) -> Floats:
        """Return a move with so much more of the step over the band; `by_db` is ``(..., 1)``."""
        raised: Floats = move_db + by_db * self.aim.step_db
        return raised
