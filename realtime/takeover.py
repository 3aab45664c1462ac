"""Soft take-over: what a knob may do while it does not stand where the value is.

A value moves without its knob when keys, a preset or a second controller change it; a knob starts out
unknown. ``pickup``: the knob does nothing until it reaches or passes the value. ``scale``: the value
moves at once, in the knob's direction, at the rate that brings both to the same end together.
``jump``: the value goes where the knob is.

All positions here are *values*: what the knob would set, in the units of the control.
"""

import math
from dataclasses import dataclass

from semeq.presets.midi_bindings import TakeOver


@dataclass(frozen=True, slots=True)
class Grip:
    """What is known about one knob.

    Parameters
    ----------
    knob : float or None
        The value under the knob when it last moved; None before it has.
    held : float or None
        The value it then set; None when it has no hold.
    """

    knob: float | None = None
    held: float | None = None


def take(
    grip: Grip,
    knob: float,
    current: float,
    *,
    mode: TakeOver,
    span: tuple[float, float],
    window: float,
) -> tuple[Grip, float | None]:
    """Return the knob's new grip and the value to set, or None when it must wait.

    Parameters
    ----------
    grip : Grip
        What was known before.
    knob : float
        The value under the knob now, within `span`.
    current : float
        What the control stands at, whoever put it there; it may lie outside `span`.
    mode : TakeOver
        The rule.
    span : tuple of float
        Lower and upper end of the knob's range.
    window : float
        How near counts as reached: about one step of the knob.

    Notes
    -----
    At its end stop a knob has reached every value beyond it, which it could never pass.
    """
    low, high = span
    if mode is TakeOver.JUMP:
        return Grip(knob, knob), knob
    same = 1e-9 * (high - low)
    before = grip.knob
    has_hold = grip.held is not None and math.isclose(grip.held, current, abs_tol=same)
    if mode is TakeOver.SCALE:
        if before is None:
            caught = abs(knob - current) <= window
            return Grip(knob, knob if caught else None), knob if caught else None
        if knob == before:
            return grip, None  # it did not move: nobody else's value is touched
        if math.isclose(before, current, abs_tol=same):
            return Grip(knob, knob), knob  # both in the same place: exact from here on
        value = _scaled(before, knob, min(max(current, low), high), low, high)
        return Grip(knob, value), value
    passed = before is not None and min(before, knob) <= current <= max(before, knob)
    at_stop = (knob >= high and current > high) or (knob <= low and current < low)
    if has_hold or passed or at_stop or abs(knob - current) <= window:
        return Grip(knob, knob), knob
    return Grip(knob, None), None


def _scaled(before: float, knob: float, current: float, low: float, high: float) -> float:
    """Return the value that keeps the shares of way left to the end where the knob is going."""
    if knob > before:
        return high - (high - current) * ((high - knob) / (high - before))
    return low + (current - low) * ((knob - low) / (before - low))
