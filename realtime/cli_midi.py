"""``semeq midi``: the ports there are, what a controller sends, and teaching it to a map."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from semeq.engine.errors import DeviceError, UsageError
from semeq.presets.midi_bindings import LIMITS, Binding, Control, Encoding
from semeq.presets.midi_maps import load_map, map_text, parse_map, user_maps_dir
from semeq.realtime.cli_maps import check, maps, row, say, show
from semeq.realtime.midi_learn import Learner

PORT_HELP = "Port: a number of 'semeq midi ports', a name or a part of one, 'auto' or 'virtual'."
API_HELP = "Look at this MIDI system only: alsa, jack, core or winmm."
POLL_S = 0.02

Receive = Callable[[Sequence[int], float], None]


@click.group()
def midi() -> None:
    """See MIDI ports and controllers, and choose or teach what they move."""


for _command in (maps, show, check):
    midi.add_command(_command)


@midi.command()
@click.option("--api", metavar="NAME", help=API_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def ports(api: str | None, as_json: bool) -> None:
    """List the ports that can be read."""
    from semeq.realtime.midi_backend import backends
    from semeq.realtime.midi_ports import list_ports

    found, missing = list_ports(backends(api))
    for line in missing:
        say(line)
    if as_json:
        listed = [{"number": p.number, "name": p.name, "api": p.api} for p in found]
        click.echo(json.dumps({"ports": listed, "missing": missing}, indent=1))
        return
    for port in found:
        click.echo(f"{port.number:3d}  {port.name}  ({port.api})")
    if not found:
        say("there is no MIDI port to read: connect a controller, or use --midi virtual")


@midi.command()
@click.argument("port", default="auto")
@click.option("--api", metavar="NAME", help=API_HELP)
@click.option("--map", "map_", metavar="NAME|FILE", help="Say what this map makes of each message.")
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="End after S seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a message.")
def monitor(
    port: str, api: str | None, map_: str | None, duration: float | None, as_json: bool
) -> None:
    """Print what comes in on PORT ('auto': the only one there is), until Ctrl-C."""
    from semeq.realtime.midi import describe, parse
    from semeq.realtime.midi_desk import Mapper

    mapper = None if map_ is None else Mapper(load_map(map_))
    began_s = time.perf_counter()

    def print_one(message: Sequence[int], at_s: float) -> None:
        change = parse(message, at_s)
        moves = mapper.labels(change) if mapper is not None and change is not None else []
        if as_json:
            entry: dict[str, Any] = {"t_s": round(at_s - began_s, 4), "bytes": list(message)}
            if change is not None:
                entry |= {"channel": change.channel, "cc": change.cc, "value": change.value}
            if mapper is not None:
                entry["moves"] = moves
            click.echo(json.dumps(entry))
            return
        arrow = f"  → {', '.join(moves)}" if moves else ""
        click.echo(f"{at_s - began_s:9.3f}  {describe(message)}{arrow}")

    end_s = None if duration is None else began_s + duration
    with _listening(port, api) as listener:
        listener.receive = print_one
        while end_s is None or time.perf_counter() < end_s:
            time.sleep(POLL_S)


@midi.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--port", "-p", default="auto", show_default=True, metavar="PORT", help=PORT_HELP)
@click.option("--api", metavar="NAME", help=API_HELP)
@click.option(
    "--map",
    "-m",
    "map_",
    default="mine",
    show_default=True,
    metavar="NAME|FILE",
    help="The map to write or extend; a name lies with your own maps.",
)
@click.option(
    "--encoding",
    type=click.Choice(["auto", *Encoding]),
    default="auto",
    show_default=True,
    help="How the controller speaks.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="S",
    help="How long to wait for each.",
)
def learn(
    targets: tuple[str, ...], port: str, api: str | None, map_: str, encoding: str, timeout: float
) -> None:
    """Teach a map: for each TARGET in turn, move the knob or press the button that is to move it.

    A TARGET is a word, or amount, adapt, trim, bypass, freeze or reset, or a parameter of a plugin that
    'semeq live --insert' will run: PLUGIN.PARAMETER, as --set names it.
    """
    from semeq.presets.midi_write import format_binding, with_binding, write_map

    wanted = [_target(target) for target in targets]
    path, text = _own_map(map_)
    speaks = None if encoding == "auto" else Encoding(encoding)
    with _listening(port, api) as listener:
        for control, name in wanted:
            label = name or control.value
            say(
                f"{label}: {'turn its knob both ways' if control in LIMITS else 'press its button'}"
            )
            learner = Learner(control, name, speaks)
            listener.receive = learner.receive
            binding = _learned(learner, timeout)
            if binding is None:
                raise DeviceError(
                    f"no controller was moved for {label} within {timeout:g} s: "
                    "'semeq midi monitor' shows what comes in"
                )
            text = with_binding(text, binding, name=path.stem)
            write_map(path, text)
            say(f"{label} is on {row(binding)}")
            click.echo(format_binding(binding))
    say(f"written to {path}: use it with 'semeq live --midi PORT --midi-map {map_}'")


def _learned(learner: Learner, timeout_s: float) -> Binding | None:
    end_s = time.perf_counter() + timeout_s
    while time.perf_counter() < end_s and not learner.is_done(time.perf_counter()):
        time.sleep(POLL_S)
    return learner.binding()


def _target(name: str) -> tuple[Control, str]:
    """Return what is to be moved: a control by its name, a plugin's parameter, or a word that is known."""
    from semeq.presets.library import load_vocabulary

    if name in [control.value for control in Control if not control.is_named]:
        return Control(name), ""
    if "." in name:  # no word holds one
        return Control.PARAMETER, Binding(0, Control.PARAMETER, param=name).param
    return Control.WORD, load_vocabulary().get(name).word


def _own_map(map_: str) -> tuple[Path, str]:
    """Return path and text of the map to write; a new one is empty."""
    path = Path(map_)
    if path.suffix != ".toml" and path.name == map_:
        path = user_maps_dir() / f"{map_}.toml"
    elif path.suffix != ".toml":
        raise UsageError(f"a map file must end in .toml, got {map_!r}")
    if not path.exists():
        return path, ""
    _, _, text = map_text(str(path))
    parse_map(text, source=str(path))
    return path, text


class _Listener:
    """Hands messages to whoever wants them at the time."""

    due = None

    def __init__(self) -> None:
        self.receive: Receive = lambda message, at_s: None

    def tick(self, now_s: float) -> None:
        """Do nothing: nothing is ever due."""


@contextmanager
def _listening(port: str, api: str | None) -> Iterator[_Listener]:
    """Read a port; Ctrl-C ends the block quietly."""
    from semeq.realtime.midi_input import MidiInput

    listener = _Listener()
    try:
        with MidiInput(port, listener, api=api, announce=say):
            yield listener
    except KeyboardInterrupt:
        click.echo("", err=True)
