"""A plugin in a process of its own: what it does there, crash or hang, costs one clear line.

Nothing of the plugin is loaded here. Each request has a time limit; when it is over, or when the child dies,
the request fails with a `PluginError` and the guest is gone.
"""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from semeq.engine import errors
from semeq.engine.errors import PluginError, SemeqError
from semeq.engine.plugin_values import ParameterFacts
from semeq.engine.plugin_wire import NOTHING, receive, send
from semeq.engine.pool import Died
from semeq.engine.units import Audio

COMMAND = (sys.executable, "-P", "-m", "semeq.engine.plugin_child")
LOAD_TIMEOUT_S = 30.0
#: A second of sound may take this long.
ANSWER_TIMEOUT_S = 60.0
BLOCKSIZE = 1024


#: How many channels are tried where any number will do.
USUAL_CHANNELS = (2, 1, 6, 8)


class Guest:
    """One plugin in a child process; a context manager that ends it.

    Parameters
    ----------
    path : Path
        The plugin's file or bundle, ``#NAME`` behind it where it holds several.
    timeout_s : float
        How long loading may take, in seconds.
    any_kind : bool
        Whether instruments are welcome, too, to be looked at.

    Attributes
    ----------
    facts : dict
        Name, vendor, version, kind, identifier and path.
    latency_frames : int
        By how much `stream` is late; known after `prepare`.
    arrangement : str
        How channels are used; known after `prepare`.
    channels : int
        How many it was prepared for.

    Raises
    ------
    PluginError
        If it is missing, no plugin, or does not survive being loaded.
    """

    def __init__(
        self, path: Path, *, timeout_s: float = LOAD_TIMEOUT_S, any_kind: bool = False
    ) -> None:
        self._start(path)
        asked: dict[str, object] = {"path": str(self.path), "any_kind": any_kind}
        try:
            self.facts: dict[str, str] = self._ask("load", timeout_s, **asked)[0]
        except BaseException:
            self.close()
            raise

    def _start(self, path: Path) -> None:
        self.path = path.absolute()
        self.latency_frames, self.arrangement, self.channels = 0, "", 0
        self._process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    @classmethod
    def unloaded(cls, path: Path) -> Self:
        """Return a guest that has loaded nothing yet: to ask what a file holds."""
        guest = cls.__new__(cls)
        guest._start(path)
        guest.facts = {}
        return guest

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """What the plugin calls itself."""
        return self.facts["name"]

    def close(self) -> None:
        """End the process; a second time does nothing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent is not wanted
                    pipe.close()

    def _ask(
        self, do: str, timeout_s: float, samples: Audio = NOTHING, /, **arguments: object
    ) -> tuple[Any, Audio]:
        """Ask the child; raise what went wrong there."""
        process = self._process
        requests, answers = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(timeout_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            send(requests, {"do": do, "with": arguments}, samples)
            answer, out = receive(answers)
        except (EOFError, OSError):
            process.wait()
            raise PluginError(self._why_gone(do, late.is_set(), timeout_s)) from None
        finally:
            timer.cancel()
        if "error" in answer:
            kind = getattr(errors, answer["kind"], PluginError)
            raise (kind if issubclass(kind, SemeqError) else PluginError)(answer["error"])
        return answer["value"], out

    def _why_gone(self, do: str, late: bool, timeout_s: float) -> str:
        at_work = "while it was loaded" if do in ("load", "names") else "at its work"
        if late:
            return f"{self.path} did not answer {at_work} within {timeout_s:g} s: leave it out"
        end = Died(self._process.returncode)
        return f"{self.path} crashed {at_work} ({end}): leave it out, or update it"

    def parameters(self) -> list[ParameterFacts]:
        """Return the parameters as they stand."""
        value, _ = self._ask("parameters", ANSWER_TIMEOUT_S)
        return [ParameterFacts.of_dict(entry) for entry in value]

    def scale(self, name: str) -> tuple[list[float], list[float]] | None:
        """Return rising values of a parameter and their raw values, or None if it has no such scale."""
        value, _ = self._ask("scale", ANSWER_TIMEOUT_S, name=name)
        return None if value is None else (value[0], value[1])

    def set(self, values: Mapping[str, float | str | bool]) -> None:
        """Set parameters by name or label, in their units."""
        self._ask("set", ANSWER_TIMEOUT_S, values=dict(values))

    def set_raw(self, raws: Mapping[str, float]) -> None:
        """Set parameters by name to raw values in [0, 1]."""
        self._ask("set_raw", ANSWER_TIMEOUT_S, raws=dict(raws))

    def prepare(self, fs: float, channels: int, blocksize: int = BLOCKSIZE) -> None:
        """Make ready for sound at `fs` Hz; `latency_frames` is known then."""
        value, _ = self._ask(
            "prepare", ANSWER_TIMEOUT_S, fs=fs, channels=channels, blocksize=blocksize
        )
        self.latency_frames, self.arrangement = value
        self.channels = channels

    def prepare_any(self, fs: float, blocksize: int = BLOCKSIZE) -> int:
        """Make ready for stereo, or whatever else it takes; return how many channels that is."""
        for channels in USUAL_CHANNELS[:-1]:
            try:
                self.prepare(fs, channels, blocksize)
            except PluginError:
                if self._process.poll() is not None:
                    raise
                continue
            return channels
        self.prepare(fs, USUAL_CHANNELS[-1], blocksize)
        return USUAL_CHANNELS[-1]

    def stream(self, samples: Audio) -> Audio:
        """Return samples, ``(frames, channels)``, a whole number of blocks, as the plugin makes them."""
        return self._ask("stream", ANSWER_TIMEOUT_S, samples)[1]

    def timed(self, samples: Audio) -> tuple[Audio, list[float]]:
        """Return the same as `stream`, and the seconds that each block took."""
        seconds, out = self._ask("timed", ANSWER_TIMEOUT_S, samples)
        return out, seconds

    def impulse(self, raws: Mapping[str, float], frames: int, settle_s: float) -> Audio:
        """Set raw values and return the response to an impulse of one, shape ``(frames, channels)``."""
        asked: dict[str, object] = {"raws": dict(raws), "frames": frames, "settle_s": settle_s}
        return self._ask("impulse", ANSWER_TIMEOUT_S, **asked)[1]

    def state(self) -> str:
        """Return the plugin's state as base64 text; after `prepare` all settings are in it."""
        value: str = self._ask("state", ANSWER_TIMEOUT_S)[0]
        return value

    def restore(self, state: str) -> None:
        """Give it a state that `state` returned."""
        self._ask("restore", ANSWER_TIMEOUT_S, state=state)

    def preset(self, file: Path) -> None:
        """Give it the state of a ``.vstpreset`` file."""
        self._ask("preset", ANSWER_TIMEOUT_S, file=str(file))


def names_of(path: Path, *, timeout_s: float = LOAD_TIMEOUT_S) -> list[str]:
    """Return the names of all plugins in a file; empty where they cannot be listed.

    Raises
    ------
    PluginError
        If it does not survive being looked at.
    """
    with Guest.unloaded(path) as guest:
        value: list[str] = guest._ask("names", timeout_s, path=str(guest.path))[0]
        return value
