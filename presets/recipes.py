"""Recipes that have a name: a TOML file each, shipped with semeq or the user's own.

::

    about = "A voice in front of a microphone that stands too far away"
    make = "warm:0.5 + clear:0.4"
    amount = 0.8                    # optional, 1 if left out
"""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from semeq.engine.errors import DataError, SemeqError, UsageError
from semeq.engine.recipe import Recipe
from semeq.engine.texts import load_toml, read_limited

_PREFIX, _SUFFIX = "recipe_", ".toml"
_KEYS = {"about", "make", "amount"}
_LARGEST = 65_536


@dataclass(frozen=True, slots=True)
class NamedRecipe:
    """A recipe with its name, its amount and a sentence about it."""

    name: str
    recipe: Recipe
    amount: float = 1.0
    about: str = ""


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that ship with semeq."""
    names = (entry.name for entry in files("semeq.presets").iterdir())
    return tuple(
        sorted(
            name[len(_PREFIX) : -len(_SUFFIX)].replace("_", " ")
            for name in names
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX)
        )
    )


def parse_recipe(name: str, text: str) -> NamedRecipe:
    """Return the recipe that `text` holds.

    Raises
    ------
    DataError
        If it is not TOML, or a key is missing, unknown or of the wrong kind.
    """
    try:
        content = load_toml(text)
    except ValueError as error:
        raise DataError(f"{name} must be TOML: {error}") from None
    unknown = sorted(set(content) - _KEYS)
    if unknown:
        raise DataError(f"{name} must hold {', '.join(sorted(_KEYS))} only, got {unknown[0]!r}")
    make, amount, about = content.get("make"), content.get("amount", 1.0), content.get("about", "")
    if not isinstance(make, str) or not isinstance(about, str):
        raise DataError(f'{name} must hold make = "a recipe" and may hold about = "a sentence"')
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise DataError(f"{name}: amount must be a number, got {amount!r}")
    try:
        return NamedRecipe(name, Recipe.parse(make), float(amount), about)
    except SemeqError as error:
        raise DataError(f"{name}: {error}") from None


def load_recipe(name: str) -> NamedRecipe:
    """Return a recipe by its name, or read it from a file where `name` ends in ``.toml``.

    Raises
    ------
    UsageError
        If no recipe has this name.
    DataError
        If the file cannot be read or is not a recipe.
    """
    if name.endswith(_SUFFIX):
        path = Path(name)
        try:
            text = read_limited(path, _LARGEST).decode("utf-8")
        except OSError as error:
            raise DataError(f"{name} cannot be read: {(error.strerror or '').lower()}") from None
        except UnicodeDecodeError:
            raise DataError(f"{name} must be UTF-8 text") from None
        except ValueError:
            raise DataError(f"{name} must be a recipe of at most {_LARGEST:,} bytes") from None
        return parse_recipe(path.stem, text)
    known = recipe_names()
    wanted = name.lower().replace("_", " ")
    if wanted not in known:
        near = ", ".join(get_close_matches(wanted, known) or known)
        raise UsageError(f"there is no preset {name!r}: try {near}, or a file that ends in .toml")
    file_name = _PREFIX + wanted.replace(" ", "_") + _SUFFIX
    return parse_recipe(wanted, (files("semeq.presets") / file_name).read_text(encoding="utf-8"))
