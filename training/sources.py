"""Audio as a configuration names it, made into one source; and a command that looks at it.

    python -m semeq.training.sources --folder DIR --fma DIR --musdb DIR --noise

A table names the kind of a source, where it is, its weight, and what else its class takes::

    [[audio]]
    kind = "folder"          # folder, fma, musdb, noise
    path = "/data/music"
    weight = 3.0
    shortest_s = 1.0         # see AudioFolder

    [[audio]]
    kind = "noise"
    weight = 0.1
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from semeq.engine.errors import SemeqError, SettingsError
from semeq.training.audio_sets import AudioFolder
from semeq.training.fma import SIZES, Fma
from semeq.training.mixture import Mixture
from semeq.training.musdb import STEM_SUFFIX, Musdb18
from semeq.training.noise import SyntheticNoise
from semeq.training.recordings import AudioSource, RecordingSet
from semeq.training.sequence import CropSequence, CropSettings
from semeq.training.splits import USUAL_SHARES, Shares, Split

_SETS: Mapping[str, Callable[..., RecordingSet]] = {
    "folder": AudioFolder,
    "fma": Fma,
    "musdb": Musdb18,
}
KINDS = (*_SETS, "noise")


def make_source(table: Mapping[str, Any], split: Split | None = None) -> AudioSource:
    """Return the source that one table describes, ``weight`` apart.

    Parameters
    ----------
    table : mapping
        ``kind``, ``path`` (but for noise), and arguments of the class.
    split : Split, optional
        Which side of it; a table's own ``split`` goes first.

    Raises
    ------
    SettingsError
        If the kind or an argument is unknown.
    DataError
        If there is no such data.
    """
    values = {name: value for name, value in table.items() if name not in ("weight", "name")}
    kind = values.pop("kind", None)
    if kind not in KINDS:
        raise SettingsError(f"the kind of audio must be one of {', '.join(KINDS)}, got {kind!r}")
    try:
        if kind == "noise":
            values.pop("split", None)
            return SyntheticNoise(values.pop("kinds", None), **values)
        path = Path(str(values.pop("path"))).expanduser()
        side = values.pop("split", split)
        if isinstance(values.get("shares"), Mapping):
            values["shares"] = Shares(**values["shares"])
        return _SETS[kind](path, split=None if side is None else Split(side), **values)
    except KeyError:
        raise SettingsError(f"audio of kind {kind} must have a path, got none") from None
    except TypeError as error:
        raise SettingsError(f"audio of kind {kind} must have known settings, got {error}") from None
    except ValueError as error:
        if isinstance(error, SemeqError):
            raise
        sides = ", ".join(Split)
        raise SettingsError(f"split must be one of {sides}, got {side!r}") from None


def make_mixture(tables: Sequence[Mapping[str, Any]], split: Split | None = None) -> Mixture:
    """Return all tables as one source, each with its ``weight`` (1) under its ``name`` (its kind).

    Raises
    ------
    SettingsError
        If there is no table with a weight above 0, or one is wrong; see `make_source`.
    """
    sources: dict[str, tuple[AudioSource, float]] = {}
    for table in tables:
        kind = name = str(table.get("name", table.get("kind")))
        while name in sources:
            name = f"{kind} {sum(other.startswith(kind) for other in sources) + 1}"
        sources[name] = (make_source(table, split), float(table.get("weight", 1.0)))
    return Mixture(sources)


def find_source(
    path: Path,
    *,
    split: Split | None = None,
    shares: Shares = USUAL_SHARES,
    evenness: float = 1.0,
) -> AudioSource:
    """Return what lies at `path`, known by its layout: FMA, MUSDB18, or else a folder of packages.

    Parameters
    ----------
    path : Path
        A folder; of FMA the largest size in it is taken. ``noise``, where no such folder exists,
        stands for synthetic noise.
    split, evenness
        As for every set of recordings.
    shares : Shares
        How a folder of packages is split; FMA and MUSDB18 have their official splits.

    Raises
    ------
    DataError
        If there is no such folder or no recording (of this split).
    """
    if path.name == "noise" and not path.exists():
        return SyntheticNoise()
    if (path / "fma_metadata").is_dir():
        present = [size for size in SIZES if (path / f"fma_{size}").is_dir()] or ["small"]
        return Fma(path, present[-1], split=split, evenness=evenness)
    if any(
        next((path / side).glob(pattern), None) is not None
        for side in ("train", "test")
        for pattern in (f"*{STEM_SUFFIX}", "*/mixture.wav")
    ):
        return Musdb18(path, split=split, evenness=evenness)
    return AudioFolder(path, split=split, shares=shares, evenness=evenness)


@click.command()
@click.option("--folder", multiple=True, help="Folder of packages of sound files; may be repeated.")
@click.option("--fma", help="Folder with fma_metadata and fma_SIZE.")
@click.option("--size", type=click.Choice(SIZES), default="small", show_default=True)
@click.option("--musdb", help="Folder with train and test of MUSDB18 or MUSDB18-HQ.")
@click.option("--noise", is_flag=True, help="Add synthetic noise.")
@click.option("--split", type=click.Choice([str(s) for s in Split]), help="One side; default: all.")
@click.option("--crops", default=200, show_default=True, help="Crops of 3 s to draw.")
def main(
    folder: tuple[str, ...],
    fma: str | None,
    size: str,
    musdb: str | None,
    noise: bool,
    split: str | None,
    crops: int,
) -> None:
    """Say what is in data sets, what is left out, and how fast crops are decoded."""
    tables: list[dict[str, Any]] = [{"kind": "folder", "path": path} for path in folder]
    if fma is not None:
        tables.append({"kind": "fma", "path": fma, "size": size})
    if musdb is not None:
        tables.append({"kind": "musdb", "path": musdb})
    if noise:
        tables.append({"kind": "noise"})
    try:
        source = make_mixture(tables, None if split is None else Split(split))
        sequence = CropSequence(source, CropSettings(), seed=1)
        begin = time.perf_counter()
        heard = [next(sequence) for _ in range(crops)]
        elapsed = max(time.perf_counter() - begin, 1e-9)
    except SemeqError as error:
        raise click.ClickException(str(error)) from error
    for name, part in source.sources.items():
        click.echo(f"{100.0 * source.shares[name]:5.1f} %  {name}: {part.summary()}")
    tracks = len({(crop.source, crop.recording) for crop in heard})
    rates = ", ".join(f"{fs:g}" for fs in np.unique([crop.fs for crop in heard]))
    click.echo(
        f"{crops} crops of 3 s in {elapsed:.1f} s ({crops / elapsed:.0f} a second), "
        f"from {tracks} recordings, at {rates} Hz"
    )


if __name__ == "__main__":
    main()
