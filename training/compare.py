"""Two methods side by side: what each does to the same music, word by word, and how far they differ.

A *semantic profile* is what the judges hear: for each word, the mean over clips of the change of every
judge's score (dB of band share) when that word is asked for at amount 1. A method that scores sounds
itself also shows what it calls the untouched music.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semeq.engine.atomic import Replacement
from semeq.training.figures import COLOURS, DPI, new_figure
from semeq.training.measures import effect_db, rms_of
from semeq.training.methods import BatchMethod, Method, SelfScorer, as_batch, known_words
from semeq.training.metrics import Trial, Triple
from semeq.training.people import correlations
from semeq.training.protocol import WORDS, figure, triple_figures
from semeq.training.spectra import Spectra
from semeq.training.tables import cell
from semeq.training.words import GRID_HZ

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Figures = dict[str, Any]


def _side(
    method: Method | BatchMethod, trial: Trial, words: Sequence[str]
) -> tuple[Figures, Triple]:
    batch = as_batch(method)
    triple = trial.triple(batch)
    profiles, curves, spreads = {}, {}, {}
    for word in words:
        made = batch.curves_db(word, 1.0, trial.plain)
        profiles[word] = {w: float(effect_db(w, made, trial.plain.power).mean()) for w in WORDS}
        curves[word] = made.mean(axis=0).tolist()
        spreads[word] = made.std(axis=0).tolist()
    side: Figures = {
        "name": method.name,
        "triple": triple_figures(triple),
        "profiles": profiles,
        "curves_db": curves,
        "curves_sd_db": spreads,
    }
    if isinstance(method, SelfScorer):
        side["hears"] = {w: float(method.own_scores(w, trial.plain).mean()) for w in words}
    return side, triple


def compare(
    a: Method | BatchMethod, b: Method | BatchMethod, spectra: Spectra, *, seed: int = 0
) -> Figures:
    """Return both sides and, for each word that both know, how like their curves are.

    Returns
    -------
    dict
        ``a``, ``b``: name, triple, profiles, mean curves and their spread over clips; ``words``: for
        each word the mean over clips of r between the two curves and of their rms difference in dB;
        ``b_less_a``: the triple of b less that of a. Its intervals are those of the difference, narrower
        than both sides' apart: what one recording makes hard is hard for both.
    """
    trial = Trial(spectra, seed=seed)
    words = [word for word in known_words(a, WORDS) if word in known_words(b, WORDS)]
    likeness = {}
    for word in words:
        first, second = (as_batch(one).curves_db(word, 1.0, trial.plain) for one in (a, b))
        r = [float(correlations(x, y)[0, 0]) for x, y in zip(first, second, strict=True)]
        likeness[word] = {
            "r": float(np.mean(r)),
            "difference_db": float(rms_of(first - second).mean()),
        }
    (side_a, triple_a), (side_b, triple_b) = (_side(one, trial, words) for one in (a, b))
    return {
        "freqs_hz": np.asarray(GRID_HZ).tolist(),
        "a": side_a,
        "b": side_b,
        "b_less_a": {name: figure(one) for name, one in triple_b.over(triple_a).items()},
        "words": likeness,
    }


def text(found: Figures) -> str:
    """Return the comparison as lines of text."""
    a, b = found["a"], found["b"]
    lines = [f"A: {a['name']}", f"B: {b['name']}", "", f"{'':22}{'A':>22}{'B':>22}{'B less A':>26}"]
    lines += [
        f"{name:22}{cell(a['triple'][name]):>22}{cell(b['triple'][name]):>22}"
        f"{cell(found['b_less_a'][name], 3):>26}"
        for name in ("direction", "spread", "restoration")
    ]
    lines += ["", f"{'word':10}{'own effect A, B (dB)':>22}{'r of curves':>14}{'apart, dB':>12}"]
    for word, row in found["words"].items():
        effects = f"{a['profiles'][word][word]:+.1f}, {b['profiles'][word][word]:+.1f}"
        lines.append(f"{word:10}{effects:>22}{row['r']:>14.2f}{row['difference_db']:>12.1f}")
    for letter, side in (("A", a), ("B", b)):
        if "hears" in side:
            scores = ", ".join(f"{word} {score:.1f}" for word, score in side["hears"].items())
            lines += ["", f"{letter} hears in the music as it is: {scores}"]
    return "\n".join(lines).replace("-", "−") + "\n"


def draw_curves(found: Figures) -> "Figure":
    """Return the mean curves of both sides, word by word, with their spread over clips."""
    words = list(found["words"])
    rows = -(-len(words) // 4)
    figure, panels = new_figure(13, 3.2 * rows, rows, 4)
    for axes, word in zip(panels, words, strict=False):
        for k, side in enumerate((found["a"], found["b"])):
            middle = np.array(side["curves_db"][word])
            spread = np.array(side["curves_sd_db"][word])
            axes.plot(GRID_HZ, middle, color=COLOURS[k], label=side["name"], ls=("-", "--")[k])
            axes.fill_between(
                GRID_HZ, middle - spread, middle + spread, color=COLOURS[k], alpha=0.2
            )
        axes.axhline(0.0, color="0.6", linewidth=0.8)
        axes.set_xscale("log")
        axes.set_title(f"{word} (r {found['words'][word]['r']:.2f})", fontsize=10)
    for axes in panels[len(words) :]:
        axes.set_visible(False)
    panels[0].legend(fontsize=7)
    figure.suptitle("Predicted curves (dB over Hz), mean and spread over clips")
    return figure


def draw_profiles(found: Figures) -> "Figure":
    """Return what the judges hear: change of each judge's score (columns) by word asked for (rows)."""
    figure, panels = new_figure(11, 5, 1, 2)
    words = list(found["words"])
    for axes, side in zip(panels, (found["a"], found["b"]), strict=True):
        change = np.array([[side["profiles"][w][j] for j in WORDS] for w in words])
        axes.imshow(change, vmin=-6.0, vmax=6.0, cmap="RdBu_r")
        for (i, j), value in np.ndenumerate(change):
            colour = "white" if abs(value) > 4.0 else "black"
            axes.text(j, i, f"{value:+.1f}", ha="center", va="center", fontsize=7, color=colour)
        axes.set_xticks(range(len(WORDS)), WORDS, rotation=60)
        axes.set_yticks(range(len(words)), words)
        axes.set_title(side["name"], fontsize=10)
    figure.suptitle("Semantic profiles: change of every judge (dB) by the word asked for")
    return figure


def draw(found: Figures, folder: Path) -> list[Path]:
    """Write both figures into a folder as PNG; return the files."""
    written = []
    for name, make in (("compare_curves", draw_curves), ("compare_profiles", draw_profiles)):
        path = folder / f"{name}.png"
        with Replacement(path, overwrite=True) as new:
            make(found).savefig(new.file, dpi=DPI, metadata={"Software": None})
            new.commit()
        written.append(path)
    return written
