"""A file whose EQ is somebody else's plugin, its knobs turned so that it follows the words' curve.

One EQ for the whole file: turning a plugin's knobs while it plays is for ears, not for a render that has to
come out the same each time. With a say of the sound the file is heard as a whole first.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from semeq.engine.inserts import Inserts, Place, opened
from semeq.engine.plugin_fit import Fitted, PluginFitter
from semeq.engine.plugin_guest import BLOCKSIZE, Guest
from semeq.engine.plugin_map import PluginMap, turned_by
from semeq.engine.render_adaptive import Look, Mind
from semeq.engine.render_eq import FileEQ
from semeq.engine.render_job import RenderJob
from semeq.engine.units import Audio

#: From this error on (dB rms) the listener is told.
FAR_DB = 1.0


def _paired(
    blocks: Iterable[Audio], run: Callable[[Iterable[Audio]], Iterator[Audio]]
) -> Iterator[tuple[Audio, Audio]]:
    """Yield what `run` makes of blocks, each beside the stretch of the input that it belongs to."""
    kept: deque[Audio] = deque()

    def remembered() -> Iterator[Audio]:
        for block in blocks:
            kept.append(block)
            yield block

    for out in run(remembered()):
        parts, missing = [], len(out)
        while missing:
            block = kept.popleft()
            parts.append(block[:missing])
            if len(block) > missing:
                kept.appendleft(block[missing:])
            missing -= len(parts[-1])
        yield np.concatenate(parts), out


class ThroughEQ(FileEQ):
    """Filters a file with a plugin that a map turns; see `FileEQ`."""

    def __init__(
        self, job: RenderJob, through: PluginMap, mind: Mind | None, fs: float, channels: int
    ) -> None:
        if job.adaption is not None:
            job = replace(job, adaption=replace(job.adaption, look=Look.WHOLE))
        super().__init__(job, mind, fs, channels)
        self._map = through
        self._plugin: Inserts | None = None
        self._fitted: Fitted | None = None

    def _turn(self) -> Inserts:
        """Find where the knobs belong."""
        fs, channels = self._fs, self._channels
        insert = turned_by(self._map)
        with opened(insert, fs, channels) as guest:
            fitter = PluginFitter(guest, self._map, fs, channels, BLOCKSIZE)
            fitted = fitter.follow(self._settings, design=self._job.design)
            self._warn(guest, fitted)
        self._fitted = fitted
        return Inserts((replace(insert, raws=tuple(fitted.raws.items())),), fs, channels)

    def _warn(self, guest: Guest, fitted: Fitted) -> None:
        if fitted.rms_db > FAR_DB:
            self.warnings.append(
                f"{guest.name} follows the words' curve only to within {fitted.rms_db:.1f} dB rms, "
                f"{fitted.max_db:.1f} dB at worst: it has too few bands, or they reach too little"
            )

    def filtered(self, blocks: Iterable[Audio]) -> Iterator[tuple[Audio, Audio]]:
        """Turn the knobs; yield each stretch and what becomes of it."""
        plugin = self._plugin = self._turn()
        yield from _paired(blocks, lambda some: plugin.through(Place.POST, some))
        self.warnings += plugin.warnings

    def again(self, blocks: Iterable[Audio]) -> Iterator[Audio]:
        """Yield what became of the blocks, once more."""
        assert self._plugin is not None
        return self._plugin.through(Place.POST, blocks)

    @property
    def notes(self) -> dict[str, Any] | None:
        """What the plugin was, where its knobs are, and how near that came."""
        if self._plugin is None or self._fitted is None:
            return None
        (note,) = self._plugin.notes
        return {**note, "place": "eq", **self._fitted.as_dict()}


def eq_for(job: RenderJob, mind: Mind | None, fs: float, channels: int) -> FileEQ:
    """Return what filters a file: the kernel, or a plugin."""
    if job.through is not None:
        return ThroughEQ(job, job.through, mind, fs, channels)
    return FileEQ(job, mind, fs, channels)
