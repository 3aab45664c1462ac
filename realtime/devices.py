"""Which audio devices there are, and which one is meant: the only module that talks to PortAudio's list.

PortAudio freezes its list when it starts, so `refresh` starts it anew; never while a stream is open.
"""

import atexit
import ctypes
import ctypes.util
import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from semeq.engine.errors import DeviceError, MissingPackageError
from semeq.realtime.chatter import quiet
from semeq.realtime.library_copy import take_copy

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


_imported: list[ModuleType] = []


def portaudio() -> ModuleType:
    """Return the ``sounddevice`` module.

    Raises
    ------
    MissingPackageError
        If it, or the PortAudio library under it, is not installed.
    """
    if _imported:  # quieting would wait for whoever is quiet now, and that one may wait for us
        return _imported[0]
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
    _imported.append(sounddevice)
    return _imported[0]


def refresh(client_name: str | None = None) -> None:
    """Look for devices anew; to JACK we are `client_name`, by default what we were before.

    No stream may be open, but for abandoned ones.
    """
    sd = portaudio()
    with quiet():
        if _abandoned.is_set():
            _libraries.append(take_copy(sd))
            _abandoned.clear()
            atexit.register(sd._exit_handler)
        elif sd._initialized:
            sd._terminate()
        with suppress(AttributeError, OSError):  # a PortAudio built without JACK
            set_name = _library().PaJack_SetClientName
            usual = _names[-1] if _names else CLIENT_NAME.encode()
            _names.append(client_name.encode() if client_name else usual)  # it keeps the pointer
            set_name(_names[-1])
        try:
            sd._initialize()
        except sd.PortAudioError as error:
            raise DeviceError(f"PortAudio does not start: {error}") from None


def _library() -> ctypes.CDLL:
    """Return the PortAudio in use, for ctypes."""
    return _libraries[-1] if _libraries else ctypes.CDLL(portaudio()._libname)


def jack_name() -> str | None:
    """Return what JACK calls us: a number is added where there are two; None without JACK."""
    name = ctypes.c_char_p()
    with suppress(AttributeError, OSError):
        if _library().PaJack_GetClientName(ctypes.byref(name)) == 0 and name.value:
            return name.value.decode(errors="replace")
    return None


_names: list[bytes] = []
#: Copies of PortAudio's library that took its place, the newest last.
_libraries: list[ctypes.CDLL] = []
_abandoned = threading.Event()


def abandon() -> None:
    """Never call this PortAudio again, not even when the process ends; `refresh` begins with a copy of it.

    With a JACK server that is gone it would wait for ten minutes, or end the process.
    """
    _abandoned.set()
    atexit.unregister(portaudio()._exit_handler)


def shut(library: Any = None) -> None:  # noqa: ANN401 (a C library)
    """End PortAudio, where no stream is open; `refresh` starts it again.

    With a `library` end that one, even if it was abandoned meanwhile: it has answered after all.
    """
    sd = portaudio()
    if library is not None and (library is not sd._lib or _abandoned.is_set()):
        library.Pa_Terminate()
    elif sd._initialized and not _abandoned.is_set():
        sd._terminate()


def apis() -> tuple[str, ...]:
    """Return the names of the audio systems that PortAudio has found."""
    return tuple(str(api["name"]) for api in portaudio().query_hostapis())


def devices() -> list[Device]:
    """Return all devices, in PortAudio's order."""
    sd = portaudio()
    names = apis()
    found = []
    for number, info in enumerate(sd.query_devices()):
        found.append(
            Device(
                number,
                str(info["name"]),
                names[info["hostapi"]],
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


#: What changes in a device's name when it is plugged in again: ALSA's card number, Windows' count.
_CHANGING = re.compile(r"(?<=\(hw:)\d+|(?<=\()\d+- ")


def _base(device: Device) -> tuple[str, str]:
    return _CHANGING.sub("", device.name), device.api


def twins(device: Device) -> frozenset[str]:
    """Return the names of the devices that are told from this one by a number alone."""
    alike = [d for d in devices() if _base(d) == _base(device) and d.name != device.name]
    return frozenset(d.name for d in alike)


def find_again(device: Device, kind: str, others: frozenset[str] = frozenset()) -> Device | None:
    """Return the device that was `device` before, by its name and system, or None while it is not there.

    Parameters
    ----------
    device : Device
        As it was listed once.
    kind : str
        ``"input"`` or ``"output"``.
    others : frozenset of str
        Its `twins` at that time: they are not it.
    """
    usable = [d for d in devices() if _channels(d, kind) > 0 and d.api == device.api]
    for found in usable:
        if found.name == device.name:
            return found
    alike = [d for d in usable if _base(d) == _base(device) and d.name not in others]
    return alike[0] if len(alike) == 1 else None


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
