"""``semeq plugin map`` and ``semeq plugin fit``: how an equaliser plugin's knobs stand for our bands."""

import json
from pathlib import Path

import click

from semeq.engine.errors import UsageError
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.presets.design_option import design_option
from semeq.presets.library import load_vocabulary
from semeq.presets.plugin_text import fitted_lines

FS = 48_000.0
#: What a new map is tried with.
TRIED = ("warm", "bright")


@click.command("map", short_help="Propose a map of an equaliser plugin.")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    metavar="MAP.toml",
    type=click.Path(path_type=Path),
    help="Write the map here instead of to standard output.",
)
@click.option("--overwrite", is_flag=True, help="Replace a map that exists.")
def map_(path: Path, output: Path | None, overwrite: bool) -> None:
    """Propose a map from our bands to the parameters of the equaliser at PATH, for 'render --through'.

    Names say which parameters belong together; what each does is measured. The map is tried with a few words,
    and how near the plugin comes is told. Look it over: it is a text file.
    """
    from semeq.engine.atomic import Replacement
    from semeq.engine.inserts import Insert, opened
    from semeq.engine.plugin_fit import PluginFitter
    from semeq.engine.plugin_guest import BLOCKSIZE
    from semeq.engine.plugin_map import map_text, turned_by
    from semeq.engine.plugin_propose import propose

    if output is not None and output.exists() and not overwrite:
        raise UsageError(f"{output} must not exist: give --overwrite to replace it")
    with opened(Insert(path), FS, None) as guest:
        proposal = propose(guest, FS)
    for note in proposal.notes:
        click.echo(f"note: {note}", err=True)
    vocabulary = load_vocabulary()
    with opened(turned_by(proposal.map), FS, None) as guest:
        fitter = PluginFitter(guest, proposal.map, FS, guest.channels, BLOCKSIZE)
        for word in TRIED:
            wanted = interpret(Recipe.parse(word), vocabulary).settings
            fitted = fitter.follow(wanted)
            click.echo(
                f"{word}: within {fitted.rms_db:.2f} dB rms, {fitted.max_db:.2f} dB at worst",
                err=True,
            )
    text = map_text(proposal.map)
    if output is None:
        click.echo(text, nl=False)
        return
    with Replacement(output, overwrite=overwrite) as new:
        new.file.write(text.encode())
        new.commit()
    click.echo(f"{output}: {len(proposal.map.bands)} bands", err=True)


@click.command(
    short_help="Turn a mapped plugin's knobs by words, and measure.",
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
)
@click.argument("file", metavar="MAP.toml", type=click.Path(path_type=Path))
@click.argument("recipe", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--fs", type=click.FloatRange(8000, 192_000), default=FS, show_default=True, help="Rate in Hz."
)
@click.option("--amount", type=float, default=1.0, show_default=True, help="Factor on all weights.")
@click.option("--json", "as_json", is_flag=True, help="One object on standard output.")
@design_option
def fit(
    file: Path, recipe: tuple[str, ...], fs: float, amount: float, as_json: bool, design: str
) -> None:
    """Show where RECIPE turns the knobs of a mapped plugin, and how near its response comes.

    The plugin is measured with a sweep; the error is that of its response against the words' curve, in dB,
    without their levels.
    """
    for text in recipe:
        if text.startswith("--"):
            raise click.UsageError(f"No such option: {text}")
    from semeq.engine.inserts import opened
    from semeq.engine.plugin_fit import PluginFitter
    from semeq.engine.plugin_guest import BLOCKSIZE
    from semeq.engine.plugin_map import read_map, turned_by

    given, asked = read_map(file), Recipe.parse(" ".join(recipe))
    meaning = interpret(asked, load_vocabulary(), amount=amount)
    for warning in meaning.warnings:
        click.echo(f"warning: {warning}", err=True)
    with opened(turned_by(given), fs, None) as guest:
        fitter = PluginFitter(guest, given, fs, guest.channels, BLOCKSIZE)
        fitted = fitter.follow(meaning.settings, design=design)
        facts = guest.facts
    if as_json:
        head = {"recipe": str(asked), "amount": amount, "fs": fs, "plugin": facts}
        click.echo(json.dumps({**head, **fitted.as_dict()}, ensure_ascii=False))
        return
    for line in fitted_lines(facts["name"], meaning.settings, fitted):
        click.echo(line)
