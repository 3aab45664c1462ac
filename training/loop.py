"""The stage ``e2e``: the loop closed, from sound to EQ to sound to latent.

A window under a curve is encoded; a word and an intensity (0.3 rising to 1) are drawn;
``z_morphed = z + a (z_word - z)``; the EQ ``h(z_morphed) - h(z)`` is applied; what comes out is encoded again
and shall be where it was meant to go (`consistency`). A frozen copy of the encoder from before the loop
listens too (`second_judge`): what only pleases the one that is trained is no success. The recovered
curve still has to be right (`curve`, `pair`), and no move beyond ±12 dB pays (`strength`). A few windows of
each step are real sounds through the real seven bands (`quality`, see `semeq.training.quality`).
"""

import copy

import numpy as np
import torch
from numpy.random import Generator

from semeq.engine.units import Floats
from semeq.training.config import AudioOptions, LoopOptions
from semeq.training.levels import LevelBank
from semeq.training.losses import curve_error, pair_error, strength_excess
from semeq.training.models import AudioEncoder, EQAutoencoder
from semeq.training.put_on import PutOn
from semeq.training.quality import Quality, Sounds
from semeq.training.stages import AudioStage, as_tensor, in_parts
from semeq.training.train import Losses


class LoopStage(AudioStage):
    """The closed loop, starting from the encoder of ``audio``.

    Parameters
    ----------
    module, autoencoder, train, valid, put_on, matching, seed
        As for `AudioStage`; `matching` are its options.
    options : LoopOptions
        How the loop is trained.
    words_db : Floats
        Curves of the words that are asked for, shape ``(words, 61)``.
    quality : tuple of Quality, optional
        Real sounds for training and for judging; None: band levels alone.
    """

    name = "e2e"

    def __init__(
        self,
        module: AudioEncoder,
        autoencoder: EQAutoencoder,
        train: LevelBank,
        valid: LevelBank,
        put_on: PutOn,
        options: LoopOptions,
        words_db: Floats,
        *,
        matching: AudioOptions,
        quality: tuple[Quality, Quality] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(module, autoencoder, train, valid, put_on, matching, seed=seed)
        self._loop = options
        self._words = as_tensor(words_db, self._curves.device)
        self._second = copy.deepcopy(module).eval().requires_grad_(False)
        rng = np.random.default_rng([seed, 2])
        self._asked = torch.from_numpy(rng.integers(len(words_db), size=len(self._curves)))
        self._quality = None if quality is None else quality[0]
        self._judged = None if quality is None else quality[1]
        if self._judged is not None:
            rng = np.random.default_rng([seed, 4])
            self._sounds = self._judged.draw(rng, len(self._judged), self.pairs.frames)
            self._sounds_asked = rng.integers(len(words_db), size=len(self._judged))

    def _move(
        self, levels: torch.Tensor, words: torch.Tensor, intensity: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the found curve and the move."""
        found = self._autoencoder.decode(in_parts(self.module, levels))
        return found, intensity * (words - found)

    def losses(self, rng: Generator, progress: float, share: int) -> Losses:
        """Return the parts of the loop's loss."""
        options, device = self._loop, self._curves.device
        first = options.first_intensity
        intensity = first + (1.0 - first) * progress
        levels, curves = self.pairs.draw(rng, max(options.pairs // share, 2))
        truth = as_tensor(curves, device)
        count = len(truth)
        rows = rng.integers(len(self._words), size=count)
        seen, sounds = as_tensor(levels, device), None
        if self._quality is not None and options.quality_weight > 0.0:
            sounds = self._quality.draw(rng, max(options.sounds // share, 1), self.pairs.frames)
            rows = np.concatenate([rows, rng.integers(len(self._words), size=len(sounds))])
            # Heard in one batch: windows are normalised by what is common to all of it.
            seen = torch.cat([seen, sounds.levels_db])
        words = self._words[torch.from_numpy(rows).to(device)]
        all_found, all_moves = self._move(seen, words, intensity)
        found, move = all_found[:count], all_moves[:count]
        after = seen[:count] + move[:, None, :]
        heard = self._autoencoder.decode(self.module(after))
        second = self._autoencoder.decode(self._second(after))
        wanted = found + move
        parts = {
            "curve": curve_error(found, truth),
            "pair": self._options.pair_weight * pair_error(found, truth),
            "consistency": options.consistency_weight * curve_error(heard, wanted),
            "second_judge": options.second_judge_weight * curve_error(second, wanted),
            "strength": options.strength_weight * strength_excess(move),
        }
        if sounds is not None and self._quality is not None:
            error = self._quality.error(
                self._quality.equalised(sounds, all_moves[count:], rows[count:], intensity),
                self._quality.wanted(sounds, words[count:], intensity),
            )
            parts["quality"] = options.quality_weight * error
        return parts

    def validate(self) -> dict[str, float]:
        """Return the figures of ``audio``, and what the loop comes to at intensity 1.

        ``semantic`` is the semantic loss, ``semantic_left`` its part of doing nothing. Where there are
        sounds, ``quality`` is their multi-resolution STFT error, ``quality_left`` its part of doing
        nothing, and ``apart`` how far (dB rms) the curve found after the real filters is from the one
        found after adding the move to band levels.
        """
        figures = super().validate()
        words = self._words[self._asked.to(self._words.device)]
        found, move = self._move(self._levels, words, 1.0)
        heard = self._autoencoder.decode(in_parts(self.module, self._levels + move[:, None, :]))
        semantic = float(curve_error(heard, found + move))
        figures["semantic"] = semantic
        figures["semantic_left"] = semantic / max(float(curve_error(found, found + move)), 1e-9)
        figures["score"] += self._loop.consistency_weight * semantic
        if self._judged is not None:
            figures |= self._heard_figures(self._judged, self._sounds)
            figures["score"] += self._loop.quality_weight * figures["quality"]
        return figures

    def _heard_figures(self, judged: Quality, sounds: Sounds) -> dict[str, float]:
        rows = self._sounds_asked
        words = self._words[torch.from_numpy(rows).to(self._words.device)]
        _, move = self._move(sounds.levels_db, words, 1.0)
        output = judged.equalised(sounds, move, rows, 1.0)
        wanted = judged.wanted(sounds, words, 1.0)
        error = float(judged.error(output, wanted))
        added = in_parts(self.module, judged.levels_of_middle(sounds) + move[:, None, :])
        filtered = in_parts(self.module, judged.levels(output))
        apart = self._autoencoder.decode(filtered) - self._autoencoder.decode(added)
        return {
            "quality": error,
            "quality_left": error / max(float(judged.doing_nothing(sounds, wanted)), 1e-9),
            "apart": float(apart.square().mean().sqrt()),
        }
