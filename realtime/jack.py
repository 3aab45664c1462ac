"""A client of JACK beside PortAudio's: which ports there are, their wires, and whether the server lives.

PortAudio shows none of it. This client has no ports and is never activated, so the audio graph does not
know it. libjack is called through ctypes; the package needs no binding, and where there is no libjack
`connect` finds no server.

What was found by trying, with JACK 1.9.21 and PortAudio 19.6
-------------------------------------------------------------
* A server that is killed or stopped, or that drops a client, calls the client's shutdown function within
  6 ms; this client points it at a C function that writes, so no interpreter stands on libjack's thread.
* Closing a client whose server is gone returns at once, and a new client of the next server works beside
  the old one's remains.
* `Pa_CloseStream` of a stream whose server is gone waits ten minutes, and `Pa_Terminate` ends the whole
  process by an assertion: see `semeq.realtime.devices.abandon`.
"""

import ctypes
import ctypes.util
import sys
from pathlib import Path
from typing import Any, Self

AUDIO_TYPE = b"32 bit float mono audio"
#: Flags of a port: others write into it, or read from it.
IS_INPUT, IS_OUTPUT = 1, 2
#: Under this name we look around; PortAudio's client has a name of its own.
LOOKER_NAME = "semeq-look"
_NO_START_SERVER = 1
_ALREADY_CONNECTED = 17

_pointer = ctypes.c_void_p
_names_pointer = ctypes.POINTER(ctypes.c_char_p)
#: Function, what it returns, what it takes.
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "jack_client_open": (_pointer, (ctypes.c_char_p, ctypes.c_int, _pointer)),
    "jack_client_close": (ctypes.c_int, (_pointer,)),
    "jack_on_shutdown": (None, (_pointer, _pointer, _pointer)),
    "jack_get_sample_rate": (ctypes.c_uint32, (_pointer,)),
    "jack_get_buffer_size": (ctypes.c_uint32, (_pointer,)),
    "jack_is_realtime": (ctypes.c_int, (_pointer,)),
    "jack_get_ports": (
        _names_pointer,
        (_pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong),
    ),
    "jack_port_by_name": (_pointer, (_pointer, ctypes.c_char_p)),
    "jack_port_get_all_connections": (_names_pointer, (_pointer, _pointer)),
    "jack_connect": (ctypes.c_int, (_pointer, ctypes.c_char_p, ctypes.c_char_p)),
    "jack_disconnect": (ctypes.c_int, (_pointer, ctypes.c_char_p, ctypes.c_char_p)),
    "jack_free": (None, (_pointer,)),
    "jack_set_error_function": (None, (_pointer,)),
    "jack_set_info_function": (None, (_pointer,)),
}
_libraries: list[ctypes.CDLL | None] = []


def _library() -> ctypes.CDLL | None:
    """Return libjack, or None where there is none; looked for once."""
    if not _libraries:
        found: ctypes.CDLL | None = None
        try:
            found = ctypes.CDLL(ctypes.util.find_library("jack") or "libjack.so.0")
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(found, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError):
            found = None
        _libraries.append(found)
    return _libraries[0]


def _c_function(name: str) -> ctypes.c_void_p:
    """Return the address of a function of the C library."""
    library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    return ctypes.cast(getattr(library, name), _pointer)


def hush() -> None:
    """Let libjack print nothing on the terminal, where it would stand across the view.

    Somebody who listens to what it says (`is_heard`) goes on listening.
    """
    library = _library()
    if library is not None and library._handle not in _heard:
        # strlen takes a text and does nothing with it
        library.jack_set_error_function(_c_function("strlen"))
        library.jack_set_info_function(_c_function("strlen"))


def is_heard(library: ctypes.CDLL) -> None:
    """Say that somebody has set the error function of a libjack, which need not be the one used here."""
    _heard.add(library._handle)


#: The loader's handles of those libraries.
_heard: set[int] = set()


class JackClient:
    """One client of a JACK server; `connect` makes it. One owner, no thread of its own."""

    def __init__(self, library: ctypes.CDLL, client: int) -> None:
        self._library, self._client = library, client
        #: libjack writes here when the server is gone, so it lives as long as the process.
        self._ended_at = ctypes.c_int64(0)
        _alive.append(self._ended_at)
        # time(2) writes the moment to where it is pointed
        clock = "_time64" if sys.platform == "win32" else "time"
        library.jack_on_shutdown(client, _c_function(clock), ctypes.byref(self._ended_at))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the server, if it is there."""
        client, self._client = self._client, 0
        if client:
            self._library.jack_client_close(client)

    @property
    def is_lost(self) -> bool:
        """Whether the server is gone, or has dropped us."""
        return self._ended_at.value != 0

    @property
    def fs(self) -> float:
        """Sample rate of the server in Hz."""
        return float(self._library.jack_get_sample_rate(self._client))

    @property
    def blocksize(self) -> int:
        """Frames a block of the server."""
        return int(self._library.jack_get_buffer_size(self._client))

    @property
    def is_realtime(self) -> bool:
        """Whether the server's threads have a real-time priority."""
        return bool(self._library.jack_is_realtime(self._client))

    def ports(self, client: str = "", flags: int = 0) -> list[str]:
        """Return the audio ports by their full names, in the server's order; of one client, of some kind."""
        listed = self._names(self._library.jack_get_ports(self._client, None, AUDIO_TYPE, flags))
        return [name for name in listed if not client or name.startswith(f"{client}:")]

    def connections(self, port: str) -> list[str]:
        """Return what a port is connected to, anybody's; nothing where there is no such port."""
        handle = self._library.jack_port_by_name(self._client, port.encode())
        if not handle:
            return []
        return self._names(self._library.jack_port_get_all_connections(self._client, handle))

    def connect(self, source: str, sink: str) -> bool:
        """Connect two ports by their full names; return whether they are connected now."""
        done = self._library.jack_connect(self._client, source.encode(), sink.encode())
        return done in (0, _ALREADY_CONNECTED)

    def disconnect(self, source: str, sink: str) -> None:
        """Take a connection away, where it is."""
        self._library.jack_disconnect(self._client, source.encode(), sink.encode())

    def _names(self, found: Any) -> list[str]:  # noqa: ANN401 (a C array)
        if not found:
            return []
        names: list[str] = []
        while (name := found[len(names)]) is not None:
            names.append(name.decode(errors="replace"))
        self._library.jack_free(found)
        return names


_alive: list[ctypes.c_int64] = []


def connect(name: str = LOOKER_NAME) -> JackClient | None:
    """Return a new client of the server, or None where none is running. A server that hangs is waited for."""
    library = _library()
    if library is None:
        return None
    client = library.jack_client_open(name.encode(), _NO_START_SERVER, None)
    return JackClient(library, client) if client else None


def is_deaf(name: str, maps: str | None = None) -> bool:
    """Return whether libjack waits for another's wake-up call on behalf of our client `name`.

    It keeps the calls by the clients' numbers. That of a client which left just while one of ours came may
    stay, and the next of ours with its number is then never called. Known on Linux with JACK 2, where each is
    a file in memory; elsewhere the answer is no.

    Parameters
    ----------
    name : str
        As the server knows the client.
    maps : str, optional
        What this process has in memory, as in ``/proc/self/maps``.
    """
    if maps is None:
        try:
            maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
    calls = [line for line in maps.splitlines() if "/jack_sem." in line]
    own = "_" + name.replace("/", "_").replace("\\", "_")
    return bool(calls) and not any(line.endswith(own) for line in calls)


def is_installed() -> bool:
    """Whether there is a libjack to ask."""
    return _library() is not None
