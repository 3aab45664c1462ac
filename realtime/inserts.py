"""The plugins of a live session: before the EQ and after it, each place in a process of its own.

Their delay is fixed when the stream opens and stays, whatever becomes of them: it is the buffer, by default
two blocks a place, and the latency that the plugins reported when they were loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from semeq.engine.inserts import Insert, Place
from semeq.realtime import jack
from semeq.realtime.insert_keeper import InsertKeeper
from semeq.realtime.insert_kept import Kept, parameter_at
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
    """

    inserts: tuple[Insert, ...] = ()
    blocks: int = DEFAULT_BLOCKS

    def __bool__(self) -> bool:
        return bool(self.inserts)


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
        numbered = list(enumerate(config.inserts, 1))
        for place in Place:
            here = [(number, insert) for number, insert in numbered if insert.place is place]
            if here:
                frames = config.blocks * blocksize
                self._keepers[place] = InsertKeeper(
                    place, here, fs, channels, blocksize, frames, say
                )
        self._stages = [
            keeper.stage if (keeper := self._keepers.get(place)) else no_stage(fs, channels)
            for place in (Place.PRE, Place.POST)
        ]

    @property
    def stages(self) -> tuple[Stage, Stage]:
        """Where the audio thread sends the sound: before the EQ and after it."""
        return self._stages[0], self._stages[1]

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
        return sorted(notes, key=lambda note: int(note["number"]))

    def hear(self, is_wanted: bool) -> None:
        """Let the plugins be heard, or the dry sound in their place."""
        for keeper in self._keepers.values():
            keeper.is_wanted = is_wanted

    def _find(self, target: str) -> tuple[InsertKeeper, int, int, float] | None:
        """Return where the parameter of ``1.gain`` stands (keeper, row, index) and its raw value."""
        key, _, wanted = target.partition(".")
        for keeper in self._keepers.values():
            for row, kept in enumerate(keeper.kept):
                found = parameter_at(kept, wanted) if _is_meant(kept, key) else None
                if found is not None:
                    return keeper, row, found[0], float(found[1]["raw"])
        return None

    def raw(self, target: str) -> float | None:
        """Return the raw value that a parameter had when it was loaded, or None for an unknown one."""
        found = self._find(target)
        return None if found is None else found[3]

    def turn(self, target: str, raw: float) -> bool:
        """Turn a parameter, ``number.parameter``, to a raw value; return whether there is one."""
        found = self._find(target)
        if found is None:
            return False
        keeper, row, index, _ = found
        keeper.turn(row, index, raw)
        return True


def _is_meant(kept: Kept, key: str) -> bool:
    return str(kept.number) == key
