"""The first stages of the recipe: ``eq`` (curves) and ``audio`` (sounds); `semeq.training.loop` has ``e2e``.

``eq``
    An autoencoder of curves: people's and random ones. Reconstruction in dB, and a supervised contrastive
    loss on a projection, so that curves drawn for one word lie together.
``audio``
    Embedding matching: windows of the same music under two different curves; the encoder shall find
    the latents of both (`latent`), the curves that they stand for (`curve`), and above all their
    difference (`pair`).
"""

import numpy as np
import torch
from numpy.random import Generator

from semeq.engine.units import Floats
from semeq.training.config import AudioOptions, EqOptions
from semeq.training.features import HOP
from semeq.training.levels import LOWEST_FS, LevelBank, Levels
from semeq.training.losses import contrastive_error, curve_error, explained, pair_error
from semeq.training.models import AudioEncoder, EQAutoencoder
from semeq.training.put_on import PutOn
from semeq.training.train import Losses

#: dB² of a curve that count as much as one unit of a latent, squared.
LATENT_UNIT_DB2 = 10.0


def as_tensor(values: Floats | Levels, device: torch.device) -> torch.Tensor:
    """Return numbers in single precision on a device."""
    return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(device)


def start_from_components(autoencoder: EQAutoencoder, curves_db: Floats) -> None:
    """Set the linear maps to the principal components of curves ``(n, 61)``, latents at unit variance."""
    from semeq.training.models import CURVE_UNIT_DB, LATENT

    scaled = curves_db / CURVE_UNIT_DB
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    axes, size = vectors[:, ::-1][:, :LATENT], np.sqrt(values[::-1][:LATENT])
    with torch.no_grad():
        autoencoder.linear.weight.copy_(as_tensor((axes / size).T, torch.device("cpu")))
        autoencoder.decoder.weight.copy_(as_tensor(axes * size, torch.device("cpu")))


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
        human = as_tensor(self._human[rows], device)
        random = as_tensor(self._put_on.draw(rng, count), device)
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
        curves = as_tensor(self._unseen, next(self.module.parameters()).device)
        error = curve_error(self.module.decode(self.module.encode(curves)), curves)
        return {"score": float(torch.sqrt(error))}


class Pairs:
    """Draws windows of music, each under two curves."""

    def __init__(self, bank: LevelBank, put_on: PutOn, window_s: float) -> None:
        self._bank, self._put_on = bank, put_on
        self.frames = max(2, min(round(window_s * LOWEST_FS / HOP), bank.levels.shape[1]))

    def draw(self, rng: Generator, pairs: int) -> tuple[Levels, Floats]:
        """Return levels and curves of ``2 pairs`` windows; row k and row ``k + pairs`` are the same music."""
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


def in_parts(encoder: AudioEncoder, levels: torch.Tensor, size: int = 64) -> torch.Tensor:
    """Return the latents of any number of windows, so many at a time."""
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
        self.pairs = Pairs(train, put_on, options.window_s)
        device = next(module.parameters()).device
        held = Pairs(valid, put_on, options.window_s).fixed(seed, len(valid))
        self._plain, self._curves, self._levels = (as_tensor(part, device) for part in held)

    def losses(self, rng: Generator, progress: float, share: int) -> Losses:
        """Return what is wrong about latents, curves and differences."""
        device = self._curves.device
        levels, curves = self.pairs.draw(rng, max(self._options.pairs // share, 2))
        truth = as_tensor(curves, device)
        z = self.module(as_tensor(levels, device))
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
        found = self._autoencoder.decode(in_parts(self.module, self._levels))
        plain = self._autoencoder.decode(in_parts(self.module, self._plain))
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
