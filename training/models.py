"""The networks: an autoencoder of curves, and the encoder of sounds into the same space.

Conventions
-----------
A latent has 32 numbers. A curve is in dB at the 61 frequencies of the vocabulary, broadband level removed.
The decoder is linear without an offset, ``h(z) = D z``, so that ``EQ = h(z_to) - h(z_from)`` is exactly flat
when both are equal, and grows in proportion when the way between them does: no property of the morph
has to be learned. What is not linear is in the encoders.

The audio encoder answers "which curve was put on this sound?" as far as that can be told. A long-term
spectrum alone cannot tell a colour that was put on from one that belongs, so it looks at two things:

- statistics over time of each band: the long-term spectrum, the mean level, how much and how fast the
  level moves, the loudest moments, and how bands move together;
- a small residual network over time and frequency that sees every frame, and every frame relative to the
  long-term spectrum: the second is the same whatever equaliser was put on, so it tells what music
  this is, and thereby what it would sound like untouched.

Both are means over time: a window may have any length, and longer ones are surer.
"""

import torch
from torch import nn
from torch.nn import functional

from semeq.training.features import BANDS, UNIT_DB, long_term_db, normalised

LATENT = 32
#: Curves in dB are divided by this before a network sees them.
CURVE_UNIT_DB = 5.0


class EQAutoencoder(nn.Module):
    """Curves to latents and back: a linear map plus a bounded correction, and a linear decoder."""

    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.linear = nn.Linear(BANDS, LATENT, bias=False)
        last = nn.Linear(hidden, LATENT)
        self.bend = nn.Sequential(nn.Linear(BANDS, hidden), nn.Tanh(), last)
        self.decoder = nn.Linear(LATENT, BANDS, bias=False)
        #: Where words are told apart: contrast pulls here, and only mildly on the latents themselves.
        self.head = nn.Sequential(nn.Linear(LATENT, 64), nn.ReLU(), nn.Linear(64, 16))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def encode(self, curves_db: torch.Tensor) -> torch.Tensor:
        """Return latents ``(..., 32)`` of curves ``(..., 61)``; a flat curve is exactly 0."""
        scaled = curves_db / CURVE_UNIT_DB
        z: torch.Tensor = self.linear(scaled) + self.bend(scaled) - self.bend(0.0 * scaled)
        return z

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Return curves ``(..., 61)`` in dB, level removed."""
        curves: torch.Tensor = self.decoder(z) * CURVE_UNIT_DB
        return curves - curves.mean(dim=-1, keepdim=True)

    def project(self, z: torch.Tensor) -> torch.Tensor:
        """Return unit vectors ``(..., 16)`` for the contrastive loss."""
        projected: torch.Tensor = functional.normalize(self.head(z), dim=-1)
        return projected


class _Block(nn.Module):
    """Two convolutions with a way round them, over time and frequency."""

    def __init__(
        self, channels_in: int, channels: int, kernel: int, stride: tuple[int, int]
    ) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, kernel, stride, kernel // 2, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.way_round = nn.Conv2d(channels_in, channels, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's output."""
        y = functional.relu(self.norm1(self.first(x)))
        return functional.relu(self.norm2(self.second(y)) + self.way_round(x))


class AudioEncoder(nn.Module):
    """Band levels of a window to a latent.

    Parameters
    ----------
    widths : tuple of int
        Channels of the residual blocks.
    dropout : float
        Share of the joined features that is left out in training.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64), dropout: float = 0.2) -> None:
        super().__init__()
        self.widths = widths
        shapes = ((5, (4, 2)), *((3, (2, 2)) for _ in widths[1:]))
        ins = (2, *widths[:-1])
        self.blocks = nn.Sequential(
            *(_Block(i, o, k, s) for i, o, (k, s) in zip(ins, widths, shapes, strict=True))
        )
        self.together = nn.Linear(BANDS, 16, bias=False)
        statistics = 5 * BANDS + 16 * 16
        self.summary = nn.Sequential(nn.Linear(statistics, 192), nn.ReLU())
        rows = -(-BANDS // 2 ** len(widths))
        self.join = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(192 + widths[-1] * (rows + 1), 192),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(192, LATENT),
        )
        #: The straight way: what a linear regression on the long-term spectrum would say.
        self.straight = nn.Linear(BANDS, LATENT)

    def statistics(self, x: torch.Tensor, long_term: torch.Tensor) -> torch.Tensor:
        """Return statistics over time of normalised levels ``(batch, frames, 61)``."""
        mean = x.mean(dim=1)
        apart = x - mean[:, None]
        spread = torch.sqrt((apart**2).mean(dim=1) + 1e-4)
        steps = torch.sqrt(((x[:, 1:] - x[:, :-1]) ** 2).mean(dim=1) + 1e-4)
        peaks = torch.logsumexp(8.0 * apart, dim=1) / 8.0
        moving = self.together(apart / spread[:, None])
        together = moving.transpose(1, 2) @ moving / x.shape[1]
        return torch.cat(
            [long_term, mean - long_term, spread, steps, peaks, 0.1 * together.flatten(1)], dim=1
        )

    def forward(self, levels_db: torch.Tensor) -> torch.Tensor:
        """Return latents ``(batch, 32)`` of levels ``(batch, frames, 61)`` in dB."""
        x = normalised(levels_db)
        long_term = long_term_db(x * UNIT_DB) / UNIT_DB
        maps = self.blocks(torch.stack([x, x - long_term[:, None]], dim=1)).mean(dim=2)
        seen = torch.cat([maps.flatten(1), maps.mean(dim=2)], dim=1)
        summary = self.summary(self.statistics(x, long_term))
        z: torch.Tensor = self.join(torch.cat([summary, seen], dim=1)) + self.straight(long_term)
        return z
