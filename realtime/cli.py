"""``semeq live`` and ``semeq devices``: the commands that make sound."""

import json
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from semeq.engine.errors import DeviceError, UsageError
from semeq.presets.design_option import design_option
from semeq.presets.library import load_vocabulary
from semeq.presets.like_option import like_option, make_or_like
from semeq.presets.live_insert_options import (
    live_insert_options,
    live_inserts_of,
    live_saves_of,
    live_through_of,
)
from semeq.realtime.control import AddWords
from semeq.realtime.hearing_options import hearing_options
from semeq.realtime.jack_options import jack_options
from semeq.realtime.status_file import summary

MAX_BLOCK = 8192
#: Look-ahead of the true-peak limiter when it is asked for.
LOOKAHEAD_S = 0.0015
#: Words that have a knob when nobody asked for others.
STARTING_WORDS = ("warm", "bright", "deep", "crisp", "airy", "dark")
#: How often the terminal is looked after, in seconds.
TICK_S = 0.03


def _say(message: str) -> None:
    click.echo(f"semeq: {' '.join(message.split())}", err=True)


@click.command()
@click.option("--make", "-m", metavar="RECIPE", help="What to sound like: 'warm:0.6 + airy:0.4'.")
@like_option
@click.option("--amount", type=click.FloatRange(0, 2), help="Strength of the whole; by default 1.")
@click.option(
    "--adapt",
    type=click.FloatRange(0, 1),
    help="How much the sound itself has a say: 1 (default) all it asks for, 0 the words' typical moves.",
)
@hearing_options
@click.option("--fresh", is_flag=True, help="Start without what is remembered of the last session.")
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
    help="Which controller does what: a factory map ('default') or a TOML file; see 'semeq midi maps'.",
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
@click.option(
    "--no-reopen",
    is_flag=True,
    help="End with exit code 1 when the device is lost, instead of waiting for it.",
)
@click.option(
    "--howl-guard/--no-howl-guard",
    "guards_howl",
    default=True,
    show_default=True,
    help="Go lower while microphone and loudspeaker howl.",
)
@design_option
@jack_options
@live_insert_options
@click.option(
    "--insert-blocks",
    type=click.IntRange(2, 16),
    default=2,
    show_default=True,
    metavar="N",
    help="Blocks of delay that the plugins of each place get to work in.",
)
def live(
    make: str | None,
    like: str | None,
    amount: float | None,
    adapt: float | None,
    speed: float | None,
    max_db: float | None,
    slew: float | None,
    locks: tuple[int, ...],
    trims: tuple[float, ...],
    isolate: bool,
    fresh: bool,
    input_: str | None,
    output: str | None,
    samplerate: float | None,
    blocksize: int,
    channels: int | None,
    limiter: str,
    ceiling: float,
    midi: str | None,
    midi_map: str | None,
    duration: float | None,
    status: Path | None,
    record_log: Path | None,
    record_input: Path | None,
    plain: bool,
    no_reopen: bool,
    design: str,
    insert_blocks: int,
    client_name: str | None,
    connects: bool,
    guards_howl: bool,
) -> None:
    """Reshape the sound that comes in, live.

    Without --make or --like it goes on with the recipe of the last session. Ctrl-C ends with a short fade.
    Keys: arrows choose and turn a word, space bypasses, f freezes what was heard, ? helps.
    """
    if record_log is not None and record_log == record_input:
        raise UsageError("--record-log and --record-input must be two files")
    from semeq.engine.jit import is_compiled
    from semeq.engine.limiter import lookahead_frames
    from semeq.presets.remembered import NOTHING, recall
    from semeq.presets.shipped_model import why_deaf
    from semeq.realtime import devices as listing
    from semeq.realtime.hearing import shipped_hearing
    from semeq.realtime.inserts import InsertConfig
    from semeq.realtime.midi_desk import MidiDesk
    from semeq.realtime.midi_input import MidiInput
    from semeq.realtime.session import Session, stopping_on_signals
    from semeq.realtime.session_config import SessionConfig
    from semeq.realtime.start import Keeper, Start, Wishes
    from semeq.realtime.stream import StreamConfig
    from semeq.realtime.surface import Notices, Surface

    context = click.get_current_context()
    plugins, through = live_inserts_of(context), live_through_of(context)
    saves = live_saves_of(context, plugins)
    notices = Notices()
    vocabulary = load_vocabulary()
    make = make_or_like(make, like)
    wishes = Wishes(make, amount, adapt, frozenset(locks), trims, input_, output, midi, midi_map)
    memory = NOTHING if fresh else recall(notices, vocabulary.words.__contains__)
    start = Start(wishes, memory, vocabulary, why_deaf(), notices)
    midi_map_used = start.map() if start.midi is not None else None
    asked = midi_map_used.params if midi_map_used is not None else ()
    inserts = InsertConfig(plugins, insert_blocks, asked, through, saves)
    listing.refresh(client_name)
    device_out = start.device("output")
    fs = samplerate or device_out.fs
    stream = StreamConfig(
        start.device("input"),
        device_out,
        fs,
        blocksize,
        channels,
        lookahead_frames(LOOKAHEAD_S if limiter == "lookahead" else 0.0, fs),
        ceiling,
    )
    hearing = shipped_hearing(speed_s=speed, max_db=max_db, slew_db_s=slew, is_isolated=isolate)
    config = SessionConfig(
        stream,
        start.state,
        duration,
        status,
        record_log,
        record_input,
        hearing,
        design,
        not no_reopen,
        inserts,
        connects,
        guards_howl,
    )
    if not is_compiled("insert_callback" if inserts else "callback"):
        notices("compiling the audio path for this processor, once: this takes a moment")
    session = Session(config, vocabulary, notices)
    words = STARTING_WORDS if midi_map_used is None else midi_map_used.words
    session.desk.act(AddWords(tuple(word for word in words if word in vocabulary.words)))
    keeper = Keeper(session.desk, start, notices)
    with stopping_on_signals(session), session.running(), ExitStack() as surfaces:
        surfaces.callback(keeper.write)
        knobs, port = None, None
        session.give_knobs(asked)
        if midi_map_used is not None:
            knobs = MidiDesk(session.desk, midi_map_used, vocabulary.words, session.bound)
            for line in knobs.warnings:
                notices(line)
        if knobs is not None and start.midi is not None:
            port = surfaces.enter_context(MidiInput(start.midi, knobs, announce=notices))
        surface = Surface(session, notices, knobs=knobs, midi=port, is_plain=plain)
        surfaces.enter_context(surface)

        def tick() -> None:
            surface.tick()
            keeper.tick(time.perf_counter())

        tick()  # one whose time is over already says a line, too
        session.wait(tick, TICK_S)
    _say(summary(session.status("stopped")))


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
