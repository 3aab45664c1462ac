"""How the power of a sound is spread over the spectrum: a streaming meter that no encoder has a part in.

Conventions
-----------
- Power is averaged over time and channels (Welch's method, Hann window of about 0.17 s, half overlap) and
  summed into bands of a twelfth of an octave from 20 Hz to 22.05 kHz, cut further at every edge that a
  published band has (`EDGES_HZ`). Loud moments count as much as they are loud.
- Only shares of the whole matter: level changes nothing.
- An equaliser is linear and time-invariant: the power it leaves in a band is the power that came in times
  ``|H|²``. `Balance.through` says so without hearing the result.
- A frame is measured when its last sample arrives, and alone: blocks of any size give the same numbers.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from semeq.engine.errors import SettingsError
from semeq.engine.units import Audio, Floats, read_only

#: Top of the highest band in Hz.
TOP_HZ = 22_050.0
_CUTS_HZ = (
    *(20.0, 60.0, 120.0, 150.0, 200.0, 250.0, 350.0, 400.0, 500.0, 2000.0, 3500.0, 4000.0),
    *(6000.0, 10_000.0, 16_000.0, 20_000.0, TOP_HZ),
)
#: Edges of the narrow bands in Hz, shape ``(m + 1,)``.
EDGES_HZ: Floats = read_only(np.unique(np.round((*np.geomspace(20.0, TOP_HZ, 122), *_CUTS_HZ), 3)))
#: Centres of the narrow bands in Hz, shape ``(m,)``.
CENTRES_HZ: Floats = read_only(np.sqrt(EDGES_HZ[1:] * EDGES_HZ[:-1]))
#: Widths of the narrow bands in octaves: the power of pink noise in each.
WIDTHS: Floats = read_only(np.diff(np.log2(EDGES_HZ)))
TILT_RANGE_HZ = (50.0, 12_500.0)
WINDOW_S = 0.17
#: Of a file so many frames are measured at full density, then as many at half of it, and so on.
DENSE_FRAMES = 120
#: A share below this is nothing.
FLOOR = 1e-12
#: Mean power (full scale is 1) under which a sound is silence: -100 dB.
SILENCE = 1e-10
#: Samples beyond this are damaged, as they are to the audio path.
_ABSURD = 1e4


def _tilt_weights() -> Floats:
    low_hz, high_hz = TILT_RANGE_HZ
    inside = (low_hz <= CENTRES_HZ) & (high_hz >= CENTRES_HZ)
    octaves, width = np.log2(CENTRES_HZ), WIDTHS * inside
    centred = octaves - (octaves * width).sum() / width.sum()
    weights: Floats = centred * width / (centred**2 * width).sum()
    return weights


_TILT = read_only(_tilt_weights())


def span(low_hz: float, high_hz: float) -> slice:
    """Return the narrow bands between two frequencies, each taken at the nearest edge."""
    at = np.abs(np.log(EDGES_HZ[:, None] / np.array((low_hz, high_hz)))).argmin(axis=0)
    return slice(int(at[0]), max(int(at[1]), int(at[0]) + 1))


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """How the power of a sound is spread.

    Parameters
    ----------
    power : Floats
        Mean power in each narrow band, shape ``(m,)``, read-only.
    """

    power: Floats

    @classmethod
    def pink(cls) -> "Balance":
        """Return the balance of pink noise: as much in every octave."""
        return cls(WIDTHS)

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to judge."""
        return float(self.power.sum()) < SILENCE

    def share(self, low_hz: float, high_hz: float) -> float:
        """Return the part of the whole power that lies between two frequencies, in [0, 1]."""
        total = float(self.power.sum())
        return float(self.power[span(low_hz, high_hz)].sum()) / total if total > 0.0 else 0.0

    @property
    def tilt_db(self) -> float:
        """The slope of the spectrum in dB an octave, 50 Hz to 12.5 kHz; pink noise is 0."""
        return float(self.density_db() @ _TILT)

    @property
    def centroid_hz(self) -> float:
        """The power-weighted mean of log-frequency, in Hz."""
        total = max(float(self.power.sum()), FLOOR * FLOOR)
        octaves = float(self.power @ np.log2(CENTRES_HZ / 1000.0)) / total
        return float(1000.0 * 2.0**octaves)

    def density_db(self) -> Floats:
        """Return the power an octave in dB relative to the whole, shape ``(m,)``; pink noise is flat."""
        total = max(float(self.power.sum()), FLOOR * FLOOR)
        density: Floats = 10.0 * np.log10(np.maximum(self.power / total / WIDTHS, FLOOR))
        return density

    def through(self, curve_db: Floats, freqs_hz: Floats) -> "Balance":
        """Return the balance after an equaliser with a curve in dB at `freqs_hz`, shape ``(n,)`` each."""
        return Balance(read_only(self.power * power_gain(curve_db, freqs_hz)))

    def as_dict(self) -> dict[str, float]:
        """Return the figures for JSON."""
        if self.is_silent:
            return {}
        return {
            "tilt_db_per_octave": round(self.tilt_db, 3),
            "centroid_hz": round(self.centroid_hz, 1),
        }


def power_gain(curve_db: Floats, freqs_hz: Floats) -> Floats:
    """Return ``|H|²`` in each narrow band of a curve in dB at `freqs_hz`."""
    at_centres = np.interp(np.log(CENTRES_HZ), np.log(freqs_hz), curve_db)
    gain: Floats = 10.0 ** (at_centres / 10.0)
    return gain


class Meter:
    """Measures the balance of one stream of sound.

    Parameters
    ----------
    fs : float
        Sample rate in Hz, from 1 kHz on.
    channels : int
        From 1 on.
    memory_s : float
        Time constant in s after which the past is forgotten; infinite for the whole.
    dense_frames : int, optional
        After so many frames every second is left out and the others count twice, after as many more
        three of four, and so on: hours of sound cost seconds. Not together with a memory.

    Raises
    ------
    SettingsError
        If a parameter is out of its range.

    Notes
    -----
    One owner: not thread-safe. Samples that are no numbers, or absurdly large, count as silence.

    Examples
    --------
    >>> meter = Meter(48_000.0, 1)
    >>> t = np.arange(48_000) / 48_000.0
    >>> meter.feed(np.sin(2.0 * np.pi * 100.0 * t).astype(np.float32)[:, None])
    >>> round(meter.balance().share(20.0, 400.0), 3)
    1.0
    """

    def __init__(
        self,
        fs: float,
        channels: int,
        *,
        memory_s: float = math.inf,
        dense_frames: int | None = None,
    ) -> None:
        if not (math.isfinite(fs) and fs >= 1000.0):
            raise SettingsError(f"fs must be 1000 Hz or more, got {fs:g}")
        if channels < 1:
            raise SettingsError(f"channels must be 1 or more, got {channels}")
        if not memory_s > 0.0:
            raise SettingsError(f"memory_s must be positive, got {memory_s:g}")
        if dense_frames is not None and (dense_frames < 1 or memory_s < math.inf):
            raise SettingsError("dense_frames must be 1 or more, and memory_s infinite with it")
        self.fs, self.channels = fs, channels
        #: Length of a frame, and from one to the next, in samples.
        self.size = 1 << max(8, round(math.log2(WINDOW_S * fs)))
        self.hop = self.size // 2
        self._dense_frames, self._dense, self._counts = dense_frames, 0, 1.0
        self._keep = math.exp(-self.hop / fs / memory_s)
        window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(self.size) / self.size)
        self._scale = 2.0 / (self.size * float(np.sum(window**2)) * channels)
        self._window = window.astype(np.float32)
        self._bins_hz: Floats = np.maximum(
            (np.arange(self.size // 2 + 2) - 0.5) * fs / self.size, 0
        )
        self._rest: npt.NDArray[np.float32] = np.zeros((channels, 0), dtype=np.float32)
        #: Samples still to be passed over before the next frame starts.
        self._skip = 0
        self._power = np.zeros(len(CENTRES_HZ))
        self._weight = 0.0

    def _measure(self, frame: npt.NDArray[np.float32]) -> Floats:
        """Return the power of a frame ``(channels, size)`` in each narrow band."""
        spectrum = np.fft.rfft(frame * self._window)
        power = (spectrum.real**2 + spectrum.imag**2).sum(axis=0, dtype=np.float64) * self._scale
        below = np.concatenate(([0.0], np.cumsum(power)))
        bands: Floats = np.diff(np.interp(EDGES_HZ, self._bins_hz, below))
        return bands

    def frames(self, block: Audio) -> Iterator[Floats]:
        """Take the next samples ``(frames, channels)`` and yield the powers of the frames they complete.

        The powers are not added up: `add` does it, one after the other, for `feed`, or for who has to
        change them on the way.

        Raises
        ------
        SettingsError
            If the block has another number of channels.
        """
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise SettingsError(
                f"block must have shape (frames, {self.channels}), got {block.shape}"
            )
        passed = min(self._skip, len(block))
        self._skip -= passed
        fresh = np.asarray(block[passed:], dtype=np.float32).T
        damaged = ~(np.abs(fresh) <= _ABSURD)
        if damaged.any():
            fresh = np.where(damaged, np.float32(0.0), fresh)
        sound = np.concatenate((self._rest, fresh), axis=1)
        at = 0
        while at + self.size <= sound.shape[1]:
            yield self._measure(sound[:, at : at + self.size])
            at += self.hop
        self._skip += max(0, at - sound.shape[1])
        self._rest = sound[:, at:].copy()

    def add(self, power: Floats) -> None:
        """Add the power of a frame to the balance."""
        self._power = self._power * self._keep + self._counts * power
        self._weight = self._weight * self._keep + self._counts
        self._dense += 1
        if self._dense == self._dense_frames:
            self._dense, self._counts, self.hop = 0, 2.0 * self._counts, 2 * self.hop

    def feed(self, block: Audio) -> None:
        """Take the next samples, ``(frames, channels)``."""
        for power in self.frames(block):
            self.add(power)

    def reset(self) -> None:
        """Forget the balance up to now; the sound goes on."""
        self._power, self._weight = np.zeros(len(CENTRES_HZ)), 0.0

    @property
    def seconds(self) -> float:
        """How much sound the balance is of, in s; no more than the memory."""
        return self._weight * (self.size // 2) / self.fs

    def balance(self) -> Balance:
        """Return the balance of what was fed; a sound shorter than one frame counts with what there is."""
        if self._weight > 0.0:
            return Balance(read_only(self._power / self._weight))
        rest = np.pad(self._rest, ((0, 0), (0, self.size - self._rest.shape[1] % self.size)))
        return Balance(read_only(self._measure(rest[:, : self.size])))
