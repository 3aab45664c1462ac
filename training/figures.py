"""The figures F1–F7 of an evaluation, drawn from its JSON alone: so they can be drawn again at any time."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semeq.engine.atomic import Replacement
from semeq.engine.errors import MissingPackageError
from semeq.training.degrade import RECIPE
from semeq.training.protocol import STRENGTHS_DB, WORDS
from semeq.training.tables import PUBLISHED
from semeq.training.words import GRID_HZ

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Figures = dict[str, Any]
#: Colours that colour-blind readers can tell apart (Okabe and Ito), and markers for everyone.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
MARKERS = "osD^vP*X"
#: Methods that are drawn in every figure but say nothing in some.
CONTROLS = ("identity", "random EQ")
DPI = 110


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1
) -> "tuple[Figure, list[Axes]]":
    """Return a figure of a size in inches, and its panels row by row.

    Raises
    ------
    MissingPackageError
        If matplotlib is not installed.
    """
    try:
        # No pyplot: nothing global, no window system.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackageError(
            "matplotlib must be installed to draw figures: pip install semeq[plot]"
        ) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.ravel())


def _style(k: int) -> dict[str, Any]:
    return {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k % len(MARKERS)]}


def _without_controls(methods: Figures) -> Figures:
    kept = {name: found for name, found in methods.items() if name not in CONTROLS}
    return kept or methods


def hit_rates(methods: Figures) -> "Figure":
    """F1: share of clips that moved the right way, by word and method, with intervals."""
    figure, (axes,) = new_figure(11, 4.5)
    shown = {name: found for name, found in methods.items() if name != "identity"}
    width = 0.8 / max(len(shown), 1)
    for k, (name, found) in enumerate(shown.items()):
        rows = found["triple"]["direction_by_word"]
        at = [i + (k + 0.5) * width - 0.4 for i, word in enumerate(WORDS) if word in rows]
        values = [rows[word] for word in WORDS if word in rows]
        heights = np.array([row["value"] for row in values])
        ends = np.array([[r["value"] - r["low"], r["high"] - r["value"]] for r in values]).T
        axes.bar(at, heights, width, label=name, color=COLOURS[k % len(COLOURS)], yerr=np.abs(ends))
    axes.axhline(0.97, color="0.3", linewidth=0.8, linestyle="--")
    axes.set_xticks(range(len(WORDS)), WORDS)
    axes.set(ylabel="share moved the right way", ylim=(0.0, 1.02), title="F1  Direction right")
    axes.legend(fontsize=8, ncols=3, loc="lower center")
    return figure


def effects(methods: Figures) -> "Figure":
    """F2: change of the word's band share against the strength of the equaliser."""
    figure, panels = new_figure(12, 6, 2, 4)
    for axes, word in zip(panels, WORDS, strict=True):
        for k, (name, found) in enumerate(methods.items()):
            if word in found["effect"] and name != "identity":
                rows = found["effect"][word]["over_strength"]
                axes.plot(STRENGTHS_DB, rows, label=name, markersize=4, **_style(k))
        axes.axhline(0.0, color="0.6", linewidth=0.8)
        axes.set_title(word, fontsize=10)
    for axes in panels[4:]:
        axes.set_xlabel("strength, dB rms")
    for axes in panels[::4]:
        axes.set_ylabel("effect, dB")
    panels[0].legend(fontsize=6)
    figure.suptitle("F2  Effect at equal strength")
    return figure


def pre_tilts(methods: Figures) -> "Figure":
    """F3: tilt that comes out against tilt that went in, mean over clips and words."""
    figure, (axes,) = new_figure(6.5, 5)
    for k, (name, found) in enumerate(_without_controls(methods).items()):
        rows = found["adaptivity"]
        before = np.array(rows["pre_tilts_db"])
        applied = np.mean(list(rows["applied_db_per_octave"].values()), axis=0)
        # 100 Hz to 10 kHz: as many octaves as the pre-tilt is measured over.
        after = before + (applied - applied[len(applied) // 2]) * np.log2(100.0)
        axes.plot(before, after, label=f"{name} ({rows['spread']:.2f})", **_style(k))
    axes.plot(before, before, color="0.6", linestyle=":", label="blind to its input (1.00)")
    axes.set(
        xlabel="pre-tilt, dB from 100 Hz to 10 kHz",
        ylabel="final tilt, dB, relative to no pre-tilt",
        title="F3  Pre-tilt and what is left of it (spread)",
    )
    axes.legend(fontsize=8)
    return figure


def restoration(methods: Figures) -> "Figure":
    """F4: restoration error relative to doing nothing, with others' published rows."""
    figure, (axes,) = new_figure(11, 4.5)
    rows = {
        name: {line: row["value"] for line, row in found["triple"]["restoration_by_line"].items()}
        for name, found in methods.items()
        if name != "identity"
    } | PUBLISHED
    lines = [line.name for line in RECIPE]
    width = 0.8 / len(rows)
    for k, (name, row) in enumerate(rows.items()):
        at = [i + (k + 0.5) * width - 0.4 for i, line in enumerate(lines) if line in row]
        heights = [row[line] for line in lines if line in row]
        hatch = "//" if name in PUBLISHED else None
        axes.bar(
            at, heights, width, label=name, color=COLOURS[k % len(COLOURS)], hatch=hatch, alpha=0.9
        )
    axes.axhline(1.0, color="0.3", linewidth=0.8)
    axes.set_xticks(range(len(lines)), lines)
    axes.set(ylabel="error / error of doing nothing", title="F4  Restoration (less is better)")
    axes.legend(fontsize=7, ncols=2)
    return figure


def curves(methods: Figures) -> "Figure | None":
    """F5: predicted curves over the spread of held-out people."""
    shown = {n: f for n, f in _without_controls(methods).items() if f.get("curves")}
    people_of = {
        word: row["people"]
        for found in shown.values()
        for word, row in found["people"]["words"].items()
    }
    # The words that most people judge come first.
    words = sorted(people_of, key=lambda word: (-people_of[word], word))[:6]
    if not words:
        return None
    figure, panels = new_figure(12, 3.2 * -(-len(words) // 3), -(-len(words) // 3), 3)
    for axes, word in zip(panels, words, strict=False):
        people = next(f["curves"][word] for f in shown.values() if word in f["curves"])
        middle, spread = np.array(people["people"]), np.array(people["people_sd"])
        axes.fill_between(GRID_HZ, middle - spread, middle + spread, color="0.85")
        axes.plot(GRID_HZ, middle, color="0.4", linestyle="--", label="held-out people")
        for k, (name, found) in enumerate(shown.items()):
            if word in found["curves"]:
                r = found["people"]["words"][word]["r"]["value"]
                label = f"{name} (r {r:.2f})"
                colour = COLOURS[k % len(COLOURS)]
                axes.plot(GRID_HZ, found["curves"][word]["method"], color=colour, label=label)
        axes.set_xscale("log")
        axes.set_title(word, fontsize=10)
        axes.legend(fontsize=6)
    figure.suptitle("F5  Curves (dB over Hz) and people nobody learned from")
    return figure


def confusion(methods: Figures) -> "Figure":
    """F6: whose people drew the likest curve (without people: which judge moved most), by word."""
    shown = {n: f for n, f in _without_controls(methods).items() if len(f["words"]) > 2}
    shown = shown or methods
    columns = min(len(shown), 4)
    rows = -(-len(shown) // columns)
    figure, panels = new_figure(3.4 * columns, 3.4 * rows, rows, columns)
    for axes, (name, found) in zip(panels, shown.items(), strict=False):
        rows_of = found["confusion"]
        shares = np.array(rows_of.get("people", rows_of["shares"]))
        axes.imshow(shares, vmin=0.0, vmax=1.0, cmap="Blues")
        for (i, j), share in np.ndenumerate(shares):
            if share >= 0.05:
                colour = "white" if share > 0.6 else "black"
                axes.text(j, i, f"{share:.1f}", ha="center", va="center", fontsize=6, color=colour)
        names = found["words"]
        axes.set_xticks(range(len(names)), names, rotation=60, fontsize=7)
        axes.set_yticks(range(len(names)), names, fontsize=7)
        axes.set_title(name, fontsize=9)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    figure.suptitle("F6  Asked for (rows) and most like (columns)")
    return figure


def honesty(methods: Figures) -> "Figure | None":
    """F7: a method's own score against the judges'."""
    shown = {n: f["own_score"] for n, f in methods.items() if "own_score" in f}
    if not shown:
        return None
    figure, panels = new_figure(4.2 * len(shown), 4, 1, len(shown))
    for axes, (name, own) in zip(panels, shown.items(), strict=True):
        points = np.array(own["points"])
        axes.scatter(points[:, 0], points[:, 1], s=8, alpha=0.5, color=COLOURS[0])
        axes.axhline(0.0, color="0.6", linewidth=0.8)
        axes.axvline(0.0, color="0.6", linewidth=0.8)
        axes.set(xlabel="change of its own score", ylabel="change of the judge, dB")
        axes.set_title(f"{name}: rank correlation {own['spearman']:.2f}", fontsize=9)
    figure.suptitle("F7  Does its own score say what the judges say?")
    return figure


FIGURES: dict[str, Callable[[Figures], "Figure | None"]] = {
    "F1_direction": hit_rates,
    "F2_effect": effects,
    "F3_pre_tilt": pre_tilts,
    "F4_restoration": restoration,
    "F5_curves": curves,
    "F6_confusion": confusion,
    "F7_own_score": honesty,
}


def draw(results: Figures, folder: Path) -> list[Path]:
    """Write every figure that the results have data for into a folder, as PNG; return the files."""
    written = []
    for name, make in FIGURES.items():
        figure = make(results["methods"])
        if figure is not None:
            path = folder / f"{name}.png"
            # The version of the library in the file would make equal figures differ.
            with Replacement(path, overwrite=True) as new:
                figure.savefig(new.file, dpi=DPI, metadata={"Software": None})
                new.commit()
            written.append(path)
    return written
