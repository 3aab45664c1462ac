"""Real recordings, where the environment variable SEMEQ_AUDIO names a folder of packages of them.

    SEMEQ_AUDIO=DIR pytest tests/training/test_real_audio.py

DIR holds ``PACKAGE/.../*.ogg`` and the like. Without the variable these tests do not run: semeq ships no
recordings.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from semeq.engine.errors import DataError
from semeq.training.audio_sets import AudioFolder
from semeq.training.sequence import CropSequence, CropSettings
from semeq.training.splits import Split

FOLDER = os.environ.get("SEMEQ_AUDIO", "")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="the environment variable SEMEQ_AUDIO names no folder of recordings"
)
CROPS = 256
#: Far below what one busy core gives: a decoder that reads whole files gives less than one.
LEAST_CROPS_A_SECOND = 5.0


@pytest.fixture(scope="module")
def found() -> AudioFolder:
    return AudioFolder(Path(FOLDER))


@pytest.mark.alone
def test_crops_are_sound(
    found: AudioFolder, record_property: Callable[[str, object], None]
) -> None:
    crops = CropSequence(found, CropSettings(), 1)
    begin = time.perf_counter()
    heard: Counter[str] = Counter()
    for _ in range(CROPS):
        crop = next(crops)
        assert np.isfinite(crop.audio).all()
        assert len(crop.audio) == round(3.0 * crop.fs)
        assert crop.audio.any()
        heard[crop.package] += 1
    rate = CROPS / (time.perf_counter() - begin)
    record_property("crops_per_second", round(rate, 1))
    record_property("summary", found.summary())
    assert rate > LEAST_CROPS_A_SECOND
    # No package speaks for all, however many minutes it holds.
    assert len(found.packages) < 5 or max(heard.values()) < 0.5 * CROPS


def test_splits_share_nothing(found: AudioFolder) -> None:
    sides: list[set[str]] = []
    for side in Split:
        try:
            sides.append(set(AudioFolder(Path(FOLDER), split=side).packages))
        except DataError:  # the hash gave this side no package
            sides.append(set())
    assert sum(map(len, sides)) == len(set().union(*sides)) == len(found.packages)
