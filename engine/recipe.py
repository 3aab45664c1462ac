"""Recipes: words with weights, as people type them.

Grammar
-------
::

    recipe = [sign] term {sign term}          warm:0.5 + punchy:0.3 - bright:0.2
    term   = word [":" number]                bright:-0.4     a bare word has weight 1
    word   = letters, with single spaces, hyphens or apostrophes between, or anything in quotes
    sign   = "+" | "-"                        a hyphen inside a word belongs to the word

Case does not matter, a word that comes twice adds up, and weights are in [-4, 4]. An empty text is the
recipe that changes nothing. Whether a word is known is for the vocabulary to say.
"""

import math
import re
from dataclasses import dataclass
from typing import NoReturn, Self

from semeq.engine.errors import RecipeError
from semeq.engine.spelling import normalise_word

WEIGHT_LIMIT = 4.0
MAX_TERMS = 32
MAX_LENGTH = 4000

_SPACE = re.compile(r"\s*")
_SIGN = re.compile("[+\\-\u2212\u2013]")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'|“([^”]*)”")
#: Letters (with their combining accents); a hyphen must stand between two of them.
_LETTERS = r"(?:[^\W\d_][\u0300-\u036f]*)+"
_WORD = re.compile(rf"{_LETTERS}(?:(?:['’\-]|\s+){_LETTERS})*")
_NUMBER = re.compile(r"[+\-\u2212]?(?:\d+\.?\d*|\.\d+)(?:[eE][+\-]?\d+)?")
_PLAIN = re.compile(rf"{_WORD.pattern}\Z")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Words with their weights, each word once.

    Parameters
    ----------
    terms : tuple of (str, float)
        Words and weights in [-4, 4]; the weights of a word that comes twice are added.

    Raises
    ------
    RecipeError
        If a word is empty, a weight is not a number in the range, or there are too many terms.

    Examples
    --------
    >>> Recipe.parse("Warm:.5 - bright:0.2 + warm")
    Recipe(terms=(('warm', 1.5), ('bright', -0.2)))
    >>> str(Recipe.parse("warm:0.5 - bright:0.2"))
    'warm:0.5 - bright:0.2'
    """

    terms: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        total: dict[str, float] = {}
        for name, weight in self.terms:
            word = normalise_word(name)
            if not word or any(quote in word for quote in '"“”'):
                raise RecipeError(f"a word must be a name without quotes, got {name!r}")
            total[word] = total.get(word, 0.0) + float(weight)
        for word, weight in total.items():
            if not (math.isfinite(weight) and abs(weight) <= WEIGHT_LIMIT):
                raise RecipeError(
                    f"the weight of {word!r} must be in [-{WEIGHT_LIMIT:g}, {WEIGHT_LIMIT:g}], "
                    f"got {weight:g}"
                )
        if len(total) > MAX_TERMS:
            raise RecipeError(f"a recipe must hold at most {MAX_TERMS} words, got {len(total)}")
        object.__setattr__(self, "terms", tuple(total.items()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the recipe written in `text`.

        Raises
        ------
        RecipeError
            If it does not follow the grammar; the message says at which character.
        """
        if len(text) > MAX_LENGTH:
            raise RecipeError(
                f"a recipe must have at most {MAX_LENGTH} characters, got {len(text)}"
            )
        terms: list[tuple[str, float]] = []
        at = _skip(text, 0)
        while at < len(text):
            sign, at = _read_sign(text, at, first=not terms)
            word, at = _read_word(text, at)
            weight, at = _read_weight(text, at)
            terms.append((word, sign * weight))
        return cls(tuple(terms))

    def __str__(self) -> str:
        """Return the recipe in the grammar; parsing it gives the recipe back."""
        text = ""
        for word, weight in self.terms:
            name = word if _PLAIN.match(word) else f'"{word}"'
            size = weight
            if text:
                text += " - " if weight < 0 else " + "
                size = abs(weight)
            text += name if size == 1.0 else f"{name}:{_number(size)}"
        return text


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _refuse(text: str, at: int, wanted: str, remedy: str = "") -> NoReturn:
    rest = text[at:].split()
    found = repr(rest[0][:20]) if rest else "the end"
    shown = text if len(text) <= 60 else text[:57] + "..."
    raise RecipeError(
        f"recipe {shown!r}: there must be {wanted} at character {at + 1}, got {found}{remedy}"
    )


def _read_sign(text: str, at: int, *, first: bool) -> tuple[float, int]:
    sign = _SIGN.match(text, at)
    if sign:
        return (1.0 if sign.group() == "+" else -1.0), _skip(text, sign.end())
    if not first:
        remedy = "; a weight follows its word and a colon, as in warm:0.5"
        _refuse(text, at, "'+' or '-'", remedy if text[at].isdigit() else "")
    return 1.0, at


def _read_word(text: str, at: int) -> tuple[str, int]:
    quoted = _QUOTED.match(text, at)
    if quoted:
        word = normalise_word(next(group for group in quoted.groups() if group is not None))
        if not word:
            _refuse(text, at, "a word")
        return word, quoted.end()
    plain = _WORD.match(text, at)
    if not plain:
        _refuse(text, at, "a word")
    return normalise_word(plain.group()), plain.end()


def _read_weight(text: str, at: int) -> tuple[float, int]:
    at = _skip(text, at)
    if not text.startswith(":", at):
        return 1.0, at
    start = _skip(text, at + 1)
    number = _NUMBER.match(text, start)
    end = number.end() if number else start
    if number is None or re.match(r"[\w.,:]", text[end : end + 1]):
        remedy = "; write decimals with a point" if text.startswith(",", end) else ""
        _refuse(text, start, "a number", remedy)
    weight = float(number.group().replace("\u2212", "-"))
    if not abs(weight) <= WEIGHT_LIMIT:
        _refuse(text, start, f"a weight in [-{WEIGHT_LIMIT:g}, {WEIGHT_LIMIT:g}]")
    return weight, _skip(text, end)
