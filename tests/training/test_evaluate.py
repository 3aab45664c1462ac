import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from judged_music import bump, music, write_music

from semeq.engine.errors import UsageError
from semeq.engine.units import Floats
from semeq.presets.library import load_vocabulary
from semeq.training.cli_evaluate import compare, evaluate, load_methods
from semeq.training.clips import Clips
from semeq.training.compare import compare as put_side_by_side
from semeq.training.compare import text
from semeq.training.evaluate import Plan
from semeq.training.evaluate import evaluate as run
from semeq.training.figures import FIGURES, draw
from semeq.training.people import Fold
from semeq.training.protocol import WORDS
from semeq.training.rivals import (
    ConstantCurve,
    Identity,
    SpectrumMatch,
    typical_spectrum,
    vocabulary_curves,
)
from semeq.training.tables import cell, markdown

CURVES = vocabulary_curves(load_vocabulary())
SETUP = {"crops": 24, "seconds": 8.0, "recordings": 12, "packages": 3, "seeds": 2}


def people(seed: int) -> Fold:
    """Return people who mean what the vocabulary means, each in their own way."""
    rng = np.random.default_rng(seed)

    def draw_people(word: str, count: int) -> Floats:
        return CURVES[word] + rng.standard_normal((count, 1)) * bump(700.0, 1.5)

    words = (*WORDS, "clear", "presence")
    return Fold(
        {word: draw_people(word, 8) for word in words},
        {word: draw_people(word, 5) for word in words},
    )


@pytest.fixture(scope="module")
def results() -> dict[str, object]:
    spectra = music()
    typical = typical_spectrum(spectra)

    def make(seed: int, fold: Fold | None) -> list[Identity | ConstantCurve | SpectrumMatch]:
        assert fold is not None
        two = ConstantCurve(fold.curves())
        two.name, two.words = "two words", frozenset({"warm", "bright"})
        curves = fold.curves()
        return [Identity(), ConstantCurve(curves), SpectrumMatch(curves, typical), two]

    found = run(make, Plan(spectra, seeds=2), [people(0), people(1)])
    return {"setup": SETUP, "methods": found}


def test_every_part_of_the_protocol_is_there(
    results: dict[str, dict[str, dict[str, object]]],
) -> None:
    match = results["methods"]["spectrum match"]
    assert set(match) >= {
        *("words", "triple", "effect", "adaptivity", "blends", "stability", "confusion"),
        *("own_score", "people", "curves", "explained_r2"),
    }
    json.dumps(results, allow_nan=False)


def test_judges_tell_the_methods_apart(results: dict[str, dict[str, dict[str, dict]]]) -> None:  # type: ignore[type-arg]  # JSON
    nothing, constant, match = (
        results["methods"][name] for name in ("identity", "constant curve", "spectrum match")
    )
    assert nothing["triple"]["direction"]["value"] == 0.0
    assert constant["people"]["percentile"] > 0.5 > nothing["people"]["percentile"]
    assert constant["people"]["median_r_of_agreed"] > 0.9
    assert match["adaptivity"]["spearman"]["value"] < -0.9
    assert constant["adaptivity"]["spearman"]["value"] == 0.0
    assert match["triple"]["spread"]["value"] < 0.5
    assert match["triple"]["direction"]["sd"] >= 0.0
    assert constant["effect"]["bright"]["equal_strength"]["value"] > 1.0


def test_tables_name_every_method_and_say_what_is_missing(results: dict[str, object]) -> None:
    report = markdown(results)
    assert "two words (warm, bright only)" in report
    for heading in ("three at once", "M1", "M2", "M3", "M4", "M5", "M6", "M7"):
        assert heading in report
    assert "SonicMaster (published)" in report
    assert "nan" not in report
    assert cell({"value": -0.5, "low": -1.0, "high": 0.0}) == "−0.50 [−1.00, 0.00]"
    assert cell(None) == "–"


def test_all_figures_are_drawn_from_json_alone(results: dict[str, object], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    files = draw(json.loads(json.dumps(results)), tmp_path)
    assert [path.stem for path in files] == list(FIGURES)
    assert all(path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" for path in files)
    assert min(path.stat().st_size for path in files) > 5000


def test_a_method_of_its_own_people_is_judged_by_them() -> None:
    asked = []

    class Trained(ConstantCurve):
        name = "trained"
        fold = people(7)

        def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
            asked.append(word)
            return super().curves_db(word, amount, clips)

    spectra = music(4, 1)
    found = run(lambda seed, fold: [Trained(CURVES)], Plan(spectra, seeds=1), [None])
    assert "people" in found["trained"]
    assert set(asked) >= set(WORDS)


def test_without_people_there_is_no_human_judge() -> None:
    found = run(lambda seed, fold: [ConstantCurve(CURVES)], Plan(music(4, 1), seeds=1), [None])
    assert "people" not in found["constant curve"]
    assert "No human data" in markdown({"setup": SETUP, "methods": found})


def test_two_sides() -> None:
    spectra = music(6, 1)
    found = put_side_by_side(
        ConstantCurve(CURVES), SpectrumMatch(CURVES, typical_spectrum(spectra)), spectra
    )
    assert set(found["words"]) == set(WORDS)
    assert "hears" in found["b"]
    assert "hears" not in found["a"]
    same = put_side_by_side(ConstantCurve(CURVES), ConstantCurve(CURVES), spectra)
    assert all(math.isclose(row["r"], 1.0) for row in same["words"].values())
    assert all(row["difference_db"] == 0.0 for row in same["words"].values())
    lines = text(found).splitlines()
    assert lines[0] == "A: constant curve"
    assert any(line.startswith("spread") for line in lines)


def test_methods_are_found_by_name() -> None:
    with pytest.raises(UsageError, match="MODULE:FUNCTION"):
        load_methods("semeq.training.rivals:Nothing")
    with pytest.raises(UsageError, match="MODULE:FUNCTION"):
        load_methods("no colon")
    assert load_methods("semeq.training.rivals:Identity")[0].name == "identity"
    assert load_methods("judged_music:named=7")[0].name == "bump 7"


def test_the_commands_from_end_to_end(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    folder = write_music(tmp_path / "music", recordings=4)
    options = ["--music", str(folder), "--reference", str(folder), "--seconds", "4", "--crops", "1"]
    options += ["--cache", str(tmp_path / "cache")]
    out = tmp_path / "out"
    done = CliRunner().invoke(
        evaluate,
        [*options, "--out", str(out), "--seeds", "1", "--method", "judged_music:named=7", "--json"],
    )
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed == json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert "bump 7" in printed["methods"]
    assert printed["methods"]["bump 7"]["stability"]["worst_level_change_db"] == 0.0
    assert "bump 7" in (out / "results.md").read_text(encoding="utf-8")
    done = CliRunner().invoke(
        compare, ["constant curve", "judged_music:named", *options, "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("A: constant curve\nB: bump 6\n")
    assert "B less A" in done.stdout
    compared = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    for name, less in compared["b_less_a"].items():
        a, b = (compared[side]["triple"][name]["value"] for side in "ab")
        assert less["value"] == pytest.approx(b - a)
    assert (out / "compare_curves.png").exists()
    assert (out / "compare_profiles.png").exists()
    done = CliRunner().invoke(compare, ["constant curve", "nothing such", *options])
    assert isinstance(done.exception, UsageError)
    assert "constant curve" in str(done.exception)
