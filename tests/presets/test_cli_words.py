"""``semeq words`` and ``semeq curve`` as a user and a script meet them."""

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from semeq.engine.design import response_db
from semeq.engine.settings import LAYOUT, Band, EQSettings
from semeq.presets.library import load_vocabulary

#: The contract is 0.5 s (measured: 0.35 s); a loaded test machine gets four times that.
START_S = 2.0
SEMEQ = (sys.executable, "-c", "from semeq.engine.cli import main; main()")


def semeq(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SEMEQ, *arguments], capture_output=True, text=True, encoding="utf-8", check=False
    )


def curve(*arguments: str) -> dict[str, Any]:
    result = semeq("curve", *arguments, "--json")
    assert result.returncode == 0, result.stderr
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def refused(*arguments: str) -> tuple[int, str]:
    result = semeq(*arguments)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.returncode, result.stderr


def test_the_list_of_words() -> None:
    result = semeq("words", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    entries = json.loads(result.stdout)
    by_word = {entry["word"]: entry for entry in entries}
    assert len(by_word) == len(entries) == len(load_vocabulary().words)
    warm = by_word["warm"]
    assert set(warm) >= {
        *("word", "language", "people", "agreement", "sources", "opposite", "nearest"),
        *("strength_db", "single_person", "low_agreement", "bands"),
    }
    assert warm["language"] == "en"
    assert (
        warm["sources"]["SocialEQ"]["people"] + warm["sources"]["SAFE-DB"]["people"]
        == warm["people"]
    )
    assert warm["sources"]["SAFE-DB"]["weight"] == pytest.approx(0.324)
    assert warm["opposite"] in by_word
    assert by_word["cold"]["low_agreement"] is True
    assert by_word["cálido"]["single_person"] is True
    assert by_word["cálido"]["agreement"] is None
    assert [band["kind"] for band in warm["bands"]] == [kind.value for kind in LAYOUT]


@pytest.mark.parametrize(("language", "word"), [("en", "warm"), ("es", "claro")])
def test_one_language(language: str, word: str) -> None:
    entries = json.loads(semeq("words", "--json", "--language", language).stdout)
    assert {entry["language"] for entry in entries} == {language}
    assert entries[0]["word"] == word


def test_the_table_of_words() -> None:
    result = semeq("words")
    head, first, *rest = result.stdout.splitlines()
    assert head.split()[:3] == ["word", "lang", "people"]
    assert first.split()[:3] == ["warm", "en", "71"]
    assert any("people disagree" in line for line in rest)
    assert "one person" not in result.stdout
    assert "more words are of one person each: --all shows them" in result.stderr
    everything = semeq("words", "--all")
    assert len(everything.stdout.splitlines()) == 1 + len(load_vocabulary().words)
    assert "one person" in everything.stdout
    assert everything.stderr == ""


@pytest.mark.parametrize("design", [(), ("--design", "rbj")])
def test_a_curve_is_what_its_bands_make(design: tuple[str, ...]) -> None:
    content = curve("warm:0.5 + punchy:0.3", "--fs", "44100", *design)
    assert content["recipe"] == "warm:0.5 + punchy:0.3"
    assert content["fs"] == 44_100.0
    bands = EQSettings(tuple(Band(**band) for band in content["bands"]))
    freqs = np.array(content["freqs_hz"])
    assert (freqs[0], freqs[-1]) == (20.0, 20_000.0)
    assert content["design"] == (design[1] if design else "decramped")
    wanted = response_db(bands, 44_100.0, freqs, design=content["design"])
    np.testing.assert_allclose(content["response_db"], wanted, rtol=0, atol=1e-5)
    assert content["warnings"] == []


def test_a_low_rate_ends_below_nyquist() -> None:
    content = curve("warm", "--fs", "8000")
    assert content["freqs_hz"][-1] < 4000.0
    assert np.isfinite(content["response_db"]).all()


def test_a_recipe_means_the_same_bands_at_every_rate() -> None:
    one, other = (curve("warm - bright:0.5", "--fs", fs)["bands"] for fs in ("8000", "96000"))
    assert one == other


def test_the_amount_scales() -> None:
    assert not any(curve("warm", "--amount", "0")["response_db"])
    assert not any(curve("")["response_db"])
    half, whole = (curve("warm", "--amount", a)["response_db"] for a in ("0.5", "1"))
    np.testing.assert_allclose(half, np.array(whole) / 2.0, rtol=0, atol=0.05)


@pytest.mark.parametrize(
    ("arguments", "recipe"),
    [
        (("bright:-0.4",), "bright:-0.4"),
        (("-bright:0.4",), "bright:-0.4"),
        (("-harsh",), "harsh:-1"),
        (("- harsh + warm",), "harsh:-1 + warm"),
        (("--", "-bright:0.4"), "bright:-0.4"),
        (("warm:0.5", "+", "punchy:0.3"), "warm:0.5 + punchy:0.3"),
        (("warm", "-", "bright:0.3"), "warm - bright:0.3"),
        (("WARM",), "warm"),
        (("cálido",), "cálido"),
        (('"bass boost":0.5',), "bass boost:0.5"),
        (("bass", "boost"), "bass boost"),
        (("warm", "-fuerte:0.2", "-json"), None),
    ],
)
def test_recipes_as_a_shell_hands_them_over(arguments: tuple[str, ...], recipe: str | None) -> None:
    if recipe is None:
        code, error = refused("curve", *arguments)
        assert code == 1
        assert "no one has taught us 'json'" in error
        return
    if arguments[0] == "--":
        result = semeq("curve", "--json", *arguments)
        assert json.loads(result.stdout)["recipe"] == recipe
        return
    assert curve(*arguments)["recipe"] == recipe


def test_warnings_are_in_both_places() -> None:
    result = semeq("curve", "warm + bright", "--json")
    content = json.loads(result.stdout)
    assert len(content["warnings"]) == 1
    assert "mostly cancel" in content["warnings"][0]
    assert result.stderr == f"warning: {content['warnings'][0]}\n"
    assert "only one person" in curve("cálido")["warnings"][0]
    assert "do not agree" in curve("happy")["warnings"][0]
    assert "held back" in curve("tinny:4")["warnings"][0]


def test_a_curve_for_people() -> None:
    result = semeq("curve", "warm")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "warm"
    assert "71 people" in lines[1]
    assert sum(line.startswith(("low_shelf", "peak", "high_shelf")) for line in lines) == 7
    assert sum("*" in line for line in lines) > 5
    assert lines[-1].endswith("Hz")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("curve", "warmer"), 1, "semeq: no one has taught us 'warmer': did you mean warm"),
        (("curve", "brightness"), 1, "did you mean bright"),
        (("curve", "xyzzy"), 1, "no one has taught us 'xyzzy': 'semeq words' lists all words"),
        (("curve", "warm:"), 1, "there must be a number at character 6"),
        (("curve", "warm:9"), 1, "a weight in [-4, 4] at character 6"),
        (("curve", "warm + "), 1, "there must be a word at character"),
        (("curve", "warm", "--amount", "nan"), 1, "amount must be in [-4, 4], got nan"),
        (("curve", "warm", "--amount", "x"), 2, "Invalid value for '--amount'"),
        (("curve", "warm", "--fs", "4000"), 2, "must be in [8000, 192000] Hz, got 4000"),
        (("curve", "warm", "--fs", "nan"), 2, "must be in [8000, 192000] Hz, got nan"),
        (("curve", "warm", "--jsn"), 2, "No such option: --jsn"),
        (("curve",), 2, "Missing argument"),
        (("words", "--language", "fr"), 2, "Invalid value for '--language'"),
        (("words", "warm"), 2, "unexpected extra argument"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], code: int, message: str) -> None:
    found, error = refused(*arguments)
    assert found == code
    assert message in error
    if code == 1:
        assert error.count("\n") == 1


@pytest.mark.alone
@pytest.mark.parametrize("arguments", [("words",), ("curve", "warm", "--json")])
def test_they_start_at_once(arguments: tuple[str, ...]) -> None:
    semeq(*arguments)
    begin = time.perf_counter()
    semeq(*arguments)
    assert time.perf_counter() - begin < START_S


def test_they_import_nothing_heavy() -> None:
    code = (
        "import sys; import semeq.presets.cli_words as c; c.load_vocabulary(); "
        "print([m for m in ('numba', 'scipy', 'sounddevice', 'pedalboard', 'matplotlib', 'rich') "
        "if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
