"""A plugin loaded for a live session, in the process that runs it: set, restored, measured."""

import base64
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.inserts import Insert
from semeq.engine.plugin_guest import Guest
from semeq.engine.plugin_host import Hosted
from semeq.engine.plugin_state import check_restored, restore_state
from semeq.engine.plugin_trial import delay_frames
from semeq.engine.plugin_values import ParameterFacts, find_name
from semeq.engine.units import Audio, Floats

#: Noise of this length (s) and level tells a plugin's latency, before it is heard.
MEASURE_S, MEASURE_LEVEL = 0.1, 0.1


class _Offered:
    """A plugin of this process, as what restores states sees it."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self.facts, self.name = hosted.facts(), hosted.name

    def parameters(self) -> list[ParameterFacts]:
        return self._hosted.parameters()

    def restore(self, state: str) -> None:
        self._hosted.restore(base64.b64decode(state))

    def preset(self, file: Path) -> None:
        self._hosted.load_preset(file)


def load(
    insert: Insert, turned: Floats, fs: float, channels: int, blocksize: int
) -> tuple[Hosted, list[ParameterFacts]]:
    """Return a plugin that is ready, its parameters as they were when it was last seen.

    Parameters
    ----------
    insert : Insert
        What to load.
    turned : Floats
        Raw values of parameters that were turned, by index; NaN for the others.
    fs : float
        Sample rate in Hz.
    channels, blocksize : int
        Of a block.

    Raises
    ------
    SemeqError
        If it cannot be loaded, set or restored.
    """
    hosted = Hosted(insert.path)
    hosted_as_guest = cast(Guest, _Offered(hosted))
    if insert.state is not None:
        restore_state(hosted_as_guest, insert.state)
        hosted.prepare(fs, channels, blocksize)
        check_restored(hosted_as_guest, insert.state)
    hosted.set(dict(insert.values))
    hosted.set_raw(dict(insert.raws))
    facts = hosted.parameters()
    known = np.flatnonzero(~np.isnan(turned[: len(facts)]))
    hosted.set_raw({facts[at].name: float(turned[at]) for at in known})
    hosted.prepare(fs, channels, blocksize)
    return hosted, hosted.parameters()


def scales(hosted: Hosted, facts: list[ParameterFacts], asked: tuple[str, ...]) -> dict[str, Any]:
    """Return the scales of the parameters that were asked for, as far as there are any."""
    scales = {}
    for wanted in asked:
        with suppress(SettingsError):  # who asked is told by the session
            name = find_name(wanted, facts, hosted.name)
            scales[name] = hosted.scale(name)
    return scales


def measured(hosted: Hosted, fs: float) -> int | None:
    """Return by how many frames a plugin is late, as noise tells; None where that is unclear."""
    size, channels = hosted.blocksize, hosted.channels
    blocks = -(-(round(MEASURE_S * fs) + 2 * hosted.latency_frames) // size)
    noise = np.random.default_rng(0).standard_normal((blocks * size, channels))
    noise[len(noise) - hosted.latency_frames - size :] = 0.0
    sent: Audio = (MEASURE_LEVEL * noise).astype(np.float32)
    got = np.concatenate([hosted.process(block) for block in np.split(sent, blocks)])
    hosted.settle()
    return delay_frames(sent[:, 0], np.nan_to_num(got[:, 0], posinf=0.0, neginf=0.0))
