"""Says while a session runs whether the sound becomes what was asked; never in the way of the sound.

It reads the tap of the input a few times a second, counts it as it came and as the bands in force make it
(`semeq.engine.watch`), and judges once a second. What was asked before the last change of the recipe is
forgotten. A miss that lasts is said once a session, in one line; the newest verdicts are there for the view
and the status all the time.
"""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from semeq.engine.balance import Balance
from semeq.engine.design import DEFAULT_DESIGN
from semeq.engine.errors import SemeqError
from semeq.engine.recipe import Recipe
from semeq.engine.verdicts import Outcome, Verification
from semeq.engine.watch import Watch
from semeq.engine.words import Vocabulary
from semeq.presets.usual import load_usual_balance
from semeq.realtime.plan import Plan
from semeq.realtime.tap import Tap, TapReader

_log = logging.getLogger(__name__)

POLL_S = 0.25
#: A verdict after so many looks at the tap.
LOOKS_PER_VERDICT = 4
#: A miss is said when so many verdicts in a row came to it.
LASTS = 4


class Verifier:
    """Judges what a session does to the sound; a context manager, which runs it in a thread.

    Parameters
    ----------
    tap : Tap
        The newest input.
    fs : float
        Sample rate in Hz.
    vocabulary : Vocabulary
        What the words mean.
    plan : callable
        Returns what was published last.
    say : callable
        Shows one line to the person.
    usual : Balance, optional
        What "already so" is measured against; by default what music usually is.
    design : str
        How bands become filters.
    """

    def __init__(
        self,
        tap: Tap,
        fs: float,
        vocabulary: Vocabulary,
        plan: Callable[[], Plan],
        say: Callable[[str], None],
        *,
        usual: Balance | None = None,
        design: str = DEFAULT_DESIGN,
    ) -> None:
        self._tap, self._vocabulary, self._plan, self._say = tap, vocabulary, plan, say
        self._usual = load_usual_balance() if usual is None else usual
        self._watch = Watch(fs, tap.channels, design=design)
        self._reader = TapReader(tap)
        self._asked: tuple[str, float, bool] | None = None
        self._recipe = Recipe()
        self._looks = 0
        self._lasting: dict[tuple[str, int, Outcome], int] = {}
        self._said: set[tuple[str, int, Outcome]] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="semeq-verify", daemon=True)
        #: The newest verdicts; None while there is nothing to judge.
        self.newest: Verification | None = None

    def __enter__(self) -> Self:
        self._reader = TapReader(self._tap)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join(2.0)

    def as_dict(self) -> dict[str, Any] | None:
        """Return the newest verdicts as plain values for JSON, or None while there is nothing to judge."""
        newest = self.newest
        return None if newest is None else newest.as_dict()

    def shown(self) -> tuple[tuple[str, bool], ...]:
        """Return the newest verdicts for a view: a few characters each, and whether it is a miss."""
        newest = self.newest
        if newest is None:
            return ()
        return tuple((verdict.short, verdict.is_miss) for verdict in newest.verdicts)

    def _run(self) -> None:
        while not self._ended.wait(POLL_S):
            try:
                self.look()
            except Exception:
                _log.exception("the verifier skipped a beat")

    def look(self) -> None:
        """Take what came in since the last look; judge when it is time."""
        plan = self._plan()
        asked = (plan.recipe, plan.amount, plan.is_dry)
        if asked != self._asked:
            self._asked, self._recipe = asked, Recipe.parse(plan.recipe)
            self._watch.forget()
            self._lasting.clear()
            self._looks, self.newest = 0, None
        while self._reader.waiting:
            block, _ = self._reader.read()
            if not plan.is_dry:
                self._watch.feed(block, plan.settings)
        self._looks += 1
        if self._looks >= LOOKS_PER_VERDICT:
            self._looks = 0
            self._judge(plan)

    def _judge(self, plan: Plan) -> None:
        if plan.is_dry or not self._recipe.terms or plan.amount == 0.0:
            self.newest = None
            return
        try:
            self.newest = self._watch.verification(
                self._recipe, self._vocabulary, plan.amount, usual=self._usual
            )
        except SemeqError:  # an unknown word: the conductor has said so
            self.newest = None
        if self.newest is not None:
            self._mention(self.newest)

    def _mention(self, verification: Verification) -> None:
        """Say the misses that last, each once."""
        missed = {
            (verdict.word, verdict.direction.sign, verdict.outcome): verdict.text
            for verdict in verification.verdicts
            if verdict.is_miss
        }
        self._lasting = {key: self._lasting.get(key, 0) + 1 for key in missed}
        for key, text in missed.items():
            if self._lasting[key] >= LASTS and key not in self._said:
                self._said.add(key)
                self._say(text)
