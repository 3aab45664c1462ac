"""How far filters are from the analogue curves they stand for, and what designing them costs.

``python tests/bench/bench_filters.py FILE.svg`` draws the picture of the README.
"""

import sys
import time
from pathlib import Path

import numpy as np
from bench_tables import Table

import semeq.engine.jit  # noqa: F401  # the designer runs compiled, as it does live
from semeq.engine.design import DESIGNERS, design, prototype_db, response_db
from semeq.engine.plots import response_svg
from semeq.engine.settings import LAYOUT, REST_FREQS_HZ, Band, EQSettings, Kind
from semeq.engine.units import Floats

FREQS_HZ = np.concatenate([np.geomspace(20.0, 20_000.0, 400), np.linspace(1e4, 2e4, 200)])
RATES = (44_100.0, 48_000.0, 96_000.0)


def misses_db(settings: EQSettings, fs: float, name: str) -> float:
    """Return the largest distance from the prototype, 20 Hz to 20 kHz."""
    apart = response_db(settings, fs, FREQS_HZ, design=name) - prototype_db(settings, FREQS_HZ)
    return float(np.abs(apart).max())


def _alone(band: Band) -> EQSettings:
    flat = EQSettings.flat().bands
    at = LAYOUT.index(band.kind)
    return EQSettings((*flat[:at], band, *flat[at + 1 :]))


def _drawn(rng: np.random.Generator, kind: Kind, top_hz: float, gain_db: float) -> Band:
    """Return a random band: q 0.5 to 4, shelves 0.5 to 1.5, from 48 Hz on."""
    highest = 4.0 if kind is Kind.PEAK else 1.5
    freq = np.exp(rng.uniform(np.log(48.0), np.log(top_hz)))
    return Band(kind, float(freq), gain_db, float(np.exp(rng.uniform(*np.log([0.5, highest])))))


def cramping(count: int) -> Table:
    """Return how far one band and seven are from their prototypes."""
    table = Table(
        "The curve that was asked for",
        "Largest distance in dB from the analogue prototype, 20 Hz to 20 kHz, and its 99th percentile. *One "
        f"band*: {count} at ±12 dB, 48 Hz to 16 kHz, peaks of q 0.5 to 4 and shelves of 0.5 to 1.5. *Seven*: "
        f"{count} sets with gains within ±12 dB, 48 Hz to 18 kHz.",
        ["", "fs", "decramped, p99", "largest", "rbj, p99", "largest"],
    )
    for fs in RATES:
        found: dict[str, dict[str, list[float]]] = {}
        rng = np.random.default_rng(5)
        for _ in range(count):
            one = _alone(
                _drawn(rng, LAYOUT[rng.integers(7)], 16_000.0, float(rng.choice([-12.0, 12.0])))
            )
            seven = EQSettings(
                tuple(
                    _drawn(rng, kind, 18_000.0, float(rng.uniform(-12.0, 12.0))) for kind in LAYOUT
                )
            )
            for what, settings in (("one band", one), ("seven bands", seven)):
                for name in DESIGNERS:
                    found.setdefault(what, {}).setdefault(name, []).append(
                        misses_db(settings, fs, name)
                    )
        for what, by_design in found.items():
            cells = [
                f"{value:.3f}"
                for name in DESIGNERS
                for value in (float(np.quantile(by_design[name], 0.99)), max(by_design[name]))
            ]
            table.rows.append((what, f"{fs:g} Hz", *cells))
            table.data[f"{what} {fs:g}"] = {
                name: {"p99": float(np.quantile(all_of_them, 0.99)), "max": max(all_of_them)}
                for name, all_of_them in by_design.items()
            }
    return table


def cost(count: int) -> Table:
    """Return how long seven bands take to design."""
    table = Table(
        "Designing seven bands",
        f"Microseconds for seven new bands at 48 kHz, median and fastest of {count}.",
        ["design", "median", "fastest"],
    )
    rng = np.random.default_rng(3)
    for name in DESIGNERS:
        taken = []
        for _ in range(count):
            settings = EQSettings(
                tuple(
                    _drawn(rng, kind, 16_000.0, float(rng.uniform(-12.0, 12.0))) for kind in LAYOUT
                )
            )
            begin = time.perf_counter()
            design(settings, 48_000.0, design=name)
            taken.append(1e6 * (time.perf_counter() - begin))
        table.rows.append((name, f"{np.median(taken):.0f} µs", f"{min(taken):.0f} µs"))
        table.data[name] = {"median_us": float(np.median(taken)), "min_us": min(taken)}
    return table


def picture() -> str:
    """Return the README's chart: three bands near the top at 44.1 kHz, asked for and played."""
    bands = [Band(kind, f) for kind, f in zip(LAYOUT, REST_FREQS_HZ, strict=True)]
    bands[4] = Band(Kind.PEAK, 3500.0, -9.0, 0.9)
    bands[5] = Band(Kind.PEAK, 12_000.0, 12.0, 0.9)
    settings = EQSettings(tuple(bands))
    freqs: Floats = np.geomspace(20.0, 20_000.0, 320)
    return response_svg(
        {
            "what was asked for": prototype_db(settings, freqs),
            "semeq": response_db(settings, 44_100.0, freqs),
            "bilinear filters (--design rbj)": response_db(settings, 44_100.0, freqs, design="rbj"),
        },
        freqs,
        title="-9 dB at 3.5 kHz, +12 dB at 12 kHz, played at 44.1 kHz",
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture(), encoding="utf-8")
