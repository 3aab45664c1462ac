"""Readers of the human data: SAFE-DB equaliser settings and SocialEQ curves, with their words.

Neither set states a licence, so semeq ships none of their rows: both are read from a path that the
user gives, checked by sha256, and only what is aggregated over people (curves, weights) is kept.

Conventions
-----------
- A *word* is the descriptor as `semeq.engine.spelling.normalise_word` writes it; it is not stemmed.
- A SAFE *contributor* is an anonymised address. It may hide several people (a listening room), yet
  it is the closest thing to a person that the file has.
- A SocialEQ row is one person who taught one word: gains at 40 centre frequencies, mean 0 and standard
  deviation 1 over the bands. It has a shape and no dB.
- A row that cannot be right is left out and counted in ``corrupt``; a file with more bad rows than good
  ones is refused.

References
----------
.. [1] R. Stables, S. Enderby, B. De Man, G. Fazekas, J. D. Reiss, "SAFE: A system for the extraction and
       retrieval of semantic audio descriptors", ISMIR 2014.
.. [2] M. Cartwright, B. Pardo, "Social-EQ: Crowdsourcing an equalization descriptor map", ISMIR 2013.
.. [3] T. Zheng, P. Seetharaman, B. Pardo, "SocialFX: Studying a crowdsourced folksonomy of audio effects
       terms", ACM MM 2016.
"""

import csv
import hashlib
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from semeq.engine.design import response_db
from semeq.engine.errors import DataError, SettingsError
from semeq.engine.settings import REST_FREQS_HZ, SHELF_Q, Band, EQSettings, Kind
from semeq.engine.spelling import normalise_word
from semeq.engine.units import Floats, read_only

Row = TypeVar("Row")

SAFE_FILE = "safe_eq.csv"
SAFE_SHA256 = "27c9d98ef1c5945dd869249c666bcdd880a4d6e9a07957636c36740cbd1c5ed6"
SOCIAL_FILE = "socialeq.csv"
SOCIAL_SHA256 = "aefb83c8e4de89f8a21e287a50a884a7841ce319d6e84086efabc6c3d86789fa"

#: The rate of the plug-in's host is not recorded; 44.1 kHz is the default of its time.
SAFE_FS = 44_100.0
SAFE_GAIN_LIMIT_DB = 12.0
SAFE_PEAKS = (1, 2, 3)
SAFE_COLUMNS = (
    "id",
    "descriptor",
    "contributor",
    "channels",
    "low_shelf_gain_db",
    "low_shelf_freq_hz",
    *(f"peak{k}_{what}" for k in SAFE_PEAKS for what in ("gain_db", "freq_hz", "q")),
    "high_shelf_gain_db",
    "high_shelf_freq_hz",
    "genre",
    "instrument",
    "experience_years",
)
#: Centre frequencies of SocialEQ's bands in Hz.
SOCIAL_FREQS_HZ = (
    *(20, 50, 83, 120, 161, 208, 259, 318, 383, 455, 537, 628, 729, 843, 971, 1114, 1273, 1452),
    *(1652, 1875, 2126, 2406, 2719, 3070, 3462, 3901, 4392, 4941, 5556, 6244, 7014, 7875, 8839),
    *(9917, 11124, 12474, 13984, 15675, 17566, 19682),
)
SOCIAL_COLUMNS = (
    "descriptor",
    "language",
    "audio_id",
    "ratings_consistency",
    *(f"RSC_{f}Hz_band" for f in SOCIAL_FREQS_HZ),
)
LANGUAGES = {"English": "en", "Español": "es"}
#: How far a SocialEQ row may be from mean 0 and standard deviation 1.
SHAPE_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class SafeRow:
    """One equaliser setting that a contributor saved under a word."""

    number: int
    word: str
    contributor: str
    settings: EQSettings
    genre: str
    instrument: str


@dataclass(frozen=True, slots=True)
class SocialRow:
    """One person's curve for a word; ``shape`` has 40 values without a dB scale."""

    word: str
    language: str
    audio_id: str
    consistency: float
    shape: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class HumanData(Generic[Row]):
    """The rows of one file, its sha256, and how many rows were left out as corrupt."""

    rows: tuple[Row, ...]
    sha256: str
    corrupt: int


def _number(row: Mapping[str, str], name: str) -> float:
    value = float(row[name])
    if not math.isfinite(value):
        raise ValueError(name)
    return value


def _safe_band(row: Mapping[str, str], name: str, kind: Kind) -> Band:
    gain_db = _number(row, f"{name}_gain_db")
    if abs(gain_db) > SAFE_GAIN_LIMIT_DB + 1e-3:
        raise ValueError(name)
    q = _number(row, f"{name}_q") if kind is Kind.PEAK else SHELF_Q
    return Band(kind, _number(row, f"{name}_freq_hz"), gain_db, q)


def _safe_row(row: Mapping[str, str]) -> SafeRow:
    word = normalise_word(row["descriptor"])
    if not word or not row["contributor"]:
        raise ValueError("descriptor")
    # Three peaks, and two more that rest at 0 dB: seven bands that sound exactly as the five did.
    peaks = (_safe_band(row, f"peak{k}", Kind.PEAK) for k in SAFE_PEAKS)
    spare = (Band(Kind.PEAK, f) for f in REST_FREQS_HZ[4:6])
    settings = EQSettings(
        (
            _safe_band(row, "low_shelf", Kind.LOW_SHELF),
            *peaks,
            *spare,
            _safe_band(row, "high_shelf", Kind.HIGH_SHELF),
        )
    )
    return SafeRow(
        int(row["id"]), word, row["contributor"], settings, row["genre"], row["instrument"]
    )


def _social_row(row: Mapping[str, str]) -> SocialRow:
    word = normalise_word(row["descriptor"])
    if not word:
        raise ValueError("descriptor")
    shape = tuple(_number(row, name) for name in SOCIAL_COLUMNS[4:])
    if abs(np.mean(shape)) > SHAPE_TOLERANCE or abs(np.std(shape) - 1.0) > SHAPE_TOLERANCE:
        raise ValueError("shape")
    return SocialRow(
        word,
        LANGUAGES[row["language"]],
        row["audio_id"],
        _number(row, "ratings_consistency"),
        shape,
    )


def _read(
    path: Path,
    columns: tuple[str, ...],
    sha256: str,
    parse: Callable[[Mapping[str, str]], Row],
    any_version: bool,
) -> HumanData[Row]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} must be a readable file, got {error.strerror}; "
            "the data is not part of semeq: ask its authors for it"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256 and not any_version:
        raise DataError(
            f"{path.name} must have sha256 {sha256}, got {found}; "
            "give --any-version to read it all the same"
        )
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        header = tuple(reader.fieldnames or ())
        if header != columns:
            missing = [name for name in columns if name not in header]
            what = f"no {missing[0]}" if missing else f"{len(header)} columns"
            raise DataError(
                f"{path.name} must start with its {len(columns)} column names, got {what}"
            )
        rows, corrupt = [], 0
        for row in reader:
            try:
                if None in row or None in row.values():
                    raise ValueError("columns")
                rows.append(parse(row))
            except (ValueError, KeyError, SettingsError):
                corrupt += 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} must be a UTF-8 CSV file, got {error}") from error
    if corrupt >= max(len(rows), 1):
        raise DataError(
            f"{path.name} must have more good rows than bad ones, got {len(rows)} and {corrupt}"
        )
    return HumanData(tuple(rows), found, corrupt)


def read_safe(path: Path, *, any_version: bool = False) -> HumanData[SafeRow]:
    """Read SAFE-DB equaliser settings.

    Parameters
    ----------
    path : Path
        The CSV file, columns as in `SAFE_COLUMNS`.
    any_version : bool
        Whether to accept a file whose sha256 is not `SAFE_SHA256`.

    Raises
    ------
    DataError
        If the file is missing, is another version, or is not such a file.
    """
    return _read(Path(path), SAFE_COLUMNS, SAFE_SHA256, _safe_row, any_version)


def read_social(path: Path, *, any_version: bool = False) -> HumanData[SocialRow]:
    """Read SocialEQ contributions, columns as in `SOCIAL_COLUMNS`; see `read_safe`."""
    return _read(Path(path), SOCIAL_COLUMNS, SOCIAL_SHA256, _social_row, any_version)


def without_level(curves: Floats) -> Floats:
    """Return curves with their mean over frequency removed: broadband level is not meaning."""
    centred: Floats = curves - curves.mean(axis=-1, keepdims=True)
    return centred


def safe_curves(rows: tuple[SafeRow, ...], freqs_hz: Floats) -> Floats:
    """Return level-removed responses in dB, shape ``(rows, n)``."""
    curves = [response_db(row.settings, SAFE_FS, freqs_hz, design="rbj") for row in rows]
    return read_only(without_level(np.array(curves).reshape(len(rows), len(freqs_hz))))


def social_curves(rows: tuple[SocialRow, ...], freqs_hz: Floats) -> Floats:
    """Return level-removed shapes, shape ``(rows, n)``, in standard deviations.

    Linear between the bands over log-frequency, constant beyond the outermost.
    """
    at, centres = np.log(freqs_hz), np.log(SOCIAL_FREQS_HZ)
    curves = [np.interp(at, centres, row.shape) for row in rows]
    return read_only(without_level(np.array(curves).reshape(len(rows), len(freqs_hz))))
