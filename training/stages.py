"""The stages of the recipe: ``eq`` (curves), ``audio`` (sounds) and ``e2e`` (the loop closed).

``eq``
    An autoencoder of curves: people's and random ones. Reconstruction in dB, and a supervised contrastive
    loss on a projection, so that curves drawn for one word lie together.
``audio``
    Embedding matching: windows of the same music under two different curves; the encoder shall find
    the latents of both (`latent`), the curves that they stand for (`curve`), and above all their
    difference (`pair`).
``e2e``
    The closed loop. A window under a curve is encoded; a word and an intensity (0.3 rising to 1)
    are drawn; ``z_morphed = z + a (z_word - z)``; the EQ ``h(z_morphed) - h(z)`` is applied; what comes out
    is encoded again and shall be where it was meant to go (`consistency`). A frozen copy of the encoder
    from before the loop listens too (`second_judge`): what only pleases the one that is trained is no
    success. The recovered curve still has to be right (`curve`, `pair`), and no move beyond ±12 dB pays
    (`strength`).
"""

import copy

import numpy as np
import torch
from numpy.random import Generator

from semeq.engine.units import Floats
from semeq.training.config import AudioOptions, EqOptions, LoopOptions
from semeq.training.features import HOP
from semeq.training.levels import LOWEST_FS, LevelBank, Levels
from semeq.training.losses import (
    contrastive_error,
    curve_error,
    explained,
    pair_error,
    strength_excess,
)
from semeq.training.models import AudioEncoder, EQAutoencoder
from semeq.training.put_on import PutOn
from semeq.training.train import Losses

#: dB² of a curve that count as much as one unit of a latent, squared.
LATENT_UNIT_DB2 = 10.0


def _tensor(values: Floats | Levels, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(device)


def start_from_components(autoencoder: EQAutoencoder, curves_db: Floats) -> None:
    """Set the linear maps to the principal components of curves ``(n, 61)``, latents at unit variance."""
    from semeq.training.models import CURVE_UNIT_DB, LATENT

    scaled = curves_db / CURVE_UNIT_DB
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    axes, size = vectors[:, ::-1][:, :LATENT], np.sqrt(values[::-1][:LATENT])
    with torch.no_grad():
        autoencoder.linear.weight.copy_(_tensor((axes / size).T, torch.device("cpu")))
        autoencoder.decoder.weight.copy_(_tensor(axes * size, torch.device("cpu")))


class EqStage:
    """Curves to latents and back."""

    name = "eq"

    def __init__(
        self,
        module: EQAutoencoder,
        human: tuple[Floats, tuple[str, ...]],
        unseen: Floats,
        put_on: PutOn,
        options: EqOptions,
    ) -> None:
        self.module, self._put_on, self._options = module, put_on, options
        self._human, words = human
        names = {word: k for k, word in enumerate(dict.fromkeys(words))}
        self._labels = np.array([names[word] for word in words])
        self._unseen = unseen

    def losses(self, rng: Generator, progress: float, share: int) -> Losses:
        """Return reconstruction (dB²) and contrast."""
        device = next(self.module.parameters()).device
        count = max(self._options.batch // (2 * share), 4)
        rows = rng.integers(len(self._human), size=count)
        human = _tensor(self._human[rows], device)
        random = _tensor(self._put_on.draw(rng, count), device)
        z = self.module.encode(torch.cat([human, random]))
        back = self.module.decode(z)
        labels = torch.from_numpy(self._labels[rows]).to(device)
        contrast = contrastive_error(self.module.project(z[:count]), labels)
        return {
            "curve": curve_error(back, torch.cat([human, random])),
            "contrast": self._options.contrast * contrast,
        }

    def validate(self) -> dict[str, float]:
        """Return the rms error in dB on people who are not in training."""
        curves = _tensor(self._unseen, next(self.module.parameters()).device)
        error = curve_error(self.module.decode(self.module.encode(curves)), curves)
        return {"score": float(torch.sqrt(error))}


class _Pairs:
    """Draws windows of music, each under two curves."""

    def __init__(self, bank: LevelBank, put_on: PutOn, window_s: float) -> None:
        self._bank, self._put_on = bank, put_on
        self.frames = max(2, min(round(window_s * LOWEST_FS / HOP), bank.levels.shape[1]))

    def draw(self, rng: Generator, pairs: int) -> tuple[Levels, Floats]:
        windows = self._bank.draw(rng, pairs, self.frames)
        curves = self._put_on.draw(rng, 2 * pairs)
        return np.concatenate([windows, windows]) + _put(curves), curves

    def fixed(self, seed: int, count: int) -> tuple[Levels, Floats, Levels]:
        """Return unchanged music, the curves for it, and the levels under them."""
        rng = np.random.default_rng([seed, 1])
        windows = self._bank.cut(rng, count, self.frames)
        curves = self._put_on.draw(rng, count)
        return windows, curves, windows + _put(curves)


def _put(curves: Floats) -> Levels:
    added: Levels = curves[:, None, :].astype(np.float32)
    return added


def _in_parts(encoder: AudioEncoder, levels: torch.Tensor, size: int = 64) -> torch.Tensor:
    return torch.cat([encoder(levels[at : at + size]) for at in range(0, len(levels), size)])


class AudioStage:
    """Sounds to latents by embedding matching."""

    name = "audio"

    def __init__(
        self,
        module: AudioEncoder,
        autoencoder: EQAutoencoder,
        train: LevelBank,
        valid: LevelBank,
        put_on: PutOn,
        options: AudioOptions,
        *,
        seed: int = 0,
    ) -> None:
        self.module, self._options = module, options
        self._autoencoder = autoencoder.eval().requires_grad_(False)
        self._pairs = _Pairs(train, put_on, options.window_s)
        device = next(module.parameters()).device
        held = _Pairs(valid, put_on, options.window_s).fixed(seed, len(valid))
        self._plain, self._curves, self._levels = (_tensor(part, device) for part in held)

    def losses(self, rng: Generator, progress: float, share: int) -> Losses:
        """Return what is wrong about latents, curves and differences."""
        device = self._curves.device
        levels, curves = self._pairs.draw(rng, max(self._options.pairs // share, 2))
        truth = _tensor(curves, device)
        z = self.module(_tensor(levels, device))
        found = self._autoencoder.decode(z)
        latent = (z - self._autoencoder.encode(truth)).square().mean() * LATENT_UNIT_DB2
        return {
            "curve": curve_error(found, truth),
            "pair": self._options.pair_weight * pair_error(found, truth),
            "latent": self._options.latent_weight * latent,
        }

    def validate(self) -> dict[str, float]:
        """Return figures on packages that are not in training.

        ``r2`` is the share of the put-on curves that is found, ``slope`` how much of a change in the put-on
        curve shows in the found one, ``natural`` what is found on untouched music (dB rms).
        """
        found = self._autoencoder.decode(_in_parts(self.module, self._levels))
        plain = self._autoencoder.decode(_in_parts(self.module, self._plain))
        truth = self._curves
        slope = float(((found - plain) * truth).sum() / truth.square().sum())
        r2 = explained(found, truth)
        pair = curve_error(found - plain, truth)
        score = float(curve_error(found, truth) + self._options.pair_weight * pair)
        return {
            "score": score,
            "r2": r2,
            "slope": slope,
            "natural": float(plain.square().mean().sqrt()),
        }


class LoopStage(AudioStage):
    """The closed loop, starting from the encoder of ``audio``."""

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
        seed: int = 0,
    ) -> None:
        super().__init__(module, autoencoder, train, valid, put_on, matching, seed=seed)
        self._loop = options
        self._words = _tensor(words_db, self._curves.device)
        self._second = copy.deepcopy(module).eval().requires_grad_(False)
        rng = np.random.default_rng([seed, 2])
        self._asked = torch.from_numpy(rng.integers(len(words_db), size=len(self._curves)))

    def _around(
        self, levels: torch.Tensor, words: torch.Tensor, intensity: float
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the found curve, the move, where it should lead, and the levels after it."""
        found = self._autoencoder.decode(_in_parts(self.module, levels))
        move = intensity * (words - found)
        return found, move, found + move, levels + move[:, None, :]

    def losses(self, rng: Generator, progress: float, share: int) -> Losses:
        """Return the parts of the loop's loss."""
        options, device = self._loop, self._curves.device
        first = options.first_intensity
        intensity = first + (1.0 - first) * progress
        levels, curves = self._pairs.draw(rng, max(options.pairs // share, 2))
        truth = _tensor(curves, device)
        rows = torch.from_numpy(rng.integers(len(self._words), size=len(truth))).to(device)
        found, move, wanted, after = self._around(
            _tensor(levels, device), self._words[rows], intensity
        )
        heard = self._autoencoder.decode(self.module(after))
        second = self._autoencoder.decode(self._second(after))
        return {
            "curve": curve_error(found, truth),
            "pair": self._options.pair_weight * pair_error(found, truth),
            "consistency": options.consistency_weight * curve_error(heard, wanted),
            "second_judge": options.second_judge_weight * curve_error(second, wanted),
            "strength": options.strength_weight * strength_excess(move),
        }

    def validate(self) -> dict[str, float]:
        """Return the figures of ``audio``, and the semantic loss at intensity 1 against doing nothing."""
        figures = super().validate()
        words = self._words[self._asked.to(self._words.device)]
        found, _, wanted, after = self._around(self._levels, words, 1.0)
        heard = self._autoencoder.decode(_in_parts(self.module, after))
        semantic = float(curve_error(heard, wanted))
        figures["semantic"] = semantic
        figures["semantic_left"] = semantic / max(float(curve_error(found, wanted)), 1e-9)
        figures["score"] += self._loop.consistency_weight * semantic
        return figures
