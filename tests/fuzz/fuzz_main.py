"""Fuzz semeq: ``python tests/fuzz/fuzz_main.py [--cases 10000] [--seed 0] [--jobs 2]``.

Damages small real files of every kind that semeq reads, and reads them as the commands do. Prints a table
and writes ``fuzz-out/fuzz.json``; a file that was not read or refused cleanly is kept in ``fuzz-out/failed``,
and the exit code is 1. ``--case N`` does one case again, here, and says what happened.
"""

import argparse
import json
import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from fuzz_run import CLEAN, FINE, Case, damaged, run, tried  # noqa: E402 (the path comes first)


def table(cases: list[Case]) -> str:
    """Return the counts by kind as Markdown."""
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        verdict = case.verdict if not case.failed else "failed"
        counts.setdefault(case.seed.split(".")[0], Counter())[verdict] += 1
    rows = ["| kind | cases | read | refused in one line | failed |", "|---|---|---|---|---|"]
    counts["all"] = sum(counts.values(), Counter())
    for kind, found in sorted(counts.items(), key=lambda item: item[1].total()):
        rows.append(
            f"| {kind} | {found.total():,} | {found[FINE]:,} | {found[CLEAN]:,} | {found['failed']:,} |"
        )
    return "\n".join(rows)


def keep(folder: Path, case: Case, data: bytes) -> None:
    """Keep a file that failed, and what happened."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{case.number}.{case.seed}"
    path.write_bytes(data)
    path.with_name(path.name + ".txt").write_text(f"{case.verdict}\n{case.detail}\n")


def once(seeds: Path, seed: int, number: int, out: Path) -> int:
    """Do one case in this process."""
    name, data = damaged(seeds, seed, number)
    (out / f"{number}.{name}").write_bytes(data)
    verdict, detail = tried(name, data, random.Random(number), out)
    print(f"case {number}, {name}, {len(data)} bytes: {verdict}\n{detail}")
    return 0 if verdict in (FINE, CLEAN) else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz_main.py", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--case", type=int, help="do this one case here")
    parser.add_argument("--out", type=Path, default=Path("fuzz-out"), help="folder of the results")
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    seeds = args.out / "seeds"
    from fuzz_seeds import make_seeds

    make_seeds(seeds)
    if args.case is not None:
        return once(seeds, args.seed, args.case, args.out)
    began = time.monotonic()
    cases: list[Case] = []
    for case, data in run(seeds, args.out / "work", args.seed, list(range(args.cases)), args.jobs):
        cases.append(case)
        if case.failed:
            keep(args.out / "failed", case, data)
            last = case.detail.strip().splitlines()[-1:] or [""]
            print(
                f"case {case.number}, {case.seed}: {case.verdict}: {last[0][:200]}",
                file=sys.stderr,
                flush=True,
            )
    shutil.rmtree(args.out / "work", ignore_errors=True)
    failed = sum(case.failed for case in cases)
    result = {
        "cases": len(cases),
        "seed": args.seed,
        "fine": sum(case.verdict == FINE for case in cases),
        "refused": sum(case.verdict == CLEAN for case in cases),
        "failed": failed,
        "seconds": round(time.monotonic() - began, 1),
    }
    (args.out / "fuzz.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(sorted(cases, key=lambda case: case.number)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
