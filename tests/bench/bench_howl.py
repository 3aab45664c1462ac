"""False alarms of the howl guard: ``python tests/bench/bench_howl.py DIR … [--every N] [--jobs N]``.

Every audio file below the folders is listened to as a live session would listen to its input. None of them
is a microphone before its own loudspeaker: whatever is heard as a howl is a false alarm. Prints a line for
each, and a table by folder, with what listening costs.
"""

import argparse
import os
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench_tables import Table

from semeq.engine.audiofile import AudioReader
from semeq.engine.errors import SemeqError
from semeq.engine.howl import Howl, HowlDetector

SUFFIXES = {".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".oga"}
#: As live: some hundredths of a second at a time.
BLOCK_FRAMES = 4096


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard in a file: its seconds, the howls, CPU seconds it took."""

    path: Path
    seconds: float
    howls: tuple[Howl, ...]
    spent_s: float
    fs: float
    error: str = ""


def listen(path: Path) -> Heard:
    """Listen to a file."""
    howls: list[Howl] = []
    frames, spent_s, fs = 0, 0.0, 0.0
    try:
        reader = AudioReader(path)
        fs = float(reader.fs)
        detector = HowlDetector(fs, reader.channels)
        for block in reader.blocks(BLOCK_FRAMES):
            began = time.process_time()
            found = detector.feed(block)
            spent_s += time.process_time() - began
            frames += len(block)
            howls += [howl for howl in found if not howls or howl.frame - howls[-1].frame > fs]
    except (SemeqError, ValueError) as error:
        return Heard(path, frames / (fs or 1.0), tuple(howls), spent_s, fs, str(error))
    return Heard(path, frames / fs, tuple(howls), spent_s, fs)


def kind(path: Path, roots: list[Path]) -> str:
    """Return what a file is counted under: the two folders below which it lies."""
    root = next(root for root in roots if root in path.parents)
    parts = path.relative_to(root).parts
    return f"{root.name}/{parts[0]}" if len(parts) > 1 else root.name


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench_howl.py", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth file only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    files = sorted(p for d in args.folders for p in d.rglob("*") if p.suffix.lower() in SUFFIXES)
    by_kind: dict[str, list[Heard]] = defaultdict(list)
    with ProcessPoolExecutor(args.jobs) as pool:
        for heard in pool.map(listen, files[:: args.every]):
            by_kind[kind(heard.path, args.folders)].append(heard)
            if heard.error:
                print(f"{heard.path}: {heard.error}", file=sys.stderr)
            print(f"{heard.path}: {heard.seconds:.1f} s", file=sys.stderr, flush=True)
            for howl in heard.howls:
                print(
                    f"{heard.path}: {howl.freq_hz:.0f} Hz, {howl.level_db:.1f} dB, "
                    f"{howl.rate_db_s:.0f} dB/s at {howl.frame / heard.fs:.2f} s",
                    flush=True,
                )
    table = Table(
        "Howls heard where there are none",
        "Files, none of them a loop; each second in which a howl was heard counts.",
        ["what", "files", "minutes", "false alarms", "cost of listening"],
    )
    for name, all_heard in [*by_kind.items(), ("all", [h for hs in by_kind.values() for h in hs])]:
        seconds = sum(heard.seconds for heard in all_heard)
        spent_s = sum(heard.spent_s for heard in all_heard)
        table.rows.append(
            (
                name,
                str(len(all_heard)),
                f"{seconds / 60:.1f}",
                str(sum(len(heard.howls) for heard in all_heard)),
                f"{spent_s / max(seconds, 1e-9):.2%} of a core",
            )
        )
    print(table.markdown())


if __name__ == "__main__":
    main()
