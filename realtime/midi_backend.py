"""The MIDI systems of this machine, through python-rtmidi: the only module that imports it.

What was found by trying, and decides the shape of this module
--------------------------------------------------------------
* With JACK, RtMidi calls its callback on the *audio graph's* real-time thread, and the Python callback
  then waits there for the GIL: under a busy Python thread 400 messages cost 433 xruns of the whole
  graph (two to six without), and some messages were lost. So a JACK port is polled: RtMidi's own queue
  is filled without Python. Elsewhere RtMidi has a thread of its own, and the callback is quicker.
* JACK and ALSA write to the terminal from C when there is no server or no sequencer. Their error hooks
  are set, so that nothing appears over a live view; sending file descriptor 2 elsewhere would swallow
  what other threads print meanwhile.
* There is no event for an unplugged port or a dead server. Ports are listed again (`Client.ports`);
  that the server died is read from what libjack says on its error hook (`Client.is_dead`).
* A client whose server has died can be closed safely, and a new one opened when the server is back.
"""

import atexit
import ctypes
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from semeq.engine.errors import DeviceError, MissingPackageError
from semeq.realtime import jack

#: Not the name of the audio client: JACK would add a number to one of them.
CLIENT_NAME = "semeq-midi"
#: Messages that may wait between two polls: seconds of the densest stream.
QUEUE_SIZE = 8192
_DUMMY = "dummy"
_JACK = "jack"
#: What libjack says when its server is gone.
_SERVER_LOST = (b"read fail", b"Server is not running", b"ombified")

Receiver = Callable[[Sequence[int]], None]


class Client(Protocol):
    """A connection to one MIDI system that can list its ports and open one of them."""

    @property
    def is_dead(self) -> bool:
        """Whether the system is known to have gone away."""

    def ports(self) -> list[str]:
        """Return the names of the ports that can be read; a number is a position in this list."""

    def open(self, number: int) -> None:
        """Open a port by its number."""

    def open_virtual(self, name: str) -> None:
        """Make a port that other programs connect to."""

    def listen(self, receiver: Receiver) -> None:
        """Call `receiver` with each message, on a thread of the system."""

    def poll(self) -> Sequence[int] | None:
        """Return the next message, or None."""

    def close(self) -> None:
        """Give everything back; never fails."""


class Backend(Protocol):
    """One MIDI system."""

    @property
    def name(self) -> str:
        """Short name: alsa, jack, core, winmm."""

    @property
    def title(self) -> str:
        """The name for people."""

    @property
    def is_polled(self) -> bool:
        """Whether messages must be asked for (`Client.poll`) instead of heard (`Client.listen`)."""

    def connect(self) -> Client:
        """Return a new client, or raise DeviceError."""


def _rtmidi() -> ModuleType:
    try:
        return import_module("rtmidi")
    except ImportError as error:
        raise MissingPackageError(
            f"MIDI needs the Python package 'python-rtmidi' ({error}): pip install python-rtmidi"
        ) from None


def backends(api: str | None = None) -> tuple[Backend, ...]:
    """Return the MIDI systems that python-rtmidi was built for, in its order.

    Parameters
    ----------
    api : str, optional
        The name of the only one wanted.

    Raises
    ------
    MissingPackageError
        If python-rtmidi is not installed.
    DeviceError
        If it was not built for `api`, or for nothing at all.
    """
    rtmidi = _rtmidi()
    found = tuple(
        RtBackend(rtmidi, number)
        for number in rtmidi.get_compiled_api()
        if rtmidi.get_api_name(number) != _DUMMY
    )
    names = ", ".join(backend.name for backend in found)
    if not found:
        raise DeviceError("this python-rtmidi was built without any MIDI system: install another")
    if api is None:
        return found
    chosen = tuple(backend for backend in found if backend.name == api.strip().lower())
    if not chosen:
        raise DeviceError(f"MIDI system must be one of {names}, got {api!r}")
    return chosen


class RtBackend:
    """A MIDI system of python-rtmidi."""

    def __init__(self, rtmidi: ModuleType, number: int) -> None:
        self._rtmidi, self._number = rtmidi, number
        self.name = str(rtmidi.get_api_name(number))
        self.title = {"alsa": "ALSA", "jack": "JACK", "core": "CoreMIDI", "winmm": "Windows"}.get(
            self.name, self.name
        )
        self.is_polled = self.name == _JACK

    def connect(self) -> "RtClient":
        """Return a new client.

        Raises
        ------
        DeviceError
            If the system is not there or refuses.
        """
        _hush()
        return RtClient(self._rtmidi, self._number, self)


class RtClient:
    """A client of python-rtmidi; a port is opened once, for another take another client."""

    def __init__(self, rtmidi: ModuleType, number: int, backend: RtBackend) -> None:
        self._rtmidi, self._backend = rtmidi, backend
        self._born = _jack_log.losses
        self._is_open = self._saw_nothing = False
        self._midi: Any = self._guard(rtmidi.MidiIn, number, CLIENT_NAME, QUEUE_SIZE)
        self._midi.set_error_callback(self._on_error)

    def _guard(self, call: Callable[..., Any], *args: object) -> Any:  # noqa: ANN401  # what rtmidi gives
        try:
            return call(*args)
        except (self._rtmidi.RtMidiError, OSError, RuntimeError, ValueError) as error:
            raise DeviceError(f"{self._backend.title}: {_plain(str(error))}") from None

    def _on_error(self, kind: int, text: str, data: object = None) -> None:
        """Raise what is an error and drop what is a warning: RtMidi would print it."""
        if kind not in (self._rtmidi.ERRORTYPE_WARNING, self._rtmidi.ERRORTYPE_DEBUG_WARNING):
            raise self._rtmidi.RtMidiError(text)

    @property
    def is_dead(self) -> bool:
        """Whether the JACK server is known, or where it cannot be known may be feared, to be gone."""
        if not self._backend.is_polled:
            return False
        in_doubt = not _jack_log.is_attached and self._saw_nothing and not self._is_open
        return in_doubt or _jack_log.losses != self._born

    def ports(self) -> list[str]:
        """Return the names of the ports that can be read."""
        found = [str(name) for name in self._guard(self._midi.get_ports)]
        self._saw_nothing = not found  # what a client of a dead server sees
        return found

    def open(self, number: int) -> None:
        """Open a port by its number."""
        self._guard(self._midi.open_port, number, "in")
        self._is_open = True

    def open_virtual(self, name: str) -> None:
        """Make a port that other programs connect to."""
        self._guard(self._midi.open_virtual_port, name)
        self._is_open = True

    def listen(self, receiver: Receiver) -> None:
        """Call `receiver` with each message, on RtMidi's thread."""
        self._midi.set_callback(lambda event, _: receiver(event[0]))

    def poll(self) -> Sequence[int] | None:
        """Return the next message, or None."""
        event = self._midi.get_message()
        return None if event is None else event[0]

    def close(self) -> None:
        """Give everything back."""
        midi, self._midi = self._midi, None
        if midi is None:
            return
        for call in (midi.cancel_callback, midi.close_port, midi.delete):
            # A system that is gone has nothing to give back to.
            with suppress(self._rtmidi.RtMidiError, OSError, RuntimeError, ValueError):
                call()


def _plain(text: str) -> str:
    if "JACK server not running" in text:
        return "no JACK server is running"
    if "ALSA sequencer" in text:
        return "no sequencer on this machine (kernel module snd-seq)"
    return text.strip() or "it does not say why"


# ------------------------------------------------------------------------------- the C libraries


class _JackLog:
    """Hears libjack's messages instead of the terminal, and counts the servers that were lost."""

    def __init__(self) -> None:
        self.losses = 0
        self._library: ctypes.CDLL | None = None
        #: The hook lives as long as this module: libjack keeps its address.
        self._hook = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(self._hear)

    def _hear(self, text: bytes | None) -> None:
        if text and any(sign in text for sign in _SERVER_LOST):
            self.losses += 1

    @property
    def is_attached(self) -> bool:
        return self._library is not None

    def attach(self, path: str) -> None:
        try:
            library = ctypes.CDLL(path)
            library.jack_set_error_function(self._hook)
            library.jack_set_info_function(_nothing())
        except (OSError, AttributeError):
            return
        jack.is_heard(library)
        self._library = library
        atexit.register(self._detach)

    def _detach(self) -> None:
        """Leave a C function behind: Python may be gone when libjack speaks for the last time."""
        if self._library is not None:
            self._library.jack_set_error_function(_nothing())


def _nothing() -> ctypes.c_void_p:
    """Return a C function that takes a text and does nothing with it."""
    return ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p)


_jack_log = _JackLog()
_hushed = False


def _hush() -> None:
    """Set the error hooks of libjack and libasound, once, where they are the ones in use."""
    global _hushed
    if _hushed:
        return
    _hushed = True
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return  # not Linux: nothing is printed there that we know of
    mapped = {line.split(maxsplit=5)[5] for line in maps.splitlines() if line.count("/")}
    # A wheel of python-rtmidi brings its own libjack; PortAudio's has its own hook.
    jacks = [path for path in mapped if "/libjack" in path]
    for path in [path for path in jacks if "rtmidi" in path] or jacks:
        _jack_log.attach(path)
    for path in (path for path in mapped if "/libasound" in path):
        try:
            ctypes.CDLL(path).snd_lib_error_set_handler(_nothing())
        except (OSError, AttributeError):
            continue
