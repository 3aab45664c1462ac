"""Several sources as one, each as often as its weight says.

>>> from semeq.training.noise import SyntheticNoise
>>> both = Mixture({"noise": (SyntheticNoise(), 1.0), "pink": (SyntheticNoise({"pink": 1.0}), 3.0)})
>>> both.sample(np.random.default_rng(1), 0.1).source
'pink'
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from semeq.engine.errors import SettingsError
from semeq.training.crops import Crop
from semeq.training.recordings import AudioSource, Recording, sample


class Mixture:
    """A source made of sources.

    Parameters
    ----------
    sources : mapping of str to (source, weight)
        The name tells in `Crop.source` where a crop comes from; a weight is at least 0, and only
        their ratios count.

    Raises
    ------
    SettingsError
        If a weight is negative or all are zero.
    """

    def __init__(self, sources: Mapping[str, tuple[AudioSource, float]]) -> None:
        for name, (_, weight) in sources.items():
            if not (math.isfinite(weight) and weight >= 0.0):
                raise SettingsError(f"the weight of {name} must be at least 0, got {weight:g}")
        total = sum(weight for _, weight in sources.values())
        if not total > 0.0:
            raise SettingsError("a mixture must have a source with a weight above 0, got none")
        self.sources = {name: source for name, (source, _) in sources.items()}
        self.shares = {name: weight / total for name, (_, weight) in sources.items()}
        self._up_to = np.cumsum(list(self.shares.values()))

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """The recordings of all sources, their names and packages behind the source's name."""
        return tuple(
            replace(r, name=f"{name}/{r.name}", package=f"{name}/{r.package}")
            for name, source in self.sources.items()
            for r in source.recordings
        )

    @property
    def left_out(self) -> int:
        """How many recordings of all sources could not be used so far."""
        return sum(source.left_out for source in self.sources.values())

    def sample(self, rng: Generator, seconds: float) -> Crop:
        """Return a crop of exactly `seconds`."""
        return sample(self, rng, seconds)

    def passage(self, rng: Generator, seconds: float) -> Crop:
        """Return a stretch of up to `seconds` from one of the sources."""
        name = tuple(self.sources)[int(np.searchsorted(self._up_to[:-1], rng.random(), "right"))]
        return replace(self.sources[name].passage(rng, seconds), source=name)

    def summary(self) -> str:
        """Return one line: the share of each source, and what each says of itself."""
        parts = (
            f"{100.0 * self.shares[name]:.0f} % {name} ({source.summary()})"
            for name, source in self.sources.items()
        )
        return "; ".join(parts)
