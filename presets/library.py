"""Finds and reads what ships with semeq: the vocabulary."""

from functools import cache
from importlib.resources import files

from semeq.engine.errors import DataError
from semeq.engine.words import Vocabulary

WORDS_FILE = "words.json"


@cache
def load_vocabulary() -> Vocabulary:
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
