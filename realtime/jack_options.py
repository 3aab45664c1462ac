"""The options of ``semeq live`` for JACK: what we are called there, and whether we wire ourselves."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from semeq.engine.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])
#: JACK takes 63 letters, and adds a number where there are two of one name.
MAX_NAME = 60


def _checked(ctx: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    if name is None:
        return None
    if not (0 < len(name.encode()) <= MAX_NAME) or ":" in name or not name.isprintable():
        raise UsageError(
            f"--client-name must be 1 to {MAX_NAME} letters without a colon, got {name!r}"
        )
    return name


def jack_options(command: Command) -> Command:
    """Give a command ``--client-name`` and ``--connect/--no-connect``."""
    command = click.option(
        "--connect/--no-connect",
        "connects",
        default=True,
        help="With JACK: wire the ports to the devices, or leave them for you, a DAW or a patchbay to wire.",
    )(command)
    return click.option(
        "--client-name",
        metavar="NAME",
        callback=_checked,
        help="What JACK calls this session; by default 'semeq'. Its ports are NAME:in_0, NAME:out_0 …",
    )(command)
