"""JSON and TOML of anybody's: whatever is wrong with them is one kind of error, and their numbers fit.

A text may nest so deeply that a parser gives up, or hold whole numbers of thousands of digits, which Python
reads and then cannot turn into a float. Both are refused here, once, so that no reader has to think of it.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

#: Beyond every whole number that any file of ours holds (positions in samples, counts).
_LARGEST = 2**63
_MOST_DIGITS = 20


def read_limited(path: Path, most_bytes: int) -> bytes:
    """Return the content of a file that must not be longer.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it has more bytes.
    """
    with path.open("rb") as file:
        raw = file.read(most_bytes + 1)
    if len(raw) > most_bytes:
        raise ValueError(f"more than {most_bytes:,} bytes")
    return raw


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def load_json(text: str | bytes) -> Any:  # noqa: ANN401 (JSON is anything)
    """Return what a JSON text says.

    Raises
    ------
    ValueError
        If it is none, nests too deeply, or holds a whole number beyond 64 bits.
    """
    try:
        return json.loads(text, parse_int=_whole)
    except RecursionError:
        raise ValueError("it nests too deeply") from None


def load_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text says.

    Raises
    ------
    ValueError
        If it is none (`tomllib.TOMLDecodeError`), nests too deeply, or holds a whole number beyond 64 bits.
    """
    try:
        content = tomllib.loads(text)
        _check(content)
    except RecursionError:
        raise ValueError("it nests too deeply") from None
    return content


def _check(value: object) -> None:
    if isinstance(value, dict):
        for one in value.values():
            _check(one)
    elif isinstance(value, list):
        for one in value:
            _check(one)
    elif isinstance(value, int) and abs(value) >= _LARGEST:
        raise ValueError("a whole number beyond 64 bits")
