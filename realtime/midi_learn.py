"""Learning a binding: which controller is being moved, and how it speaks.

A knob that sends its position never sends the same value twice running; an endless encoder hardly
sends anything else, and only values near 1 and 127 (two's complement), near 64 (offset), or near 1 and
65 (signed bit). A 14-bit controller moves CC n and CC n + 32 together. So a person who turns a knob
both ways, a little, has said all there is to know.
"""

import itertools
from collections import Counter
from collections.abc import Sequence

from semeq.presets.midi_bindings import LIMITS, Binding, Control, Encoding, word_or_param
from semeq.realtime.midi import ControlChange, parse

#: After this long without a message the knob has come to rest, s.
REST_S = 0.7
#: A knob is turned for at least this many messages; some buttons send one.
ENOUGH, ENOUGH_OF_BUTTON = 6, 1
#: Clicks that an encoder sends at once when it is turned fast.
FAST_CLICKS = 16
DETENT = 0.03


def guess_encoding(values: Sequence[int]) -> Encoding:
    """Return how a controller speaks that sent `values` when it was turned both ways, a little."""
    repeats = sum(a == b for a, b in itertools.pairwise(values))
    if repeats * 3 < len(values) - 1 or len(values) < 3:
        return Encoding.ABSOLUTE
    near = {
        # what each convention sends for a few clicks up and down
        Encoding.OFFSET: lambda v: 0 < abs(v - 64) <= FAST_CLICKS,
        Encoding.TWOS: lambda v: 0 < v <= FAST_CLICKS or v >= 128 - FAST_CLICKS,
        Encoding.SIGN: lambda v: 0 < v <= FAST_CLICKS or 64 < v <= 64 + FAST_CLICKS,
    }
    fitting = [encoding for encoding, fits in near.items() if all(map(fits, values))]
    if not fitting:
        return Encoding.ABSOLUTE
    # 65 alone is one click up for one maker and one down for another: offset is the common one.
    # 1 alone is up for both others: two's complement is the common one.
    return fitting[0]


class Learner:
    """Collects messages until it is clear which controller is meant.

    Parameters
    ----------
    control : Control
        What is to be moved.
    name : str
        The word, or insert and parameter, where that is one.
    encoding : Encoding, optional
        How the controller speaks, when the person knows.
    """

    def __init__(self, control: Control, name: str = "", encoding: Encoding | None = None) -> None:
        self._control, self._name, self._encoding = control, name, encoding
        self._changes: list[ControlChange] = []

    def receive(self, message: Sequence[int], at_s: float) -> None:
        """Take a message."""
        change = parse(message, at_s)
        if change is not None:
            self._changes.append(change)

    def is_done(self, now_s: float) -> bool:
        """Say whether enough has been heard and the controller has come to rest."""
        is_button = self._control not in LIMITS
        enough = ENOUGH_OF_BUTTON if is_button else ENOUGH
        if not self._changes or now_s - self._changes[-1].at_s < REST_S:
            return False
        return max(Counter((c.channel, c.cc) for c in self._changes).values()) >= enough

    def binding(self) -> Binding | None:
        """Return the binding of the controller that moved most; None when none did."""
        if not self._changes:
            return None
        counts = Counter((c.channel, c.cc) for c in self._changes)
        (channel, cc), moves = counts.most_common(1)[0]
        encoding = self._encoding
        if self._control not in LIMITS:
            return Binding(cc, self._control, channel=channel)
        if encoding is None:
            upper, lower = (cc - 32, cc) if 32 <= cc < 64 else (cc, cc + 32)
            if upper < 32 and min(counts[channel, upper], counts[channel, lower]) * 3 >= moves:
                encoding = Encoding.ABSOLUTE14
            else:
                values = [c.value for c in self._changes if (c.channel, c.cc) == (channel, cc)]
                encoding = guess_encoding(values)
        if encoding is Encoding.ABSOLUTE14:
            cc %= 32
        detent = DETENT if self._control is Control.WORD and not encoding.is_relative else 0.0
        word, param = word_or_param(self._control, self._name)
        return Binding(
            cc, self._control, word, encoding, detent=detent, channel=channel, param=param
        )
