"""The commands ``semeq words`` and ``semeq curve``: what words mean, and what a recipe does."""

import json
import math

import click
import numpy as np

from semeq.engine.curve_json import curve_content, curve_grid
from semeq.engine.design import response_db
from semeq.engine.meaning import Meaning, interpret
from semeq.engine.recipe import Recipe
from semeq.engine.units import Floats
from semeq.engine.words import LANGUAGES, Vocabulary, Word
from semeq.presets.design_option import design_option
from semeq.presets.library import load_vocabulary

FS_RANGE_HZ = (8000.0, 192_000.0)
PLOT_COLUMNS, PLOT_ROWS = 72, 13
TICKS_HZ = (20.0, 100.0, 1000.0, 10_000.0)


def _entry(word: Word) -> dict[str, object]:
    return {
        "word": word.word,
        "language": word.language,
        "people": word.people,
        "agreement": word.agreement,
        "sources": {
            name: {"people": share.people, "weight": share.weight}
            for name, share in word.sources.items()
        },
        "opposite": word.opposite,
        "nearest": list(word.nearest),
        "strength_db": round(word.strength_db, 2),
        "single_person": word.single_person,
        "low_agreement": word.low_agreement,
        "fit_rms_db": word.fit_rms_db,
        "bands": word.settings.as_dicts(),
    }


def _marks(word: Word) -> str:
    if word.single_person:
        return "one person"
    return "people disagree" if word.low_agreement else ""


def _table(words: list[Word]) -> str:
    rows = [("word", "lang", "people", "agree", "dB rms", "opposite", "nearest", "sources", "")]
    for w in words:
        rows.append(
            (
                w.word,
                w.language,
                str(w.people),
                "-" if w.agreement is None else f"{w.agreement:.2f}",
                f"{w.strength_db:.1f}",
                w.opposite or "-",
                ", ".join(w.nearest) or "-",
                " + ".join(f"{name} {share.weight:.0%}" for name, share in w.sources.items()),
                _marks(w),
            )
        )
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    right = {2, 3, 4}
    lines = [
        "  ".join(
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list on standard output, every word.")
@click.option(
    "--language",
    type=click.Choice([*LANGUAGES, "all"]),
    default="all",
    show_default=True,
    help="English, Spanish or all words.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Show words of one person in the table too."
)
def words(as_json: bool, language: str, everything: bool) -> None:
    """List the words that people taught semeq, and how far they agree.

    Agreement is the mean correlation between the curves of two people; the strength of a word at weight
    1 is the rms of its curve. Words of one person are left out of the table unless --all is given.
    """
    chosen = [w for w in load_vocabulary().words.values() if language in (w.language, "all")]
    if as_json:
        click.echo("[\n" + ",\n".join(json.dumps(_entry(word)) for word in chosen) + "\n]")
        return
    shown = [word for word in chosen if everything or not word.single_person]
    click.echo(_table(shown))
    hidden = len(chosen) - len(shown)
    if hidden:
        click.echo(f"{hidden} more words are of one person each: --all shows them", err=True)


def _check_fs(ctx: click.Context, parameter: click.Parameter, fs: float) -> float:
    low, high = FS_RANGE_HZ
    if not (math.isfinite(fs) and low <= fs <= high):
        raise click.BadParameter(f"must be in [{low:g}, {high:g}] Hz, got {fs:g}")
    return fs


def _plot(freqs_hz: Floats, response: Floats) -> str:
    """Draw a response in plain characters."""
    reach = max(3.0, math.ceil(float(np.abs(response).max())))
    at = np.geomspace(freqs_hz[0], freqs_hz[-1], PLOT_COLUMNS)
    level = np.interp(np.log(at), np.log(freqs_hz), response)
    half = PLOT_ROWS // 2
    rows = np.round(half - level / reach * half).astype(int)
    lines = []
    for row in range(PLOT_ROWS):
        label = f"{reach * (half - row) / half:+6.1f}" if row % 3 == 0 else " " * 6
        blank = "-" if row == half else " "
        lines.append(f"{label} |" + "".join("*" if r == row else blank for r in rows))
    axis = [" "] * (PLOT_COLUMNS + 8)
    for tick in (t for t in TICKS_HZ if t < freqs_hz[-1]):
        text = f"{tick / 1000:g}k" if tick >= 1000 else f"{tick:g}"
        column = 8 + int(np.argmin(np.abs(np.log(at / tick))))
        axis[column : column + len(text)] = text
    return "\n".join(line.rstrip() for line in (*lines, "".join(axis) + " Hz"))


def _described(recipe: Recipe, meaning: Meaning, vocabulary: Vocabulary) -> str:
    lines = [str(recipe) or "(empty recipe: nothing changes)"]
    for name, _ in recipe.terms:
        word = vocabulary.get(name)
        agree = "" if word.agreement is None else f", agreement {word.agreement:.2f}"
        lines.append(f"  {word.word}: {word.people} people{agree}, {word.strength_db:.1f} dB rms")
    lines.append(f"{'band':<12}{'Hz':>9}{'dB':>8}{'q':>7}")
    lines += [
        f"{band.kind.value:<12}{band.freq_hz:>9.1f}{band.gain_db:>+8.2f}{band.q:>7.2f}"
        for band in meaning.settings.bands
    ]
    return "\n".join(lines)


@click.command(
    # -h would swallow a recipe that starts with "-h", such as -harsh.
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]}
)
@click.argument("recipe", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--fs", type=float, default=48_000.0, show_default=True, callback=_check_fs, help="Rate in Hz."
)
@click.option("--amount", type=float, default=1.0, show_default=True, help="Factor on all weights.")
@click.option("--json", "as_json", is_flag=True, help="One object on standard output.")
@design_option
def curve(recipe: tuple[str, ...], fs: float, amount: float, as_json: bool, design: str) -> None:
    """Show the seven bands and the response of RECIPE, such as "warm:0.5 - bright:0.3"."""
    for text in recipe:
        if text.startswith("--"):
            raise click.UsageError(f"No such option: {text}")
    asked = Recipe.parse(" ".join(recipe))
    vocabulary = load_vocabulary()
    meaning = interpret(asked, vocabulary, amount=amount)
    for warning in meaning.warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        content = curve_content(
            str(asked), amount, fs, meaning.settings, meaning.warnings, design=design
        )
        click.echo(json.dumps(content))
        return
    click.echo(_described(asked, meaning, vocabulary))
    freqs_hz = curve_grid(fs)
    click.echo(_plot(freqs_hz, response_db(meaning.settings, fs, freqs_hz, design=design)))
