"""The native callback, called as PortAudio calls it: by its address, with raw buffers."""

import ctypes

import numpy as np

from semeq.engine.timeline import ControlSet
from semeq.engine.units import Audio
from semeq.realtime import callback as native
from semeq.realtime.mailbox import post

FS = 48_000.0


class Host:
    """Calls the callback the way PortAudio does."""

    def __init__(self, n_in: int, n_out: int, **limiter: float) -> None:
        self.state = native.live_state(FS, n_in, n_out, **limiter)  # type: ignore[arg-type]  # keywords
        self.table = native.address_table(self.state, FS)
        self.n_out = n_out
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_uint64,
            ctypes.c_void_p,
            ctypes.c_uint64,
            ctypes.c_void_p,
        )
        self.compiled = native.native_callback()
        self.call = kind(self.compiled.address)

    def post(self, control: ControlSet, sequence: int = 1) -> None:
        post(self.state.words, self.state.slots, control.pack(sequence))

    def block(self, x: Audio, flags: int = 0) -> Audio:
        x = np.ascontiguousarray(x)
        y = np.full((len(x), self.n_out), np.nan, dtype=np.float32)
        code = self.call(x.ctypes.data, y.ctypes.data, len(x), None, flags, self.table.ctypes.data)
        assert code == 0
        return y
