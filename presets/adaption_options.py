"""The options of ``semeq render`` that say how the sound has a say, and what they come to."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from semeq.engine.errors import UsageError
from semeq.engine.recipe import Recipe

if TYPE_CHECKING:
    from semeq.engine.render_adaptive import Adaption
    from semeq.presets.batch import Outcome

Command = TypeVar("Command", bound=Callable[..., Any])
BANDS = 7

_OPTIONS = (
    click.option(
        "--adapt",
        type=click.FloatRange(0, 1),
        default=1.0,
        show_default=True,
        metavar="A",
        help="How much the sound itself has a say: 1 gives it what it needs, 0 the words' typical move.",
    ),
    click.option(
        "--look",
        type=click.Choice(["causal", "ahead", "whole"]),
        default="causal",
        show_default=True,
        help="What the EQ knows of a file: what has been, as live; half a window ahead; or all of it, "
        "for one EQ that stands still.",
    ),
    click.option(
        "--speed",
        type=click.FloatRange(0.05, 60),
        metavar="S",
        help="Seconds that the EQ takes to follow the sound; 1 if not given.",
    ),
    click.option(
        "--lock",
        type=click.IntRange(1, BANDS),
        multiple=True,
        metavar="BAND",
        help="Leave band 1 to 7 alone, the others work around it; may be given more than once.",
    ),
    click.option(
        "--trim",
        multiple=True,
        metavar="BAND=DB",
        help="Add so many dB to a band, whatever the words do; may be given more than once.",
    ),
    click.option(
        "--max-db",
        type=click.FloatRange(0, 12, min_open=True),
        metavar="DB",
        help="No band and no curve goes further; 12 if not given.",
    ),
    click.option(
        "--slew",
        type=click.FloatRange(0.1, 1000),
        metavar="DB",
        help="The sound moves the curve by no more dB a second; 12 if not given.",
    ),
    click.option(
        "--automation",
        metavar="FILE.csv|.json|.mid",
        type=click.Path(path_type=Path),
        help="Write the EQ of a single input window by window: a table, or MIDI controllers.",
    ),
)


def adaption_options(command: Command) -> Command:
    """Give a command the options of this module."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_trims(trims: tuple[str, ...]) -> tuple[float, ...]:
    """Return the trim of each band from texts like ``3=-2.5``.

    >>> read_trims(("3=-2.5",))
    (0.0, 0.0, -2.5, 0.0, 0.0, 0.0, 0.0)

    Raises
    ------
    UsageError
        If one cannot be read.
    """
    values = [0.0] * BANDS
    for text in trims:
        band, _, gain = text.partition("=")
        try:
            number, value = int(band), float(gain)
        except ValueError:
            number, value = 0, 0.0
        if not (1 <= number <= BANDS and abs(value) <= 12.0):
            raise UsageError(
                f"--trim must be a band from 1 to {BANDS} and dB within ±12, such as 3=-2.5, "
                f"got {text}"
            )
        values[number - 1] = value
    return tuple(values)


def adaption_for(
    recipe: Recipe,
    amount: float,
    *,
    adapt: float,
    look: str,
    speed: float | None,
    lock: tuple[int, ...],
    trim: tuple[str, ...],
    max_db: float | None,
    slew: float | None,
) -> "Adaption":
    """Return what the options ask for."""
    from semeq.engine.limits import Limits
    from semeq.engine.listener import ListenerConfig
    from semeq.engine.render_adaptive import Adaption, Look

    speeds = {} if speed is None else {"speed_s": speed}
    limits = {"max_db": max_db, "slew_db_s": slew}
    return Adaption(
        recipe,
        amount,
        adapt,
        Look(look),
        ListenerConfig(**speeds),
        Limits(
            locks=frozenset(band - 1 for band in lock),
            trims=read_trims(trim),
            **{name: value for name, value in limits.items() if value is not None},
        ),
    )


def write_outcome(
    path: Path, outcome: "Outcome", adaption: "Adaption", inputs: tuple[Path, ...]
) -> None:
    """Write the automation of what was rendered; nothing where it failed."""
    report = outcome.report
    if report is None or report.track is None:
        return
    from semeq.engine.automation import write_automation

    notes = {
        "input": report.source,
        "recipe": str(adaption.recipe),
        "amount": adaption.amount,
        "adapt": adaption.adapt,
        "fs": report.fs,
        "every_s": adaption.listening.every_s,
    }
    write_automation(
        path,
        report.track,
        every=round(adaption.listening.every_s * report.fs),
        frames=report.frames,
        gain_db=report.gain_db,
        notes=notes,
        inputs=(*inputs, Path(report.target)),
    )
