"""The command ``semeq render``: files through the equaliser, as words say."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semeq.engine.ending import ending_on_sigterm
from semeq.engine.errors import UsageError
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.presets.adaption_options import adaption_for, adaption_options, write_outcome
from semeq.presets.design_option import design_option
from semeq.presets.insert_options import insert_options, plugins_of
from semeq.presets.library import load_vocabulary
from semeq.presets.like_option import compared_instead
from semeq.presets.outputs import label_for, plan_outputs
from semeq.presets.recipes import load_recipe, recipe_names
from semeq.presets.render_display import display
from semeq.presets.shipped_model import why_deaf

if TYPE_CHECKING:
    from semeq.presets.batch import Outcome


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _adaption(asked: float, deaf: str) -> dict[str, Any]:
    used = 0.0 if deaf else asked
    return {"asked": asked, "used": used, **({"why": deaf} if deaf else {})}


def _write_report(
    path: Path, head: dict[str, Any], outcomes: "list[Outcome]", inputs: tuple[Path, ...]
) -> None:
    from semeq.engine.atomic import write_text
    from semeq.engine.report import versions

    content = {
        "semeq": versions()["semeq"],
        **head,
        "files": [outcome.as_dict() for outcome in outcomes],
        "versions": versions(),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n", inputs=inputs)


def _check_report(path: Path, sources: tuple[Path, ...], targets: list[Path]) -> None:
    from semeq.engine.atomic import is_same_file

    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"--report must name a file in a folder that exists, got {path}")
    for other in (*sources, *targets):
        if is_same_file(path, other):
            raise UsageError(f"--report must not be one of the sound files, got {path}")


def _check_automation(path: Path, sources: tuple[Path, ...], replay: Path | None) -> None:
    from semeq.engine.automation import check_suffix

    check_suffix(path)
    if len(sources) != 1 or replay is not None:
        raise UsageError("--automation is for a single input that is not replayed: give one IN")


@click.command(
    epilog="Presets: " + ", ".join(recipe_names()) + ".",
    short_help="Render sound files as words say.",
)
@click.argument(
    "sources", metavar="IN...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--output",
    "-o",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="The output of a single input; its suffix says the format.",
)
@click.option(
    "--out-dir",
    "-d",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A folder for outputs under the inputs' own names; made if it is not there.",
)
@click.option(
    "--make", "-m", metavar="RECIPE", help="What to sound like: 'warm:0.6 + energetic:0.4'."
)
@click.option(
    "--amount",
    type=click.FloatRange(-4, 4),
    metavar="X",
    help="Strength of the whole recipe; 1 if not given, 0 changes nothing.",
)
@click.option(
    "--preset", metavar="NAME|FILE", help="A recipe by name (listed below), or a .toml file."
)
@click.option(
    "--like",
    metavar="REF",
    type=click.Path(path_type=Path),
    help="Sound like this file, in words: each input gets the recipe that takes it there.",
)
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist; never an input.")
@click.option(
    "--report",
    metavar="FILE.json",
    type=click.Path(path_type=Path),
    help="Write levels, the EQ and every warning of each file.",
)
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Files at the same time; as many as there are cores if not given.",
)
@click.option(
    "--replay",
    metavar="LOG",
    type=click.Path(path_type=Path),
    help="Render again what 'semeq live --record-log' recorded, bit for bit.",
)
@adaption_options
@design_option
@insert_options
@click.pass_context
def render(
    ctx: click.Context,
    sources: tuple[Path, ...],
    output: Path | None,
    out_dir: Path | None,
    make: str | None,
    amount: float | None,
    preset: str | None,
    like: Path | None,
    overwrite: bool,
    report: Path | None,
    jobs: int | None,
    replay: Path | None,
    adapt: float,
    look: str,
    speed: float | None,
    lock: tuple[int, ...],
    trim: tuple[str, ...],
    max_db: float | None,
    slew: float | None,
    automation: Path | None,
    design: str,
) -> None:
    """Render sound files as words say: wav, aiff, flac, ogg, mp3; 1 to 8 channels; 8 to 192 kHz.

    Without -o or --out-dir, song.wav made warm becomes song.warm.wav beside it. Sample rate, channels, tags
    and, where the format allows, bit depth stay as they are. The result is as loud as the input, and its
    true peak stays below -1 dBTP, or below that of the input.

    A file that fails does not stop the others; the exit code is then 1.
    """
    wishes = {"--make": make, "--preset": preset, "--like": like, "--replay": replay}
    chosen = [name for name, value in wishes.items() if value]
    if len(chosen) != 1:
        got = " and ".join(chosen) if chosen else "none of them"
        raise UsageError(f"give one of --make, --preset, --like and --replay, got {got}")
    recipe, strength, label = Recipe(), 1.0 if amount is None else amount, "replay"
    suffix = "" if amount is None else f"@{amount:g}"
    if make is not None:
        recipe = Recipe.parse(make)
        label = label_for(recipe, strength)
    elif preset is not None:
        named = load_recipe(preset)
        recipe, strength = named.recipe, named.amount if amount is None else amount
        label = named.name.replace(" ", "_") + suffix
    elif like is not None:
        label = f"like_{like.stem.replace(' ', '_')}{suffix}"
        adapt = compared_instead(ctx)
    warnings = list(interpret(recipe, load_vocabulary(), amount=strength).warnings)
    deaf = why_deaf() if adapt > 0.0 and replay is None else ""
    if deaf:
        warnings.append(f"the words' typical move is made, since nothing can be heard: {deaf}")
    targets = plan_outputs(sources, output, out_dir, label)
    if report is not None:
        _check_report(report, sources, targets)
    if automation is not None:
        _check_automation(automation, sources, replay)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    plugins, look = plugins_of(ctx, sources, look)
    if look == "ahead" and adapt > 0.0:
        click.echo("--look ahead: the EQ moves before what it hears, as it cannot live", err=True)

    from semeq.engine.take_file import read_take
    from semeq.presets import batch
    from semeq.presets.likeness import Reference

    adaption = adaption_for(
        recipe,
        strength,
        adapt=0.0 if deaf else adapt,
        look=look,
        speed=speed,
        lock=lock,
        trim=trim,
        max_db=max_db,
        slew=slew,
    )
    reference = None if like is None else Reference.read(like)
    take = None if replay is None else read_take(replay)
    if out_dir is not None:
        try:
            out_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--out-dir {out_dir} cannot be made: {error.strerror}") from None
    kept = tuple(path for path in (report, replay, like, automation, *plugins.files) if path)
    requests = batch.make_requests(
        sources,
        targets,
        adaption,
        overwrite=overwrite,
        protected=kept,
        take=take,
        like=reference,
        design=design,
        keep_track=automation is not None,
        inserts=plugins.inserts,
        through=plugins.through,
    )
    if batch.needs_compiling():
        click.echo(
            "compiling the audio path for this processor, once: this takes a moment", err=True
        )
    outcomes: list[Outcome | None] = [None] * len(requests)
    with ending_on_sigterm(), display(requests) as (show, say):
        for number, outcome in batch.run(requests, jobs or _cores(), show):
            outcomes[number] = outcome
            show(number, 1.0)
            if outcome.report is None:
                say(f"semeq: {outcome.error}")
                continue
            if outcome.report.likeness is not None:
                say(f"{outcome.report.source}: {outcome.report.likeness.text}")
            for warning in outcome.report.warnings:
                say(f"warning: {outcome.report.source}: {warning}")
            say(batch.summary(outcome.report))
    done = [outcome for outcome in outcomes if outcome is not None]
    if automation is not None:
        write_outcome(automation, done[0], adaption, sources)
    if report is not None:
        head: dict[str, Any] = {
            "recipe": str(recipe),
            "amount": strength,
            "adapt": _adaption(adapt, deaf),
            "like": None if like is None else str(like),
            "replay": None if replay is None else str(replay),
            "warnings": warnings,
        }
        _write_report(report, head, done, sources)
    failed = sum(outcome.report is None for outcome in done)
    if len(done) > 1:
        click.echo(f"{len(done) - failed} rendered, {failed} failed", err=True)
    if failed:
        ctx.exit(1)
