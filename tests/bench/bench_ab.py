"""Is what is processed as loud as what is bypassed? ``python tests/bench/bench_ab.py --music DIR``.

The code of a live session plays recordings under a dozen words, and once the level has settled its gated
loudness (ITU-R BS.1770) is compared with that of the sound that went in, over the same span.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from bench_tables import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from ab_loudness import SETTLED_S, TERMS, louder_lu, pieces


def matched(folder: Path, count: int, seconds: float) -> Table:
    """Return how far apart the two are."""
    table = Table(
        "As loud as bypassed",
        f"{seconds:g} s of {count} recordings, from {SETTLED_S:g} s on; differences in LU.",
        ["word", "median", "95 % within", "largest", "within 0.2"],
    )
    played = list(pieces(folder, count, seconds))
    every: list[float] = []
    for word, weight in TERMS:
        found = [louder_lu(x, fs, (word, weight)) for x, fs in played]
        off = [abs(value) for value in found if value is not None]
        every += off
        table.rows.append((f"{word}:{weight:g}", *_summary(off)))
    table.rows.append(("all", *_summary(every)))
    table.data["all"] = {"p95": float(np.percentile(every, 95)), "max": max(every)}
    return table


def _summary(off: list[float]) -> tuple[str, ...]:
    share = np.mean(np.array(off) <= 0.2)
    middle, most = np.percentile(off, (50, 95))
    return f"{middle:.2f}", f"{most:.2f}", f"{max(off):.2f}", f"{100 * share:.0f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, required=True, help="folder of recordings")
    parser.add_argument("--pieces", type=int, default=24, help="how many of them")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each")
    args = parser.parse_args()
    print(matched(args.music, args.pieces, args.seconds).markdown())


if __name__ == "__main__":
    main()
