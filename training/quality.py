"""Sound quality in the closed loop: real music through the seven bands against what it should have become.

The loop works on band levels, where an equaliser is an addition. On a share of each batch it is heard
instead: music ``x`` under a curve ``c`` goes through the differentiable equaliser
(`semeq.training.diff_eq`), set to the seven bands of the move ``a (word - found)``. What should have come of
it is the same music, never under ``c``, through the curve that people wanted::

    wanted = x * ((1 - a) c + a word)          at a = 1: the music through the word's own curve

The distance between both is the multi-resolution STFT error. It knows what a curve's error does not:
where in this music there is anything to hear.

The bands come from the fit that runs live, which is no part of torch. Their values are its own; their slopes
are those of its last damped Gauss-Newton step, which is how a fit that has converged follows its curve.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from numpy.random import Generator

from semeq.engine.fit import ANCHOR, DAMPING, HIGHEST_POINT_OF_FS, bounds, refine
from semeq.engine.responses import responses_db
from semeq.engine.settings import DEFAULT_GAIN_LIMIT_DB, LAYOUT
from semeq.engine.units import Floats
from semeq.training.clips import apply_curve
from semeq.training.diff_eq import DifferentiableEQ
from semeq.training.features import FFT_SIZE, HOP, log_bands
from semeq.training.losses import quality_error
from semeq.training.put_on import PutOn
from semeq.training.response import REFERENCE_HZ
from semeq.training.sounds import SOUND_FS, SoundBank
from semeq.training.words import GRID_HZ

#: Steps of the fit from a word's own bands to those of a move, as `semeq.engine.morph` takes.
FIT_STEPS = 10
#: How much of a window is filtered and compared: a second and a half, from its middle. Most of the cost is
#: here.
JUDGED_SAMPLES = 1 << 16
_HEARD = GRID_HZ <= HIGHEST_POINT_OF_FS * SOUND_FS


class _FittedBands(torch.autograd.Function):
    """The live fit forward, its last Gauss-Newton step backward."""

    @staticmethod
    def forward(  # type: ignore[override] # named, not *args
        ctx: torch.autograd.function.FunctionCtx, curves_db: torch.Tensor, start: Floats
    ) -> torch.Tensor:
        curves = curves_db.detach().cpu().double().numpy()[:, _HEARD]
        limits = bounds(SOUND_FS, DEFAULT_GAIN_LIMIT_DB)
        bands = refine(
            np.clip(start, *limits),
            curves,
            GRID_HZ[_HEARD],
            SOUND_FS,
            limits=limits,
            iterations=FIT_STEPS,
        )
        slopes = responses_db(bands, GRID_HZ[_HEARD], SOUND_FS)[1]
        # A parameter at its limit stays there.
        free = ((bands > limits[0]) & (bands < limits[1])).reshape(len(bands), -1)
        slopes = slopes * free[:, :, None]
        points = int(_HEARD.sum())
        cost = np.tile(np.add(DAMPING, ANCHOR), len(LAYOUT))
        hessian = slopes @ slopes.swapaxes(-1, -2) / points + np.diag(cost)
        ctx.follows = np.zeros((*slopes.shape[:2], len(GRID_HZ)))  # type: ignore[attr-defined]
        ctx.follows[:, :, _HEARD] = np.linalg.solve(hessian, slopes / points)  # type: ignore[attr-defined]
        bands[..., 1] -= np.log(REFERENCE_HZ)
        return torch.from_numpy(bands).to(curves_db)

    @staticmethod
    def backward(  # type: ignore[override] # named, not *args
        ctx: torch.autograd.function.FunctionCtx, grad: torch.Tensor
    ) -> tuple[torch.Tensor, None]:
        follows = torch.from_numpy(ctx.follows).to(grad)  # type: ignore[attr-defined]
        return torch.einsum("bp,bpn->bn", grad.flatten(1), follows), None


def bands_of(curves_db: torch.Tensor, start: Floats) -> torch.Tensor:
    """Return the seven bands that follow curves, with gradients.

    Parameters
    ----------
    curves_db : torch.Tensor
        On the grid of the words, shape ``(batch, 61)``.
    start : Floats
        Where the fit starts: dB, ln(Hz), ln(q), shape ``(batch, 7, 3)``.

    Returns
    -------
    torch.Tensor
        For `DifferentiableEQ` at `SOUND_FS`, shape ``(batch, 7, 3)``: dB, ln(f / 1 kHz), ln(q).
    """
    bands: torch.Tensor = _FittedBands.apply(curves_db, start)  # type: ignore[no-untyped-call]
    return bands


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """Sounds under curves, and what the encoder sees of them.

    Parameters
    ----------
    plain, colored : torch.Tensor
        Music as it is and under the curves, shape ``(batch, time)``.
    curves_db : torch.Tensor
        The curves, shape ``(batch, 61)``.
    levels_db : torch.Tensor
        Band levels of what is under the curves, measured, shape ``(batch, frames, 61)``.
    """

    plain: torch.Tensor
    colored: torch.Tensor
    curves_db: torch.Tensor
    levels_db: torch.Tensor

    def __len__(self) -> int:
        """Return the number of sounds."""
        return len(self.plain)


def _filtered(sounds: npt.NDArray[np.float32], curves_db: Floats) -> npt.NDArray[np.float32]:
    return np.array(
        [
            apply_curve(sound[:, None], SOUND_FS, curve, GRID_HZ)[:, 0]
            for sound, curve in zip(sounds, curves_db, strict=True)
        ],
        dtype=np.float32,
    )


def _middle(sounds: torch.Tensor) -> torch.Tensor:
    spare = max(sounds.shape[-1] - JUDGED_SAMPLES, 0)
    return sounds[..., spare // 2 : sounds.shape[-1] - (spare + 1) // 2]


class Quality:
    """Draws sounds and judges what a move makes of them.

    Parameters
    ----------
    bank : SoundBank
        The sounds.
    put_on : PutOn
        The curves to put on them.
    starts : Floats
        Bands of each word at amount 1, shape ``(words, 7, 3)``: where the fit of its moves starts.
    device : torch.device
        Where the networks are.
    """

    def __init__(
        self,
        bank: SoundBank,
        put_on: PutOn,
        starts: Floats,
        device: torch.device,
    ) -> None:
        self._bank, self._put_on, self._starts, self._device = bank, put_on, starts, device
        self._equaliser = DifferentiableEQ(SOUND_FS)

    def __len__(self) -> int:
        """Return the number of stretches of sound."""
        return len(self._bank)

    def _tensor(self, values: Floats | npt.NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(self._device)

    def draw(self, rng: Generator, count: int, frames: int) -> Sounds:
        """Return `count` windows of `frames` frames of the front end, each under a curve of its own."""
        sounds = self._bank.cut(rng, count, (frames - 1) * HOP + FFT_SIZE)
        curves = self._put_on.draw(rng, count)
        plain, colored = self._tensor(sounds), self._tensor(_filtered(sounds, curves))
        return Sounds(plain, colored, self._tensor(curves), self.levels(colored))

    def levels_of_middle(self, heard: Sounds) -> torch.Tensor:
        """Return the band levels of what `equalised` filters, shape ``(batch, frames, 61)``."""
        return self.levels(_middle(heard.colored))

    def doing_nothing(self, heard: Sounds, wanted: torch.Tensor) -> torch.Tensor:
        """Return the error of the sounds as they are."""
        return self.error(_middle(heard.colored), wanted)

    @staticmethod
    def levels(sounds: torch.Tensor) -> torch.Tensor:
        """Return the band levels in dB of sounds ``(batch, time)``, shape ``(batch, frames, 61)``."""
        return torch.stack([log_bands(sound[None], SOUND_FS) for sound in sounds])

    def wanted(self, heard: Sounds, words_db: torch.Tensor, intensity: float) -> torch.Tensor:
        """Return what the middle of the sounds should become, shape ``(batch, time)``."""
        curves = (1.0 - intensity) * heard.curves_db + intensity * words_db
        plain = heard.plain.cpu().numpy()
        return _middle(self._tensor(_filtered(plain, curves.cpu().double().numpy())))

    def equalised(
        self, heard: Sounds, move_db: torch.Tensor, rows: npt.NDArray[np.intp], intensity: float
    ) -> torch.Tensor:
        """Return the middle of the sounds through the bands of their moves, shape ``(batch, time)``.

        Parameters
        ----------
        heard : Sounds
            The sounds.
        move_db : torch.Tensor
            One move a sound, shape ``(batch, 61)``; gradients go into it.
        rows : array of int
            Which word each was asked for.
        intensity : float
            How much of it.
        """
        start = self._starts[rows].copy()
        start[..., 0] *= intensity
        bands = bands_of(move_db, start)
        filtered: torch.Tensor = self._equaliser(_middle(heard.colored)[:, None], bands)
        return filtered[:, 0]

    @staticmethod
    def error(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """Return the multi-resolution STFT error at equal rms level: how loud an EQ is says nothing."""
        rms_found = found.square().mean(dim=-1, keepdim=True).sqrt()
        rms_wanted = wanted.square().mean(dim=-1, keepdim=True).sqrt()
        levelled = found * (rms_wanted / (rms_found + 1e-6))
        return quality_error(levelled[:, None], wanted[:, None])
