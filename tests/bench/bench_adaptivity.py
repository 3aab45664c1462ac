"""Does what is rendered get what it needs? ``python tests/bench/bench_adaptivity.py --music DIR``.

Nothing here knows a network. Music is cut, tilted by −9 to +9 dB (100 Hz to 10 kHz) and written as files; the
command ``semeq render`` makes them what a word says, at ``--adapt 1`` and at ``--adapt 0``; and what came out
is measured on the files, with the judges of `semeq.training.judges`. A causal render starts with the
word's typical move and hears its way from there, as a live session does: the first seconds are left out
of the measure, and of the input's.

Per word and way of looking
---------------------------
rho
    Spearman's rank correlation between pre-tilt and applied tilt, the mean over clips.
spread
    The standard deviation of the tilts that come out, over that of ``--adapt 0``.
right
    The share of files, all pre-tilts together, in which the word's band moved the word's way.
has it, lacks it
    How far (dB against the rest of the sound) the word's band moved the word's way in the clip that was
    pre-tilted by 9 dB that way, and in the one that was tilted against it.

Intervals are 95 %, from a bootstrap over recordings.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_tables import Table
from pedalboard.io import AudioFile
from scipy.stats import spearmanr

from semeq.engine.units import Audio, Floats
from semeq.training.bootstrap import Estimate, draws, estimate, weighted_mean
from semeq.training.clips import apply_curve
from semeq.training.degrade import PRE_TILTS_DB, tilt_curves
from semeq.training.judges import BAND_JUDGES, HIT_DB, BandJudge, spectral_tilt
from semeq.training.spectra import (
    FREQS_HZ,
    LOWEST_FS,
    SILENCE_DB,
    SUFFIXES,
    band_powers,
    read_crop,
)

#: Which way a pre-tilt makes music what the word says.
HAS_IT = {"warm": -1, "dark": -1, "boomy": -1, "deep": -1, "bright": 1, "airy": 1, "tinny": 1}
LOOKS = ("causal", "whole")
#: rms of a written clip before its tilt: no limiter is in the way.
LEVEL_DB = -30.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of a recording."""

    recording: str
    audio: Audio
    fs: float


def find_clips(music: Path, count: int, seconds: float) -> list[Clip]:
    """Return the middles of recordings, packages in turn, each recording once."""
    packages: dict[str, list[Path]] = {}
    for path in sorted(p for p in music.rglob("*") if p.suffix.lower() in SUFFIXES):
        packages.setdefault(path.relative_to(music).parts[0], []).append(path)
    # Spread over each package: the first files of one are often one kind.
    orders = [[p for k in range(8) for p in paths[k::8]] for paths in packages.values()]
    clips: list[Clip] = []
    for place in range(max(map(len, orders), default=0)):
        for order in orders:
            if len(clips) == count or place >= len(order):
                continue
            with AudioFile(str(order[place])) as file:
                length, fs = file.frames / file.samplerate, float(file.samplerate)
            if fs < LOWEST_FS or length < seconds:
                continue
            audio, fs = read_crop(order[place], 0.5 * (length - seconds), seconds)
            level = 10.0 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-20)
            if level > SILENCE_DB:
                gain = np.float32(10.0 ** ((LEVEL_DB - level) / 20.0))
                clips.append(Clip(str(order[place].relative_to(music)), audio * gain, fs))
    return clips


def write_tilted(clips: list[Clip], folder: Path) -> list[Path]:
    """Write every clip under every pre-tilt as 32-bit float WAV, clip by clip."""
    paths = []
    for k, clip in enumerate(clips):
        for tilt, curve in zip(PRE_TILTS_DB, tilt_curves(PRE_TILTS_DB), strict=True):
            path = folder / f"{k:03d}_{tilt:+.0f}.wav"
            sound = apply_curve(clip.audio, clip.fs, curve, FREQS_HZ)
            with AudioFile(str(path), "w", int(clip.fs), sound.shape[1], bit_depth=32) as file:
                file.write(np.ascontiguousarray(sound.T))
            paths.append(path)
    return paths


def render(paths: list[Path], folder: Path, word: str, *options: str) -> list[Path]:
    """Run ``semeq render`` on the files and return what it wrote."""
    semeq = str(Path(sys.executable).parent / "semeq")
    command = [semeq, "render", *map(str, paths), "--out-dir", str(folder), "--make", word]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(options)}: {done.stderr[-2000:]}")
    written = [folder / path.name for path in paths]
    missing = [path.name for path in written if not path.exists()]
    if missing:
        raise SystemExit(f"not written: {missing[:3]}, but {sorted(os.listdir(folder))[:3]}")
    return written


def powers(paths: list[Path], from_s: float) -> Floats:
    """Return the band powers of files from a second on, shape ``(clips, tilts, m)``."""
    rows = [band_powers(*read_crop(path, from_s, 1e4)) for path in paths]
    return np.array(rows).reshape(-1, len(PRE_TILTS_DB), len(FREQS_HZ))


def _against_rest(judge: BandJudge, power: Floats) -> Floats:
    """Return the level in dB of a band against all others, the sign of its word included."""
    share = judge.share(power)
    odds: Floats = judge.sign * 10.0 * np.log10((share + 1e-12) / (1.0 - share + 1e-12))
    return odds


def figures(
    word: str, before: Floats, after: Floats, constant: Floats, weights: Floats
) -> dict[str, Estimate]:
    """Return the figures of a word; powers are ``(clips, tilts, m)``."""
    applied = spectral_tilt(after) - spectral_tilt(before)
    rho = np.array([spearmanr(PRE_TILTS_DB, row).statistic for row in applied])
    spread = spectral_tilt(after).std(axis=1) / spectral_tilt(constant).std(axis=1)
    judge = BAND_JUDGES[word]
    moved = judge.score_db(after) - judge.score_db(before)
    # Against the rest: the share of what is nearly all of a sound hardly rises, whatever is done to it.
    against = _against_rest(judge, after) - _against_rest(judge, before)
    right = (moved > HIT_DB).astype(np.float64)
    has, lacks = (-1, 0) if HAS_IT[word] > 0 else (0, -1)
    rows = {
        "rho": rho,
        "spread": spread,
        "right": right.mean(axis=1),
        "has": against[:, has],
        "lacks": against[:, lacks],
    }
    return {name: estimate(weighted_mean(weights, row)) for name, row in rows.items()}


def measure(
    clips: list[Clip], words: list[str], looks: list[str], from_s: float, jobs: int
) -> Iterator[dict[str, dict[str, dict[str, Estimate]]]]:
    """Yield after each word the figures so far, by word and way of looking; ``adapt 0`` is one."""
    weights = draws([clip.recording for clip in clips])
    found: dict[str, dict[str, dict[str, Estimate]]] = {}
    with tempfile.TemporaryDirectory() as place:
        tilted = Path(place) / "in"
        tilted.mkdir()
        paths = write_tilted(clips, tilted)
        before = powers(paths, from_s)
        for word in words:

            def made(name: str, *options: str, word: str = word) -> Floats:
                folder = Path(place) / f"{word} {name}"
                written = render(paths, folder, word, "--jobs", str(jobs), *options)
                after = powers(written, from_s)
                for path in written:
                    path.unlink()
                print(f"{word}, {name}: {len(written)} files", file=sys.stderr, flush=True)
                return after

            constant = made("adapt 0", "--adapt", "0")
            ways = {"adapt 0": constant}
            ways |= {look: made(look, "--adapt", "1", "--look", look) for look in looks}
            found[word] = {
                name: figures(word, before, after, constant, weights)
                for name, after in ways.items()
            }
            yield found


def table(found: dict[str, dict[str, dict[str, Estimate]]], how: str) -> Table:
    """Return the figures as a table."""
    made = Table(
        "Does what is rendered get what it needs?",
        how,
        ("word, look", "rho", "spread", "right", "has it", "lacks it"),
    )
    for word, ways in found.items():
        for way, row in ways.items():
            blind = way == "adapt 0"
            made.rows.append(
                (
                    f"{word}, {'`--adapt 0`' if blind else f'`--look {way}`'}",
                    "–" if blind else str(row["rho"]),
                    "1" if blind else str(row["spread"]),
                    str(row["right"]),
                    f"{row['has'].value:+.1f} dB",
                    f"{row['lacks'].value:+.1f} dB",
                )
            )
            made.data[f"{word}, {way}"] = {
                name: [one.value, one.low, one.high] for name, one in row.items()
            }
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="tests/bench/bench_adaptivity.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--music", type=Path, required=True, help="PACKAGE/.../FILE, unseen")
    parser.add_argument("--out", type=Path, default=Path("bench-out"), help="folder of the results")
    parser.add_argument("--clips", type=int, default=24, help="recordings (24)")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of a clip (15)")
    parser.add_argument(
        "--from", dest="from_s", type=float, default=5.0, help="measured from (5 s)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("words", nargs="*", default=["bright", "warm", "dark"], metavar="WORD")
    args = parser.parse_args()
    unknown = [word for word in args.words if word not in HAS_IT]
    if unknown:
        parser.error(f"words must be among {', '.join(HAS_IT)}, got {', '.join(unknown)}")
    if not 0.0 <= args.from_s <= args.seconds - 1.0:
        parser.error("--from must leave a second to measure")
    clips = find_clips(args.music, args.clips, args.seconds)
    if len(clips) < 2:
        parser.error(f"--music must hold two recordings of {args.seconds:g} s, got {len(clips)}")
    packages = {clip.recording.split("/")[0] for clip in clips}
    how = (
        f"{len(clips)} recordings of {len(packages)} packages, {args.seconds:g} s each under "
        f"{len(PRE_TILTS_DB)} pre-tilts, measured on the files from {args.from_s:g} s on."
    )
    args.out.mkdir(parents=True, exist_ok=True)
    # Written after each word: a run that is stopped has shown what it found.
    for found in measure(clips, args.words, list(LOOKS), args.from_s, args.jobs):
        made = table(found, how)
        (args.out / "adaptivity.md").write_text(made.markdown(), encoding="utf-8")
        (args.out / "adaptivity.json").write_text(json.dumps(made.data, indent=1), encoding="utf-8")
    print(made.markdown())


if __name__ == "__main__":
    main()
