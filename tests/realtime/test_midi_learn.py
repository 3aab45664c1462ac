import pytest

from semeq.presets.midi_bindings import Binding, Control, Encoding
from semeq.realtime.midi_learn import REST_S, Learner, guess_encoding


@pytest.mark.parametrize(
    ("values", "encoding"),
    [
        ([60, 61, 62, 63, 64, 63, 62], Encoding.ABSOLUTE),
        ([1, 2, 3, 4, 5, 4, 3, 2, 1, 0], Encoding.ABSOLUTE),  # a knob near its end
        ([127, 126, 125, 126, 127], Encoding.ABSOLUTE),
        ([1, 1, 1, 127, 127, 127], Encoding.TWOS),
        ([1, 2, 1, 1, 126, 127, 127, 127], Encoding.TWOS),
        ([1, 1, 1, 65, 65, 65], Encoding.SIGN),
        ([1, 1, 3, 3, 66, 65, 65], Encoding.SIGN),
        ([65, 65, 65, 63, 63, 63], Encoding.OFFSET),
        ([66, 65, 65, 62, 63, 63], Encoding.OFFSET),
        ([65, 65, 65, 65], Encoding.OFFSET),
        ([1, 1, 1, 1], Encoding.TWOS),
        ([0, 0, 40, 40, 90, 90], Encoding.ABSOLUTE),
        ([127, 0], Encoding.ABSOLUTE),
        ([5], Encoding.ABSOLUTE),
    ],
)
def test_how_a_controller_speaks(values: list[int], encoding: Encoding) -> None:
    assert guess_encoding(values) is encoding


def test_a_plugins_parameter_is_learnt_like_a_word() -> None:
    learner = Learner(Control.PARAMETER, "comp.mix")
    learn(learner, [(44, value) for value in (60, 61, 62, 63, 62, 61)])
    assert learner.binding() == Binding(44, Control.PARAMETER, param="comp.mix", channel=1)


def learn(learner: Learner, messages: list[tuple[int, int]], *, channel: int = 1) -> float:
    at_s = 0.0
    for cc, value in messages:
        at_s += 0.01
        assert not learner.is_done(at_s)
        learner.receive([0xB0 | channel - 1, cc, value], at_s)
    return at_s


def test_a_knob_is_known_when_it_has_come_to_rest() -> None:
    learner = Learner(Control.WORD, "warm")
    assert learner.binding() is None
    at_s = learn(learner, [(20, value) for value in (60, 61, 62, 63, 62, 61, 60)], channel=3)
    assert not learner.is_done(at_s + 0.9 * REST_S)
    assert learner.is_done(at_s + REST_S)
    assert learner.binding() == Binding(20, Control.WORD, "warm", detent=0.03, channel=3)


def test_a_touch_is_not_a_turn() -> None:
    learner = Learner(Control.AMOUNT)
    at_s = learn(learner, [(20, 60), (20, 61)])
    assert not learner.is_done(at_s + 60.0)


def test_the_controller_that_moves_most_is_meant() -> None:
    learner = Learner(Control.AMOUNT)
    learn(learner, [(7, 1), *((20, value) for value in range(10)), (11, 3)])
    learner.receive([0x90, 60, 100], 0.2)
    assert learner.binding() == Binding(20, Control.AMOUNT, channel=1)


def test_fourteen_bits() -> None:
    messages = [(cc, value) for value in range(40, 50) for cc in (5, 37)]
    for order in (messages, [(37 if cc == 5 else 5, value) for cc, value in messages]):
        learner = Learner(Control.WORD, "warm")
        learn(learner, order)
        assert learner.binding() == Binding(
            5, Control.WORD, "warm", Encoding.ABSOLUTE14, detent=0.03, channel=1
        )


def test_an_encoder_has_no_detent_and_a_button_no_range() -> None:
    learner = Learner(Control.WORD, "warm")
    learn(learner, [(22, value) for value in (1, 1, 1, 127, 127, 127)])
    assert learner.binding() == Binding(22, Control.WORD, "warm", Encoding.TWOS, channel=1)
    button = Learner(Control.BYPASS)
    at_s = learn(button, [(80, 127)])
    assert button.is_done(at_s + REST_S)
    assert button.binding() == Binding(80, Control.BYPASS, channel=1)


def test_what_the_person_knows_counts() -> None:
    learner = Learner(Control.AMOUNT, encoding=Encoding.SIGN)
    learn(learner, [(22, value) for value in (1, 1, 1, 1, 1, 1)])
    binding = learner.binding()
    assert binding is not None
    assert binding.encoding is Encoding.SIGN
