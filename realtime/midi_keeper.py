"""The keeper of one MIDI port: finds it, opens it, sees that it is gone, and opens it again.

`PortKeeper.look` is called from time to time, since no system tells when a port or a server goes away.
Everything happens inside the calls: no thread, no waiting.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from semeq.engine.errors import DeviceError
from semeq.realtime.midi_backend import Backend, Client, Receiver
from semeq.realtime.midi_ports import AUTO, base_name, choose, find_again

#: What asks for a port of our own, which other programs connect to; and its name.
VIRTUAL = "virtual"
VIRTUAL_PORT = "in"


class PortState(StrEnum):
    """Where a port stands."""

    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PortStatus:
    """What is known about the port: its state, what was asked for, its name and system, and why."""

    state: PortState
    wanted: str
    name: str = ""
    api: str = ""
    message: str = ""

    def __str__(self) -> str:
        """Return it in a few words; `message` is the whole sentence."""
        if self.state is PortState.OPEN:
            return f"{self.name} ({self.api})"
        if self.state is PortState.WAITING:
            return f"waiting for {'a port' if self.wanted == AUTO else self.wanted}"
        return self.state.value


class PortKeeper:
    """Keeps one input port open as long as it is there.

    Parameters
    ----------
    wanted : str
        What `semeq.realtime.midi_ports.choose` understands, or ``virtual``.
    systems : sequence of Backend
        The MIDI systems to look at.
    receiver : callable
        Takes each message of a port that need not be polled, on a thread of the system.
    announce : callable
        Takes one line for people when something changes.
    """

    def __init__(
        self,
        wanted: str,
        systems: Sequence[Backend],
        receiver: Receiver,
        announce: Callable[[str], None],
    ) -> None:
        self.wanted = wanted.strip()
        self.status = PortStatus(PortState.CLOSED, self.wanted)
        self._systems = tuple(systems)
        self._receiver, self._announce = receiver, announce
        self._idle: dict[str, Client] = {}
        self._client: Client | None = None
        self._backend: Backend | None = None
        self._known: tuple[str, str] | None = None
        self._twins: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether there is a port to read."""
        return self._client is not None

    @property
    def is_polled(self) -> bool:
        """Whether the open port must be asked for its messages."""
        return self._backend is not None and self._backend.is_polled

    def poll(self) -> Sequence[int] | None:
        """Return the next message of a polled port, or None."""
        return None if self._client is None else self._client.poll()

    def look(self) -> None:
        """See whether the port is still there; look for it where it is not."""
        if self._client is not None and not self._is_there(self._client):
            name = self.status.name
            self._release()
            self._say(PortState.WAITING, f"MIDI port {name} is gone: waiting for it to return")
        if self._client is None:
            self._seek()

    def close(self) -> None:
        """Give everything back."""
        self._release()
        self.status = PortStatus(PortState.CLOSED, self.wanted)

    def _is_there(self, client: Client) -> bool:
        if client.is_dead:
            return False
        if self.wanted == VIRTUAL:
            return True
        try:
            ports = client.ports()
        except DeviceError:
            return False
        here = self.status.name in ports
        if here:
            self._note_twins(ports)
        return here

    def _note_twins(self, ports: Sequence[str]) -> None:
        name, api = self.status.name, self.status.api
        base = base_name(name, api)
        self._twins = frozenset(p for p in ports if p != name and base_name(p, api) == base)

    def _seek(self) -> None:
        """Look for the port in all systems and open it."""
        reasons: list[str] = []
        seen: list[str] = []
        for backend in self._systems:
            if self._known is not None and self._known[0] != backend.name:
                continue
            try:
                client = self._client_of(backend)
                ports = client.ports()
                number = self._number(backend, ports, len(seen), reasons)
                seen += ports
                if self.wanted == VIRTUAL:
                    client.open_virtual(VIRTUAL_PORT)
                elif number is not None:
                    client.open(number)
                else:
                    continue
            except DeviceError as error:
                reasons.append(str(error))
                self._drop(backend.name)
                continue
            self._take(backend, client, VIRTUAL_PORT if number is None else ports[number], ports)
            return
        self._say(PortState.WAITING, self._why_not(seen, reasons))

    def _client_of(self, backend: Backend) -> Client:
        client = self._idle.get(backend.name)
        if client is not None and client.is_dead:
            self._drop(backend.name)
            client = None
        if client is None:
            client = self._idle[backend.name] = backend.connect()
        return client

    def _number(
        self, backend: Backend, ports: Sequence[str], before: int, reasons: list[str]
    ) -> int | None:
        if self.wanted == VIRTUAL:
            return None
        if self._known is not None:
            return find_again(self._known[1], ports, self._twins, backend.name)
        try:
            return choose(self.wanted, ports, before)
        except DeviceError as error:  # the name is not clear: no reason to drop the client
            reasons.append(str(error))
            return None

    def _take(self, backend: Backend, client: Client, name: str, ports: Sequence[str]) -> None:
        del self._idle[backend.name]
        for other in list(self._idle):
            self._drop(other)
        returned = self._known is not None
        self._client, self._backend = client, backend
        self._known = (backend.name, name)
        if not backend.is_polled:
            client.listen(self._receiver)
        line = f"MIDI port {name} ({backend.title}) is {'back' if returned else 'open'}"
        self._say(PortState.OPEN, line, name=name, api=backend.name)
        self._note_twins(ports)

    def _why_not(self, seen: Sequence[str], reasons: Sequence[str]) -> str:
        if self._known is not None:
            return self.status.message
        if not seen and len(reasons) == len(self._systems):
            return f"no MIDI here: {'; '.join(reasons)}"
        choice = f"there are {', '.join(map(repr, seen))}" if seen else "there are none now"
        extra = f"; {'; '.join(reasons)}" if reasons else ""
        return f"waiting for MIDI port {self.wanted!r}: {choice}{extra}"

    def _say(self, state: PortState, line: str, *, name: str = "", api: str = "") -> None:
        status = PortStatus(state, self.wanted, name, api, line)
        if status != self.status:
            self.status = status
            self._announce(line)

    def _release(self) -> None:
        client, self._client = self._client, None
        self._backend = None
        if client is not None:
            client.close()
        for name in list(self._idle):
            self._drop(name)

    def _drop(self, name: str) -> None:
        client = self._idle.pop(name, None)
        if client is not None:
            client.close()
