"""Follows a curve that moves, with an equaliser plugin's knobs: measured, and quick enough for live use.

`semeq.engine.plugin_fit` finds the best place for a file and takes seconds. Here a knob of ours moves the
curve all the time, so each step is one damped least-squares step [1]_ with the slopes that are known,
measured on the plugin before it is taken; the slopes are kept right by what each step taught (Broyden's
update [2]_) and measured anew only when steps no longer help. A word turned by a hand costs a measurement or
two. When the curve rests and the plugin is not near it, other places are searched from the start, unheard.

References
----------
.. [1] D. W. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", SIAM J. Appl.
   Math. 11(2), 1963.
.. [2] C. G. Broyden, "A class of methods for solving nonlinear simultaneous equations", Math. Comp. 19, 1965.
"""

from dataclasses import dataclass

import numpy as np

from semeq.engine.design import DEFAULT_DESIGN, response_db
from semeq.engine.plugin_fit import GAIN_COST, GOOD_DB, STEP, PluginFitter
from semeq.engine.settings import EQSettings
from semeq.engine.units import Floats

#: What a whole range of a frequency or a Q away from home costs beside a dB of error: where a curve does not
#: say where they belong, they go home, and the same words come to the same knobs.
HOME_COST = 0.1
#: What a dB of level costs beside a dB of error: the dry sound in the plugin's place is not to jump by it.
LEVEL_COST = 0.05
#: No frequency or Q moves further in one step, as a share of its range.
MAX_MOVE = 0.15
#: A step that helps less than this share of the cost is none; so many of them, and it is done.
WORTH, MOST_VAIN = 0.01, 4
#: What another place has to be better by, in cost, before the knobs go there.
BETTER = 0.7
_FIRST_DAMPING, _LEAST_DAMPING = 1e-2, 1e-4
#: What a knob without slope is damped by, as a share of the mean of all.
_FLOOR = 0.02


@dataclass(frozen=True, slots=True)
class Following:
    """Where the knobs are, and how near that is.

    Parameters
    ----------
    settings : EQSettings
        Whose curve is followed.
    raws : tuple of (str, float)
        The knobs, as raw values.
    values : tuple of (str, float)
        The same in the plugin's units.
    rms_db, max_db : float
        The error as measured, level removed.
    level_db : float
        The level that was removed: the plugin's minus the curve's.
    is_settled : bool
        Whether further steps would not help.
    """

    settings: EQSettings
    raws: tuple[tuple[str, float], ...]
    values: tuple[tuple[str, float], ...]
    rms_db: float
    max_db: float
    level_db: float
    is_settled: bool


class _Aim:
    """What is to be small: the error of a response, gains, and ways from home."""

    def __init__(self, fitter: PluginFitter, home: Floats) -> None:
        self.home = home
        self.is_gain = np.array([knob.role == "gain" for knob in fitter.knobs])
        self.curve = fitter.freqs_hz * 0.0
        spans = np.array([knob.high - knob.low for knob in fitter.knobs])
        gains, others = self.is_gain.sum(), max((~self.is_gain).sum(), 1)
        weights = np.where(
            self.is_gain, GAIN_COST * spans / np.sqrt(gains), HOME_COST / np.sqrt(others)
        )
        self._weights = np.diag(weights)

    def residuals(self, got: Floats, places: Floats) -> Floats:
        """Return what is squared and summed."""
        error = got - self.curve
        level = error.mean()
        costs = self._weights @ (places - self.home)
        return np.concatenate(((error - level) / np.sqrt(error.size), costs, [LEVEL_COST * level]))

    def cost(self, got: Floats, places: Floats) -> float:
        """Return the sum of the squares."""
        residuals = self.residuals(got, places)
        return float(residuals @ residuals)

    def jacobian(self, slopes: Floats) -> Floats:
        """Return how the residuals change with the places."""
        level = slopes.mean(axis=0)
        shape = (slopes - level) / np.sqrt(len(slopes))
        return np.concatenate((shape, self._weights, LEVEL_COST * level[np.newaxis]))


class _Search:
    """Goes downhill from one place, a measured step at a time."""

    def __init__(self, fitter: PluginFitter, aim: _Aim, places: Floats) -> None:
        self._fitter, self._aim = fitter, aim
        self.places = places
        self.got = fitter.response_db(places)
        self._slopes: Floats | None = None
        self._is_fresh = False
        self._damping = _FIRST_DAMPING
        self._vain = 0
        self.is_done = False

    @property
    def cost(self) -> float:
        """How far it is from the aim."""
        return self._aim.cost(self.got, self.places)

    def again(self) -> None:
        """Go on: the aim has moved."""
        self.is_done, self._vain = False, 0
        self._damping = min(self._damping, _FIRST_DAMPING)

    def step(self) -> bool:
        """Try one step; return whether it has moved."""
        if self._slopes is None:
            self._measure_slopes()
        slopes, cost = self._slopes, self.cost
        assert slopes is not None
        move = self._move(slopes)
        length = float(move @ move)
        if length < 1e-12:
            return self._was_vain()
        places = self.places + move
        got = self._fitter.response_db(places)
        gained = cost - self._aim.cost(got, places)
        if gained <= 0.0 and self._is_fresh:
            self._damping *= 10.0
            return self._was_vain()
        missed = got - self.got - slopes @ move
        self._slopes, self._is_fresh = slopes + np.outer(missed, move) / length, False
        if gained <= 0.0:
            return self._was_vain()
        self._damping = max(0.3 * self._damping, _LEAST_DAMPING)
        self.places, self.got = places, got
        if gained < WORTH * cost:
            self._was_vain()
        else:
            self._vain = 0
        return True

    def _measure_slopes(self) -> None:
        columns = []
        for at in range(len(self.places)):
            moved = self.places.copy()
            way = STEP if moved[at] < 0.5 else -STEP
            moved[at] += way
            columns.append((self._fitter.response_db(moved) - self.got) / way)
        self._slopes, self._is_fresh = np.stack(columns, axis=1), True

    def _move(self, slopes: Floats) -> Floats:
        """Return the damped step, kept within the ranges: a knob at its end stays there."""
        jacobian = self._aim.jacobian(slopes)
        residuals = self._aim.residuals(self.got, self.places)
        power = np.sum(jacobian**2, axis=0)
        damping = self._damping * (power + _FLOOR * power.mean())
        most = np.where(self._aim.is_gain, 1.0, MAX_MOVE)
        low, high = np.maximum(-self.places, -most), np.minimum(1.0 - self.places, most)
        move, free = np.zeros(len(power)), np.ones(len(power), dtype=bool)
        while free.any():
            inner = jacobian[:, free]
            right = -inner.T @ (residuals + jacobian[:, ~free] @ move[~free])
            wanted = np.linalg.solve(inner.T @ inner + np.diag(damping[free]), right)
            move[free] = np.clip(wanted, low[free], high[free])
            beyond = move[free] != wanted
            if not beyond.any():
                break
            free[np.flatnonzero(free)[beyond]] = False
        return move

    def _was_vain(self) -> bool:
        """Count a step that hardly helped; measure the slopes anew, or be done."""
        self._vain += 1
        if self._vain >= MOST_VAIN:
            self.is_done = True
        elif not self._is_fresh:
            self._measure_slopes()
        return False


class PluginFollower:
    """Follows curves with one plugin; owns the places of its knobs.

    Parameters
    ----------
    fitter : PluginFitter
        Knobs and measurements.
    fs : float
        Sample rate in Hz.
    design : str
        How our bands would become filters, see `semeq.engine.design.DESIGNERS`.
    """

    def __init__(self, fitter: PluginFitter, fs: float, design: str = DEFAULT_DESIGN) -> None:
        self._fitter, self._fs, self._design = fitter, fs, design
        self._aim = _Aim(fitter, fitter.homes()[0])
        self._search = _Search(fitter, self._aim, self._aim.home.copy())
        self._other: _Search | None = None
        self._starts: list[Floats] = []
        self._settings = EQSettings.flat()
        self.is_settled = False

    @property
    def settings(self) -> EQSettings:
        """Whose curve is followed."""
        return self._settings

    def aim(self, settings: EQSettings) -> None:
        """Follow another curve from here on; costs nothing."""
        self._settings = settings
        curve = response_db(settings, self._fs, self._fitter.freqs_hz, design=self._design)
        self._aim.curve = curve
        self._search.again()
        self._other, self.is_settled = None, False
        self._starts = self._fitter.starts(curve - curve.mean())

    def step(self) -> bool:
        """Try one step; return whether the knobs have moved.

        Raises
        ------
        PluginError
            If the plugin is gone.
        """
        if self.is_settled:
            return False
        if not self._search.is_done:
            return self._search.step()
        if self._other is None:
            if self._search.cost < GOOD_DB**2 or not self._starts:
                self.is_settled = True
                return False
            self._other = _Search(self._fitter, self._aim, self._starts.pop(0))
        if not self._other.is_done:
            self._other.step()
            return False
        found, self._other = self._other, None
        if found.cost > BETTER * self._search.cost:
            return False
        self._search = found
        return True

    @property
    def _error_db(self) -> Floats:
        return self._search.got - self._aim.curve

    @property
    def rms_db(self) -> float:
        """How far the plugin's response is from the curve, level removed."""
        return float(np.std(self._error_db))

    def following(self) -> Following:
        """Return where the knobs are now."""
        error = self._error_db
        level = float(error.mean())
        pairs = [
            (knob, float(place))
            for knob, place in zip(self._fitter.knobs, self._search.places, strict=True)
        ]
        return Following(
            self._settings,
            tuple((knob.name, knob.raw(place)) for knob, place in pairs),
            tuple((knob.name, knob.value(place)) for knob, place in pairs),
            self.rms_db,
            float(np.abs(error - level).max()),
            level,
            self.is_settled,
        )
