"""The parameters of a hosted plugin: what they are, and values in their own units.

A plugin keeps each parameter as a number between 0 and 1 (`raw`) and shows it as text (``-6.0 dB``). Values
are turned into raw ones through the text it shows for many raw values, so that curved scales come out right.
Setting an attribute of Pedalboard's plugin instead snaps to a thousandth of the range: 0.08 dB for a gain.
"""

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.units import Floats

STEPS = 513
_NUMBER = re.compile(
    r"\s*([-+−]?)\s*(\d+(?:\.\d*)?|\.\d+|inf)(e[-+]?\d+)?\s*(k(?![a-z])|khz)?", re.I
)
_YES, _NO = ("on", "true", "yes", "1"), ("off", "false", "no", "0")


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """One parameter as it stands.

    Parameters
    ----------
    name : str
        What it is called here: lower case, with the unit (``gain_db``).
    label : str
        What the plugin calls it (``Gain``).
    unit : str
        As the plugin says; empty where it says nothing.
    low, high : float or None
        The range in `unit`; None for switches and choices.
    value : float, str or bool
        What it is now.
    raw : float
        The same in [0, 1].
    choices : tuple of str
        The possible values of what is no number.
    """

    name: str
    label: str
    unit: str
    low: float | None
    high: float | None
    value: float | str | bool
    raw: float
    choices: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "choices": list(self.choices)}

    @classmethod
    def of_dict(cls, given: Mapping[str, Any]) -> "ParameterFacts":
        """Return what `as_dict` gave."""
        return cls(**{**given, "choices": tuple(given["choices"])})

    @property
    def range_text(self) -> str:
        """The range, or the choices, in words."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g} {self.unit}".strip()
        return ", ".join(self.choices)


def number_in(text: str) -> float | None:
    """Return the number that a text begins with, or None.

    >>> number_in("-6.5 dB"), number_in("1.2 kHz"), number_in("Bell")
    (-6.5, 1200.0, None)
    """
    found = _NUMBER.match(text)
    if found is None:
        return None
    sign, digits, power, thousand = found.groups()
    value = float(digits + (power or "")) * (1000.0 if thousand else 1.0)
    return -value if sign in ("-", "−") else value


def facts_of(name: str, parameter: Any) -> ParameterFacts:  # noqa: ANN401 - Pedalboard's, untyped
    """Return what there is to know of Pedalboard's `parameter`."""
    kind = parameter.type
    unit = parameter.label or ""
    raw = float(parameter.raw_value)
    if kind is float:
        low, high = float(parameter.min_value), float(parameter.max_value)
        shown = number_in(str(parameter.string_value))
        value: float | str | bool = low + raw * (high - low) if shown is None else shown
        return ParameterFacts(name, parameter.name, unit, low, high, value, raw)
    if kind is bool:
        return ParameterFacts(
            name, parameter.name, unit, None, None, raw >= 0.5, raw, ("off", "on")
        )
    choices = tuple(str(choice) for choice in parameter.valid_values)
    return ParameterFacts(
        name, parameter.name, unit, None, None, str(parameter.string_value), raw, choices
    )


def scale_of(parameter: Any) -> tuple[Floats, Floats] | None:  # noqa: ANN401
    """Return rising values in the parameter's unit and the raw values they belong to, or None.

    Returns
    -------
    values, raws : arrays of float
        Of one length; for `numpy.interp`. None where what it shows is not a number that only rises or falls.
    """
    raws = np.linspace(0.0, 1.0, STEPS)
    shown = [number_in(str(parameter.get_text_for_raw_value(float(raw)))) for raw in raws]
    if any(value is None or not math.isfinite(value) for value in shown[1:-1]):
        return None
    # the ends may be called "-inf" or "off"
    keep = [at for at, value in enumerate(shown) if value is not None and math.isfinite(value)]
    values, raws = np.array([shown[at] for at in keep], dtype=float), raws[keep]
    steps = np.diff(values)
    if not steps.any() or ((steps < 0).any() and (steps > 0).any()):
        return None
    if values[0] > values[-1]:
        values, raws = values[::-1], raws[::-1]
    first = np.concatenate(([True], np.diff(values) > 0))  # the shown text may repeat
    return values[first], raws[first]


def raw_for(name: str, parameter: Any, wanted: float | str | bool) -> float:  # noqa: ANN401
    """Return the raw value of `parameter` that stands for `wanted`.

    Raises
    ------
    SettingsError
        If it has no such value.
    """
    facts = facts_of(name, parameter)
    text = str(wanted).strip()
    folded = text.casefold()
    if folded in _YES + _NO and (parameter.type is bool or len(parameter.valid_values) == 2):
        return float(folded in _YES)
    if facts.low is not None and facts.high is not None:
        value = number_in(text)
        if value is None or not (facts.low <= value <= facts.high):
            raise SettingsError(f"{name} must be in {facts.range_text}, got {text!r}")
        scale = scale_of(parameter)
        if scale is None:
            return float(parameter.get_raw_value_for(value))
        return float(np.interp(value, *scale))
    for choice in facts.choices:
        if choice.casefold() == folded:
            return float(parameter.get_raw_value_for(choice))
    raise SettingsError(f"{name} must be one of {facts.range_text}, got {text!r}")


def find_name(wanted: str, parameters: Iterable[ParameterFacts], plugin: str) -> str:
    """Return the name of the parameter that `wanted` means: its name here, or the plugin's own label.

    Raises
    ------
    SettingsError
        If there is none, or more than one.
    """
    folded = wanted.strip().casefold()
    known = list(parameters)
    for attribute in ("name", "label"):
        found = [facts.name for facts in known if getattr(facts, attribute).casefold() == folded]
        if len(found) == 1:
            return found[0]
    names = [facts.name for facts in known]
    near = difflib.get_close_matches(folded, names, 3, 0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(names[:12])}"
    raise SettingsError(f"{plugin} has no parameter {wanted!r}: {hint}")
