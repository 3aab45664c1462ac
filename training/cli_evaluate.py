"""``semeq evaluate`` and ``semeq compare``: judge methods on music and people that none has learned from."""

import json
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semeq.engine.atomic import write_text
from semeq.engine.errors import UsageError

if TYPE_CHECKING:
    from semeq.training.methods import BatchMethod, Method
    from semeq.training.spectra import Spectra

FOLDER = click.Path(path_type=Path, file_okay=False)


def load_methods(spec: str) -> "list[Method | BatchMethod]":
    """Return the methods that ``MODULE:FUNCTION`` or ``MODULE:FUNCTION=TEXT`` makes.

    Raises
    ------
    UsageError
        If there is no such function.
    """
    where, _, text = spec.partition("=")
    module, _, name = where.partition(":")
    try:
        make = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"a method must be MODULE:FUNCTION or MODULE:FUNCTION=TEXT, got {spec!r}: {error}"
        ) from error
    made = make(text) if text else make()
    return list(made) if isinstance(made, Sequence) else [made]


def _say(line: str) -> None:
    click.echo(line, err=True)


def _spectra(music: Path, crops: int, seconds: float, cache: Path | None, name: str) -> "Spectra":
    from semeq.training.spectra import spectra_of_folder

    kept = None
    if cache is not None:
        mark = sha256(f"{music.resolve()} {crops} {seconds}".encode()).hexdigest()[:8]
        kept = cache / f"{name}-{mark}.npz"
    _say(f"spectra of {music} …")
    return spectra_of_folder(music, crops=crops, seconds=seconds, cache=kept)


def music_options(function: Any) -> Any:  # noqa: ANN401  # click's decorators take any function
    """Add the options that say what is judged and on what."""
    options = (
        click.option("--music", required=True, type=FOLDER, help="Unseen music: PACKAGE/…/FILE."),
        click.option(
            "--reference", required=True, type=FOLDER, help="Music that may be learned from."
        ),
        click.option("--people", type=FOLDER, help="Folder with safe_eq.csv and socialeq.csv."),
        click.option("--crops", default=4, show_default=True, type=click.IntRange(1, 64)),
        click.option("--seconds", default=8.0, show_default=True, type=click.FloatRange(4.0, 60.0)),
        click.option("--cache", type=FOLDER, help="Keep spectra here for the next run."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@music_options
@click.option("--model", multiple=True, type=click.Path(path_type=Path), help="A checkpoint.")
@click.option("--method", multiple=True, help="More methods: MODULE:FUNCTION[=TEXT].")
@click.option("--out", required=True, type=FOLDER, help="Folder for tables and figures.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1, 20))
@click.option(
    "--timbral-clips", default=0, show_default=True, help="Clips for timbral models; slow."
)
@click.option(
    "--flow-epochs", default=25, show_default=True, help="Epochs of flowEQ; 0: without it."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results on standard output.")
def evaluate(
    music: Path,
    reference: Path,
    people: Path | None,
    model: tuple[Path, ...],
    method: tuple[str, ...],
    crops: int,
    seconds: float,
    cache: Path | None,
    out: Path,
    seeds: int,
    timbral_clips: int,
    flow_epochs: int,
    as_json: bool,
) -> None:
    """Judge all rivals, and models, on unseen music and people; write tables and figures.

    The folder receives results.json, results.md and figures F1 to F7 as PNG.
    """
    from semeq.training.evaluate import Plan
    from semeq.training.evaluate import evaluate as run
    from semeq.training.figures import draw
    from semeq.training.methods import Learner
    from semeq.training.rival_set import RivalSet
    from semeq.training.rivals import typical_spectrum
    from semeq.training.tables import markdown

    started = time.monotonic()
    spectra = _spectra(music, crops, seconds, cache, "music")
    typical = typical_spectrum(_spectra(reference, 2, seconds, cache, "reference"))
    rivals = RivalSet(typical, people, flow_epochs=flow_epochs)
    if people is None:
        _say("no --people: curves that ship with semeq, no people held out, no flowEQ")
    judged = [one for path in model for one in _model_methods(path)]
    judged += [one for spec in method for one in load_methods(spec)]
    folds = [rivals.fold(seed) for seed in range(seeds)]
    _tell_apart(judged)
    for one in judged:
        # Trained before: judged by those whom training held out, at every seed.
        if not hasattr(one, "fold"):
            one.fold = folds[0]  # type: ignore[union-attr]  # ours to add
        if isinstance(one, Learner) and folds[0] is not None:
            one.learn(folds[0].curves())
    results: dict[str, Any] = {
        "setup": {
            "command": " ".join(["semeq", "evaluate", *sys.argv[2:]]),
            "crops": len(spectra),
            "seconds": seconds,
            "recordings": len(set(spectra.files)),
            "packages": len(set(spectra.packages)),
            "files_left_out": spectra.left_out,
            "seeds": seeds,
            "people": people is not None,
        },
        "methods": run(
            lambda seed, fold: [*rivals(seed, fold), *judged],
            Plan(spectra, seeds=seeds, timbral_clips=timbral_clips, say=_say),
            folds,
        ),
    }
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, ensure_ascii=False, indent=1)
    write_text(out / "results.json", text + "\n")
    write_text(out / "results.md", markdown(results))
    figures = draw(results, out)
    for name, found in results["methods"].items():
        triple = found["triple"]
        _say(
            f"{name}: direction {triple['direction']['value']:.2f}, "
            f"spread {triple['spread']['value']:.2f}, "
            f"restoration {triple['restoration']['value']:.2f}"
        )
    _say(
        f"{out}: results.json, results.md, {len(figures)} figures, {time.monotonic() - started:.0f} s"
    )
    if as_json:
        click.echo(text)


def _tell_apart(methods: "list[Method | BatchMethod]") -> None:
    """Add a number to names that come twice: figures of one name count as seeds of one method."""
    seen: dict[str, int] = {}
    for method in methods:
        seen[method.name] = seen.get(method.name, 0) + 1
        if seen[method.name] > 1:
            method.name = f"{method.name} ({seen[method.name]})"  # type: ignore[misc]  # ours to add


def _model_methods(path: Path) -> "list[Method | BatchMethod]":
    return load_methods(f"semeq.training.model_method:methods={path}")


@click.command()
@click.argument("first")
@click.argument("second")
@music_options
@click.option("--out", type=FOLDER, help="Folder for compare.json and plots.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare(
    first: str,
    second: str,
    music: Path,
    reference: Path,
    people: Path | None,
    crops: int,
    seconds: float,
    cache: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Put two methods side by side on the same music.

    FIRST and SECOND are checkpoints, names of rivals ("constant curve"), or MODULE:FUNCTION[=TEXT].
    """
    from semeq.training.compare import compare as put_side_by_side
    from semeq.training.compare import draw, text
    from semeq.training.rival_set import RivalSet
    from semeq.training.rivals import typical_spectrum

    spectra = _spectra(music, crops, seconds, cache, "music")
    typical = typical_spectrum(_spectra(reference, 2, seconds, cache, "reference"))
    flow = 25 if any("flow" in name for name in (first, second)) else 0
    rivals = RivalSet(typical, people, flow_epochs=flow)
    known = {one.name: one for one in rivals(0, rivals.fold(0))}
    a, b = (_one(name, known) for name in (first, second))
    found = put_side_by_side(a, b, spectra)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        content = json.dumps(found, ensure_ascii=False, indent=1)
        write_text(out / "compare.json", content + "\n")
        for path in draw(found, out):
            _say(str(path))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        click.echo(text(found), nl=False)


def _one(name: str, known: "dict[str, Method | BatchMethod]") -> "Method | BatchMethod":
    if name in known:
        return known[name]
    if Path(name).exists():
        return _model_methods(Path(name))[0]
    if ":" in name:
        return load_methods(name)[0]
    raise UsageError(
        f"a method must be a checkpoint, MODULE:FUNCTION or one of {', '.join(known)}, got {name!r}"
    )
