"""The plugins of a live session: before the EQ and after it, each place in a process of its own.

Their delay is fixed when the stream opens and stays, whatever becomes of them: it is the buffer, by default
two blocks a place, and the latency that the plugins reported when they were loaded.
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from semeq.engine.errors import SemeqError, UsageError
from semeq.engine.inserts import Insert, Place
from semeq.engine.plugin_host import split_name
from semeq.engine.plugin_map import PluginMap, turned_by
from semeq.presets.insert_options import parameter_of
from semeq.presets.midi_bindings import Binding
from semeq.realtime import jack
from semeq.realtime.desk import Snapshot
from semeq.realtime.insert_keeper import InsertKeeper
from semeq.realtime.insert_kept import Kept
from semeq.realtime.insert_knobs import PluginKnob, knob_of
from semeq.realtime.insert_stage import Stage, no_stage

DEFAULT_BLOCKS = 2
MIN_BLOCKS, MAX_BLOCKS = 2, 16
#: A block where neither the person nor JACK says how long one is.
USUAL_BLOCK = 256


@dataclass(frozen=True, slots=True)
class InsertConfig:
    """Which plugins to run.

    Parameters
    ----------
    inserts : tuple of Insert
        In the order in which the sound meets them.
    blocks : int
        How many blocks after it was sent a block is heard, 2 to 16.
    through : PluginMap, optional
        The plugin that is the EQ.
    saves : tuple of (int, Path)
        By index, where the states of inserts are written when the session ends.
    asked : tuple of str
        Parameters that are to have a knob besides those that were set: ``comp.threshold_db``.
    """

    inserts: tuple[Insert, ...] = ()
    blocks: int = DEFAULT_BLOCKS
    asked: tuple[str, ...] = ()
    through: PluginMap | None = None
    saves: tuple[tuple[int, Path], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.inserts) or self.through is not None


NO_INSERTS = InsertConfig()


def block_of(wanted: int, *, is_jack: bool) -> int:
    """Return how many frames a block will have: as wanted, as the JACK server has it, or as is usual."""
    if is_jack and (client := jack.connect()) is not None:
        with client:
            return client.blocksize
    return wanted or USUAL_BLOCK


class LiveInserts:
    """The plugins of one stream; a context manager that keeps them going.

    Parameters
    ----------
    config : InsertConfig
        Which ones.
    fs : float
        Sample rate in Hz.
    channels, blocksize : int
        Of a block.
    say : callable
        Shows one line to the person.
    """

    def __init__(
        self,
        config: InsertConfig,
        fs: float,
        channels: int,
        blocksize: int,
        say: Callable[[str], None],
    ) -> None:
        self._keepers: dict[Place, InsertKeeper] = {}
        self.fs, self.blocksize = fs, blocksize
        self._inserts = config.inserts
        self._knobs: dict[str, PluginKnob] = {}
        self._following = threading.Lock()
        self._followed: tuple[int, dict[str, float]] = -1, {}
        asked = [[name for name, _ in insert.values] for insert in config.inserts]
        for text in config.asked:
            with suppress(UsageError):  # said by who asks for the knob
                at, name = parameter_of(text, config.inserts, "param")
                asked[at].append(name)
        kept = [
            Kept(number, insert, split_name(insert.path)[0].stem, tuple(names))
            for number, (insert, names) in enumerate(zip(config.inserts, asked, strict=True), 1)
        ]
        if (
            config.through is not None
        ):  # last, so that the numbers of the others are those of --insert
            eq = turned_by(config.through, Place.EQ)
            kept.append(Kept(len(kept) + 1, eq, split_name(eq.path)[0].stem))
        for at, file in config.saves:
            kept[at].save = file
        for place in Place:
            here = [one for one in kept if one.insert.place is place]
            if here:
                frames = config.blocks * blocksize
                self._keepers[place] = InsertKeeper(
                    place, here, fs, channels, blocksize, frames, say
                )
        self._stages = [
            keeper.stage if (keeper := self._keepers.get(place)) else no_stage(fs, channels)
            for place in (Place.PRE, Place.EQ, Place.POST)
        ]

    @property
    def stages(self) -> tuple[Stage, Stage, Stage]:
        """Where the audio thread sends the sound: before the EQ, in its place, and after it."""
        pre, eq, post = self._stages
        return pre, eq, post

    @property
    def delay_frames(self) -> int:
        """By how much the sound is late for the plugins' sake, in all."""
        return sum(keeper.delay_frames for keeper in self._keepers.values())

    def prepare(self, *, is_strict: bool) -> None:
        """Load all plugins; before the stream opens. See `InsertKeeper.prepare`."""
        try:
            for keeper in self._keepers.values():
                keeper.prepare(is_strict=is_strict)
        except BaseException:
            self.finish()
            raise

    def __enter__(self) -> Self:
        for keeper in self._keepers.values():
            keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """End all plugins."""
        for keeper in self._keepers.values():
            keeper.finish()

    def notes(self) -> list[dict[str, Any]]:
        """Return how each plugin does, as plain values, in the order of their numbers."""
        notes = [note for keeper in self._keepers.values() for note in keeper.notes()]
        turned: dict[str, dict[str, Any]] = {}
        for target, share in self._followed[1].items():
            with suppress(SemeqError):
                knob = self.find(target)
                turned.setdefault(target.partition(".")[0], {})[knob.facts.name] = knob.value(share)
        for note in notes:
            note["parameters"] = turned.get(str(note["number"]), {})
        return sorted(notes, key=lambda note: int(note["number"]))

    def hear(self, is_wanted: bool) -> None:
        """Let the plugins be heard, or the dry sound in their place."""
        for keeper in self._keepers.values():
            keeper.is_wanted = is_wanted

    # ---- parameters

    def find(self, text: str) -> PluginKnob:
        """Return the knob of the parameter that ``comp.threshold_db`` or ``1.threshold_db`` means.

        Raises
        ------
        SemeqError
            If there is no such plugin, or it has no such parameter.
        """
        if text not in self._knobs:
            at, wanted = parameter_of(text, self._inserts, "param")
            for keeper in self._keepers.values():
                for row, kept in enumerate(keeper.kept):
                    if kept.number == at + 1:
                        self._knobs[text] = knob_of(kept, row, wanted)
        return self._knobs[text]

    def bound(self, binding: Binding) -> Binding:
        """Return a binding of a parameter as it is to be used; see `PluginKnob.bound`."""
        return self.find(binding.param).bound(binding)

    def standing(self, asked: Iterable[str]) -> tuple[tuple[str, float], ...]:
        """Return target and share of the parameters that were set, then of those asked for that are there."""
        numbered = enumerate(self._inserts, 1)
        texts = [f"{number}.{name}" for number, insert in numbered for name, _ in insert.values]
        stand: dict[str, float] = {}
        for text in (*texts, *asked):
            with suppress(SemeqError):  # who binds it says what is wrong
                knob = self.find(text)
                stand[knob.target] = knob.facts.raw
        return tuple(stand.items())

    def follow(self, snapshot: Snapshot) -> None:
        """Turn what a person has turned since; from any thread, at once, whatever the plugins do."""
        with self._following:
            version, before = self._followed
            if snapshot.version < version:
                return
            if Place.EQ in self._keepers:
                self._keepers[Place.EQ].is_wanted = not snapshot.state.bypass
            now = dict(snapshot.state.parameters)
            self._followed = snapshot.version, now
            for target, share in now.items():
                if before.get(target) != share:
                    self._turn(target, share)

    def _turn(self, target: str, share: float) -> None:
        with suppress(SemeqError):  # a plugin that is left out has no knobs
            knob = self.find(target)
            number = int(target.partition(".")[0])
            for keeper in self._keepers.values():
                if any(kept.number == number for kept in keeper.kept):
                    keeper.turn(knob.row, knob.index, share)

    # ---- the plugin that is the EQ

    @property
    def has_eq(self) -> bool:
        """Whether a plugin is the EQ: not when it had to be left out."""
        keeper = self._keepers.get(Place.EQ)
        return keeper is not None and not keeper.kept[0].is_out

    def turn_eq(self, raws: Iterable[tuple[str, float]]) -> None:
        """Turn parameters of the plugin that is the EQ, by name, to raw values."""
        keeper = self._keepers[Place.EQ]
        names = [entry["name"] for entry in keeper.kept[0].facts.get("parameters", ())]
        for name, raw in raws:
            if name in names:
                keeper.turn(0, names.index(name), raw)
