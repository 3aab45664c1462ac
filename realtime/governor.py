"""What to leave out when the audio thread has too little time, and when to take it up again: rules alone.

The load of the last second decides: the callback's time as a share of the sound's. Above `HIGH` one more
thing is left out, in the order of `semeq.engine.shed`; below `LOW` for long enough, one is taken up again.
One step at a time: after each the load is looked at for a second anew. A step up that is followed by an
overload makes the next one wait twice as long, so that a machine on the brink does not go to and fro.
"""

from collections import deque
from dataclasses import dataclass

from semeq.engine import shed

#: Share of its time from which the callback is overloaded, and below which there is time to spare.
HIGH, LOW = 0.8, 0.6
#: How long the load is looked at, s.
WINDOW_S = 1.0
#: How long it must be low before something is taken up again, s; at first and at most.
PATIENCE_S, MOST_PATIENCE_S = 5.0, 80.0
#: An overload so soon after a step up is its doing, s; so long without one and all is forgotten.
DOING_S, FORGET_S = 10.0, 120.0
#: Filters that rested run for so long before they are heard, s.
WARM_S = 0.3
#: Less than this share of the window is no measurement.
_ENOUGH = 0.9

#: What each level leaves out, for programs.
NAMES = {shed.METERS: "meters", shed.LOOK_AHEAD: "look-ahead", shed.FILTERS: "eq"}
#: What is said when it goes, and when it is back.
_GOES = {
    shed.METERS: "the meters stop",
    shed.LOOK_AHEAD: "the limiter looks at samples only, no longer between them",
    shed.FILTERS: "the EQ is bypassed",
}
_IS_BACK = {
    shed.METERS: "the meters are back",
    shed.LOOK_AHEAD: "the limiter looks between the samples again",
    shed.FILTERS: "the EQ is back",
}


@dataclass(frozen=True, slots=True)
class Relief:
    """What the audio path is relieved of.

    Parameters
    ----------
    level : int
        A level of `semeq.engine.shed`.
    is_bypassed : bool
        Whether the EQ is not to be heard, be it that its filters rest or that they get warm again.
    """

    level: int = shed.NOTHING
    is_bypassed: bool = False


NO_RELIEF = Relief()


class Governor:
    """Decides by the load what is left out; one owner.

    Parameters
    ----------
    levels : tuple of int
        The levels of `semeq.engine.shed` that would help, rising.

    Attributes
    ----------
    relief : Relief
        What is left out now.
    load : float
        The load of the last second; 0 before the first is over.
    steps : int
        How often something was left out.

    Examples
    --------
    >>> governor = Governor((shed.METERS, shed.FILTERS))
    >>> [governor.look(0.9 * t, t, t) for t in (0.0, 0.5, 1.0)][-1]
    'overload, 90 % of the time for the sound is used up: the meters stop, the sound goes on'
    """

    def __init__(self, levels: tuple[int, ...]) -> None:
        self._levels = (shed.NOTHING, *levels)
        self.relief = NO_RELIEF
        self.load = 0.0
        self.steps = 0
        self._at = 0
        self._seen: deque[tuple[float, float, float]] = deque()
        self._busy_at = self._up_at = -FORGET_S
        self._warm_at: float | None = None
        self._patience_s = PATIENCE_S
        self._is_at_end_said = False

    @property
    def dropped(self) -> tuple[str, ...]:
        """What is left out, by name."""
        return tuple(NAMES[level] for level in self._levels[1 : self._at + 1])

    def look(self, busy_s: float, sound_s: float, now_s: float) -> str | None:
        """Take what the callback has used and made so far, in s; return what has changed, for people."""
        self._measure(busy_s, sound_s, now_s)
        if self._warm_at is not None and now_s >= self._warm_at:
            self._warm_at, self.relief = None, Relief(self.relief.level)
        if not self._seen or now_s - self._seen[0][2] < _ENOUGH * WINDOW_S:
            return None
        if self.load > HIGH:
            self._busy_at = now_s
            return self._step_down(now_s)
        if self.load >= LOW:
            self._busy_at = now_s
        elif self._at and now_s - self._busy_at >= self._patience_s:
            return self._step_up(now_s)
        if now_s - self._busy_at > FORGET_S:
            self._patience_s, self._is_at_end_said = PATIENCE_S, False
        return None

    def _measure(self, busy_s: float, sound_s: float, now_s: float) -> None:
        self._seen.append((busy_s, sound_s, now_s))
        # on a busy machine a look may come late: the window is never shorter than it should be
        while len(self._seen) > 1 and now_s - self._seen[1][2] >= WINDOW_S:
            self._seen.popleft()
        busy_s -= self._seen[0][0]
        sound_s -= self._seen[0][1]
        if sound_s > 0.0:
            self.load = busy_s / sound_s

    def _step_down(self, now_s: float) -> str | None:
        used = f"overload, {self.load:.0%} of the time for the sound is used up".replace("%", " %")
        if self._at + 1 >= len(self._levels):
            if self._is_at_end_said:
                return None
            self._is_at_end_said = True
            return f"{used}, and there is nothing left to leave out: a larger --blocksize helps"
        if now_s - self._up_at < DOING_S:
            self._patience_s = min(2.0 * self._patience_s, MOST_PATIENCE_S)
        self.steps += 1
        self._go(self._at + 1)
        return f"{used}: {_GOES[self._levels[self._at]]}, the sound goes on"

    def _step_up(self, now_s: float) -> str:
        level = self._levels[self._at]
        self._go(self._at - 1)
        self._busy_at = self._up_at = now_s
        if level == shed.FILTERS:
            self.relief = Relief(self.relief.level, is_bypassed=True)
            self._warm_at = now_s + WARM_S
        return f"there is time again (load {self.load:.0%}): {_IS_BACK[level]}".replace("%", " %")

    def _go(self, at: int) -> None:
        self._at, self._warm_at = at, None
        level = self._levels[at]
        self.relief = Relief(level, level == shed.FILTERS)
        self._seen.clear()


def levels(*, looks_ahead: bool) -> tuple[int, ...]:
    """Return the levels that would help a session whose limiter looks ahead, or not."""
    return tuple(
        level
        for level in range(shed.METERS, shed.LEVELS)
        if looks_ahead or level != shed.LOOK_AHEAD
    )
