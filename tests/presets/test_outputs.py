"""Names of outputs, and requests that are refused before any work."""

from pathlib import Path

import pytest

from semeq.engine.errors import UsageError
from semeq.engine.recipe import Recipe
from semeq.presets.outputs import label_for, plan_outputs


@pytest.mark.parametrize(
    ("recipe", "amount", "label"),
    [
        ("warm", 1.0, "warm"),
        ("warm:0.5 + punchy:0.3 - bright:0.2", 1.0, "warm0.5+punchy0.3-bright0.2"),
        ("-harsh", 1.0, "-harsh"),
        ("warm", 0.5, "warm@0.5"),
        ('"bass boost"', 1.0, "bass_boost"),
        ('"a/b\\c"', 1.0, "a_b_c"),
        ("", 1.0, "flat"),
        ("cálido", 1.0, "cálido"),
    ],
)
def test_labels(recipe: str, amount: float, label: str) -> None:
    assert label_for(Recipe.parse(recipe), amount) == label


def test_labels_are_short_enough_for_a_file_name() -> None:
    recipe = Recipe(tuple((f"verylongword{chr(97 + n)}", 0.5) for n in range(20)))
    assert len(label_for(recipe)) <= 60


def test_outputs_stand_beside_their_inputs() -> None:
    sources = [Path("a.wav"), Path("b/c.d.flac")]
    assert plan_outputs(sources, None, None, "warm") == [
        Path("a.warm.wav"),
        Path("b/c.d.warm.flac"),
    ]


def test_outputs_in_a_folder_keep_their_names(tmp_path: Path) -> None:
    sources = [Path("a.wav"), Path("b/c.flac")]
    folder = tmp_path / "new"
    assert plan_outputs(sources, None, folder, "warm") == [folder / "a.wav", folder / "c.flac"]


def test_one_output() -> None:
    assert plan_outputs([Path("a.wav")], Path("x.mp3"), None, "warm") == [Path("x.mp3")]


def refuse(
    match: str, sources: list[str], output: Path | None = None, folder: Path | None = None
) -> None:
    with pytest.raises(UsageError, match=match):
        plan_outputs([Path(name) for name in sources], output, folder, "warm")


def test_contradictions(tmp_path: Path) -> None:
    a_file = tmp_path / "file"
    a_file.touch()
    refuse("-o or --out-dir, not both", ["a.wav"], Path("b.wav"), tmp_path)
    refuse("-o names one file, got 2 inputs", ["a.wav", "b.wav"], Path("c.wav"))
    refuse("got the folder", ["a.wav"], tmp_path)
    refuse("got the file", ["a.wav"], None, a_file)
    refuse("name a file instead of -", ["-"])
    refuse("name a file instead of -", ["a.wav"], Path("-"))


def test_two_inputs_with_one_output(tmp_path: Path) -> None:
    refuse("would both become", ["x/a.wav", "y/a.wav"], None, tmp_path)
    refuse("would both become", ["x/a.wav", "y/A.WAV"], None, tmp_path)  # disks may ignore case
    refuse("is given twice", ["x/a.wav", "x/../x/a.wav"], None, tmp_path)
    refuse("is given twice", ["a.wav", "a.wav"])
