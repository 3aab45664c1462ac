"""What a misspelt or inflected word is answered with."""

import pytest

from semeq.engine.spelling import base_forms, normalise_word, suggest, without_accents

PEOPLE = {
    "warm": 71,
    "bright": 31,
    "deep": 6,
    "punchy": 2,
    "fat": 2,
    "crunchy": 4,
    "cálido": 1,
    "calido": 1,
    "bass": 2,
    "boost": 1,
    "pure": 1,
    "clear": 14,
    "dark": 8,
    "dulce": 8,
    "soft": 22,
}


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("warmer", "warm"),
        ("warmth", "warm"),
        ("Warmest", "warm"),
        ("brighter", "bright"),
        ("brightness", "bright"),
        ("brightly", "bright"),
        ("depth", "deep"),
        ("clarity", "clear"),
        ("fatter", "fat"),
        ("punchier", "punchy"),
        ("punch", "punchy"),
        ("purer", "pure"),
        ("briht", "bright"),
        ("wram", "warm"),
        ("dulces", "dulce"),
        ("calída", "calido"),
        ("clearer", "clear"),
        ("fat bass", "fat"),
        ("deep-bass", "deep"),
    ],
)
def test_the_nearest_word_comes_first(asked: str, first: str) -> None:
    assert suggest(asked, PEOPLE)[0] == first


def test_a_missing_accent_is_seen() -> None:
    assert set(suggest("calido", {"cálido": 1, "warm": 3})) == {"cálido"}
    assert set(suggest("CÁLIDO", PEOPLE)[:2]) == {"cálido", "calido"}


def test_a_longer_name_is_answered_with_its_words() -> None:
    assert suggest("bass boost", PEOPLE)[:2] == ("bass", "boost")


@pytest.mark.parametrize("asked", ["xyzzy", "", "!!", "123"])
def test_what_is_like_nothing_is_answered_with_nothing(asked: str) -> None:
    assert suggest(asked, PEOPLE) == ()


def test_there_are_never_too_many_answers() -> None:
    people = dict.fromkeys((f"warm{letter}" for letter in "abcdefgh"), 1)
    assert len(suggest("warmx", people)) == 4
    assert len(suggest("warmx", people, count=2)) == 2


def test_better_known_words_come_first_among_equals() -> None:
    assert suggest("cat", {"car": 1, "can": 9, "cap": 3}, count=3) == ()  # two of three letters
    assert suggest("carts", {"cares": 1, "carps": 9}) == ("carps", "cares")


def test_short_words_are_not_taken_apart() -> None:
    assert "th" not in base_forms("they")
    assert "on" not in base_forms("ones")


def test_names_are_normalised() -> None:
    assert normalise_word(" Ca\u0301lido\t SONIDO ") == "cálido sonido"
    assert without_accents("ñandú árbol") == "nandu arbol"
