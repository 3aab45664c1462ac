"""An analysis as plain values: JSON for programs, CSV for spreadsheets."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from semeq.engine.analysis_types import Analysis, Meter, Need, Part
from semeq.engine.spectrum import REGIONS

SILENT_DBFS = -200.0
#: How many words fit best and worst.
RANKED = 6


def level_dbfs(energy: float) -> float:
    """Return a mean square in dB against a full-scale square wave, never below `SILENT_DBFS`.

    >>> level_dbfs(0.5), level_dbfs(0.0)
    (-3.01, -200.0)
    """
    return round(10.0 * math.log10(max(energy, 10.0 ** (SILENT_DBFS / 10.0))), 2)


def _number(value: float, digits: int = 4) -> float:
    return round(float(value), digits) + 0.0


def _significant(value: float) -> float:
    return float(f"{value:.6g}")


def _scores(found: Analysis, values: Sequence[float]) -> dict[str, float]:
    return {word.word: _number(v) for word, v in zip(found.words, values, strict=True)}


def _meter(meter: Meter, at: tuple[int, ...] = ()) -> dict[str, Any]:
    shares = meter.shares[at]
    return {
        "shares": {r.name: _significant(v) for r, v in zip(REGIONS, shares, strict=True)},
        "centroid_hz": _number(meter.centroid_hz[at], 1),
        "tilt_db_per_octave": _number(meter.tilt_db_octave[at], 3),
    }


def _part(found: Analysis, part: Part) -> dict[str, Any]:
    return {
        "t_s": _number(part.start_s),
        "end_s": _number(part.end_s),
        "description": part.description,
        "silent": part.is_silent,
        "energy": _significant(part.energy),
        "level_dbfs": level_dbfs(part.energy),
        "scores": _scores(found, part.scores.tolist()),
        **_meter(part.meter),
    }


def _need(need: Need | None) -> dict[str, Any] | None:
    if need is None:
        return None
    return {
        "strength_db": _number(need.strength_db, 2),
        "bands": need.settings.as_dicts(),
        "response_db": [_number(db, 2) for db in need.response_db],
    }


def _when(found: Analysis) -> dict[str, Any]:
    """Return for each word where it scores most and least."""
    heard = np.flatnonzero(~found.windows.is_silent)
    if not len(heard):
        return {}
    result = {}
    for k, word in enumerate(found.words):
        column = found.windows.scores[heard, k]
        ends = {"most": heard[np.argmax(column)], "least": heard[np.argmin(column)]}
        result[word.word] = {
            name: {
                "t_s": _number(found.windows.start_s[i]),
                "score": _number(found.windows.scores[i, k]),
            }
            for name, i in ends.items()
        }
    return result


def _ranked(found: Analysis, fits: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {"word": fit.word, "score": _number(fit.score), "match": _number(fit.match)} for fit in fits
    ]


def section_of(found: Analysis, t_s: float) -> int:
    """Return the number of the section that holds a time, from 0 on."""
    starts = [part.start_s for part in found.sections]
    return max(0, int(np.searchsorted(starts, t_s, side="right")) - 1)


def as_dict(found: Analysis, name: str = "") -> dict[str, Any]:
    """Return everything as plain values; the scores of silent windows are 0 and mean nothing."""
    windows, count = found.windows, len(found.windows.energy)
    return {
        "file": name,
        "samplerate": found.fs,
        "channels": found.channels,
        "duration_s": _number(found.duration_s),
        "window_s": found.config.window_s,
        "hop_s": found.config.hop_s,
        "unit": "scores: 0 is neutral, 1 as if the word's typical move had been put on",
        "warnings": list(found.warnings),
        "words": [
            {"word": w.word, "people": w.people, "agreement": w.agreement} for w in found.words
        ],
        "overall": {
            **_part(found, found.overall),
            "most": _ranked(found, found.ranking[:RANKED]),
            "least": _ranked(found, found.ranking[::-1][:RANKED]),
            "when": _when(found),
        },
        "sections": [_part(found, part) for part in found.sections],
        "targets": [
            {
                "recipe": str(target.recipe),
                "adapt": found.config.adapt,
                "warnings": list(target.warnings),
                "overall": _need(target.overall),
                "sections": [_need(need) for need in target.sections],
            }
            for target in found.targets
        ],
        "freqs_hz": [_number(f, 2) for f in found.freqs_hz],
        "path": {
            "unit": "dB rms from the mean",
            "explained": [_number(part) for part in found.path.explained],
            "toward": list(found.path.toward),
            "away": list(found.path.away),
        },
        "novelty_db": [_number(v, 2) for v in found.novelty_db],
        "windows": [
            {
                "t_s": _number(windows.start_s[i]),
                "end_s": _number(windows.end_s[i]),
                "section": section_of(found, 0.5 * (windows.start_s[i] + windows.end_s[i])),
                "silent": bool(windows.is_silent[i]),
                "energy": _significant(windows.energy[i]),
                "level_dbfs": level_dbfs(windows.energy[i]),
                "scores": _scores(found, windows.scores[i].tolist()),
                **_meter(windows.meter, (i,)),
                "path": [_number(v, 3) for v in found.path.points[i]],
            }
            for i in range(count)
        ],
    }


def windows_csv(contents: Iterable[dict[str, Any]]) -> str:
    """Return the windows of one or more files (each as `as_dict` gives it), one row each."""
    rows = []
    for content in contents:
        for window in content["windows"]:
            flat = {
                key: value for key, value in window.items() if not isinstance(value, dict | list)
            }
            flat |= window["scores"]
            flat |= {f"share {name}": share for name, share in window["shares"].items()}
            flat |= {f"path {k}": at for k, at in enumerate(window["path"], 1)}
            rows.append({"file": content["file"], **flat})
    return _csv(rows)


def summary_row(content: dict[str, Any]) -> dict[str, Any]:
    """Return one file in one row: its whole, without what happens over time."""
    if content.get("status") == "failed":
        return {"file": content["file"], "status": "failed", "error": content["error"]}
    whole = content["overall"]
    row: dict[str, Any] = {
        "file": content["file"],
        "status": "done",
        "error": "",
        "duration_s": content["duration_s"],
        "level_dbfs": whole["level_dbfs"],
        "description": whole["description"],
        "sections": len(content["sections"]),
        "most": " ".join(fit["word"] for fit in whole["most"][:3]),
        "least": " ".join(fit["word"] for fit in whole["least"][:3]),
        **whole["scores"],
        **{f"share {name}": share for name, share in whole["shares"].items()},
        "centroid_hz": whole["centroid_hz"],
        "tilt_db_per_octave": whole["tilt_db_per_octave"],
    }
    for target in content["targets"]:
        need = target["overall"]
        row[f"dB rms to {target['recipe']}"] = None if need is None else need["strength_db"]
    return row


def summary_csv(contents: Iterable[dict[str, Any]]) -> str:
    """Return one row for each file."""
    return _csv([summary_row(content) for content in contents])


def _csv(rows: list[dict[str, Any]]) -> str:
    fields = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
