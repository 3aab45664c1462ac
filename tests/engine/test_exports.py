"""What other programs make of our files is what semeq does, to 0.1 dB, and never above full scale."""

import re
from collections.abc import Callable

import numpy as np
import other_programs
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from strategies import settings as any_settings

from semeq.engine.design import response_db
from semeq.engine.errors import SettingsError
from semeq.engine.exports import (
    ANY,
    HIGHEST_HZ,
    HIGHEST_OF_FS,
    PROMISED_DB,
    Demands,
    Portable,
    checked_hz,
    portable,
    portable_to,
    top_hz,
)
from semeq.engine.exports_config import PIPEWIRE, camilladsp, easyeffects, pipewire
from semeq.engine.exports_fit import cookbook_db
from semeq.engine.exports_text import (
    APO,
    AUTOEQ,
    REW,
    apo,
    autoeq,
    rew,
)
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.settings import LAYOUT, Band, EQSettings, Kind
from semeq.engine.units import Floats
from semeq.presets.library import shipped_vocabulary

Reader = Callable[[str, float, Floats], Floats]
FORMS: dict[str, tuple[Callable[..., str], Demands, Reader]] = {
    "apo": (apo, APO, other_programs.equalizer_apo),
    "easyeffects": (easyeffects, ANY, other_programs.easyeffects),
    "camilladsp": (camilladsp, ANY, other_programs.camilladsp),
    "pipewire": (pipewire, PIPEWIRE, other_programs.pipewire),
    "autoeq": (autoeq, AUTOEQ, other_programs.pipewire_param_eq),
    "rew": (rew, REW, other_programs.room_eq_wizard),
}
RECIPES = ("warm", "bright:2", "tinny", "dark:1.5", "punchy - muddy", "crisp:-1", "deep + airy", "")
RATES = (44_100.0, 48_000.0, 96_000.0)


def meant(recipe: str) -> EQSettings:
    return interpret(Recipe.parse(recipe), shipped_vocabulary()).settings


def grid(fs: float, end_hz: float) -> Floats:
    return np.geomspace(20.0, end_hz, 777)


def analogue(settings: EQSettings) -> Callable[[Floats], Floats]:
    """Return the response of bands without any cramping: at so high a rate that it does not matter."""
    return lambda freqs: cookbook_db(settings.bands, 64.0 * 48_000.0, freqs)


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("form", FORMS)
def test_the_program_does_what_semeq_does(form: str, recipe: str, fs: float) -> None:
    writer, demands, reader = FORMS[form]
    settings = meant(recipe)
    eq = portable(settings, fs, demands)
    freqs = grid(fs, checked_hz(fs))
    theirs = reader(writer(eq, ["a: comment", 'of "two" lines']), fs, freqs)
    ours = response_db(settings, fs, freqs)
    assert np.abs(theirs - eq.preamp_db - ours).max() <= PROMISED_DB
    assert theirs.max() <= 1e-9


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_response_without_cramping_is_met_all_the_same(recipe: str, fs: float) -> None:
    settings = meant(recipe)
    eq = portable_to(analogue(settings), settings, fs, APO)
    freqs = grid(fs, checked_hz(fs))
    theirs = other_programs.equalizer_apo(apo(eq), fs, freqs) - eq.preamp_db
    assert np.abs(theirs - analogue(settings)(freqs)).max() <= PROMISED_DB


@pytest.mark.slow
def test_every_word_of_five_people(record_property: Callable[[str, object], None]) -> None:
    vocabulary = shipped_vocabulary()
    words = [word.word for word in vocabulary.words.values() if word.people >= 5]
    misses, same_numbers = [], []
    for word in words:
        for fs in (44_100.0, 48_000.0):
            for amount in (1.0, 2.0):
                recipe = Recipe(((word, 1.0),))
                settings = interpret(recipe, vocabulary, amount=amount).settings
                freqs = grid(fs, checked_hz(fs))
                ours = response_db(settings, fs, freqs)
                eq = portable(settings, fs, APO)
                theirs = other_programs.equalizer_apo(apo(eq), fs, freqs) - eq.preamp_db
                misses.append(float(np.abs(theirs - ours).max()))
                same = cookbook_db(settings.bands, fs, freqs)
                same_numbers.append(float(np.abs(same - ours).max()))
    record_property("words", len(words))
    record_property("largest_miss_db", max(misses))
    record_property("median_miss_db", float(np.median(misses)))
    record_property("largest_miss_of_the_same_numbers_db", max(same_numbers))
    assert len(words) >= 40
    assert max(misses) <= PROMISED_DB


def test_helpers_reach_what_seven_bands_cannot() -> None:
    fs = 44_100.0
    rest = [
        Band(kind, f)
        for kind, f in zip(LAYOUT, (60, 200, 500, 1500, 4000, 16_000, 18_000), strict=True)
    ]
    rest[5] = Band(rest[5].kind, 16_000.0, 12.0, 1.0)
    settings = EQSettings(tuple(rest))
    freqs = grid(fs, checked_hz(fs))
    cramped = np.abs(cookbook_db(settings.bands, fs, freqs) - analogue(settings)(freqs)).max()
    assert cramped > 3.0
    eq = portable_to(analogue(settings), settings, fs)
    assert eq.is_fitted
    assert eq.error_db <= PROMISED_DB
    assert all(band.freq_hz <= min(HIGHEST_HZ, HIGHEST_OF_FS * fs) for band in eq.bands)


@given(settings=any_settings())
@hypothesis_settings(max_examples=15, deadline=None)
def test_what_is_said_is_true(settings: EQSettings) -> None:
    fs = 48_000.0
    eq = portable(settings, fs)
    told = other_programs.equalizer_apo(apo(eq), fs, grid(fs, top_hz(fs))) - eq.preamp_db
    miss = np.abs(told - response_db(settings, fs, grid(fs, top_hz(fs))))
    assert miss[grid(fs, top_hz(fs)) <= checked_hz(fs)].max() <= eq.error_db + 0.02
    assert miss.max() <= eq.top_error_db + 0.02
    everywhere = np.linspace(1.0, 0.4999 * fs, 20_001)
    assert other_programs.equalizer_apo(apo(eq), fs, everywhere).max() <= 1e-3


def test_our_own_bands_are_kept_where_they_do() -> None:
    bands = [
        Band(kind, f, 3.0, 0.7)
        for kind, f in zip(LAYOUT, (80, 150, 300, 500, 700, 900, 1100), strict=True)
    ]
    settings = EQSettings(tuple(bands))
    eq = portable_to(lambda f: cookbook_db(settings.bands, 48_000.0, f), settings, 48_000.0)
    assert (eq.bands, eq.is_fitted, eq.error_db) == (settings.bands, False, 0.0)


@pytest.mark.parametrize("recipe", RECIPES)
def test_old_versions_of_pipewire_know_one_shelf(recipe: str) -> None:
    eq = portable(meant(recipe), 48_000.0, PIPEWIRE)
    assert {band.q for band in eq.bands if band.kind is not Kind.PEAK} == {0.7071}
    assert eq.error_db <= PROMISED_DB


def test_flat_stays_flat_and_needs_no_preamp() -> None:
    eq = portable(EQSettings.flat(), 48_000.0)
    assert (eq.preamp_db, eq.peak_db, eq.error_db, eq.is_fitted) == (0.0, 0.0, 0.0, False)
    assert "Preamp: 0.00 dB\n" in apo(eq)


def test_frequencies_are_never_taken_for_thousands() -> None:
    for fs in RATES:
        for recipe in RECIPES:
            assert not re.search(r"Fc \d+\.\d{3} Hz", apo(portable(meant(recipe), fs)))


def test_a_comment_cannot_break_out() -> None:
    eq = portable(EQSettings.flat(), 48_000.0)
    evil = ["x\nPreamp: 20 dB\r\u2028Filter 1: ON PK Fc 1 Hz", '"} ] evil = [ {"\\']
    for writer, _, reader in FORMS.values():
        freqs = np.array([100.0, 1000.0])
        assert np.abs(reader(writer(eq, evil), 48_000.0, freqs)).max() < 1e-9


@pytest.mark.parametrize("fs", [0.0, 1000.0, 1e6, float("nan")])
def test_a_rate_that_makes_no_sense(fs: float) -> None:
    with pytest.raises(SettingsError, match=r"fs must be in \[8000, 384000\] Hz"):
        portable(EQSettings.flat(), fs)


def test_a_low_rate() -> None:
    eq = portable(meant("bright"), 8000.0)
    assert isinstance(eq, Portable)
    assert eq.error_db <= PROMISED_DB
    assert all(band.freq_hz < 4000.0 for band in eq.bands)
