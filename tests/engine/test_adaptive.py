import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semeq.engine.adaptive import STEP_DB, Designer
from semeq.engine.design import prototype_db
from semeq.engine.encoder import LATENT, Heard
from semeq.engine.errors import RecipeError, SettingsError, UnknownWordError
from semeq.engine.limits import BANDS, Limits
from semeq.engine.meaning import Meaning, interpret
from semeq.engine.morph import morph
from semeq.engine.recipe import Recipe
from semeq.engine.settings import REST_FREQS_HZ, EQSettings
from semeq.engine.units import Floats
from semeq.presets.library import load_vocabulary
from semeq.presets.shipped_model import load_shipped_model

FS = 48_000.0
MODEL = load_shipped_model()
VOCABULARY = load_vocabulary()
FREQS_HZ = MODEL.freqs_hz
WARM = Recipe.parse("warm:0.7")


def heard(seed: int, size_db: float = 4.0) -> Heard:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=LATENT)
    z *= size_db / np.sqrt(np.mean(MODEL.decode(z) ** 2))
    spectrum = 6.0 * np.cumsum(rng.normal(0.0, 0.4, len(FREQS_HZ)))
    return Heard(z, spectrum - spectrum.max())


def designer(limits: Limits | None = None) -> Designer:
    return Designer(MODEL, VOCABULARY, FS, limits)


def settled(
    made: Designer, recipe: Recipe, what: Heard, amount: float = 1.0, adapt: float = 1.0
) -> Meaning:
    for _ in range(100):
        meaning = made.design(recipe, amount, adapt, what, 0.1)
    return meaning


def curve(meaning: Meaning) -> Floats:
    return prototype_db(meaning.settings, FREQS_HZ)


def test_blind_it_is_the_typical_move() -> None:
    typical = interpret(WARM, VOCABULARY).settings
    assert designer().design(WARM, 1.0, 1.0, None, 0.1).settings == typical
    assert designer().design(WARM, 1.0, 0.0, heard(0), 0.1).settings == typical
    assert Designer(None, VOCABULARY, FS).design(WARM, 1.0, 1.0, heard(0), 0.1).settings == typical


@pytest.mark.parametrize("seed", range(5))
def test_once_it_has_moved_in_it_is_the_morph(seed: int) -> None:
    what = heard(seed)
    for adapt, amount in ((1.0, 1.0), (0.5, 0.8)):
        made = designer()
        settled(made, WARM, what, amount, adapt)
        # A turn of the knob takes what waited for being too small to matter.
        made.design(WARM, 0.9 * amount, adapt, what, 0.1)
        wanted = morph(MODEL, VOCABULARY, WARM, what, adapt=adapt, amount=amount)
        assert made.design(WARM, amount, adapt, what, 0.1).settings == wanted


@given(seed=st.integers(0, 1000), adapt=st.floats(0.0, 1.0))
@settings(max_examples=20, deadline=None)
def test_flat_stays_exactly_flat(seed: int, adapt: float) -> None:
    made = designer()
    settled(made, WARM, heard(seed))
    for recipe, amount in ((WARM, 0.0), (Recipe(), 1.0)):
        assert made.design(recipe, amount, adapt, heard(seed), 0.1).settings == EQSettings.flat()


@pytest.mark.parametrize("slew_db_s", [3.0, 12.0])
@pytest.mark.parametrize("words", ["warm:0.7", "muddy", "warm:0.6 + airy:0.3"])
def test_a_hearing_moves_in_no_faster_than_the_slew_limit(slew_db_s: float, words: str) -> None:
    made = designer(Limits(slew_db_s=slew_db_s))
    recipe = Recipe.parse(words)
    curves = [
        made.design(recipe, 1.0, 1.0, heard(seed), 0.1).curve_db
        for seed in range(6)
        for _ in range(12)
    ]
    steps = np.abs(np.diff(curves, axis=0)).max(axis=1)
    assert steps.max() > 0.7 * 0.1 * slew_db_s
    assert steps.max() <= 0.1 * slew_db_s + STEP_DB + 1e-9


@pytest.mark.parametrize("words", ["warm:0.7", "bright", "muddy:0.5"])
def test_the_first_hearing_does_not_jump(words: str) -> None:
    made = designer()
    recipe = Recipe.parse(words)
    typical = curve(made.design(recipe, 1.0, 1.0, None, 0.1))
    first = curve(made.design(recipe, 1.0, 1.0, heard(1, 8.0), 0.1))
    change = first - typical
    # The level of the curve is not heard: compensation takes it out.
    assert np.ptp(change) < 2.0 * (0.1 * made.limits.slew_db_s + 0.5)


def test_knobs_act_at_once() -> None:
    made = designer(Limits(slew_db_s=0.5))
    what = heard(1, 8.0)
    for _ in range(3):
        made.design(WARM, 1.0, 1.0, what, 0.1)
    half = made.design(WARM, 0.5, 1.0, what, 0.01)
    other = made.design(Recipe.parse("bright"), 1.0, 1.0, what, 0.01)
    assert np.abs(curve(half)).max() < 0.7 * np.abs(curve(settled(designer(), WARM, what))).max()
    assert other.settings.bands[-1].gain_db > 0.0
    assert made.design(WARM, 0.0, 1.0, what, 0.01).settings.is_flat


def test_nothing_is_made_anew_where_nothing_has_changed() -> None:
    made = designer()
    what = heard(2)
    meaning = settled(made, WARM, what)
    assert made.design(WARM, 1.0, 1.0, what, 0.01) is meaning
    near = Heard(what.z * 1.001, what.spectrum_db)
    assert made.design(WARM, 1.0, 1.0, near, 0.1) is meaning
    assert made.design(WARM, 1.0, 1.0, heard(3), 0.1) is not meaning


def test_small_changes_add_up() -> None:
    made = designer()
    what = heard(2)
    settled(made, WARM, what)
    far = heard(3)
    meaning = None
    for step in np.linspace(0.0, 1.0, 200):
        mixed = Heard(what.z + step * (far.z - what.z), far.spectrum_db)
        meaning = made.design(WARM, 1.0, 1.0, mixed, 0.1)
    assert meaning is not None
    wanted = curve(settled(designer(), WARM, far))
    assert np.abs(curve(meaning) - wanted).max() < 4.0 * STEP_DB


def test_a_hearing_that_stays_moves_in_without_new_ones() -> None:
    made = designer(Limits(slew_db_s=4.0))
    what = heard(1)
    gains = [made.design(WARM, 1.0, 1.0, what, 0.01).settings for _ in range(60)]
    assert 4 <= len(set(gains)) <= 8


@pytest.mark.parametrize("adapt", [0.0, 1.0])
@pytest.mark.parametrize("locks", [{2}, {0, 6}, {1, 2, 3, 4}, set(range(BANDS))])
def test_locked_bands_stay_and_the_others_work_around_them(adapt: float, locks: set[int]) -> None:
    what = heard(4)
    free = settled(designer(), WARM, what, 1.0, adapt)
    made = settled(designer(Limits(locks=frozenset(locks))), WARM, what, 1.0, adapt)
    for band in locks:
        assert made.settings.bands[band].gain_db == 0.0
        assert made.settings.bands[band].freq_hz == pytest.approx(REST_FREQS_HZ[band])
    if len(locks) == BANDS:
        assert made.settings.is_flat
        return
    zeroed = EQSettings(
        tuple(
            made.settings.bands[k] if k in locks else band
            for k, band in enumerate(free.settings.bands)
        )
    )

    def off(bands: EQSettings) -> float:
        difference = prototype_db(bands, FREQS_HZ) - curve(free)
        return float(np.sqrt(np.mean(difference**2)))

    assert off(made.settings) <= off(zeroed) + 1e-9


def test_trims_are_added_last_and_are_all_a_locked_band_has() -> None:
    trims = (1.0, 0.0, -2.0, 0.0, 3.0, 0.0, 0.0)
    what = heard(4)
    plain = settled(designer(Limits(locks=frozenset({4}))), WARM, what).settings
    made = settled(designer(Limits(locks=frozenset({4}), trims=trims)), WARM, what).settings
    for k in range(BANDS):
        added = made.bands[k].gain_db - plain.bands[k].gain_db
        assert added == pytest.approx(trims[k], abs=1e-9)
    assert made.bands[4].gain_db == 3.0


@pytest.mark.parametrize("max_db", [1.0, 3.0, 6.0])
@pytest.mark.parametrize("adapt", [0.0, 1.0])
def test_bands_and_curve_stay_within_the_limit(max_db: float, adapt: float) -> None:
    recipe = Recipe.parse("warm:1 + dark:1")
    what = heard(5, 8.0)
    free = settled(designer(), recipe, what, 2.0, adapt)
    made = settled(designer(Limits(max_db=max_db)), recipe, what, 2.0, adapt)
    assert max(abs(band.gain_db) for band in made.settings.bands) <= max_db
    assert np.abs(curve(made)).max() <= max_db
    assert np.abs(curve(made)).max() > 0.7 * max_db
    assert np.corrcoef(curve(made), curve(free))[0, 1] > 0.95
    assert any(f"limit of {max_db:g} dB" in warning for warning in made.warnings)


def test_the_same_calls_give_the_same_bands() -> None:
    one, two = designer(), designer()
    for seed in range(20):
        what = heard(seed // 3)
        assert (
            one.design(WARM, 1.0, 1.0, what, 0.1).settings
            == two.design(WARM, 1.0, 1.0, what, 0.1).settings
        )


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(UnknownWordError):
        designer().design(Recipe.parse("xyzzy"), 1.0, 1.0, None, 0.1)
    with pytest.raises(RecipeError, match="adapt must be"):
        designer().design(WARM, 1.0, 9.0, heard(0), 0.1)
    for wrong in (
        {"max_db": 0.0},
        {"max_db": 13.0},
        {"slew_db_s": 0.0},
        {"locks": frozenset({7})},
        {"trims": (0.0,) * 6},
        {"trims": (13.0,) + (0.0,) * 6},
    ):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            Limits(**wrong)
