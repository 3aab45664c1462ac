"""A shipped model as a method to be judged: the files that users load, on sound that was really filtered.

Every clip is decoded, equalised with zero phase and heard through the exported encoder; the move goes through
seven bands, as it does live. What was heard of a clip is remembered as long as the clips are: words and
amounts cost next to nothing then.

The words are those of the model, unless `ModelMethod.learn` gives it curves of people to learn from:
the vocabulary that ships is made from everybody, and held-out people could not judge it.
"""

from collections.abc import Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from semeq.engine.encoder import Heard, Model
from semeq.engine.fit import to_parameters
from semeq.engine.frontend import BandStream
from semeq.engine.meaning import interpret
from semeq.engine.model_file import load_model
from semeq.engine.morph import Move, bands_for, make_move
from semeq.engine.recipe import Recipe
from semeq.engine.responses import prototypes_db
from semeq.engine.units import Audio, Floats
from semeq.presets.library import shipped_vocabulary
from semeq.training.clips import Clips
from semeq.training.human import without_level
from semeq.training.words import GRID_HZ

#: A clip is heard in equal parts of about this length, their latents averaged: as the live encoder does.
WINDOW_S = 3.0


class ModelMethod:
    """A model's seven bands.

    Parameters
    ----------
    model : Model
        A loaded model.
    name : str
        What tables and figures call it.
    adapt : float
        How much what was heard counts.
    """

    def __init__(self, model: Model, name: str, *, adapt: float = 1.0) -> None:
        self.name = name
        self._model = model
        self._adapt = adapt
        self._vocabulary = shipped_vocabulary()
        self._latents: dict[str, Floats] = dict(model.words)
        #: What was heard of clips, as long as they are there.
        self.heard: WeakKeyDictionary[Clips, Heard] = WeakKeyDictionary()
        self.words = frozenset(self._latents)

    def learn(self, curves: Mapping[str, Floats]) -> None:
        """Take the words' latents from curves ``(61,)`` of people, as the export does."""
        rows = np.array([curves[word] for word in sorted(curves)])
        latents = np.linalg.lstsq(self._model.decoder.T, rows.T, rcond=None)[0].T
        self._latents = dict(zip(sorted(curves), latents, strict=True))
        self.words = frozenset(self._latents)

    def hear(self, audio: Audio, fs: float) -> Heard:
        """Return what is heard of a sound, the mean over its windows."""
        levels = BandStream(fs, audio.shape[1]).feed(audio)
        count = max(1, round(len(audio) / fs / WINDOW_S))
        heard = [self._model.hear_levels(part) for part in np.array_split(levels, count)]
        return Heard(
            np.mean([one.z for one in heard], axis=0),
            np.mean([one.spectrum_db for one in heard], axis=0),
        )

    def _hear_all(self, clips: Clips) -> Heard:
        if clips not in self.heard:
            heard = [self.hear(*clips.audio(k)) for k in range(len(clips))]
            self.heard[clips] = Heard(
                np.array([one.z for one in heard]), np.array([one.spectrum_db for one in heard])
            )
        return self.heard[clips]

    def _wanted(self, weights: Mapping[str, float], heard: Heard) -> Move:
        """Return the move as the model means it, curves of shape ``(n, 61)``."""
        words = [
            (w, weight, self._latents[w] @ self._model.decoder) for w, weight in weights.items()
        ]
        return make_move(
            words,
            self._model.put_on_db(heard.z),
            heard.spectrum_db,
            self._model.freqs_hz,
            adapt=self._adapt,
        )

    def _through_bands(self, weights: Mapping[str, float], move: Move) -> Floats:
        """Return the response of the seven bands that `semeq.engine.morph.morph` would fit."""
        recipe = Recipe(tuple((word, w) for word, w in weights.items() if w))
        if not np.any(move.curve_db) or not recipe.terms:
            return np.zeros_like(move.curve_db)
        start = to_parameters(interpret(recipe, self._vocabulary).settings)
        return without_level(prototypes_db(bands_for(move, GRID_HZ, start), GRID_HZ)[0])

    def blends_db(self, weights: Mapping[str, float], clips: Clips) -> Floats:
        """Return the response for weighted words, one curve a clip."""
        return self._through_bands(weights, self._wanted(weights, self._hear_all(clips)))

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        """Return the response for one word, one curve a clip."""
        return self.blends_db({word: amount}, clips)

    def curve_db(self, word: str, amount: float, audio: Audio, fs: float) -> Floats:
        """Return the response for one sound, shape ``(61,)``."""
        one = self.hear(audio, fs)
        heard = Heard(one.z[None], one.spectrum_db[None])
        curve: Floats = self._through_bands({word: amount}, self._wanted({word: amount}, heard))[0]
        return curve

    def put_on_db(self, clips: Clips) -> Floats:
        """Return the curves that were heard, one a clip."""
        return self._model.decode(self._hear_all(clips).z)

    def own_scores(self, word: str, clips: Clips) -> Floats:
        """Return minus the rms distance in dB between what is heard and the word."""
        away = self.put_on_db(clips) - self._latents[word] @ self._model.decoder
        score: Floats = -np.sqrt(np.mean(away**2, axis=1))
        return score


class LiteralDecode(ModelMethod):
    """The move of the closest public attempt: decode the morphed latent itself, not a difference."""

    def _wanted(self, weights: Mapping[str, float], heard: Heard) -> Move:
        reference = self._adapt * heard.z
        moved = sum(w * (self._latents[word] - reference) for word, w in weights.items())
        return Move(without_level(self._model.decode(reference + moved)))

    def _through_bands(self, weights: Mapping[str, float], move: Move) -> Floats:
        return move.curve_db


def methods(folder: str) -> list[ModelMethod]:
    """Return the model in a folder in its ways of being used: as shipped, and decoded literally."""
    model = load_model(Path(folder))
    path = Path(folder).resolve()
    name = str(model.notes.get("name", path.parent.name if path.name == "model" else path.name))
    shipped, literal = ModelMethod(model, name), LiteralDecode(model, f"{name}, literal decode")
    # One pair of ears: what one has heard of a clip the other need not hear again.
    literal.heard = shipped.heard
    return [shipped, literal]
