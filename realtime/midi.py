"""MIDI messages read, and controller values decoded: 7 bits, 14 bits in two halves, and encoders.

No ports here (`semeq.realtime.midi_ports`) and no meaning (`semeq.realtime.midi_desk`).

A 14-bit controller n sends its upper seven bits (MSB) as CC n and its lower seven (LSB) as CC n + 32.
Between the two halves the number is a mixture of old and new: a glitch of up to 128 steps of 16,384 if
it were used. Which half comes first is the maker's choice, and either may be left out when it has not
changed; `Pair` learns the order and waits for the second half, briefly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from semeq.presets.midi_bindings import Encoding, Order

TOP7 = 127
TOP14 = 16383
#: How long one half of a pair waits for the other: several audio periods, and never felt.
HOLD_S = 0.010
#: After this long without either half, the next one begins a pair.
QUIET_S = 0.100
#: This many lone upper halves, and never a lower one: it is a 7-bit controller after all.
LONELY = 3

_KINDS = {
    0x80: "note off",
    0x90: "note on",
    0xA0: "key pressure",
    0xB0: "control change",
    0xC0: "program change",
    0xD0: "pressure",
    0xE0: "pitch bend",
}
_SYSTEM = {
    0xF0: "system exclusive",
    0xF1: "time code",
    0xF2: "song position",
    0xF3: "song select",
    0xF6: "tune request",
    0xF8: "clock",
    0xFA: "start",
    0xFB: "continue",
    0xFC: "stop",
    0xFE: "active sensing",
    0xFF: "reset",
}


@dataclass(frozen=True, slots=True)
class ControlChange:
    """One controller message: ``channel`` 1–16, ``cc`` and ``value`` 0–127, its time in seconds."""

    channel: int
    cc: int
    value: int
    at_s: float = 0.0

    def __str__(self) -> str:
        return f"CC {self.cc} = {self.value} (ch {self.channel})"


def parse(message: Sequence[int], at_s: float = 0.0) -> ControlChange | None:
    """Return a controller message, or None for any other and for what is no message at all."""
    if len(message) != 3 or message[0] & 0xF0 != 0xB0:
        return None
    if not (0 <= message[1] <= TOP7 and 0 <= message[2] <= TOP7):
        return None
    return ControlChange((message[0] & 0x0F) + 1, message[1], message[2], at_s)


def describe(message: Sequence[int]) -> str:
    """Return any message as text for people.

    >>> describe([0xB0, 20, 64])
    'ch  1  control change  20 64'
    """
    if not message:
        return "nothing"
    status, data = message[0], " ".join(str(byte) for byte in message[1:5])
    if len(message) > 5:
        data += f" … ({len(message)} bytes)"
    if status >= 0xF0:
        return f"       {_SYSTEM.get(status, 'system')}  {data}".rstrip()
    if status < 0x80:
        return f"       no message: {' '.join(f'{byte:02X}' for byte in message[:8])}"
    return f"ch {(status & 0x0F) + 1:2d}  {_KINDS[status & 0xF0]}  {data}".rstrip()


def clicks(value: int, encoding: Encoding) -> int:
    """Return how many clicks a relative encoder moved, negative for down.

    ======  =========  ======  ====
    value   twos       offset  sign
    ======  =========  ======  ====
    1       +1         −63     +1
    63      +63        −1      +63
    64      −64        0       0
    65      −63        +1      −1
    127     −1         +63     −63
    ======  =========  ======  ====
    """
    if encoding is Encoding.OFFSET:
        return value - 64
    if encoding is Encoding.SIGN:
        return 64 - value if value & 64 else value
    return value - 128 if value & 64 else value


def spread7(value: int) -> int:
    """Return a 7-bit value on the 14-bit scale: 0, centre (64 → 8192) and top stay themselves."""
    return value << 7 if value <= 64 else (value << 7) + round((value - 64) / 63 * TOP7)


class Pair:
    """Joins the two halves of one 14-bit controller on one channel.

    Parameters
    ----------
    order : Order
        The half that is sent first; ``auto`` learns it from the first pair after a pause.

    Attributes
    ----------
    due : float or None
        When `flush` is to be called, because a half waits for the other.
    """

    def __init__(self, order: Order = Order.AUTO) -> None:
        self._first = order
        self._learns = order is Order.AUTO
        self._strikes = 0
        self._opening: tuple[Order, float] | None = None
        self._halves: dict[Order, int] = {}
        self._waiting: Order | None = None
        self._last_s = -1e9
        self._lonely = 0
        self.due: float | None = None

    def feed(self, half: Order, value: int, at_s: float) -> list[int]:
        """Take ``Order.MSB`` or ``Order.LSB`` and return the 14-bit values that are now known."""
        out = self.flush(at_s)
        self._observe(half, at_s)
        if half is Order.LSB:
            self._lonely = 0
        if self._waiting is half:  # its partner was left out
            out += self._release()
        self._halves[half] = value
        if self._waiting is not None:
            self._waiting = self.due = None
            return out + self._whole()
        if self._first in (Order.AUTO, half) and self._lonely < LONELY:
            self._waiting, self.due = half, at_s + HOLD_S
            return out
        is_alone = half is Order.MSB and Order.LSB not in self._halves
        return out + (self._alone() if is_alone else self._whole())

    def flush(self, now_s: float) -> list[int]:
        """Return what has waited long enough."""
        if self.due is None or now_s < self.due:
            return []
        return self._release()

    def _release(self) -> list[int]:
        half, self._waiting, self.due = self._waiting, None, None
        return self._alone() if half is Order.MSB else self._whole()

    def _alone(self) -> list[int]:
        """Return the value of an upper half without its lower one, which MIDI 1.0 takes as 0."""
        if Order.LSB not in self._halves:
            self._lonely += 1
            return [spread7(self._halves[Order.MSB])]
        self._halves[Order.LSB] = 0
        return self._whole()

    def _whole(self) -> list[int]:
        if Order.MSB not in self._halves:
            return []
        return [self._halves[Order.MSB] << 7 | self._halves.get(Order.LSB, 0)]

    def _observe(self, half: Order, at_s: float) -> None:
        """Learn the order from the first two halves after a pause.

        A belief changes on the second sight in a row: one may come of a half that was left out.
        """
        opening, pause = self._opening, at_s - self._last_s > QUIET_S
        self._last_s = at_s
        self._opening = (half, at_s) if pause else None
        if pause or opening is None or not self._learns:
            return
        first, began_s = opening
        if first is half or at_s - began_s > HOLD_S:
            return
        if first is self._first:
            self._strikes = 0
        elif self._first is Order.AUTO or self._strikes:
            self._first, self._strikes = first, 0
        else:
            self._strikes = 1
