"""The command ``semeq analyze``: the story of sounds in words, as text, JSON, CSV, a picture and a page."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from semeq.engine.errors import MissingPackageError, UsageError
from semeq.engine.recipe import Recipe
from semeq.engine.spelling import normalise_word

Content = dict[str, Any]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _display(names: list[str]) -> Iterator[Any]:
    """Yield what shows progress: a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda number, share: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), Remaining())
    shares = [0.0] * len(names)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(names[0][:60]), total=len(names))

        def show(number: int, share: float) -> None:
            shares[number] = share
            bar.update(task, description=escape(names[number][:60]), completed=sum(shares))

        yield show


def _split_words(ctx: click.Context, option: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(word for part in (text or "").split(",") if (word := normalise_word(part)))


def _check_targets(outputs: dict[str, Path | None], sources: list[Path]) -> None:
    """Refuse outputs that have no folder or would replace an input or each other."""
    from semeq.engine.atomic import is_same_file

    named = {option: path for option, path in outputs.items() if path is not None}
    for option, path in named.items():
        if path.is_dir() or not path.parent.is_dir():
            raise UsageError(f"{option} must name a file in a folder that exists, got {path}")
        for source in sources:
            if is_same_file(path, source):
                raise UsageError(f"{option} must not be one of the sound files, got {path}")
        for other, second in named.items():
            if other < option and is_same_file(path, second):
                raise UsageError(f"{other} and {option} must be two files, got {path} twice")


@click.command(short_help="Tell what sounds are like, over time and in words.")
@click.argument(
    "paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="Everything, on standard output alone.")
@click.option(
    "--plot",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="A picture: .png, .svg or .pdf. Of several files: all of them, by words.",
)
@click.option(
    "--html",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="An interactive page that needs nothing else; of several files: with a table of them.",
)
@click.option(
    "--csv",
    "csv_out",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="One row for each window of each file.",
)
@click.option(
    "--summary",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="One row for each file: .csv or .json.",
)
@click.option(
    "--window", default=3.0, show_default=True, metavar="S", help="Length of a window in seconds."
)
@click.option(
    "--hop", default=1.0, show_default=True, metavar="S", help="From one window to the next."
)
@click.option(
    "--words",
    metavar="A,B,C",
    callback=_split_words,
    help="Words to score, instead of a dozen that people agree on.",
)
@click.option(
    "--make",
    "-m",
    metavar="RECIPE",
    multiple=True,
    help="Say which EQ this would need, for the whole and each section; as often as wanted.",
)
@click.option(
    "--adapt",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    metavar="A",
    help="How much the sound has a say in that EQ.",
)
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Files at the same time; as many as there are cores if not given.",
)
@click.pass_context
def analyze(
    ctx: click.Context,
    paths: tuple[Path, ...],
    as_json: bool,
    plot: Path | None,
    html: Path | None,
    csv_out: Path | None,
    summary: Path | None,
    window: float,
    hop: float,
    words: tuple[str, ...],
    make: tuple[str, ...],
    adapt: float,
    jobs: int | None,
) -> None:
    """Tell what sound files are like, over time and in words; whole folders, too.

    A score of 0 is neutral; 1 sounds as if the word's typical EQ move had been put on typical material, -1
    as if its reverse had. How loud the sound is does not matter. The scores come from the encoder; beside
    them stands what is measured without it: where the power lies, its centroid and its tilt.

    A file that fails does not stop the others; the exit code is then 1.
    """
    # Band sums are small: threads of the linear algebra would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from semeq.engine.analysis_plot import check_suffix
    from semeq.engine.analysis_types import AnalysisConfig
    from semeq.engine.analysis_words import DEFAULT_WORDS
    from semeq.presets import analyses
    from semeq.presets.analyze_text import tell, tell_many
    from semeq.presets.library import load_vocabulary

    vocabulary = load_vocabulary()
    recipes = tuple(Recipe.parse(text) for text in make)
    wanted = [vocabulary.get(name) for name in words or DEFAULT_WORDS]
    for name in (term for recipe in recipes for term, _ in recipe.terms):
        vocabulary.get(name)
    config = AnalysisConfig(window, hop, tuple(word.word for word in wanted), recipes, adapt)
    if plot is not None:
        check_suffix(plot)
        _need_matplotlib()
    if summary is not None and summary.suffix.lower() not in (".csv", ".json"):
        raise UsageError(f"--summary must end in .csv or .json, got {summary}")
    sources = analyses.find_sources(paths)
    outputs = {"--plot": plot, "--html": html, "--csv": csv_out, "--summary": summary}
    _check_targets(outputs, sources)
    for word in wanted:
        if words and word.low_agreement:
            click.echo(
                f"warning: the {word.people} people who taught {word.word!r} do not agree "
                f"(mean correlation {word.agreement:.2f})",
                err=True,
            )

    requests = [analyses.Request(source, config) for source in sources]
    found: list[Content] = [{} for _ in requests]
    with _display([source.name for source in sources]) as show:
        for number, content in analyses.run(requests, jobs or _cores(), show):
            found[number] = content
            show(number, 1.0)
    for content in found:
        if content.get("status") == "failed":
            click.echo(f"semeq: {content['error']}", err=True)
        for warning in content.get("warnings", ()):
            click.echo(f"warning: {content['file']}: {warning}", err=True)
    done = [content for content in found if content.get("status") != "failed"]
    is_single = len(paths) == 1 and not paths[0].is_dir()
    _write(done, found, outputs, sources)
    if as_json:
        if is_single and done:
            click.echo(json.dumps(done[0], ensure_ascii=False, allow_nan=False))
        elif not is_single:
            click.echo(json.dumps({"files": found}, ensure_ascii=False, allow_nan=False))
    elif is_single and done:
        click.echo(tell(done[0]))
    elif done:
        click.echo(tell_many(found))
    if len(done) < len(found):
        if len(found) > 1:
            click.echo(f"{len(done)} analysed, {len(found) - len(done)} failed", err=True)
        ctx.exit(1)


def _need_matplotlib() -> None:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise MissingPackageError("--plot needs matplotlib: pip install matplotlib")


def _write(
    done: list[Content],
    found: list[Content],
    outputs: dict[str, Path | None],
    sources: list[Path],
) -> None:
    from semeq.engine.analysis_tables import summary_csv, summary_row, windows_csv
    from semeq.engine.atomic import write_text

    inputs = tuple(sources)
    summary = outputs["--summary"]
    if summary is not None:
        if summary.suffix.lower() == ".csv":
            text = summary_csv(found)
        else:
            rows = [summary_row(content) for content in found]
            text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_text(summary, text, inputs=inputs)
    if not done:
        return
    if outputs["--csv"] is not None:
        write_text(outputs["--csv"], windows_csv(done), inputs=inputs)
    if outputs["--html"] is not None:
        from semeq.engine.analysis_page import page

        write_text(outputs["--html"], page(found), inputs=inputs)
    if outputs["--plot"] is not None:
        from semeq.engine.analysis_plot import plot

        plot(done, outputs["--plot"], inputs=sources)
    for path in outputs.values():
        if path is not None:
            click.echo(f"written: {path}", err=True)
