"""Named recipes: those that ship make sense, those of users are checked."""

from pathlib import Path

import pytest

from semeq.engine.errors import DataError, UsageError
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.presets.library import load_vocabulary
from semeq.presets.recipes import NamedRecipe, load_recipe, parse_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_what_ships_is_understood_without_reservations(name: str) -> None:
    named = load_recipe(name)
    assert named.name == name
    assert named.about
    meaning = interpret(named.recipe, load_vocabulary(), amount=named.amount)
    assert not meaning.settings.is_flat
    assert meaning.warnings == ()


def test_there_are_some() -> None:
    assert len(recipe_names()) >= 3


def test_names_may_be_written_as_file_names() -> None:
    assert load_recipe("Late_Night") == load_recipe("late night")


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('make = "warm:0.5 - bright:0.2"\namount = 2\n', encoding="utf-8")
    expected = NamedRecipe("mine", Recipe.parse("warm:0.5 - bright:0.2"), 2.0)
    assert load_recipe(str(path)) == expected


def test_unknown_names_answer_with_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no preset 'late nigth': try late night, or a file"):
        load_recipe("late nigth")
    with pytest.raises(UsageError, match="try late night, less mud, "):
        load_recipe("zzz")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("make = ", "x must be TOML"),
        ("", "must hold make"),
        ("make = 3", "must hold make"),
        ('make = "warm"\nabout = 3', "must hold make"),
        ('make = "warm"\namuont = 3', "got 'amuont'"),
        ('make = "warm"\namount = "much"', "amount must be a number, got 'much'"),
        ('make = "warm"\namount = true', "amount must be a number, got True"),
        ('make = "warm:"', "x: recipe 'warm:'"),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_recipe("x", text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: no such file"):
        load_recipe(str(tmp_path / "no.toml"))
    path = tmp_path / "latin.toml"
    path.write_bytes('make = "cálido"'.encode("latin-1"))
    with pytest.raises(DataError, match="must be UTF-8"):
        load_recipe(str(path))
    path.write_bytes(b"#" * 100_000)
    with pytest.raises(DataError, match="at most 65,536 bytes"):
        load_recipe(str(path))
