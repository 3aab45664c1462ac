"""flowEQ's recipe trained again on our people: a β-VAE over the 13 parameters of SAFE-DB's equaliser.

The recipe is that of Steinmetz and Serra [1]_ (code BSD-3; nothing of it is copied): 13 parameters, each
scaled to [0, 1] between the lowest and highest in the training rows, frequencies linear in Hz, peaks sorted
by frequency; dense 13 → 1024 → (μ, log σ²) and d → 1024 → 13 with a sigmoid; loss the mean absolute error
plus β times the KL divergence; Adam 1e-3 in batches of 8. It knows two words, *warm* and *bright*. Fewer
epochs than the original's 300: with β 0.01 the decoded words no longer change after some twenty.

Two ways to ask it for a word:

- *mean latent*, the kinder one: decode the mean of the latents of the word's training rows;
- *semantic*, the plug-in's own: the boundary of a logistic regression between the two words, crossed by a
  fixed distance, coordinate by coordinate: ``−b / wᵢ ± 0.5``. For d = 2 this is not on the boundary, and
  codes can lie far outside the data; the range of the plug-in's sliders (±5) is kept.

Both ignore the sound. The amount multiplies the decoded curve.

References
----------
.. [1] C. J. Steinmetz, J. D. Reiss et al., "A smarter equalizer plugin using the β-VAE", flowEQ, ISMIR
       late-breaking 2019 and AES 2021; github.com/csteinmetz1/flowEQ.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from semeq.engine.design import response_db
from semeq.engine.errors import DataError
from semeq.engine.settings import REST_FREQS_HZ, SHELF_Q, Band, EQSettings, Kind
from semeq.engine.units import Floats
from semeq.training.eq_sets import EqSet
from semeq.training.human import SAFE_FS, without_level
from semeq.training.rivals import ConstantCurve
from semeq.training.words import GRID_HZ

WORDS = ("warm", "bright")
#: Bands of the seven that hold SAFE-DB's five.
_USED = (0, 1, 2, 3, 6)
HIDDEN, BATCH, RATE = 1024, 8, 1e-3
FACTOR, SLIDER_LIMIT = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """What is to be trained; the defaults are the best of the published twelve on held-out people."""

    latent: int = 2
    beta: float = 0.01
    epochs: int = 25
    seed: int = 0


def parameters_of(settings: EQSettings) -> Floats:
    """Return the 13 parameters of SAFE-DB's equaliser, peaks sorted by frequency."""
    low, high = settings.bands[0], settings.bands[-1]
    peaks = sorted(
        (settings.bands[k] for k in _USED if settings.bands[k].kind is Kind.PEAK),
        key=lambda band: band.freq_hz,
    )
    middle = [x for band in peaks for x in (band.gain_db, band.freq_hz, band.q)]
    return np.array([low.gain_db, low.freq_hz, *middle, high.gain_db, high.freq_hz])


def settings_of(parameters: Floats) -> EQSettings:
    """Return the seven bands of 13 parameters."""
    p = parameters.tolist()
    peaks = [Band(Kind.PEAK, p[k + 1], p[k], p[k + 2]) for k in (2, 5, 8)]
    spare = [Band(Kind.PEAK, freq) for freq in REST_FREQS_HZ[4:6]]
    return EQSettings(
        (
            Band(Kind.LOW_SHELF, p[1], p[0], SHELF_Q),
            *peaks,
            *spare,
            Band(Kind.HIGH_SHELF, p[12], p[11], SHELF_Q),
        )
    )


class VAE(nn.Module):
    """13 → 1024 → d → 1024 → 13."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.encoder = nn.Linear(13, HIDDEN)
        self.mean, self.log_var = nn.Linear(HIDDEN, latent), nn.Linear(HIDDEN, latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 13), nn.Sigmoid()
        )

    def encode(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and log-variance of the latent, each ``(n, d)``, for ``x`` of ``(n, 13)``."""
        hidden = torch.relu(self.encoder(x))
        return self.mean(hidden), self.log_var(hidden)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Return parameters in [0, 1], shape ``(n, 13)``."""
        decoded: torch.Tensor = self.decoder(z)
        return decoded


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: for layers as small as these, two wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _fit(rows: torch.Tensor, config: FlowConfig) -> VAE:
    # The caller's random state stays as it is.
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(config.seed)
        model = VAE(config.latent)
        optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
        for _ in range(config.epochs):
            for batch in torch.split(torch.randperm(len(rows)), BATCH):
                x = rows[batch]
                mean, log_var = model.encode(x)
                z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var)
                divergence = -0.5 * (1.0 + log_var - mean**2 - log_var.exp()).sum(dim=1).mean()
                loss = (model.decode(z) - x).abs().mean() + config.beta * divergence
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch's own
                optimiser.step()
    return model.eval()


def _boundary(latents: Floats, labels: Floats, steps: int = 500) -> tuple[Floats, float]:
    """Return weights and intercept of a logistic regression (ridge 1, Newton's steps)."""
    x = np.column_stack([latents, np.ones(len(latents))])
    w = np.zeros(x.shape[1])
    ridge = np.diag([1.0] * latents.shape[1] + [0.0])
    for _ in range(min(steps, 30)):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ w, -30.0, 30.0)))
        hessian = (x * (p * (1.0 - p))[:, None]).T @ x + ridge + 1e-9 * np.eye(len(w))
        w -= np.linalg.solve(hessian, x.T @ (p - labels) + ridge @ w)
    return w[:-1], float(w[-1])


class FlowEQ(ConstantCurve):
    """The decoded curve of a word times the amount; knows `WORDS` only."""

    def __init__(self, name: str, curves: dict[str, Floats]) -> None:
        super().__init__(curves)
        self.name = name
        self.words = frozenset(curves)


def train_flow_eq(safe: EqSet, keep: Sequence[bool], config: FlowConfig) -> tuple[FlowEQ, FlowEQ]:
    """Train the VAE and return it in its two modes: semantic and mean latent.

    Parameters
    ----------
    safe : EqSet
        SAFE-DB with settings.
    keep : sequence of bool
        Which rows to learn from (those of `WORDS` among them count).
    config : FlowConfig
        What to train.

    Raises
    ------
    DataError
        If one of the words has no rows.
    """
    used = [k for k in range(len(safe)) if keep[k] and safe.words[k] in WORDS]
    labels = np.array([float(safe.words[k] == WORDS[1]) for k in used])
    if not (labels.any() and (labels == 0.0).any()):
        raise DataError(f"flowEQ must have rows of {' and '.join(WORDS)}, got {len(used)} rows")
    raw = np.array([parameters_of(safe.settings[k]) for k in used])
    low, high = raw.min(axis=0), raw.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    rows = torch.tensor((raw - low) / span, dtype=torch.float32)
    model = _fit(rows, config)

    with torch.no_grad():
        latents = model.encode(rows)[0].numpy().astype(np.float64)
    weights, intercept = _boundary(latents, labels)

    def curve(code: Floats) -> Floats:
        with torch.no_grad():
            out = model.decode(torch.tensor(code[None], dtype=torch.float32))[0].numpy()
        settings = settings_of(low + span * out.astype(np.float64))
        return without_level(response_db(settings, SAFE_FS, np.asarray(GRID_HZ), design="rbj"))

    means = {word: curve(latents[labels == k].mean(axis=0)) for k, word in enumerate(WORDS)}
    codes = {}
    for word, side in zip(WORDS, (-1.0, 1.0), strict=True):
        with np.errstate(divide="ignore"):
            code = -intercept / weights + side * FACTOR * np.sign(weights)
        codes[word] = curve(np.clip(np.nan_to_num(code), -SLIDER_LIMIT, SLIDER_LIMIT))
    return FlowEQ("flowEQ, semantic", codes), FlowEQ("flowEQ, mean latent", means)
