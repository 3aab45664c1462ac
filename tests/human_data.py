"""Made-up data in the layout of SAFE-DB and SocialEQ: no row of it comes from a person."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from semeq.training.human import SAFE_COLUMNS, SAFE_FILE, SOCIAL_COLUMNS, SOCIAL_FILE

#: Neutral values of everything that a test does not set.
SAFE_DEFAULTS = {
    "channels": "2",
    "low_shelf_gain_db": "0.0",
    "low_shelf_freq_hz": "150.0",
    "peak1_gain_db": "0.0",
    "peak1_freq_hz": "560.0",
    "peak1_q": "0.71",
    "peak2_gain_db": "0.0",
    "peak2_freq_hz": "1000.0",
    "peak2_q": "0.71",
    "peak3_gain_db": "0.0",
    "peak3_freq_hz": "3300.0",
    "peak3_q": "0.71",
    "high_shelf_gain_db": "0.0",
    "high_shelf_freq_hz": "8200.0",
    "genre": "",
    "instrument": "",
    "experience_years": "",
}


def safe_row(
    word: str, contributor: int, number: int = 1, **changes: float | str
) -> dict[str, str]:
    """Return one row of SAFE-DB: a setting saved under a word."""
    named = {"id": str(number), "descriptor": word, "contributor": str(contributor)}
    return SAFE_DEFAULTS | named | {name: str(value) for name, value in changes.items()}


def social_row(
    word: str, tilt: float, bend: float = 0.0, language: str = "English"
) -> dict[str, str]:
    """Return one row of SocialEQ: a tilt over the bands and a bend in the middle, mean 0, deviation 1."""
    x = np.linspace(-1.0, 1.0, len(SOCIAL_COLUMNS) - 4)
    shape = tilt * x + bend * (x**2 - np.mean(x**2))
    shape = (shape - shape.mean()) / shape.std()
    values = [word, language, "7", "0.5", *(f"{value:.12f}" for value in shape)]
    return dict(zip(SOCIAL_COLUMNS, values, strict=True))


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> Path:
    """Write rows under a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_data(
    folder: Path, safe: Iterable[Mapping[str, str]], social: Iterable[Mapping[str, str]]
) -> Path:
    """Write both files into a folder and return it."""
    write_csv(folder / SAFE_FILE, SAFE_COLUMNS, safe)
    write_csv(folder / SOCIAL_FILE, SOCIAL_COLUMNS, social)
    return folder


def small_data(folder: Path) -> Path:
    """Write a little of everything: both sets, two languages, junk, repeats and lone words."""

    def shelves(low: float, high: float) -> dict[str, float]:
        return {"low_shelf_gain_db": low, "high_shelf_gain_db": high}

    safe = [
        safe_row("warm", 1, 1, **shelves(5.0, -4.0)),
        safe_row("warm", 1, 2, **shelves(3.0, -2.0)),
        safe_row("warm", 2, 3, **shelves(6.0, -5.0)),
        safe_row("warm", 2, 4, **shelves(6.0, -5.0)),  # saved twice
        safe_row("warmth", 3, 5, **shelves(4.0, -4.0)),  # the noun of a word
        safe_row("bright", 1, 6, **shelves(-4.0, 6.0)),
        safe_row("bright", 4, 7, **shelves(-2.0, 5.0)),
        safe_row("brighter", 5, 8, **shelves(-3.0, 6.0)),  # its comparative
        safe_row("muddy", 1, 9, peak1_gain_db=8.0),
        safe_row("muddy", 2, 10, peak1_gain_db=6.0, peak1_freq_hz=300.0),
        safe_row("muddy", 3, 11, peak1_gain_db=7.0, peak1_freq_hz=400.0),
        safe_row("sparkle", 6, 12, peak3_gain_db=12.0, **shelves(-12.0, 12.0)),  # one person
        safe_row("re27", 6, 13, **shelves(1.0, 1.0)),  # not made of letters
        safe_row("my vocal", 6, 14, **shelves(1.0, 2.0)),  # one contributor, nobody else's word
        safe_row("vocals", 6, 15, **shelves(1.0, 2.0)),  # names a track
        safe_row("vocals", 7, 16, **shelves(1.0, 3.0)),
        safe_row("muddy", 8, 17),  # flat
    ]
    social = [
        *(social_row("Warm ", -1.0, bend) for bend in (-0.2, 0.0, 0.3)),
        *(social_row("bright", 1.0, bend) for bend in (-0.3, 0.1)),
        *(social_row("nice", tilt, 0.4) for tilt in (-1.0, 1.0, 0.3)),
        social_row("cálido", -1.0, 0.2, "Español"),
        social_row("cálido", -1.0, -0.2, "Español"),
        social_row("claro", 1.0, 0.2, "Español"),
        social_row("bright", 1.0, 0.0, "Español"),  # the same letters in two languages
        social_row("¿como", 1.0, 0.2, "Español"),  # not made of letters
    ]
    return write_data(folder, safe, social)
