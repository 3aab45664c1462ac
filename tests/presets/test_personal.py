"""Words of one's own stand beside those that ship, and the model takes them by their curve."""

from pathlib import Path

import numpy as np
import pytest

from semeq.engine.encoder import Heard
from semeq.engine.errors import RecipeError
from semeq.engine.imports import read_equaliser
from semeq.engine.imports_fit import seven_bands
from semeq.engine.morph import morph, morph_curve
from semeq.engine.recipe import Recipe
from semeq.engine.words import Vocabulary, Word
from semeq.presets.library import load_vocabulary, shipped_vocabulary
from semeq.presets.personal import (
    FOLDER_VARIABLE,
    config_folder,
    load_personal,
    make_word,
    save_word,
    with_personal,
)
from semeq.presets.shipped_model import load_shipped_tables

TEXT = "Filter 1: ON LSC Fc 200 Hz Gain 6 dB Q 0.7\nFilter 2: ON PK Fc 3000 Hz Gain -4 dB Q 1\n"


def made(name: str = "my room") -> Word:
    imported = seven_bands(read_equaliser(TEXT), as_word=True)
    shipped = shipped_vocabulary()
    curve = np.interp(np.log(shipped.freqs_hz), np.log(imported.freqs_hz), imported.wanted_db)
    return make_word(name, imported.settings, curve, imported.rms_db, shipped)


def saved(path: Path, *names: str) -> Vocabulary:
    for name in names:
        save_word(made(name), shipped_vocabulary(), path, overwrite=False)
    return with_personal(shipped_vocabulary(), load_personal(path))


def test_a_word_comes_back_as_it_was(tmp_path: Path) -> None:
    both = saved(tmp_path / "new" / "words.json", "my room", "other")
    word, other = both.get("My Room"), both.get("other")
    np.testing.assert_allclose(word.curve_db, made().curve_db, atol=1e-4)
    np.testing.assert_allclose(word.bands, made().bands, atol=1e-3)
    assert other.curve_db.tolist() == word.curve_db.tolist()
    assert (word.people, word.agreement, word.single_person) == (1, None, False)
    assert set(both.words) == {*shipped_vocabulary().words, "my room", "other"}


def test_no_file_is_no_words(tmp_path: Path) -> None:
    assert load_personal(tmp_path / "words.json") is None
    assert with_personal(shipped_vocabulary(), None) is shipped_vocabulary()


def test_a_word_that_ships_wins(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    saved(path, "my room")
    path.write_text(path.read_text(encoding="utf-8").replace("my room", "warm"), encoding="utf-8")
    both = with_personal(shipped_vocabulary(), load_personal(path))
    assert both.get("warm") is shipped_vocabulary().get("warm")


def test_where_the_file_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert config_folder() == tmp_path
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert config_folder() == tmp_path / "semeq"


def test_everybody_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "words.json", "my room")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    load_vocabulary.cache_clear()
    try:
        assert load_vocabulary().get("my room").people == 1
    finally:
        load_vocabulary.cache_clear()
    assert "my room" not in shipped_vocabulary().words


def test_the_model_takes_it_by_its_curve(tmp_path: Path) -> None:
    model = load_shipped_tables()
    vocabulary = saved(tmp_path / "words.json", "my room")
    heard = Heard(model.words["bright"], np.zeros(len(model.freqs_hz)))
    recipe = Recipe.parse("my room")
    curve = morph_curve(model, recipe, heard, adapt=0.0, vocabulary=vocabulary)
    np.testing.assert_allclose(curve - curve.mean(), vocabulary.get("my room").curve_db, atol=0.02)
    settings = morph(model, vocabulary, recipe, heard)
    assert not settings.is_flat
    with pytest.raises(RecipeError, match="the model must know every word"):
        morph_curve(model, recipe, heard)
