"""A reference told in words: what was put on is found, what is there comes closer, the rest is said."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from made_sounds import pink
from sound_files import write_float

from semeq.engine.balance import CENTRES_HZ, WIDTHS, Balance, Meter
from semeq.engine.design import response_db
from semeq.engine.errors import AudioFileError
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.reference import (
    LEAST_RMS_DB,
    MAX_TERMS,
    WEIGHT_RANGE,
    WEIGHT_STEP,
    Likeness,
    Spectrum,
    candidates,
    difference,
    liken,
    measure_file,
    reliability,
)
from semeq.engine.units import Floats
from semeq.presets.library import load_vocabulary

FS = 44_100.0
MUSIC = Path("/tmp/audio/valid/music")
WORDS = load_vocabulary()
FREQS = WORDS.freqs_hz


def through(before: Balance, recipe: Recipe, amount: float = 1.0) -> Balance:
    eq = interpret(recipe, WORDS, amount=amount).settings
    return before.through(response_db(eq, FS, np.minimum(CENTRES_HZ, 0.49 * FS)), CENTRES_HZ)


def coloured(slope: float, bumps: Floats) -> Balance:
    octaves = np.log2(CENTRES_HZ / 1000.0)
    bump = sum(
        gain * np.exp(-((octaves - at) ** 2)) for at, gain in zip(range(-5, 5), bumps, strict=True)
    )
    return Balance(WIDTHS * 10.0 ** ((slope * octaves + bump) / 10.0))


def likeness(reference: Balance, base: Balance) -> Likeness:
    return liken(Spectrum.of(reference, FREQS), Spectrum.of(base, FREQS), WORDS)


def distance_db(reference: Balance, base: Balance) -> float:
    one, other = Spectrum.of(reference, FREQS), Spectrum.of(base, FREQS)
    both = one.exists * other.exists
    # without the limit: what is far away may come closer out of sight of it
    apart = difference(one, other, FREQS, math.inf)
    return math.sqrt(float(apart**2 @ both) / float(both.sum()))


@pytest.mark.parametrize("word", [word.word for word in candidates(WORDS)])
def test_the_word_that_was_put_on_is_found(word: str) -> None:
    base = coloured(-1.0, np.array([1.0, -2, 3, 0, 2, -1, 0, 1, 0, 0]))
    found = likeness(base.through(WORDS.get(word).curve_db, FREQS), base)
    weights = dict(found.recipe.terms)
    assert max(weights, key=weights.__getitem__) == word
    assert weights[word] == pytest.approx(0.95, abs=0.15)
    assert found.explained > 0.9
    assert found.left_db < 0.35 * found.difference_db


def test_two_words_are_told_apart() -> None:
    base = Balance.pink()
    text = "heavy:0.8 + airy:0.6"
    found = likeness(through(base, Recipe.parse(text)), base)
    assert found.explained > 0.8
    assert distance_db(through(base, Recipe.parse(text)), through(base, found.recipe)) < (
        0.5 * found.difference_db
    )


@given(
    slopes=st.tuples(st.floats(-4, 2), st.floats(-4, 2)),
    bumps=st.lists(st.floats(-6, 6), min_size=20, max_size=20),
    level=st.floats(-60, 20),
)
@hypothesis_settings(max_examples=25, deadline=None)
def test_a_recipe_is_short_rounded_within_bounds_and_never_leads_away(
    slopes: tuple[float, float], bumps: list[float], level: float
) -> None:
    reference = coloured(slopes[0], np.array(bumps[:10]))
    base = coloured(slopes[1], np.array(bumps[10:]))
    found = likeness(reference, base)
    terms = found.recipe.terms
    assert len(terms) <= MAX_TERMS
    for word, weight in terms:
        assert WEIGHT_RANGE[0] <= weight <= WEIGHT_RANGE[1]
        assert weight / WEIGHT_STEP == pytest.approx(round(weight / WEIGHT_STEP))
        assert not WORDS.get(word).low_agreement
        assert WORDS.get(word).opposite not in dict(terms)
    assert 0.0 <= found.explained <= 1.0
    assert found.left_db <= found.difference_db + 1e-9
    if terms:
        assert distance_db(reference, through(base, found.recipe)) < distance_db(reference, base)
    louder = likeness(reference, Balance(base.power * 10.0 ** (level / 10.0)))
    assert louder.recipe == found.recipe
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["recipe"] == str(found.recipe)


def test_like_itself_is_nothing_to_change() -> None:
    base = coloured(-2.0, np.zeros(10))
    found = likeness(base, base)
    assert found.recipe == Recipe()
    assert found.difference_db < 1e-6
    assert found.text == "like the reference: nothing to change, the input differs by 0.0 dB rms"


def test_the_line_says_what_is_left() -> None:
    base = Balance.pink()
    found = likeness(through(base, Recipe.parse("dark")), base)
    assert found.text.startswith("like the reference: dark:0.")
    assert f"{100 * found.explained:.0f} %" in found.text
    assert f"{found.left_db:.1f} of {found.difference_db:.1f} dB rms left" in found.text
    residual = found.wanted_db - found.told_db
    assert found.left_db == pytest.approx(math.sqrt(float(np.mean(residual**2))))


def test_what_a_lossy_file_cut_off_is_no_wish_to_be_dark() -> None:
    base = coloured(-1.5, np.zeros(10))
    cut = Balance(base.power * np.where(CENTRES_HZ > 16_000.0, 1e-9, 1.0))
    assert distance_db(cut, base) < 0.3
    assert likeness(cut, base).recipe == Recipe()


def test_a_note_is_no_colour() -> None:
    base = coloured(-1.5, np.zeros(10))
    # a tone as strong as its octave, a twelfth of an octave wide
    k = int(np.argmin(np.abs(CENTRES_HZ - 440.0)))
    power = base.power.copy()
    power[k] *= 10.0
    assert distance_db(Balance(power), base) < 1.5


def test_reliability_grows_with_people_and_with_agreement() -> None:
    warm, radio = WORDS.get("warm"), WORDS.get("radio")
    assert reliability(warm) > 0.9
    assert reliability(radio) < 0.75
    chosen = {word.word for word in candidates(WORDS)}
    assert {"warm", "bright", "airy", "muddy"} <= chosen
    assert "radio" not in chosen
    assert all(w.language == "es" for w in candidates(WORDS, "es"))


def test_a_file_is_measured_in_any_length_and_silence_refused(tmp_path: Path) -> None:
    sound = pink(2.0, channels=2)
    meter = Meter(FS, 2)
    meter.feed(sound)
    write_float(tmp_path / "a.wav", sound, int(FS))
    measured = measure_file(tmp_path / "a.wav")
    assert np.allclose(measured.density_db(), meter.balance().density_db(), atol=0.05)
    write_float(tmp_path / "b.wav", np.zeros_like(sound), int(FS))
    with pytest.raises(AudioFileError, match="silence"):
        measure_file(tmp_path / "b.wav")
    with pytest.raises(AudioFileError):
        measure_file(tmp_path / "none.wav")


def test_a_low_rate_takes_no_part_where_it_has_nothing() -> None:
    low = Meter(16_000.0, 1)
    low.feed(pink(3.0, 16_000.0))
    found = likeness(low.balance(), Balance.pink())
    assert found.difference_db < LEAST_RMS_DB
    assert found.recipe == Recipe()


@pytest.mark.skipif(not MUSIC.is_dir(), reason=f"there is no music in {MUSIC}")
def test_music_comes_closer_to_music() -> None:
    files = sorted(MUSIC.rglob("*.ogg"))[::9]
    balances = [measure_file(path) for path in files]
    closer = []
    for reference, base in zip(balances, balances[1:] + balances[:1], strict=True):
        found = likeness(reference, base)
        if found.recipe.terms:
            left = distance_db(reference, through(base, found.recipe))
            closer.append(left / distance_db(reference, base))
    assert len(closer) >= 5
    assert max(closer) < 1.0
    assert float(np.median(closer)) < 0.9
