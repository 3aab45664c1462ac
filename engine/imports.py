"""Equaliser text and target curves of other programs, read as a response in dB.

What is read
------------
- ``Filter: ON PK Fc 100 Hz Gain 3 dB Q 1`` of Equalizer APO, AutoEq and Room EQ Wizard: peaks and shelves,
  each with its program's meaning of Q, of a slope, and of ``LS``/``HS`` (Fc is the corner) beside
  ``LSC``/``HSC`` and ``LS Q``/``HS Q`` (Fc is the centre).
- ``GraphicEQ: 20 -1.5; 25 -1.4; …`` of the same.
- A table of frequencies in Hz and levels in dB, with or without a head; its cells stand between commas,
  semicolons, tabs or spaces.
"""

import csv
import math
import re
from dataclasses import dataclass

import numpy as np

from semeq.engine.errors import DataError, SettingsError
from semeq.engine.settings import Band, Kind
from semeq.engine.units import Floats, read_only

MOST_LINES = 20_000
MOST_FILTERS = 100
LEVEL_LIMIT_DB = 60.0
#: Heads of a column of levels, best first; otherwise it is the second column.
LEVEL_HEADS = ("raw", "target", "gain", "db", "spl", "magnitude", "level")

_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_COMMAND = re.compile(r"\s*([A-Za-z]+)\s*\d*\s*:\s*(.*)")
_TYPE = re.compile(r"(ON|OFF)\s+((?:[LH]S) (?:Q\b)|None|[A-Za-z]+)\s*", re.I)
_SLOPE = re.compile(rf"{_NUMBER}\s*dB\b", re.I)
_FC = re.compile(r"\bFc\s*([-+0-9.,eE\u00a0]+)\s*Hz", re.I)
_GAIN = re.compile(rf"\bGain\s*{_NUMBER}\s*dB", re.I)
_Q = re.compile(rf"\bQ\s*{_NUMBER}", re.I)
_OCTAVES = re.compile(rf"\bBW\s+Oct\s*{_NUMBER}", re.I)
_PREAMP = re.compile(rf"{_NUMBER}\s*dB", re.I)
_PAIR = re.compile(rf"\s*{_NUMBER}\s+{_NUMBER}\s*\Z")
_PEAKS = {"PK", "PEQ", "MODAL"}
_SHELVES = {"LS": Kind.LOW_SHELF, "HS": Kind.HIGH_SHELF}
#: A shelf without a width, in Equalizer APO: this slope.
_DEFAULT_SLOPE = 0.9
_IGNORED = {"device", "stage", "eval"}


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds: either bands, or a curve; and a preamp that is not part of the sound.

    Parameters
    ----------
    what : str
        "filters", "graphic equaliser" or "curve".
    bands : tuple of Band
        Cookbook bands; empty for a curve.
    freqs_hz, curve_db : Floats
        A curve, ascending; empty for bands.
    preamp_db : float
        What was asked for beside; 0 if nothing was.
    notes : tuple of str
        What the reader should know.
    """

    what: str
    bands: tuple[Band, ...]
    freqs_hz: Floats
    curve_db: Floats
    preamp_db: float = 0.0
    notes: tuple[str, ...] = ()


def read_equaliser(text: str) -> Read:
    """Return what `text` says, whichever of the forms it has.

    Raises
    ------
    DataError
        If it has none of them, or says what a peak or a shelf cannot do; the message names the line.
    """
    lines = text.lstrip("\ufeff").splitlines()
    if len(lines) > MOST_LINES:
        raise DataError(f"an equaliser must have at most {MOST_LINES} lines, got {len(lines)}")
    if any(re.match(r"\s*(Filter\s*\d*|GraphicEQ)\s*:", line, re.I) for line in lines):
        return _read_commands(lines)
    return _read_table(lines)


def _read_commands(lines: list[str]) -> Read:
    bands: list[Band] = []
    preamp, curve, notes = 0.0, None, []
    for number, line in enumerate(lines, 1):
        command = _COMMAND.match(line)
        if line.lstrip().startswith("#") or command is None:
            continue
        name, rest = command.group(1).lower(), command.group(2).strip()
        if name == "preamp":
            found = _PREAMP.match(rest)
            if found is None:
                raise DataError(f"line {number}: a preamp must be as in -3.2 dB, got {rest[:40]!r}")
            preamp += float(found.group(1))
        elif name == "graphiceq":
            if curve is not None:
                raise DataError(f"line {number}: there must be one GraphicEQ, got another")
            curve = _graphic(rest, number)
        elif name == "filter":
            band = _band(rest, number)
            if band is not None:
                bands.append(band)
        elif name == "channel" and rest.lower() not in ("all", ""):
            raise DataError(
                f"line {number}: one equaliser must serve all channels, got Channel: {rest[:40]}"
            )
        elif name in ("include", "convolution", "copy", "delay", "if"):
            raise DataError(
                f"line {number}: only filters can be read, got {command.group(1)}: "
                "name the file with the filters"
            )
        elif name in _IGNORED:
            notes.append(f"line {number} ({command.group(1)}) is not taken over")
    if curve is not None and bands:
        raise DataError("an equaliser must be filters or a GraphicEQ, got both")
    if curve is not None:
        return Read("graphic equaliser", (), *curve, preamp, tuple(notes))
    if not bands:
        raise DataError("there must be at least one filter that is ON, got none")
    if len(bands) > MOST_FILTERS:
        raise DataError(f"there must be at most {MOST_FILTERS} filters, got {len(bands)}")
    nothing = read_only(np.zeros(0))
    return Read("filters", tuple(bands), nothing, nothing, preamp, tuple(notes))


def _band(rest: str, number: int) -> Band | None:
    kind = _TYPE.match(rest)
    if kind is None:
        if rest.upper().startswith("OFF"):
            return None
        raise DataError(
            f"line {number}: a filter must start with ON and its type, got {rest[:40]!r}"
        )
    name = kind.group(2).upper()
    if kind.group(1).upper() == "OFF" or name == "NONE":
        return None
    behind = rest[kind.end() :]
    shelf = _SHELVES.get(name[:2]) if name in ("LS", "HS", "LSC", "HSC", "LS Q", "HS Q") else None
    if shelf is None and name not in _PEAKS:
        raise DataError(
            f"line {number}: a filter must be a peak or a shelf (PK, LSC, HSC, LS, HS), got {name}"
        )
    fc, gain = _FC.search(behind), _GAIN.search(behind)
    if fc is None or gain is None:
        raise DataError(
            f"line {number}: a filter must have Fc in Hz and Gain in dB, got {rest[:60]!r}"
        )
    freq_hz, gain_db = _frequency(fc.group(1), number), float(gain.group(1))
    q = _width(behind, shelf is not None, gain_db, number)
    corner = name in ("LS", "HS") and (_Q.search(behind) or _SLOPE.match(behind))
    if shelf is not None and corner:
        # Equalizer APO takes Fc for the corner, where the shelf has begun, and moves it to the centre
        a = 10.0 ** (gain_db / 40.0)
        slope = 1.0 / ((1.0 / (q * q) - 2.0) / (a + 1.0 / a) + 1.0)
        factor = 10.0 ** (abs(gain_db) / 80.0 / slope)
        freq_hz *= factor if shelf is Kind.LOW_SHELF else 1.0 / factor
    try:
        return Band(shelf or Kind.PEAK, freq_hz, gain_db, q)
    except SettingsError as error:
        raise DataError(f"line {number}: {error}") from None


def _frequency(text: str, number: int) -> float:
    plain = text.replace("\u00a0", "").strip()
    if "," in plain and "." not in plain and not re.fullmatch(r"\d{1,3}(,\d{3})+", plain):
        plain = plain.replace(",", ".")  # a decimal comma
    plain = plain.replace(",", "")
    try:
        value = float(plain)
    except ValueError:
        raise DataError(f"line {number}: Fc must be a number of Hz, got {text.strip()!r}") from None
    if re.fullmatch(r"\d+\.\d{3}", plain):
        value *= 1000.0  # what Equalizer APO and Room EQ Wizard mean by it: thousands
    return value


def _width(behind: str, is_shelf: bool, gain_db: float, number: int) -> float:
    q, octaves, slope = _Q.search(behind), _OCTAVES.search(behind), _SLOPE.match(behind)
    if q is not None:
        return float(q.group(1))
    if is_shelf:
        steep = float(slope.group(1)) / 12.0 if slope else _DEFAULT_SLOPE
        a = 10.0 ** (gain_db / 40.0)
        inverse = (a + 1.0 / a) * (1.0 / steep - 1.0) + 2.0 if steep > 0.0 else 0.0
        if inverse <= 0.0:
            raise DataError(f"line {number}: a slope must be above 0 dB, got {steep * 12.0:g} dB")
        return 1.0 / math.sqrt(inverse)
    if octaves is not None and float(octaves.group(1)) > 0.0:
        return 1.0 / (2.0 * math.sinh(math.log(2.0) / 2.0 * float(octaves.group(1))))
    raise DataError(f"line {number}: a peak must have a Q or BW Oct, got neither")


def _graphic(rest: str, number: int) -> tuple[Floats, Floats]:
    pairs = []
    for part in filter(str.strip, rest.split(";")):
        pair = _PAIR.match(part)
        if pair is None:
            raise DataError(
                f"line {number}: GraphicEQ must be pairs as in 20 -1.5; 25 -1.4, got {part[:40]!r}"
            )
        pairs.append((float(pair.group(1)), float(pair.group(2))))
    return _curve(pairs)


def _curve(pairs: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    table = np.array(sorted(pairs), dtype=np.float64).reshape(-1, 2)
    freqs, levels = table[:, 0], table[:, 1]
    if len(table) < 2 or not (np.isfinite(table).all() and freqs[0] > 0.0):
        raise DataError(
            f"a curve must have two points or more, at positive frequencies, got {len(table)} points"
        )
    if not np.all(np.diff(freqs) > 0.0):
        twice = freqs[:-1][np.diff(freqs) <= 0.0][0]
        raise DataError(f"a curve must have each frequency once, got {twice:g} Hz twice")
    if np.abs(levels).max() > LEVEL_LIMIT_DB and np.ptp(levels) > 2.0 * LEVEL_LIMIT_DB:
        raise DataError(
            f"a curve must span at most {2.0 * LEVEL_LIMIT_DB:g} dB, got {np.ptp(levels):.0f} dB"
        )
    return read_only(freqs.copy()), read_only(levels.copy())


def _read_table(lines: list[str]) -> Read:
    filled = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", "*"))]
    if not filled:
        raise DataError(
            "there must be filters, a GraphicEQ or a table of Hz and dB, got none of them"
        )
    rows = [_cells(line) for line in filled]
    head: list[str] = []
    if not _is_number(rows[0][0]):
        head = [cell.strip().strip('"').lower() for cell in rows.pop(0)]
    if not rows:
        raise DataError(
            f"there must be filters, a GraphicEQ or a table of Hz and dB, got {filled[0][:40]!r}"
        )
    column, notes = _level_column(head), []
    if head and len(head) > 2:
        notes.append(f"the levels are those of the column {head[column]!r}")
    pairs = []
    for number, row in enumerate(rows, 2 if head else 1):
        if len(row) <= column or not (_is_number(row[0]) and _is_number(row[column])):
            shown = ",".join(row)[:40]
            raise DataError(
                "there must be filters, a GraphicEQ or a table of Hz and dB, "
                f"got {shown!r} in row {number}"
            )
        pairs.append((float(row[0]), float(row[column])))
    freqs, levels = _curve(pairs)
    return Read("curve", (), freqs, levels, 0.0, tuple(notes))


def _cells(line: str) -> list[str]:
    for mark in (";", "\t", ","):
        if mark in line:
            cells = next(csv.reader([line], delimiter=mark))
            if mark != ",":
                cells = [cell.replace(",", ".") for cell in cells]
            return [cell.strip() for cell in cells]
    return line.split()


def _level_column(head: list[str]) -> int:
    for name in LEVEL_HEADS:
        for k, cell in enumerate(head[1:], 1):
            if name in cell:
                return k
    return 1


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
