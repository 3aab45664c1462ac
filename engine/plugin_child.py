"""The process in which a plugin runs: answers requests until there are no more.

Started by `semeq.engine.plugin_guest` as ``python -P -m semeq.engine.plugin_child``; requests come over
standard input, answers leave over what was standard output. What the plugin itself prints is thrown away, so
that no command's output is mixed with it.
"""

import base64
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from semeq.engine.errors import PluginError, SemeqError
from semeq.engine.plugin_host import Hosted, names_in
from semeq.engine.plugin_wire import NOTHING, receive, send
from semeq.engine.units import Audio

Answer = tuple[Any, Audio]
#: Kept well below full scale, so that a plugin with a ceiling does not change it.
IMPULSE = 0.25


class Child:
    """What can be asked of the process; each method returns a plain value and samples."""

    def __init__(self) -> None:
        self._held: Hosted | None = None
        self._blocksize = 512

    @property
    def _hosted(self) -> Hosted:
        if self._held is None:
            raise PluginError("no plugin was loaded")
        return self._held

    def names(self, samples: Audio, path: str) -> Answer:
        """Return the names of all plugins in a file."""
        return names_in(Path(path)), NOTHING

    def load(self, samples: Audio, path: str, any_kind: bool) -> Answer:
        """Load the plugin at `path`; return who made it."""
        self._held = Hosted(Path(path), any_kind=any_kind)
        return self._held.facts(), NOTHING

    def parameters(self, samples: Audio) -> Answer:
        """Return the parameters as they stand."""
        return [facts.as_dict() for facts in self._hosted.parameters()], NOTHING

    def scale(self, samples: Audio, name: str) -> Answer:
        """Return the values and raw values of a parameter, as `plugin_values.scale_of` has them."""
        return self._hosted.scale(name), NOTHING

    def set(self, samples: Audio, values: dict[str, Any]) -> Answer:
        """Set parameters by name."""
        self._hosted.set(values)
        return None, NOTHING

    def set_raw(self, samples: Audio, raws: dict[str, float]) -> Answer:
        """Set raw values."""
        self._hosted.set_raw(raws)
        return None, NOTHING

    def prepare(self, samples: Audio, fs: float, channels: int, blocksize: int) -> Answer:
        """Make ready; return the latency in frames and how channels are used."""
        self._blocksize = blocksize
        self._hosted.prepare(fs, channels, blocksize)
        return [self._hosted.latency_frames, self._hosted.arrangement], NOTHING

    def stream(self, samples: Audio) -> Answer:
        """Run samples, a whole number of blocks, through the plugin."""
        blocks = range(0, len(samples), self._blocksize)
        outs = [self._hosted.process(samples[at : at + self._blocksize]) for at in blocks]
        return None, np.concatenate(outs) if outs else samples

    def timed(self, samples: Audio) -> Answer:
        """Run samples block by block; return the seconds that each took."""
        outs, seconds = [], []
        for at in range(0, len(samples), self._blocksize):
            out, took = self._hosted.timed(samples[at : at + self._blocksize])
            outs.append(out)
            seconds.append(took)
        return seconds, np.concatenate(outs)

    def impulse(
        self, samples: Audio, raws: dict[str, float], frames: int, settle_s: float
    ) -> Answer:
        """Set raw values, let them arrive, and return the response to an impulse of one."""
        hosted, size = self._hosted, self._blocksize
        hosted.set_raw(raws)
        hosted.settle(settle_s)
        sent: Audio = np.zeros((-(-frames // size) * size, hosted.channels), dtype=np.float32)
        sent[0] = IMPULSE
        _, out = self.stream(sent)
        return None, out[:frames] / np.float32(IMPULSE)

    def state(self, samples: Audio) -> Answer:
        """Return the plugin's state as base64 text."""
        return base64.b64encode(self._hosted.state()).decode(), NOTHING

    def restore(self, samples: Audio, state: str) -> Answer:
        """Give it a state."""
        self._hosted.restore(base64.b64decode(state))
        return None, NOTHING

    def preset(self, samples: Audio, file: str) -> Answer:
        """Give it the state of a preset file."""
        self._hosted.load_preset(Path(file))
        return None, NOTHING


def serve(requests: BinaryIO, answers: BinaryIO, child: Child) -> None:
    """Answer until the other side is gone."""
    while True:
        try:
            request, samples = receive(requests)
        except EOFError:
            return
        try:
            action: Callable[..., Answer] = getattr(child, request["do"])
            value, out = action(samples, **request["with"])
            send(answers, {"value": value}, out)
        except SemeqError as error:
            send(answers, {"error": str(error), "kind": type(error).__name__})
        except Exception as error:
            send(answers, {"error": f"{type(error).__name__}: {error}", "kind": "PluginError"})


def main() -> None:
    """Serve the parent; leave without the clean-up of plugins, some of which crash in it."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    serve(sys.stdin.buffer, answers, Child())
    os._exit(0)


if __name__ == "__main__":
    main()
