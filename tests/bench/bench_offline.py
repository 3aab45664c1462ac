"""Files and memory: semeq beside Pedalboard, scipy, sox and ffmpeg on the same job."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench_tables import Table, interleaved, ratio, spread
from pedalboard.io import AudioFile
from rival_pedalboard import board
from scipy.signal import sosfilt

from semeq.engine.chain import Chain
from semeq.engine.design import design, design_sos
from semeq.engine.settings import Band, EQSettings
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio, Floats

FS = 48_000
HERE = Path(__file__).parent
#: Every rival keeps to one thread, and all to the same core.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
Bands = list[dict[str, Any]]


def recipe_bands(recipe: str) -> Bands:
    """Return the seven bands of `recipe` as the command line tells them."""
    command = [
        str(Path(sys.executable).parent / "semeq"),
        "curve",
        recipe,
        "--fs",
        str(FS),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bands: Bands = json.loads(done.stdout)["bands"]
    return bands


def to_settings(bands: Bands) -> EQSettings:
    return EQSettings(tuple(Band(**band) for band in bands))


def write_input(path: Path, seconds: float) -> None:
    """Write a stereo float WAV: the demo mix, over and over."""
    minute = demo_mix(float(FS), min(seconds, 60.0)).T
    with AudioFile(str(path), "w", FS, 2, bit_depth=32) as sink:
        for _ in range(max(1, round(seconds / 60.0))):
            sink.write(minute)


def sox_command(source: Path, sink: Path, bands: Bands) -> list[str]:
    names = {"low_shelf": "bass", "peak": "equalizer", "high_shelf": "treble"}
    effects: list[str] = []
    for band in bands:
        gain, place = f"{band['gain_db']:.4f}", [f"{band['freq_hz']:.2f}", f"{band['q']:.4f}q"]
        peak = band["kind"] == "peak"
        effects += [names[band["kind"]], *([*place, gain] if peak else [gain, *place])]
    return [
        "sox",
        "-V1",
        "-D",
        str(source),
        "-e",
        "floating-point",
        "-b",
        "32",
        str(sink),
        *effects,
    ]


def ffmpeg_command(source: Path, sink: Path, bands: Bands) -> list[str]:
    names = {"low_shelf": "bass", "peak": "equalizer", "high_shelf": "treble"}
    filters = ",".join(
        f"{names[b['kind']]}=f={b['freq_hz']:.2f}:t=q:w={b['q']:.4f}:g={b['gain_db']:.4f}"
        for b in bands
    )
    quiet = [
        "ffmpeg",
        "-nostdin",
        "-loglevel",
        "error",
        "-y",
        "-threads",
        "1",
        "-filter_threads",
        "1",
    ]
    return [
        *quiet,
        "-i",
        str(source),
        "-af",
        filters,
        "-threads",
        "1",
        "-c:a",
        "pcm_f32le",
        str(sink),
    ]


def run_process(command: list[str], sink: Path, core: int | None) -> float:
    """Return the seconds that a whole process takes, start-up included."""
    sink.unlink(missing_ok=True)

    def pin() -> None:
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {core})

    start = time.perf_counter()
    subprocess.run(
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | ONE_THREAD,
        preexec_fn=pin,
    )
    return time.perf_counter() - start


def residual_db(sink: Path, reference: Audio, sos: Floats) -> float:
    """Return how far a rendering is from scipy's in double precision, gain apart, in dB rms."""
    with AudioFile(str(sink)) as file:
        found = file.read(len(reference)).T.astype(np.float64)
    wanted = sosfilt(sos, reference.astype(np.float64), axis=0)[: len(found)]
    gain = float(np.sum(found * wanted) / np.sum(found * found))
    error = np.sqrt(np.mean((gain * found - wanted) ** 2) / np.mean(wanted**2))
    return float(20.0 * np.log10(max(error, 1e-12)))


def whole_files(folder: Path, recipe: str, seconds: float, rounds: int, *, pinned: bool) -> Table:
    """Measure whole processes on one file."""
    bands = recipe_bands(recipe)
    source, listed = folder / "in.wav", folder / "bands.json"
    listed.write_text(json.dumps(bands), encoding="utf-8")
    write_input(source, seconds)
    semeq = str(Path(sys.executable).parent / "semeq")
    sinks = {
        name: folder / f"{name}.wav" for name in ("semeq", "Pedalboard", "scipy", "sox", "ffmpeg")
    }
    commands = {
        "semeq": [
            semeq,
            "render",
            str(source),
            "-o",
            str(sinks["semeq"]),
            "--make",
            recipe,
            "--jobs",
            "1",
        ],
        "Pedalboard": [sys.executable, str(HERE / "rival_pedalboard.py"), str(listed), str(source)],
        "scipy": [sys.executable, str(HERE / "rival_scipy.py"), str(listed), str(source)],
    }
    for name in ("Pedalboard", "scipy"):
        commands[name].append(str(sinks[name]))
    if shutil.which("sox"):
        commands["sox"] = sox_command(source, sinks["sox"], bands)
    if shutil.which("ffmpeg"):
        commands["ffmpeg"] = ffmpeg_command(source, sinks["ffmpeg"], bands)
    core = max(os.sched_getaffinity(0)) if pinned and hasattr(os, "sched_getaffinity") else None
    runs = {
        name: partial(run_process, command, sinks[name], core) for name, command in commands.items()
    }
    times = interleaved(runs, rounds)
    sos = np.array(design_sos(to_settings(bands), float(FS)))
    head = demo_mix(float(FS), min(seconds, 60.0))[: 10 * FS]
    where = "all on one core" if pinned else "cores as the system gives them"
    table = Table(
        f"A {seconds / 60:.3g}-minute file ({'one core' if pinned else 'all cores'})",
        f"Stereo float WAV at {FS} Hz in and out, `{recipe}`, whole processes with their start-up, {where}, "
        f"{rounds} interleaved rounds: median (range). semeq also measures and matches loudness and guards "
        "the peaks. *Against Pedalboard*: median of the rounds' ratios, over 1 is faster. *Error*: distance "
        "from scipy in double precision, gain apart (ffmpeg's shelves do not take a Q: theirs is 0.71).",
        ["", "seconds", "times real time", "against Pedalboard", "error"],
    )
    for name, taken in times.items():
        table.rows.append(
            (
                name,
                spread(taken, "s"),
                f"{seconds / statistics.median(taken):.0f} ×",
                f"{ratio(times, name, 'Pedalboard'):.2f} ×",
                f"{residual_db(sinks[name], head, sos):.0f} dB",
            )
        )
    table.data = {"seconds": times, "audio_s": seconds, "recipe": recipe, "pinned": pinned}
    return table


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def in_memory(recipe: str, seconds: float, rounds: int) -> Table:
    """Measure the filters alone, on sound that is already in memory."""
    bands = recipe_bands(recipe)
    settings = to_settings(bands)
    mix = np.ascontiguousarray(demo_mix(float(FS), seconds))
    rows = np.ascontiguousarray(mix.T)
    chain = Chain(float(FS), 2)
    chain.set_target(design(settings, float(FS)))
    guarded = Chain(float(FS), 2, lookahead_s=0.0, ceiling_db=0.0)
    guarded.set_target(design(settings, float(FS)))
    rival = board(bands)
    sos = np.array(design_sos(settings, float(FS)))
    out = np.empty_like(mix)
    runs = {
        "semeq": lambda: _timed(lambda: chain.process(mix, out)),
        "semeq with its peak guard": lambda: _timed(lambda: guarded.process(mix, out)),
        "Pedalboard": lambda: _timed(lambda: rival.process(rows, FS, reset=False)),
        "scipy sosfilt": lambda: _timed(lambda: sosfilt(sos, rows, axis=1)),
    }
    times = interleaved(runs, rounds)
    table = Table(
        "The filters alone",
        f"Seven bands over {seconds:g} s of stereo at {FS} Hz in memory, one thread, {rounds} interleaved "
        "rounds: median.",
        ["", "times real time", "against Pedalboard"],
    )
    for name, taken in times.items():
        speed = f"{seconds / statistics.median(taken):.0f} ×"
        table.rows.append((name, speed, f"{ratio(times, name, 'Pedalboard'):.2f} ×"))
    table.data = {"seconds": times, "audio_s": seconds}
    return table
