"""``--like`` of a live session: a file becomes a recipe, and the line says how far it goes."""

from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from made_sounds import pink
from scipy.signal import sosfilt
from sound_files import write_float

from semeq.engine.design import design_sos
from semeq.engine.errors import UsageError
from semeq.engine.recipe import Recipe
from semeq.presets.library import load_vocabulary
from semeq.presets.like_option import like_option, make_or_like

FS = 44_100


@click.command()
@like_option
def command(like: str | None) -> None:
    """Print what the option gives."""
    click.echo(repr(like))


def test_a_file_becomes_a_recipe(tmp_path: Path) -> None:
    eq = load_vocabulary().get("tinny").settings
    sound = sosfilt(design_sos(eq, FS), pink(3.0).astype(np.float64), axis=0)
    path = write_float(tmp_path / "r.wav", sound.astype(np.float32), FS)
    done = CliRunner().invoke(command, ["--like", str(path)])
    assert done.exit_code == 0, done.output
    recipe = Recipe.parse(done.stdout.strip().strip("'"))
    assert recipe.terms
    assert str(recipe) in done.stderr
    assert "usual music" not in done.stdout


def test_without_it_there_is_none_and_a_bad_file_is_a_mistake(tmp_path: Path) -> None:
    assert CliRunner().invoke(command).stdout == "None\n"
    done = CliRunner().invoke(command, ["--like", str(tmp_path / "none.wav")])
    assert done.exit_code == 2
    assert "none.wav" in done.stderr


def test_one_recipe_at_a_time() -> None:
    assert make_or_like("warm", None) == "warm"
    assert make_or_like(None, "") == ""
    assert make_or_like(None, None) is None
    with pytest.raises(UsageError, match="not both"):
        make_or_like("warm", "dark")
