import numpy as np
import pytest
from judged_music import write_music

from semeq.engine.design import prototype_db
from semeq.engine.encoder import Model
from semeq.engine.morph import morph
from semeq.engine.recipe import Recipe
from semeq.engine.units import Floats
from semeq.presets.library import load_vocabulary
from semeq.training.clips import Clips
from semeq.training.human import without_level
from semeq.training.metrics import triple
from semeq.training.model_method import LiteralDecode, ModelMethod
from semeq.training.spectra import Spectra, spectra_of_folder
from semeq.training.words import GRID_HZ

#: A latent that is the curve itself, seen through cosines: all that matters is that it is linear.
DECODER = np.cos(np.outer(np.arange(1, 33), np.linspace(0.0, np.pi, 61)))


class Ears:
    """An encoder that takes how far the sound is from pink noise for what was put on."""

    def run(self, names: list[str], inputs: dict[str, Floats]) -> list[Floats]:
        power = np.mean(10.0 ** (inputs["levels"].astype(np.float64) / 10.0), axis=0)
        levels = without_level(10.0 * np.log10(power))
        return [0.5 * np.linalg.lstsq(DECODER.T, levels, rcond=None)[0], levels]


def model() -> Model:
    words = {
        name: np.linalg.lstsq(DECODER.T, word.curve_db, rcond=None)[0]
        for name, word in load_vocabulary().words.items()
        if word.people > 3
    }
    return Model(None, np.asarray(GRID_HZ), DECODER, words, {"name": "ears"}, network=Ears())


@pytest.fixture(scope="module")
def spectra(tmp_path_factory: pytest.TempPathFactory) -> Spectra:
    folder = write_music(tmp_path_factory.mktemp("music"), recordings=3, seconds=4.0)
    return spectra_of_folder(folder, crops=1, seconds=4.0)


@pytest.mark.parametrize("recipe", ["warm", "bright:0.4", "warm:0.5 + airy:0.3", "muddy:-0.7"])
def test_its_curve_is_that_of_the_bands_that_play(spectra: Spectra, recipe: str) -> None:
    asked = Recipe.parse(recipe)
    method = ModelMethod(model(), "ears")
    clips = Clips(spectra, [0])
    found = method.blends_db(dict(asked.terms), clips)[0]
    heard = method.hear(*clips.audio(0))
    bands = morph(model(), load_vocabulary(), asked, heard)
    plays = without_level(prototype_db(bands, np.asarray(GRID_HZ)))
    assert found == pytest.approx(plays, abs=1e-3)


def test_one_sound_and_many_clips_are_answered_alike(spectra: Spectra) -> None:
    method = ModelMethod(model(), "ears")
    clips = Clips(spectra, [0, 2])
    many = method.curves_db("warm", 0.8, clips)
    one = method.curve_db("warm", 0.8, *clips.audio(1))
    assert one == pytest.approx(many[1], abs=1e-6)
    assert not method.curves_db("warm", 0.0, clips).any()


def test_the_whole_way_from_file_to_figures(spectra: Spectra) -> None:
    shipped = triple(ModelMethod(model(), "ears"), spectra)
    literal = triple(LiteralDecode(model(), "literal"), spectra)
    assert shipped.spread.value < 0.9
    # Decoded literally, what is there already is put on once more.
    assert literal.spread.value > 1.0
    assert shipped.restoration.value < literal.restoration.value


def test_people_to_learn_from_replace_its_words(spectra: Spectra) -> None:
    method = ModelMethod(model(), "ears", adapt=0.0)
    clips = Clips(spectra, [0])
    before = method.curves_db("warm", 1.0, clips)[0]
    vocabulary = load_vocabulary()
    method.learn(
        {"warm": vocabulary.get("bright").curve_db, "bright": vocabulary.get("warm").curve_db}
    )
    after = method.curves_db("warm", 1.0, clips)[0]
    assert method.words == frozenset({"warm", "bright"})
    assert np.corrcoef(before, after)[0, 1] < 0.0


def test_its_own_score_and_what_it_heard(spectra: Spectra) -> None:
    method = ModelMethod(model(), "ears")
    rise = 1.5 * np.log2(np.asarray(GRID_HZ) / 1000.0)
    from semeq.training.spectra import to_bands

    plain = Clips(spectra, range(len(spectra)))
    bright = Clips(spectra, range(len(spectra)), np.tile(to_bands(rise), (len(spectra), 1)))
    tilt = method.put_on_db(bright) - method.put_on_db(plain)
    assert (tilt[:, -10:].mean(axis=1) > tilt[:, :10].mean(axis=1) + 3.0).all()
    more = method.own_scores("bright", bright) - method.own_scores("dark", bright)
    less = method.own_scores("bright", plain) - method.own_scores("dark", plain)
    assert (more > less).all()
