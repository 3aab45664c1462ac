"""Finds and reads the vocabulary: what ships with semeq, and the user's own words."""

from functools import cache
from importlib.resources import files

from semeq.engine.errors import DataError
from semeq.engine.words import Vocabulary
from semeq.presets.personal import load_personal, personal_file, with_personal

WORDS_FILE = "words.json"


@cache
def shipped_vocabulary() -> Vocabulary:
    """Return the words that ship with semeq; read once, then the same object every time.

    Raises
    ------
    DataError
        If the installed file is missing or damaged.
    """
    try:
        text = (files("semeq.presets") / WORDS_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{WORDS_FILE} must be readable, got {error}; install semeq again"
        ) from error
    return Vocabulary.from_json(text)


@cache
def load_vocabulary() -> Vocabulary:
    """Return all words, those that ship and the user's own; read once, then the same object every time.

    Raises
    ------
    DataError
        If the installed file is missing or damaged, or the user's own is damaged.
    """
    return with_personal(shipped_vocabulary(), load_personal(personal_file()))
