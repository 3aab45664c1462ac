"""Run inside a process that preloads interpose.so: print what the callback allocates and locks."""

import ctypes
import json
import sys

import numpy as np

from semeq.engine.design import design
from semeq.engine.settings import LAYOUT, REST_FREQS_HZ, Band, EQSettings
from semeq.engine.timeline import ControlSet
from semeq.realtime.callback import address_table, live_state, native_callback
from semeq.realtime.mailbox import post


def main(library: str) -> None:
    tools = ctypes.CDLL(library)
    state = live_state(48_000.0, 2, 2, lookahead_frames=72, ceiling_db=-6.0)
    table = address_table(state, 48_000.0)
    function = ctypes.c_void_p(native_callback().address)
    x = np.random.default_rng(0).standard_normal((64, 2)).astype(np.float32)
    x[3] = np.nan
    y = np.zeros_like(x)
    total = np.zeros(4, dtype=np.int64)
    counts = (ctypes.c_long * 4)()
    bands = zip(LAYOUT, REST_FREQS_HZ, strict=True)
    loud = EQSettings(tuple(Band(kind, freq, 6.0) for kind, freq in bands))
    for i in range(
        200
    ):  # ramps, static stretches, bypass fades, gates, a busy limiter, all levels of relief
        eq = loud.scaled((i % 5 - 2) / 2)
        control = ControlSet(
            design(eq, 48_000.0), 480, i % 7 == 0, 960, i % 50 != 49, 1000, shed=i % 4
        )
        post(state.words, state.slots, control.pack(i))
        tools.run_armed(
            function,
            ctypes.c_void_p(x.ctypes.data),
            ctypes.c_void_p(y.ctypes.data),
            ctypes.c_ulong(64),
            ctypes.c_void_p(table.ctypes.data),
            10,
            counts,
        )
        total += np.array(counts[:])
    tools.run_armed(
        ctypes.cast(tools.misbehave, ctypes.c_void_p),
        None,
        None,
        ctypes.c_ulong(0),
        None,
        1,
        counts,
    )
    applied = int(state.counters[6])
    result = {"callback": total.tolist(), "control": counts[:], "applied": applied}
    sys.stdout.write(json.dumps(result))


main(sys.argv[1])
