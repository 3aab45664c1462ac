"""What an export starts from: a recipe, a preset, a render's report, or the JSON of ``semeq curve``."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semeq.engine.atomic import explain
from semeq.engine.curve_json import read_bands
from semeq.engine.design import response_db
from semeq.engine.errors import DataError, UsageError
from semeq.engine.exports import check_rate, top_hz
from semeq.engine.fit import FIT_FS, fit_bands
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.settings import GAIN_LIMIT_DB, EQSettings
from semeq.engine.texts import load_json
from semeq.engine.units import Floats
from semeq.presets.library import load_vocabulary
from semeq.presets.recipes import load_recipe

_LARGEST = 200_000_000
_POINTS = 240
#: The mean of a timeline is fitted in so many calls, each held near its start.
_CALLS, _STEPS = 10, 8


@dataclass(frozen=True, slots=True)
class Source:
    """Seven bands, and where they come from.

    Parameters
    ----------
    settings : EQSettings
        What semeq applies.
    fs : float
        The sample rate they are for, in Hz.
    recipe : str
        The recipe behind them; empty if there is none.
    amount : float
        As asked for, beside the recipe.
    about : str
        One sentence for people: what this is.
    warnings : tuple of str
        What whoever asked should know.
    file : Path or None
        What was read, so that it is not written over.
    """

    settings: EQSettings
    fs: float
    recipe: str
    amount: float
    about: str
    warnings: tuple[str, ...] = ()
    file: Path | None = None


def find_source(
    text: str, *, fs: float | None = None, amount: float | None = None, at_s: float | None = None
) -> Source:
    """Return the bands that `text` stands for.

    Parameters
    ----------
    text : str
        A recipe, or the name of a ``.json`` report or curve, or of a ``.toml`` preset.
    fs : float, optional
        For this rate; else that of the report, or 48 kHz.
    amount : float, optional
        Factor on all gains; else that of the preset, or 1.
    at_s : float, optional
        Which moment of a report's timeline; else all of it.

    Raises
    ------
    UsageError
        If the request contradicts itself.
    DataError
        If a file is not what it should be.
    """
    if fs is not None:
        check_rate(fs)
    if text.lower().endswith(".json"):
        return _from_json(Path(text), fs, amount, at_s)
    if at_s is not None:
        raise UsageError("--at picks a moment of a report: a recipe has none")
    if text.lower().endswith(".toml"):
        named = load_recipe(text)
        return _from_recipe(
            named.recipe, fs, named.amount if amount is None else amount, Path(text)
        )
    if Path(text).is_file():
        raise UsageError(
            f"a recipe or a .json report must be given, got the file {text}: "
            "'semeq import' reads other programs' equalisers"
        )
    return _from_recipe(Recipe.parse(text), fs, 1.0 if amount is None else amount, None)


def _from_recipe(recipe: Recipe, fs: float | None, amount: float, file: Path | None) -> Source:
    rate = fs or FIT_FS
    meaning = interpret(recipe, load_vocabulary(), amount=amount)
    what = str(recipe) or "the empty recipe"
    about = what if amount == 1.0 else f"{what}, amount {amount:g}"
    return Source(meaning.settings, rate, str(recipe), amount, about, meaning.warnings, file)


def _from_json(path: Path, fs: float | None, amount: float | None, at_s: float | None) -> Source:
    content = _read(path)
    factor = 1.0 if amount is None else amount
    if "bands" in content:
        if at_s is not None:
            raise UsageError("--at picks a moment of a report: a curve has none")
        settings = read_bands(content["bands"], str(path)).scaled(factor)
        rate = fs or check_rate(_number(content.get("fs", FIT_FS), f"fs in {path}"))
        recipe = content.get("recipe")
        about = f"the curve in {path.name}" + (f" ({recipe})" if recipe else "")
        return Source(settings, rate, str(recipe or ""), factor, about, (), path)
    return _from_report(path, content, fs, factor, at_s)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {explain(error)}") from None
    if len(raw) > _LARGEST:
        raise DataError(f"{path} must have at most {_LARGEST:,} bytes")
    try:
        content = load_json(raw)
    except ValueError:
        raise DataError(f"{path} must be JSON: a report of 'semeq render --report'") from None
    if not isinstance(content, dict) or not ("bands" in content or "files" in content):
        raise DataError(f"{path} must be a report of 'semeq render --report', or of 'semeq curve'")
    return content


def _from_report(
    path: Path, content: dict[str, Any], fs: float | None, factor: float, at_s: float | None
) -> Source:
    files = content["files"]
    done = (
        [f for f in files if isinstance(f, dict) and f.get("timeline")]
        if isinstance(files, list)
        else []
    )
    if not done:
        raise DataError(f"{path} must report a file that was rendered, got none")
    first = done[0]
    rate = fs or check_rate(_number(first.get("samplerate"), f"the sample rate in {path}"))
    times, bands = _timeline(first["timeline"], path)
    duration = _number(first.get("duration_s", times[-1]), f"the duration in {path}")
    about = f"what {Path(str(first.get('input', path))).name} was rendered with"
    notes = []
    if len(done) > 1:
        notes.append(f"the report has {len(done)} files: the first is taken, {first.get('input')}")
    if at_s is not None:
        if not 0.0 <= at_s <= max(duration, times[-1]):
            raise UsageError(f"--at must be in [0, {duration:.3f}] s, got {at_s:g}")
        settings = bands[max(int(np.searchsorted(times, at_s, side="right")) - 1, 0)]
        about += f" at {at_s:g} s"
    elif len(bands) == 1:
        settings = bands[0]
    else:
        settings, miss_db = _mean(times, bands, duration, rate)
        about += ", on average over its time"
        notes.append(
            f"the mean of {len(bands)} settings over {duration:.1f} s is taken, met within "
            f"{miss_db:.2f} dB: --at picks a moment"
        )
    recipe = content.get("recipe")
    return Source(
        settings.scaled(factor),
        rate,
        str(recipe or ""),
        factor,
        about + (f" ({recipe})" if recipe else ""),
        tuple(notes),
        path,
    )


def _timeline(entries: object, path: Path) -> tuple[Floats, list[EQSettings]]:
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise DataError(f"{path} must hold a timeline of bands")
    times = [_number(one.get("t_s"), f"the time in {path}") for one in entries]
    bands = [
        read_bands(one.get("bands"), f"{path}, at {t:g} s,")
        for t, one in zip(times, entries, strict=True)
    ]
    order = np.argsort(times, kind="stable")
    return np.array(times)[order], [bands[k] for k in order]


def _mean(
    times: Floats, bands: list[EQSettings], duration: float, fs: float
) -> tuple[EQSettings, float]:
    """Return the bands of the mean response in dB over time, and how far they are from it."""
    spans = np.diff(np.append(times, max(duration, float(times[-1]))))
    shares = spans / spans.sum() if spans.sum() > 0.0 else np.full(len(spans), 1.0 / len(spans))
    freqs = np.geomspace(20.0, top_hz(fs), _POINTS)
    wanted = np.zeros_like(freqs)
    for share, one in zip(shares, bands, strict=True):
        wanted += share * response_db(one, fs, freqs)
    settings = bands[int(np.argmax(shares))]
    for _ in range(_CALLS):
        settings = fit_bands(
            wanted, freqs, start=settings, iterations=_STEPS, gain_limit_db=GAIN_LIMIT_DB
        )
    return settings, float(np.abs(response_db(settings, fs, freqs) - wanted).max())


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{what} must be a number, got {value!r}")
    return float(value)
