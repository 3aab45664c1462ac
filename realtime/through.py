"""Turns the knobs of the plugin that is a live session's EQ, so that it follows the words.

The plugin that is heard (`semeq.realtime.inserts`) is never swept: where its knobs belong is found on a
second instance in a process of its own, measured step by step by `semeq.engine.plugin_follow`, and what is
found is turned on the first one, at most forty times a second. When the second instance dies, the knobs stay
where they are, and it is started again.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from semeq.engine.design import DEFAULT_DESIGN
from semeq.engine.errors import SemeqError
from semeq.engine.plugin_fit import PluginFitter
from semeq.engine.plugin_follow import Following, PluginFollower
from semeq.engine.plugin_guest import Guest
from semeq.engine.plugin_map import PluginMap
from semeq.engine.settings import EQSettings

#: The knobs are turned no more often than this, s, and the words are looked at so often, s.
TURN_EVERY_S, LOOK_EVERY_S = 0.025, 0.01
#: From this error on (dB rms) a person is told, once.
FAR_DB = 1.0
MOST_FAILURES = 3
FIRST_WAIT_S = 0.5
FAREWELL_S = 1.0

Raws = Iterable[tuple[str, float]]


class Through(threading.Thread):
    """Follows the words' curve with a plugin's knobs.

    Parameters
    ----------
    given : PluginMap
        The plugin and its knobs.
    fs : float
        Sample rate in Hz.
    channels, blocksize : int
        Of a block.
    turn : callable
        Turns knobs of the plugin that is heard, by name, to raw values.
    is_used : callable
        Says whether that plugin is the EQ; not when it had to be left out.
    say : callable
        Shows one line to the person.
    design : str
        How our bands would become filters.

    Attributes
    ----------
    wanted : callable
        Returns the bands to follow; set it before `start`.
    following : Following or None
        What was turned last.
    turns : int
        How often knobs were turned.
    """

    def __init__(
        self,
        given: PluginMap,
        fs: float,
        channels: int,
        blocksize: int,
        turn: Callable[[Raws], None],
        is_used: Callable[[], bool],
        say: Callable[[str], None],
        design: str = DEFAULT_DESIGN,
    ) -> None:
        super().__init__(name="semeq-through", daemon=True)
        self._map, self._shape, self._design = given, (fs, channels, blocksize), design
        self._turn, self._is_used, self._say = turn, is_used, say
        self.wanted: Callable[[], EQSettings] = EQSettings.flat
        self.following: Following | None = None
        self.turns = 0
        self._guest: Guest | None = None
        self._follower: PluginFollower | None = None
        self._plugin = given.plugin.stem
        self._over = threading.Event()
        self._problem = ""
        self._is_told = False

    @property
    def is_used(self) -> bool:
        """Whether the plugin is the EQ, and ours is to be flat."""
        return self._is_used()

    @property
    def reached(self) -> tuple[EQSettings, float]:
        """Return the bands whose curve the plugin has, and the level that it adds to them in dB."""
        found = self.following
        return (EQSettings.flat(), 0.0) if found is None else (found.settings, found.level_db)

    def as_dict(self) -> dict[str, Any]:
        """Return how it stands as plain values."""
        found = self.following
        status: dict[str, Any] = {
            "plugin": self._plugin,
            "is_used": self.is_used,
            "turns": self.turns,
            "problem": self._problem,
        }
        if found is not None:
            status |= {
                "error_rms_db": round(found.rms_db, 3),
                "error_max_db": round(found.max_db, 3),
                "level_db": round(found.level_db, 3),
                "is_settled": found.is_settled,
                "parameters": {name: round(value, 4) for name, value in found.values},
            }
        return status

    def prepare(self) -> None:
        """Load the second instance and find its knobs; before `start`, which does it otherwise.

        Raises
        ------
        SemeqError
            If the plugin cannot be loaded, or the map does not fit it.
        """
        fs, channels, blocksize = self._shape
        guest = self._guest = Guest(self._map.plugin)
        try:
            self._plugin = guest.name
            guest.set(dict(self._map.fixed))
            guest.prepare(fs, channels, blocksize)
            fitter = PluginFitter(guest, self._map, fs, channels, blocksize)
            self._follower = PluginFollower(fitter, fs, self._design)
        except BaseException:
            guest.close()
            raise

    def run(self) -> None:
        """Follow until `finish` is called; a second instance that keeps dying is said, and the knobs stay."""
        wait_s, failures = FIRST_WAIT_S, 0
        while not self._over.is_set():
            try:
                if self._follower is None:
                    self.prepare()
                self._follow()
            except SemeqError as error:
                self._follower = None
                if self._over.is_set():
                    return
                failures += 1
                self._problem = str(error)
                if failures >= MOST_FAILURES:
                    self._say(f"{self._plugin} stays as it is, words turn it no longer: {error}")
                    return
                self._over.wait(wait_s)
                wait_s *= 2.0

    def _follow(self) -> None:
        follower = self._follower
        assert follower is not None
        turned_at = 0.0
        is_owed = True  # what is heard may be elsewhere
        while not self._over.is_set():
            wanted = self.wanted()
            if wanted != follower.settings or self.following is None:
                follower.aim(wanted)
                is_owed = True
            is_owed |= follower.step()
            now = time.perf_counter()
            if is_owed and now - turned_at >= TURN_EVERY_S:
                turned_at, is_owed = now, False
                found = follower.following()
                self._turn(found.raws)
                self.following, self.turns = found, self.turns + 1
            elif follower.is_settled and not is_owed:
                self._settle(follower)
                self._over.wait(LOOK_EVERY_S)
            elif follower.is_settled:
                self._over.wait(turned_at + TURN_EVERY_S - now)

    def _settle(self, follower: PluginFollower) -> None:
        """Note that no step helps any more; tell when that is far from the words."""
        if self.following is None or self.following.is_settled:
            return
        found = self.following = follower.following()
        self._problem = ""
        if found.rms_db > FAR_DB and not self._is_told:
            self._is_told = True
            self._say(
                f"{self._plugin} follows the words' curve only to within {found.rms_db:.1f} dB rms: it has "
                "too few bands, or they reach too little"
            )

    def finish(self) -> None:
        """End it; a second time does nothing."""
        self._over.set()
        if self._guest is not None:
            self._guest.close()  # whoever waits for it is told at once
        if self.is_alive():
            self.join(FAREWELL_S)
