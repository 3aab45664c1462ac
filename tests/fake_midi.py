"""A MIDI system made of lists: ports that come and go, messages that are said to have been sent."""

from collections.abc import Sequence

from semeq.engine.errors import DeviceError
from semeq.realtime.midi_backend import Receiver


class FakeSystem:
    """Stands for a MIDI system; tests change `ports`, `is_up` and send."""

    def __init__(
        self, ports: Sequence[str] = (), *, name: str = "fake", is_polled: bool = False
    ) -> None:
        self.names = list(ports)
        self.name, self.title, self.is_polled = name, name.title(), is_polled
        self.is_up = True
        self.refuses_to_open = False
        self.clients: list[FakeClient] = []

    def connect(self) -> "FakeClient":
        if not self.is_up:
            raise DeviceError(f"{self.title}: not running")
        client = FakeClient(self)
        self.clients.append(client)
        return client

    def die(self) -> None:
        """Take the whole system away, and the connections with it."""
        self.is_up = False
        for client in self.clients:
            client.is_dead = True

    @property
    def open_names(self) -> list[str]:
        """The ports that are held open."""
        return [client.name for client in self.clients if client.name and not client.is_closed]

    @property
    def connections(self) -> int:
        return sum(not client.is_closed for client in self.clients)

    def send(self, *message: int) -> None:
        """Send to every open port."""
        for client in self.clients:
            if client.name and not client.is_closed:
                if self.is_polled:
                    client.queue.append(message)
                elif client.receiver is not None:
                    client.receiver(message)


class FakeClient:
    """A connection to a `FakeSystem`."""

    def __init__(self, system: FakeSystem) -> None:
        self.system = system
        self.is_dead = self.is_closed = False
        self.name = ""
        self.queue: list[Sequence[int]] = []
        self.receiver: Receiver | None = None

    def ports(self) -> list[str]:
        assert not self.is_closed
        return list(self.system.names)

    def open(self, number: int) -> None:
        if self.system.refuses_to_open:
            raise DeviceError(f"{self.system.title}: busy")
        self.name = self.system.names[number]

    def open_virtual(self, name: str) -> None:
        self.name = name

    def listen(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def poll(self) -> Sequence[int] | None:
        return self.queue.pop(0) if self.queue else None

    def close(self) -> None:
        self.is_closed = True
