"""What ships is found, read once, and refused in one line when it is damaged."""

from pathlib import Path

import numpy as np
import pytest

from semeq.engine.errors import DataError
from semeq.presets import library
from semeq.presets.library import load_vocabulary


def test_the_vocabulary_is_read_once() -> None:
    assert load_vocabulary() is load_vocabulary()


def test_the_words_that_everybody_tries_are_there() -> None:
    vocabulary = load_vocabulary()
    for word in ("warm", "bright", "punchy", "airy", "deep", "crisp", "cálido", "bass boost"):
        assert vocabulary.get(word).word == word
    assert vocabulary.get("warm").opposite is not None


def test_the_grid_reaches_from_20_hz_to_20_khz() -> None:
    freqs = load_vocabulary().freqs_hz
    assert (freqs[0], freqs[-1], len(freqs)) == (20.0, 20_000.0, 61)


def test_words_of_one_person_have_no_spread_and_no_agreement() -> None:
    for word in load_vocabulary().words.values():
        assert (word.agreement is None) == word.single_person
        assert (word.spread_db is None) == (word.people < 3)
        assert 0.4 < word.strength_db < 6.1
        assert max(abs(band.gain_db) for band in word.settings.bands) <= 12.0
        assert sum(share.weight for share in word.sources.values()) == pytest.approx(1.0, abs=0.002)
        assert abs(np.mean(word.curve_db)) < 0.0051


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "words.json must be readable, got .*; install semeq again"),
        (b"\xff\xff", "words.json must be readable"),
        (b'{"format": "semeq-words"', "must be JSON"),
    ],
)
def test_a_damaged_installation_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "words.json").write_bytes(content)
    monkeypatch.setattr(library, "files", lambda _: tmp_path)
    # Past the cache: what was read before stays what it was.
    with pytest.raises(DataError, match=message):
        library.shipped_vocabulary.__wrapped__()
