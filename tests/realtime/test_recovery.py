"""What becomes of a lost device, step by step, on made-up devices; a real server is in test_recovery_jack."""

import math
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from semeq.engine.errors import DeviceError
from semeq.realtime import devices, pulse, recovery
from semeq.realtime.devices import Device
from semeq.realtime.pulse import Link, Loss, Pulse
from semeq.realtime.recovery import Recovery
from semeq.realtime.rig import Rig
from semeq.realtime.stream import StreamConfig


def card(name: str, number: int = 0, fs: float = 48_000.0) -> Device:
    return Device(number, name, "ALSA", 2, 2, fs)


class MadeUpRig:
    """A rig on no device: what it was opened with, and what is done with it."""

    refusals: tuple[float, ...] = ()

    def __init__(self, config: StreamConfig, before: "MadeUpRig | None" = None) -> None:
        self.is_open, self.callbacks = False, 0
        self.wiring = None
        self.conductor = SimpleNamespace(is_shut=False)
        self.stream = SimpleNamespace(
            config=config,
            fs=config.fs,
            fs_now=config.fs,
            is_jack=False,
            is_active=True,
            wait_closed=lambda timeout_s: None,
            counts=lambda: SimpleNamespace(callbacks=self.callbacks, blocksize=128),
        )

    def open(self) -> None:
        if self.stream.fs in self.refusals:
            raise DeviceError(f"{self.stream.fs:g} Hz: invalid sample rate")
        self.is_open = True

    def start(self) -> None:
        self.callbacks += 1

    def close(self, fade_timeout_s: float = 0.0) -> None:
        self.is_open = False


class Stage:
    """A recovery, what is plugged in, and what was said."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *others: Device, reopens: bool = True
    ) -> None:
        self.plugged = [card("USB Audio (hw:1,0)", 3), card("HDMI", 1), *others]
        self.said: list[str] = []
        self.changes = 0
        self.shown: set[Link] = set()
        monkeypatch.setattr(recovery, "hush", lambda: None)
        for name in ("refresh", "shut"):
            monkeypatch.setattr(devices, name, lambda: None)
        monkeypatch.setattr(devices, "devices", lambda: list(self.plugged))
        monkeypatch.setattr(recovery, "RETRY_S", 0.01)
        usb = self.plugged[0]
        config = StreamConfig(usb, usb, 48_000.0, lookahead_frames=72)
        make = cast(Callable[[StreamConfig, Rig], Rig], MadeUpRig)
        self.recovery = Recovery(
            cast(Rig, MadeUpRig(config)),
            make,
            self.said.append,
            reopens=reopens,
            on_change=self._changed,
        )
        self.recovery.begin()

    def _changed(self) -> None:
        self.changes += 1

    @property
    def rig(self) -> MadeUpRig:
        return cast(MadeUpRig, self.recovery.rig)

    def look_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5.0
        while not condition():
            assert time.monotonic() < deadline, (self.recovery.state, self.recovery.reason)
            self.recovery.look()
            time.sleep(0.002)

    def unplug(self) -> None:
        self.plugged = self.plugged[1:]
        self.rig.stream.is_active = False
        self.look_until(lambda: self.recovery.state is not Link.RUNNING)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage(monkeypatch)
    yield made
    made.recovery.end()


def test_it_returns_by_name_with_another_number_and_no_other_is_taken(stage: Stage) -> None:
    first = stage.rig
    stage.unplug()
    stage.plugged.append(card("Speakers", 7))
    time.sleep(0.1)
    stage.recovery.look()
    assert stage.recovery.state is Link.LOST
    assert (stage.rig, first.is_open) == (first, False)
    assert stage.recovery.away_s >= 0.1
    stage.plugged.append(card("USB Audio (hw:2,0)", 9))  # ALSA counts on
    stage.look_until(lambda: stage.recovery.state is Link.RUNNING)
    stage.recovery.look()
    assert stage.rig is not first
    assert stage.rig.is_open
    assert stage.rig.stream.config.input.number == 9
    assert stage.rig.stream.config.output.name == "USB Audio (hw:2,0)"
    assert (stage.recovery.reconnects, stage.recovery.reason, stage.changes) == (1, "", 2)
    assert len(stage.said) == 2
    assert stage.said[0].startswith("USB Audio (hw:1,0) (ALSA) is gone, ")
    assert stage.said[1].startswith("USB Audio (hw:2,0) (ALSA) is back after ")


def test_a_twin_that_was_there_all_along_is_not_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Stage(monkeypatch, card("USB Audio (hw:2,0)", 4))
    made.unplug()
    time.sleep(0.1)
    assert made.recovery.state is Link.LOST
    made.plugged.append(card("USB Audio (hw:3,0)", 8))
    made.look_until(lambda: made.recovery.state is Link.RUNNING)
    assert made.rig.stream.config.output.number == 8
    made.recovery.end()


def test_a_device_that_takes_the_old_rate_no_longer_runs_at_its_own(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MadeUpRig, "refusals", (48_000.0,))
    usb = card("USB Audio (hw:1,0)", 3, 96_000.0)
    stage.unplug()
    stage.plugged.append(usb)
    stage.look_until(lambda: stage.recovery.state is Link.RUNNING)
    config = stage.rig.stream.config
    assert (config.fs, config.lookahead_frames) == (96_000.0, 144)
    assert "is back at 96000 Hz (it was 48000 Hz)" in stage.said[-1]


def test_one_that_does_not_open_is_tried_again_and_the_reason_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MadeUpRig, "refusals", (48_000.0,))
    usb = stage.plugged[0]
    stage.unplug()
    stage.plugged.append(usb)
    stage.look_until(lambda: "invalid sample rate" in stage.recovery.reason)
    assert stage.recovery.state in (Link.LOST, Link.REOPENING)
    monkeypatch.setattr(MadeUpRig, "refusals", ())
    stage.look_until(lambda: stage.recovery.state is Link.RUNNING)
    assert len(stage.said) == 2


def test_a_stream_that_falls_silent_goes_on_with_a_ramp(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "SILENT_S", 0.05)
    monkeypatch.setattr(pulse, "FIRST_BLOCK_S", 0.05)
    first = stage.rig
    stage.look_until(lambda: stage.recovery.state is Link.LOST)
    assert first.conductor.is_shut  # whatever is asked for first stays silent
    assert "asks for no sound" in stage.recovery.reason
    first.callbacks += 1
    stage.look_until(lambda: stage.recovery.state is Link.RUNNING)
    assert stage.rig is first
    assert not first.conductor.is_shut
    assert stage.recovery.reconnects == 0


def test_a_stream_that_stays_silent_is_opened_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SILENT_S", "FIRST_BLOCK_S", "PATIENCE_S"):
        monkeypatch.setattr(pulse, name, 0.05)
    first = stage.rig
    stage.look_until(lambda: stage.recovery.reconnects == 1)
    assert (first.is_open, stage.rig.is_open) == (False, True)


def test_another_rate_under_a_running_stream_is_a_loss(stage: Stage) -> None:
    stage.rig.stream.fs_now = 44_100.0
    loss = Pulse(stage.recovery.rig).loss()
    assert loss == Loss("it runs at 44100 Hz now, not at 48000")
    stage.look_until(lambda: stage.recovery.reconnects == 1)


@pytest.mark.parametrize(("is_active", "within_s"), [(False, 0.2), (True, 1.0)])
def test_without_reopening_a_loss_ends_the_session(
    monkeypatch: pytest.MonkeyPatch, is_active: bool, within_s: float
) -> None:
    for module, name in (
        (pulse, "SILENT_S"),
        (pulse, "FIRST_BLOCK_S"),
        (recovery, "FINAL_AFTER_S"),
    ):
        monkeypatch.setattr(module, name, 0.1)
    made = Stage(monkeypatch, reopens=False)
    made.rig.stream.is_active = is_active
    began = time.monotonic()
    with pytest.raises(DeviceError, match=r"USB Audio \(hw:1,0\) \(ALSA\) is gone, .* then semeq"):
        made.look_until(lambda: False)
    assert time.monotonic() - began < within_s
    assert made.said == []  # the error is the one line
    made.recovery.end()


def test_the_end_comes_while_it_waits(stage: Stage) -> None:
    stage.unplug()
    began = time.monotonic()
    stage.recovery.end()
    assert time.monotonic() - began < 0.5
    assert not stage.rig.is_open


def test_ports_that_are_gone_are_waited_for_as_long_as_it_takes(stage: Stage) -> None:
    stage.rig.wiring = cast(Any, SimpleNamespace(is_gone=lambda name: name.startswith("USB")))
    loss = Pulse(stage.recovery.rig).loss()
    assert loss == Loss("USB Audio (hw:1,0) has no ports any more", math.inf)
