"""How our JACK ports are wired: seen while all is well, and restored when what they were wired to returns.

PortAudio wires a stream to the device that was chosen and never looks again. A person wires differently (a
player into semeq, semeq into a recorder), and interfaces that are JACK clients of their own come and go while
the server lives. So the wires are looked at all the time. One that goes away while its other end stays was
taken by a person, and is forgotten; one whose other end has gone is put back when that returns, by name.
"""

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from semeq.realtime.jack import IS_INPUT, IS_OUTPUT, JackClient

LOOK_EVERY_S = 0.1
#: How long the end waits for a server that does not answer, s.
JOIN_S = 0.3


@dataclass(frozen=True, slots=True)
class Wire:
    """One connection: our port without our name, the other port, and whether sound comes in by it."""

    ours: str
    theirs: str
    is_input: bool

    @property
    def far(self) -> str:
        """The client at the other end."""
        return self.theirs.partition(":")[0]


class Wiring:
    """Watches the wires of one client's ports in a thread of its own; a context manager.

    Parameters
    ----------
    client : JackClient
        To look with; closed at the end.
    name : str
        The client whose ports are looked after.
    before : frozenset of Wire, optional
        What is to be restored: these wires and no others; by default what there is, is right.

    Attributes
    ----------
    wires : frozenset of Wire
        What is wired, and what will be when it returns.
    missing : frozenset of Wire
        Those of them whose other end is not there.
    """

    def __init__(
        self, client: JackClient, name: str, before: frozenset[Wire] | None = None
    ) -> None:
        self._client, self._name = client, name
        self.wires: frozenset[Wire] = before or frozenset()
        self.missing = self.wires  # until the first look
        self._taken: frozenset[Wire] = frozenset()
        self._is_new = before is not None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="semeq-wiring", daemon=True)

    def __enter__(self) -> Self:
        self.look()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(JOIN_S)

    def is_gone(self, device: str) -> bool:
        """Whether all that came from a device, or all that went to it, has lost its other end."""
        for is_input in (True, False):
            wires = {w for w in self.wires if w.far == device and w.is_input is is_input}
            if wires and wires <= self.missing:
                return True
        return False

    def _run(self) -> None:
        while not self._over.wait(LOOK_EVERY_S) and not self._client.is_lost:
            self.look()
        self._client.close()

    def look(self) -> None:
        """See what is wired, and wire what has returned."""
        there = frozenset(self._client.ports())
        now = self._now()
        if self._client.is_lost or now is None:  # all that was seen came from a dead server
            return
        if self._is_new:
            self._is_new = False
            for wire in now - self.wires:  # PortAudio's own, which somebody had taken away
                self._client.disconnect(*self._ends(wire))
            now &= self.wires
        absent = frozenset(wire for wire in self.wires - now if wire.theirs not in there)
        returned = self.missing - absent - now
        # a port is there a moment before it can be wired: it is tried again at the next look
        failed = frozenset(w for w in returned if not self._client.connect(*self._ends(w)))
        # a server on its way out takes wires away, too: what a person took is still away at the next look
        away = self.wires - now - absent - returned
        self.wires = now | absent | returned | (away - self._taken)
        self._taken, self.missing = away - self._taken, absent | failed

    def _now(self) -> frozenset[Wire] | None:
        """Return what is wired, or None where our ports are not there."""
        found, ours = set(), 0
        for flags, is_input in ((IS_INPUT, True), (IS_OUTPUT, False)):
            for port in self._client.ports(self._name, flags):
                ours += 1
                own = port.partition(":")[2]
                found |= {Wire(own, far, is_input) for far in self._client.connections(port)}
        return frozenset(found) if ours else None

    def _ends(self, wire: Wire) -> tuple[str, str]:
        ours = f"{self._name}:{wire.ours}"
        return (wire.theirs, ours) if wire.is_input else (ours, wire.theirs)
