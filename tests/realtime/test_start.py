"""Where a session begins: the command line wins, then what is remembered, then the defaults."""

from dataclasses import replace
from pathlib import Path

import pytest

from semeq.engine.errors import DataError, DeviceError, UnknownWordError
from semeq.presets.library import load_vocabulary
from semeq.presets.midi_bindings import Control
from semeq.presets.remembered import NOTHING, Remembered, recall
from semeq.realtime import devices as listing
from semeq.realtime.control import ControlState, Set
from semeq.realtime.desk import Desk
from semeq.realtime.devices import Device
from semeq.realtime.start import Keeper, Start, Wishes

MEMORY = Remembered((("warm", 0.5), ("airy", 0.0)), 0.8, 0.25, "nano", "relative", "mic", "phones")
NO_WISHES = Wishes()


def start(
    wishes: Wishes = NO_WISHES, memory: Remembered = MEMORY, deaf: str = ""
) -> tuple[Start, list[str]]:
    said: list[str] = []
    return Start(wishes, memory, load_vocabulary(), deaf, said.append), said


def test_the_last_session_goes_on_and_that_is_said() -> None:
    begun, said = start()
    assert begun.state == ControlState((("warm", 0.5), ("airy", 0.0)), 0.8, 0.25)
    assert begun.midi == "nano"
    assert said == [
        "as in the last session: warm:0.5 (amount 0.8, adapt 0.25), input mic, output phones, "
        "MIDI nano, MIDI map relative; --fresh starts without"
    ]
    # safe: at unity, not bypassed, nothing frozen, no band moved
    assert begun.state == replace(ControlState(), weights=MEMORY.weights, amount=0.8, adapt=0.25)


def test_without_a_memory_it_is_flat_and_the_sound_has_its_say() -> None:
    begun, said = start(memory=NOTHING)
    assert begun.state == ControlState(adapt=1.0)
    assert (begun.midi, said) == (None, [])


def test_the_command_line_wins() -> None:
    wishes = Wishes("bright:0.3 + bright", None, None, input="line", midi_map="default")
    begun, said = start(wishes)
    # amount and adapt belong to the recipe that is not taken
    assert begun.state == ControlState((("bright", 1.3),), 1.0, 1.0)
    assert said == ["as in the last session: output phones, MIDI nano; --fresh starts without"]
    begun, _ = start(Wishes(amount=0.1, adapt=0.9, locks=frozenset({2})))
    assert begun.state == ControlState(MEMORY.weights, 0.1, 0.9, locks=frozenset({2}))
    with pytest.raises(UnknownWordError):
        start(Wishes("wrm"))


@pytest.mark.parametrize("adapt", [None, 0.7])
def test_where_nothing_can_be_heard_it_is_one_line_and_typical_moves(adapt: float | None) -> None:
    begun, said = start(Wishes("warm", adapt=adapt), NOTHING, "the audio encoder needs onnxruntime")
    assert begun.state.adapt == 0.0
    assert said == ["the sound has no say (adapt 0): the audio encoder needs onnxruntime"]
    _, said = start(Wishes("warm", adapt=0.0), NOTHING, "the audio encoder needs onnxruntime")
    assert said == []
    # what a machine cannot do today is not forgotten
    assert start(deaf="deaf")[0].remembered(ControlState()).adapt == 0.25


def test_a_device_that_is_gone_is_said_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    default = Device(0, "built-in", "ALSA", 2, 2, 48_000.0)

    def find(wanted: str | None, kind: str) -> Device:
        if wanted is None:
            return default
        raise DeviceError(f"{kind} device {wanted!r} matches none")

    monkeypatch.setattr(listing, "find", find)
    begun, said = start()
    assert begun.device("input") is default
    assert said[-1] == "input device 'mic' matches none; built-in is taken instead"
    begun, _ = start(Wishes(input="mic"))
    with pytest.raises(DeviceError):
        begun.device("input")


def test_a_map_that_is_gone_is_said_and_replaced() -> None:
    begun, said = start(memory=replace(MEMORY, midi_map="gone"))
    assert begun.map().name == "default"
    assert "no MIDI map is called 'gone'" in said[-1]
    with pytest.raises(DataError):
        start(Wishes(midi_map="gone"))[0].map()
    assert start()[0].map().name == "relative"


def test_where_the_knobs_stand_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMEQ_STATE_DIR", str(tmp_path))
    begun, said = start(Wishes(output="speakers"))
    desk = Desk(begun.state)
    keeper = Keeper(desk, begun, said.append)
    keeper.tick(100.0)
    first = recall(said.append)
    assert first == replace(MEMORY, output="speakers")
    desk.act(Set(Control.AMOUNT, 0.4), Set(Control.TRIM, 6.0))
    keeper.tick(101.0)  # not at every turn
    assert recall(said.append) == first
    keeper.tick(106.0)
    assert recall(said.append) == replace(first, amount=0.4)
    desk.act(Set(Control.WORD, -1.0, "deep"))
    keeper.write()
    again = Start(Wishes(), recall(said.append), load_vocabulary(), "", said.append)
    assert again.state.weights[-1] == ("deep", -1.0)
    assert again.state.trim_db == 0.0  # never louder than unity


def test_a_disk_that_is_full_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SEMEQ_STATE_DIR", str(tmp_path / "file"))
    begun, said = start()
    desk = Desk(begun.state)
    keeper = Keeper(desk, begun, said.append)
    keeper.write()
    desk.act(Set(Control.AMOUNT, 0.4))
    keeper.write()
    assert len(said) == 2
    assert "is not remembered" in said[1]
