"""The vocabulary: what it holds, what it refuses, and what an unknown word is answered with."""

import json
from typing import Any

import numpy as np
import pytest

from semeq.engine.errors import DataError, UnknownWordError
from semeq.engine.settings import LAYOUT
from semeq.engine.words import FORMAT, FORMAT_VERSION, LOW_AGREEMENT, Vocabulary

FREQS = [50.0, 500.0, 5000.0]
BANDS = [[100.0 * 2**k, 1.0 - k, 0.7] for k in range(len(LAYOUT))]


def entry(**changes: object) -> dict[str, Any]:
    return {
        "word": "warm",
        "language": "en",
        "people": 3,
        "agreement": 0.5,
        "sources": {"SAFE-DB": [1, 0.333], "SocialEQ": [2, 0.667]},
        "spread_db": [1.0, 2.0, 0.0],
        "opposite": None,
        "nearest": [],
        "curve_db": [3.0, 0.0, -3.0],
        "bands": BANDS,
        "fit_rms_db": 0.1,
    } | changes


def text(*entries: dict[str, Any], **changes: object) -> str:
    header: dict[str, Any] = {"format": FORMAT, "version": FORMAT_VERSION, "freqs_hz": FREQS}
    return json.dumps(header | {"words": list(entries)} | changes)


def alone(**changes: object) -> dict[str, Any]:
    return entry(
        people=1, agreement=None, spread_db=None, sources={"SocialEQ": [1, 1.0]}, **changes
    )


def test_a_word_is_what_was_written() -> None:
    vocabulary = Vocabulary.from_json(
        text(entry(opposite="cold", nearest=["cold"]), alone(word="cold", language="es"))
    )
    warm, cold = vocabulary.get("warm"), vocabulary.get("cold")
    np.testing.assert_array_equal(vocabulary.freqs_hz, FREQS)
    np.testing.assert_array_equal(warm.curve_db, [3.0, 0.0, -3.0])
    assert warm.spread_db is not None
    np.testing.assert_array_equal(warm.spread_db, [1.0, 2.0, 0.0])
    assert (warm.people, warm.agreement, warm.opposite, warm.nearest) == (3, 0.5, "cold", ("cold",))
    assert warm.sources["SocialEQ"].people == 2
    assert warm.sources["SocialEQ"].weight == 0.667
    assert [band.freq_hz for band in warm.settings.bands] == [row[0] for row in BANDS]
    assert [band.gain_db for band in warm.settings.bands] == [row[1] for row in BANDS]
    assert warm.strength_db == pytest.approx(np.sqrt(6.0))
    assert not warm.single_person
    assert not warm.low_agreement
    assert cold.single_person
    assert not cold.low_agreement
    assert (cold.language, cold.spread_db, cold.agreement) == ("es", None, None)


@pytest.mark.parametrize(
    ("agreement", "low"), [(LOW_AGREEMENT, False), (0.149, True), (-0.2, True)]
)
def test_words_without_agreement_are_marked(agreement: float, low: bool) -> None:
    assert Vocabulary.from_json(text(entry(agreement=agreement))).get("warm").low_agreement is low


def test_words_are_found_whatever_their_case() -> None:
    vocabulary = Vocabulary.from_json(text(alone(word="cálido")))
    assert vocabulary.get(" CA\u0301LIDO ").word == "cálido"


def test_an_unknown_word_is_answered_with_the_nearest() -> None:
    vocabulary = Vocabulary.from_json(text(entry(), alone(word="warmish")))
    with pytest.raises(
        UnknownWordError, match="no one has taught us 'warmsh': did you mean warmish, warm"
    ):
        vocabulary.get("Warmsh")
    with pytest.raises(UnknownWordError) as caught:
        vocabulary.get("xyzzy")
    assert caught.value.suggestions == ()


def test_the_curves_cannot_be_changed() -> None:
    vocabulary = Vocabulary.from_json(text(entry()))
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.get("warm").curve_db[0] = 1.0
    assert not hasattr(vocabulary.words, "__setitem__")


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        ("", "must be JSON"),
        ("[" * 100_000, "must be JSON"),
        ("[]", "must be of format 'semeq-words'"),
        ('{"format": "other"}', "must be of format"),
        (text(entry(), version=99), "must be of version 1, got 99"),
        (text(entry(), freqs_hz=[]), "freqs_hz must be positive and ascending"),
        (text(entry(), freqs_hz=[1.0, 3.0, 2.0]), "freqs_hz must be positive and ascending"),
        (text(entry(), freqs_hz=None), "freqs_hz must be a row of finite numbers"),
        (text(entry(), words=3), "damaged"),
        (text(entry(), words=["warm"]), "damaged"),
        (text(entry(), entry()), "each word must be there once, got 'warm' twice"),
        (text(entry(word="Warm")), "text in lower case, got 'Warm'"),
        (text(entry(word="")), "text in lower case"),
        (text(entry(word=3)), "text in lower case"),
        (text(entry(language="fr")), "language of 'warm' must be one of en, es"),
        (text(entry(curve_db=[1.0, 2.0])), "curve_db of 'warm' must be 3 finite numbers"),
        (text(entry(curve_db=[1.0, float("nan"), 0.0])), "curve_db of 'warm' must be 3 finite"),
        (text(entry(curve_db=[1.0, 99.0, 0.0])), "curve of 'warm' must be within"),
        (text(entry(curve_db=[0.0, 0.0, 0.0])), "curve of 'warm' must be within .* and not flat"),
        (text(entry(spread_db=[1.0, -1.0, 0.0])), "spread of 'warm' must not be negative"),
        (text(entry(spread_db=[1.0])), "spread_db of 'warm' must be 3"),
        (text(entry(people=0)), "people of 'warm' must be in"),
        (text(entry(people=True)), "people of 'warm' must be in"),
        (text(entry(people=4)), "people of 'warm' must be the sum over its sources"),
        (text(entry(agreement=None)), "agreement of 'warm' must be there"),
        (text(entry(agreement=1.5)), "agreement of 'warm' must be in"),
        (text(alone() | {"agreement": 0.5}), "agreement of 'warm' must be there"),
        (text(entry(sources={"SAFE-DB": [3, 2.0]})), "weight of 'warm' in SAFE-DB must be in"),
        (text(entry(opposite="cold")), "'warm' must refer to known words, got 'cold'"),
        (text(entry(nearest=["cold"])), "'warm' must refer to known words, got 'cold'"),
        (text(entry(bands=BANDS[:6])), "damaged"),
        (text(entry(bands=[[100.0, 99.0, 0.7], *BANDS[1:]])), "bands of 'warm': gain_db must be"),
        (text(entry(bands=[[100.0, 1.0], *BANDS[1:]])), "damaged"),
        (text(entry(fit_rms_db=-1.0)), "fit of 'warm' must be in"),
        (text({"word": "warm"}), "damaged: KeyError: 'curve_db'"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(damaged: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        Vocabulary.from_json(damaged)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", sorted(entry()))
def test_every_key_is_needed(key: str) -> None:
    damaged = {name: value for name, value in entry().items() if name != key}
    with pytest.raises(DataError):
        Vocabulary.from_json(text(damaged))
