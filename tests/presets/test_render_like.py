"""``semeq render --like`` and the verification in its report: real files in, real files judged."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from made_sounds import pink
from scipy.signal import butter, sosfilt
from sound_files import write_float

from semeq.engine.balance import Meter
from semeq.engine.design import design_sos
from semeq.engine.errors import UsageError
from semeq.engine.recipe import Recipe
from semeq.engine.reference import Spectrum, difference, measure_file
from semeq.engine.units import Audio, Floats
from semeq.presets.cli_render import render
from semeq.presets.library import load_vocabulary
from semeq.presets.verified import verified

FS = 44_100
WORDS = load_vocabulary()
MUSIC = Path("/tmp/audio/valid/music")


def run(folder: Path, *arguments: object) -> tuple[dict[str, Any], str]:
    report = folder / "report.json"
    done = CliRunner().invoke(render, [*map(str, arguments), "--report", str(report)])
    assert done.exit_code == 0, done.output
    content: dict[str, Any] = json.loads(report.read_text())
    return content, done.stderr


def write(path: Path, sound: Audio | Floats) -> Path:
    return write_float(path, np.asarray(sound, np.float32), FS)


def distance_db(one: Path, other: Path) -> float:
    freqs = WORDS.freqs_hz
    a, b = (Spectrum.of(measure_file(path), freqs) for path in (one, other))
    both = a.exists * b.exists
    return math.sqrt(float(difference(a, b, freqs, math.inf) ** 2 @ both) / float(both.sum()))


def test_a_render_is_verified_on_the_files_themselves(tmp_path: Path) -> None:
    sound = pink(3.0, channels=2)
    source = write(tmp_path / "in.wav", sound)
    out = tmp_path / "out.wav"
    content, said = run(tmp_path, source, "-o", out, "--make", "dark - tinny:0.4", "--adapt", 0)
    verification = content["files"][0]["verification"]
    assert [v["word"] for v in verification["verdicts"]] == ["dark", "tinny"]
    for verdict in verification["verdicts"]:
        assert verdict["outcome"] == "reached"
        before, after = (
            measure_file(path).share(verdict["low_hz"], verdict["high_hz"])
            for path in (source, out)
        )
        assert verdict["change_db"] == pytest.approx(10 * math.log10(after / before), abs=0.01)
    assert verification["out"]["centroid_hz"] < verification["in"]["centroid_hz"]
    assert verification["out"]["tilt_db_per_octave"] < verification["in"]["tilt_db_per_octave"]
    assert "asked for" not in said


def test_a_miss_is_a_warning_with_its_cause(tmp_path: Path) -> None:
    low = sosfilt(butter(16, 4000.0, fs=FS, output="sos"), pink(3.0), axis=0)
    source = write(tmp_path / "in.wav", low)
    content, said = run(tmp_path, source, "--make", "airy", "--adapt", 0)
    line = "asked for airy, share above 10 kHz"
    assert any(text.startswith(line) for text in content["files"][0]["warnings"])
    assert content["files"][0]["verification"]["verdicts"][0]["outcome"] == "nothing there"
    assert said.count(line) == 1
    assert "the input has nothing above 10 kHz" in said


def test_a_silent_file_and_amount_0_have_nothing_to_miss(tmp_path: Path) -> None:
    silent = write(tmp_path / "s.wav", np.zeros((FS, 2)))
    content, said = run(tmp_path, silent, "--make", "warm", "--adapt", 0)
    assert content["files"][0]["verification"]["verdicts"][0]["outcome"] == "silence"
    assert "asked for" not in said
    sound = write(tmp_path / "p.wav", pink(1.0))
    content, _ = run(tmp_path, sound, "--make", "warm", "--amount", 0)
    assert content["files"][0]["verification"]["verdicts"] == []


def test_each_input_gets_its_own_recipe_and_comes_closer(tmp_path: Path) -> None:
    sound = pink(4.0, channels=2)
    dark = sosfilt(design_sos(WORDS.get("dark").settings, FS), sound.astype(float), axis=0)
    bright = sosfilt(design_sos(WORDS.get("bright").settings, FS), sound.astype(float), axis=0)
    reference = write(tmp_path / "my ref.wav", 0.5 * dark)
    sources = [write(tmp_path / "a.wav", sound), write(tmp_path / "b.wav", 0.3 * bright)]
    content, said = run(tmp_path, *sources, "--like", reference)
    assert content["like"] == str(reference)
    recipes = []
    for source, entry in zip(sources, content["files"], strict=True):
        target = source.with_name(f"{source.stem}.like_my_ref.wav")
        assert entry["output"] == str(target)
        assert f"{source}: {entry['like']['text']}" in said
        assert entry["like"]["explained"] > 0.6
        assert distance_db(reference, target) < 0.6 * distance_db(reference, source)
        recipes.append(Recipe.parse(entry["like"]["recipe"]))
        words = [verdict["word"] for verdict in entry["verification"]["verdicts"]]
        assert words == [word for word, _ in recipes[-1].terms]
    assert recipes[0] != recipes[1]
    assert "dark" in dict(recipes[0].terms)


def test_the_reference_is_never_replaced_and_must_be_sound(tmp_path: Path) -> None:
    reference = write(tmp_path / "r.wav", pink(1.0))
    source = write(tmp_path / "in.wav", pink(1.0, seed=3))
    kept = reference.read_bytes()
    done = CliRunner().invoke(
        render, [str(source), "-o", str(reference), "--like", str(reference), "--overwrite"]
    )
    assert done.exit_code != 0
    assert reference.read_bytes() == kept
    silent = write(tmp_path / "s.wav", np.zeros((FS, 1)))
    done = CliRunner().invoke(render, [str(source), "--like", str(silent)])
    assert done.exit_code != 0
    assert "silence" in str(done.exception)
    for more in (("--make", "warm"), ("--adapt", "0.5")):
        done = CliRunner().invoke(render, [str(source), "--like", str(reference), *more])
        assert isinstance(done.exception, UsageError)


def test_like_itself_changes_nothing(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", pink(2.0))
    out = tmp_path / "out.wav"
    _, said = run(tmp_path, source, "-o", out, "--like", source)
    assert "nothing to change" in said
    assert out.read_bytes() == source.read_bytes()


@pytest.mark.skipif(not MUSIC.is_dir(), reason=f"there is no music in {MUSIC}")
def test_music_is_rendered_towards_music(tmp_path: Path) -> None:
    files = sorted(MUSIC.rglob("*.ogg"), key=lambda path: path.stat().st_size)[6:12:3]
    reference, source = files
    out = tmp_path / "out.wav"
    content, _ = run(tmp_path, source, "-o", out, "--like", reference)
    assert content["files"][0]["like"]["recipe"]
    assert distance_db(reference, out) < distance_db(reference, source)
    assert content["files"][0]["verification"]["verdicts"]


def test_a_report_holds_both_balances_until_it_is_judged(tmp_path: Path) -> None:
    from semeq.engine.render import RenderJob, render_file

    source = write(tmp_path / "in.wav", pink(1.0))
    report = render_file(RenderJob(source, tmp_path / "out.wav"))
    assert report.verification is None
    told = verified(report, Recipe.parse("warm"), 0.0)
    assert told.verification is not None
    assert told.verification.verdicts == ()
    meter = Meter(FS, 1)
    meter.feed(pink(1.0))
    assert report.before.balance is not None
    ratio = report.before.balance.power.sum() / meter.balance().power.sum()
    assert ratio == pytest.approx(1.0, abs=1e-6)
