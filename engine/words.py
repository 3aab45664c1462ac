"""What people mean by a word: its typical curve, how far they agree, and the bands that make it.

Conventions
-----------
``curve_db`` is the mean curve of a word over people, broadband level removed, at the word's natural
strength; its grid is the vocabulary's ``freqs_hz``. ``settings`` are seven bands whose analogue prototypes
follow it.
``agreement`` is the mean correlation between the curves of two people: 1 when all drew the same shape,
0 when knowing one person's curve tells nothing of another's. Below `LOW_AGREEMENT` a word is kept and
marked: words such as happy, cold or pleasant lie near 0, warm and clear at 0.2 to 0.4, tinny above 0.7.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from semeq.engine.errors import DataError, SettingsError, UnknownWordError
from semeq.engine.settings import (
    FREQ_RANGE_HZ,
    GAIN_LIMIT_DB,
    LAYOUT,
    Q_RANGE,
    Band,
    EQSettings,
)
from semeq.engine.spelling import normalise_word, suggest
from semeq.engine.texts import load_json
from semeq.engine.units import Floats, read_only

FORMAT = "semeq-words"
FORMAT_VERSION = 1
LANGUAGES = ("en", "es")
#: Under this mean correlation between people, a word has no curve to speak of.
LOW_AGREEMENT = 0.15
#: No curve of a person, let alone a mean, leaves this range (dB).
CURVE_LIMIT_DB = 60.0
#: The source of words that the user brought along.
PERSONAL = "yours"
_LOWEST = (FREQ_RANGE_HZ[0], -GAIN_LIMIT_DB, Q_RANGE[0])
_HIGHEST = (FREQ_RANGE_HZ[1], GAIN_LIMIT_DB, Q_RANGE[1])


#: Frequency in Hz, gain in dB and q, seven times.
Bands = tuple[tuple[float, float, float], ...]


@lru_cache(maxsize=1024)
def _settings(bands: Bands) -> EQSettings:
    # Made when asked for: 800 words in full would take a tenth of the start-up of every command.
    return EQSettings(
        tuple(Band(kind, f, gain, q) for kind, (f, gain, q) in zip(LAYOUT, bands, strict=True))
    )


@dataclass(frozen=True, slots=True)
class Share:
    """How much one source gave to a word: its people, and its weight in the mean, in [0, 1]."""

    people: int
    weight: float


@dataclass(frozen=True, slots=True)
class Word:
    """One word.

    Parameters
    ----------
    word : str
        In lower case.
    language : str
        "en" or "es".
    curve_db : Floats
        Level-removed mean curve in dB, shape ``(n,)``, read-only.
    spread_db : Floats or None
        Standard deviation over people in dB, shape ``(n,)``; None below three people.
    people : int
        How many people taught it, at least 1.
    agreement : float or None
        Mean correlation between two people, in [-1, 1]; None for one person.
    sources : Mapping of str to Share
        Data sets by name.
    opposite : str or None
        The word whose curve is most nearly the reverse, if any is.
    nearest : tuple of str
        Words with the most similar curves, best first.
    bands : tuple of (float, float, float)
        Frequency in Hz, gain in dB and q of the seven bands that follow the curve; see ``settings``.
    fit_rms_db : float
        Rms distance in dB between the bands' response and the curve.
    """

    word: str
    language: str
    curve_db: Floats
    spread_db: Floats | None
    people: int
    agreement: float | None
    sources: Mapping[str, Share]
    opposite: str | None
    nearest: tuple[str, ...]
    bands: Bands
    fit_rms_db: float

    @property
    def settings(self) -> EQSettings:
        """The seven bands that follow the curve."""
        return _settings(self.bands)

    @property
    def strength_db(self) -> float:
        """Rms of the curve in dB: how strong the word is at weight 1."""
        return math.sqrt(float(self.curve_db @ self.curve_db) / len(self.curve_db))

    @property
    def single_person(self) -> bool:
        """Whether one person alone taught the word, and it is not the user."""
        return self.people == 1 and PERSONAL not in self.sources

    @property
    def low_agreement(self) -> bool:
        """Whether the people who taught it did not mean the same."""
        return self.agreement is not None and self.agreement < LOW_AGREEMENT


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words by name, and the grid of their curves (``freqs_hz``, shape ``(n,)``, ascending)."""

    freqs_hz: Floats
    words: Mapping[str, Word]

    def get(self, name: str) -> Word:
        """Return a word, whatever the case of its letters.

        Raises
        ------
        UnknownWordError
            If nobody taught it; the error holds the nearest words.
        """
        word = self.words.get(name) or self.words.get(normalise_word(name))
        if word is None:
            people = {known: entry.people for known, entry in self.words.items()}
            raise UnknownWordError(normalise_word(name), suggest(name, people))
        return word

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the vocabulary written in `text` (the format of ``presets/words.json``).

        Raises
        ------
        DataError
            If anything is missing, of the wrong size, out of range or not finite.
        """
        try:
            content = load_json(text)
        except ValueError as error:
            raise DataError(f"the vocabulary must be JSON, got {error}") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise DataError(f"the vocabulary must be of format {FORMAT!r}")
        if content.get("version") != FORMAT_VERSION:
            raise DataError(
                f"the vocabulary must be of version {FORMAT_VERSION}, got {content.get('version')}"
            )
        try:
            return cls._from_content(content)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"the vocabulary is damaged: {type(error).__name__}: {error}"
            ) from error

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        freqs_hz = _row(content["freqs_hz"], "freqs_hz", None)
        if len(freqs_hz) < 2 or not (freqs_hz[0] > 0.0 and np.all(np.diff(freqs_hz) > 0.0)):
            raise DataError("freqs_hz must be positive and ascending")
        entries = content["words"]
        curves = _curves(entries, len(freqs_hz))
        _check_bands(entries)
        words: dict[str, Word] = {}
        for entry, curve in zip(entries, curves, strict=True):
            word = _word(entry, curve)
            if word.word in words:
                raise DataError(f"each word must be there once, got {word.word!r} twice")
            words[word.word] = word
        for word in words.values():
            for name in (*word.nearest, *((word.opposite,) if word.opposite else ())):
                if name not in words:
                    raise DataError(f"{word.word!r} must refer to known words, got {name!r}")
        return cls(freqs_hz, MappingProxyType(words))


def _row(values: object, name: str, size: int | None) -> Floats:
    row = np.array(values, dtype=np.float64)
    if row.ndim != 1 or (size is not None and len(row) != size) or not np.isfinite(row).all():
        wanted = f"{size} finite numbers" if size else "a row of finite numbers"
        raise DataError(f"{name} must be {wanted}, got shape {row.shape}")
    return read_only(row)


def _between(value: object, low: float, high: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise DataError(f"{name} must be in [{low:g}, {high:g}], got {value!r}")
    return value


def _curves(entries: list[dict[str, Any]], points: int) -> Floats:
    """Return all curves, shape ``(words, n)``: checked together, one by one only to name the culprit."""
    rows = [entry["curve_db"] for entry in entries]
    try:
        curves = np.array(rows, dtype=np.float64).reshape(len(rows), points)
    except (ValueError, TypeError):
        curves = np.full((1, 1), np.nan)
    largest = np.abs(curves).max(axis=1, initial=0.0)
    if not np.all((largest > 0.0) & (largest <= CURVE_LIMIT_DB)):
        for entry in entries:
            row = np.abs(_row(entry["curve_db"], f"curve_db of {entry['word']!r}", points))
            if not 0.0 < row.max() <= CURVE_LIMIT_DB:
                raise DataError(
                    f"the curve of {entry['word']!r} must be within ±{CURVE_LIMIT_DB:g} dB and not flat"
                )
    return read_only(curves)


def _check_bands(entries: list[dict[str, Any]]) -> None:
    bands = [entry["bands"] for entry in entries]
    values = np.array(bands, dtype=np.float64).reshape(len(bands), len(LAYOUT), 3)
    inside = (values >= _LOWEST) & (values <= _HIGHEST)
    for k in np.flatnonzero(~inside.all(axis=(1, 2))):
        try:
            _settings(tuple(map(tuple, bands[k])))
        except SettingsError as error:
            raise DataError(f"bands of {entries[k]['word']!r}: {error}") from error


def _word(entry: dict[str, Any], curve: Floats) -> Word:
    name = entry["word"]
    if not (isinstance(name, str) and name and name == normalise_word(name)):
        raise DataError(f"a word must be text in lower case, got {name!r}")
    if entry["language"] not in LANGUAGES:
        raise DataError(f"the language of {name!r} must be one of {', '.join(LANGUAGES)}")
    spread = entry["spread_db"]
    if spread is not None:
        spread = _row(spread, f"spread_db of {name!r}", len(curve))
        if spread.min() < 0.0:
            raise DataError(f"the spread of {name!r} must not be negative, got {spread.min():g}")
    people = int(_between(entry["people"], 1, 10**6, f"people of {name!r}"))
    agreement = entry["agreement"]
    if (agreement is None) != (people == 1):
        raise DataError(f"agreement of {name!r} must be there for two people or more")
    if agreement is not None:
        agreement = float(_between(agreement, -1.0, 1.0, f"agreement of {name!r}"))
    sources = {
        source: Share(
            int(_between(count, 1, people, f"people of {name!r} in {source}")),
            float(_between(weight, 0.0, 1.0, f"weight of {name!r} in {source}")),
        )
        for source, (count, weight) in entry["sources"].items()
    }
    if sum(share.people for share in sources.values()) != people:
        raise DataError(f"the people of {name!r} must be the sum over its sources")
    return Word(
        word=name,
        language=entry["language"],
        curve_db=curve,
        spread_db=spread,
        people=people,
        agreement=agreement,
        sources=MappingProxyType(sources),
        opposite=entry["opposite"],
        nearest=tuple(entry["nearest"]),
        bands=tuple(map(tuple, entry["bands"])),
        fit_rms_db=float(_between(entry["fit_rms_db"], 0.0, CURVE_LIMIT_DB, f"fit of {name!r}")),
    )
