"""Did the sound become what was asked? Verdicts from a meter that no encoder has a part in.

Conventions
-----------
- A word is judged by the share of its band in the whole power (`semeq.engine.directions`), in dB, before and
  after. It goes the asked way if the share moves with the word's sign times the sign of its weight.
- What the same request does to pink noise is the yardstick. The words' curves are added in dB, held to ±12 dB
  as their bands are, and put on pink noise: ``expected_db`` is what its share does. ``strength`` is the
  change of the band against all the rest (in dB) relative to that on pink noise: where a share is near 1 it
  can hardly rise, however much is done.
- Words in a recipe may pull against each other. Each is judged by what the whole recipe does to its band: a
  word that the others turn round is said to be outweighed, and the sound is held to the whole.
- A miss names its cause: the band is empty (share below -70 dB) or next to empty (-60 dB), the sound is so
  already (its share is where a usual sound's would be after the word), the equaliser that ran does
  little there or the opposite. What it did is read from both balances alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semeq.engine.balance import CENTRES_HZ, WIDTHS, Balance, span
from semeq.engine.directions import Direction, derived, direction_of, hertz
from semeq.engine.recipe import Recipe
from semeq.engine.settings import DEFAULT_GAIN_LIMIT_DB
from semeq.engine.units import Floats, read_only
from semeq.engine.verdicts import MOVED_DB, Outcome, Verdict, Verification
from semeq.engine.words import Vocabulary, Word

#: Who asks for less than this on pink noise asks for nothing that can be judged (dB).
LEAST_ASKED_DB = 0.1
#: Less than this part of what pink noise would get is little.
LITTLE = 0.2
#: A band with a smaller share of the whole is empty; or holds next to nothing.
EMPTY_SHARE, FAINT_SHARE = 1e-7, 1e-6
#: A word that keeps less of its own effect in the blend is outweighed.
OUTWEIGHED = 0.1
_FLOOR = 1e-12


def verify(
    recipe: Recipe,
    vocabulary: Vocabulary,
    before: Balance,
    after: Balance,
    amount: float = 1.0,
    *,
    usual: Balance | None = None,
) -> Verification:
    """Return the verdicts on a sound together with its balance; the parameters are those of `judge`."""
    return Verification(
        judge(recipe, vocabulary, before, after, amount, usual=usual), before, after
    )


def judge(
    recipe: Recipe,
    vocabulary: Vocabulary,
    before: Balance,
    after: Balance,
    amount: float = 1.0,
    *,
    usual: Balance | None = None,
) -> tuple[Verdict, ...]:
    """Say of each word of a recipe what became of it.

    Parameters
    ----------
    recipe : Recipe
        What was asked; words at weight 0 are not judged.
    vocabulary : Vocabulary
        What the words mean.
    before, after : Balance
        The sound on both sides of the equaliser.
    amount : float
        Factor on all weights.
    usual : Balance, optional
        What "already so" is measured against; pink noise if not given.

    Returns
    -------
    tuple of Verdict
        In the recipe's order; empty when nothing was asked.

    Raises
    ------
    UnknownWordError
        If a word is not in the vocabulary.
    """
    asked = [(vocabulary.get(name), weight * amount) for name, weight in recipe.terms]
    asked = [(word, weight) for word, weight in asked if weight != 0.0]
    if not asked:
        return ()
    whole = Request(asked, vocabulary.freqs_hz)
    return tuple(
        whole.verdict(word, weight, before, after, usual or Balance.pink())
        for word, weight in asked
    )


def held_curve_db(asked: Sequence[tuple[Word, float]]) -> Floats:
    """Return the sum of the words' curves, held back as a whole where their bands would leave ±12 dB."""
    gains = sum(weight * np.array([band[1] for band in word.bands]) for word, weight in asked)
    kept = DEFAULT_GAIN_LIMIT_DB / max(DEFAULT_GAIN_LIMIT_DB, float(np.abs(gains).max()))
    total: Floats = sum((weight * word.curve_db for word, weight in asked), np.zeros(1))
    return kept * total


class Request:
    """A recipe as a curve, and what it does to usual sounds."""

    def __init__(self, asked: Sequence[tuple[Word, float]], freqs_hz: Floats) -> None:
        self.freqs_hz = freqs_hz
        self.curve_db = held_curve_db(asked)
        self._is_blend = len(asked) > 1
        self._pink = Balance.pink()
        self._on_pink = self._pink.through(self.curve_db, freqs_hz)

    def _own(self, word: Word, weight: float) -> tuple[Direction, float]:
        """Return where a word of its weight shows and which way, and by how much on pink noise (dB).

        Where its curve does not do to pink noise what its published band says, the curve decides.
        """
        curve_db = held_curve_db([(word, weight)])
        alone = self._pink.through(curve_db, self.freqs_hz)
        named = direction_of(word.word, word.curve_db, self.freqs_hz)
        for own in (
            Direction(named.low_hz, named.high_hz, named.sign * (1 if weight > 0.0 else -1)),
            derived(curve_db, self.freqs_hz),
        ):
            change_db = own.sign * _change_db(self._pink, alone, own)
            if change_db > 0.0:
                break
        return own, change_db

    def verdict(
        self, word: Word, weight: float, before: Balance, after: Balance, usual: Balance
    ) -> Verdict:
        """Judge one word."""
        own, alone_db = self._own(word, weight)
        wanted = own.sign
        expected_db = _change_db(self._pink, self._on_pink, own)
        is_outweighed = self._is_blend and wanted * expected_db < OUTWEIGHED * alone_db
        sign = int(math.copysign(1, expected_db)) if is_outweighed and expected_db else wanted
        direction = Direction(own.low_hz, own.high_hz, sign)
        case = _Case(direction, before, after, expected_db)
        if before.is_silent:
            outcome, cause = Outcome.SILENT, ""
        elif sign * expected_db < LEAST_ASKED_DB:
            outcome, cause = Outcome.NOT_ASKED, ""
        else:
            usual_after = usual.through(self.curve_db, self.freqs_hz)
            outcome, cause = case.outcome(usual_after, self._on_pink)
        if is_outweighed and outcome in (Outcome.REACHED, Outcome.NOT_ASKED):
            asks = "more" if sign > 0 else "less"
            cause = (
                "the other words outweigh it"
                if outcome is Outcome.NOT_ASKED
                else f"the other words outweigh it, and the whole asks for {asks} there"
            )
            outcome = Outcome.OUTWEIGHED
        return Verdict(
            word.word,
            weight,
            direction,
            outcome,
            _share_db(before, own),
            _share_db(after, own),
            expected_db,
            None if outcome is Outcome.SILENT else case.strength(self._on_pink),
            cause,
        )


@dataclass(frozen=True, slots=True)
class _Case:
    """One band of one sound, before and after."""

    direction: Direction
    before: Balance
    after: Balance
    expected_db: float

    @property
    def _moved_db(self) -> float:
        """The change of the share, positive if it went the asked way."""
        return self.direction.sign * _change_db(self.before, self.after, self.direction)

    def strength(self, on_pink: Balance) -> float | None:
        """Return the change of the band against the rest, relative to that of pink noise."""
        share = _share(self.before, self.direction)
        if min(share, 1.0 - share) < EMPTY_SHARE or abs(self.expected_db) < LEAST_ASKED_DB:
            return None
        typical = _odds_db(on_pink, self.direction) - _odds_db(Balance.pink(), self.direction)
        change = _odds_db(self.after, self.direction) - _odds_db(self.before, self.direction)
        return change / typical

    def outcome(self, usual_after: Balance, on_pink: Balance) -> tuple[Outcome, str]:
        """Return what became of it, and why."""
        share, wants_more = _share(self.before, self.direction), self.direction.sign > 0
        where = self.direction.where
        if share < EMPTY_SHARE:
            if wants_more:
                return Outcome.EMPTY, f"the input has nothing {where}"
            return Outcome.ALREADY, f"it already is: the input has nothing {where}"
        if 1.0 - share < EMPTY_SHARE:
            if wants_more:
                return Outcome.ALREADY, f"it already is: all of the input lies {where}"
            return Outcome.EMPTY, f"the input has nothing but what lies {where}"
        if self._moved_db <= -MOVED_DB:
            return Outcome.WRONG, self._why_wrong()
        if share < FAINT_SHARE and wants_more:
            return Outcome.EMPTY, (
                f"the input has next to nothing {where} ({10.0 * math.log10(share):.0f} dB of the whole)"
            )
        strength = self.strength(on_pink) or 0.0
        small = min(MOVED_DB, LITTLE * abs(self.expected_db))
        if self._moved_db >= small and strength >= LITTLE:
            return Outcome.REACHED, ""
        usual_share = _share(usual_after, self.direction)
        if self.direction.sign * (share - usual_share) >= 0.0:
            return Outcome.ALREADY, f"it already is: {_percent(share)} of the input lies {where}"
        return Outcome.LITTLE, self._why_little()

    def _done_db(self) -> float:
        """Return what the equaliser that ran does to the share on pink noise, asked way positive."""
        total = float(self.before.power.sum())
        has_sound = self.before.power > EMPTY_SHARE * total / len(self.before.power)
        gain = np.divide(
            self.after.power, self.before.power, out=np.ones(len(has_sound)), where=has_sound
        )
        pink = Balance.pink()
        done = Balance(read_only(pink.power * gain))
        return self.direction.sign * _change_db(pink, done, self.direction)

    def _bulk(self) -> str:
        """Return where most of the sound outside the band lies, for people."""
        others = self.before.power.copy()
        others[span(self.direction.low_hz, self.direction.high_hz)] = 0.0
        return (
            f"most of this sound lies near {hertz(float(CENTRES_HZ[(others / WIDTHS).argmax()]))}"
        )

    def _why_wrong(self) -> str:
        if self._done_db() > MOVED_DB:
            moved = "raised" if self.direction.sign > 0 else "lowered"
            return f"it went the other way: {self._bulk()}, which was {moved} more"
        return "it went the other way, and so does the equaliser that ran"

    def _why_little(self) -> str:
        if self._done_db() < LITTLE * abs(self.expected_db):
            return "the equaliser that ran does next to nothing there"
        return f"{self._bulk()}, which was changed as much"


def _share(balance: Balance, direction: Direction) -> float:
    return balance.share(direction.low_hz, direction.high_hz)


def _share_db(balance: Balance, direction: Direction) -> float:
    return 10.0 * math.log10(max(_share(balance, direction), _FLOOR))


def _odds_db(balance: Balance, direction: Direction) -> float:
    share = _share(balance, direction)
    return 10.0 * math.log10(max(share, _FLOOR) / max(1.0 - share, _FLOOR))


def _change_db(before: Balance, after: Balance, direction: Direction) -> float:
    return _share_db(after, direction) - _share_db(before, direction)


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %" if share >= 0.01 else f"{100.0 * share:.1g} %"
