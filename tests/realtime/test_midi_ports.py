import sys
from pathlib import Path

import pytest
from fake_midi import FakeSystem
from jack_server import JackServer
from midi_sender import MidiSender

from semeq.engine.errors import DeviceError, MissingPackageError
from semeq.realtime.midi_backend import backends
from semeq.realtime.midi_keeper import VIRTUAL, PortKeeper, PortState
from semeq.realtime.midi_ports import AUTO, PortInfo, base_name, choose, find_again, list_ports

NANO = "nanoKONTROL2:nanoKONTROL2 MIDI 1 28:0"
NANO_LATER = "nanoKONTROL2:nanoKONTROL2 MIDI 1 32:0"
KEYS = "Keystation:Keystation MIDI 1 24:0"
THROUGH = "Midi Through:Midi Through Port-0 14:0"


@pytest.mark.parametrize(
    ("name", "api", "base"),
    [
        (NANO, "alsa", "nanoKONTROL2:nanoKONTROL2 MIDI 1"),
        ("a2j:nano [28] (capture): nano MIDI 1", "jack", "a2j:nano (capture): nano MIDI 1"),
        ("Midi-Bridge:nano 28:0 (capture) MIDI 1", "jack", "Midi-Bridge:nano (capture) MIDI 1"),
        ("nanoKONTROL2 1", "winmm", "nanoKONTROL2"),
        ("nanoKONTROL2 1", "core", "nanoKONTROL2 1"),
        ("system:midi_capture_1", "jack", "system:midi_capture_1"),
    ],
)  # fmt: skip
def test_names_without_the_numbers_that_change(name: str, api: str, base: str) -> None:
    assert base_name(name, api) == base


@pytest.mark.parametrize(
    ("ports", "twins", "number"),
    [
        ([KEYS, NANO], [], 1),
        ([KEYS, NANO_LATER], [], 1),
        ([KEYS], [], None),
        ([NANO_LATER], [NANO_LATER], None),  # the twin that was there all along
        ([NANO_LATER, NANO.replace("28:0", "36:0")], [NANO_LATER], 1),
        ([NANO_LATER, NANO.replace("28:0", "36:0")], [], None),  # two alike: neither for certain
        ([NANO_LATER, NANO], [NANO_LATER], 1),
        ([], [], None),
    ],
)
def test_a_port_is_known_again_and_never_mistaken(
    ports: list[str], twins: list[str], number: int | None
) -> None:
    assert find_again(NANO, ports, frozenset(twins), "alsa") == number


@pytest.mark.parametrize(
    ("wanted", "first_number", "number"),
    [
        (NANO, 0, 2),
        ("nanokontrol", 0, 2),
        ("1", 0, 1),
        ("3", 0, None),
        ("5", 4, 1),
        ("3", 4, None),
        ("novation", 0, None),
        ("keystation midi 1", 0, 1),
    ],
)
def test_choosing_by_number_name_or_a_part(
    wanted: str, first_number: int, number: int | None
) -> None:
    assert choose(wanted, [THROUGH, KEYS, NANO], first_number) == number


def test_a_part_of_two_names_is_not_enough_but_a_whole_name_is() -> None:
    with pytest.raises(
        DeviceError,
        match=r"MIDI port 'midi 1' must mean one port, got 'Keystation.*give more of it",
    ):
        choose("midi 1", [KEYS, NANO])
    assert choose("knobs", ["knobs", "knobs 2"]) == 0


def test_auto_takes_the_only_one() -> None:
    assert choose(AUTO, [THROUGH, NANO, "semeq:in"]) == 1
    assert choose(AUTO, [THROUGH]) is None
    with pytest.raises(DeviceError, match="MIDI port 'auto' must mean one port"):
        choose(AUTO, [KEYS, NANO])


def test_lists_number_the_ports_through_all_systems() -> None:
    one, two = FakeSystem([KEYS, NANO], name="one"), FakeSystem(["x"], name="two")
    down = FakeSystem(name="down")
    down.is_up = False
    found, missing = list_ports([one, down, two])
    assert found == [PortInfo(0, KEYS, "one"), PortInfo(1, NANO, "one"), PortInfo(2, "x", "two")]
    assert missing == ["Down: not running"]
    assert one.connections == two.connections == 0


# ---------------------------------------------------------------------------------------- keeping


class Kept:
    """A keeper on fake systems, and what it says."""

    def __init__(self, wanted: str, *systems: FakeSystem) -> None:
        self.lines: list[str] = []
        self.heard: list[list[int]] = []
        self.keeper = PortKeeper(
            wanted, systems, lambda message: self.heard.append(list(message)), self.lines.append
        )
        self.look = self.keeper.look

    @property
    def state(self) -> PortState:
        return self.keeper.status.state


def test_a_port_is_opened_lost_and_found() -> None:
    system = FakeSystem([THROUGH, NANO], name="alsa")
    kept = Kept("nano", system)
    kept.look()
    assert (kept.state, kept.keeper.status.name) == (PortState.OPEN, NANO)
    system.send(0xB0, 20, 64)
    assert kept.heard == [[0xB0, 20, 64]]
    system.names.remove(NANO)
    kept.look()
    kept.look()
    assert kept.state is PortState.WAITING
    assert system.open_names == []
    system.names.append(NANO_LATER)
    kept.look()
    assert (kept.state, system.open_names) == (PortState.OPEN, [NANO_LATER])
    assert kept.lines == [
        f"MIDI port {NANO} (Alsa) is open",
        f"MIDI port {NANO} is gone: waiting for it to return",
        f"MIDI port {NANO_LATER} (Alsa) is back",
    ]
    kept.keeper.close()
    assert (kept.state, system.connections) == (PortState.CLOSED, 0)


def test_another_port_is_never_taken_in_its_place() -> None:
    system = FakeSystem([NANO], name="alsa")
    kept = Kept("MIDI", system)
    kept.look()
    system.names[:] = [KEYS]  # it, too, would match what was asked for
    for _ in range(3):
        kept.look()
    assert (kept.state, system.open_names) == (PortState.WAITING, [])


def test_of_two_alike_the_one_that_stayed_is_left_alone() -> None:
    twin = NANO.replace("28:0", "40:0")
    system = FakeSystem([NANO, twin], name="alsa")
    kept = Kept(NANO, system)
    kept.look()
    kept.look()
    system.names[:] = [twin]
    kept.look()
    assert system.open_names == []
    system.names.append(NANO_LATER)
    kept.look()
    assert system.open_names == [NANO_LATER]


def test_a_server_that_dies_and_returns() -> None:
    system = FakeSystem([NANO], name="jack", is_polled=True)
    kept = Kept("nano", system)
    kept.look()
    assert kept.keeper.is_polled
    system.send(1, 2, 3)
    assert (kept.keeper.poll(), kept.keeper.poll()) == ((1, 2, 3), None)
    system.die()
    kept.look()
    assert (kept.state, kept.keeper.poll()) == (PortState.WAITING, None)
    system.is_up = True
    kept.look()
    assert (kept.state, system.open_names, system.connections) == (PortState.OPEN, [NANO], 1)


def test_a_virtual_port_stays_until_its_system_dies() -> None:
    system = FakeSystem([], name="jack", is_polled=True)
    kept = Kept(VIRTUAL, system)
    kept.look()
    kept.look()
    assert system.open_names == ["in"]
    system.die()
    kept.look()
    assert kept.state is PortState.WAITING
    system.is_up = True
    kept.look()
    assert (kept.state, kept.lines[-1]) == (PortState.OPEN, "MIDI port in (Jack) is back")


def test_the_systems_are_looked_at_in_their_order() -> None:
    one, two = FakeSystem(["a"], name="one"), FakeSystem(["b", "c"], name="two")
    kept = Kept("2", one, two)
    kept.look()
    assert kept.keeper.status.name == "c"
    assert (one.connections, two.connections) == (0, 1)


def test_waiting_says_what_there_is_once() -> None:
    system, down = FakeSystem([KEYS], name="alsa"), FakeSystem(name="jack")
    down.is_up = False
    kept = Kept("nano", system, down)
    for _ in range(3):
        kept.look()
    assert kept.lines == [f"waiting for MIDI port 'nano': there are '{KEYS}'; Jack: not running"]
    assert system.connections == 1  # one client waits; none is made and thrown away at each look
    system.names.append(NANO)
    kept.look()
    assert kept.state is PortState.OPEN


def test_an_unclear_name_waits_and_says_why() -> None:
    system = FakeSystem([KEYS, NANO])
    kept = Kept("midi 1", system)
    kept.look()
    kept.look()
    assert len(kept.lines) == 1
    assert "must mean one port" in kept.lines[0]
    assert len(system.clients) == 1
    system.names.remove(KEYS)
    kept.look()
    assert kept.state is PortState.OPEN


def test_no_system_at_all() -> None:
    system = FakeSystem()
    system.is_up = False
    kept = Kept("nano", system)
    kept.look()
    assert (kept.state, kept.lines) == (PortState.WAITING, ["no MIDI here: Fake: not running"])


def test_a_port_that_does_not_open_is_tried_again() -> None:
    system = FakeSystem([NANO])
    system.refuses_to_open = True
    kept = Kept("nano", system)
    kept.look()
    assert "Fake: busy" in kept.lines[0]
    assert system.connections == 0
    system.refuses_to_open = False
    kept.look()
    assert kept.state is PortState.OPEN


# ---------------------------------------------------------------------------------- the real thing


def test_without_rtmidi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    with pytest.raises(
        MissingPackageError, match=r"MIDI needs .*'python-rtmidi'.*: pip install python-rtmidi"
    ):
        backends()


def test_unknown_systems() -> None:
    with pytest.raises(DeviceError, match=r"MIDI system must be one of .*, got 'midi9000'"):
        backends("midi9000")


def test_jack_ports_are_listed_on_a_real_server(
    jack: JackServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with MidiSender("lister", "out one") as sender:
        found, _ = list_ports(backends("jack"))
        assert sender.name in [port.name for port in found]
        assert all(port.api == "jack" for port in found)
    assert capfd.readouterr().err == ""


def test_no_jack_server(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "semeq-none")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    assert list_ports(backends("jack")) == ([], ["JACK: no JACK server is running"])
    assert capfd.readouterr().err == ""  # libjack says nothing of its own on the terminal


def test_a_machine_without_an_alsa_sequencer(capfd: pytest.CaptureFixture[str]) -> None:
    _, missing = list_ports(backends("alsa"))
    there_is_one = Path("/dev/snd/seq").exists()
    expected = "ALSA: no sequencer on this machine (kernel module snd-seq)"
    assert missing == ([] if there_is_one else [expected])
    assert capfd.readouterr().err == ""
