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
from ab_loudness import TERMS, louder_lu, pieces

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


#: Bypass against processed over twenty seconds or more; what changes in between is not foreseen.
MATCHED_LU, MATCHED_SHARE = 0.2, 0.8


def test_a_live_session_is_as_loud_as_bypassed(
    record_property: Callable[[str, object], None],
) -> None:
    played = pieces(Path(FOLDER), 12, 40.0)
    found = [louder_lu(x, fs, term) for x, fs in played for term in TERMS[::3]]
    off = np.abs([louder for louder in found if louder is not None])
    record_property("median_lu", round(float(np.median(off)), 3))
    record_property("p95_lu", round(float(np.percentile(off, 95)), 3))
    assert np.median(off) <= MATCHED_LU / 2.0
    assert np.mean(off <= MATCHED_LU) >= MATCHED_SHARE


def test_splits_share_nothing(found: AudioFolder) -> None:
    sides: list[set[str]] = []
    for side in Split:
        try:
            sides.append(set(AudioFolder(Path(FOLDER), split=side).packages))
        except DataError:  # the hash gave this side no package
            sides.append(set())
    assert sum(map(len, sides)) == len(set().union(*sides)) == len(found.packages)
