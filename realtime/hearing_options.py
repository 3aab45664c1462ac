"""The options of ``semeq live`` about what is heard, and how far it may move the bands."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import click

from semeq.realtime.control import BAND_TRIM_RANGE_DB, BANDS, NO_TRIMS

Command = Callable[..., Any]


def _trims(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[float, ...]:
    """Return the seven band trims that BAND=DB, given any number of times, ask for."""
    trims = list(NO_TRIMS)
    low, high = BAND_TRIM_RANGE_DB
    for text in values:
        band, _, db = text.partition("=")
        try:
            number, value = int(band), float(db)
            if number not in BANDS or not low <= value <= high:
                raise ValueError
        except ValueError:
            raise click.BadParameter(
                f"{text!r} must be BAND=DB with a band in 1 to 7 and dB in {low:g} to {high:g}"
            ) from None
        trims[number - 1] = value
    return tuple(trims)


_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--speed",
        type=click.FloatRange(0.05, 60),
        metavar="S",
        help="How fast it follows the sound: the time constant in seconds; by default 1.5.",
    ),
    click.option(
        "--max-db",
        type=click.FloatRange(0, 12, min_open=True),
        metavar="DB",
        help="No band goes further than this; by default 12.",
    ),
    click.option(
        "--slew",
        type=click.FloatRange(0.1, 1000),
        metavar="DB_S",
        help="How fast the sound itself may move the curve, in dB a second; by default 12.",
    ),
    click.option(
        "--lock",
        "locks",
        type=click.IntRange(1, 7),
        multiple=True,
        metavar="BAND",
        help="Leave this band (1 to 7) alone; the others work around it. More than once if need be.",
    ),
    click.option(
        "--trim",
        "trims",
        multiple=True,
        metavar="BAND=DB",
        callback=_trims,
        help="Add so much to a band, whatever else it does. More than once if need be.",
    ),
    click.option(
        "--isolate", is_flag=True, help="Hear in a process of its own, which may crash unnoticed."
    ),
)


def hearing_options(command: Command) -> Command:
    """Give a command the options ``speed``, ``max_db``, ``slew``, ``locks``, ``trims``, ``isolate``."""
    return reduce(lambda inner, option: option(inner), reversed(_OPTIONS), command)
