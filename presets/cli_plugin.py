"""The command ``semeq plugin``: third-party plugins, found, looked at, tried and mapped."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from semeq.engine.errors import SemeqError, UsageError
from semeq.presets.cli_plugin_map import fit, map_
from semeq.presets.plugin_text import found_line, parameter_lines, trial_lines

FS = 48_000.0
Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def plugin() -> None:
    """Find, look at, try and map VST3 plugins (Audio Units on macOS)."""


plugin.add_command(map_)
plugin.add_command(fit)

_path = click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
_set = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PARAMETER=VALUE",
    help="Set a parameter first, in its unit; may be given more than once.",
)
_json = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


def read_settings(settings: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return names and values of texts like ``gain_db=3``.

    Raises
    ------
    UsageError
        If one is no such text.
    """
    values = []
    for text in settings:
        name, sign, value = text.rpartition("=") if text.count("=") == 1 else text.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"--set must be PARAMETER=VALUE, got {text!r}")
        values.append((name, value))
    return tuple(values)


@plugin.command(short_help="List the plugins that are installed.")
@click.argument("folders", metavar="[FOLDER|PLUGIN]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--timeout",
    type=click.FloatRange(0.5, 600),
    default=20.0,
    show_default=True,
    metavar="S",
    help="Seconds that a plugin may take to load.",
)
@_json
def scan(folders: tuple[Path, ...], timeout: float, as_json: bool) -> None:
    """List the plugins of the standard folders and of FOLDERs: name, vendor, kind, parameters.

    Each is loaded in a process of its own: one that crashes or hangs is listed as such.
    """
    from semeq.engine.plugin_scan import files_in, standard_folders
    from semeq.engine.plugin_scan import scan as scanned

    for folder in folders:
        if not folder.exists():
            raise UsageError(f"FOLDER must be there, got {folder}")
    places = [*standard_folders(), *folders]
    files = files_in(places)
    entries = []
    for number, found in enumerate(scanned(files, timeout_s=timeout), 1):
        entries.append(found.as_dict())
        if as_json:
            if sys.stderr.isatty():
                click.echo(f"{number} of about {len(files)}: {found.path}", err=True)
        else:
            click.echo(found_line(found))
    if as_json:
        click.echo(json.dumps(entries, ensure_ascii=False))
    if not entries:
        looked = ", ".join(map(str, places))
        click.echo(f"no plugins are in {looked}: give a FOLDER to look elsewhere", err=True)


@plugin.command(short_help="Show a plugin's parameters and latency.")
@_path
@_set
@_json
def show(path: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """Show what PATH is: its parameters with units, ranges and values, its channels and latency."""
    from semeq.engine.inserts import Insert, opened

    with opened(Insert(path, values=read_settings(settings)), FS, None) as guest:
        parameters = guest.parameters()
        content = {
            **guest.facts,
            "samplerate": FS,
            "latency_frames": guest.latency_frames,
            "channels": guest.arrangement,
            "parameters": [facts.as_dict() for facts in parameters],
        }
    if as_json:
        click.echo(json.dumps(content, ensure_ascii=False))
        return
    click.echo(
        f"{content['name']} {content['version']} by {content['vendor']} ({content['kind']}): "
        f"{content['channels']}, latency {content['latency_frames']} frames at {FS:g} Hz"
    )
    for line in parameter_lines(parameters):
        click.echo(line)


@plugin.command(short_help="Put a plugin to the test.")
@_path
@_set
@click.option(
    "--fs", type=click.FloatRange(8000, 192_000), default=FS, show_default=True, help="Rate in Hz."
)
@click.option(
    "--blocksize",
    type=click.IntRange(16, 8192),
    default=128,
    show_default=True,
    help="Frames a block.",
)
@_json
@click.pass_context
def test(
    ctx: click.Context,
    path: Path,
    settings: tuple[str, ...],
    fs: float,
    blocksize: int,
    as_json: bool,
) -> None:
    """Run noise and silence through PATH, block by block, and say what is wrong with it.

    Measured: the latency against the one it reports, what a block costs, samples that are no numbers, sound
    out of silence. The exit code is 1 where something is wrong.
    """
    from semeq.engine.inserts import Insert
    from semeq.engine.plugin_guest import Guest
    from semeq.engine.plugin_trial import run_trial

    insert = Insert(path, values=read_settings(settings))
    try:
        with Guest(insert.path) as guest:
            guest.set(dict(insert.values))
            channels = guest.prepare_any(fs, blocksize)
            trial, facts = run_trial(guest, fs, channels, blocksize), guest.facts
    except UsageError:
        raise
    except SemeqError as error:
        if not as_json:
            raise
        content = {"path": str(path), "verdict": "faulty", "faults": [str(error)]}
        click.echo(json.dumps(content, ensure_ascii=False))
        ctx.exit(1)
    if as_json:
        click.echo(json.dumps({**facts, **trial.as_dict()}, ensure_ascii=False))
    else:
        for line in trial_lines(facts, trial):
            click.echo(line)
    if trial.faults:
        ctx.exit(1)
