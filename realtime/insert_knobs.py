"""The parameters of live plugins that have a knob: found by name, and turned in shares of their range.

A share is what the plugin keeps itself, a number in [0, 1]; in its unit it is shown, and the ends of a
controller's range are given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.plugin_values import ParameterFacts, find_name
from semeq.engine.units import Floats
from semeq.presets.midi_bindings import Binding, TakeOver
from semeq.realtime.insert_kept import Kept


@dataclass(frozen=True, slots=True, eq=False)
class PluginKnob:
    """One parameter of a plugin that runs.

    Parameters
    ----------
    target : str
        Number of the insert and name of the parameter: ``1.gain_db``.
    row, index : int
        Where it stands in `semeq.realtime.insert_ring.Ring.turned`.
    plugin : str
        What the plugin calls itself.
    facts : ParameterFacts
        What it was when it was loaded.
    values, shares : Floats
        Rising values in its unit and what share belongs to each; empty where it shows no such numbers.
    """

    target: str
    row: int
    index: int
    plugin: str
    facts: ParameterFacts
    values: Floats
    shares: Floats

    @property
    def is_switch(self) -> bool:
        """Whether it is either on or off."""
        return len(self.facts.choices) == 2

    def share(self, value: float) -> float:
        """Return the share that stands for a value in the plugin's unit.

        Raises
        ------
        SettingsError
            If it has no such value, or shows no numbers.
        """
        if not self.values.size:
            raise SettingsError(
                f"{self.facts.name} of {self.plugin} shows no numbers: leave min and max out"
            )
        if not self.values[0] <= value <= self.values[-1]:
            raise SettingsError(
                f"min and max of {self.facts.name} must be in {self.facts.range_text}, got {value:g}"
            )
        return float(np.interp(value, self.values, self.shares))

    def value(self, share: float) -> float | str:
        """Return what a share stands for, in the plugin's unit."""
        if self.values.size:
            order = np.argsort(self.shares)
            return float(np.interp(share, self.shares[order], self.values[order]))
        if self.facts.choices:
            last = len(self.facts.choices) - 1
            return self.facts.choices[round(share * last)]
        return share

    def text(self, share: float) -> str:
        """Return the same for people."""
        value = self.value(share)
        return f"{value:.4g} {self.facts.unit}".strip() if isinstance(value, float) else value

    def bound(self, binding: Binding) -> Binding:
        """Return a binding of this parameter with its range in shares.

        Raises
        ------
        SettingsError
            If its range is not in the parameter's.
        """
        low = 0.0 if binding.low is None else self.share(binding.low)
        high = 1.0 if binding.high is None else self.share(binding.high)
        if low == high:
            raise SettingsError(f"min and max of {self.facts.name} must differ, got {low:g} twice")
        return replace(
            binding,
            param=self.target,
            low=low,
            high=high,
            step=(high - low) / 100.0 if binding.step is None else binding.step,
            takeover=TakeOver.JUMP if self.is_switch else binding.takeover,
        )


def knob_of(kept: Kept, row: int, wanted: str) -> PluginKnob:
    """Return the knob of a parameter by its name or label.

    Raises
    ------
    SettingsError
        If the plugin is not there, or has no such parameter.
    """
    listed: list[dict[str, Any]] = kept.facts.get("parameters", [])
    if kept.is_out or not listed:
        raise SettingsError(f"insert {kept.number} ({kept.name}) is left out")
    known = [ParameterFacts.of_dict(entry) for entry in listed]
    name = find_name(wanted, known, kept.name)
    index = next(at for at, facts in enumerate(known) if facts.name == name)
    scales: Mapping[str, tuple[list[float], list[float]]] = kept.facts.get("scales", {})
    values, shares = scales.get(name) or ([], [])
    return PluginKnob(
        f"{kept.number}.{name}",
        row,
        index,
        kept.name,
        known[index],
        np.array(values),
        np.array(shares),
    )
