"""The panels of a picture of an analysis: words over time, regions of the spectrum, the path; many files.

Drawn with matplotlib into the figure that is given, from what `semeq.engine.analysis_tables` made.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

#: A share of the power below this is drawn as if it were this (-70 dB).
FLOOR = 1e-7
#: Lines that can still be told apart.
LINES = 6
_COLOURS = ("#d55e00", "#0072b2", "#007a5a", "#b3467f", "#8a6d00", "#4b4b9b")
_REGION_COLOURS = ("#3b2f63", "#5a55b0", "#3f76b5", "#2f9aa3", "#5a9e58", "#c79a1e", "#d06a35")
#: A line of more points is drawn as means; more sections have finer borders.
MOST_POINTS, DENSE = 600, 25
INK, SOFT = "#1f2933", "#5b6670"
_MOST_FILES = 60


def clock(t_s: float) -> str:
    """Return a time as a player shows it.

    >>> clock(75.2), clock(3671.0)
    ('1:15', '1:01:11')
    """
    minutes, seconds = divmod(int(t_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def lively(content: dict[str, Any], count: int) -> list[str]:
    """Return the words that say most here: those whose score is far from 0 or moves much."""
    heard = [window for window in content["windows"] if not window["silent"]]
    words = [entry["word"] for entry in content["words"]]
    if not heard:
        return words[:count]
    values = np.array([[window["scores"][word] for word in words] for window in heard])
    size = np.sqrt(np.mean(np.square(values), axis=0)) + 2.0 * values.std(axis=0)
    chosen = set(np.argsort(-size)[:count].tolist())
    return [word for k, word in enumerate(words) if k in chosen]


def draw_one(figure: Any, content: dict[str, Any]) -> None:  # noqa: ANN401
    """Draw one file over time."""
    figure.set_size_inches(13.0, 10.5)
    grid = figure.add_gridspec(3, 3, height_ratios=(1.15, 1.0, 1.05))
    figure.suptitle(
        f"{Path(content['file']).name or 'sound'} · {clock(content['duration_s'])} · "
        f"{content['overall']['description']}",
        x=0.012,
        ha="left",
        fontsize=14,
        fontweight="bold",
    )
    lines = figure.add_subplot(grid[0, :])
    _draw_lines(lines, content)
    _draw_heat(figure, figure.add_subplot(grid[1, :], sharex=lines), content)
    _draw_regions(figure.add_subplot(grid[2, :2], sharex=lines), content)
    _draw_path(figure, figure.add_subplot(grid[2, 2]), content)


def _times(content: dict[str, Any]) -> tuple[Any, Any]:
    windows = content["windows"]
    t = np.array([0.5 * (window["t_s"] + window["end_s"]) for window in windows])
    return t, np.array([window["silent"] for window in windows])


def _time_axis(axes: Any, content: dict[str, Any]) -> None:  # noqa: ANN401
    end = max(content["duration_s"], 0.1)
    steps = (0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
    step = next((s for s in steps if end / s <= 12), 7200)
    ticks = np.arange(0.0, end + 1e-9, step)
    axes.set_xticks(ticks, [f"{t:g} s" if step < 1 else clock(t) for t in ticks])
    axes.set_xlim(0.0, end)


def _calm(values: Any) -> Any:  # noqa: ANN401
    """Return means over neighbours, of a row that has more values than can be told apart."""
    count = len(values) // MOST_POINTS + 1
    if count == 1:
        return values
    padded = np.pad(values, (count // 2, count - 1 - count // 2), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, count).mean(axis=1)


def _borders(axes: Any, content: dict[str, Any], colour: str) -> None:  # noqa: ANN401
    sections = content["sections"]
    dense = len(sections) > DENSE
    for section in sections[1:]:
        axes.axvline(
            section["t_s"],
            color=colour,
            lw=0.5 if dense else 1.2,
            alpha=0.6 if dense else 1.0,
            ls=(0, (4, 3)),
            zorder=3,
        )


def _draw_lines(axes: Any, content: dict[str, Any]) -> None:  # noqa: ANN401
    t, silent = _times(content)
    words = lively(content, LINES)
    for word, colour in zip(words, _COLOURS, strict=False):
        values = np.array([window["scores"][word] for window in content["windows"]])
        values[silent] = np.nan
        values = _calm(values)
        axes.plot(t, values, color=colour, lw=1.8, label=word, marker="o" if len(t) < 3 else None)
    axes.axhline(0.0, color="#9aa5b1", lw=1.0, zorder=0)
    _borders(axes, content, SOFT)
    low, high = axes.get_ylim()
    low, high = min(low, -0.6), max(high, 0.6)
    axes.set_ylim(low, high + 0.1 * (high - low))
    end = max(content["duration_s"], 0.1)
    for number, section in enumerate(content["sections"], 1):
        if section["end_s"] - section["t_s"] > 0.025 * end:
            at = section["t_s"] + 0.004 * end
            axes.text(at, high + 0.03 * (high - low), str(number), color=SOFT, fontweight="bold")
    axes.set_title("Words over time · 0 neutral, 1 the word's typical move")
    axes.set_ylabel("score")
    axes.legend(ncols=LINES, loc="lower right", bbox_to_anchor=(1.0, 0.99), frameon=False)
    _time_axis(axes, content)


def _labelled(word: str, score: float) -> str:
    return f"{word}  {score:+.1f}".replace("-", "\u2212")


def _draw_heat(figure: Any, axes: Any, content: dict[str, Any]) -> None:  # noqa: ANN401
    t, silent = _times(content)
    words = [entry["word"] for entry in content["words"]]
    whole = content["overall"]["scores"]
    words.sort(key=lambda word: -whole[word])
    values = np.array([[w["scores"][word] for w in content["windows"]] for word in words])
    values[:, silent] = np.nan
    finite = np.abs(values[np.isfinite(values)])
    reach = max(0.5, float(np.quantile(finite, 0.98))) if finite.size else 1.0
    half = 0.5 * content["hop_s"]
    edges = [t[0] - half, *(0.5 * (t[1:] + t[:-1])), t[-1] + half]
    image = axes.pcolormesh(
        edges, np.arange(len(words) + 1), values, cmap="RdBu_r", vmin=-reach, vmax=reach
    )
    axes.set_yticks(np.arange(len(words)) + 0.5, [_labelled(w, whole[w]) for w in words])
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_title("All words · beside each the energy-weighted mean")
    _borders(axes, content, INK)
    figure.colorbar(image, ax=axes, pad=0.01, aspect=18, label="score")
    _time_axis(axes, content)


def _draw_regions(axes: Any, content: dict[str, Any]) -> None:  # noqa: ANN401
    t, silent = _times(content)
    names = list(content["overall"]["shares"])
    for name, colour in zip(names, _REGION_COLOURS, strict=True):
        shares = np.array([window["shares"][name] for window in content["windows"]])
        level = 10.0 * np.log10(np.maximum(shares, FLOOR))
        level[silent] = np.nan
        level = _calm(level)
        axes.plot(t, level, color=colour, lw=1.6, label=name, marker="o" if len(t) < 3 else None)
    axes.set_ylabel("dB against the whole")
    axes.set_title("Regions of the spectrum · measured, without the encoder")
    _borders(axes, content, SOFT)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1],
        labels[::-1],
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize=9,
    )
    _time_axis(axes, content)


def _draw_path(figure: Any, axes: Any, content: dict[str, Any]) -> None:  # noqa: ANN401
    t, silent = _times(content)
    points = np.array([window["path"] for window in content["windows"]])[~silent]
    path = content["path"]
    axes.plot(points[:, 0], points[:, 1], color="#c3cbd3", lw=0.7, zorder=1)
    dots = axes.scatter(
        points[:, 0], points[:, 1], c=t[~silent], cmap="viridis", s=14, zorder=2, linewidths=0
    )
    if len(points) > 1:
        bar = figure.colorbar(dots, ax=axes, pad=0.02, aspect=18)
        ticks = np.linspace(t.min(), t.max(), 4)
        bar.set_ticks(ticks, labels=[clock(x) for x in ticks])
    axes.set_title("Path through the latent space")
    for k, label in enumerate((axes.set_xlabel, axes.set_ylabel)):
        label(f"{path['away'][k]} ↔ {path['toward'][k]}, dB ({path['explained'][k]:.0%})")


def draw_many(figure: Any, contents: Sequence[dict[str, Any]]) -> None:  # noqa: ANN401
    """Draw many files side by side, by words."""
    shown = contents[:_MOST_FILES]
    words = list(shown[0]["overall"]["scores"])
    values = np.array([[c["overall"]["scores"][word] for word in words] for c in shown])
    figure.set_size_inches(4.0 + 0.75 * len(words), 1.8 + 0.34 * len(shown))
    axes = figure.add_subplot()
    reach = max(0.5, math.ceil(float(np.quantile(np.abs(values), 0.95)) * 2.0) / 2.0)
    image = axes.pcolormesh(values, cmap="RdBu_r", vmin=-reach, vmax=reach, edgecolors="white")
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        colour = "white" if abs(value) > 0.65 * reach else INK
        axes.text(
            column + 0.5,
            row + 0.5,
            f"{value:+.1f}".replace("-", "\u2212"),
            ha="center",
            va="center",
            fontsize=8,
            color=colour,
        )
    axes.set_xticks(np.arange(len(words)) + 0.5, words)
    axes.set_yticks(np.arange(len(shown)) + 0.5, [Path(c["file"]).name[:48] for c in shown])
    axes.xaxis.tick_top()
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    more = f" (the first {_MOST_FILES} of {len(contents)})" if len(contents) > _MOST_FILES else ""
    figure.suptitle(
        f"{len(contents)} files in words{more} · 0 neutral, 1 as if the word's typical move were on",
        fontsize=12,
        fontweight="bold",
    )
    figure.colorbar(image, ax=axes, pad=0.01, label="score")
