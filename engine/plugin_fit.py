"""Where to turn an equaliser plugin's knobs so that its response follows a curve: by measuring it.

The plugin is asked for its impulse response; from that follow its response in dB and, knob by knob, its
slopes, for a bounded least-squares fit [1]_ over gain (linear), frequency and Q (logarithmic). Nothing is
assumed about its filters. The level of the curve is free: a render takes back what the loudness gained.

What was found is then measured again with another signal, a sweep of real level, and the error is that of the
sweep: a plugin that compresses, or answers only later, cannot hide it.

References
----------
.. [1] M. A. Branch, T. F. Coleman, Y. Li, "A subspace, interior, and conjugate gradient method for
   large-scale bound-constrained minimization problems", SIAM J. Sci. Comput. 21(1), 1999 (scipy's ``trf``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from semeq.engine.design import DEFAULT_DESIGN, response_db
from semeq.engine.errors import PluginError
from semeq.engine.plugin_guest import Guest
from semeq.engine.plugin_knobs import knobs_of
from semeq.engine.plugin_map import PluginMap
from semeq.engine.plugin_response import (
    FLOOR_DB,
    IMPULSE_FRAMES,
    grid,
    measure_db,
    spectrum_db,
)
from semeq.engine.settings import EQSettings
from semeq.engine.units import Floats

#: At how many points curves are compared while fitting, and when judged.
FIT_POINTS, JUDGE_POINTS = 72, 200
#: A knob's step for a slope, as a share of its range: well above rounding, well below a hump.
STEP = 4e-3
#: What a dB of gain costs beside a dB of error: bands that cancel each other are not wanted.
GAIN_COST = 0.02
MAX_ROUNDS = 12
#: Another start is tried where the first ends further away than this (dB rms).
GOOD_DB = 0.35


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the knobs came to, and how near the plugin's response is to the curve.

    Parameters
    ----------
    values, raws : mapping of str to float
        Each knob in the plugin's unit, and as a raw value.
    rms_db, max_db : float
        The error over `freqs_hz` as a sweep measures it, level removed.
    level_db : float
        The level that was removed: the plugin's minus the curve's.
    freqs_hz, wanted_db, got_db : Floats
        The curve and the response, both without that level.
    measurements : int
        How often the plugin was asked.
    """

    values: Mapping[str, float]
    raws: Mapping[str, float]
    rms_db: float
    max_db: float
    level_db: float
    freqs_hz: Floats
    wanted_db: Floats
    got_db: Floats
    measurements: int

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "values": dict(self.values),
            "error_rms_db": round(self.rms_db, 3),
            "error_max_db": round(self.max_db, 3),
            "level_db": round(self.level_db, 3),
            "freqs_hz": np.round(self.freqs_hz, 2).tolist(),
            "wanted_db": np.round(self.wanted_db, 3).tolist(),
            "got_db": np.round(self.got_db, 3).tolist(),
            "measurements": self.measurements,
        }


class PluginFitter:
    """Fits curves to one plugin; owns the knobs, not the guest.

    Parameters
    ----------
    guest : Guest
        Prepared at `fs` with the map's fixed values set, see `prepared`.
    given : PluginMap
        What may be turned.
    fs : float
        Sample rate in Hz.
    channels : int
        What the guest was prepared for.
    blocksize : int
        What the guest was prepared for.

    Attributes
    ----------
    knobs : list of Knob
        What may be turned.
    freqs_hz : Floats
        Where curves are compared.
    measured : int
        How often the plugin was asked.
    """

    def __init__(
        self, guest: Guest, given: PluginMap, fs: float, channels: int, blocksize: int
    ) -> None:
        self._guest, self._map, self._fs = guest, given, fs
        self._channels, self._blocksize = channels, blocksize
        self.knobs = knobs_of(guest, given)
        self.freqs_hz = self._freqs = grid(fs, FIT_POINTS)
        self.measured = 0

    def _raws(self, places: Floats) -> dict[str, float]:
        return {knob.name: knob.raw(float(at)) for knob, at in zip(self.knobs, places, strict=True)}

    def response_db(self, places: Floats) -> Floats:
        """Return the plugin's response with the knobs at `places`, each in [0, 1]."""
        self.measured += 1
        frames = IMPULSE_FRAMES + self._guest.latency_frames
        out = self._guest.impulse(self._raws(places), frames, self._map.settle_s)
        return spectrum_db(out[:, 0], None, self._fs, self._freqs)

    def homes(self) -> list[Floats]:
        """Return places without any gain: bands as they stand, and spread over the range."""
        now = {facts.name: facts.raw for facts in self._guest.parameters()}
        homes = []
        for spreading in (False, True):
            places = np.zeros(len(self.knobs))
            for at, knob in enumerate(self.knobs):
                value = float(np.interp(now[knob.name], *knob.rising))
                if knob.role == "freq" and spreading:
                    value = float(self._spread[knob.band])
                places[at] = knob.place(0.0 if knob.role == "gain" else value)
            homes.append(places)
        return homes

    @property
    def _spread(self) -> Floats:
        """Frequencies for all bands, spread over the range."""
        count = len(self._map.bands)
        return np.geomspace(60.0, min(12_000.0, 0.3 * self._fs), count + 2)[1:-1]

    def starts(self, wanted_db: Floats) -> list[Floats]:
        """Return where to begin: bands as they stand, and spread over the range; gains by the curve."""
        starts = self.homes()
        for places in starts:
            centres = np.array(self._spread)
            for at, knob in enumerate(self.knobs):
                if knob.role == "freq":
                    centres[knob.band] = knob.value(float(places[at]))
            for at, knob in enumerate(self.knobs):
                if knob.role == "gain":
                    gain = np.interp(centres[knob.band], self._freqs, wanted_db)
                    places[at] = knob.place(0.7 * float(gain))
        return [np.clip(places, 0.02, 0.98) for places in starts]

    def fit(self, wanted_db: Callable[[Floats], Floats]) -> Fitted:
        """Turn the knobs so that the response follows a curve; leave the plugin there.

        Parameters
        ----------
        wanted_db : callable
            Returns the curve in dB at given frequencies in Hz.
        """
        # only here: it takes a while to load
        from scipy.optimize import least_squares

        target = wanted_db(self._freqs)
        target = target - target.mean()
        gains = np.array([knob.role == "gain" for knob in self.knobs])
        spans = np.array([knob.high - knob.low for knob in self.knobs])
        rest = np.array([knob.place(0.0) for knob in self.knobs])
        root = np.sqrt(len(target))

        def residuals(places: Floats) -> Floats:
            got = self.response_db(places)
            error = (got - got.mean() - target) / root
            cost = GAIN_COST * ((places - rest) * spans)[gains] / np.sqrt(gains.sum())
            return np.concatenate((error, cost))

        best: tuple[float, Floats] | None = None
        for start in self.starts(target):
            found = least_squares(
                *(residuals, start),
                bounds=(0.0, 1.0),
                diff_step=STEP / np.maximum(start, 0.02),
                xtol=1e-4,
                ftol=1e-4,
                max_nfev=MAX_ROUNDS,
            )
            rms = float(np.sqrt(np.sum(found.fun[: len(target)] ** 2)))
            if best is None or rms < best[0]:
                best = rms, found.x
            if best[0] < GOOD_DB:
                break
        assert best is not None
        return self._judged(best[1], wanted_db)

    def _judged(self, places: Floats, wanted_db: Callable[[Floats], Floats]) -> Fitted:
        """Set the knobs, measure with a sweep, and tell."""
        raws = self._raws(places)
        self.response_db(places)  # sets them, and lets them arrive
        freqs = grid(self._fs, JUDGE_POINTS)
        got = measure_db(self._guest, self._fs, self._channels, freqs, self._blocksize)
        if got.max() <= FLOOR_DB + 1.0:
            raise PluginError(f"{self._guest.name} must let sound pass, but it is silent")
        wanted = wanted_db(freqs)
        level = float(got.mean() - wanted.mean())
        error = got - wanted - level
        values = {
            knob.name: knob.value(float(at)) for knob, at in zip(self.knobs, places, strict=True)
        }
        rms = float(np.sqrt(np.mean(error**2)))
        return Fitted(
            values=values,
            raws=raws,
            rms_db=rms,
            max_db=float(np.abs(error).max()),
            level_db=level,
            freqs_hz=freqs,
            wanted_db=wanted - wanted.mean(),
            got_db=got - got.mean(),
            measurements=self.measured,
        )

    def follow(self, settings: EQSettings, *, design: str = DEFAULT_DESIGN) -> Fitted:
        """Turn the knobs so that the response follows that of our seven bands."""
        return self.fit(lambda freqs: response_db(settings, self._fs, freqs, design=design))
