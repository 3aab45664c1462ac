"""The usual spectrum: it ships, it is checked, and it is made from music alone."""

import json
from pathlib import Path

import numpy as np
import pytest

from semeq.engine.errors import DataError
from semeq.engine.reference import Spectrum
from semeq.presets.library import load_vocabulary
from semeq.presets.usual import load_usual_balance, load_usual_spectrum, parse_usual

FREQS = load_vocabulary().freqs_hz


def test_it_ships_and_falls_as_music_does() -> None:
    usual = load_usual_spectrum(FREQS)
    assert usual.levels_db.shape == FREQS.shape
    assert float(usual.levels_db.mean()) == pytest.approx(0.0, abs=1e-9)
    balance = load_usual_balance()
    assert -6.0 < balance.tilt_db < -1.0
    again = Spectrum.of(balance, FREQS).levels_db
    assert float(np.sqrt(np.mean((again - usual.levels_db) ** 2))) < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": "semeq-usual-spectrum", "version": 2}',
        '{"format": "semeq-usual-spectrum", "version": 1, "freqs_hz": [1, 2], "spectrum_db": [0]}',
        '{"format": "semeq-usual-spectrum", "version": 1, "freqs_hz": [2, 1], "spectrum_db": [0, 0]}',
        '{"format": "semeq-usual-spectrum", "version": 1, "freqs_hz": [1, 2], "spectrum_db": [0, NaN]}',
        '{"format": "semeq-usual-spectrum", "version": 1, "freqs_hz": [1, 2], "spectrum_db": [0, 99]}',
    ],
)
def test_a_damaged_file_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"usual\.json is damaged"):
        parse_usual(text)


def test_it_is_made_from_a_folder_of_music(tmp_path: Path) -> None:
    usual = pytest.importorskip("semeq.training.usual")
    judged_music = pytest.importorskip("judged_music")
    spectra = judged_music.music()
    text = usual.to_json(spectra)
    freqs_hz, levels = parse_usual(text)
    assert np.allclose(freqs_hz, FREQS)
    assert json.loads(text)["crops"] == len(spectra)
    assert levels[5] > levels[-5]  # falls, as the made-up music does
