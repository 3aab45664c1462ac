"""``semeq render`` where the sound has a say, as it is called."""

import json
from pathlib import Path

import numpy as np
import pytest
from sound_files import write_float

from semeq.engine.audiofile import AudioReader
from semeq.engine.cli import main
from semeq.engine.errors import UsageError
from semeq.engine.render import RenderJob, render_file
from semeq.engine.synth import demo_mix
from semeq.presets.adaption_options import read_trims

FS = 48_000


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as caught:
        main(["render", *map(str, arguments)])
    said = capsys.readouterr()
    assert said.out == ""
    assert isinstance(caught.value.code, int)
    return caught.value.code, said.err


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_float(tmp_path / "song.wav", (0.3 * demo_mix(FS, 3.0)).astype(np.float32), FS)


def report_of(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("look", ["causal", "ahead", "whole"])
def test_the_report_tells_how_the_sound_had_its_say(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], look: str
) -> None:
    path = tmp_path / "report.json"
    code, said = call(
        capsys, song, "--make", "warm", "--look", look, "--speed", 2, "--report", path
    )
    assert code == 0
    assert ("--look ahead" in said) == (look == "ahead")
    content = report_of(path)
    assert content["adapt"] == {"asked": 1.0, "used": 1.0}
    files = content["files"]
    assert isinstance(files, list)
    adaption = files[0]["adaption"]
    assert (adaption["look"], adaption["speed_s"]) == (look, 2.0)
    assert adaption["heard_share"] > 0.5
    times = [entry["t_s"] for entry in files[0]["timeline"]]
    assert times == sorted(times)
    assert (len(times) == 1) == (look == "whole")


def test_jobs_at_once_give_the_same(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = [tmp_path / f"{n}.wav" for n in range(3)]
    for other in others:
        other.write_bytes(song.read_bytes())
    out = tmp_path / "out"
    assert call(capsys, *others, "--make", "airy", "--out-dir", out, "--jobs", 2)[0] == 0
    assert call(capsys, song, "--make", "airy", "-o", tmp_path / "alone.wav")[0] == 0
    alone = (tmp_path / "alone.wav").read_bytes()
    assert [path.read_bytes() == alone for path in sorted(out.iterdir())] == [True] * 3


@pytest.mark.parametrize("suffix", [".csv", ".json", ".mid"])
@pytest.mark.parametrize("adapt", [0, 1])
def test_automation(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str, adapt: int
) -> None:
    path = tmp_path / f"eq{suffix}"
    options = ("--make", "warm", "--adapt", adapt, "--automation", path)
    assert call(capsys, song, *options)[0] == 0
    assert path.stat().st_size > 150
    if suffix == ".json":
        windows = report_of(path)["windows"]
        assert isinstance(windows, list)
        assert [row["t_s"] for row in windows] == [round(0.1 * n, 1) for n in range(30)]
        assert (len({row["band1_gain_db"] for row in windows}) > 3) == (adapt == 1)


def test_locks_trims_and_limits(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.json"
    limits = ("--lock", 2, "--lock", 4, "--trim", "4=-1.5", "--max-db", 3, "--slew", 6)
    for adapt in (0, 1):
        options = ("--make", "warm", "--adapt", adapt, "--report", path, "--overwrite")
        assert call(capsys, song, *options, *limits)[0] == 0
        files = report_of(path)["files"]
        assert isinstance(files, list)
        for entry in files[0]["timeline"]:
            gains = [band["gain_db"] for band in entry["bands"]]
            assert (gains[1], gains[3]) == (0.0, -1.5)
            assert max(map(abs, gains)) <= 3.0


def test_flat_is_a_copy(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in (("--amount", 0), tuple(x for n in range(1, 8) for x in ("--lock", n))):
        out = tmp_path / "out.wav"
        assert call(capsys, song, "--make", "warm", "-o", out, "--overwrite", *options)[0] == 0
        assert out.read_bytes() == song.read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--trim", "8=1"), "--trim must be a band"),
        (("--trim", "3"), "--trim must be a band"),
        (("--trim", "3=nan"), "--trim must be a band"),
        (("--trim", "3=99"), "--trim must be a band"),
        (("--automation", "eq.txt"), "--automation must name"),
        (("--max-db", "0"), "--max-db"),
        (("--lock", "0"), "--lock"),
        (("--look", "back"), "--look"),
    ],
)
def test_what_cannot_be_is_refused(
    song: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    code, error = call(capsys, song, "--make", "warm", *options)
    assert code == 2
    assert said in error
    assert not song.with_name("song.warm.wav").exists()


def test_automation_is_for_one_input(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = song.with_name("other.wav")
    other.write_bytes(song.read_bytes())
    code, error = call(capsys, song, other, "--make", "warm", "--automation", "eq.csv")
    assert (code, "single input" in error) == (2, True)


def test_trims_are_read() -> None:
    assert read_trims(("1=2", "7=-3.5")) == (2.0, 0.0, 0.0, 0.0, 0.0, 0.0, -3.5)
    with pytest.raises(UsageError):
        read_trims(("warm=2",))


def test_adaption_changes_what_is_heard(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for adapt in (0, 1):
        out = tmp_path / f"{adapt}.wav"
        assert call(capsys, song, "--make", "warm", "--adapt", adapt, "-o", out)[0] == 0
    one, two = (np.concatenate(list(AudioReader(tmp_path / f"{n}.wav").blocks())) for n in (0, 1))
    assert not np.allclose(one, two, atol=1e-3)
    levels = [
        render_file(RenderJob(tmp_path / f"{n}.wav", tmp_path / "x.wav", overwrite=True))
        for n in (0, 1)
    ]
    assert levels[0].before.loudness_lufs == pytest.approx(levels[1].before.loudness_lufs, abs=0.05)
