"""A live session with its worst neighbours in the same process: ``python loaded_session.py --seconds S``.

Beside the session of ``semeq live`` (encoder at work, ``--adapt 1``) run threads that hold the interpreter
for as long as it lets them: one counts without end, one collects garbage over 400,000 objects, one
changes recipe and knobs 1,000 times, 1 ms apart, over and over. A witness (`witness.c`, compiled) may stand
around the callback. What came of it goes to standard output as JSON.
"""

import argparse
import gc
import itertools
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from witness import Witness

from semeq.presets.library import load_vocabulary
from semeq.presets.midi_bindings import Control
from semeq.realtime import callback as native
from semeq.realtime import devices
from semeq.realtime.control import (
    Action,
    AddWords,
    Bypass,
    ControlState,
    Lock,
    Recall,
    Set,
    TrimBand,
)
from semeq.realtime.hearing import shipped_hearing
from semeq.realtime.session import Session
from semeq.realtime.session_config import SessionConfig
from semeq.realtime.stream import StreamConfig

OBJECTS = 400_000
CHANGES, EVERY_S = 1000, 0.001
#: Between two bursts of changes the encoder has the say, s.
REST_S = 2.0
WORDS = ("warm", "bright", "deep", "crisp", "airy", "dark")


class Load:
    """The neighbours; `stop` ends them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._over = threading.Event()
        self.collections = self.changes = self.bursts = 0
        self.longest_collection_s = 0.0
        self.counted = 0
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._collect, self._hog, self._hammer)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(10.0)

    def _collect(self) -> None:
        objects: list[list[object]] = [[] for _ in range(OBJECTS)]
        for one, other in itertools.pairwise(objects):
            one.append(other)  # so that there is something to follow
        while not self._over.is_set():
            start = time.perf_counter()
            gc.collect()
            self.longest_collection_s = max(self.longest_collection_s, time.perf_counter() - start)
            self.collections += 1
            self._over.wait(0.2)

    def _hog(self) -> None:
        while not self._over.is_set():
            for _ in range(100_000):
                self.counted += 1

    def _hammer(self) -> None:
        rng = np.random.default_rng(0)
        while not self._over.is_set():
            following = time.perf_counter()
            for number in range(CHANGES):
                self._session.desk.act(self._change(number, rng))
                self.changes += 1
                following += EVERY_S
                if self._over.wait(max(following - time.perf_counter(), 0.0)):
                    return
            self._session.desk.act(Bypass(False))
            self.bursts += 1
            self._over.wait(REST_S)

    def _change(self, number: int, rng: np.random.Generator) -> Action:
        match number % 8:
            case 0:
                weights = tuple((word, float(rng.uniform(-2, 2))) for word in WORDS)
                return Recall(ControlState(weights, adapt=1.0))
            case 1:
                return Set(Control.AMOUNT, float(rng.uniform(0, 2)))
            case 2:
                return Lock(int(rng.integers(1, 8)))
            case 3:
                return TrimBand(int(rng.integers(1, 8)), float(rng.uniform(-3, 3)))
            case 4 if number % 64 == 4:
                return Bypass()
            case _:
                word = WORDS[int(rng.integers(len(WORDS)))]
                return Set(Control.WORD, float(rng.uniform(-2, 2)), word)


def set_witness(library: Path, late_us: float) -> Witness:
    """Have the streams that open from now on call the witness instead of the callback."""
    witness = Witness(library, native.native_callback(), late_us)
    native.native_callback = lambda: witness
    return witness


def run(
    seconds: float, status: Path | None, library: Path | None, late_us: float
) -> dict[str, Any]:
    """Run the session under load and return what is known of it at the end."""
    witness = None if library is None else set_witness(library, late_us)
    devices.refresh()
    found_in, found_out = devices.find(None, "input"), devices.find(None, "output")
    config = SessionConfig(
        StreamConfig(found_in, found_out, found_out.fs),
        ControlState((("warm", 0.5),), adapt=1.0),
        seconds,
        status,
        hearing=shipped_hearing(),
    )
    session = Session(config, load_vocabulary(), lambda line: print(line, file=sys.stderr))
    session.desk.act(AddWords(WORDS))
    load = Load(session)
    with session.running():
        load.start()
        session.wait(lambda: None, 0.1)
        load.stop()
        said = session.status("stopped")
        histogram = session.stream.state.histogram
        slowest = np.flatnonzero(histogram)[-10:]
    return {
        "status": said,
        "witness": {} if witness is None else witness.report(),
        "slowest_us": [[int(us), int(histogram[us])] for us in slowest],
        "histogram_ends_us": native.HISTOGRAM_US,
        "load": {
            "objects": OBJECTS,
            "collections": load.collections,
            "longest_collection_s": round(load.longest_collection_s, 4),
            "changes": load.changes,
            "bursts": load.bursts,
            "counted": load.counted,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--status", type=Path)
    parser.add_argument("--witness", type=Path, help="witness.c as a shared library")
    parser.add_argument("--late-us", type=float, default=500.0, help="what it calls late")
    args = parser.parse_args()
    said = run(args.seconds, args.status, args.witness, args.late_us)
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
