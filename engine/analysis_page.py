"""An analysis as one interactive page that needs nothing else: no network, no library.

The page itself is ``analysis_page.html``: a template with a place for the values, which its script draws.
"""

import json
import math
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from semeq.engine.analysis_draw import FLOOR, LINES, lively

TEMPLATE = "analysis_page.html"


def page(contents: Sequence[dict[str, Any]]) -> str:
    """Return the page of one or more files.

    Parameters
    ----------
    contents : sequence
        What `semeq.engine.analysis_tables.as_dict` returned; or ``file`` and ``error`` of a file that failed.

    Returns
    -------
    str
        HTML. Names of files are shown as text, whatever stands in them.
    """
    data = json.dumps(
        {"files": [_compact(content) for content in contents]},
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    # Nothing in a file's name may end the script that holds it.
    safe = data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    title = Path(contents[0]["file"]).name if len(contents) == 1 else f"{len(contents)} files"
    template = (files("semeq.engine") / TEMPLATE).read_text(encoding="utf-8")
    head, rest = template.split("{{title}}")
    middle, end = rest.split("{{data}}")
    return f"{head}{escape(title or 'sound')}{middle}{safe}{end}"


def _compact(content: dict[str, Any]) -> dict[str, Any]:
    """Return columns in place of rows: a long file has thousands of windows."""
    name = Path(content["file"]).name or "sound"
    if content.get("status") == "failed":
        return {"name": name, "error": content["error"]}
    windows = content["windows"]
    words = [entry["word"] for entry in content["words"]]
    kept = ["file", "samplerate", "channels", "duration_s", "window_s", "hop_s", "warnings"]
    kept += ["words", "overall", "sections", "targets", "freqs_hz", "path"]
    return {
        "name": name,
        **{key: content[key] for key in kept},
        "lit": lively(content, LINES),
        "t": [round(0.5 * (w["t_s"] + w["end_s"]), 3) for w in windows],
        "silent": [int(w["silent"]) for w in windows],
        "level": [w["level_dbfs"] for w in windows],
        "scores": {word: [round(w["scores"][word], 2) for w in windows] for word in words},
        "regions": {
            region: [round(10.0 * math.log10(max(w["shares"][region], FLOOR)), 1) for w in windows]
            for region in content["overall"]["shares"]
        },
        "centroid": [round(w["centroid_hz"]) for w in windows],
        "x": [round(w["path"][0], 2) for w in windows],
        "y": [round(w["path"][1], 2) for w in windows],
    }
