"""AudioCommons timbral models as judges: regressions on people's ratings, 0 to 100 [1]_.

They are optional, and nothing of semeq needs them. ``pip install timbral_models`` fails on today's
Pythons (it asks for the retired name ``sklearn``); this works::

    pip install --no-deps timbral_models
    pip install librosa soundfile scikit-learn six pyloudnorm

The package was written for librosa 0.6, whose functions took the sample rate by position. `models` hands
its own modules (and no one else) a stand-in for librosa that still does.

Which model judges a word, and how far it can be trusted, was measured with shelves of ±6 dB on music:
brightness, booming, sharpness and warmth moved the right way for both signs of each; *depth* moved the
same way for +6 and −6 dB on one clip, so *deep* is support only (`SUPPORT_ONLY`).

References
----------
.. [1] A. Pearce, T. Brookes, R. Mason, "Timbral attributes for sound effect library searching",
       AES Conference on Semantic Audio 2017; AudioCommons deliverable D5.8.
"""

import contextlib
import io
import math
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np

from semeq.engine.errors import MissingPackageError
from semeq.engine.units import Audio, Floats

#: Word, its model, and +1 where the word wants more of it.
TIMBRAL_JUDGES = MappingProxyType(
    {
        "warm": ("warmth", 1),
        "bright": ("brightness", 1),
        "airy": ("brightness", 1),
        "boomy": ("booming", 1),
        "muddy": ("booming", 1),
        "tinny": ("sharpness", 1),
        "dark": ("brightness", -1),
        "deep": ("depth", 1),
    }
)
SUPPORT_ONLY = frozenset({"deep"})
#: Level that every sound is brought to first (rms, dB full scale): the models hear level.
LEVEL_DB = -23.0
MODELS = ("warmth", "brightness", "booming", "sharpness", "depth")


@cache
def models() -> Mapping[str, Callable[..., Any]]:
    """Return the models by name.

    Raises
    ------
    MissingPackageError
        If timbral_models or what it needs is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            package = import_module("timbral_models")
            util = import_module("timbral_models.timbral_util")
            librosa = import_module("librosa")
            onset = import_module("librosa.onset")
    except ImportError as error:
        raise MissingPackageError(
            f"timbral_models must be installed to judge by it, got no {error.name}: pip install "
            "--no-deps timbral_models; pip install librosa soundfile scikit-learn six pyloudnorm"
        ) from error

    def by_position(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda y, sr=22_050, **options: function(y=y, sr=sr, **options)

    # The package's own name for librosa, in that module alone: librosa itself stays as it is.
    util.librosa = SimpleNamespace(  # type: ignore[attr-defined]  # a module from import_module
        onset=SimpleNamespace(
            onset_detect=by_position(onset.onset_detect),
            onset_strength=by_position(onset.onset_strength),
        ),
        core=librosa.core,
    )
    return {name: getattr(package, f"timbral_{name}") for name in MODELS}


def timbral_score(name: str, audio: Audio, fs: float) -> float:
    """Return what one model says of a sound ``(frames, channels)``, level matched; nan if it fails."""
    mono: Floats = np.asarray(audio, dtype=np.float64).mean(axis=1)
    level = math.sqrt(float(np.mean(mono**2)))
    if level == 0.0:
        return math.nan
    mono *= 10.0 ** (LEVEL_DB / 20.0) / level
    model = models()[name]
    # It prints and warns about its own insides, and stops on sounds without an onset.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(np.real(model(mono, fs=int(fs))))
        except (ValueError, IndexError, FloatingPointError, ZeroDivisionError, TypeError):
            return math.nan


def timbral_scores(word: str, audio: Audio, fs: float) -> float:
    """Return how much a sound is as the word says, in rating points, the word's sign included."""
    name, sign = TIMBRAL_JUDGES[word]
    return sign * timbral_score(name, audio, fs)
