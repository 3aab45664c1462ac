"""Maps: how an equaliser plugin's parameters stand for bands, so that words can turn its knobs.

A map is a TOML file; ``semeq plugin map`` proposes one::

    schema = 1
    plugin = "/usr/lib/vst3/Some EQ.vst3"  # relative paths start at the map; #NAME says which of several
    settle_s = 0.02                        # what the plugin takes to glide to new values; 0.02 if not given

    [fixed]                                # set once, before the bands
    output_db = 0.0

    [[band]]                               # 1 to 32 of them, of any shape the plugin has
    kind = "peak"                          # low_shelf | peak | high_shelf: where to begin, no more
    gain = "band_1_gain_db"                # names as `semeq plugin show` lists them
    freq = "band_1_frequency_hz"           # optional: left out where the band stands still
    q = "band_1_q"                         # optional
    gain_range = [-12.0, 12.0]             # optional, each: what may be used, in the plugin's unit
    freq_range = [30.0, 16000.0]
    q_range = [0.3, 4.0]

What a parameter does is measured, not believed: a map says which may be turned, `semeq.engine.plugin_fit`
finds where to. So a crossover's frequency is as good as a bell's, and a bandwidth as good as a Q.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from semeq.engine.errors import DataError
from semeq.engine.inserts import Insert, Place
from semeq.engine.settings import Kind
from semeq.engine.texts import load_toml, read_limited

SCHEMA = 1
MAX_BANDS = 32
SETTLE_S = 0.02
MAX_SETTLE_S = 5.0
_LARGEST = 1 << 20
ROLES = ("gain", "freq", "q")
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class MapBand:
    """One band of the plugin.

    Parameters
    ----------
    kind : Kind
        What it begins as.
    gain : str
        The parameter that lifts it.
    freq, q : str, optional
        The parameters that move and widen it.
    ranges : mapping of str to (float, float)
        By role, what may be used in the plugin's unit; a role without one may use all.
    """

    kind: Kind
    gain: str
    freq: str | None = None
    q: str | None = None
    ranges: Mapping[str, Range] = field(default_factory=dict)

    def roles(self) -> list[tuple[str, str]]:
        """Return role and parameter of each that it has."""
        named = (("gain", self.gain), ("freq", self.freq), ("q", self.q))
        return [(role, name) for role, name in named if name is not None]


@dataclass(frozen=True, slots=True)
class PluginMap:
    """Which parameters of which plugin may be turned.

    Parameters
    ----------
    plugin : Path
        The plugin's file, absolute.
    bands : tuple of MapBand
        At least one.
    fixed : tuple of (str, str)
        Parameters that are set once.
    settle_s : float
        How long the plugin glides to new values, in [0, 5] s.
    """

    plugin: Path
    bands: tuple[MapBand, ...]
    fixed: tuple[tuple[str, str], ...] = ()
    settle_s: float = SETTLE_S


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{what} must be a text, got {value!r}")
    return value


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{what} must be a number, got {value!r}")
    return float(value)


def _only(content: Mapping[str, object], known: set[str], what: str) -> None:
    unknown = sorted(set(content) - known)
    if unknown:
        raise DataError(f"{what} must hold {', '.join(sorted(known))} only, got {unknown[0]!r}")


def _band(content: object, what: str) -> MapBand:
    if not isinstance(content, dict):
        raise DataError(f"{what} must be a table, got {content!r}")
    _only(content, {"kind", *ROLES, *(f"{role}_range" for role in ROLES)}, what)
    kind = content.get("kind", Kind.PEAK.value)
    if kind not in list(Kind):
        raise DataError(f"{what}: kind must be one of {', '.join(Kind)}, got {kind!r}")
    if "gain" not in content:
        raise DataError(f"{what} must name the parameter of its gain")
    ranges: dict[str, Range] = {}
    for role in ROLES:
        given = content.get(f"{role}_range")
        if given is None:
            continue
        name = f"{what}: {role}_range"
        if role not in content:
            raise DataError(f"{name} must come with {role}")
        if not isinstance(given, list) or len(given) != 2:
            raise DataError(f"{name} must be [low, high], got {given!r}")
        low, high = (_number(end, name) for end in given)
        if low >= high:
            raise DataError(f"{name} must be [low, high], got {given!r}")
        ranges[role] = (low, high)
    names = [_text(content[role], f"{what}: {role}") if role in content else None for role in ROLES]
    return MapBand(Kind(str(kind)), str(names[0]), names[1], names[2], ranges)


def read_map(path: Path) -> PluginMap:
    """Read a map.

    Raises
    ------
    DataError
        If it cannot be read or is no map; the message says what and where.
    """
    try:
        content = load_toml(read_limited(path, _LARGEST).decode("utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{path} must be TOML: {error}") from None
    _only(content, {"schema", "plugin", "settle_s", "fixed", "band"}, str(path))
    if content.get("schema") != SCHEMA:
        raise DataError(f"{path}: schema must be {SCHEMA}, got {content.get('schema')!r}")
    plugin = (
        path.absolute().parent / Path(_text(content.get("plugin"), f"{path}: plugin")).expanduser()
    )
    settle_s = _number(content.get("settle_s", SETTLE_S), f"{path}: settle_s")
    if not 0.0 <= settle_s <= MAX_SETTLE_S:
        raise DataError(f"{path}: settle_s must be in [0, {MAX_SETTLE_S:g}], got {settle_s:g}")
    fixed = content.get("fixed", {})
    if not isinstance(fixed, dict):
        raise DataError(f"{path}: fixed must be a table, got {fixed!r}")
    for name, value in fixed.items():
        if not isinstance(value, str | int | float | bool):
            raise DataError(f"{path}: fixed.{name} must be a value, got {value!r}")
    entries = content.get("band", [])
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_BANDS:
        raise DataError(f"{path} must hold 1 to {MAX_BANDS} tables [[band]]")
    bands = tuple(_band(entry, f"{path}: band {at}") for at, entry in enumerate(entries, 1))
    turned: dict[str, str] = {}
    for at, band in enumerate(bands, 1):
        for role, name in band.roles():
            if name in turned:
                raise DataError(f"{path}: band {at}: {role} must be {name!r} only once")
            if name in fixed:
                raise DataError(f"{path}: {name!r} must be fixed or turned, not both")
            turned[name] = role
    return PluginMap(
        plugin, bands, tuple((name, str(value)) for name, value in fixed.items()), settle_s
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def map_text(given: PluginMap) -> str:
    """Return a map as TOML that `read_map` reads."""
    lines = [f"schema = {SCHEMA}", f"plugin = {_quoted(str(given.plugin))}"]
    lines += [f"settle_s = {given.settle_s:g}"]
    if given.fixed:
        lines += ["", "[fixed]"]
        lines += [f"{_quoted(name)} = {_quoted(value)}" for name, value in given.fixed]
    for band in given.bands:
        lines += ["", "[[band]]", f'kind = "{band.kind.value}"']
        lines += [f"{role} = {_quoted(name)}" for role, name in band.roles()]
        lines += [
            f"{role}_range = [{low!r}, {high!r}]" for role, (low, high) in band.ranges.items()
        ]
    return "\n".join(lines) + "\n"


def turned_by(given: PluginMap, place: Place = Place.POST) -> Insert:
    """Return a map's plugin as an insert with its fixed values, its bands as they stand."""
    return Insert(given.plugin, place, values=given.fixed)
