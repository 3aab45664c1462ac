"""Readers of the human data: right files are read to the letter, others are refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from human_data import safe_row, social_row, write_csv

from semeq.engine.errors import DataError
from semeq.engine.settings import LAYOUT
from semeq.engine.units import Floats
from semeq.training.human import (
    SAFE_COLUMNS,
    SAFE_FS,
    SOCIAL_COLUMNS,
    SOCIAL_FREQS_HZ,
    HumanData,
    SafeRow,
    SocialRow,
    read_safe,
    read_social,
    safe_curves,
    social_curves,
)

FREQS = np.geomspace(20.0, 20_000.0, 31)


def cookbook_peak_db(freq_hz: float, gain_db: float, q: float) -> Floats:
    """Return a peak's response written out from the cookbook, as an independent judge."""
    w0 = 2 * np.pi * freq_hz / SAFE_FS
    a, alpha = 10 ** (gain_db / 40), np.sin(w0) / (2 * q)
    z = np.exp(-2j * np.pi * FREQS / SAFE_FS)
    top = 1 + alpha * a - 2 * np.cos(w0) * z + (1 - alpha * a) * z**2
    bottom = 1 + alpha / a - 2 * np.cos(w0) * z + (1 - alpha / a) * z**2
    response: Floats = 20 * np.log10(np.abs(top / bottom))
    return response


def safe(tmp_path: Path, *rows: dict[str, str]) -> HumanData[SafeRow]:
    return read_safe(write_csv(tmp_path / "s.csv", SAFE_COLUMNS, rows), any_version=True)


def social(tmp_path: Path, *rows: dict[str, str]) -> HumanData[SocialRow]:
    return read_social(write_csv(tmp_path / "z.csv", SOCIAL_COLUMNS, rows), any_version=True)


def test_five_bands_become_seven_that_sound_the_same(tmp_path: Path) -> None:
    gains = {"peak1_gain_db": 6.0, "peak1_freq_hz": 400.0, "peak1_q": 2.0}
    more = {"peak3_gain_db": -9.0, "peak3_freq_hz": 2500.0, "peak3_q": 0.5}
    (row,) = safe(tmp_path, safe_row(" Warm", 3, 42, **gains, **more)).rows
    assert (row.number, row.word, row.contributor) == (42, "warm", "3")
    assert tuple(band.kind for band in row.settings.bands) == LAYOUT
    (curve,) = safe_curves((row,), FREQS)
    wanted = cookbook_peak_db(400.0, 6.0, 2.0) + cookbook_peak_db(2500.0, -9.0, 0.5)
    np.testing.assert_allclose(curve, wanted - wanted.mean(), rtol=0, atol=1e-6)


def test_shapes_are_read_between_the_bands(tmp_path: Path) -> None:
    data = social(tmp_path, social_row("Bright", 1.0), social_row("frío", -1.0, 0.5, "Español"))
    one, other = data.rows
    assert (one.word, one.language, other.word, other.language) == ("bright", "en", "frío", "es")
    assert one.consistency == 0.5
    at_the_bands = social_curves(data.rows, np.array(SOCIAL_FREQS_HZ, dtype=float))
    np.testing.assert_allclose(at_the_bands[0], one.shape, rtol=0, atol=1e-9)
    curves = social_curves(data.rows, FREQS)
    assert curves.shape == (2, len(FREQS))
    np.testing.assert_allclose(curves.mean(axis=1), 0.0, atol=1e-12)
    assert (np.diff(curves[0]) >= 0.0).all()


def test_no_rows_give_no_curves() -> None:
    assert safe_curves((), FREQS).shape == (0, len(FREQS))
    assert social_curves((), FREQS).shape == (0, len(FREQS))


@pytest.mark.parametrize(
    "changes",
    [
        {"peak1_gain_db": "loud"},
        {"peak1_gain_db": "nan"},
        {"peak1_gain_db": "13"},
        {"high_shelf_gain_db": "-12.5"},
        {"peak2_q": "0"},
        {"peak2_freq_hz": "-1"},
        {"low_shelf_freq_hz": "inf"},
        {"low_shelf_freq_hz": ""},
        {"descriptor": "  "},
        {"contributor": ""},
        {"id": "x"},
    ],
)
def test_corrupt_settings_are_counted_and_left_out(tmp_path: Path, changes: dict[str, str]) -> None:
    good = [safe_row("warm", 1), safe_row("bright", 2)]
    data = safe(tmp_path, good[0], safe_row("dark", 3) | changes, good[1])
    assert [row.word for row in data.rows] == ["warm", "bright"]
    assert data.corrupt == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"RSC_20Hz_band": "nan"},
        {"RSC_20Hz_band": "9"},
        {"RSC_20Hz_band": ""},
        {"language": "Klingon"},
        {"descriptor": ""},
        {"ratings_consistency": "high"},
    ],
)
def test_corrupt_shapes_are_counted_and_left_out(tmp_path: Path, changes: dict[str, str]) -> None:
    good = social_row("warm", -1.0)
    data = social(tmp_path, good, social_row("dark", -1.0) | changes, good)
    assert len(data.rows) == 2
    assert data.corrupt == 1


def test_rows_of_another_length_are_corrupt(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "s.csv", SAFE_COLUMNS, [safe_row("warm", 1), safe_row("dull", 2)])
    short, long = "9,dark,3\n", ",".join("9" * (len(SAFE_COLUMNS) + 1)) + "\n"
    for line in (short, long):
        mixed = tmp_path / "mixed.csv"
        mixed.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
        data = read_safe(mixed, any_version=True)
        assert (len(data.rows), data.corrupt) == (2, 1)


def test_a_file_that_is_mostly_corrupt_is_refused(tmp_path: Path) -> None:
    bad = safe_row("dark", 3) | {"id": "x"}
    with pytest.raises(DataError, match="more good rows than bad ones, got 1 and 1"):
        safe(tmp_path, safe_row("warm", 1), bad)
    with pytest.raises(DataError, match="more good rows than bad ones, got 0 and 1"):
        safe(tmp_path, bad)


def test_another_version_is_refused_unless_asked_for(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "safe_eq.csv", SAFE_COLUMNS, [safe_row("warm", 1)])
    with pytest.raises(DataError, match=r"safe_eq.csv must have sha256 27c9d98e\w+, got \w{64}; "):
        read_safe(path)
    with pytest.raises(DataError, match=r"sha256 aefb83c8\w+, got"):
        read_social(path)
    assert len(read_safe(path, any_version=True).rows) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must start with its 20 column names, got no id"),
        (b"a,b\n1,2\n", "must start with its 20 column names, got no id"),
        ((",".join(reversed(SAFE_COLUMNS)) + "\n").encode(), "column names, got 20 columns"),
        ((",".join(SAFE_COLUMNS[:-1]) + "\n").encode(), "column names, got no experience_years"),
        ((",".join(SAFE_COLUMNS) + "\n").encode(), None),
        (b"\xff\xfe\x00", "must be a UTF-8 CSV file"),
        ((",".join(SAFE_COLUMNS) + '\n1,"open').encode(), "must be a UTF-8 CSV file"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, content: bytes, message: str | None) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    if message is None:
        assert read_safe(path, any_version=True).rows == ()
        return
    with pytest.raises(DataError, match=message) as caught:
        read_safe(path, any_version=True)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_whom_to_ask(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must be a readable file, got No such file.*ask its"):
        read_safe(tmp_path / "none.csv")
    with pytest.raises(DataError, match="must be a readable file, got Is a directory"):
        read_social(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "s.csv", SAFE_COLUMNS, [safe_row("warm", 1)])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_safe(path, any_version=True).rows[0].word == "warm"
