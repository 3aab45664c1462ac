"""Methods without a network of ours: what a model has to beat, and the controls that catch a bad judge.

All of them look at long-term spectra at most. See `semeq.training.flow_eq` for the VAE.
"""

from collections.abc import Mapping

import numpy as np

from semeq.engine.design import prototype_db
from semeq.engine.fit import fit_bands
from semeq.engine.settings import EQSettings
from semeq.engine.units import Floats, read_only
from semeq.engine.words import Vocabulary
from semeq.training.clips import Clips
from semeq.training.human import without_level
from semeq.training.methods import SpectralMethod
from semeq.training.spectra import BAND_EDGES_HZ, FREQS_HZ, Spectra
from semeq.training.words import GRID_HZ

#: How far the spectrum match may go at any frequency (dB).
MATCH_LIMIT_DB = 12.0
#: Share of the distance from the typical spectrum that is taken to have been put on: least squares.
DETECTED = 0.2
#: Steps of the fit of bands from a flat start.
FIT_STEPS = 60
#: Width (standard deviation, octaves) of the smoothing before spectra are matched.
SMOOTH_OCTAVES = 0.2
#: A spectrum is taken to be no lower than this below its mean density (dB): lossy files end at 16 kHz.
DEEPEST_DB = -60.0


def _smoothing() -> Floats:
    widths = np.diff(np.log2(BAND_EDGES_HZ))
    distance = np.log2(FREQS_HZ[:, None] / GRID_HZ[None, :]) / SMOOTH_OCTAVES
    weights = np.exp(-0.5 * distance**2)
    normed: Floats = weights / (weights * widths[:, None]).sum(axis=0)
    return normed


_SMOOTHING: Floats = read_only(_smoothing())


def levels_db(power: Floats) -> Floats:
    """Return smoothed spectra in dB on the vocabulary's grid, level removed; pink noise is flat.

    Parameters
    ----------
    power : Floats
        Band powers, shape ``(..., m)``, each row summing to 1.

    Returns
    -------
    Floats
        Shape ``(..., 61)``.
    """
    density: Floats = power @ _SMOOTHING
    levels: Floats = 10.0 * np.log10(np.maximum(density, 10.0 ** (DEEPEST_DB / 10.0)))
    return without_level(levels)


def typical_spectrum(spectra: Spectra) -> Floats:
    """Return the mean of smoothed spectra in dB, shape ``(61,)``, each package weighing the same."""
    levels = levels_db(spectra.power)
    packages = np.array(spectra.packages)
    means = np.array([levels[packages == p].mean(axis=0) for p in np.unique(packages)])
    typical: Floats = means.mean(axis=0)
    return typical


class Identity(SpectralMethod):
    """Does nothing."""

    name = "identity"

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        """Return zeros."""
        return np.zeros((len(clips), len(GRID_HZ)))


class RandomEQ(SpectralMethod):
    """Any word's curve but the one asked for, another for every clip, same strength."""

    name = "random EQ"

    def __init__(self, curves: Mapping[str, Floats], seed: int = 0) -> None:
        self._curves, self._seed = curves, seed

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        """Return curves of random words, scaled to the strength of the word asked for."""
        # The same word always gives the same draw, in whatever order words are asked for.
        rng = np.random.default_rng([self._seed, *word.encode()])
        others = np.array([curve for name, curve in sorted(self._curves.items()) if name != word])
        drawn = others[rng.integers(len(others), size=len(clips))]
        strength = np.sqrt(np.mean(self._curves[word] ** 2))
        drawn *= strength / np.sqrt(np.mean(drawn**2, axis=1, keepdims=True))
        return amount * drawn


class ConstantCurve(SpectralMethod):
    """The word's mean human curve times the amount, whatever the input."""

    name = "constant curve"

    def __init__(self, curves: Mapping[str, Floats]) -> None:
        self._curves = curves

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        """Return the same curve for every clip."""
        return np.tile(amount * self._curves[word], (len(clips), 1))

    def blends_db(self, weights: Mapping[str, float], clips: Clips) -> Floats:
        """Return the weighted sum of the words' curves for every clip."""
        total = np.sum([weight * self._curves[word] for word, weight in weights.items()], axis=0)
        return np.tile(total, (len(clips), 1))


class SpectrumMatch(SpectralMethod):
    """Amount × (typical spectrum + word curve − this clip's spectrum), held within ±12 dB.

    For a negative amount the word's curve is subtracted and the amount's size counts.
    """

    name = "spectrum match"

    def __init__(self, curves: Mapping[str, Floats], typical_db: Floats) -> None:
        self._curves, self._typical = curves, typical_db

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        """Return what is missing to the target spectrum."""
        return self.blends_db({word: amount}, clips)

    def blends_db(self, weights: Mapping[str, float], clips: Clips) -> Floats:
        """Return the sum over words of their weight times what is missing to their spectrum."""
        away = self._typical - levels_db(clips.power)
        move = sum(abs(a) * (away + np.sign(a) * self._curves[w]) for w, a in weights.items())
        held: Floats = np.clip(move, -MATCH_LIMIT_DB, MATCH_LIMIT_DB)
        return without_level(held)

    def put_on_db(self, clips: Clips) -> Floats:
        """Return how far the clips are from the typical spectrum, times `DETECTED`."""
        return DETECTED * (levels_db(clips.power) - self._typical)

    def own_scores(self, word: str, clips: Clips) -> Floats:
        """Return minus the rms distance in dB from the word's target spectrum."""
        away = levels_db(clips.power) - self._typical - self._curves[word]
        score: Floats = -np.sqrt(np.mean(away**2, axis=1))
        return score


class TargetOnly(ConstantCurve):
    """Decodes the word alone and never hears the input: seven bands fitted to its curve, times the amount."""

    name = "decode without audio"

    def __init__(self, curves: Mapping[str, Floats]) -> None:
        super().__init__(curves)
        self._kept: dict[tuple[tuple[str, float], ...], Floats] = {}

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        """Return the response of the word's bands for every clip."""
        return self.blends_db({word: amount}, clips)

    def blends_db(self, weights: Mapping[str, float], clips: Clips) -> Floats:
        """Return the response of the bands fitted to the weighted sum for every clip."""
        terms = tuple(sorted(weights.items()))
        if terms not in self._kept:
            wanted = super().blends_db(weights, clips)[0]
            bands = fit_bands(wanted, GRID_HZ, start=EQSettings.flat(), iterations=FIT_STEPS)
            self._kept[terms] = without_level(prototype_db(bands, GRID_HZ))
        return np.tile(self._kept[terms], (len(clips), 1))


def vocabulary_curves(vocabulary: Vocabulary) -> dict[str, Floats]:
    """Return the mean human curve of every word."""
    return {name: word.curve_db for name, word in vocabulary.words.items()}
