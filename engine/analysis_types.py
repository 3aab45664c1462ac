"""What an analysis consists of: windows, sections, the path through the latent space, and EQ that is needed.

Conventions
-----------
Means over time are weighted by energy: what is loud counts. Windows that are silence are marked; they have no
weight, and their scores are 0 and mean nothing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from semeq.engine.analysis_windows import check_sizes
from semeq.engine.analysis_words import DEFAULT_WORDS, Fit
from semeq.engine.encoder import Heard
from semeq.engine.errors import SettingsError
from semeq.engine.recipe import Recipe
from semeq.engine.settings import EQSettings
from semeq.engine.units import Floats
from semeq.engine.words import Word


@dataclass(frozen=True, slots=True)
class AnalysisConfig:
    """What to look for: windows and hops in seconds, words to score, recipes to work out."""

    window_s: float = 3.0
    hop_s: float = 1.0
    words: tuple[str, ...] = DEFAULT_WORDS
    targets: tuple[Recipe, ...] = ()
    adapt: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_sizes(self.window_s, self.hop_s)
        if not self.words:
            raise SettingsError("words must hold one word or more, got none")


@dataclass(frozen=True, slots=True, eq=False)
class Meter:
    """What a spectrum is like, whatever the encoder says; arrays where there are many.

    Parameters
    ----------
    shares : Floats
        Parts of the power in `semeq.engine.spectrum.REGIONS`, shape ``(..., 7)``.
    centroid_hz : Floats
        Mean of log frequency over power, as a frequency, shape ``(...)``.
    tilt_db_octave : Floats
        Slope of the spectrum; pink noise has 0, shape ``(...)``.
    """

    shares: Floats
    centroid_hz: Floats
    tilt_db_octave: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """All windows, one row each: where, mean square, silence, what was heard, scores, meter."""

    start_s: Floats
    end_s: Floats
    energy: Floats
    is_silent: npt.NDArray[np.bool_]
    z: Floats
    spectrum_db: Floats
    power: Floats
    scores: Floats
    meter: Meter

    @property
    def weights(self) -> Floats:
        """What each counts in a mean, shape ``(n,)``; not normalised."""
        return np.where(self.is_silent, 0.0, self.energy)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The whole sound, or a section of it.

    Parameters
    ----------
    start_s, end_s : float
        Where it lies.
    energy : float
        Mean square over its windows, silence included.
    is_silent : bool
        Nothing to hear.
    heard : Heard
        Energy-weighted means.
    scores : Floats
        Shape ``(words,)``.
    meter : Meter
        Of the mean power.
    description : str
        A few words.
    """

    start_s: float
    end_s: float
    energy: float
    is_silent: bool
    heard: Heard
    scores: Floats
    meter: Meter
    description: str


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """Seven bands, and their response in dB at the frequencies of the vocabulary."""

    settings: EQSettings
    response_db: Floats

    @property
    def strength_db(self) -> float:
        """Rms of the response without its level."""
        return float(np.std(self.response_db))


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The EQ that a recipe needs on the whole, and on each section; None where there is silence."""

    recipe: Recipe
    warnings: tuple[str, ...]
    overall: Need | None
    sections: tuple[Need | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LatentPath:
    """The two directions in which the sound moves most.

    Parameters
    ----------
    points : Floats
        Position of each window in dB rms from the mean, shape ``(n, 2)``; 0 for silence.
    explained : tuple of float
        Part of the variance along each axis.
    toward, away : tuple of str
        The word whose curve lies along each axis, and the one that lies against it.
    """

    points: Floats
    explained: tuple[float, float]
    toward: tuple[str, str]
    away: tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Everything about one sound; ``novelty_db`` has a value for each hop."""

    fs: float
    channels: int
    duration_s: float
    config: AnalysisConfig
    words: tuple[Word, ...]
    freqs_hz: Floats
    windows: Windows
    novelty_db: Floats
    overall: Part
    sections: tuple[Part, ...]
    ranking: tuple[Fit, ...]
    path: LatentPath
    targets: tuple[Target, ...]
    warnings: tuple[str, ...] = ()
