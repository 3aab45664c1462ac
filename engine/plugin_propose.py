"""A first map of an equaliser plugin: from the names of its parameters, checked by what each does.

Names say which parameters belong together; whether a band does anything, and what shape it has, is measured.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from semeq.engine.errors import PluginError
from semeq.engine.plugin_guest import Guest
from semeq.engine.plugin_map import MAX_BANDS, SETTLE_S, MapBand, PluginMap
from semeq.engine.plugin_response import IMPULSE_FRAMES, grid, spectrum_db
from semeq.engine.plugin_values import ParameterFacts
from semeq.engine.settings import Kind
from semeq.engine.units import Floats

#: Parameters that lift everything, or something else than a band.
_WHOLE = re.compile(
    r"\b(out(put)?|in(put)?|master|make.?up|trim|volume|level|mix|thresh\w*|pan|range|ceiling|wet|dry)\b",
    re.IGNORECASE,
)
_ROLE_WORDS = {"gain", "freq", "frequency", "q", "bandwidth", "bw", "width", "level", "db", "hz"}
_WIDTH_WORDS = {"q", "bandwidth", "bw", "width", "resonance", "reso"}
_SWITCH_WORDS = {"on", "enable", "enabled", "active"}
#: How far a gain is turned to see what it does (dB), and what it must do (dB).
LIFT_DB, LEAST_DB = 6.0, 0.3
#: A band that lifts an end of the range by this share of its most is a shelf.
SHELF_SHARE = 0.7
SETTLES_S = (0.0, SETTLE_S, 0.1, 0.3, 1.0)
SETTLED_DB = 0.05
_POINTS = 100


@dataclass(frozen=True, slots=True)
class Proposal:
    """A map, and what came up on the way."""

    map: PluginMap
    notes: tuple[str, ...]


def _tokens(facts: ParameterFacts) -> set[str]:
    return set(re.findall(r"[a-z]+|\d+", facts.label.casefold()))


def _is_gain(facts: ParameterFacts) -> bool:
    if facts.low is None or facts.high is None or not facts.low < 0.0 < facts.high:
        return False
    is_db = facts.unit.casefold() == "db" or "gain" in _tokens(facts)
    is_numbered = re.search(r"\d|band", facts.label, re.IGNORECASE) is not None
    return is_db and (is_numbered or _WHOLE.search(facts.label) is None)


def _is_freq(facts: ParameterFacts) -> bool:
    if facts.low is None or facts.high is None:
        return False
    by_name = bool({"freq", "frequency"} & _tokens(facts)) and facts.high > 100.0
    return facts.unit.casefold() in ("hz", "khz") or by_name


def _is_width(facts: ParameterFacts) -> bool:
    return facts.low is not None and bool(_WIDTH_WORDS & _tokens(facts))


def _partner(gain: ParameterFacts, others: list[ParameterFacts]) -> ParameterFacts | None:
    """Return the parameter whose name has most in common with a gain's, and take it off the list."""
    key = _tokens(gain) - _ROLE_WORDS

    def likeness(other: ParameterFacts) -> float:
        theirs = _tokens(other) - _ROLE_WORDS
        return len(key & theirs) / max(len(key | theirs), 1)

    best = max(others, key=likeness, default=None)
    if best is None or likeness(best) <= 0.0:
        return None
    others.remove(best)
    return best


def _response(guest: Guest, fs: float, raws: dict[str, float], settle_s: float) -> Floats:
    frames = IMPULSE_FRAMES + guest.latency_frames
    out = guest.impulse(raws, frames, settle_s)
    return spectrum_db(out[:, 0], None, fs, grid(fs, _POINTS))


def _lifted(guest: Guest, facts: ParameterFacts) -> float | None:
    """Return the raw value of a gain turned up."""
    scale = guest.scale(facts.name)
    if scale is None or facts.high is None:
        return None
    return float(np.interp(min(LIFT_DB, facts.high), *scale))


def _kind_of(change_db: Floats) -> Kind:
    most = float(np.abs(change_db).max())
    if abs(change_db[0]) > SHELF_SHARE * most and abs(change_db[-1]) < SHELF_SHARE * most:
        return Kind.LOW_SHELF
    if abs(change_db[-1]) > SHELF_SHARE * most and abs(change_db[0]) < SHELF_SHARE * most:
        return Kind.HIGH_SHELF
    return Kind.PEAK


def _settling(guest: Guest, fs: float, name: str, raws: tuple[float, float]) -> float:
    """Return how long a gain takes to arrive."""
    rest, up = raws
    wanted: Floats | None = None
    best = SETTLES_S[-1]
    for settle_s in reversed(SETTLES_S):
        _response(guest, fs, {name: rest}, SETTLES_S[-1])
        got = _response(guest, fs, {name: up}, settle_s)
        wanted = got if wanted is None else wanted
        if np.abs(got - wanted).max() > SETTLED_DB:
            break
        best = settle_s
    _response(guest, fs, {name: rest}, SETTLES_S[-1])
    return best


def _switches(parameters: Iterable[ParameterFacts], gain: ParameterFacts) -> list[str]:
    """Return the switches that turn a band on."""
    key = _tokens(gain) - _ROLE_WORDS
    return [
        facts.name
        for facts in parameters
        if {choice.casefold() for choice in facts.choices} == {"on", "off"}
        and _SWITCH_WORDS & _tokens(facts)
        and key
        and key <= _tokens(facts)
    ]


def propose(guest: Guest, fs: float) -> Proposal:
    """Propose a map of a guest that was prepared at `fs` Hz.

    Raises
    ------
    PluginError
        If nothing of it looks and works like a band.
    """
    parameters = guest.parameters()
    gains = [facts for facts in parameters if _is_gain(facts)]
    freqs = [facts for facts in parameters if _is_freq(facts)]
    widths = [facts for facts in parameters if _is_width(facts) and not _is_freq(facts)]
    fixed = {name: "on" for gain in gains for name in _switches(parameters, gain)}
    guest.set(fixed)
    notes, bands, settle_s = [], [], 0.0
    rest = _response(guest, fs, {}, SETTLES_S[-1])
    for gain in gains[:MAX_BANDS]:
        freq, width = _partner(gain, freqs), _partner(gain, widths)
        up = _lifted(guest, gain)
        if up is None:
            notes.append(f"{gain.name} shows no numbers that rise or fall: left out")
            continue
        change = _response(guest, fs, {gain.name: up}, SETTLES_S[-1]) - rest
        settle_s = max(settle_s, _settling(guest, fs, gain.name, (gain.raw, up)))
        if np.abs(change).max() < LEAST_DB:
            notes.append(f"{gain.name} changes nothing: left out; is its band switched on?")
            continue
        if np.ptp(change) < LEAST_DB:
            notes.append(f"{gain.name} lifts everything alike: left out")
            continue
        bands.append(
            MapBand(
                _kind_of(change),
                gain.name,
                None if freq is None else freq.name,
                None if width is None else width.name,
            )
        )
    if not bands:
        known = ", ".join(facts.name for facts in parameters[:12]) or "none"
        raise PluginError(
            f"{guest.name} must have gains in dB that change its response, to be mapped; its parameters: "
            f"{known}"
        )
    notes += [f"{facts.name} belongs to no gain: left as it is" for facts in (*freqs, *widths)]
    made = PluginMap(guest.path, tuple(bands), tuple(fixed.items()), settle_s)
    return Proposal(replace(made, settle_s=max(settle_s, SETTLE_S)), tuple(notes))
