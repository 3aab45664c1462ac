"""Measure semeq and its rivals: ``python tests/bench [--quick] [--only NAME]``.

Prints Markdown and writes ``bench-out/bench.md`` and ``bench-out/bench.json``. Ratios come from
interleaved rounds of one run; still, give it an idle machine.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bench_callback
import bench_clicks
import bench_filters
import bench_modulation
import bench_offline
from bench_tables import Table, machine


def tables(quick: bool, recipe: str, folder: Path) -> dict[str, Callable[[], Iterator[Table]]]:
    """Return the measurements by name."""
    seconds, rounds = (20.0, 1) if quick else (600.0, 5)

    def files() -> Iterator[Table]:
        yield bench_offline.whole_files(folder, recipe, seconds, rounds, pinned=True)
        yield bench_offline.whole_files(folder, recipe, seconds, rounds, pinned=False)

    def memory() -> Iterator[Table]:
        yield bench_offline.in_memory(recipe, 10.0 if quick else 60.0, 3 if quick else 15)

    def callback() -> Iterator[Table]:
        yield bench_callback.callback_cost(2 if quick else 10, 2000 if quick else 20_000)
        yield bench_callback.ramps(3 if quick else 21)
        yield bench_callback.silence(1 if quick else 3, 10 if quick else 60)

    def modulation() -> Iterator[Table]:
        yield bench_modulation.spurious(3.0 if quick else 10.0)
        yield bench_modulation.overshoot(3.0 if quick else 10.0)

    def clicks() -> Iterator[Table]:
        yield bench_clicks.clicks(bench_clicks.TONES_HZ[1:2] if quick else bench_clicks.TONES_HZ)

    def filters() -> Iterator[Table]:
        yield bench_filters.cramping(200 if quick else 3000)
        yield bench_filters.cost(50 if quick else 500)

    return {
        "files": files,
        "memory": memory,
        "callback": callback,
        "modulation": modulation,
        "clicks": clicks,
        "filters": filters,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a look in a minute, not figures to publish"
    )
    parser.add_argument(
        "--only", action="append", help="files, memory, callback, modulation, clicks or filters"
    )
    parser.add_argument("--recipe", default="warm", help="what the files are made (default: warm)")
    parser.add_argument("--out", type=Path, default=Path("bench-out"), help="folder of the results")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    facts = machine()
    text = "# Figures\n\n" + "".join(f"- {name}: {value}\n" for name, value in facts.items())
    if args.quick:
        text += "- **quick run: not for publication**\n"
    print(text, flush=True)
    results = {}
    folder = Path(tempfile.mkdtemp(dir=args.out, prefix="work-"))
    try:
        available = tables(args.quick, args.recipe, folder)
        for name in args.only or available:
            if name not in available:
                parser.error(f"--only must be one of {', '.join(available)}, got {name}")
            for table in available[name]():
                print(table.markdown(), flush=True)
                text += "\n" + table.markdown()
                results[table.title] = {
                    "header": table.header,
                    "rows": table.rows,
                    "data": table.data,
                }
    finally:
        shutil.rmtree(folder)
    (args.out / "bench.md").write_text(text, encoding="utf-8")
    (args.out / "bench.json").write_text(
        json.dumps({"machine": facts, "tables": results}, indent=1) + "\n", encoding="utf-8"
    )
    print(f"written: {args.out / 'bench.md'}, {args.out / 'bench.json'}")


if __name__ == "__main__":
    main()
