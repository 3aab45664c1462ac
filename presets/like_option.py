"""``--like FILE`` for a live session: the recipe that a reference comes to, before anything is heard.

The reference is compared with what music usually sounds like; how much of that the input needs is then for
``--adapt`` to say, which hears it. A file to render is compared with the reference itself
(`semeq.presets.cli_render`).
"""

from pathlib import Path

import click
from click.core import ParameterSource

from semeq.engine.errors import SemeqError, UsageError


def _recipe_of(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> str | None:
    if path is None:
        return None
    from semeq.presets.likeness import Reference

    try:
        likeness = Reference.read(path).told(None)
    except SemeqError as error:
        raise click.BadParameter(str(error)) from None
    click.echo(f"semeq: {likeness.text}", err=True)
    return str(likeness.recipe)


#: Gives the command a recipe as text, and says how far it goes.
like_option = click.option(
    "--like",
    metavar="FILE",
    type=click.Path(path_type=Path),
    callback=_recipe_of,
    help="Start with the words that make usual music sound like this file; --adapt does the rest.",
)


def compared_instead(ctx: click.Context) -> float:
    """Return the ``adapt`` of a render by reference, 0: each input was compared with it, so it was heard.

    Raises
    ------
    UsageError
        If the command line asks for more.
    """
    asked = float(ctx.params["adapt"])
    if asked > 0.0 and ctx.get_parameter_source("adapt") is ParameterSource.COMMANDLINE:
        raise UsageError(
            f"--like compares each input with the reference itself: leave out --adapt, got {asked:g}"
        )
    return 0.0


def make_or_like(make: str | None, like: str | None) -> str | None:
    """Return the recipe that is asked for, or None.

    Raises
    ------
    UsageError
        If there are two.
    """
    if make is not None and like is not None:
        raise UsageError("give --make or --like, not both")
    return like if make is None else make
