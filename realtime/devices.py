"""Which audio devices there are, and which one is meant: the only module that talks to PortAudio's list.

PortAudio freezes its list when it starts, so `refresh` starts it anew; never while a stream is open.
Its libraries write to the terminal while they look for hardware that is not there: `quiet` keeps that
out of the way (messages of our own go through Python's ``sys.stderr`` afterwards).
"""

import atexit
import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from semeq.engine.errors import DeviceError, MissingPackageError

#: Name under which we appear to JACK.
CLIENT_NAME = "semeq"
#: With a JACK server running, its ports are what a musician means; then what PortAudio thinks.
PREFERRED_APIS = ("JACK Audio Connection Kit", "ASIO")
_PORTAUDIO_HINT = (
    "install PortAudio: 'apt-get install libportaudio2' on Debian and Ubuntu, 'dnf install portaudio' "
    "on Fedora, 'brew install portaudio' on macOS; rendering files works without it"
)


@dataclass(frozen=True, slots=True)
class Device:
    """One audio device as PortAudio lists it."""

    number: int
    name: str
    api: str
    inputs: int
    outputs: int
    fs: float
    is_default_input: bool = False
    is_default_output: bool = False


_quieting = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Send what C libraries print on standard error to nowhere for a moment; one thread at a time."""
    with _quieting:
        try:
            sys.stderr.flush()
            saved = os.dup(2)
        except (OSError, ValueError):  # no standard error at all
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(nowhere)


def portaudio() -> ModuleType:
    """Return the ``sounddevice`` module.

    Raises
    ------
    MissingPackageError
        If it, or the PortAudio library under it, is not installed.
    """
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    try:
        with quiet():
            import sounddevice
    except OSError:
        raise MissingPackageError(
            f"the PortAudio library is not installed: {_PORTAUDIO_HINT}"
        ) from None
    except ImportError:
        raise MissingPackageError(
            "the Python package 'sounddevice' is not installed: pip install sounddevice"
        ) from None
    module: ModuleType = sounddevice
    return module


def refresh(client_name: str = CLIENT_NAME) -> None:
    """Look for devices anew; to JACK we are `client_name`. No stream may be open."""
    sd = portaudio()
    with quiet():
        if sd._initialized:
            sd._terminate()
        try:
            set_name = ctypes.CDLL(sd._libname).PaJack_SetClientName
        except (AttributeError, OSError):
            pass  # a PortAudio built without JACK
        else:
            _names.append(client_name.encode())  # PortAudio keeps the pointer
            set_name(_names[-1])
        try:
            sd._initialize()
        except sd.PortAudioError as error:
            raise DeviceError(f"PortAudio does not start: {error}") from None


_names: list[bytes] = []


def abandon() -> None:
    """Leave PortAudio as it is when the process ends: a dead server would hold its farewell for ever."""
    atexit.unregister(portaudio()._exit_handler)


def devices() -> list[Device]:
    """Return all devices, in PortAudio's order."""
    sd = portaudio()
    apis = [str(api["name"]) for api in sd.query_hostapis()]
    found = []
    for number, info in enumerate(sd.query_devices()):
        found.append(
            Device(
                number,
                str(info["name"]),
                apis[info["hostapi"]],
                int(info["max_input_channels"]),
                int(info["max_output_channels"]),
                float(info["default_samplerate"]),
            )
        )
    chosen_in, chosen_out = (_default(found, kind) for kind in ("input", "output"))
    return [
        Device(d.number, d.name, d.api, d.inputs, d.outputs, d.fs, d is chosen_in, d is chosen_out)
        for d in found
    ]


def _channels(device: Device, kind: str) -> int:
    return device.inputs if kind == "input" else device.outputs


def _default(found: list[Device], kind: str) -> Device | None:
    usable = [d for d in found if _channels(d, kind) > 0]
    for api in PREFERRED_APIS:
        for device in usable:
            if device.api == api:
                return device
    sd = portaudio()
    number = sd.default.device[0 if kind == "input" else 1]
    for device in usable:
        if device.number == number:
            return device
    return usable[0] if usable else None


def find(wanted: str | None, kind: str) -> Device:
    """Return the device that `wanted` means: a number, a name, a part of one, or None for the default.

    Parameters
    ----------
    wanted : str, optional
        A number of `devices`, or a part of a name, with a part of the API's name if need be ("USB, ALSA").
    kind : str
        ``"input"`` or ``"output"``.

    Raises
    ------
    DeviceError
        If there is none, or more than one.
    """
    found = devices()
    usable = [d for d in found if _channels(d, kind) > 0]
    if not usable:
        raise DeviceError(
            f"there is no audio {kind} device: plug one in, or start JACK or PipeWire, "
            "then see 'semeq devices'"
        )
    if wanted is None:
        return next(
            d for d in found if (d.is_default_input if kind == "input" else d.is_default_output)
        )
    if wanted.isdigit():
        for device in usable:
            if device.number == int(wanted):
                return device
        raise DeviceError(
            f"device {wanted} must be one of the {kind} devices "
            f"{', '.join(str(d.number) for d in usable)}: see 'semeq devices'"
        )
    words = wanted.casefold().replace(",", " ").split()
    exact = [d for d in usable if d.name.casefold() == wanted.casefold()]
    matches = exact or [
        d for d in usable if all(word in f"{d.name} {d.api}".casefold() for word in words)
    ]
    if len(matches) == 1:
        return matches[0]
    listed = "; ".join(f"{d.number} {d.name} ({d.api})" for d in matches or usable)
    problem = "matches more than one" if matches else "matches none"
    raise DeviceError(f"{kind} device {wanted!r} {problem}: choose from {listed}")
