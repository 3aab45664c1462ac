from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from semeq.engine.design import response_db
from semeq.engine.directions import direction_of
from semeq.engine.encoder import LATENT, Heard, Model
from semeq.engine.errors import RecipeError
from semeq.engine.fit import to_parameters
from semeq.engine.hold import HOLD
from semeq.engine.meaning import interpret
from semeq.engine.morph import (
    LEAST_DB,
    bands_for,
    make_move,
    make_recipe_move,
    mended,
    morph,
    morph_curve,
)
from semeq.engine.recipe import Recipe
from semeq.engine.settings import EQSettings
from semeq.engine.units import Floats
from semeq.presets.library import load_vocabulary

WORDS = ("warm", "bright", "airy", "boomy", "muddy", "tinny", "dark", "deep")
VOCABULARY = load_vocabulary()
FREQS_HZ = VOCABULARY.freqs_hz


class NoSession:
    """Stands where onnxruntime would: these tests hear nothing."""


def model() -> Model:
    """Return a model whose latents are smooth curves, least squares for the words."""
    octaves = np.log2(FREQS_HZ / FREQS_HZ[0])
    decoder = np.array([np.cos(np.pi * k * octaves / octaves[-1]) for k in range(1, LATENT + 1)])
    decoder -= decoder.mean(axis=1, keepdims=True)
    words = {
        name: np.linalg.lstsq(decoder.T, word.curve_db, rcond=None)[0]
        for name, word in VOCABULARY.words.items()
    }
    return Model(NoSession(), FREQS_HZ, decoder, MappingProxyType(words), MappingProxyType({}))


MODEL = model()


def heard(seed: int, size_db: float = 6.0) -> Heard:
    rng = np.random.default_rng(seed)
    z = rng.normal(0.0, size_db / np.arange(1, LATENT + 1))
    spectrum = np.cumsum(rng.normal(0.0, 1.2, len(FREQS_HZ)))
    return Heard(z, spectrum - spectrum.max())


def effect_db(word: str, move: Floats, spectrum_db: Floats) -> float:
    """Return how much the band that a word is about rises against the rest, asked sign included (dB)."""
    aim = direction_of(word, MODEL.decode(MODEL.words[word]), FREQS_HZ)
    half = 0.5 * np.log(FREQS_HZ[1] / FREQS_HZ[0])
    at, low, high = np.log(FREQS_HZ), np.log(aim.low_hz), np.log(aim.high_hz)

    def share(low: float, high: float) -> Floats:
        covered = np.minimum(at + half, high) - np.maximum(at - half, low)
        part: Floats = np.clip(covered / (2.0 * half), 0.0, 1.0)
        return part

    inside = share(low, high)
    outside = share(np.log(20.0), np.inf) - inside

    def odds(curve: Floats) -> float:
        power = 10.0 ** ((spectrum_db + curve) / 10.0)
        return float(10.0 * np.log10((power @ inside) / (power @ outside)))

    return aim.sign * (odds(move) - odds(np.zeros(len(FREQS_HZ))))


def move_on(word: str, what: Heard, amount: float = 1.0, hold: float = HOLD) -> Floats:
    own = MODEL.decode(MODEL.words[word])
    words = [(word, amount, own)]
    return make_move(words, MODEL.decode(what.z), what.spectrum_db, FREQS_HZ, hold=hold).curve_db


@pytest.mark.parametrize("word", [*WORDS, "crisp", "heavy", "mellow"])
@given(seed=st.integers(0, 10_000), amount=st.floats(0.05, 1.5))
@example(
    seed=1668, amount=1.0
)  # most of its power is at 20 Hz, where half of a point is below all that is heard
@settings(max_examples=25, deadline=None)
def test_no_move_goes_against_the_word(word: str, seed: int, amount: float) -> None:
    what = heard(seed)
    own = amount * MODEL.decode(MODEL.words[word])
    needed = max(HOLD * effect_db(word, own, what.spectrum_db), LEAST_DB * min(amount, 1.0))
    move = move_on(word, what, amount)
    effect = effect_db(word, move, what.spectrum_db)
    assert effect >= needed - 0.02
    assert np.abs(move).max() < 25.0


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("seed", range(6))
def test_the_bands_go_the_words_way_as_well(word: str, seed: int) -> None:
    what = heard(seed)
    bands = response_db(morph(MODEL, VOCABULARY, Recipe.parse(word), what), 192_000.0, FREQS_HZ)
    assert effect_db(word, bands, what.spectrum_db) > 0.25


def test_the_hold_leaves_a_move_alone_that_goes_the_right_way() -> None:
    dull = Heard(-MODEL.words["bright"], np.zeros(len(FREQS_HZ)))
    assert move_on("bright", dull) == pytest.approx(move_on("bright", dull, hold=0.0), abs=1e-9)


@pytest.mark.parametrize("word", WORDS)
def test_what_is_too_much_already_is_never_reversed(word: str) -> None:
    own = MODEL.decode(MODEL.words[word])
    along = [
        move_on(word, Heard(much * MODEL.words[word], np.zeros(len(FREQS_HZ)))) @ own / (own @ own)
        for much in (-1.0, 0.0, 0.5, 2.0, 4.0)
    ]
    assert along[0] > along[1] > along[2] > along[3]
    assert along[3] >= -1e-9
    assert along[4] >= -1e-9


def test_opposites_hold_nothing_and_their_blend_is_nearly_flat() -> None:
    flat = Heard(np.zeros(LATENT), np.linspace(0.0, -40.0, len(FREQS_HZ)))
    blend = Recipe.parse("dark + dark:-0.999")
    assert np.abs(morph_curve(MODEL, blend, flat)).max() < 0.05


def test_the_first_half_of_a_knob_mostly_mends() -> None:
    assert [mended(a) for a in (0.0, 0.5, 1.0, 2.0)] == [0.0, 0.75, 1.0, 1.0]
    what = heard(5, 1.0)
    own, found = MODEL.decode(MODEL.words["warm"]), MODEL.decode(what.z)
    wanted = 0.5 * own - 0.75 * found
    assert move_on("warm", what, 0.5, hold=0.0) == pytest.approx(wanted - wanted.mean(), abs=1e-9)


def test_many_pieces_of_music_are_moved_as_each_alone() -> None:
    pieces = [heard(seed) for seed in range(5)]
    own = MODEL.decode(MODEL.words["muddy"])
    start = to_parameters(VOCABULARY.get("muddy").settings)
    together = make_move(
        [("muddy", 1.0, own)],
        MODEL.decode(np.array([one.z for one in pieces])),
        np.array([one.spectrum_db for one in pieces]),
        FREQS_HZ,
    )
    bands = bands_for(together, FREQS_HZ, start)
    for k, one in enumerate(pieces):
        alone = make_recipe_move(MODEL, Recipe.parse("muddy"), one)
        assert together.curve_db[k] == pytest.approx(alone.curve_db, abs=1e-3)
        assert bands[k] == pytest.approx(bands_for(alone, FREQS_HZ, start), abs=1e-3)


def test_dark_music_gets_less_dark_and_bright_music_gets_more() -> None:
    recipe = Recipe.parse("dark")
    spectrum = np.zeros(len(FREQS_HZ))
    treble = FREQS_HZ > 2000.0
    z = MODEL.words["dark"]
    moves = [
        morph_curve(MODEL, recipe, Heard(factor * z, spectrum))[treble].mean()
        for factor in (-1.0, 0.0, 0.5, 1.0, 3.0)
    ]
    assert moves[0] < moves[1] < moves[2] < moves[3] < 0.0
    assert moves[4] < 0.0


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_amount_nought_and_empty_recipes_are_exactly_flat(seed: int) -> None:
    what = heard(seed)
    assert not morph_curve(MODEL, Recipe.parse("warm"), what, amount=0.0).any()
    assert not morph_curve(MODEL, Recipe(), what).any()
    assert morph(MODEL, VOCABULARY, Recipe.parse("warm"), what, amount=0.0).is_flat
    assert morph(MODEL, VOCABULARY, Recipe(), what) == EQSettings.flat()


def test_equal_latents_are_exactly_flat_without_the_hold() -> None:
    same = Heard(MODEL.words["warm"], np.zeros(len(FREQS_HZ)))
    assert not move_on("warm", same, hold=0.0).any()


@pytest.mark.parametrize("word", WORDS)
def test_without_adapting_it_is_the_words_own_move(word: str) -> None:
    recipe = Recipe.parse(f"{word}:0.7")
    settings = morph(MODEL, VOCABULARY, recipe, heard(1), adapt=0.0)
    assert settings == interpret(recipe, VOCABULARY).settings


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_more_amount_is_more_of_the_word(word: str, seed: int) -> None:
    what = heard(seed)
    effect = [
        effect_db(
            word,
            morph_curve(MODEL, Recipe.parse(word), what, amount=float(a)),
            what.spectrum_db,
        )
        for a in np.linspace(0.0, 1.0, 11)
    ]
    assert (np.diff(effect) > -1e-3).all()


def test_bands_follow_the_move() -> None:
    recipe = Recipe.parse("warm:0.6 + airy:0.3")
    errors = []
    for seed in range(8):
        what = heard(seed, 3.0)
        curve = morph_curve(MODEL, recipe, what)
        bands = response_db(morph(MODEL, VOCABULARY, recipe, what), 48_000.0, FREQS_HZ)
        inside = (FREQS_HZ > 40.0) & (FREQS_HZ < 16_000.0)
        error = (bands - curve)[inside]
        errors.append(np.std(error) / np.std(curve[inside]))
    assert np.median(errors) < 0.45


def test_small_changes_of_what_is_heard_move_the_bands_little() -> None:
    recipe = Recipe.parse("warm")
    what = heard(3, 3.0)
    near = Heard(what.z + 1e-4, what.spectrum_db)
    one, two = (
        response_db(morph(MODEL, VOCABULARY, recipe, h), 48_000.0, FREQS_HZ) for h in (what, near)
    )
    assert np.abs(one - two).max() < 0.05


@pytest.mark.parametrize(
    ("recipe", "changes", "said"),
    [
        ("warm", {"adapt": -0.1}, "adapt must be in"),
        ("warm", {"amount": float("nan")}, "amount must be in"),
        ("unheardof", {}, "must know every word"),
    ],
)
def test_bad_input_is_refused(recipe: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        morph_curve(MODEL, Recipe.parse(recipe), heard(0), **changes)
