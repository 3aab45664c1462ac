"""``semeq like``: a line for people, an object for programs, and one clear line when a file is no good."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from made_sounds import pink
from scipy.signal import sosfilt
from sound_files import write_float

from semeq.engine.cli import semeq
from semeq.engine.design import design_sos
from semeq.engine.errors import AudioFileError
from semeq.engine.recipe import Recipe
from semeq.presets.cli_like import like
from semeq.presets.library import load_vocabulary
from semeq.presets.likeness import Reference

FS = 44_100


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a reference that is darker than an input, and the input."""
    folder = tmp_path_factory.mktemp("like")
    sound = pink(4.0, channels=2)
    eq = load_vocabulary().get("dark").settings
    dark = sosfilt(design_sos(eq, FS), sound.astype(np.float64), axis=0)
    return (
        write_float(folder / "ref.wav", (0.5 * dark).astype(np.float32), FS),
        write_float(folder / "in.wav", sound, FS),
    )


def test_it_is_a_command() -> None:
    assert semeq.get_command(None, "like") is not None  # type: ignore[arg-type]


def test_one_line_and_a_table(files: tuple[Path, Path]) -> None:
    done = CliRunner().invoke(like, [str(path) for path in files])
    assert done.exit_code == 0, done.output
    first, head, *rows = done.output.splitlines()
    assert first.startswith("like ref.wav: dark:0.")
    assert "dB rms left" in first
    assert head.split() == ["Hz", "differs", "in", "words"]
    low, high = float(rows[1].split()[1]), float(rows[-2].split()[1])
    assert low > 0.0 > high


def test_json_is_alone_on_standard_output(files: tuple[Path, Path]) -> None:
    done = CliRunner().invoke(like, [*map(str, files), "--json"])
    content = json.loads(done.stdout)
    assert content["reference"] == "ref.wav"
    assert content["against"] == "in.wav"
    assert str(Recipe(tuple(content["words"].items()))) == content["recipe"]
    assert content["explained"] > 0.9
    assert len(content["difference_db"]) == len(content["words_db"]) == len(content["freqs_hz"])


def test_without_an_input_usual_music_is_compared_with(files: tuple[Path, Path]) -> None:
    done = CliRunner().invoke(like, [str(files[1]), "--json", "--language", "es"])
    content = json.loads(done.stdout)
    assert content["against"] == "usual music"
    vocabulary = load_vocabulary()
    assert all(vocabulary.get(word).language == "es" for word in content["words"])


def test_a_silent_input_needs_nothing_and_a_silent_reference_is_refused(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    silent = write_float(tmp_path / "s.wav", np.zeros((FS, 2), np.float32), FS)
    told = Reference.read(files[0]).told(silent)
    assert told.recipe == Recipe()
    with pytest.raises(AudioFileError, match="silence"):
        Reference.read(silent)
