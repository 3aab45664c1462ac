"""A third-party plugin (VST3; Audio Unit on macOS) in this process, block by block.

Whoever calls this runs somebody else's code: it may crash or hang the process. `semeq.engine.plugin_guest`
does it in a process of its own; the bridge of a live session does so, too.

Conventions
-----------
The plugin is loaded, set and run on one thread, the main one, as VST3 asks; Pedalboard is always called
with ``reset=False``, since a reset loads some plugins anew. Its own compensation of latency drops frames from
its first answers, if it knew the latency by then: it asks the plugin only when the sample rate or the like
changes. So `Hosted.prepare` runs silence until the parameters have arrived, changes the rate and comes back;
from then on as many frames come out as go in, late by `Hosted.latency_frames`. Where parameters change the
latency, prepare again after setting them.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from semeq.engine.errors import PluginError, SettingsError
from semeq.engine.plugin_values import ParameterFacts, facts_of, find_name, raw_for, scale_of
from semeq.engine.units import Audio

LOAD_TIMEOUT_S = 10.0
#: Silence before the first block: plugins glide from their defaults to what they are told.
SETTLING_S = 0.25
MAX_LATENCY_S = 10.0
MIN_BLOCK = 16
SUFFIXES = (".vst3", ".component", ".dll", ".so")


def split_name(path: Path) -> tuple[Path, str | None]:
    """Return a plugin's file, and which of the plugins in it: ``suite.vst3#Equaliser``."""
    if not path.exists() and "#" in path.name:
        file, _, name = str(path).rpartition("#")
        return Path(file), name
    return path, None


def _load(path: Path) -> Any:  # noqa: ANN401 - Pedalboard's, untyped
    import pedalboard

    loader: Any = pedalboard.load_plugin  # type: ignore[attr-defined] # not in its list of exports
    file, name = split_name(path)
    if not file.exists():
        raise PluginError(f"no plugin is at {file}: 'semeq plugin scan' lists what is installed")
    try:
        plugin = loader(str(file), plugin_name=name, initialization_timeout=LOAD_TIMEOUT_S)
    except ImportError:
        raise PluginError(f"{file} is not a plugin that can be loaded here") from None
    except ValueError as error:  # it holds several plugins
        raise PluginError(f"{file}: {error}; say which one with {file}#NAME") from None
    return plugin


def names_in(path: Path) -> list[str]:
    """Return the names of all plugins in a file; empty where nothing can be read."""
    import pedalboard

    formats: list[Any] = [
        getattr(pedalboard, name)
        for name in ("VST3Plugin", "AudioUnitPlugin")
        if hasattr(pedalboard, name)
    ]
    for kind in formats:
        try:
            return [str(name) for name in kind.get_plugin_names_for_file(str(path))]
        except (ImportError, ValueError, RuntimeError):
            continue
    return []


class Hosted:
    """One plugin, loaded.

    Parameters
    ----------
    path : Path
        Its file or bundle; ``#NAME`` behind it says which one of several.
    any_kind : bool
        Whether instruments are welcome, too, to be looked at.

    Attributes
    ----------
    latency_frames : int
        By how many frames the output is late, as the plugin reports; known after `prepare`.
    arrangement : str
        How its channels are used, in words; known after `prepare`.

    Raises
    ------
    PluginError
        If it cannot be loaded.
    """

    def __init__(self, path: Path, *, any_kind: bool = False) -> None:
        self._path = path
        self._plugin = _load(path)
        if not self._plugin.is_effect and not any_kind:
            raise PluginError(f"{self._plugin.name} makes sound of its own: it must be an effect")
        self._lanes = [self._plugin]
        self._spread = False
        self._fs, self._channels, self._blocksize = 48_000.0, 2, 512
        self.name = str(self._plugin.name)
        self.latency_frames = 0
        self.arrangement = ""

    def facts(self) -> dict[str, Any]:
        """Return who made it and what it is, as plain values."""
        plugin = self._plugin
        return {
            "name": self.name,
            "vendor": str(plugin.manufacturer_name),
            "version": str(plugin.version),
            "kind": str(plugin.category),
            "identifier": str(plugin.identifier),
            "path": str(self._path),
            "role": "effect" if plugin.is_effect else "instrument",
        }

    def parameters(self) -> list[ParameterFacts]:
        """Return all parameters as they stand."""
        return [facts_of(name, found) for name, found in self._plugin.parameters.items()]

    def set(self, values: Mapping[str, float | str | bool]) -> None:
        """Set parameters by name or label, in their units; they arrive with the next blocks.

        Raises
        ------
        SettingsError
            If one is unknown or out of its range; the others are then as they were.
        """
        known = self.parameters()
        raws = {}
        for wanted, value in values.items():
            name = find_name(wanted, known, self.name)
            raws[name] = raw_for(name, self._plugin.parameters[name], value)
        self.set_raw(raws)

    def set_raw(self, raws: Mapping[str, float]) -> None:
        """Set parameters by name to raw values in [0, 1]."""
        for lane in self._lanes:
            parameters = lane.parameters
            for name, raw in raws.items():
                parameters[name].raw_value = raw

    @property
    def channels(self) -> int:
        """How many channels its blocks have."""
        return self._channels

    @property
    def blocksize(self) -> int:
        """How many frames its blocks have."""
        return self._blocksize

    def scale(self, name: str) -> tuple[list[float], list[float]] | None:
        """Return a parameter's rising values and their raw values, see `plugin_values.scale_of`."""
        found = scale_of(self._plugin.parameters[name])
        return None if found is None else (found[0].tolist(), found[1].tolist())

    def state(self) -> bytes:
        """Return the plugin's own state; only after `prepare` are all settings in it."""
        return bytes(self._plugin.raw_state)

    def restore(self, state: bytes) -> None:
        """Give it a state that `state` returned; `semeq.engine.plugin_state` checks where it is from."""
        for lane in self._lanes:
            lane.raw_state = state

    def load_preset(self, file: Path) -> None:
        """Give it the state of a ``.vstpreset`` file."""
        for lane in self._lanes:
            if not hasattr(lane, "load_preset"):
                raise PluginError(f"{self.name} is no VST3: it cannot read {file}")
            lane.load_preset(str(file))

    def prepare(self, fs: float, channels: int, blocksize: int) -> None:
        """Make ready for blocks of `blocksize` frames: find a use of its channels, run silence.

        Raises
        ------
        PluginError
            If it does not take that many channels, or its latency is absurd.
        """
        if blocksize < MIN_BLOCK:
            raise SettingsError(f"blocksize must be at least {MIN_BLOCK}, got {blocksize}")
        self._fs, self._channels, self._blocksize = fs, channels, blocksize
        self._arrange()
        self.settle()
        self._fs = 48_000.0 if fs == 44_100.0 else 44_100.0
        self.process(np.zeros((blocksize, channels), dtype=np.float32))
        self._fs = fs
        self.settle()

    def _takes(self, channels: int) -> bool:
        silence = np.zeros((channels, self._blocksize), dtype=np.float32)
        try:
            return len(self._run(self._plugin, silence)) == channels
        except ValueError:
            return False

    def _arrange(self) -> None:
        channels = self._channels
        self._spread = False
        if self._takes(channels):
            self.arrangement = f"{channels} channel{'s' * (channels > 1)}"
            return
        if channels == 1 and self._takes(2):
            self._spread = True
            self.arrangement = "mono through both channels of a stereo plugin"
            return
        if channels == 1 or not self._takes(1):
            raise PluginError(
                f"{self.name} must take {channels} channels, as the sound has, but it does not: "
                "leave it out, or render each pair of channels as a file of its own"
            )
        raws = {name: float(held.raw_value) for name, held in self._plugin.parameters.items()}
        state = self.state()
        while len(self._lanes) < channels:
            self._lanes.append(_load(self._path))
            self._lanes[-1].raw_state = state
        self.set_raw(raws)
        self.arrangement = f"{channels} mono plugins side by side"

    def settle(self, least_s: float = SETTLING_S) -> None:
        """Run silence until parameters have arrived and the latency is known."""
        silence = np.zeros((self._blocksize, self._channels), dtype=np.float32)
        run, least = 0, round(least_s * self._fs)
        while run < least + self.latency_frames or run < 2 * self._blocksize:
            self.process(silence)
            run += self._blocksize
            self.latency_frames = int(self._plugin.reported_latency_samples)
            if not 0 <= self.latency_frames <= MAX_LATENCY_S * self._fs:
                late_s = self.latency_frames / self._fs
                raise PluginError(
                    f"{self.name} must report a latency of 0 to {MAX_LATENCY_S:g} s, got {late_s:g} s"
                )

    def _run(self, plugin: Any, block: Audio) -> Audio:  # noqa: ANN401
        """Run ``(channels, frames)`` through one instance; the answer is as long."""
        out: Audio = plugin.process(block, self._fs, buffer_size=self._blocksize, reset=False)
        short = block.shape[1] - out.shape[1]
        return out if not short else np.pad(out, ((0, 0), (short, 0)))

    def process(self, block: Audio) -> Audio:
        """Return `block`, shape ``(blocksize, channels)``, as the plugin makes it, late by its latency."""
        if block.shape != (self._blocksize, self._channels):
            raise SettingsError(
                f"block must have shape {(self._blocksize, self._channels)}, got {block.shape}"
            )
        turned = np.ascontiguousarray(block.T, dtype=np.float32)
        if self._spread:
            both = self._run(self._plugin, np.repeat(turned, 2, axis=0))
            return np.ascontiguousarray(0.5 * (both[:1] + both[1:]).T)
        if len(self._lanes) > 1:
            pairs = zip(self._lanes, turned, strict=True)
            turned = np.concatenate([self._run(lane, row[np.newaxis]) for lane, row in pairs])
            return np.ascontiguousarray(turned.T)
        return np.ascontiguousarray(self._run(self._plugin, turned).T)

    def timed(self, block: Audio) -> tuple[Audio, float]:
        """Return `process` of a block, and the seconds it took."""
        started = time.perf_counter()
        out = self.process(block)
        return out, time.perf_counter() - started
