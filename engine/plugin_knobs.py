"""The knobs of an equaliser plugin that a map lets us turn: places in [0, 1] on the plugin's own scales."""

from dataclasses import dataclass

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.plugin_guest import Guest
from semeq.engine.plugin_map import PluginMap
from semeq.engine.plugin_values import ParameterFacts, find_name
from semeq.engine.units import Floats


@dataclass(frozen=True, slots=True)
class Knob:
    """One parameter that may be turned: a place in [0, 1] becomes a value, and that a raw value."""

    name: str
    role: str
    band: int
    low: float
    high: float
    values: Floats
    raws: Floats

    def value(self, place: float) -> float:
        """Return the value at a place, in the plugin's unit."""
        place = min(max(place, 0.0), 1.0)
        if self.role == "gain" or self.low <= 0.0:
            return self.low + place * (self.high - self.low)
        return float(self.low * (self.high / self.low) ** place)

    def place(self, value: float) -> float:
        """Return where a value is."""
        value = min(max(value, self.low), self.high)
        if self.role == "gain" or self.low <= 0.0:
            return (value - self.low) / (self.high - self.low)
        return float(np.log(value / self.low) / np.log(self.high / self.low))

    @property
    def rising(self) -> tuple[Floats, Floats]:
        """Raw values that rise, and their values."""
        order = np.argsort(self.raws)
        return self.raws[order], self.values[order]

    def raw(self, place: float) -> float:
        """Return the raw value at a place."""
        return float(np.interp(self.value(place), self.values, self.raws))


def knobs_of(guest: Guest, given: PluginMap) -> list[Knob]:
    """Return the knobs of a map, with the plugin's own scales.

    Raises
    ------
    SettingsError
        If the plugin has no such parameter, it is no number, or a range is not in its own.
    """
    known = guest.parameters()
    facts: dict[str, ParameterFacts] = {found.name: found for found in known}
    knobs = []
    for number, band in enumerate(given.bands, 1):
        for role, wanted in band.roles():
            name = find_name(wanted, known, guest.name)
            scale = guest.scale(name)
            if scale is None:
                raise SettingsError(
                    f"{name} of {guest.name} must show numbers that rise or fall, to be turned by words"
                )
            values, raws = np.array(scale[0]), np.array(scale[1])
            low, high = band.ranges.get(role, (float(values[0]), float(values[-1])))
            slack = 1e-6 * (values[-1] - values[0])
            if low < values[0] - slack or high > values[-1] + slack:
                raise SettingsError(
                    f"band {number}: {role}_range must be within {facts[name].range_text}, got "
                    f"{low:g} to {high:g}"
                )
            if role != "gain" and low <= 0.0 < high:
                low = max(float(values[1]), 1e-3 * high)  # a logarithm has no zero
            knobs.append(Knob(name, role, number - 1, low, high, values, raws))
    return knobs
