"""The options of ``semeq live`` that run third-party plugins before, after, or in place of the EQ."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semeq.engine.errors import UsageError
from semeq.presets.insert_options import KEY, OPTIONS, Command, option, read_inserts, saves_of

if TYPE_CHECKING:
    from semeq.engine.inserts import Insert
    from semeq.engine.plugin_map import PluginMap

_LIVE_SAVE = option(
    "--save-state",
    "saves",
    multiple=True,
    metavar="PLUGIN=FILE",
    help="Write an insert's state when the session ends; --state takes it up again.",
)
_LIVE_THROUGH = option(
    "--through",
    metavar="MAP.toml",
    type=click.Path(path_type=Path),
    help="Turn the knobs of an equaliser plugin instead of using our filters, as the map says "
    "('semeq plugin map' makes one); it runs in a process of its own.",
)


def live_insert_options(command: Command) -> Command:
    """Give a command the options of a live session; `live_inserts_of` and `live_through_of` read them."""
    for add in reversed((*OPTIONS[:3], _LIVE_SAVE, _LIVE_THROUGH)):
        command = add(command)
    return command


def live_inserts_of(ctx: click.Context) -> "tuple[Insert, ...]":
    """Return the inserts that a command's options ask for, not tried.

    Raises
    ------
    UsageError
        If an option cannot be understood.
    DataError
        If a state file is no such file.
    """
    given: dict[str, Any] = ctx.meta[KEY]
    return read_inserts(given["inserts"], given["settings"], given["states"])


def live_saves_of(ctx: click.Context, inserts: "Sequence[Insert]") -> tuple[tuple[int, Path], ...]:
    """Return which inserts' states are to be written where.

    Raises
    ------
    UsageError
        If an option cannot be understood, or names a folder that is not there.
    """
    saves = saves_of(ctx.meta[KEY]["saves"], inserts)
    for file in saves.values():
        if not file.absolute().parent.is_dir():
            raise UsageError(f"--save-state must name a file in a folder that is there, got {file}")
    return tuple(saves.items())


def live_through_of(ctx: click.Context) -> "PluginMap | None":
    """Return the map of the plugin that is to be the EQ, not tried.

    Raises
    ------
    DataError
        If it cannot be read or is no map.
    """
    path = ctx.meta[KEY]["through"]
    if path is None:
        return None
    from semeq.engine.plugin_map import read_map

    return read_map(path)
