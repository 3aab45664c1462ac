"""What is done about a howl: lower at once, hold, let go in steps; lower again at once where it comes back.

Conventions
-----------
The guard owns one gain, at most 0 dB, that everything which is heard passes. It is asked some fifty times a
second of the sound's own time, and answers with the gain and how fast to go there.

- A howl: 12 dB lower than where it howled. A loop that does not get quieter by that goes round with more than
  12 dB: 12 dB more, and once again.
- Held until it is gone, then let go in steps. Where it comes back, the guard waits twice as long, and stays a
  step below the gain at which the loop began to howl again; after a while it tries that, too.
- A tone that does not care how quiet we are is not our doing: an instrument, or a loop past us. It is given
  its level back and left alone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from semeq.engine.howl import Howl

DUCK_DB, DEEPEST_DB = 12.0, 36.0
#: The way down: as short as a step that nobody hears as a click.
DUCK_S = 0.03
#: A loop's tone falls by so much within so long of a duck: ramp, latency, and the window it is seen through.
FALLS_DB, FALLS_IN_S = 6.0, 0.3
#: One that rises by so much instead is not waited for.
RISES_DB, RISES_IN_S = 3.0, 0.15
#: How long it is held, and at most; resting below the howl takes so many times as long.
HOLD_S, LONGEST_HOLD_S, REST = 1.0, 32.0, 10.0
#: The way back.
STEP_DB, STEP_S, STEP_EVERY_S = 3.0, 0.2, 0.5
#: A howl within this after the last is the same one coming back.
MEMORY_S = 30.0
#: A tone that is no howl of ours is left alone for so long, and may drift by this ratio.
ALONE_S, NEAR = 10.0, 1.03


class Phase(StrEnum):
    """What the guard is doing."""

    CLEAR = "clear"
    DUCKED = "ducked"
    HOLDING = "holding"
    RELEASING = "releasing"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class Duck:
    """A gain that everything passes, in dB, and how long to take to get there, in s."""

    gain_db: float = 0.0
    ramp_s: float = STEP_S


#: All is heard as it is.
NO_DUCK = Duck()


def in_words(freq_hz: float) -> str:
    """Return a frequency for people.

    >>> in_words(2312.0), in_words(180.2)
    ('2.3 kHz', '180 Hz')
    """
    return f"{freq_hz / 1000.0:.1f} kHz" if freq_hz >= 1000.0 else f"{freq_hz:.0f} Hz"


class HowlGuard:
    """Decides on the gain.

    Attributes
    ----------
    duck : Duck
        The gain to go to.
    phase : Phase
        What it is doing.
    freq_hz : float or None
        The newest howl.
    ducks, left_alone : int
        How often it went lower, and how often for a tone that was no howl of ours.

    Notes
    -----
    One owner: not thread-safe.
    """

    def __init__(self) -> None:
        self.duck = NO_DUCK
        self.phase = Phase.CLEAR
        self.freq_hz: float | None = None
        self.ducks = self.left_alone = 0
        self._before_db = 0.0  # where it howled
        self._heard_db = 0.0  # how loud
        self._at_s = self._until_s = 0.0
        self._limit_db = 0.0
        self._hold_s = HOLD_S
        self._last_s = -math.inf
        self._alone: tuple[float, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return how it stands as plain values for JSON."""
        return {
            "state": self.phase.value,
            "gain_db": self.duck.gain_db,
            "freq_hz": None if self.freq_hz is None else round(self.freq_hz, 1),
            "ducks": self.ducks,
            "left_alone": self.left_alone,
        }

    def update(
        self, now_s: float, howls: Sequence[Howl], level_db: Callable[[float], float]
    ) -> str | None:
        """Take what was heard up to now; return a line for people when there is something to say.

        Parameters
        ----------
        now_s : float
            The sound's own time.
        howls : sequence of Howl
            Those heard since the last call.
        level_db : callable
            Returns the level of the tone at a frequency now.
        """
        if self.phase is Phase.DUCKED:
            return self._judge(now_s, level_db)
        for howl in howls:
            if not self._is_alone(now_s, howl.freq_hz):
                return self._react(now_s, howl)
        if now_s < self._until_s or self.phase is Phase.CLEAR:
            return None
        if self.phase is Phase.RESTING:
            self._limit_db = 0.0
        self.phase = Phase.RELEASING
        return self._release(now_s)

    def _is_alone(self, now_s: float, freq_hz: float) -> bool:
        if self._alone is None or now_s > self._alone[1]:
            return False
        return 1.0 / NEAR < freq_hz / self._alone[0] < NEAR

    def _react(self, now_s: float, howl: Howl) -> str | None:
        gain_db = self.duck.gain_db
        is_new = self.phase is Phase.CLEAR and now_s - self._last_s > MEMORY_S
        if is_new:
            self._hold_s, self._limit_db = HOLD_S, 0.0
        else:
            self._hold_s = min(2.0 * self._hold_s, LONGEST_HOLD_S)
            self._limit_db = max(gain_db - STEP_DB, -DEEPEST_DB)
        self.ducks += 1
        self.freq_hz, self._before_db, self._heard_db = howl.freq_hz, gain_db, howl.level_db
        self._lower(now_s)
        if not is_new:
            return None
        return f"howling at {in_words(howl.freq_hz)}: {DUCK_DB:g} dB lower until it stops"

    def _lower(self, now_s: float) -> None:
        self.duck = Duck(max(self.duck.gain_db - DUCK_DB, -DEEPEST_DB), DUCK_S)
        self.phase, self._at_s, self._last_s = Phase.DUCKED, now_s, now_s

    def _judge(self, now_s: float, level_db: Callable[[float], float]) -> str | None:
        """See whether the tone falls, as a loop's must."""
        freq_hz = self.freq_hz or 0.0
        change_db = level_db(freq_hz) - self._heard_db
        waited_s = now_s - self._at_s
        if change_db <= -FALLS_DB:
            self.phase, self._until_s = Phase.HOLDING, now_s + self._hold_s
            return None
        if waited_s < (RISES_IN_S if change_db >= RISES_DB else FALLS_IN_S):
            return None
        if self._before_db - self.duck.gain_db < 2.0 * DUCK_DB and self.duck.gain_db > -DEEPEST_DB:
            self._lower(now_s)
            return None
        self.left_alone += 1
        self._alone = freq_hz, now_s + ALONE_S
        self.duck = Duck(self._before_db, STEP_S)
        self.phase = Phase.CLEAR if self._before_db == 0.0 else Phase.HOLDING
        self._until_s = now_s + self._hold_s
        return (
            f"the tone at {in_words(freq_hz)} stays as loud however quiet we are: no howl of ours, "
            "left alone"
        )

    def _release(self, now_s: float) -> str | None:
        """Go a step up, or say where it ends."""
        gain_db = min(self.duck.gain_db + STEP_DB, self._limit_db)
        self._until_s = now_s + STEP_EVERY_S
        if gain_db > self.duck.gain_db:
            self.duck = Duck(gain_db, STEP_S)
            return None
        self._last_s = now_s
        where = in_words(self.freq_hz or 0.0)
        if gain_db >= 0.0:
            self.phase = Phase.CLEAR
            return f"no howling at {where} any more: the level is back"
        self.phase, self._until_s = Phase.RESTING, now_s + REST * self._hold_s
        return (
            f"howling at {where} above {gain_db + STEP_DB:+g} dB: {-gain_db:g} dB lower for "
            f"{REST * self._hold_s:.0f} s; turn the microphone or the loudspeaker down"
        )
