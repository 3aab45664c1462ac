"""Wires between JACK ports on a made-up server: forgotten when a person takes them, else put back."""

from typing import cast

import pytest

from semeq.realtime.jack import IS_INPUT, IS_OUTPUT, JackClient
from semeq.realtime.wiring import Wire, Wiring

IN = Wire("in_0", "usb:out_1", True)
OUT = Wire("out_0", "system:playback_1", False)
ENDS = {IN: ("usb:out_1", "semeq:in_0"), OUT: ("semeq:out_0", "system:playback_1")}


class Server:
    """Ports and wires, as a client sees them."""

    def __init__(self) -> None:
        self.is_lost = self.refuses = self.is_closed = False
        self.others = {"usb:out_1", "usb2:out_1", "system:playback_1"}
        self.own = {IS_INPUT: ["semeq:in_0"], IS_OUTPUT: ["semeq:out_0"]}
        self.wired = set(ENDS.values())

    def ports(self, client: str = "", flags: int = 0) -> list[str]:
        return self.own[flags] if client else [*self.others, *self.own[1], *self.own[2]]

    def connections(self, port: str) -> list[str]:
        return [b if a == port else a for a, b in self.wired if port in (a, b)]

    def connect(self, source: str, sink: str) -> bool:
        if not self.refuses:
            self.wired.add((source, sink))
        return not self.refuses

    def disconnect(self, source: str, sink: str) -> None:
        self.wired.discard((source, sink))

    def close(self) -> None:
        self.is_closed = True

    def remove(self, port: str) -> None:
        self.others.discard(port)
        self.wired = {wire for wire in self.wired if port not in wire}


@pytest.fixture
def server() -> Server:
    return Server()


def wiring(server: Server, before: frozenset[Wire] | None = None) -> Wiring:
    made = Wiring(cast(JackClient, server), "semeq", before)
    made.look()
    return made


def test_what_returns_is_wired_again_and_nothing_else(server: Server) -> None:
    made = wiring(server)
    assert made.wires == {IN, OUT}
    server.remove("usb:out_1")
    made.look()
    assert made.is_gone("usb")
    assert not made.is_gone("system")
    made.look()
    assert server.wired == {ENDS[OUT]}
    server.others.add("usb:out_1")
    server.refuses = True  # not ready yet
    made.look()
    assert made.is_gone("usb")
    server.refuses = False
    made.look()
    assert server.wired == set(ENDS.values())
    assert not made.is_gone("usb")


def test_what_a_person_takes_away_stays_away(server: Server) -> None:
    made = wiring(server)
    server.disconnect(*ENDS[IN])
    made.look()
    made.look()
    assert made.wires == {OUT}
    assert not made.is_gone("usb")
    server.remove("usb:out_1")
    made.look()
    server.others.add("usb:out_1")
    made.look()
    assert server.wired == {ENDS[OUT]}


def test_a_server_on_its_way_out_takes_nothing_from_memory(server: Server) -> None:
    """It takes the wires first, then our ports, and then says that it is gone."""
    made = wiring(server)
    server.wired.clear()
    made.look()
    server.own = {IS_INPUT: [], IS_OUTPUT: []}
    made.look()
    server.is_lost = True
    made.look()
    assert made.wires == {IN, OUT}


def test_a_new_stream_is_wired_as_the_old_one_was(server: Server) -> None:
    """PortAudio has wired it to the device; a person had put something else there, which is not back yet."""
    before = frozenset({Wire("in_0", "player:out_1", True), OUT})
    made = wiring(server, before)
    assert server.wired == {ENDS[OUT]}
    assert made.missing == before - {OUT}
    server.others.add("player:out_1")
    made.look()
    assert ("player:out_1", "semeq:in_0") in server.wired


def test_it_looks_by_itself_and_leaves_the_server_at_the_end(server: Server) -> None:
    with Wiring(cast(JackClient, server), "semeq") as made:
        assert made.wires == {IN, OUT}
    assert server.is_closed
