"""The demo: it runs again and again, its page finds its files, and its figures are those of the files."""

import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from semeq.engine.audiofile import AudioReader
from semeq.engine.cli import main
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.render import RenderJob, render_file
from semeq.engine.spectrum import region_levels_db
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio
from semeq.presets.cli_demo import FS, RECIPES, SECONDS, demo, signed
from semeq.presets.library import load_vocabulary

FILES = {"mix.wav", "warm.wav", "bright.wav", "blend.wav", "index.html", "response.svg"}


def read(path: Path) -> Audio:
    return np.concatenate(list(AudioReader(path).blocks()))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "with space" / "out"


@pytest.fixture(scope="module")
def result(out: Path) -> Result:
    return CliRunner().invoke(demo, ["--out", str(out)], catch_exceptions=False)


def test_it_writes_what_it_says(result: Result, out: Path) -> None:
    assert result.exit_code == 0
    assert {path.name for path in out.iterdir()} == FILES
    assert all(name in result.stdout for name in FILES - {"response.svg"})
    assert result.stderr.startswith("semeq: making a mix")


def test_the_mix_is_the_mix(result: Result, out: Path) -> None:
    np.testing.assert_array_equal(read(out / "mix.wav"), demo_mix(FS, SECONDS))


def test_the_renders_are_those_of_render(result: Result, out: Path, tmp_path: Path) -> None:
    settings = interpret(Recipe.parse("warm"), load_vocabulary()).settings
    render_file(RenderJob(out / "mix.wav", tmp_path / "warm.wav", settings))
    np.testing.assert_array_equal(read(out / "warm.wav"), read(tmp_path / "warm.wav"))


def test_the_table_tells_what_is_in_the_files(result: Result, out: Path) -> None:
    before, after = (region_levels_db(read(out / name), FS) for name in ("mix.wav", "bright.wav"))
    row = re.search(r"^presence, 2–6 kHz +(\S+) +\S+ +(\S+)", result.stdout, re.M)
    assert row is not None
    assert row[1] == signed(before["presence"])
    assert row[2] == signed(after["presence"] - before["presence"])


def test_the_words_move_the_mix_the_right_way(result: Result, out: Path) -> None:
    tilt = {}
    for name in ("mix", "warm", "bright"):
        levels = region_levels_db(read(out / f"{name}.wav"), FS)
        tilt[name] = levels["presence"] - levels["bass"]
    assert tilt["warm"] < tilt["mix"] - 3.0
    assert tilt["bright"] > tilt["mix"] + 3.0


def test_the_page_finds_its_files(result: Result, out: Path) -> None:
    html = (out / "index.html").read_text(encoding="utf-8")
    sources = set(re.findall(r'src="([^"]+)"', html))
    assert sources == {name for name in FILES if name.endswith(".wav")}
    assert all(recipe in html for recipe, _ in RECIPES)


def test_a_second_run_replaces_the_first(result: Result, out: Path) -> None:
    first = {name: (out / name).read_bytes() for name in FILES}
    (out / "warm.wav").write_bytes(b"broken")
    again = CliRunner().invoke(demo, ["--out", str(out)], catch_exceptions=False)
    assert again.exit_code == 0
    assert {name: (out / name).read_bytes() for name in FILES} == first
    assert {path.name for path in out.iterdir()} == FILES


def test_what_to_try_next_works(result: Result, out: Path) -> None:
    (line,) = re.findall(r"^ +(\S*semeq render .*)$", result.stdout, re.M)
    arguments = shlex.split(line)
    recipe = arguments[arguments.index("--make") + 1]
    assert not interpret(Recipe.parse(recipe), load_vocabulary()).warnings
    assert Path(arguments[2]) == out / "mix.wav"


def test_its_recipes_need_no_warning(result: Result) -> None:
    assert "semeq: warm" not in result.stderr
    for recipe, _ in RECIPES:
        assert not interpret(Recipe.parse(recipe), load_vocabulary()).warnings


def unwritable(tmp_path: Path) -> Path:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    # root may write anywhere but here
    return folder if not os.access(folder, os.W_OK) else Path("/proc/self")


@pytest.mark.parametrize("place", ["read-only", "below a file", "a file"])
def test_a_bad_folder_is_one_clear_line(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("here first", encoding="utf-8")
    target = {"read-only": unwritable(tmp_path), "below a file": file / "out", "a file": file}[
        place
    ]
    with pytest.raises(SystemExit) as left:
        main(["demo", "--out", str(target)])
    assert left.value.code == (2 if place == "a file" else 1)
    said = capsys.readouterr()
    assert not said.out
    assert "Traceback" not in said.err
    assert str(target) in said.err
    assert file.read_text(encoding="utf-8") == "here first"


def test_the_picture_in_the_readme_is_this_one(result: Result, out: Path) -> None:
    """``make picture`` redraws it after the words have changed."""
    committed = (Path(__file__).parents[2] / "docs" / "response.svg").read_text(encoding="utf-8")
    drawn = (out / "response.svg").read_text(encoding="utf-8")
    number = r"-?\d+\.\d+"
    assert re.sub(number, "#", committed) == re.sub(number, "#", drawn)
    # Pixels; another processor may round the last digit differently.
    one, other = (
        np.array([float(x) for x in re.findall(number, text)]) for text in (committed, drawn)
    )
    np.testing.assert_allclose(one, other, atol=0.2)
