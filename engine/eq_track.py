"""The EQ of a whole file over time, kept small: frames, bands and gains as numbers.

Three hours with ten points a second take 20 MB. Between two points the bands move in a straight line of
coefficients over `ramp_frames`, then they stay.
"""

from array import array
from collections.abc import Iterator

from semeq.engine.design import DEFAULT_DESIGN, design
from semeq.engine.settings import LAYOUT, Band, EQSettings
from semeq.engine.timeline import ControlSet, Event

#: A thinned track has no more points than this.
MOST_POINTS = 1000
#: What a point has to add to be kept: gain (dB), frequency (octaves; as much for q).
STEP_DB, STEP_OCTAVES = 0.25, 0.125
_BANDS = len(LAYOUT)
_WIDTH = 3 * _BANDS + 1


class EQTrack:
    """Bands and gains at frames in ascending order.

    Parameters
    ----------
    fs : float
        Sample rate in Hz.
    ramp_frames : int
        How long the EQ takes from one point to the next; it starts at the first without a ramp.
    design : str
        How bands become filters, see `semeq.engine.design.DESIGNERS`.
    """

    def __init__(self, fs: float, ramp_frames: int, design: str = DEFAULT_DESIGN) -> None:
        self.fs, self.ramp_frames = fs, ramp_frames
        self._design = design
        self._frames = array("q")
        self._values = array("d")

    def __len__(self) -> int:
        return len(self._frames)

    def append(self, frame: int, settings: EQSettings, gain_db: float) -> None:
        """Add a point; one at the frame of the last replaces it."""
        if self._frames and frame <= self._frames[-1]:
            frame = self._frames.pop()
            del self._values[-_WIDTH:]
        self._frames.append(frame)
        for band in settings.bands:
            self._values.extend((band.freq_hz, band.gain_db, band.q))
        self._values.append(gain_db)

    def frame(self, index: int) -> int:
        """Return the frame of a point."""
        return self._frames[index]

    def settings(self, index: int) -> EQSettings:
        """Return the bands of a point."""
        values = self._values[index * _WIDTH : (index + 1) * _WIDTH - 1]
        return EQSettings(
            tuple(Band(kind, *values[3 * band : 3 * band + 3]) for band, kind in enumerate(LAYOUT))
        )

    def gain_db(self, index: int) -> float:
        """Return the gain of a point."""
        return self._values[(index + 1) * _WIDTH - 1]

    def event(self, index: int) -> Event:
        """Return a point as the audio path takes it."""
        coefficients = design(
            self.settings(index), self.fs, gain_db=self.gain_db(index), design=self._design
        )
        return Event(self.frame(index), ControlSet(coefficients, self.ramp_frames if index else 0))

    def at_times(self, every: int, frames: int) -> Iterator[tuple[int, int]]:
        """Yield the frame and the point that is headed for, every so many frames of a file."""
        index = 0
        for frame in range(0, max(frames, 1), every):
            while index + 1 < len(self._frames) and self._frames[index + 1] <= frame:
                index += 1
            yield frame, index

    def thinned(self) -> list[int]:
        """Return the points that tell the story: each adds something, and there are not too many."""
        for step in (1.0, 2.0, 4.0):
            if len(chosen := self._chosen(step)) <= MOST_POINTS:
                return chosen
        last = len(self) - 1
        return [round(n * last / (MOST_POINTS - 1)) for n in range(MOST_POINTS)]

    def _chosen(self, step: float) -> list[int]:
        chosen: list[int] = []
        last = len(self) - 1
        for index in range(len(self)):
            if not chosen or index == last or self._differs(chosen[-1], index, step):
                chosen.append(index)
        return chosen

    def _differs(self, one: int, other: int, step: float) -> bool:
        a = self._values[one * _WIDTH : (one + 1) * _WIDTH]
        b = self._values[other * _WIDTH : (other + 1) * _WIDTH]
        if abs(a[-1] - b[-1]) >= step * STEP_DB:
            return True
        ratio = 2.0 ** (step * STEP_OCTAVES)
        for at in range(0, 3 * _BANDS, 3):
            if abs(a[at + 1] - b[at + 1]) >= step * STEP_DB:
                return True
            # Where a band does nothing, its place does not matter.
            if max(abs(a[at + 1]), abs(b[at + 1])) < STEP_DB:
                continue
            for x, y in ((a[at], b[at]), (a[at + 2], b[at + 2])):
                if max(x, y) > ratio * min(x, y):
                    return True
        return False
