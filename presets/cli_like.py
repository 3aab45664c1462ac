"""The command ``semeq like``: how one sound differs from another, in words."""

import json
from pathlib import Path

import click
import numpy as np

from semeq.engine.reference import Likeness
from semeq.engine.units import Floats
from semeq.engine.words import LANGUAGES
from semeq.presets.library import load_vocabulary

#: Frequencies at which the difference is printed.
_SHOWN_HZ = (30.0, 60.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0)


def _rows(likeness: Likeness, freqs_hz: Floats) -> str:
    at = np.log(_SHOWN_HZ)
    wanted, told = (
        np.interp(at, np.log(freqs_hz), curve) for curve in (likeness.wanted_db, likeness.told_db)
    )
    lines = [f"{'Hz':>8} {'differs':>8} {'in words':>9}"]
    for freq, one, other in zip(_SHOWN_HZ, wanted, told, strict=True):
        lines.append(f"{freq:>8.0f} {one:>+8.1f} {other:>+9.1f}")
    return "\n".join(lines)


@click.command()
@click.argument("reference", metavar="REF", type=click.Path(path_type=Path))
@click.argument("source", metavar="[INPUT]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Which words are used.",
)
@click.option("--json", "as_json", is_flag=True, help="One object on standard output.")
def like(reference: Path, source: Path | None, language: str, as_json: bool) -> None:
    """Say in words how INPUT would have to change to sound like REF, and how far words go.

    Without INPUT, REF is compared with what music usually sounds like. 'semeq render --like REF' does it.
    """
    from semeq.presets.likeness import Reference

    likeness = Reference.read(reference).told(source, language=language)
    freqs_hz = load_vocabulary().freqs_hz
    if as_json:
        content = {
            **likeness.as_dict(),
            "freqs_hz": freqs_hz.tolist(),
            "difference_db": np.round(likeness.wanted_db, 4).tolist(),
            "words_db": np.round(likeness.told_db, 4).tolist(),
        }
        click.echo(json.dumps(content, ensure_ascii=False, allow_nan=False))
        return
    click.echo(likeness.text)
    click.echo(_rows(likeness, freqs_hz))
