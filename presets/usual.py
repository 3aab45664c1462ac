"""Finds and reads the usual spectrum that ships with semeq: the mean of much music."""

from functools import cache
from importlib.resources import files

import numpy as np

from semeq.engine.balance import Balance
from semeq.engine.errors import DataError
from semeq.engine.reference import Spectrum
from semeq.engine.texts import load_json
from semeq.engine.units import Floats, read_only

USUAL_FILE = "usual.json"
FORMAT, VERSION = "semeq-usual-spectrum", 1
#: No mean of music goes further from its own mean (dB).
_LIMIT_DB = 60.0


def parse_usual(text: str) -> tuple[Floats, Floats]:
    """Return frequencies in Hz and levels in dB, mean 0, of the file's text.

    Raises
    ------
    DataError
        If it is not such a file.
    """
    try:
        content = load_json(text)
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise ValueError("another format or version")
        freqs_hz, levels = (np.array(content[key], float) for key in ("freqs_hz", "spectrum_db"))
        is_right = (
            freqs_hz.ndim == 1
            and freqs_hz.shape == levels.shape
            and bool(np.all(np.diff(freqs_hz) > 0.0) and freqs_hz[0] > 0.0)
            and bool(np.all(np.abs(levels) <= _LIMIT_DB))
        )
        if not is_right:
            raise ValueError("numbers out of range")
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise DataError(f"{USUAL_FILE} is damaged: {error}; install semeq again") from error
    return read_only(freqs_hz), read_only(levels - levels.mean())


@cache
def _shipped() -> tuple[Floats, Floats]:
    try:
        text = (files("semeq.presets") / USUAL_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{USUAL_FILE} must be readable, got {error}; install semeq again"
        ) from error
    return parse_usual(text)


def load_usual_spectrum(freqs_hz: Floats) -> Spectrum:
    """Return the usual spectrum on a grid of frequencies.

    Raises
    ------
    DataError
        If the installed file is missing or damaged.
    """
    own, levels = _shipped()
    at_grid = np.interp(np.log(freqs_hz), np.log(own), levels)
    return Spectrum(read_only(at_grid - at_grid.mean()), read_only(np.ones(len(freqs_hz))))


def load_usual_balance() -> Balance:
    """Return the balance of usual music.

    Raises
    ------
    DataError
        If the installed file is missing or damaged.
    """
    own, _ = _shipped()
    return load_usual_spectrum(own).balance(own)
