import numpy as np
import pytest

pytest.importorskip("torch")

from judged_music import music

from semeq.engine.errors import DataError
from semeq.engine.settings import REST_FREQS_HZ, Band, EQSettings, Kind
from semeq.training.clips import Clips
from semeq.training.eq_sets import SafeEq
from semeq.training.flow_eq import FlowConfig, parameters_of, settings_of, train_flow_eq
from semeq.training.metrics import triple
from semeq.training.splits import Split
from semeq.training.words import GRID_HZ


def setting(low_db: float, high_db: float, rng: np.random.Generator) -> EQSettings:
    peaks = [Band(Kind.PEAK, f, rng.normal(0.0, 0.5), 0.71) for f in (300.0, 1000.0, 3000.0)]
    spare = [Band(Kind.PEAK, f) for f in REST_FREQS_HZ[4:6]]
    low = Band(Kind.LOW_SHELF, 200.0 + rng.uniform(0, 50), low_db + rng.normal(0.0, 1.0))
    high = Band(Kind.HIGH_SHELF, 5000.0 + rng.uniform(0, 500), high_db + rng.normal(0.0, 1.0))
    return EQSettings((low, *peaks, *spare, high))


def people(count: int = 80) -> SafeEq:
    """Return people for whom warm is more bass and bright is more treble."""
    rng = np.random.default_rng(0)
    words = tuple("bright" if k % 2 else "warm" for k in range(count))
    settings = tuple(
        setting(-4.0, 6.0, rng) if w == "bright" else setting(6.0, -4.0, rng) for w in words
    )
    return SafeEq(
        GRID_HZ,
        np.zeros((count, 61)),
        words,
        tuple(f"safe:{k}" for k in range(count)),
        ("en",) * count,
        settings,
        (Split.TRAIN,) * count,
        (),
    )


def test_parameters_and_settings_are_the_same_thing() -> None:
    one = setting(3.0, -2.0, np.random.default_rng(1))
    assert settings_of(parameters_of(one)) == one


def test_peaks_are_sorted_by_frequency() -> None:
    one = setting(3.0, -2.0, np.random.default_rng(1))
    bands = list(one.bands)
    bands[1], bands[3] = bands[3], bands[1]
    assert parameters_of(EQSettings(tuple(bands))).tolist() == parameters_of(one).tolist()


def test_it_learns_its_two_words_and_no_other() -> None:
    drawn = people()
    semantic, mean = train_flow_eq(drawn, [True] * len(drawn), FlowConfig(epochs=12))
    assert semantic.name != mean.name
    clips = Clips(music(), [0])
    warm, bright = (mean.curves_db(word, 1.0, clips)[0] for word in ("warm", "bright"))
    assert warm[:10].mean() > warm[-10:].mean() + 3.0
    assert bright[-10:].mean() > bright[:10].mean() + 3.0
    found = triple(mean, music())
    assert set(found.direction_by_word) == {"warm", "bright"}
    assert found.spread.value == pytest.approx(1.0)


def test_training_repeats() -> None:
    drawn = people(20)
    clips = Clips(music(), [0])
    runs = [train_flow_eq(drawn, [True] * 20, FlowConfig(epochs=2, seed=5))[1] for _ in range(2)]
    first, second = (run.curves_db("warm", 1.0, clips) for run in runs)
    assert np.array_equal(first, second)


def test_one_word_alone_is_no_task() -> None:
    drawn = people(20)
    with pytest.raises(DataError, match="warm and bright"):
        train_flow_eq(drawn, [word == "warm" for word in drawn.words], FlowConfig(epochs=1))
