"""Maps of the equalisers that the tests host, and curves for them."""

from pathlib import Path

from semeq.engine.inserts import opened
from semeq.engine.plugin_fit import Fitted, PluginFitter
from semeq.engine.plugin_guest import BLOCKSIZE
from semeq.engine.plugin_map import MapBand, PluginMap, turned_by
from semeq.engine.settings import LAYOUT, Band, EQSettings, Kind

FS = 48_000.0


def settings_of(*gains: float) -> EQSettings:
    freqs = (100.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0, 10_000.0)
    bands = zip(LAYOUT, freqs, gains, strict=True)
    return EQSettings(tuple(Band(kind, freq, gain, 0.71) for kind, freq, gain in bands))


#: Like people's *warm* and *bright*: a slope over the whole range.
WARM = settings_of(3.0, 1.0, 0.5, -1.0, -1.0, -1.5, -2.0)
BRIGHT = settings_of(-2.0, -1.0, 0.0, 1.0, 2.0, 2.0, 3.0)


def three_band(path: Path) -> PluginMap:
    """DISTRHO's 3 Band EQ: three gains and two crossovers of first order."""
    return PluginMap(
        path,
        (
            MapBand(Kind.LOW_SHELF, "low_db", "low_mid_freq_hz"),
            MapBand(Kind.PEAK, "mid_db"),
            MapBand(Kind.HIGH_SHELF, "high_db", "mid_high_freq_hz"),
        ),
        (("Master", "0"),),
    )


def four_peaks(path: Path) -> PluginMap:
    """Return the map of our own parametric test equaliser."""
    names = (f"band_{number}" for number in (1, 2, 3, 4))
    return PluginMap(
        path,
        tuple(MapBand(Kind.PEAK, f"{n}_gain_db", f"{n}_frequency_hz", f"{n}_q") for n in names),
    )


def follow(given: PluginMap, settings: EQSettings, channels: int = 1) -> Fitted:
    with opened(turned_by(given), FS, channels) as guest:
        return PluginFitter(guest, given, FS, channels, BLOCKSIZE).follow(settings)
