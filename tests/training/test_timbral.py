import math
import sys
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from semeq.engine.errors import MissingPackageError
from semeq.training.judges import BAND_JUDGES
from semeq.training.timbral import (
    LEVEL_DB,
    MODELS,
    TIMBRAL_JUDGES,
    models,
    timbral_score,
    timbral_scores,
)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Stand in for timbral_models and a librosa that takes keywords only."""
    onset = ModuleType("librosa.onset")

    def detect(*, y: object, sr: int = 0, backtrack: bool = False) -> tuple[object, int, bool]:
        return y, sr, backtrack

    onset.onset_detect = detect  # type: ignore[attr-defined]  # a module made by hand
    onset.onset_strength = detect  # type: ignore[attr-defined]
    librosa = ModuleType("librosa")
    librosa.onset, librosa.core = onset, object()  # type: ignore[attr-defined]
    util = ModuleType("timbral_models.timbral_util")
    made = ModuleType("timbral_models")

    def rms(audio: np.ndarray[tuple[int], np.dtype[np.float64]], fs: int) -> float:
        print("talks a lot")  # noqa: T201  # as the package does
        return float(20.0 * np.log10(np.sqrt(np.mean(audio**2))))

    for name in MODELS:
        setattr(made, f"timbral_{name}", rms)
    for module in (onset, librosa, util, made):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    models.cache_clear()
    yield util
    models.cache_clear()


def test_its_own_librosa_takes_positions_and_no_other_does(package: ModuleType) -> None:
    models()
    assert package.librosa.onset.onset_detect([1.0], 44_100, backtrack=True) == (
        [1.0],
        44_100,
        True,
    )
    with pytest.raises(TypeError):
        sys.modules["librosa"].onset.onset_detect([1.0], 44_100)


@pytest.mark.parametrize("gain", [0.001, 1.0])
def test_level_is_matched_and_nothing_is_printed(
    package: ModuleType, gain: float, capsys: pytest.CaptureFixture[str]
) -> None:
    audio = (gain * np.random.default_rng(0).standard_normal((4410, 2))).astype(np.float32)
    assert timbral_score("warmth", audio, 44_100.0) == pytest.approx(LEVEL_DB, abs=0.01)
    assert timbral_scores("dark", audio, 44_100.0) == pytest.approx(-LEVEL_DB, abs=0.01)
    assert capsys.readouterr().out == ""


def test_silence_and_failures_are_not_numbers(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert math.isnan(timbral_score("warmth", np.zeros((100, 1), dtype=np.float32), 44_100.0))

    def fails(audio: object, fs: int) -> float:
        raise IndexError("no onset")

    monkeypatch.setattr(sys.modules["timbral_models"], "timbral_warmth", fails)
    models.cache_clear()
    assert math.isnan(timbral_score("warmth", np.ones((100, 1), dtype=np.float32), 44_100.0))


def test_what_is_missing_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timbral_models", None)
    models.cache_clear()
    with pytest.raises(MissingPackageError, match="pip install --no-deps timbral_models"):
        models()


def test_every_word_has_a_model() -> None:
    assert set(TIMBRAL_JUDGES) == set(BAND_JUDGES)
    assert {name for name, _ in TIMBRAL_JUDGES.values()} <= set(MODELS)
