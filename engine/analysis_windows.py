"""Sound cut into sliding windows as it arrives: band levels for the encoder, power for the meter.

Conventions
-----------
Window *k* starts at ``k hop_s`` and is ``window_s`` long; the last one may be shorter by less than a hop. A
sound that is shorter than a window is one window. Beside the windows stand *cells*: the stretches of one
hop, side by side, each with its own mean spectrum; they show when something changes, which windows that
overlap blur. Everything is computed on a clock of samples: any cut into blocks gives the same bits.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from semeq.engine.encoder import FEWEST_LEVELS
from semeq.engine.errors import SettingsError
from semeq.engine.frontend import ABSURD, BANDS, BandStream, Levels
from semeq.engine.units import Audio, Floats

WINDOW_RANGE_S = (0.5, 60.0)
SHORTEST_HOP_S = 0.1
#: Frames of the front end that are computed at a time: memory that is small is used again at once, where
#: larger pieces would be given back to the system and fetched anew, which took 40 % of the time.
_BATCH = 8


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """One window: where it lies, its mean square over samples and channels, its frames of levels."""

    start_s: float
    end_s: float
    energy: float
    levels: Levels


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Stretches of one hop: mean power of the bands, shape ``(n, 61)``, and mean square, ``(n,)``."""

    hop_s: float
    power: Floats
    energy: Floats


def check_sizes(window_s: float, hop_s: float) -> None:
    """Refuse windows and hops that cannot be used.

    Raises
    ------
    SettingsError
        If one is out of its range.
    """
    low, high = WINDOW_RANGE_S
    if not (math.isfinite(window_s) and low <= window_s <= high):
        raise SettingsError(f"window must be in [{low:g}, {high:g}] s, got {window_s:g}")
    if not (math.isfinite(hop_s) and SHORTEST_HOP_S <= hop_s <= window_s):
        raise SettingsError(
            f"hop must be in [{SHORTEST_HOP_S:g}, window = {window_s:g}] s, got {hop_s:g}"
        )


class WindowStream:
    """Turns blocks of sound into windows.

    Parameters
    ----------
    fs : float
        Sample rate in Hz.
    channels : int
        From 1 on.
    window_s, hop_s : float
        Length of a window, and from one start to the next, in seconds.

    Attributes
    ----------
    fs, window_s, hop_s : float
        As given.

    Notes
    -----
    One owner: not thread-safe.
    """

    def __init__(self, fs: float, channels: int, window_s: float, hop_s: float) -> None:
        check_sizes(window_s, hop_s)
        self._bands = BandStream(fs, channels)
        self.fs, self._channels = fs, channels
        self.window_s, self.hop_s = window_s, hop_s
        self._unit = self._bands.hop
        self._waiting: list[Audio] = []
        self._waiting_frames = 0
        self._seen = 0
        #: Recent frames of levels, and the number of the first.
        self._levels: Levels = np.empty((0, BANDS), dtype=np.float32)
        self._first = 0
        self._next_window = 0
        #: Sums of squares of each unit of samples.
        self._squares: list[float] = []
        self._power: list[Floats] = []
        self._counts: list[int] = []

    @property
    def duration_s(self) -> float:
        """Seconds of sound that were taken."""
        return (self._seen + self._waiting_frames) / self.fs

    def feed(self, block: Audio) -> list[Stretch]:
        """Take the next samples, ``(frames, channels)``; return the windows that they complete."""
        self._waiting.append(block)
        self._waiting_frames += len(block)
        batch = _BATCH * self._unit
        if self._waiting_frames < batch:
            return []
        sound = np.concatenate(self._waiting)
        whole = len(sound) - len(sound) % batch
        self._waiting, self._waiting_frames = [sound[whole:]], len(sound) - whole
        done: list[Stretch] = []
        for at in range(0, whole, batch):
            self._take(sound[at : at + batch])
            done += self._completed()
        return done

    def finish(self) -> tuple[list[Stretch], Cells]:
        """Take what waits; return the last windows and all cells."""
        sound = np.concatenate([np.empty((0, self._channels), np.float32), *self._waiting])
        self._waiting, self._waiting_frames = [], 0
        self._take(sound)
        done = list(self._completed())
        end = self.duration_s
        rest = end - (self._next_window - 1) * self.hop_s - self.window_s
        if self._next_window == 0 or rest > 0.5 * self.hop_s:
            # Too short for the network to compare frames: silence follows.
            short = self._bands.fft_size + (FEWEST_LEVELS - 1) * self._unit - self._seen
            if short > 0:
                silence = np.zeros((short, self._channels), dtype=np.float32)
                self._add(self._bands.feed(silence))
            done.append(self._cut(self._next_window * self.hop_s, end))
        return done, self._cells()

    def _take(self, sound: Audio) -> None:
        sane = np.where(np.abs(sound) <= ABSURD, sound, np.float32(0.0))
        squares = np.square(sane, dtype=np.float64).mean(axis=1)
        starts = range(0, len(squares), self._unit)
        self._squares += [float(squares[at : at + self._unit].sum()) for at in starts]
        self._seen += len(sound)
        self._add(self._bands.feed(sound))

    def _add(self, fresh: Levels) -> None:
        number = self._first + len(self._levels)
        centres = (np.arange(number, number + len(fresh)) + 0.5) * self._unit
        centres += 0.5 * (self._bands.fft_size - self._unit)
        cells = (centres / (self.hop_s * self.fs)).astype(np.int64)
        power = 10.0 ** (fresh.astype(np.float64) / 10.0)
        for cell in np.unique(cells):
            while len(self._power) <= cell:
                self._power.append(np.zeros(BANDS))
                self._counts.append(0)
            chosen = cells == cell
            self._power[cell] += power[chosen].sum(axis=0)
            self._counts[cell] += int(chosen.sum())
        self._levels = np.concatenate((self._levels, fresh))

    def _completed(self) -> Iterator[Stretch]:
        while True:
            start = self._next_window * self.hop_s
            if round((start + self.window_s) * self.fs) > self._seen:
                return
            yield self._cut(start, start + self.window_s)
            self._next_window += 1
            keep = int(self._next_window * self.hop_s * self.fs / self._unit)
            self._levels = self._levels[max(0, keep - self._first) :]
            self._first = max(self._first, keep)

    def _cut(self, start_s: float, end_s: float) -> Stretch:
        start, end = round(start_s * self.fs), round(end_s * self.fs)
        first = -(-start // self._unit)
        last = (end - self._bands.fft_size) // self._unit + 1
        last = max(last, first + FEWEST_LEVELS)
        levels = self._levels[max(0, first - self._first) : last - self._first]
        if len(levels) < FEWEST_LEVELS:
            levels = self._levels[-FEWEST_LEVELS:]
        return Stretch(start_s, end_s, self._energy(start, end), levels)

    def _energy(self, start: int, end: int) -> float:
        """Return the mean square of samples, to the nearest unit."""
        first = min(start // self._unit, len(self._squares) - 1)
        last = max(first + 1, end // self._unit)
        if end >= self._seen:
            last = len(self._squares)
        count = min(last * self._unit, self._seen) - first * self._unit
        return math.fsum(self._squares[first:last]) / max(1, count)

    def _cells(self) -> Cells:
        """Return the cells; one that holds no frame's centre is like the one before."""
        if not self._power:
            self._power, self._counts = [np.zeros(BANDS)], [1]
        total = max(1, math.ceil(self._seen / (self.hop_s * self.fs) - 0.5))
        power: list[Floats] = []
        energy: list[float] = []
        for cell in range(total):
            if cell < len(self._counts) and self._counts[cell]:
                power.append(self._power[cell] / self._counts[cell])
            else:
                power.append(power[-1] if power else np.zeros(BANDS))
            start = round(cell * self.hop_s * self.fs)
            energy.append(self._energy(start, round((cell + 1) * self.hop_s * self.fs)))
        return Cells(self.hop_s, np.array(power), np.array(energy))
