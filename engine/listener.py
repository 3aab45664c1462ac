"""What was heard, on the clock of the samples: windows, a gate for silence, a mean that follows the music.

Conventions
-----------
- A `Hearing` comes every `every_s`, from the first on, and belongs to the sample after the last that it
  knows. Live and offline run this code over the same samples and get the same hearings, however the sound
  is cut into blocks.
- The gate works on K-weighted loudness, frame by frame (a frame is about 90 ms). Frames below an absolute
  level, or far below what has been sounding, are left out of the window; where the newest are, what was
  heard last holds. So a pause, a fade or the hiss between two songs changes nothing. After a drop that
  lasts the relative gate comes down slowly, so that music that goes on quietly is heard again.
- The encoder's answers are averaged: the mean of the first ones, then an exponential mean with the time
  constant `speed_s`, which is the shorter the further the answer and the one before it are from the mean
  (at `FAR_DB` half as long, at most `HASTE` times shorter). A chord moves little, another piece is followed,
  and one odd answer is no reason for haste. After a silence an answer counts for the less, the less of
  `RECENT_S` it has heard.
- Where the sound becomes clearly another (its spectrum in octaves over the newest `RECENT_S` against the
  rest of the window), the window starts anew at the change. Where only its level has jumped, the window goes
  on at the new level (`semeq.engine.level_jumps`); what was heard last holds until that is sure.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from semeq.engine.encoder import Heard, Model
from semeq.engine.errors import SettingsError
from semeq.engine.frontend import BANDS, GRID_HZ, BandStream
from semeq.engine.heard_window import CHANGE_DB, HeardWindow
from semeq.engine.level_jumps import LevelJumps
from semeq.engine.loudness import k_weighting
from semeq.engine.units import Audio, Floats, read_only

#: Less sound than this says nothing (s).
LEAST_S = 0.5
#: A change is looked for between the newest stretch of this length and the rest of the window; an answer
#: that has heard less counts for less.
RECENT_S = 1.0
#: How far an answer has to be from the mean (dB rms of the curve) to count twice, and the most it may count.
FAR_DB, HASTE = 2.0, 6.0
#: The loudness that the relative gate refers to: a mean over so many seconds of sound.
LOUDNESS_S = 3.0
#: How fast it falls while nothing passes (dB/s).
FALL_DB_S = 0.2
#: A sixth of an octave has this share of its frequency as its width; twice, for both halves of a spectrum.
_WIDTH = 2.0 * (2.0 ** (1.0 / 12.0) - 2.0 ** (-1.0 / 12.0))


@dataclass(frozen=True, slots=True)
class ListenerConfig:
    """How to listen.

    Parameters
    ----------
    window_s : float
        What the encoder hears at once, in [1, 10] s.
    every_s : float
        Time from one hearing to the next, in [0.02, 1] s.
    speed_s : float
        Time constant of the mean, in [0.05, 60] s.
    gate_lufs : float
        Below this loudness there is silence.
    gate_lu : float
        So far below what has been sounding there is no music.

    Raises
    ------
    SettingsError
        If a value is out of its range.
    """

    window_s: float = 2.5
    every_s: float = 0.1
    speed_s: float = 1.0
    gate_lufs: float = -70.0
    gate_lu: float = 25.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("window_s", 1.0, 10.0),
            ("every_s", 0.02, 1.0),
            ("speed_s", 0.05, 60.0),
            ("gate_lufs", -120.0, 0.0),
            ("gate_lu", 6.0, 120.0),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise SettingsError(f"{name} must be in [{low:g}, {high:g}], got {value:g}")


@dataclass(frozen=True, slots=True, eq=False)
class Hearing:
    """What is known of the sound at a sample.

    Parameters
    ----------
    frame : int
        Samples heard so far.
    heard : Heard or None
        The mean over time; the same object as before while it holds; None before anything was heard.
    raw : Heard or None
        The last window alone.
    energy_db : float
        Loudness of the window's sounding frames (LUFS, without gates), -200 where there are none.
    is_held : bool
        Whether there was nothing to hear: silence, or noise far below the music.
    """

    frame: int
    heard: Heard | None
    raw: Heard | None
    energy_db: float
    is_held: bool


def k_weights(fs: float) -> Floats:
    """Return the factors that make band powers add up to a K-weighted power, shape ``(61,)``."""
    inside = np.minimum(GRID_HZ, 0.49 * fs)
    z = np.exp(-2j * np.pi * inside / fs)
    gain = np.ones(BANDS)
    for b0, b1, b2, _, a1, a2 in k_weighting(fs):
        gain *= np.abs((b0 + b1 * z + b2 * z * z) / (1.0 + a1 * z + a2 * z * z)) ** 2
    gain[0.5 * fs < GRID_HZ] = 0.0
    weights: Floats = gain * _WIDTH * 1000.0 / fs
    return weights


class _Gate:
    """Tells sound from silence, frame by frame."""

    def __init__(self, fs: float, channels: int, hop_s: float, config: ListenerConfig) -> None:
        #: Make band powers, averaged over channels, a K-weighted power.
        self.weights = k_weights(fs) * channels
        self._config = config
        self._share = 1.0 - math.exp(-hop_s / LOUDNESS_S)
        self._fall = 10.0 ** (-FALL_DB_S * hop_s / 10.0)
        self._least = 10.0 ** ((config.gate_lufs + 0.691) / 10.0)
        self._relative = 10.0 ** (-config.gate_lu / 10.0)
        self._sounding = 0.0

    def passing(self, powers: Floats) -> npt.NDArray[np.bool_]:
        """Return which frames sound."""
        passed = np.zeros(len(powers), dtype=np.bool_)
        for index, power in enumerate(powers):
            passed[index] = power >= max(self._least, self._relative * self._sounding)
            if not passed[index]:
                self._sounding *= self._fall
            elif self._sounding == 0.0:
                self._sounding = power
            else:
                self._sounding += self._share * (power - self._sounding)
        return passed


class Listener:
    """Listens to a stream of blocks.

    Parameters
    ----------
    model : Model
        With its network, see `Model.hear_levels`.
    fs : float
        Sample rate in Hz.
    channels : int
        From 1 on.
    config : ListenerConfig, optional
        How to listen.

    Notes
    -----
    One owner: not thread-safe.
    """

    def __init__(
        self, model: Model, fs: float, channels: int, config: ListenerConfig | None = None
    ) -> None:
        self.config = config = config or ListenerConfig()
        self.fs, self.channels = fs, channels
        self.every = max(1, round(config.every_s * fs))
        self._model = model
        self._bands = BandStream(fs, channels)
        hop_s = self._bands.hop / fs
        self._gate = _Gate(fs, channels, hop_s, config)
        self._least = round(LEAST_S / hop_s)
        self._recent = round(RECENT_S / hop_s)
        self._pace = self.every / fs / config.speed_s
        self._window = HeardWindow(round(config.window_s / hop_s))
        self._jumps = LevelJumps(hop_s)
        self._pending: list[Audio] = []
        self._waiting = 0
        self._frame = 0
        self._heard: Heard | None = None
        self._raw: Heard | None = None
        self._count = 0
        #: How far the answer before was from the mean; 0 where a silence was in between.
        self._far = 0.0
        #: How often the sound has become another.
        self.changes = 0

    def feed(self, block: Audio) -> list[Hearing]:
        """Take the next samples, ``(frames, channels)``; return the hearings that fall into them."""
        hearings = []
        done = 0
        while done < len(block):
            size = min(self.every - self._waiting, len(block) - done)
            self._pending.append(block[done : done + size].copy())
            self._waiting += size
            done += size
            if self._waiting == self.every:
                # Always the same pieces, so that rounding does not depend on the blocks.
                piece = np.concatenate(self._pending)
                self._pending, self._waiting = [], 0
                self._frame += len(piece)
                hearings.append(self._listen(piece))
        return hearings

    def _listen(self, piece: Audio) -> Hearing:
        fresh = self._bands.feed(piece)
        bands: Floats = 10.0 ** (fresh.astype(np.float64) / 10.0)
        powers = bands @ self._gate.weights
        window = self._window
        window.append(fresh, bands, powers, self._gate.passing(powers))
        sounding = int(np.count_nonzero(window.passed))
        energy_db = -200.0
        if sounding:
            power = float(np.mean(window.powers[window.passed]))
            energy_db = 10.0 * math.log10(max(power, 1e-20)) - 0.691
        newest = window.passed[-max(1, len(fresh)) :]
        if sounding < self._least or not newest.any():
            self._jumps.forget()
            self._far = 0.0
            return Hearing(self._frame, self._heard, self._raw, energy_db, True)
        if self._has_changed():
            self.changes += 1
            window.keep(self._recent)
            self._jumps.forget()
        if self._jumps.wait(window, len(fresh)):
            return Hearing(self._frame, self._heard, self._raw, energy_db, False)
        raw = self._model.hear_levels(window.levels[window.passed])
        self._heard, self._raw = self._averaged(raw, sounding), raw
        return Hearing(self._frame, self._heard, raw, energy_db, False)

    def _has_changed(self) -> bool:
        recent = self._recent
        change = self._window.change(slice(0, -recent), slice(-recent, None), recent // 2)
        return change is not None and change[1] > CHANGE_DB

    def _averaged(self, raw: Heard, sounding: int) -> Heard:
        before = self._heard
        if before is None:
            return raw
        self._count += 1
        away = self._model.decode(raw.z - before.z)
        far = float(np.mean(away**2)) / FAR_DB**2
        haste = min(1.0 + min(far, self._far), HASTE)
        self._far = far
        share = min(1.0, sounding / self._recent)
        step = max(share * (1.0 - math.exp(-self._pace * haste)), 1.0 / (1.0 + self._count))
        return Heard(
            read_only(before.z + step * (raw.z - before.z)),
            read_only(before.spectrum_db + step * (raw.spectrum_db - before.spectrum_db)),
        )
