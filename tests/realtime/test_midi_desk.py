import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.presets.midi_bindings import (
    Binding,
    Control,
    Curve,
    Encoding,
    MidiMap,
    Press,
    TakeOver,
)
from semeq.presets.midi_maps import load_map
from semeq.realtime.control import Bypass, ControlState, Freeze, Reset, Set, Step
from semeq.realtime.desk import Desk
from semeq.realtime.midi import HOLD_S, TOP7, TOP14, ControlChange
from semeq.realtime.midi_desk import Mapper, MidiDesk, knob_value

WARM = Binding(20, Control.WORD, "warm", takeover=TakeOver.JUMP)


def mapper(*bindings: Binding) -> Mapper:
    return Mapper(MidiMap("test", bindings))


def cc(number: int, value: int, channel: int = 1, at_s: float = 0.0) -> ControlChange:
    return ControlChange(channel, number, value, at_s)


# -------------------------------------------------------------------------------------- knob laws


@pytest.mark.parametrize(("raw", "top"), [(64, TOP7), (8192, TOP14)])
def test_the_usual_centre_of_a_symmetric_range_is_zero(raw: int, top: int) -> None:
    for curve in Curve:
        binding = Binding(20, Control.WORD, "warm", low=-2.0, high=2.0, curve=curve)
        assert knob_value(binding, raw, top) == 0.0
        assert knob_value(binding, raw + 1, top) > 0.0 > knob_value(binding, raw - 1, top)


bindings = st.builds(
    Binding,
    st.just(20),
    st.just(Control.WORD),
    st.just("warm"),
    low=st.sampled_from([-4.0, -1.0, -0.5, 0.0, 0.25, 3.0]),
    high=st.sampled_from([-3.5, -0.75, 1.0, 2.0, 4.0]),
    curve=st.sampled_from(list(Curve)),
)


@given(binding=bindings, top=st.sampled_from([TOP7, TOP14]))
def test_a_law_goes_from_end_to_end_without_turning_back(binding: Binding, top: int) -> None:
    assert binding.low is not None
    assert binding.high is not None
    values = [knob_value(binding, raw, top) for raw in range(0, top + 1, max(top // 127, 1))]
    assert knob_value(binding, 0, top) == pytest.approx(binding.low, abs=1e-12)
    assert knob_value(binding, top, top) == pytest.approx(binding.high, abs=1e-12)
    sign = 1.0 if binding.high > binding.low else -1.0
    assert all((b - a) * sign >= -1e-12 for a, b in itertools.pairwise(values))


def test_a_detent_is_zero_and_has_no_step_at_its_edge() -> None:
    binding = Binding(20, Control.WORD, "warm", detent=0.1)
    values = [knob_value(binding, raw, TOP14) for raw in range(TOP14 + 1)]
    still = [raw for raw, value in enumerate(values) if value == 0.0]
    assert len(still) == pytest.approx(0.1 * TOP14, rel=0.01)
    assert still == list(range(still[0], still[-1] + 1))
    assert max(abs(b - a) for a, b in itertools.pairwise(values)) < 2.5 / TOP14
    assert (values[0], values[-1]) == (-1.0, 1.0)


def test_curves_leave_more_room_near_zero() -> None:
    at_half = {
        curve: knob_value(Binding(30, Control.AMOUNT, curve=curve), 8192, TOP14) for curve in Curve
    }
    assert at_half[Curve.LINEAR] == pytest.approx(0.5, abs=1e-4)
    assert at_half[Curve.SQUARE] == pytest.approx(0.25, abs=1e-4)
    assert at_half[Curve.CUBIC] == pytest.approx(0.125, abs=1e-4)
    assert at_half[Curve.ROOT] == pytest.approx(0.5**0.5, abs=1e-4)


def test_min_above_max_turns_the_knob_round() -> None:
    binding = Binding(30, Control.AMOUNT, low=1.0, high=0.0)
    assert [knob_value(binding, raw, TOP7) for raw in (0, 127)] == [1.0, 0.0]


# ----------------------------------------------------------------------------------------- mapper


def test_a_word_the_amount_and_the_trim() -> None:
    m = mapper(
        WARM,
        Binding(30, Control.AMOUNT, takeover=TakeOver.JUMP),
        Binding(7, Control.TRIM, takeover=TakeOver.JUMP),
    )
    state = ControlState()
    assert m.feed(cc(20, 127), state) == [Set(Control.WORD, 1.0, "warm")]
    assert m.feed(cc(20, 64), state) == [Set(Control.WORD, 0.0, "warm")]
    assert m.feed(cc(30, 0), state) == [Set(Control.AMOUNT, 0.0)]
    assert m.feed(cc(7, 127), state) == [Set(Control.TRIM, 6.0)]
    assert m.feed(cc(99, 127), state) == []


def test_the_channel_filter() -> None:
    m = mapper(Binding(20, Control.WORD, "warm", takeover=TakeOver.JUMP, channel=3))
    assert m.feed(cc(20, 127, channel=2), ControlState()) == []
    assert len(m.feed(cc(20, 127, channel=3), ControlState())) == 1


def test_one_controller_may_move_two_things() -> None:
    m = mapper(WARM, Binding(20, Control.AMOUNT, takeover=TakeOver.JUMP))
    assert m.feed(cc(20, 127), ControlState()) == [
        Set(Control.WORD, 1.0, "warm"),
        Set(Control.AMOUNT, 1.0),
    ]
    assert m.labels(cc(20, 127)) == ["warm", "amount"]


def test_pickup_is_kept_apart_by_channel() -> None:
    m = mapper(Binding(30, Control.AMOUNT))
    state = ControlState(amount=0.5)
    assert m.feed(cc(30, 10, channel=1), state) == []
    assert m.feed(cc(30, 120, channel=2), state) == []  # another knob: nothing was passed
    assert m.feed(cc(30, 120, channel=1), state) != []


def test_a_word_that_nobody_uses_is_taken_at_the_first_touch() -> None:
    m = mapper(Binding(20, Control.WORD, "warm"))
    assert m.feed(cc(20, 127), ControlState()) == [Set(Control.WORD, 1.0, "warm")]
    # from here on it is picked up like any other, also after somebody put it back to 0
    assert m.feed(cc(20, 120), ControlState((("warm", 0.2),))) == []
    assert m.feed(cc(20, 110), ControlState((("warm", 0.0),))) == []
    used = mapper(Binding(20, Control.WORD, "warm"))
    assert used.feed(cc(20, 127), ControlState((("warm", 0.5),))) == []


@pytest.mark.parametrize(
    ("encoding", "up", "down"),
    [(Encoding.TWOS, 1, 127), (Encoding.OFFSET, 65, 63), (Encoding.SIGN, 1, 65)],
)
def test_relative_encoders_step(encoding: Encoding, up: int, down: int) -> None:
    m = mapper(Binding(20, Control.WORD, "warm", encoding=encoding, step=0.05))
    assert m.feed(cc(20, up), ControlState()) == [Step(Control.WORD, 0.05, "warm", -1.0, 1.0)]
    assert m.feed(cc(20, down), ControlState()) == [Step(Control.WORD, -0.05, "warm", -1.0, 1.0)]


def test_fourteen_bits_and_what_waits() -> None:
    binding = Binding(
        20, Control.WORD, "warm", encoding=Encoding.ABSOLUTE14, takeover=TakeOver.JUMP
    )
    m = mapper(binding)
    assert m.feed(cc(20, 127, at_s=1.0), ControlState()) == []
    assert m.feed(cc(52, 127, at_s=1.001), ControlState()) == [Set(Control.WORD, 1.0, "warm")]
    assert m.due is None
    assert m.feed(cc(20, 64, at_s=2.0), ControlState()) == []
    assert m.due == pytest.approx(2.0 + HOLD_S)
    assert m.flush(2.0, ControlState()) == []
    assert m.flush(2.0 + HOLD_S, ControlState()) == [Set(Control.WORD, 0.0, "warm")]


PRESSES = {
    # press, invert: what 127, 0, 127, 127, 63, 64, 65 do
    (Press.TOGGLE, False): [Bypass(), None, Bypass(), Bypass(), None, Bypass(), None],
    (Press.SWITCH, False): [Bypass(on) for on in (True, False, True, True, False, True, True)],
    (Press.MOMENTARY, False): [Bypass(on) for on in (True, False, True, True, False, True, True)],
    (Press.SWITCH, True): [Bypass(on) for on in (False, True, False, False, True, False, False)],
    (Press.TOGGLE, True): [None, Bypass(), None, None, Bypass(), None, None],
}


@pytest.mark.parametrize(("press", "invert"), PRESSES)
def test_bypass_buttons(press: Press, invert: bool) -> None:
    m = mapper(Binding(80, Control.BYPASS, press=press, invert=invert))
    out = [m.feed(cc(80, value), ControlState()) for value in (127, 0, 127, 127, 63, 64, 65)]
    assert [actions[0] if actions else None for actions in out] == PRESSES[press, invert]


def test_the_freeze_button() -> None:
    m = mapper(Binding(82, Control.FREEZE, press=Press.SWITCH))
    assert m.feed(cc(82, 127), ControlState()) == [Freeze(True)]
    assert m.feed(cc(82, 0), ControlState()) == [Freeze(False)]
    m = mapper(Binding(82, Control.FREEZE))
    assert m.feed(cc(82, 127), ControlState()) == [Freeze()]
    assert m.feed(cc(82, 0), ControlState()) == []


def test_the_reset_button() -> None:
    m = mapper(Binding(81, Control.RESET))
    assert [m.feed(cc(81, value), ControlState()) for value in (127, 0)] == [[Reset()], []]


def test_unknown_words_are_named_in_one_line_and_the_rest_works() -> None:
    midi_map = MidiMap(
        "mine", (WARM, Binding(21, Control.WORD, "wram"), Binding(22, Control.WORD, "xyz"))
    )
    m = Mapper(midi_map, {"warm"}.__contains__)
    assert m.words == ("warm",)
    assert m.warnings == (
        "MIDI map mine: no one has taught us 'wram', 'xyz': these knobs do nothing, all others "
        "work ('semeq words' lists all words)",
    )
    assert m.feed(cc(21, 127), ControlState()) == []
    assert m.feed(cc(20, 127), ControlState()) != []


# ------------------------------------------------------------------------------------- on the desk


def test_messages_turn_the_desk() -> None:
    desk = Desk()
    midi = MidiDesk(desk, load_map("default"), {"warm", "bright"})
    assert len(midi.warnings) == 1
    for value in (64, 80, 96):  # passes 0, where the word stands, and takes hold
        midi.receive([0xB0, 20, value], time.perf_counter())
    midi.receive([0x90, 60, 100], time.perf_counter())
    midi.receive([0xB0, 80, 127], time.perf_counter())
    assert desk.state.weight("warm") == pytest.approx(0.492, abs=0.01)
    assert desk.state.bypass
    assert midi.messages == 4
    assert midi.last is not None
    assert (midi.last.text, midi.last.moves) == ("CC 80 = 127 (ch 1)", "bypass")


def test_a_lone_half_reaches_the_desk_when_it_is_due() -> None:
    desk = Desk(ControlState((("warm", 0.0),)))
    midi = MidiDesk(desk, load_map("14bit"))
    midi.receive([0xB0, 20, 64], 1.0)
    midi.receive([0xB0, 20, 65], 1.001)
    assert midi.due is not None
    midi.tick(1.001)
    before = desk.state.weight("warm")
    midi.tick(midi.due)
    assert midi.due is None
    assert desk.state.weight("warm") > before


@given(st.lists(st.lists(st.integers(0, 255), max_size=4), max_size=40))
def test_no_message_breaks_it(messages: list[list[int]]) -> None:
    desk = Desk()
    for name in ("default", "relative", "14bit"):
        midi = MidiDesk(desk, load_map(name))
        for number, message in enumerate(messages):
            midi.receive(message, number * 0.004)
            midi.tick(number * 0.004)
    assert desk.state.recipe is not None
