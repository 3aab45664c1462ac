import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.errors import RecipeError, SettingsError
from semeq.engine.recipe import MAX_TERMS, Recipe
from semeq.presets.midi_bindings import LIMITS, Control
from semeq.realtime.control import (
    Action,
    AddWords,
    Bypass,
    ControlState,
    Delta,
    Freeze,
    Lock,
    Recall,
    Reset,
    Set,
    Step,
    TrimBand,
    apply,
)

REST = (0.8, 0.3, False, -6.0)
WARM = ControlState((("warm", 0.5), ("bright", 0.0)), amount=0.8, adapt=0.3, trim_db=-6.0)

CASES: list[tuple[Action, ControlState]] = [
    (Set(Control.WORD, -0.25, "warm"), ControlState((("warm", -0.25), ("bright", 0.0)), *REST)),
    (Set(Control.WORD, 1.0, " AIRY "), ControlState((*WARM.weights, ("airy", 1.0)), *REST)),
    (Set(Control.AMOUNT, 2.5), ControlState(WARM.weights, 2.0, 0.3, False, -6.0)),
    (Set(Control.ADAPT, -1.0), ControlState(WARM.weights, 0.8, 0.0, False, -6.0)),
    (Set(Control.TRIM, 99.0), ControlState(WARM.weights, 0.8, 0.3, False, 12.0)),
    (Step(Control.WORD, 0.1, "warm"), ControlState((("warm", 0.6), ("bright", 0.0)), *REST)),
    (Step(Control.TRIM, -30.0), ControlState(WARM.weights, 0.8, 0.3, False, -24.0)),
    (Step(Control.AMOUNT, 0.5, low=0.0, high=1.0), ControlState(WARM.weights, 1.0, 0.3, False, -6.0)),
    (Bypass(), ControlState(WARM.weights, 0.8, 0.3, True, -6.0)),
    (Bypass(True), ControlState(WARM.weights, 0.8, 0.3, True, -6.0)),
    (Bypass(False), WARM),
    (Reset(), ControlState((("warm", 0.0), ("bright", 0.0)), 1.0, 0.3, False, -6.0)),
    (AddWords(("bright", "Deep")), ControlState((*WARM.weights, ("deep", 0.0)), *REST)),
    (Recall(ControlState()), ControlState()),
    (Delta(), ControlState(WARM.weights, *REST, delta=True)),
    (Delta(False), WARM),
    (Freeze(), ControlState(WARM.weights, *REST, frozen=True)),
    (Freeze(False), WARM),
    (Lock(3), ControlState(WARM.weights, *REST, locks=frozenset({3}))),
    (Lock(3, False), WARM),
    (TrimBand(7, 1.5), ControlState(WARM.weights, *REST, band_trims_db=(*[0.0] * 6, 1.5))),
    (TrimBand(1, -99.0), ControlState(WARM.weights, *REST, band_trims_db=(-12.0, *[0.0] * 6))),
]  # fmt: skip


@pytest.mark.parametrize(("action", "after"), CASES, ids=lambda value: repr(value)[:40])
def test_each_action(action: Action, after: ControlState) -> None:
    assert apply(WARM, action) == after


def test_an_action_without_effect_gives_the_same_object() -> None:
    for action in (
        Bypass(False),
        Set(Control.AMOUNT, 0.8),
        Step(Control.ADAPT, 0.0),
        AddWords(("warm",)),
    ):
        assert apply(WARM, action) is WARM


def test_the_recipe_leaves_out_words_at_rest() -> None:
    assert WARM.recipe == Recipe((("warm", 0.5),))
    assert ControlState().recipe == Recipe(())


def test_steps_come_back_to_zero_exactly() -> None:
    state = WARM
    for _ in range(15):
        state = apply(state, Step(Control.WORD, -0.1, "warm"))
    assert state.weight("warm") == -1.0
    for _ in range(10):
        state = apply(state, Step(Control.WORD, 0.1, "warm"))
    assert state.weight("warm") == 0.0
    assert math.copysign(1.0, state.weight("warm")) == 1.0
    assert state.recipe == Recipe(())


def test_a_narrow_knob_does_not_throw_a_value_that_lies_outside_its_range() -> None:
    far = ControlState((("warm", 3.0),))
    assert apply(far, Step(Control.WORD, 0.1, "warm", -1.0, 1.0)).weight("warm") == 3.0
    assert apply(far, Step(Control.WORD, -0.1, "warm", -1.0, 1.0)).weight("warm") == 2.9


def test_no_more_words_than_a_recipe_holds() -> None:
    # words are letters, so that the recipe can be written down, too
    names = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    state = apply(ControlState(), AddWords(tuple(names)))
    assert len(state.weights) == MAX_TERMS
    full = apply(state, Set(Control.WORD, 1.0, "zz"))
    assert full.words == state.words
    for word in state.words:
        full = apply(full, Set(Control.WORD, 1.0, word))
    assert len(full.recipe.terms) == MAX_TERMS


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ControlState(amount=2.01), r"amount must be in \[0, 2\], got 2.01"),
        (lambda: ControlState(adapt=math.nan), r"adapt must be in \[0, 1\], got nan"),
        (lambda: ControlState(trim_db=-24.5), r"trim_db must be in \[-24, 12\], got -24.5"),
        (lambda: Set(Control.AMOUNT, math.inf), "amount must be a finite number, got inf"),
        (lambda: Step(Control.AMOUNT, math.nan), "a step must be a finite number, got nan"),
        (lambda: Lock(0), r"a band must be in 1\.\.7, got 0"),
        (lambda: TrimBand(8, 1.0), r"a band must be in 1\.\.7, got 8"),
        (lambda: TrimBand(1, math.inf), "a trim must be a finite number, got inf"),
        (lambda: ControlState(band_trims_db=(1.0,)), "band trims must be 7, got 1"),
        (lambda: Set(Control.BYPASS, 1.0), "bypass is a button and has no value"),
        (lambda: Set(Control.WORD, 1.0), "word must be given for a word or a parameter alone, got ''"),
        (lambda: Step(Control.TRIM, 1.0, "warm"), "word must be given .* got 'warm'"),
    ],
)  # fmt: skip
def test_bad_values(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(SettingsError, match=message):
        make()


@pytest.mark.parametrize("weights", [(("warm", 4.1),), (("warm", math.nan),), (("", 1.0),)])
def test_weights_that_are_no_recipe(weights: tuple[tuple[str, float], ...]) -> None:
    with pytest.raises(RecipeError):
        ControlState(weights)
    with pytest.raises(RecipeError):
        AddWords(('a "quoted" word',))


_numbers = st.floats(-100.0, 100.0)
_continuous = st.sampled_from([Control.AMOUNT, Control.ADAPT, Control.TRIM])
_words = st.sampled_from(["warm", "bright", "deep", "Crisp"])
_actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Set, _continuous, _numbers),
    st.builds(Set, st.just(Control.WORD), _numbers, _words),
    st.builds(Step, _continuous, _numbers),
    st.builds(Step, st.just(Control.WORD), _numbers, _words, _numbers, _numbers),
    st.builds(Bypass, st.sampled_from([None, True, False])),
    st.builds(Delta, st.sampled_from([None, True, False])),
    st.builds(Freeze, st.sampled_from([None, True, False])),
    st.builds(Lock, st.integers(1, 7), st.sampled_from([None, True, False])),
    st.builds(TrimBand, st.integers(1, 7), _numbers),
    st.just(Reset()),
    st.builds(AddWords, st.tuples(_words)),
)


@given(st.lists(_actions, max_size=30))
def test_no_row_of_actions_leaves_the_ranges(actions: list[Action]) -> None:
    state = ControlState()
    for action in actions:
        state = apply(state, action)  # the constructor checks every range
        assert state.recipe.terms == tuple((w, v) for w, v in state.weights if v)
        for control in (Control.AMOUNT, Control.ADAPT, Control.TRIM):
            low, high = LIMITS[control]
            assert low <= state.value(control) <= high


def test_plain_values_for_json() -> None:
    assert WARM.as_dict() == {
        "weights": {"warm": 0.5, "bright": 0.0},
        "amount": 0.8,
        "adapt": 0.3,
        "bypass": False,
        "trim_db": -6.0,
        "delta": False,
        "parameters": {},
        "frozen": False,
        "locks": [],
        "band_trims_db": [0.0] * 7,
    }
