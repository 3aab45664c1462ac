"""``semeq live`` and ``semeq devices``: the commands that make sound."""

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from semeq.engine.errors import DeviceError, UsageError
from semeq.engine.recipe import Recipe
from semeq.engine.words import Vocabulary
from semeq.presets.library import load_vocabulary
from semeq.realtime.control import AddWords, ControlState

MAX_BLOCK = 8192
#: Look-ahead of the true-peak limiter when it is asked for.
LOOKAHEAD_S = 0.0015
#: Words that have a knob when nobody asked for others.
STARTING_WORDS = ("warm", "bright", "deep", "crisp", "airy", "dark")
#: How often the terminal is looked after, in seconds.
TICK_S = 0.03


def _say(message: str) -> None:
    click.echo(f"semeq: {' '.join(message.split())}", err=True)


def _state(make: str | None, amount: float, adapt: float, vocabulary: Vocabulary) -> ControlState:
    """Return where the knobs stand at the start; unknown words are an error here, not later."""
    recipe = Recipe.parse(make) if make else Recipe(())
    weights: dict[str, float] = {}
    for name, weight in recipe.terms:
        word = vocabulary.get(name).word
        weights[word] = weights.get(word, 0.0) + weight
    return ControlState(tuple(weights.items()), amount=amount, adapt=adapt)


@click.command()
@click.option(
    "--make", "-m", metavar="RECIPE", help="What to sound like: 'warm:0.6 + energetic:0.4'."
)
@click.option(
    "--amount",
    type=click.FloatRange(0, 2),
    default=1.0,
    show_default=True,
    help="Strength of the whole recipe.",
)
@click.option(
    "--adapt",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="How much the sound itself has a say; above 0 needs the audio encoder.",
)
@click.option(
    "--input", "-i", "input_", metavar="DEV", help="Input device: number or part of its name."
)
@click.option("--output", "-o", metavar="DEV", help="Output device: number or part of its name.")
@click.option(
    "--samplerate",
    "-r",
    type=click.FloatRange(8000, 192_000),
    metavar="HZ",
    help="Sample rate in Hz; by default the output device's own.",
)
@click.option(
    "--blocksize",
    "-b",
    type=click.IntRange(0, MAX_BLOCK),
    default=0,
    metavar="FRAMES",
    help="Frames a block; 0 takes what suits the device.",
)
@click.option("--channels", "-c", type=click.IntRange(1, 8), help="Channels; by default 2.")
@click.option(
    "--limiter",
    type=click.Choice(["guard", "lookahead"]),
    default="guard",
    show_default=True,
    help="guard: no delay, sample peaks. lookahead: 1.5 ms delay, true peaks.",
)
@click.option(
    "--ceiling",
    type=click.FloatRange(-24, 0),
    default=0.0,
    show_default=True,
    metavar="DB",
    help="What no sample exceeds, in dBFS.",
)
@click.option("--midi", metavar="PORT", help="MIDI input: part of a port's name, or 'virtual'.")
@click.option(
    "--midi-map",
    metavar="NAME|FILE",
    default="default",
    show_default=True,
    help="Which controller does what: a factory map or a TOML file ('semeq midi maps').",
)
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="End after so many seconds.",
)
@click.option(
    "--status",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append a JSON object a second to FILE.",
)
@click.option(
    "--record-log",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the control log, for 'semeq render --replay'.",
)
@click.option(
    "--record-input",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="WAV",
    help="Write the input as 32-bit float WAV, for 'semeq render --replay'.",
)
@click.option(
    "--plain", is_flag=True, help="One status line a second instead of the view; no keys."
)
def live(
    make: str | None,
    amount: float,
    adapt: float,
    input_: str | None,
    output: str | None,
    samplerate: float | None,
    blocksize: int,
    channels: int | None,
    limiter: str,
    ceiling: float,
    midi: str | None,
    midi_map: str,
    duration: float | None,
    status: Path | None,
    record_log: Path | None,
    record_input: Path | None,
    plain: bool,
) -> None:
    """Reshape the sound that comes in, live.

    Ctrl-C ends with a short fade. Keys: arrows choose and turn a word, space bypasses, ? helps.
    """
    vocabulary = load_vocabulary()
    state = _state(make, amount, adapt, vocabulary)
    if adapt > 0.0:
        _say(f"--adapt {adapt:g} has no effect: there is no audio encoder in this version")
    if record_log is not None and record_log == record_input:
        raise UsageError("--record-log and --record-input must be two files")
    from semeq.engine.jit import is_compiled
    from semeq.presets.midi_maps import load_map
    from semeq.realtime import devices as listing
    from semeq.realtime.midi_desk import MidiDesk
    from semeq.realtime.midi_input import MidiInput
    from semeq.realtime.session import Session, SessionConfig, stopping_on_signals
    from semeq.realtime.stream import StreamConfig
    from semeq.realtime.surface import Notices, Surface

    listing.refresh()
    device_out = listing.find(output, "output")
    fs = samplerate or device_out.fs
    stream = StreamConfig(
        listing.find(input_, "input"),
        device_out,
        fs,
        blocksize,
        channels,
        round(LOOKAHEAD_S * fs) if limiter == "lookahead" else 0,
        ceiling,
    )
    config = SessionConfig(stream, state, duration, status, record_log, record_input)
    notices = Notices()
    if not is_compiled("callback"):
        notices("compiling the audio path for this processor, once: this takes a moment")
    session = Session(config, vocabulary, notices)
    knobs = None
    if midi is not None:
        knobs = MidiDesk(session.desk, load_map(midi_map), vocabulary.words)
        for line in knobs.warnings:
            notices(line)
    session.desk.act(AddWords(knobs.words if knobs is not None else STARTING_WORDS))
    with stopping_on_signals(session), session.running(), ExitStack() as surfaces:
        port = None
        if knobs is not None and midi is not None:
            port = surfaces.enter_context(MidiInput(midi, knobs, announce=notices))
        surface = Surface(session, notices, knobs=knobs, midi=port, is_plain=plain)
        surfaces.enter_context(surface)
        session.wait(surface.tick, TICK_S)
    _say(summary(session.status("stopped")))


def summary(status: dict[str, Any]) -> str:
    """Return the session in one line: how long, how hard, what went wrong."""
    callback = status["callback_us"]
    seconds = status["frames"] / status["fs"]
    return (
        f"{seconds:.1f} s at {status['fs']:g} Hz, block {status['blocksize']}: "
        f"callback p50 {callback['p50']:g}, p99.9 {callback['p99.9']:g}, max {callback['max']:g} µs "
        f"(load {100 * status['load']:.2f} %), {status['missed_deadlines']} deadlines missed, "
        f"{status['xruns']} xruns, {status['limited_frames']} frames limited, "
        f"{status['bad_samples']} damaged samples, {status['added_frames']} frames added"
    )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def devices(as_json: bool) -> None:
    """List the audio devices; > marks what 'semeq live' takes by default."""
    from semeq.realtime import devices as listing

    listing.refresh()
    found = listing.devices()
    if as_json:
        click.echo(json.dumps([asdict(device) for device in found], indent=1))
        return
    if not found:
        raise DeviceError(
            "there is no audio device: plug one in, or start JACK or PipeWire; "
            "rendering files works without one"
        )
    for device in found:
        marks = ("i" if device.is_default_input else " ") + (
            "o" if device.is_default_output else " "
        )
        click.echo(
            f"{'>' if marks.strip() else ' '}{marks} {device.number:3d}  {device.name}  "
            f"({device.api})  {device.inputs} in, {device.outputs} out, {device.fs:g} Hz"
        )
