"""Plugins that the test plays itself, on the rings of a session's inserts."""

import numpy as np

from semeq.engine.units import Audio
from semeq.realtime import insert_stage as native
from semeq.realtime.insert_ring import RETURNED, RING_FRAMES, SENT, private_ring
from semeq.realtime.insert_stage import set_delay, stage, through

FS, BLOCK = 48_000.0, 128
BUFFER, LATENCY = 2 * BLOCK, 37
DELAY = BUFFER + LATENCY
#: The way to the plugins: how long they must have kept up, and the fade.
IN_FRAMES = round((native.HOLD_S + native.BACK_S) * FS) + 2 * BLOCK
OUT_FRAMES = round(0.020 * FS)


def noise(frames: int) -> Audio:
    return (0.1 * np.random.default_rng(0).standard_normal((frames, 2))).astype(np.float32)


class Played:
    """A stage, and a plugin that halves the level with a latency of its own."""

    gain = np.float32(0.5)

    def __init__(self) -> None:
        self.ring = private_ring(2)
        self.stage = stage(self.ring, FS)
        set_delay(self.stage, BUFFER, LATENCY)
        self.stage.words[native.WANTED] = 1
        self.at = 0

    def block(self, x: Audio) -> Audio:
        y = x.copy()
        through(self.stage, y)
        return y

    def answer(self, spoil: float | None = None) -> None:
        """Do what a host does with all that was sent."""
        sent = int(self.ring.head[SENT])
        frames = np.arange(self.at, sent)
        wet = self.gain * self.ring.send[(frames - LATENCY) & (RING_FRAMES - 1)]
        if spoil is not None:
            wet[:] = spoil
        self.ring.write(self.at, wet)
        self.ring.head[RETURNED] = self.at = sent

    def run(self, x: Audio, answers: slice = slice(None), block: int = BLOCK) -> Audio:
        """Run blocks; the host answers those whose first frame lies in `answers`."""
        wanted = range(len(x))[answers]
        out = []
        for at in range(0, len(x), block):
            out.append(self.block(x[at : at + block]))
            if at in wanted:
                self.answer()
        return np.concatenate(out)
