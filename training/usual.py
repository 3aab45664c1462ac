"""What music usually sounds like: the mean long-term spectrum that ships in ``presets/usual.json``.

A mean of sixty-one levels over packages, recordings and crops: nothing of any recording is left in it.
Made again with::

    python -m semeq.training.usual --music DIR --out presets/usual.json
"""

import json
from pathlib import Path

import click
import numpy as np

from semeq.engine.atomic import write_text
from semeq.engine.errors import DataError
from semeq.training.rivals import typical_spectrum
from semeq.training.spectra import Spectra, spectra_of_folder
from semeq.training.words import GRID_HZ

FORMAT, VERSION = "semeq-usual-spectrum", 1


def to_json(spectra: Spectra) -> str:
    """Return the file's text; each package weighs the same."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "packages": len(set(spectra.packages)),
        "recordings": len(set(spectra.files)),
        "crops": len(spectra),
        "freqs_hz": GRID_HZ.tolist(),
        "spectrum_db": np.round(typical_spectrum(spectra), 3).tolist(),
    }
    return json.dumps(content, indent=1) + "\n"


@click.command()
@click.option(
    "--music",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of music, PACKAGE/…/FILE, that may be learned from.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option(
    "--cache", type=click.Path(path_type=Path), help="Keep the spectra in this .npz file."
)
def main(music: Path, out: Path, cache: Path | None) -> None:
    """Turn a folder of music into the usual spectrum that ships with semeq."""
    try:
        spectra = spectra_of_folder(music, cache=cache)
        write_text(out, to_json(spectra))
    except (DataError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: {len(spectra)} crops of {len(set(spectra.files))} recordings", err=True)


if __name__ == "__main__":
    main()
