import time
from collections.abc import Callable

import numpy as np
import pytest

from semeq.engine.design import response_db
from semeq.engine.errors import DataError
from semeq.engine.morph import morph, morph_curve
from semeq.engine.recipe import Recipe
from semeq.engine.synth import demo_mix
from semeq.presets.library import load_vocabulary

pytest.importorskip("onnxruntime")

from semeq.presets.shipped_model import load_shipped_model, load_shipped_tables, why_deaf

FS = 48_000.0
VOCABULARY = load_vocabulary()


def test_knows_every_word_and_what_made_it() -> None:
    model = load_shipped_model()
    assert set(model.words) == set(VOCABULARY.words)
    assert {"config", "seed", "music", "boldness"} <= set(model.notes)
    assert load_shipped_model() is model


def test_its_tables_mean_the_same_and_hear_nothing() -> None:
    model, tables = load_shipped_model(), load_shipped_tables()
    assert why_deaf() == ""
    assert tables.words.keys() == model.words.keys()
    np.testing.assert_array_equal(
        tables.decode(tables.words["warm"]), model.decode(model.words["warm"])
    )
    with pytest.raises(DataError, match=r"network\.onnx"):
        tables.hear_levels(np.zeros((8, 61), dtype=np.float32))


@pytest.mark.parametrize("word", ["warm", "bright", "dark"])
def test_music_that_has_it_gets_less(word: str) -> None:
    model = load_shipped_model()
    mix = demo_mix(FS, 6.0)
    own = VOCABULARY.get(word).curve_db
    size = len(mix)
    at = np.log(np.maximum(np.fft.rfftfreq(size, 1.0 / FS), 1.0))
    effect = []
    for amount in (-1.5, 0.0, 1.5):
        gain = 10.0 ** (amount * np.interp(at, np.log(model.freqs_hz), own) / 20.0)
        coloured = np.fft.irfft(np.fft.rfft(mix, axis=0) * gain[:, None], size, axis=0)
        heard = model.hear(coloured.astype(np.float32), FS)
        effect.append(float(morph_curve(model, Recipe.parse(word), heard) @ own))
    assert effect[0] > effect[1] > effect[2] > -1e-4


def test_level_does_not_move_the_bands() -> None:
    model = load_shipped_model()
    mix = demo_mix(FS, 3.0)
    recipe = Recipe.parse("warm:0.5 + airy:0.3")
    loud, quiet = (
        response_db(morph(model, VOCABULARY, recipe, model.hear(x, FS)), FS, model.freqs_hz)
        for x in (mix, (0.1 * mix).astype(np.float32))
    )
    assert np.sqrt(np.mean((loud - quiet) ** 2)) < 0.01


@pytest.mark.alone
def test_a_window_takes_little_time(record_property: Callable[[str, object], None]) -> None:
    model = load_shipped_model()
    window = demo_mix(FS, 3.0)[:, :1]
    took = []
    for _ in range(5):
        start = time.perf_counter()
        model.hear(window, FS)
        took.append(time.perf_counter() - start)
    record_property("window_ms", 1000.0 * min(took))
    # 10 windows a second must be easy even on a busy machine; measured 23 ms.
    assert min(took) < 0.3
