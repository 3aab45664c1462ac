"""An analysis as a picture: words over time, regions of the spectrum, and the path through the latent space.

PNG, SVG or PDF, by the file's suffix; the panels are those of `semeq.engine.analysis_draw`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semeq.engine.analysis_draw import INK, SOFT, draw_many, draw_one
from semeq.engine.atomic import Replacement
from semeq.engine.errors import MissingPackageError, UsageError

SUFFIXES = (".png", ".svg", ".pdf")


def _matplotlib() -> Any:  # noqa: ANN401 (matplotlib is optional)
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackageError(
            "matplotlib must be installed to draw pictures: pip install matplotlib"
        ) from error
    return Figure, FigureCanvasAgg


def check_suffix(path: Path) -> None:
    """Refuse a picture of a kind that is not drawn.

    Raises
    ------
    UsageError
        If the suffix is none of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"a picture must end in {', '.join(SUFFIXES)}, got {path}")


def plot(contents: Sequence[dict[str, Any]], path: Path, *, inputs: Sequence[Path] = ()) -> None:
    """Draw one file over time, or several files side by side.

    Parameters
    ----------
    contents : sequence
        What `semeq.engine.analysis_tables.as_dict` returned, one or more.
    path : Path
        Where to; replaced if it is there.
    inputs : sequence of Path
        Files that must not be replaced.

    Raises
    ------
    MissingPackageError
        If matplotlib is not installed.
    AudioFileError
        If it cannot be written.
    """
    check_suffix(path)
    figure_class, canvas = _matplotlib()
    from matplotlib import rc_context

    style: Any = {
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": SOFT,
        "axes.edgecolor": "#9aa5b1",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "grid.color": "#e6e9ec",
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "svg.fonttype": "none",
    }
    with rc_context(style):
        figure = figure_class(facecolor="white", layout="constrained")
        canvas(figure)
        if len(contents) == 1:
            draw_one(figure, contents[0])
        else:
            draw_many(figure, contents)
        with Replacement(path, overwrite=True, inputs=inputs) as new:
            figure.savefig(new.file, format=path.suffix.lower()[1:], dpi=130)
            new.commit()
