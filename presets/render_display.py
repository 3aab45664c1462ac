"""Shows how far a render is: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from semeq.presets.batch import Request

Show = Callable[[int, float], None]
Say = Callable[[str], None]


@contextmanager
def display(requests: "list[Request]") -> Iterator[tuple[Show, Say]]:
    """Yield what shows progress and what says a line: a bar on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield lambda number, share: None, lambda line: click.echo(line, err=True)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
    )
    total = len(requests)
    shares = [0.0] * total
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(requests[0].job.source.name), total=total)

        def show(number: int, share: float) -> None:
            shares[number] = share
            name = requests[number].job.source.name
            done = sum(one >= 1.0 for one in shares)
            text = name if total == 1 else f"{done} of {total}  {name}"
            bar.update(task, description=escape(text[:60]), completed=sum(shares))

        def say(line: str) -> None:
            bar.console.print(escape(line), highlight=False, soft_wrap=True)

        yield show, say
