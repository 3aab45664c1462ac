"""The command ``semeq export``: what semeq applies, as a file that another program loads."""

import json
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import click
import numpy as np

from semeq.engine import exports_config, exports_text
from semeq.engine.atomic import Replacement, explain
from semeq.engine.curve_json import curve_content
from semeq.engine.errors import AudioFileError, UsageError
from semeq.engine.exports import PROMISED_DB, Demands, Portable, portable
from semeq.presets.eq_source import Source, find_source

Writer = Callable[[Portable, Sequence[str]], str]
#: What writes a format of bands, and what it asks of them.
FORMATS: dict[str, tuple[Writer, Demands]] = {
    "apo": (exports_text.apo, exports_text.APO),
    "easyeffects": (exports_config.easyeffects, exports_config.EASYEFFECTS),
    "camilladsp": (exports_config.camilladsp, exports_config.CAMILLADSP),
    "pipewire": (exports_config.pipewire, exports_config.PIPEWIRE),
    "autoeq": (exports_text.autoeq, exports_text.AUTOEQ),
    "rew": (exports_text.rew, exports_text.REW),
}
IMPULSE, JSON = "wav-ir", "json"


def _said(eq: Portable) -> list[str]:
    """Return what people should know of the bands: for whom, how near, how loud."""
    lines = [
        f"for {eq.fs:g} Hz: within {eq.error_db:.3f} dB of semeq from 20 Hz to {eq.checked_hz:g} Hz, "
        f"{eq.top_error_db:.3f} dB to {eq.top_hz:g} Hz"
        + (f"; {len(eq.bands)} bands, fitted" if eq.is_fitted else ""),
        f"preamp {eq.preamp_db:.2f} dB: the largest gain at any frequency is {eq.peak_db:+.2f} dB",
    ]
    if eq.error_db > PROMISED_DB:
        lines.append(
            f"these filters cannot come nearer than {eq.error_db:.2f} dB: use --to {IMPULSE}, "
            "a higher --fs or a smaller --amount"
        )
    return lines


def _write(target: Path | None, content: bytes, source: Source, overwrite: bool) -> None:
    if target is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    inputs = () if source.file is None else (source.file,)
    with Replacement(target, overwrite=overwrite, inputs=inputs) as new:
        try:
            new.file.write(content)
        except OSError as error:
            raise AudioFileError(f"{target} cannot be written: {explain(error)}") from None
        new.commit()


def _impulse_file(source: Source, length: int | None, channels: int) -> tuple[bytes, list[str]]:
    from semeq.engine.exports_impulse import impulse, is_long_enough, missed_db
    from semeq.engine.floatwav import header

    response, preamp_db = impulse(source.settings, source.fs, length)
    miss = missed_db(response, source.settings, source.fs, preamp_db)
    frames = np.repeat(response.astype("<f4")[:, None], channels, axis=1)
    lines = [
        f"for {source.fs:g} Hz: {len(response)} frames, within {miss:.3f} dB of semeq from 20 Hz on",
        f"preamp {preamp_db:.2f} dB, already in the response",
    ]
    if not is_long_enough(miss):
        lines.append(f"{len(response)} frames are too few: leave --length out")
    return header(round(source.fs), channels, len(response)) + frames.tobytes(), lines


@click.command(
    # -h would swallow a recipe that starts with "-h", such as -harsh.
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    short_help="Write an equaliser for another program.",
)
@click.argument("what", metavar="RECIPE|REPORT", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--to", "form", type=click.Choice([*FORMATS, IMPULSE, JSON]), required=True, help="For whom."
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to; standard output if not given.",
)
@click.option(
    "--fs", type=float, help="The program's sample rate in Hz; that of a report, or 48000."
)
@click.option(
    "--amount",
    type=click.FloatRange(-4, 4),
    metavar="X",
    help="Factor on all weights, or on a report's gains.",
)
@click.option(
    "--at", "at_s", type=float, metavar="S", help="A moment of a report, in seconds; else the mean."
)
@click.option("--length", type=int, metavar="N", help="Frames of an impulse response; else enough.")
@click.option(
    "--channels", type=click.IntRange(1, 8), help="Channels of an impulse response; 2 if not given."
)
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
def export(
    what: tuple[str, ...],
    form: str,
    output: Path | None,
    fs: float | None,
    amount: float | None,
    at_s: float | None,
    length: int | None,
    channels: int | None,
    overwrite: bool,
) -> None:
    """Write RECIPE, or the EQ of a REPORT of 'semeq render --report', for another program.

    The response of the file is that of semeq at the rate --fs; how near it comes is said, and so is the
    preamp that keeps it from clipping. A REPORT may also be the JSON of 'semeq curve', or a .toml preset.
    """
    for text in what:
        if text.startswith("--"):
            raise click.UsageError(f"No such option: {text}")
    if form != IMPULSE and (length is not None or channels is not None):
        raise UsageError(f"--length and --channels are for --to {IMPULSE}")
    if form == IMPULSE and output is None:
        raise UsageError(f"--to {IMPULSE} needs -o FILE.wav")
    if output is not None and str(output) == "-":
        output = None
    source = find_source(" ".join(what), fs=fs, amount=amount, at_s=at_s)
    said: list[str] = []
    if form == IMPULSE:
        content, said = _impulse_file(source, length, channels or 2)
    elif form == JSON:
        curve = curve_content(
            source.recipe, source.amount, source.fs, source.settings, source.warnings
        )
        content = (json.dumps(curve) + "\n").encode()
    else:
        writer, demands = FORMATS[form]
        eq = portable(source.settings, source.fs, demands)
        said = _said(eq)
        head = [f"{source.about}, by semeq {version('semeq')}", *said]
        content = writer(eq, head).encode()
    _write(output, content, source, overwrite)
    for warning in source.warnings:
        click.echo(f"warning: {warning}", err=True)
    for line in (source.about, *said):
        click.echo(line, err=True)
