"""Words of one's own: a vocabulary file in the user's configuration folder, beside the words that ship.

They are words as any other: recipes, knobs and MIDI maps take them. The name of a word that ships cannot be
taken, so a recipe means the same on every machine that knows its words.
"""

import json
import math
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from semeq.engine.atomic import explain, write_text
from semeq.engine.errors import AudioFileError, DataError, RecipeError
from semeq.engine.settings import EQSettings
from semeq.engine.spelling import normalise_word
from semeq.engine.units import Floats, read_only
from semeq.engine.words import FORMAT, FORMAT_VERSION, PERSONAL, Share, Vocabulary, Word

FILE = "words.json"
#: Where the file is kept instead, for whoever wants it elsewhere.
FOLDER_VARIABLE = "SEMEQ_CONFIG_DIR"
LONGEST_NAME = 60
MOST_WORDS = 500
_LARGEST = 8_000_000


def config_folder() -> Path:
    """Return where the user's settings lie; the folder need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("APPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Roaming") / "semeq"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "semeq"
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "semeq"


def personal_file() -> Path:
    """Return the file of the user's own words; it need not exist."""
    return config_folder() / FILE


def load_personal(path: Path) -> Vocabulary | None:
    """Return the words in `path`, or None if there is no such file.

    Raises
    ------
    DataError
        If it cannot be read or is damaged; the message says what to do.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise DataError(f"it must have at most {_LARGEST:,} bytes")
        return Vocabulary.from_json(raw.decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"your words in {path} cannot be read: {explain(error)}") from None
    except (DataError, UnicodeDecodeError) as error:
        raise DataError(f"your words in {path}: {error}; repair the file or move it away") from None


def with_personal(shipped: Vocabulary, personal: Vocabulary | None) -> Vocabulary:
    """Return both, on the grid of what ships; a word that ships wins over one's own of its name."""
    if personal is None:
        return shipped
    at = np.log(shipped.freqs_hz)
    own = {
        name: replace(
            word,
            curve_db=read_only(np.interp(at, np.log(personal.freqs_hz), word.curve_db)),
            spread_db=None,
        )
        for name, word in personal.words.items()
        if name not in shipped.words
    }
    return Vocabulary(shipped.freqs_hz, MappingProxyType({**shipped.words, **own}))


def make_word(
    name: str, settings: EQSettings, curve_db: Floats, fit_rms_db: float, shipped: Vocabulary
) -> Word:
    """Return a word of the user's: its curve is on the grid of `shipped`, at any level.

    Raises
    ------
    RecipeError
        If the name is none, too long or taken, or the curve is flat.
    """
    word = normalise_word(name)
    is_plain = all(char.isprintable() for char in word) and not set(word) & set('"“”')
    if not (word and is_plain and len(word) <= LONGEST_NAME):
        raise RecipeError(
            f"a word must be a name of at most {LONGEST_NAME} characters without quotes, got {name!r}"
        )
    if word in shipped.words:
        raise RecipeError(
            f"a word of your own must have a new name, got {word!r}: people taught it"
        )
    curve = curve_db - curve_db.mean()
    if not np.abs(curve).max() > 0.01 or settings.is_flat:
        raise RecipeError(f"a word must do something to the sound, got a flat curve for {word!r}")
    return Word(
        word=word,
        language="en",
        curve_db=read_only(curve),
        spread_db=None,
        people=1,
        agreement=None,
        sources=MappingProxyType({PERSONAL: Share(1, 1.0)}),
        opposite=None,
        nearest=(),
        bands=tuple((b.freq_hz, b.gain_db, b.q) for b in settings.bands),
        fit_rms_db=fit_rms_db,
    )


def save_word(word: Word, shipped: Vocabulary, path: Path, *, overwrite: bool) -> None:
    """Put a word into the user's file, whole or not at all.

    Raises
    ------
    DataError
        If the file is damaged or full.
    RecipeError
        If the word is there already and must not be replaced.
    AudioFileError
        If the file cannot be written.
    """
    own = with_personal(shipped, load_personal(path))
    words = {name: one for name, one in own.words.items() if name not in shipped.words}
    if word.word in words and not overwrite:
        raise RecipeError(f"you have a word {word.word!r} already: give --overwrite to replace it")
    words[word.word] = word
    if len(words) > MOST_WORDS:
        raise DataError(f"there must be at most {MOST_WORDS} words of your own, got {len(words)}")
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "freqs_hz": shipped.freqs_hz.tolist(),
        "words": [_entry(one) for one in words.values()],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(f"{path.parent} cannot be made: {explain(error)}") from None
    write_text(path, json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def _entry(word: Word) -> dict[str, Any]:
    return {
        "word": word.word,
        "language": word.language,
        "people": word.people,
        "agreement": word.agreement,
        "sources": {name: [share.people, share.weight] for name, share in word.sources.items()},
        "opposite": word.opposite,
        "nearest": list(word.nearest),
        "fit_rms_db": round(min(word.fit_rms_db, 60.0), 4)
        if math.isfinite(word.fit_rms_db)
        else 60.0,
        "curve_db": np.round(word.curve_db, 4).tolist(),
        "spread_db": None,
        "bands": [[round(f, 3), round(gain, 4), round(q, 4)] for f, gain, q in word.bands],
    }
