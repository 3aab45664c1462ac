"""The command ``semeq train``: the whole recipe, or one stage of it."""

from pathlib import Path

import click

STAGES = ("words", "eq", "audio", "e2e", "export")


@click.command()
@click.argument("stage", type=click.Choice([*STAGES, "all"]))
@click.option(
    "--config",
    "config_path",
    required=True,
    type=click.Path(path_type=Path),
    help="The TOML file that says with what and how long (see training/README.md).",
)
@click.option(
    "--run",
    "folder",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for checkpoints, curves and results; a run that was stopped goes on.",
)
@click.option("--device", default=None, help="cpu or cuda; the file's by default.")
@click.option("--seed", type=click.IntRange(0), default=None, help="Instead of the file's.")
def train(
    stage: str, config_path: Path, folder: Path, device: str | None, seed: int | None
) -> None:
    """Train semeq's models: STAGE is words, eq, audio, e2e, export, or all of them in turn.

    Under torchrun, several processes share the work.
    """
    import dataclasses

    from semeq.engine.errors import MissingPackageError

    try:
        from semeq.training.recipe import Run
    except ImportError as error:
        raise MissingPackageError(
            f"training needs PyTorch and friends, got {error}; install semeq with the extra 'train'"
        ) from error
    from semeq.training.config import Config

    config = Config.from_toml(config_path)
    if device is not None:
        config = dataclasses.replace(config, device=device)
    if seed is not None:
        config = dataclasses.replace(config, seed=seed)
    Run(config, folder, report=lambda line: click.echo(line, err=True)).stages(
        STAGES if stage == "all" else (stage,)
    )
