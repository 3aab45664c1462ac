from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semeq.engine.design import response_db
from semeq.engine.encoder import LATENT, Heard, Model
from semeq.engine.errors import RecipeError
from semeq.engine.meaning import interpret
from semeq.engine.morph import HOLD, SLACK_WIDTH_DB, held, morph, morph_curve, move_db
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
    spectrum = 6.0 * np.cumsum(rng.normal(0.0, 0.7, len(FREQS_HZ)))
    return Heard(z, spectrum - spectrum.max())


def share_change_db(move: Floats, spectrum_db: Floats) -> Floats:
    """Return by how much each frequency's share in the whole changes (dB)."""
    share = 10.0 ** (spectrum_db / 10.0)
    share /= share.sum()
    changed: Floats = move - 10.0 * np.log10((share * 10.0 ** (move / 10.0)).sum())
    return changed


@pytest.mark.parametrize("word", WORDS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_no_region_moves_against_the_word(word: str, seed: int) -> None:
    what = heard(seed)
    own = MODEL.decode(MODEL.words[word])
    raw = own - MODEL.decode(what.z)
    typical = share_change_db(own, what.spectrum_db)
    move = share_change_db(held(raw, own, what.spectrum_db), what.spectrum_db)
    clear = np.abs(typical) > SLACK_WIDTH_DB
    assert (np.sign(typical) * move >= HOLD * np.abs(typical) - 1e-6)[clear].all()


def test_the_hold_leaves_a_move_alone_that_goes_the_right_way() -> None:
    own = MODEL.decode(MODEL.words["bright"])
    spectrum = np.zeros(len(FREQS_HZ))
    stronger = held(2.0 * own, own, spectrum)
    assert share_change_db(stronger, spectrum) == pytest.approx(
        share_change_db(2.0 * own, spectrum), abs=1e-6
    )


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
    own = MODEL.decode(MODEL.words["warm"])
    assert not move_db(own, own, np.zeros(61), total_weight=1.0, hold=0.0).any()


@pytest.mark.parametrize("word", WORDS)
def test_without_adapting_it_is_the_words_own_move(word: str) -> None:
    recipe = Recipe.parse(f"{word}:0.7")
    settings = morph(MODEL, VOCABULARY, recipe, heard(1), adapt=0.0)
    assert settings == interpret(recipe, VOCABULARY).settings


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_more_amount_is_more_of_the_word(word: str, seed: int) -> None:
    what = heard(seed)
    own = MODEL.decode(MODEL.words[word])
    amounts = np.linspace(0.0, 1.0, 11)
    effect = [
        share_change_db(
            morph_curve(MODEL, Recipe.parse(word), what, amount=float(a)), what.spectrum_db
        )
        @ own
        for a in amounts
    ]
    assert (np.diff(effect) > -1e-6).all()


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
def test_bad_input_is_refused(recipe: str, changes: dict[str, float], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        morph_curve(MODEL, Recipe.parse(recipe), heard(0), **changes)
