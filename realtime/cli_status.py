"""``semeq status``: how a live session does, from the file that it writes."""

import json
import time
from pathlib import Path

import click

from semeq.realtime.status_file import Follower, line, newest

EVERY_S = 0.2


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--follow", "-f", is_flag=True, help="Go on until the session ends, or Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print the status as it was written.")
def status(file: Path, follow: bool, as_json: bool) -> None:
    """Say how a live session does that was started with --status FILE.

    From another terminal or another machine that sees the file; the session does not notice.
    """

    def show(one: dict[str, object]) -> None:
        click.echo(json.dumps(one) if as_json else line(one))

    if not follow:
        show(newest(file))
        return
    follower = Follower(file)
    show(follower.first)
    is_over = follower.first["state"] == "stopped"
    try:
        while not is_over:
            time.sleep(EVERY_S)
            for one in follower.fresh():
                show(one)
                is_over = one["state"] == "stopped"
    except KeyboardInterrupt:
        return  # the watching ends, the session does not
