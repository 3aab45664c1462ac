"""Soak semeq: ``python tests/soak/soak_main.py [--seconds 600] [--block 64 --block 128]``.

Prints a Markdown table and writes ``soak-out/soak.md`` and ``soak-out/soak.json``; exit code 1 if a promise
was not kept. The load is in the session's own process; still, give it a machine that does nothing else.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "bench")]

from bench_tables import Table, machine  # noqa: E402 (the path comes first)
from machine_floor import WORK_US  # noqa: E402
from soak_run import MAX_SHARE, Soak, soak  # noqa: E402


def table(runs: list[Soak]) -> Table:
    """Return the runs as a table for people."""
    made = Table(
        "Soak",
        "A live session on JACK (dummy driver, 48 kHz, real-time), the encoder at work, and in its own "
        "process: garbage collections over 400,000 objects, a thread that never lets the interpreter go, "
        "bursts of 1,000 changes of recipe and knobs 1 ms apart. Deadlines are missed by the wall clock "
        "in the callback; xruns are those of the whole graph. *Own* is what the callback was at work, or all "
        "of its time if it waited for anybody: the rest of the wall clock's time its core was taken away. "
        f"Promised: 0 missed, max ≤ {MAX_SHARE:.0%} of the period, memory flat. The "
        f"floor is what the machine does meanwhile to {WORK_US:g} µs of arithmetic a period in a thread "
        "above all others, on every core.",
        [
            "block",
            "s",
            "callbacks",
            "missed",
            "xruns",
            "p50",
            "p99.9",
            "max",
            "max / period",
            "own: missed, max, max / period",
            "windows heard",
            "changes",
            "collections (longest)",
            "memory, MiB",
            "grown, MiB",
            "load average",
            "steal",
            "floor: over a quarter, over a period, max",
        ],
    )
    for run in runs:
        status, load, us = run.status, run.session["load"], run.status["callback_us"]
        settled = [mib for _, mib in run.rss_mib]
        low, high = run.machine["load_average_during"]
        made.rows.append(
            (
                str(run.block),
                f"{run.seconds:g}",
                f"{status['callbacks']:,}",
                str(status["missed_deadlines"]),
                str(status["xruns"]),
                f"{us['p50']:g} µs",
                f"{us['p99.9']:g} µs",
                f"{us['max']:g} µs",
                f"{run.max_share:.1%}",
                f"{run.own_missed}, {run.own_us:.0f} µs, {run.own_us / run.period_us:.1%}",
                str(status["encoder"]["updates"]),
                f"{load['changes']:,}",
                f"{load['collections']:,} ({1000 * load['longest_collection_s']:.0f} ms)",
                f"{settled[0]:.1f} → {settled[-1]:.1f}",
                f"{run.growth_mib:+.2f}",
                f"{low:g}–{high:g}",
                f"{run.machine['steal_s']:g} s",
                _floor(run.machine["floor"]),
            )
        )
    return made


def _floor(floor: dict[str, Any]) -> str:
    if not floor:
        return "–"
    return f"{floor['over_a_quarter']}, {floor['over_a_period']}, {floor['max_us']:g} µs"


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak_main.py", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="a block size (default: 600)")
    parser.add_argument("--block", type=int, action="append", help="default: 64 and 128")
    parser.add_argument("--out", type=Path, default=Path("soak-out"), help="folder of the results")
    args = parser.parse_args()
    if args.seconds < 20.0:
        parser.error("--seconds must be 20 or more: memory takes a while to settle")
    args.out.mkdir(parents=True, exist_ok=True)
    facts, runs = machine(), []
    for block in args.block or [64, 128]:
        print(f"block {block}, {args.seconds:g} s …", file=sys.stderr, flush=True)
        runs.append(soak(block, args.seconds, args.out))
    failures = [
        f"block {run.block}: {line}"
        for run in runs
        for line in dict.fromkeys([*run.failures(), *run.own_failures()])
    ]
    text = "".join(f"- {name}: {value}\n" for name, value in facts.items())
    text += "\n" + table(runs).markdown()
    text += "".join(f"\nNOT KEPT: {line}\n" for line in failures)
    print(text, flush=True)
    (args.out / "soak.md").write_text(text, encoding="utf-8")
    result = {"machine": facts, "runs": [run.as_dict() for run in runs]}
    (args.out / "soak.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
