"""From human data to words.json: what counts, what is written, and that it is the same every time."""

import json
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from human_data import safe_row, small_data, social_row, write_data

from semeq.engine.design import prototype_db, response_db
from semeq.engine.errors import DataError
from semeq.engine.words import Vocabulary
from semeq.presets.library import WORDS_FILE, load_vocabulary
from semeq.training.human import SAFE_FILE, SOCIAL_FILE, read_safe, read_social
from semeq.training.word_fit import fit_curves
from semeq.training.words import GRID_HZ, STRONGEST_DB, agreement, build, main

ROOT = Path(__file__).parents[2]
REAL_DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(
    not (REAL_DATA / SAFE_FILE).exists(), reason="the human data is not beside the checkout"
)
#: Curves are written with two decimals.
WRITTEN_DB = 0.0051


def read(folder: Path, *, any_version: bool = True) -> str:
    return build(
        read_safe(folder / SAFE_FILE, any_version=any_version),
        read_social(folder / SOCIAL_FILE, any_version=any_version),
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(read(small_data(tmp_path_factory.mktemp("data"))))
    return content


def by_word(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["word"]: entry for entry in content["words"]}


def test_what_counts_as_a_word(small: dict[str, Any]) -> None:
    wanted = {"warm", "bright", "muddy", "sparkle", "nice", "cálido", "claro"}
    assert set(by_word(small)) == wanted
    assert small["left_out"] == {
        "safe_rows_of_other_names": 4,
        "safe_rows_repeated": 1,
        "safe_rows_flat": 1,
        "safe_names": 3,
        "social_names": 1,
    }


def test_people_are_counted_not_rows(small: dict[str, Any]) -> None:
    words = by_word(small)
    # Contributors 1, 2 and 3 (of "warmth"), and three rows of SocialEQ.
    assert words["warm"]["people"] == 6
    assert words["warm"]["sources"] == {"SAFE-DB": [3, 0.5], "SocialEQ": [3, 0.5]}
    assert words["bright"]["sources"] == {"SAFE-DB": [3, 0.5], "SocialEQ": [3, 0.5]}
    assert words["muddy"]["sources"] == {"SAFE-DB": [3, 1.0]}
    assert words["nice"]["sources"] == {"SocialEQ": [3, 1.0]}


def test_languages(small: dict[str, Any]) -> None:
    words = by_word(small)
    assert words["cálido"]["language"] == words["claro"]["language"] == "es"
    # Five people gave it as an English word, one as a Spanish one.
    assert words["bright"]["language"] == "en"
    languages = [entry["language"] for entry in small["words"]]
    assert languages == sorted(languages)


def test_curves_have_no_level_and_the_right_direction(small: dict[str, Any]) -> None:
    for entry in small["words"]:
        assert abs(np.mean(entry["curve_db"])) < WRITTEN_DB
    warm, bright = (np.array(by_word(small)[w]["curve_db"]) for w in ("warm", "bright"))
    assert warm[:20].mean() > 2.0 > -2.0 > warm[40:].mean()
    assert bright[40:].mean() > 2.0 > -2.0 > bright[:20].mean()


def test_the_mean_is_that_of_the_people(tmp_path: Path) -> None:
    content = json.loads(
        read(
            write_data(
                tmp_path,
                [
                    safe_row("muddy", 1, 1, peak1_gain_db=8.0),
                    safe_row("muddy", 2, 2, peak1_gain_db=2.0),
                    safe_row("muddy", 2, 3, peak1_gain_db=4.0),
                    *(safe_row("warm", k, 4 + k, low_shelf_gain_db=4.0 + k) for k in (1, 2)),
                ],
                [social_row("warm", -1.0), social_row("warm", -1.0, 0.1)],
            )
        )
    )
    rows = read_safe(tmp_path / SAFE_FILE, any_version=True).rows
    curves = [response_db(row.settings, 44_100.0, GRID_HZ, design="rbj") for row in rows[:3]]
    wanted = (curves[0] + (curves[1] + curves[2]) / 2.0) / 2.0
    found = by_word(content)["muddy"]["curve_db"]
    np.testing.assert_allclose(found, wanted - wanted.mean(), rtol=0, atol=WRITTEN_DB)


def test_shapes_get_the_scale_of_settings(small: dict[str, Any]) -> None:
    scale = small["scale"]
    assert scale["words"] == 2  # warm and bright: two people or more in both sets
    nice = by_word(small)["nice"]
    assert 2.0 < scale["db_per_unit"] < 6.0
    assert np.std(nice["curve_db"]) < scale["db_per_unit"]
    # One SocialEQ person has deviation 1 over the bands, and nearly that over log-frequency.
    claro = by_word(small)["claro"]
    assert np.std(claro["curve_db"]) == pytest.approx(scale["db_per_unit"], rel=0.15)


def test_spread_and_agreement(small: dict[str, Any]) -> None:
    words = by_word(small)
    assert words["warm"]["agreement"] > 0.9
    assert words["nice"]["agreement"] < 0.3
    assert words["claro"]["agreement"] is None
    assert len(words["warm"]["spread_db"]) == len(GRID_HZ)
    # With two people, mean and spread would give both rows away.
    assert words["cálido"]["people"] == 2
    assert words["cálido"]["spread_db"] is None
    assert words["sparkle"]["spread_db"] is None


def test_agreement_is_the_mean_over_pairs() -> None:
    curves = np.random.default_rng(1).standard_normal((5, 61)) + np.linspace(0, 2, 61)
    curves -= curves.mean(axis=1, keepdims=True)
    pairs = [np.corrcoef(a, b)[0, 1] for a, b in combinations(curves, 2)]
    assert agreement(curves) == pytest.approx(np.mean(pairs))


def test_opposite_and_nearest_stay_in_the_language(small: dict[str, Any]) -> None:
    words = by_word(small)
    assert words["warm"]["opposite"] == "bright"
    assert words["bright"]["opposite"] == "warm"
    assert "sparkle" not in words["bright"]["nearest"]  # one person is no candidate
    assert words["claro"]["opposite"] == "cálido"
    assert words["cálido"]["opposite"] == "claro"  # nothing else in Spanish


def test_no_word_is_too_strong(small: dict[str, Any]) -> None:
    for entry in small["words"]:
        assert np.std(entry["curve_db"]) < STRONGEST_DB + WRITTEN_DB
    assert np.std(by_word(small)["sparkle"]["curve_db"]) == pytest.approx(STRONGEST_DB, abs=0.01)


def test_it_reads_back_as_a_vocabulary(small: dict[str, Any], tmp_path: Path) -> None:
    vocabulary = Vocabulary.from_json(json.dumps(small))
    for word in vocabulary.words.values():
        missed = prototype_db(word.settings, GRID_HZ) - word.curve_db
        assert word.fit_rms_db == pytest.approx(np.sqrt(np.mean(missed**2)), abs=6e-4)


def test_the_text_is_one_word_a_line_and_the_same_every_time(tmp_path: Path) -> None:
    text = read(small_data(tmp_path))
    assert read(tmp_path) == text
    lines = text.splitlines()
    assert sum(line.startswith('{"word":"') for line in lines) == 7
    assert "\r" not in text


def test_no_setting_of_a_person_is_written(tmp_path: Path) -> None:
    text = read(small_data(tmp_path))
    assert "contributor" not in text
    assert "re27" not in text
    assert "my vocal" not in text


def test_sets_that_share_no_word_have_no_scale(tmp_path: Path) -> None:
    write_data(tmp_path, [safe_row("warm", 1)], [social_row("bright", 1.0)])
    with pytest.raises(DataError, match="must share a word that 2 people or more in each"):
        read(tmp_path)


def test_the_command_writes_the_file(tmp_path: Path) -> None:
    folder, out = small_data(tmp_path), tmp_path / "out.json"
    result = CliRunner().invoke(main, ["--data", str(folder), "--out", str(out), "--any-version"])
    assert result.exit_code == 0
    assert "7 words, fit median" in result.stderr
    assert out.read_text(encoding="utf-8") == read(folder)


@pytest.mark.parametrize("present", [True, False])
def test_the_command_refuses_other_data(tmp_path: Path, present: bool) -> None:
    if present:
        small_data(tmp_path)
    out = tmp_path / "out.json"
    result = CliRunner().invoke(main, ["--data", str(tmp_path), "--out", str(out)])
    assert result.exit_code == 1
    assert ("must have sha256" if present else "must be a readable file") in result.stderr
    assert "Traceback" not in result.stderr
    assert not out.exists()


def test_curves_of_seven_bands_are_found_again() -> None:
    words = list(load_vocabulary().words.values())[:5]
    curves = np.array([prototype_db(w.settings, GRID_HZ) for w in words])
    _, missed = fit_curves(curves, GRID_HZ)
    assert missed.max() < 0.15


@needs_data
def test_what_ships_is_what_the_data_gives() -> None:
    shipped = (files("semeq.presets") / WORDS_FILE).read_bytes()
    assert read(REAL_DATA, any_version=False).encode() == shipped


def test_the_shipped_bands_follow_their_curves() -> None:
    words = list(load_vocabulary().words.values())
    missed = np.array([word.fit_rms_db for word in words])
    known = np.array([word.people > 1 for word in words])
    assert len(words) > 700
    assert np.median(missed) <= 0.3
    assert np.median(missed[known]) <= 0.2
    assert np.quantile(missed, 0.9) <= 0.4
    assert missed.max() <= 1.0
    for word in words[:50]:
        found = prototype_db(word.settings, GRID_HZ) - word.curve_db
        assert np.sqrt(np.mean(found**2)) == pytest.approx(word.fit_rms_db, abs=6e-4)


def test_the_shipped_words_are_as_the_papers_have_them() -> None:
    vocabulary = load_vocabulary()

    def r(one: str, other: str) -> float:
        a, b = vocabulary.get(one).curve_db, vocabulary.get(other).curve_db
        return float(np.corrcoef(a, b)[0, 1])

    # In SocialEQ alone: warm and bright -0.92, warm and cold -0.98.
    assert -0.97 < r("warm", "bright") < -0.85
    assert r("warm", "cold") < -0.9
    agreed = {
        name: value
        for name, word in vocabulary.words.items()
        if (value := word.agreement) is not None
    }
    high = ("tinny", "deep", "light", "dark", "sharp", "heavy", "bright", "muddy")
    middling = ("warm", "clear", "smooth")
    none = ("harsh", "happy", "cold", "beautiful", "cool", "pleasant")
    assert min(agreed[w] for w in high) > max(agreed[w] for w in middling)
    assert min(agreed[w] for w in middling) > max(agreed[w] for w in none)
    assert vocabulary.get("warm").people > 60
    assert set(vocabulary.get("warm").sources) == {"SAFE-DB", "SocialEQ"}
