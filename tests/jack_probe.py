"""A JACK client of native code: plays an array, records others, sends MIDI at exact frames.

It is the outside of the tests: what it sends and hears is on JACK's own clock, sample by sample, and no
interpreter stands in its process callback.
"""

import contextlib
import ctypes
import ctypes.util
import os
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
from numba import cfunc, types
from numba.np.numpy_support import carray

from semeq.engine.units import Audio
from semeq.realtime.atomic import pointer_to
from semeq.realtime.chatter import quiet

AUDIO_TYPE, MIDI_TYPE = b"32 bit float mono audio", b"8 bit raw midi"
IS_INPUT, IS_OUTPUT = 1, 2
NO_START_SERVER, USE_EXACT_NAME = 1, 2

_lib = ctypes.CDLL(ctypes.util.find_library("jack") or "libjack.so.0")


def _function(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_lib, name)
    function.restype, function.argtypes = result, arguments
    return function


_pointer = ctypes.c_void_p
_open = _function("jack_client_open", _pointer, ctypes.c_char_p, ctypes.c_int, _pointer)
_close = _function("jack_client_close", ctypes.c_int, _pointer)
_activate = _function("jack_activate", ctypes.c_int, _pointer)
_deactivate = _function("jack_deactivate", ctypes.c_int, _pointer)
_register = _function(
    "jack_port_register",
    _pointer,
    _pointer,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_ulong,
)
_connect = _function("jack_connect", ctypes.c_int, _pointer, ctypes.c_char_p, ctypes.c_char_p)
_disconnect = _function("jack_disconnect", ctypes.c_int, _pointer, ctypes.c_char_p, ctypes.c_char_p)
_set_process = _function("jack_set_process_callback", ctypes.c_int, _pointer, _pointer, _pointer)
_buffer = _function("jack_port_get_buffer", _pointer, _pointer, ctypes.c_uint32)
_midi_clear = _function("jack_midi_clear_buffer", None, _pointer)
_midi_write = _function(
    "jack_midi_event_write", ctypes.c_int, _pointer, ctypes.c_uint32, _pointer, ctypes.c_size_t
)

# words of the shared table
POSITION, FRAMES, PLAY_AT, RECORD_AT, N_OUT, N_IN, MIDI_PORT, MIDI_AT, EVENTS, SENT, COPY, PORTS = (
    range(12)
)


@cfunc(types.int32(types.uint32, types.voidptr))
def _process(nframes: Any, arg: Any) -> int:
    table = carray(arg, 64, np.int64)
    total, at = table[FRAMES], table[POSITION]
    n_out, n_in = table[N_OUT], table[N_IN]
    play = carray(pointer_to(table[PLAY_AT]), (total, max(n_out, 1)), np.float32)
    record = carray(pointer_to(table[RECORD_AT]), (total, max(n_in, 1)), np.float32)
    running = at >= 0
    left = max(0, min(int(nframes), total - at)) if running else 0
    if table[COPY] != 0:
        for c in range(n_out):
            there = np.int64(_buffer(pointer_to(table[PORTS + c]), nframes))
            here = np.int64(_buffer(pointer_to(table[PORTS + n_out + c]), nframes))
            sink = carray(pointer_to(there), int(nframes), np.float32)
            heard = carray(pointer_to(here), int(nframes), np.float32)
            for t in range(int(nframes)):
                sink[t] = heard[t]
        return 0
    for c in range(n_out):
        address = np.int64(_buffer(pointer_to(table[PORTS + c]), nframes))
        out = carray(pointer_to(address), int(nframes), np.float32)
        for t in range(int(nframes)):
            out[t] = play[at + t, c] if t < left else np.float32(0.0)
    for c in range(n_in):
        address = np.int64(_buffer(pointer_to(table[PORTS + n_out + c]), nframes))
        source = carray(pointer_to(address), int(nframes), np.float32)
        for t in range(left):
            record[at + t, c] = source[t]
    if table[MIDI_PORT] != 0:
        buffer = np.int64(_buffer(pointer_to(table[MIDI_PORT]), nframes))
        _midi_clear(pointer_to(buffer))
        while table[SENT] < table[EVENTS] and left > 0:
            event = carray(pointer_to(table[MIDI_AT] + 16 * table[SENT]), 2, np.int64)
            if event[0] >= at + left:
                break
            offset = max(0, event[0] - at)
            _midi_write(
                pointer_to(buffer), offset, pointer_to(table[MIDI_AT] + 16 * table[SENT] + 8), 3
            )
            table[SENT] += 1
    if running:
        table[POSITION] = at + left
    return 0


class Probe:
    """A client with output ports ``out_1`` …, input ports ``in_1`` … and, with events, ``midi``.

    Parameters
    ----------
    play : Audio
        What to send, ``(frames, channels)``; its length is the length of the run.
    record_channels : int
        Input ports to record.
    events : sequence of (int, bytes)
        MIDI messages of three bytes and the frame at which each is sent.
    through : bool
        Only copy each input to the output of its number: the plainest client there is.
    """

    def __init__(
        self,
        name: str,
        play: Audio,
        record_channels: int,
        events: Sequence[tuple[int, bytes]] = (),
        *,
        through: bool = False,
    ) -> None:
        self.name = name
        self.play = np.ascontiguousarray(play)
        self.recorded = np.zeros((len(play), max(record_channels, 1)), dtype=np.float32)
        self._events = np.zeros((max(len(events), 1), 2), dtype=np.int64)
        for row, (frame, message) in zip(self._events, events, strict=False):
            row[0] = frame
            row[1] = int.from_bytes(message.ljust(8, b"\0"), "little")
        n_out = play.shape[1]
        self._table = np.zeros(64, dtype=np.int64)
        self._table[:PORTS] = (
            -1,
            len(play),
            self.play.ctypes.data,
            self.recorded.ctypes.data,
            n_out,
            record_channels,
            0,
            self._events.ctypes.data,
            len(events),
            0,
            through,
        )
        with quiet():
            self._client = _open(name.encode(), NO_START_SERVER | USE_EXACT_NAME, None)
        if not self._client:
            raise OSError(
                f"JACK takes no client {name!r} on {os.environ.get('JACK_DEFAULT_SERVER')}"
            )
        for i in range(n_out):
            self._table[PORTS + i] = self._port(f"out_{i + 1}", AUDIO_TYPE, IS_OUTPUT)
        for i in range(record_channels):
            self._table[PORTS + n_out + i] = self._port(f"in_{i + 1}", AUDIO_TYPE, IS_INPUT)
        if events:
            self._table[MIDI_PORT] = self._port("midi", MIDI_TYPE, IS_OUTPUT)
        _set_process(self._client, _process.address, self._table.ctypes.data)

    def _port(self, name: str, kind: bytes, flags: int) -> int:
        port = _register(self._client, name.encode(), kind, flags, 0)
        assert port, f"no port {name}"
        return int(port)

    def __enter__(self) -> Self:
        assert _activate(self._client) == 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the server, once."""
        client, self._client = self._client, None
        if client:
            with contextlib.suppress(OSError), quiet():
                _deactivate(client)
                _close(client)

    def connect(self, source: str, sink: str) -> None:
        """Connect two ports by their full names."""
        assert _connect(self._client, source.encode(), sink.encode()) in (0, 17), (
            f"{source} → {sink}"
        )

    def disconnect(self, source: str, sink: str) -> None:
        """Take a connection away if it is there."""
        with quiet():
            _disconnect(self._client, source.encode(), sink.encode())

    def begin(self) -> None:
        """Play and record from the first frame on."""
        self._table[POSITION] = 0

    @property
    def position(self) -> int:
        """How many frames were played and recorded so far."""
        return max(int(self._table[POSITION]), 0)

    def run(self, timeout_s: float) -> Audio:
        """Play and record from the first frame to the last; return what was recorded."""
        self.begin()
        clock = threading.Event()
        waited = 0.0
        while self.position < len(self.play):
            clock.wait(0.02)
            waited += 0.02
            assert waited < timeout_s, f"JACK played {self.position} of {len(self.play)} frames"
        return self.recorded
