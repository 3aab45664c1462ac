"""``semeq demo``: a mix made on the spot, rendered by words, with a page that shows what happened.

The renders go through `semeq.engine.render.render_file`, as those of ``semeq render`` do.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import click

from semeq.engine.errors import AudioFileError
from semeq.engine.recipe import Recipe
from semeq.engine.report import Levels
from semeq.engine.settings import Band, EQSettings, Kind
from semeq.engine.units import Audio, Floats

#: What the mix is made, and the name of each file.
RECIPES = (("warm", "warm"), ("bright", "bright"), ("warm:0.6 + energetic:0.4", "blend"))
FS = 48_000.0
SECONDS = 12.0
_CURVE_POINTS = 240
_KINDS = {Kind.LOW_SHELF: "low shelf", Kind.PEAK: "peak", Kind.HIGH_SHELF: "high shelf"}

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound file with all that is told about it."""

    name: str
    file: str
    loudness_lufs: float
    true_peak_dbtp: float
    spectrum: tuple[Floats, Floats]
    regions_db: dict[str, float]


@dataclass(frozen=True, slots=True)
class Made:
    """The mix as a recipe made it."""

    sound: Sound
    settings: EQSettings
    response_db: Floats
    warnings: tuple[str, ...]


def signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign, a true minus, and no sign at zero.

    >>> signed(1.25), signed(-3.0), signed(-0.01)
    ('+1.2', '−3.0', '0.0')
    """
    rounded = round(value, digits)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}"


def hertz(freq_hz: float) -> str:
    """Return a frequency as musicians write it.

    >>> hertz(82.4), hertz(1250.0), hertz(12000.0)
    ('82 Hz', '1.25 kHz', '12 kHz')
    """
    return f"{freq_hz:.0f} Hz" if freq_hz < 999.5 else f"{freq_hz / 1000:.3g} kHz"


def hertz_range(low_hz: float, high_hz: float) -> str:
    """Return a range of frequencies, the unit once where it is the same.

    >>> hertz_range(60.0, 200.0), hertz_range(500.0, 2000.0)
    ('60–200 Hz', '500 Hz–2 kHz')
    """
    low, high = hertz(low_hz), hertz(high_hz)
    value, unit = low.split()
    return f"{value if high.endswith(' ' + unit) else low}–{high}"


def _write_wav(path: Path, audio: Audio) -> None:
    from semeq.engine.atomic import Replacement
    from semeq.engine.audiowriter import AudioWriter, Encoding

    with Replacement(path, overwrite=True) as new:
        with AudioWriter(
            new.file, Encoding("wav", "float32"), FS, audio.shape[1], dither=False
        ) as writer:
            writer.write(audio)
        new.commit()


def _listen(name: str, path: Path, levels: Levels) -> Sound:
    """Read a file back and look at its spectrum."""
    import numpy as np

    from semeq.engine.audiofile import AudioReader
    from semeq.engine.spectrum import region_levels_db, spectrum_db
    from semeq.engine.units import gain_to_db

    audio = np.concatenate(list(AudioReader(path).blocks()))
    return Sound(
        name,
        path.name,
        levels.loudness_lufs or 0.0,  # never None: the mix is not silence
        gain_to_db(levels.true_peak),
        spectrum_db(audio, FS),
        region_levels_db(audio, FS),
    )


def make(out: Path) -> tuple[Sound, list[Made], Floats]:
    """Write the mix and its renders into `out`; return what they are like.

    Parameters
    ----------
    out : Path
        An existing folder; files of an earlier demo are replaced.

    Returns
    -------
    mix : Sound
    made : list of Made
        One for each of `RECIPES`.
    freqs_hz : Floats
        Where the responses were evaluated, in Hz.
    """
    import numpy as np

    from semeq.engine.design import response_db
    from semeq.engine.meaning import interpret
    from semeq.engine.render import RenderJob, render_file
    from semeq.engine.synth import demo_mix
    from semeq.presets.library import load_vocabulary

    vocabulary = load_vocabulary()
    source = out / "mix.wav"
    _write_wav(source, demo_mix(FS, SECONDS))
    freqs_hz: Floats = np.geomspace(20.0, 20_000.0, _CURVE_POINTS)
    made = []
    for recipe, name in RECIPES:
        meaning = interpret(Recipe.parse(recipe), vocabulary)
        target = out / f"{name}.wav"
        report = render_file(
            RenderJob(source, target, meaning.settings, overwrite=True, notes=meaning.warnings)
        )
        sound = _listen(recipe, target, report.after)
        response = response_db(meaning.settings, FS, freqs_hz)
        made.append(Made(sound, meaning.settings, response, report.warnings))
    return _listen("the mix", source, report.before), made, freqs_hz


def level_table(mix: Sound, made: Sequence[Made]) -> tuple[list[str], Rows]:
    """Return the table of levels: the mix in absolute figures, each recipe as a change."""
    from semeq.engine.spectrum import REGIONS

    sounds = [entry.sound for entry in made]
    rows = [
        ["loudness, LUFS", *(signed(s.loudness_lufs) for s in (mix, *sounds))],
        ["true peak, dBTP", *(signed(s.true_peak_dbtp) for s in (mix, *sounds))],
    ]
    for region in REGIONS:
        before = mix.regions_db[region.name]
        changes = (signed(s.regions_db[region.name] - before) for s in sounds)
        name = f"{region.name}, {hertz_range(region.low_hz, region.high_hz)}"
        rows.append([name, signed(before), *changes])
    return ["", mix.name, *(s.name for s in sounds)], rows


def _band(band: Band) -> str:
    return f"{signed(band.gain_db)} dB at {hertz(band.freq_hz)}, Q {band.q:.2f}"


def band_table(made: Sequence[Made]) -> tuple[list[str], Rows]:
    """Return the table of the seven bands of each recipe."""
    rows = [
        [_KINDS[column[0].kind], *(_band(band) for band in column)]
        for column in zip(*(entry.settings.bands for entry in made), strict=True)
    ]
    return ["", *(entry.sound.name for entry in made)], rows


def as_text(header: Sequence[str], rows: Rows) -> str:
    """Return a table for the terminal, columns aligned.

    >>> print(as_text(["", "a"], [["long name", "1"]]))
                a
    long name   1
    """
    lines = [list(header), *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "   ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def as_page(mix: Sound, made: Sequence[Made], freqs_hz: Floats) -> str:
    """Return the page: responses, figures, and for each recipe players, spectra and bands."""
    from semeq.engine.page import figure, page, player, table, text
    from semeq.engine.plots import response_svg, spectra_svg

    responses = {entry.sound.name: entry.response_db for entry in made}
    explained = (
        "Loudness and true peak of each file; then how much of the mix lies where (in dB against the whole), "
        "and by how many dB each recipe changed that."
    )
    sections = [
        ("What the words do", figure(lambda width: response_svg(responses, freqs_hz, width=width))),
        ("What that did to the mix", text(explained) + table(*level_table(mix, made))),
    ]
    for number, entry in enumerate(made):
        spectra = {mix.name: mix.spectrum, entry.sound.name: entry.sound.spectrum}

        def draw(
            width: int, spectra: dict[str, tuple[Floats, Floats]] = spectra, colour: int = number
        ) -> str:
            return spectra_svg(spectra, width=width, colour=colour)

        bands = [
            [_KINDS[b.kind], hertz(b.freq_hz), f"{signed(b.gain_db)} dB", f"{b.q:.2f}"]
            for b in entry.settings.bands
        ]
        body = player("Before", mix.file) + player("After", entry.sound.file) + figure(draw)
        body += "".join(text(f"Note: {warning}.") for warning in entry.warnings)
        sections.append((entry.sound.name, body + table(["band", "frequency", "gain", "Q"], bands)))
    lead = (
        "Twelve seconds of drums, bass, chords and a voice-like lead, made of arithmetic and then "
        "equalised by words. All files are equally loud: what you hear is the balance."
    )
    return page("semeq demo", sections, lead=lead)


def _program() -> str:
    """Return what to type for this command: by its path where it is not on the search path."""
    beside = Path(sys.executable).with_name("semeq")
    if shutil.which("semeq") or not beside.exists():
        return "semeq"
    return quote(os.path.relpath(beside))


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-out"),
    show_default=True,
    metavar="DIR",
    help="Folder for the sounds and the page; made if it is not there.",
)
def demo(out: Path) -> None:
    """Synthesise a short mix, render it warm, bright and blended, and show what happened."""
    from semeq.engine.atomic import explain, write_text
    from semeq.engine.plots import response_svg

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioFileError(
            f"{out} cannot be made: {explain(error)}; choose another with --out"
        ) from None
    click.echo(
        "semeq: making a mix and rendering it (the first time, filters are compiled)", err=True
    )
    mix, made, freqs_hz = make(out)
    responses = {entry.sound.name: entry.response_db for entry in made}
    write_text(out / "response.svg", response_svg(responses, freqs_hz, title="What the words do"))
    write_text(out / "index.html", as_page(mix, made, freqs_hz))

    click.echo(as_text(*level_table(mix, made)))
    click.echo("\nRegions: level in the mix against the whole, then the change, in dB.\n")
    click.echo(as_text(*band_table(made)))
    for entry in made:
        for warning in entry.warnings:
            click.echo(f"semeq: {entry.sound.name}: {warning}", err=True)
    files = ", ".join([mix.file, *(entry.sound.file for entry in made)])
    click.echo(f"\nListen:  {out}/ holds {files}")
    click.echo(f"Look:    {out / 'index.html'}")
    semeq, source, target = _program(), quote(str(out / mix.file)), quote(str(out / "mine.wav"))
    click.echo(f"Next:    {semeq} words")
    click.echo(f'         {semeq} render {source} -o {target} --make "crisp:0.5 - muddy:0.3"')
