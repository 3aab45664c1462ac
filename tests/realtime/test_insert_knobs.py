"""Knobs of plugins: names, units and ranges, without a plugin."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semeq.engine.errors import SettingsError
from semeq.engine.inserts import Insert
from semeq.engine.plugin_values import ParameterFacts
from semeq.presets.midi_bindings import Binding, Control, Encoding, MidiMap, TakeOver
from semeq.realtime.control import AddParameters, ControlState, Set, Step, apply
from semeq.realtime.insert_kept import Kept
from semeq.realtime.insert_knobs import knob_of
from semeq.realtime.midi import ControlChange
from semeq.realtime.midi_desk import Mapper

FREQ = ParameterFacts("freq_hz", "Freq", "Hz", 20.0, 20_000.0, 200.0, 1.0 / 3.0)
MODE = ParameterFacts("mode", "Mode", "", None, None, "hall", 0.5, ("room", "hall", "plate"))
POWER = ParameterFacts("power", "Power", "", None, None, True, 1.0, ("off", "on"))


def kept() -> Kept:
    shares = np.linspace(0.0, 1.0, 301)
    facts = {
        "parameters": [entry.as_dict() for entry in (FREQ, MODE, POWER)],
        "scales": {"freq_hz": [(20.0 * 1000.0**shares).tolist(), shares.tolist()], "mode": None},
    }
    return Kept(3, Insert(Path("eq.vst3")), "EQ", facts=facts)


def test_a_knob_speaks_the_plugins_unit() -> None:
    knob = knob_of(kept(), 1, "Freq")
    assert (knob.target, knob.row, knob.index) == ("3.freq_hz", 1, 0)
    assert knob.share(200.0) == pytest.approx(1.0 / 3.0, abs=1e-4)
    assert knob.value(knob.share(1234.0)) == pytest.approx(1234.0, rel=1e-4)
    assert knob.text(0.0) == "20 Hz"
    assert knob_of(kept(), 1, "mode").text(0.9) == "plate"


def test_a_controller_moves_on_the_plugins_own_scale() -> None:
    binding = Binding(20, Control.PARAMETER, param="eq.freq", low=20_000.0, high=200.0)
    bound = knob_of(kept(), 0, "freq_hz").bound(binding)
    assert (bound.param, bound.low) == ("3.freq_hz", 1.0)
    assert bound.high == pytest.approx(1.0 / 3.0, abs=1e-4)
    assert bound.step == pytest.approx(-2.0 / 300.0, abs=1e-6)
    switch = knob_of(kept(), 0, "power").bound(replace(binding, low=None, high=None))
    assert switch.takeover is TakeOver.JUMP


@pytest.mark.parametrize(
    ("name", "low", "message"),
    [
        ("freq_hz", 5.0, "min and max of freq_hz must be in 20 to 20000 Hz, got 5"),
        ("mode", 5.0, "mode of EQ shows no numbers: leave min and max out"),
        ("frq", None, "EQ has no parameter 'frq': did you mean freq_hz?"),
    ],
)
def test_what_cannot_be_bound(name: str, low: float | None, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        knob_of(kept(), 0, name).bound(Binding(20, Control.PARAMETER, param="eq.x", low=low))


def test_a_plugin_that_is_left_out_has_no_knobs() -> None:
    gone = kept()
    gone.is_out = True
    with pytest.raises(SettingsError, match=r"insert 3 \(EQ\) is left out"):
        knob_of(gone, 0, "freq_hz")


def test_a_parameter_is_turned_with_take_over_in_steps_and_to_its_middle() -> None:
    state = apply(ControlState(), AddParameters((("3.mode", 0.5), ("3.freq_hz", 0.2))))
    assert apply(state, AddParameters((("3.mode", 0.9),))) is state
    knob = knob_of(kept(), 0, "freq_hz")
    endless = Binding(21, Control.PARAMETER, param="eq.freq_hz", encoding=Encoding.TWOS)
    bindings = (Binding(20, Control.PARAMETER, param="eq.freq_hz"), endless)
    unknown = Binding(22, Control.PARAMETER, param="eq.none")

    def find(binding: Binding) -> Binding:
        if binding.param == "eq.none":
            raise SettingsError("EQ has no such thing")
        return knob.bound(binding)

    mapper = Mapper(MidiMap("mine", (*bindings, unknown)), find=find)
    assert mapper.warnings == ("MIDI map mine: EQ has no such thing: this knob does nothing",)
    assert mapper.feed(ControlChange(1, 20, 127), state) == []  # not where the value is
    (caught,) = mapper.feed(ControlChange(1, 20, 0), state)
    assert caught == Set(Control.PARAMETER, 0.0, "3.freq_hz")
    (middle,) = mapper.feed(ControlChange(1, 20, 64), apply(state, caught))
    assert apply(state, middle).parameters == (("3.mode", 0.5), ("3.freq_hz", 0.5))
    (step,) = mapper.feed(ControlChange(1, 21, 127), state)
    assert isinstance(step, Step)
    assert apply(state, step).value(Control.PARAMETER, "3.freq_hz") == pytest.approx(0.19)
