"""Devices by number and name, on a made-up machine; PortAudio itself is tried with JACK."""

import sys
from types import SimpleNamespace

import pytest

from semeq.engine.errors import DeviceError, MissingPackageError
from semeq.realtime import devices

JACK = "JACK Audio Connection Kit"


def machine(
    *listed: tuple[str, int, int, int], default: tuple[int, int] = (-1, -1)
) -> SimpleNamespace:
    """Return a stand-in for sounddevice with these (name, api, inputs, outputs)."""
    apis = [{"name": "ALSA"}, {"name": JACK}]
    infos = [
        {
            "name": name,
            "hostapi": api,
            "max_input_channels": inputs,
            "max_output_channels": outputs,
            "default_samplerate": 48_000.0,
        }
        for name, api, inputs, outputs in listed
    ]
    return SimpleNamespace(
        query_hostapis=lambda: apis,
        query_devices=lambda: infos,
        default=SimpleNamespace(device=default),
    )


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> None:
    found = machine(
        ("HDA Intel: ALC (hw:0,0)", 0, 2, 2),
        ("Scarlett 2i2 USB (hw:1,0)", 0, 2, 2),
        ("HDMI (hw:0,3)", 0, 0, 8),
        ("system", 1, 2, 2),
        default=(0, 0),
    )
    monkeypatch.setattr(devices, "portaudio", lambda: found)


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize(
    ("wanted", "kind", "number"),
    [
        (None, "input", 3),  # JACK is running: its ports are what is meant
        ("1", "input", 1),
        ("scarlett", "output", 1),
        ("hdmi", "output", 2),
        ("SYSTEM", "output", 3),
        ("usb, alsa", "input", 1),
    ],
)
def test_a_device_by_number_or_name(wanted: str | None, kind: str, number: int) -> None:
    assert devices.find(wanted, kind).number == number


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize(
    ("wanted", "kind", "message"),
    [
        ("hw", "output", "matches more than one: choose from 0 HDA Intel"),
        ("hdmi", "input", "matches none: choose from 0 HDA"),
        ("7", "input", "device 7 must be one of the input devices 0, 1, 3"),
        ("2", "input", "device 2 must be one of the input devices 0, 1, 3"),
        ("", "input", "matches more than one"),
    ],
)
def test_never_another_device_than_the_one_meant(wanted: str, kind: str, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        devices.find(wanted, kind)


@pytest.mark.parametrize(
    ("was", "now", "others", "found"),
    [
        ("USB (hw:1,0)", ["HDMI", "USB (hw:1,0)"], [], 1),
        ("USB (hw:1,0)", ["HDMI", "USB (hw:2,0)"], [], 1),
        ("USB (hw:1,0)", ["USB (hw:1,1)"], [], None),  # another part of the card
        ("USB (hw:1,0)", ["HDMI", "USB 2 (hw:1,0)"], [], None),
        ("USB (hw:1,0)", ["USB (hw:2,0)"], ["USB (hw:2,0)"], None),  # its twin
        ("USB (hw:1,0)", ["USB (hw:2,0)", "USB (hw:3,0)"], [], None),  # neither for certain
        ("Line (2- Scarlett)", ["Line (3- Scarlett)"], [], 0),
        ("Line (Scarlett)", ["Line (2- Scarlett)"], [], 0),
        ("system", ["system"], [], None),  # of another system of audio
    ],
)
def test_a_device_is_known_again_and_never_mistaken(
    monkeypatch: pytest.MonkeyPatch, was: str, now: list[str], others: list[str], found: int | None
) -> None:
    monkeypatch.setattr(devices, "portaudio", lambda: machine(*[(name, 0, 2, 2) for name in now]))
    api = JACK if was == "system" else "ALSA"
    old = devices.Device(7, was, api, 2, 2, 48_000.0)
    again = devices.find_again(old, "input", frozenset(others))
    assert (None if again is None else again.number) == found


def test_without_jack_the_default_is_portaudios(monkeypatch: pytest.MonkeyPatch) -> None:
    found = machine(("one", 0, 2, 2), ("two", 0, 2, 2), default=(1, 0))
    monkeypatch.setattr(devices, "portaudio", lambda: found)
    assert devices.find(None, "input").name == "two"
    assert devices.find(None, "output").name == "one"


def test_no_device_at_all_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "portaudio", machine)
    with pytest.raises(
        DeviceError, match="there is no audio output device: plug one in, or start JACK"
    ):
        devices.find(None, "output")


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (OSError("PortAudio library not found"), "apt-get install libportaudio2"),
        (ImportError("No module named 'sounddevice'"), "pip install sounddevice"),
    ],
)
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, message: str
) -> None:
    class Finder:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "sounddevice":
                raise failure

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(MissingPackageError, match=message):
        devices.portaudio()
