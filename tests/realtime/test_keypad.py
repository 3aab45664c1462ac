import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.errors import UnknownWordError
from semeq.presets.midi_bindings import Control
from semeq.realtime.control import Action, Bypass, ControlState, Freeze, Reset, Set, Step, apply
from semeq.realtime.keypad import FINE_STEP, HELP, MAX_PROMPT, STEP, Keypad, press

STATE = ControlState((("warm", 0.5), ("bright", 0.0), ("deep", -0.2)))


def know(word: str) -> None:
    if word not in ("warm", "bright", "deep", "airy", "bass boost"):
        raise UnknownWordError(word, ("warm",))


def play(
    keys: list[str], state: ControlState = STATE, keypad: Keypad | None = None
) -> tuple[Keypad, ControlState]:
    keypad = keypad or Keypad()
    for key in keys:
        keypad, actions = press(keypad, key, state, know)
        for action in actions:
            state = apply(state, action)
    return keypad, state


@pytest.mark.parametrize(
    ("key", "action"),
    [
        (" ", Bypass()),
        ("a", Step(Control.AMOUNT, -STEP)),
        ("A", Step(Control.AMOUNT, STEP)),
        ("d", Step(Control.ADAPT, -STEP)),
        ("D", Step(Control.ADAPT, STEP)),
        ("t", Step(Control.TRIM, -0.5)),
        ("T", Step(Control.TRIM, 0.5)),
        ("0", Reset()),
        ("f", Freeze()),
        ("left", Step(Control.WORD, -STEP, "bright")),
        ("right", Step(Control.WORD, STEP, "bright")),
        ("-", Step(Control.WORD, -STEP, "bright")),
        ("+", Step(Control.WORD, STEP, "bright")),
        ("=", Step(Control.WORD, STEP, "bright")),
        ("[", Step(Control.WORD, -FINE_STEP, "bright")),
        ("]", Step(Control.WORD, FINE_STEP, "bright")),
        ("z", Set(Control.WORD, 0.0, "bright")),
        ("delete", Set(Control.WORD, 0.0, "bright")),
    ],
)
def test_keys_that_act(key: str, action: Action) -> None:
    assert press(Keypad(selected=1), key, STATE) == (Keypad(selected=1), (action,))


def test_a_band_is_chosen_locked_and_trimmed() -> None:
    keypad, state = play(["l", ">"])
    assert state == STATE
    assert keypad.message == "choose a band first: 1 to 7"
    keypad, state = play(["3", "l", ">", ">", "7", "<"])
    assert (keypad.band, state.locks) == (7, frozenset({3}))
    assert state.band_trims_db == (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -0.5)
    assert play(["3", "l"], state)[1].locks == frozenset()


def test_choosing_a_word_stops_at_both_ends() -> None:
    assert play(["down"])[0].selected == 1
    assert play(["down"] * 9)[0].selected == 2
    assert play(["page down", "up"])[0].selected == 1
    assert play(["up", "k"])[0].selected == 0


def test_a_choice_beyond_the_words_comes_back() -> None:
    assert press(Keypad(selected=9), "right", STATE)[1] == (Step(Control.WORD, STEP, "deep"),)


def test_without_words() -> None:
    empty = ControlState()
    for key in ("up", "right", "z"):
        keypad, actions = press(Keypad(), key, empty)
        assert (keypad.message, actions) == ("there is no word yet: / adds one", ())
    assert press(Keypad(), "A", empty)[1] != ()


def test_help_and_quit() -> None:
    assert play(["?"])[0].shows_help
    for key in ("?", "escape", "enter"):
        assert not play(["?", key])[0].shows_help
    assert play(["?", "A"])[1].amount == pytest.approx(1.05)  # keys work under the help
    assert play(["q"])[0].has_quit


def test_a_key_without_meaning_says_so() -> None:
    assert play(["y"])[0].message == "'y' does nothing: ? shows the keys"
    assert play(["y", "down"])[0].message == ""


def test_typing_a_word_adds_it_at_zero_and_chooses_it() -> None:
    keypad, state = play(["/", *"Airt", "backspace", "y", "enter"])
    assert (keypad.prompt, keypad.selected) == (None, 3)
    assert state.weights[-1] == ("airy", 0.0)
    keypad, state = play(["/", *"warm", "enter"], keypad=Keypad(selected=2))
    assert (keypad.selected, state) == (0, STATE)
    assert play(["/", *"bass boost", "enter"])[1].words[-1] == "bass boost"


def test_typing_a_recipe_sets_weights() -> None:
    _, state = play(["/", *"airy:0.3 - warm:0.25", "enter"])
    assert state.weights == (("warm", -0.25), ("bright", 0.0), ("deep", -0.2), ("airy", 0.3))
    assert play(["/", *"-warm", "enter"])[1].weight("warm") == -1.0


def test_typing_something_wrong_keeps_the_prompt() -> None:
    keypad, state = play(["/", *"wram", "enter"])
    assert keypad.prompt == "wram"
    assert keypad.message.startswith("no one has taught us 'wram': did you mean warm?")
    assert state == STATE
    keypad, state = play(["/", *"warm:", "enter"])
    assert (keypad.prompt, state) == ("warm:", STATE)
    assert "there must be a number" in keypad.message


@pytest.mark.parametrize(
    "keys", [["escape"], ["backspace"], ["enter"], [" ", "enter"], ["x", "escape"]]
)
def test_ways_out_of_the_prompt(keys: list[str]) -> None:
    keypad, state = play(["/", *keys])
    assert (keypad.prompt, state) == (None, STATE)


def test_a_prompt_has_an_end() -> None:
    keypad, _ = play(["/", *("x" * 200)])
    assert keypad.prompt == "x" * MAX_PROMPT


NAMED = ["up", "down", "left", "right", "home", "tab", "enter", "escape", "backspace", "delete"]
KEYS = st.sampled_from([*NAMED, *" aAdDtTs0zq?/[]+-=:é5"])


@given(st.lists(KEYS, max_size=60))
def test_no_row_of_keys_breaks_it(keys: list[str]) -> None:
    keypad, state = play(keys)
    assert 0 <= keypad.selected < len(state.words)
    assert len(HELP) == 16


def test_parameters_of_plugins_come_after_the_words() -> None:
    state = ControlState((("warm", 0.5),), parameters=(("1.gain_db", 0.5), ("2.mix", 0.98)))
    keypad, state = play(["down", "left", "down", "down", "+", "]"], state)
    assert keypad.selected == 2
    assert state.parameters == (("1.gain_db", 0.5 - STEP), ("2.mix", 1.0))
    keypad, after = play(["z"], state, keypad)
    assert "no 0" in keypad.message
    assert after is state
    assert play(["0"], state)[1].parameters == state.parameters
