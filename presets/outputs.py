"""Where renders go: names for outputs, and the refusals that come before any work."""

import re
from collections.abc import Sequence
from pathlib import Path

from semeq.engine.atomic import is_same_file
from semeq.engine.errors import UsageError
from semeq.engine.recipe import Recipe

_LONGEST_LABEL = 60


def label_for(recipe: Recipe, amount: float = 1.0) -> str:
    """Return a recipe as part of a file name.

    >>> label_for(Recipe.parse("warm:0.5 + punchy - bright:0.2")), label_for(Recipe.parse("warm"), 0.5)
    ('warm0.5+punchy-bright0.2', 'warm@0.5')
    """
    label = ""
    for word, weight in recipe.terms:
        sign = "-" if weight < 0.0 else "+" if label else ""
        size = "" if abs(weight) == 1.0 else f"{abs(weight):g}"
        label += sign + re.sub(r"[^\w]+", "_", word) + size
    label = label[:_LONGEST_LABEL] or "flat"
    return label if amount == 1.0 else f"{label}@{amount:g}"


def plan_outputs(
    sources: Sequence[Path], output: Path | None, folder: Path | None, label: str
) -> list[Path]:
    """Return the output of each source.

    Parameters
    ----------
    sources : sequence of Path
        The inputs.
    output : Path, optional
        The one output of the one input.
    folder : Path, optional
        A folder for all outputs, which keep their names; made if it is not there.
    label : str
        What comes between the name and the suffix where outputs stand beside their inputs.

    Raises
    ------
    UsageError
        If the request contradicts itself, or two outputs would be one file.
    """
    for path in (*sources, *((output,) if output else ())):
        if str(path) == "-":
            raise UsageError("standard input and output cannot be used: name a file instead of -")
    if output is not None and folder is not None:
        raise UsageError("give -o or --out-dir, not both")
    if output is not None:
        if len(sources) > 1:
            raise UsageError(f"-o names one file, got {len(sources)} inputs: use --out-dir")
        if output.is_dir():
            raise UsageError(f"-o must name a file, got the folder {output}: use --out-dir")
        return [output]
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UsageError(f"--out-dir must name a folder, got the file {folder}")
    targets = [
        source.with_name(f"{source.stem}.{label}{source.suffix}")
        if folder is None
        else folder / source.name
        for source in sources
    ]
    _refuse_collisions(sources, targets)
    return targets


def _refuse_collisions(sources: Sequence[Path], targets: Sequence[Path]) -> None:
    # as a disk that ignores case sees them
    taken: dict[str, Path] = {}
    for source, target in zip(sources, targets, strict=True):
        key = str(target).casefold()
        if key in taken:
            other = taken[key]
            if is_same_file(source, other):
                raise UsageError(f"{source} is given twice")
            raise UsageError(
                f"{other} and {source} would both become {target}: render them to two folders"
            )
        taken[key] = source
