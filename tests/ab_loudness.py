"""Bypass against processed: how much louder a live session makes a sound, once it has settled."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from unplugged import Unplugged

from semeq.engine.errors import AudioFileError
from semeq.engine.loudness import LoudnessMeter
from semeq.engine.units import Audio
from semeq.realtime.control import ControlState
from semeq.training.spectra import SUFFIXES, read_crop

TERMS = (
    ("warm", 1.0),
    ("warm", 0.5),
    ("bright", 1.0),
    ("bright", -0.6),
    ("deep", 1.0),
    ("dark", 1.0),
    ("crisp", 1.0),
    ("clear", 1.0),
    ("airy", 0.7),
    ("boomy", 0.8),
    ("punchy", 1.0),
    ("harsh", 0.5),
)
#: From then on both are measured, s.
SETTLED_S = 10.0


def loudness(audio: Audio, fs: float) -> float | None:
    """Return the gated loudness in LUFS."""
    meter = LoudnessMeter(fs, audio.shape[1])
    meter.feed(np.ascontiguousarray(audio))
    return meter.integrated()


def louder_lu(x: Audio, fs: float, term: tuple[str, float]) -> float | None:
    """Return by how much the sound is louder than when it is bypassed; None for silence."""
    session = Unplugged(ControlState((term,), adapt=0.0), fs, x.shape[1], ceiling_db=24.0)
    settled = round(SETTLED_S * fs)
    processed, bypassed = (loudness(z[settled:], fs) for z in (session.play(x), x))
    return None if processed is None or bypassed is None else processed - bypassed


def pieces(folder: Path, count: int, seconds: float) -> Iterator[tuple[Audio, float]]:
    """Yield the first `seconds` of `count` recordings, spread over all that are long enough."""
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    for index in np.random.default_rng(0).permutation(len(found)):
        try:
            x, fs = read_crop(found[index], 0.0, seconds)
        except AudioFileError:
            continue
        if count and x.shape[1] <= 2 and len(x) == int(seconds * fs):
            count -= 1
            yield x, fs
