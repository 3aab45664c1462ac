"""The command ``semeq import``: another program's equaliser as seven bands, or as a word of one's own."""

import json
from pathlib import Path

import click
import numpy as np

from semeq.engine.atomic import Replacement, explain
from semeq.engine.curve_json import curve_content
from semeq.engine.errors import AudioFileError, DataError, UsageError
from semeq.engine.fit import FIT_FS
from semeq.engine.imports import read_equaliser
from semeq.engine.imports_fit import Imported, seven_bands
from semeq.engine.spelling import normalise_word
from semeq.presets.library import shipped_vocabulary
from semeq.presets.personal import make_word, personal_file, save_word

_LARGEST = 4_000_000


def read_text(path: Path) -> str:
    """Return the text of a file, in whichever encoding programs write it.

    Raises
    ------
    DataError
        If it cannot be read, is too long or no text.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {explain(error)}") from None
    if len(raw) > _LARGEST:
        raise DataError(f"{path} must have at most {_LARGEST:,} bytes")
    marks = (b"\xff\xfe", b"\xfe\xff")
    try:
        # Windows programs write UTF-16 with a mark, or their own 8 bits
        return raw.decode("utf-16" if raw.startswith(marks) else "utf-8")
    except UnicodeDecodeError:
        if b"\0" in raw:
            raise DataError(f"{path} must be text, got something else") from None
        return raw.decode("cp1252", errors="replace")


def _table(imported: Imported) -> str:
    lines = [f"{'band':<12}{'Hz':>9}{'dB':>8}{'q':>7}"]
    lines += [
        f"{band.kind.value:<12}{band.freq_hz:>9.1f}{round(band.gain_db, 2) + 0.0:>+8.2f}{band.q:>7.2f}"
        for band in imported.settings.bands
    ]
    return "\n".join(lines)


def _save(target: Path, imported: Imported, source: Path, overwrite: bool) -> None:
    content = curve_content("", 1.0, FIT_FS, imported.settings, ())
    with Replacement(target, overwrite=overwrite, inputs=(source,)) as new:
        try:
            new.file.write((json.dumps(content) + "\n").encode())
        except OSError as error:
            raise AudioFileError(f"{target} cannot be written: {explain(error)}") from None
        new.commit()


@click.command("import", short_help="Read another program's equaliser or a target curve.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "word", metavar="WORD", help="Keep it as a word of your own.")
@click.option(
    "--output",
    "-o",
    metavar="FILE.json",
    type=click.Path(path_type=Path),
    help="Write the bands as 'semeq curve --json' does; 'semeq export' reads them.",
)
@click.option("--overwrite", is_flag=True, help="Replace the word, or FILE.json, if it exists.")
def import_(file: Path, word: str | None, output: Path | None, overwrite: bool) -> None:
    """Fit seven bands to FILE: filters or a GraphicEQ of Equalizer APO, AutoEq or REW, or a curve as CSV.

    How far the bands are from it is said. With --as, they become a word that recipes and knobs know.
    """
    if word is not None and not normalise_word(word):
        raise UsageError("--as must name a word, got nothing")
    if output is not None and not output.name.lower().endswith(".json"):
        raise UsageError(f"-o must end in .json, got {output}")
    try:
        read = read_equaliser(read_text(file))
        imported = seven_bands(read, as_word=word is not None)
    except DataError as error:
        raise DataError(f"{file}: {error}") from None
    for note in read.notes:
        click.echo(f"note: {note}", err=True)
    if read.preamp_db:
        click.echo(f"note: the preamp of {read.preamp_db:g} dB is not part of the sound", err=True)
    if word is not None:
        shipped = shipped_vocabulary()
        at = np.log(shipped.freqs_hz)
        curve = np.interp(at, np.log(imported.freqs_hz), imported.wanted_db)
        made = make_word(word, imported.settings, curve, imported.rms_db, shipped)
        save_word(made, shipped, personal_file(), overwrite=overwrite)
    if output is not None:
        _save(output, imported, file, overwrite)
    click.echo(_table(imported))
    count = f"{len(read.bands)} filters" if read.bands else f"a {read.what}"
    low, high = imported.freqs_hz[0], imported.freqs_hz[-1]
    click.echo(
        f"{count} met within {imported.rms_db:.2f} dB rms, {imported.largest_db:.2f} dB at worst, "
        f"{low:g} Hz to {high:g} Hz",
        err=True,
    )
    if word is not None:
        click.echo(f"{made.word!r} is a word now, kept in {personal_file()}", err=True)
