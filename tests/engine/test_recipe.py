"""Recipes: the grammar, what it refuses, and that writing and reading are inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.errors import RecipeError
from semeq.engine.recipe import MAX_TERMS, WEIGHT_LIMIT, Recipe
from semeq.engine.spelling import normalise_word

WORDS = st.one_of(
    st.sampled_from(["warm", "bright", "cálido", "bass boost", "high-pitched", "don't", "re27"]),
    st.text(st.characters(exclude_characters='"“”', exclude_categories=["C"]), min_size=1).filter(
        normalise_word
    ),
)
# Duplicates add up, so a quarter of the limit keeps every sum in range.
WEIGHTS = st.floats(-WEIGHT_LIMIT / 8, WEIGHT_LIMIT / 8)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("  ", ()),
        ("warm", (("warm", 1.0),)),
        ("warm:0.5 + punchy:0.3", (("warm", 0.5), ("punchy", 0.3))),
        ("bright:-0.4", (("bright", -0.4),)),
        ("-bright:0.4", (("bright", -0.4),)),
        ("- bright : .4", (("bright", -0.4),)),
        ("warm - bright:0.3", (("warm", 1.0), ("bright", -0.3))),
        ("warm -bright", (("warm", 1.0), ("bright", -1.0))),
        ("warm+bright", (("warm", 1.0), ("bright", 1.0))),
        ("warm:0.5-bright:-2", (("warm", 0.5), ("bright", 2.0))),
        ("WARM:1e-1 + Warm:.2", (("warm", pytest.approx(0.3)),)),
        ("warm:1 + warm:-1", (("warm", 0.0),)),
        ("cálido", (("cálido", 1.0),)),
        ("ca\u0301lido", (("cálido", 1.0),)),
        ("bass  boost:0.5", (("bass boost", 0.5),)),
        ('"bass boost":0.5 + warm', (("bass boost", 0.5), ("warm", 1.0))),
        ("'bass boost':0.5", (("bass boost", 0.5),)),
        ("“re27”:2", (("re27", 2.0),)),
        ("high-pitched - warm", (("high-pitched", 1.0), ("warm", -1.0))),
        ("warm \u2212 bright:\u22120.5", (("warm", 1.0), ("bright", 0.5))),
    ],
)
def test_what_the_grammar_reads(text: str, terms: tuple[tuple[str, float], ...]) -> None:
    assert Recipe.parse(text).terms == terms


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("+", "there must be a word at character 2, got the end"),
        ("warm + ", "there must be a word at character 8, got the end"),
        ("warm + + bright", r"a word at character 8, got '\+'"),
        ("warm -- bright", "a word at character 7, got '-'"),
        (":0.5", "a word at character 1"),
        ('"":0.5', "a word at character 1"),
        ("warm:", "a number at character 6, got the end"),
        ("warm:loud", "a number at character 6, got 'loud'"),
        ("warm:nan", "a number at character 6, got 'nan'"),
        ("warm:inf", "a number at character 6, got 'inf'"),
        ("warm:-inf", "a number at character 6"),
        ("warm:0,5", "a number at character 6, got '0,5'; write decimals with a point"),
        ("warm:1.2.3", "a number at character 6"),
        ("warm::2", "a number at character 6"),
        ("warm:0x10", "a number at character 6"),
        ("warm:5", r"a weight in \[-4, 4\] at character 6, got '5'"),
        ("bright + warm:1e999", r"a weight in \[-4, 4\] at character 15"),
        ("warm 0.5", "'\\+' or '-' at character 6, got '0.5'; a weight follows its word"),
        ("warm:0.5 punchy", r"'\+' or '-' at character 10, got 'punchy'"),
        ("warm; bright", r"'\+' or '-' at character 5"),
        ('"warm', "a word at character 1"),
        ("0.5*warm", "a word at character 1"),
        ("warm:3 + warm:3", r"the weight of 'warm' must be in \[-4, 4\], got 6"),
        ("x" * 5000, "at most 4000 characters, got 5000"),
        ("warm:" + "9" * 3000, "got '99999999999999999999'"),
    ],
)
def test_nonsense_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        Recipe.parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_too_many_words_are_refused() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [a + b for a in letters for b in letters][: MAX_TERMS + 1]
    with pytest.raises(RecipeError, match=f"at most {MAX_TERMS} words, got {MAX_TERMS + 1}"):
        Recipe.parse(" + ".join(words))


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), 4.1, -5.0])
def test_a_recipe_made_in_code_is_checked_too(weight: float) -> None:
    with pytest.raises(RecipeError, match="weight of 'warm' must be in"):
        Recipe((("warm", weight),))


@pytest.mark.parametrize("word", ["", "  ", 'a"b'])
def test_a_word_that_cannot_be_written_is_refused(word: str) -> None:
    with pytest.raises(RecipeError, match="a word must be a name without quotes"):
        Recipe(((word, 1.0),))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Warm:.50 -  bright:0.2", "warm:0.5 - bright:0.2"),
        ("-bright:0.4", "bright:-0.4"),
        ("- bright", "bright:-1"),
        ("warm:2 - bright", "warm:2 - bright"),
        ("", ""),
        ("bass boost", "bass boost"),
        ('"re27"', '"re27"'),
    ],
)
def test_how_a_recipe_is_written(text: str, written: str) -> None:
    assert str(Recipe.parse(text)) == written


@given(st.lists(st.tuples(WORDS, WEIGHTS), max_size=8))
def test_reading_what_was_written_gives_the_recipe_back(terms: list[tuple[str, float]]) -> None:
    recipe = Recipe(tuple(terms))
    assert Recipe.parse(str(recipe)) == recipe


@given(st.one_of(st.text(max_size=60), st.text("warm bright:+-0.5\"'e,\t\n", max_size=60)))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    message = ""
    try:
        recipe = Recipe.parse(text)
    except RecipeError as error:
        message = str(error)
        recipe = Recipe()
    assert "\n" not in message
    assert Recipe.parse(str(recipe)) == recipe


def test_a_long_name_is_written_without_delay() -> None:
    # A pattern that could cut a run of letters in many ways would take longer than the universe.
    name = "a" * 60 + "1"
    assert str(Recipe(((name, 1.0),))) == f'"{name}"'
