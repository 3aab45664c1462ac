"""A window of frames that outlives a jump of the level: a fader pushed up is no other music.

Conventions
-----------
- A jump is a change of level that comes at once and stays, while the shape of the spectrum over octaves
  is what it was. What was heard before it is moved to the level after it, the frames that hold both levels
  count no longer, and the window is of one piece. How high the jump was is measured again as long as
  what came after it is the shorter part.
- Until it is known whether a change stays, nothing new is heard: for `SURE_S` where the shapes are much
  alike, for `LATEST_S` at most. An accent or a rest is over by then, and counts as what it is, dynamics.
- A tenth of a second of music is rarely louder than the two seconds before it by `UP_DB` (0.3 % of the
  time), and often softer by `DOWN_DB` (7 %: rests, decays), with another shape as a rule.
"""

import math

from semeq.engine.frontend import FFT_SIZE, HOP
from semeq.engine.heard_window import CHANGE_DB, HeardWindow

#: The newest frames, so many seconds of them ...
NEWEST_S = 0.1
#: ... are so far above or below those before: it may be a jump. At half of it it is over (dB).
UP_DB, DOWN_DB = 6.0, 10.0
#: So far apart are the levels before and after a jump at least, without a doubt (dB).
LEAST_DB = 4.0
#: So long after it a jump is told from dynamics, where shapes are so much alike (dB rms over octaves) ...
SURE_S, ALIKE_DB = 0.5, 5.0
#: ... and so long after it wherever the sound has not become another.
LATEST_S = 1.0
#: A sample is part of so many frames.
OVERLAP = FFT_SIZE // HOP
#: Fewer frames have no level worth comparing.
FEWEST = 12


class LevelJumps:
    """Finds jumps in a window as it moves on, and takes them out.

    Parameters
    ----------
    hop_s : float
        From one frame to the next, in s.

    Attributes
    ----------
    count : int
        How many there were.

    Notes
    -----
    One owner: not thread-safe.
    """

    def __init__(self, hop_s: float) -> None:
        self._newest = max(1, round(NEWEST_S / hop_s))
        self._sure, self._latest = round(SURE_S / hop_s), round(LATEST_S / hop_s)
        #: Frames since a change that may be a jump; 0: there is none.
        self._since = 0
        #: A change that was no jump is not looked at again before it is over.
        self._is_armed = True
        #: Frames since a jump whose height is still being measured; 0: there is none.
        self._known = 0
        self.count = 0

    def forget(self) -> None:
        """Start anew: the window is another, or holds silence."""
        self._since = self._known = 0
        self._is_armed = True

    def wait(self, window: HeardWindow, fresh: int) -> bool:
        """Look at a window with `fresh` new frames; return whether it is too early to hear it."""
        self._measure_again(window, fresh)
        if self._since:
            self._since = min(self._since + fresh, len(window))
        far = self._far(window)
        if far < 0.5:
            self._since, self._is_armed = 0, True
            return False
        if not self._since:
            if far < 1.0 or not self._is_armed:
                return False
            self._since, self._is_armed = self._newest, False
            return True
        if self._since < self._sure:
            return True
        # What was noticed may have begun a little earlier, or be a rest that a jump has ended.
        first = len(window) - self._since - self._newest - OVERLAP
        start, height_db = window.step(first, len(window) - FEWEST)
        change = window.change(slice(0, start), slice(start + OVERLAP, None), FEWEST)
        if (change is None or change[1] > ALIKE_DB) and self._since < self._latest:
            return True
        self._since = 0
        if change is None or change[1] > CHANGE_DB:
            return False
        # In power and in decibels: the end of an accent is a step in power alone.
        if min(math.copysign(1.0, height_db) * change[0], abs(height_db)) >= LEAST_DB:
            window.passed[start : start + OVERLAP] = False
            window.raise_before(start, change[0])
            self._known = len(window) - start
            self.count += 1
        return False

    def _far(self, window: HeardWindow) -> float:
        """Return how far the newest frames are from those before a change; from 1 on it may be a jump."""
        start = len(window) - (self._since or self._newest)
        newest = slice(len(window) - self._newest, None)
        change = window.change(slice(0, max(start, 0)), newest, 1)
        if change is None or start < FEWEST:
            return 0.0
        return change[0] / UP_DB if change[0] > 0.0 else -change[0] / DOWN_DB

    def _measure_again(self, window: HeardWindow, fresh: int) -> None:
        if not self._known:
            return
        self._known += fresh
        start = len(window) - self._known
        if start < self._known:
            self._known = 0
            return
        change = window.change(slice(0, start), slice(start + OVERLAP, None), FEWEST)
        if change is not None:
            window.raise_before(start, change[0])
