"""Run inside a process that preloads interpose.so: print what the inserts cost the callback."""

import ctypes
import json
import sys

import numpy as np

from semeq.engine.design import design
from semeq.engine.settings import LAYOUT, REST_FREQS_HZ, Band, EQSettings
from semeq.engine.timeline import ControlSet
from semeq.realtime import insert_stage as native
from semeq.realtime.insert_callback import inserted_callback, inserted_state, inserted_table
from semeq.realtime.insert_ring import RETURNED, SENT, private_ring
from semeq.realtime.insert_stage import set_delay, stage
from semeq.realtime.mailbox import post


def main(library: str) -> None:
    tools = ctypes.CDLL(library)
    rings = private_ring(2), private_ring(2), private_ring(2)
    stages = [stage(ring, 48_000.0) for ring in rings]
    for one in stages:
        set_delay(one, 128, 10)
        one.words[native.WANTED] = 1
        one.words[native.HOLD] = 640
    state = inserted_state(48_000.0, 2, *stages, lookahead_frames=72, ceiling_db=-6.0)
    table = inserted_table(state, 48_000.0)
    function = ctypes.c_void_p(inserted_callback().address)
    x = np.random.default_rng(0).standard_normal((64, 2)).astype(np.float32)
    x[3] = np.nan
    y = np.zeros_like(x)
    total = np.zeros(4, dtype=np.int64)
    counts = (ctypes.c_long * 4)()
    bands = zip(LAYOUT, REST_FREQS_HZ, strict=True)
    loud = EQSettings(tuple(Band(kind, freq, 6.0) for kind, freq in bands))
    wet = 0
    for i in range(900):  # hosts that answer, fall silent, come back, and return what is no number
        control = ControlSet(
            design(loud.scaled((i % 5 - 2) / 2), 48_000.0),
            480,
            i % 90 > 80,
            960,
            True,
            1000,
            shed=i // 9 % 4,
        )
        post(state.live.words, state.live.slots, control.pack(i))
        for ring in rings:
            if i % 60 < 50:
                ring.back[:] = ring.send if i % 200 < 190 else np.nan
                ring.head[RETURNED] = ring.head[SENT]
        tools.run_armed(
            function,
            ctypes.c_void_p(x.ctypes.data),
            ctypes.c_void_p(y.ctypes.data),
            ctypes.c_ulong(64),
            ctypes.c_void_p(table.ctypes.data),
            1,
            counts,
        )
        total += np.array(counts[:])
        wet += int(not stages[1].words[native.TO_DRY])
    late = [int(one.words[native.LATE]) for one in stages]
    wrong = [int(one.words[native.WRONG]) for one in stages]
    result = {"callback": total.tolist(), "late": late, "wrong": wrong, "wet": wet}
    sys.stdout.write(json.dumps(result))


main(sys.argv[1])
