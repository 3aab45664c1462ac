"""Noise that is made, not recorded: white, pink, brown, steady or in decaying bursts.

It has every frequency at every moment, and no instrument: an encoder that has heard only music takes the
colour of a room's hiss for a lack of bass. It is a seasoning, never the meal: models trained on noise
alone called all music bright.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from semeq.engine.errors import SettingsError
from semeq.engine.units import Audio, Floats, db_to_gain
from semeq.training.crops import Crop
from semeq.training.recordings import Recording

#: Slope of the spectrum in dB per octave.
SLOPES_DB = {"white": 0.0, "pink": -3.0103, "brown": -6.0206}
KINDS = (*SLOPES_DB, "bursts")
#: Below this the spectrum is flat: no energy is spent where nobody hears it.
FLAT_BELOW_HZ = 20.0
NOISE_LEVEL_DB = -20.0
#: Time to fall by 60 dB, and bursts a second, log-uniform.
DECAY_S, RATE_HZ = (0.05, 1.5), (0.5, 8.0)


def coloured(rng: Generator, frames: int, fs: float, slope_db: float) -> Floats:
    """Return Gaussian noise of rms 1, ``(frames,)``, with a spectrum of `slope_db` per octave."""
    freqs = np.fft.rfftfreq(frames, 1.0 / fs)
    shape = (np.maximum(freqs, FLAT_BELOW_HZ) / 1000.0) ** (slope_db / (20.0 * math.log10(2.0)))
    shape[0] = 0.0
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(frames)) * shape, frames)
    return np.asarray(noise / max(math.sqrt(float(np.mean(noise**2))), 1e-12))


def _bursts(rng: Generator, frames: int, fs: float) -> Floats:
    """Return bursts of noise, each of its own colour, loudness and decay."""
    rate_hz = math.exp(rng.uniform(*np.log(RATE_HZ)))
    out = np.zeros(frames)
    # The first sits at the beginning: no stretch is empty.
    starts = [0, *rng.integers(0, frames, size=rng.poisson(rate_hz * frames / fs))]
    for start in starts:
        decay_s = math.exp(rng.uniform(*np.log(DECAY_S)))
        length = min(frames - int(start), max(1, round(decay_s * fs)))
        slope_db = float(rng.uniform(SLOPES_DB["brown"], SLOPES_DB["white"]))
        envelope = 10.0 ** (-3.0 * np.arange(length) / (decay_s * fs))
        gain = db_to_gain(float(rng.uniform(-12.0, 0.0)))
        burst = coloured(rng, max(length, 2), fs, slope_db)[:length]
        out[start : start + length] += gain * envelope * burst
    return np.asarray(out / max(math.sqrt(float(np.mean(out**2))), 1e-12))


class SyntheticNoise:
    """Noise as a source of crops.

    Parameters
    ----------
    weights : mapping of str to float, optional
        How often each of `KINDS` comes; all alike if it is left out.
    fs : float
        Rate in Hz, > 0.
    channels : int
        1, or 2 with a width drawn for each crop, from mono to unrelated sides.

    Raises
    ------
    SettingsError
        If a kind is unknown, a weight negative, or all are zero.
    """

    def __init__(
        self, weights: Mapping[str, float] | None = None, *, fs: float = 48_000.0, channels: int = 2
    ) -> None:
        chosen = dict.fromkeys(KINDS, 1.0) if weights is None else dict(weights)
        for kind, weight in chosen.items():
            if kind not in KINDS:
                raise SettingsError(f"noise must be one of {', '.join(KINDS)}, got {kind!r}")
            if not (math.isfinite(weight) and weight >= 0.0):
                raise SettingsError(f"the weight of {kind} must be at least 0, got {weight:g}")
        if not sum(chosen.values()) > 0.0:
            raise SettingsError("the weights of noise must not all be 0")
        if not (math.isfinite(fs) and fs > 0.0) or channels not in (1, 2):
            raise SettingsError(
                f"noise must have a rate above 0 and 1 or 2 channels, got {fs:g} Hz and {channels}"
            )
        self.fs, self.channels = float(fs), channels
        self._kinds = tuple(chosen)
        self._shares = np.array(list(chosen.values())) / sum(chosen.values())

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """Return nothing: what is made is never the same track twice."""
        return ()

    @property
    def left_out(self) -> int:
        """Return 0: there is nothing that could be damaged."""
        return 0

    def sample(self, rng: Generator, seconds: float) -> Crop:
        """Return a crop of exactly `seconds`."""
        return self.passage(rng, seconds)

    def passage(self, rng: Generator, seconds: float) -> Crop:
        """Return `seconds` of noise of a random kind, at `NOISE_LEVEL_DB`."""
        kind = str(rng.choice(self._kinds, p=self._shares))
        frames = max(2, round(seconds * self.fs))

        def make() -> Floats:
            if kind == "bursts":
                return _bursts(rng, frames, self.fs)
            return coloured(rng, frames, self.fs, SLOPES_DB[kind])

        middle = make()
        sides = [middle]
        if self.channels == 2:
            angle = rng.uniform(0.0, math.pi / 4.0)
            side = make()
            sides = [
                math.cos(angle) * middle + sign * math.sin(angle) * side for sign in (1.0, -1.0)
            ]
        audio: Audio = np.stack(sides, axis=1).astype(np.float32)
        audio *= np.float32(db_to_gain(NOISE_LEVEL_DB))
        return Crop(audio, self.fs, f"noise/{kind}", "noise", view=kind)

    def summary(self) -> str:
        """Return one line: what there is."""
        shares = zip(self._kinds, self._shares, strict=True)
        return "SyntheticNoise: " + ", ".join(
            f"{100.0 * share:.0f} % {kind}" for kind, share in shares
        )
