"""``semeq render`` as it is called: files, messages, exit codes, reports."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from between_samples import as_converted, as_metered
from click.testing import CliRunner
from sound_files import noise, to_pcm, write_float, write_pcm

from semeq.engine.audiofile import AudioReader
from semeq.engine.cli import main
from semeq.engine.design import design
from semeq.engine.errors import DataError
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.render import RenderJob, render_file, warm_up
from semeq.engine.render_adaptive import Adaption
from semeq.engine.report import RenderReport
from semeq.engine.take_file import end_line, event_line, header_line
from semeq.engine.timeline import ControlSet, Event, Take, replay
from semeq.presets import batch
from semeq.presets.batch import Outcome
from semeq.presets.library import load_vocabulary

FS = 48_000


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Run ``semeq render`` here; return its exit code and what it said on standard error."""
    with pytest.raises(SystemExit) as caught:
        main(["render", *map(str, arguments)])
    said = capsys.readouterr()
    assert said.out == ""
    code = caught.value.code
    assert isinstance(code, int)
    return code, said.err


def read(path: Path) -> np.ndarray[Any, Any]:
    return np.concatenate(list(AudioReader(path).blocks()))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_pcm(tmp_path / "song.wav", to_pcm(noise(FS, 2, 0.05), 24), 24)


#: No point of the waveform of an output is above its ceiling by more than this.
TRUE_PEAK_TOLERANCE_DB = 0.1


@pytest.mark.parametrize("fs", [44_100, 96_000])
def test_true_peaks_of_what_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fs: int
) -> None:
    """Bursts whose samples miss their crests, made *bright*, in levels from next to the ceiling to beyond."""
    n = np.arange(2 * fs)
    bursts = np.abs(np.sin(np.pi * 20.0 * n / fs)) ** 8
    tones = sum(np.sin(2.0 * np.pi * share * n + np.pi / 4.0) for share in (1 / 3, 1 / 4, 1 / 8))
    x = 0.3 * bursts * tones
    for level in (0.8, 0.95, 1.2):
        source = write_float(tmp_path / "in.wav", (level * x)[:, None].astype(np.float32), fs)
        code, said = call(capsys, source, "--make", "bright", "--adapt", "0", "--overwrite")
        assert code == 0, said
        y = read(tmp_path / "in.bright.wav")
        before, after = (max(as_converted(z), as_metered(z)) for z in (level * x[:, None], y))
        ceiling = max(before, 10.0 ** (-1.0 / 20.0))
        assert 20.0 * np.log10(after / ceiling) <= TRUE_PEAK_TOLERANCE_DB


def test_one_file(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = call(capsys, song, "--make", "warm", "--adapt", "0")
    assert code == 0
    target = song.with_name("song.warm.wav")
    settings = interpret(Recipe.parse("warm"), load_vocabulary()).settings
    render_file(RenderJob(song, song.with_name("expected.wav"), settings))
    assert np.array_equal(read(target), read(song.with_name("expected.wav")))
    assert said.splitlines()[-1].startswith(f"{song} → {target}: 1.0 s, ")
    assert "LUFS" in said


@pytest.mark.parametrize("fs", [44_100, 96_000])
def test_the_bands_are_the_same_at_every_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fs: int
) -> None:
    source = write_float(tmp_path / "in.wav", noise(fs // 2, 1, 0.05), fs)
    report = tmp_path / "report.json"
    assert call(capsys, source, "--make", "bright", "--report", report)[0] == 0
    (one,) = json.loads(report.read_text(encoding="utf-8"))["files"]
    settings = interpret(Recipe.parse("bright"), load_vocabulary()).settings
    assert one["timeline"][0]["bands"] == settings.as_dicts()


def test_the_cookbook_design_can_be_asked_for(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(capsys, song, "--make", "bright", "--design", "rbj", "--adapt", "0")[0] == 0
    settings = interpret(Recipe.parse("bright"), load_vocabulary()).settings
    wanted, other = song.with_name("wanted.wav"), song.with_name("other.wav")
    render_file(RenderJob(song, wanted, settings, design="rbj"))
    render_file(RenderJob(song, other, settings))
    found = read(song.with_name("song.bright.wav"))
    assert np.array_equal(found, read(wanted))
    assert not np.array_equal(found, read(other))


def test_the_report(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    missing = tmp_path / "no.wav"
    options = ["--out-dir", tmp_path / "out", "--amount", "0.5", "--report", report, "--jobs", "1"]
    code, _ = call(capsys, song, missing, "--make", "warm - bright:0.2", *options)
    assert code == 1
    content = json.loads(report.read_text(encoding="utf-8"))
    assert content["recipe"] == "warm - bright:0.2"
    assert content["amount"] == 0.5
    assert content["adapt"] == {"asked": 1.0, "used": 1.0}
    assert content["warnings"] == []
    assert set(content["versions"]) >= {"semeq", "pedalboard", "numba", "numpy", "python"}
    done, failed = content["files"]
    assert done["status"] == "done"
    assert done["output"] == str(tmp_path / "out" / "song.wav")
    assert len(done["timeline"][0]["bands"]) == 7
    assert done["in"]["loudness_lufs"] == pytest.approx(done["out"]["loudness_lufs"], abs=0.05)
    assert failed == {
        "input": str(missing),
        "output": str(tmp_path / "out" / "no.wav"),
        "status": "failed",
        "error": f"{missing} cannot be read: no such file or directory",
    }


def test_without_an_encoder_one_line_says_so(
    song: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semeq.presets.cli_render.why_deaf", lambda: "onnxruntime is not here")
    report = song.with_name("report.json")
    code, said = call(capsys, song, "--make", "warm", "--report", report)
    assert code == 0
    lines = [line for line in said.splitlines() if "onnxruntime" in line]
    assert len(lines) == 1
    assert lines[0].startswith("warning: the words' typical move is made, since nothing")
    head = json.loads(report.read_text(encoding="utf-8"))
    assert head["adapt"] == {"asked": 1.0, "used": 0.0, "why": "onnxruntime is not here"}
    found = read(song.with_name("song.warm.wav"))
    assert call(capsys, song, "--make", "warm", "--adapt", "0", "--overwrite")[0] == 0
    assert np.array_equal(found, read(song.with_name("song.warm.wav")))
    quiet = call(capsys, song, "--make", "warm", "--adapt", "0", "--overwrite")[1]
    assert "onnxruntime" not in quiet


def test_a_damaged_model_is_one_warning_and_the_typical_move(
    song: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged() -> None:
        raise DataError("network.onnx must be semeq's encoder, got rubbish")

    monkeypatch.setattr(batch, "load_shipped_model", damaged)
    code, said = call(capsys, song, "--make", "warm")
    assert code == 0
    assert sum("rubbish" in line for line in said.splitlines()) == 1


def test_what_the_words_warn_of_is_said_once(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = song.with_name("other.wav")
    other.write_bytes(song.read_bytes())
    code, said = call(capsys, song, other, "--make", "warm + bright", "--jobs", "1")
    assert code == 0
    assert sum("cancel" in line for line in said.splitlines()) == 1


def test_amount_0_is_a_copy(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = call(capsys, song, "--make", "warm", "--amount", "0")
    assert code == 0
    assert song.with_name("song.warm@0.wav").read_bytes() == song.read_bytes()


def test_a_preset(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, song, "--preset", "late night")[0] == 0
    assert song.with_name("song.late_night.wav").exists()
    mine = song.with_name("mine.toml")
    mine.write_text('make = "warm"\namount = 0.5\n', encoding="utf-8")
    assert call(capsys, song, "--preset", mine)[0] == 0
    call(capsys, song, "--make", "warm", "--amount", "0.5", "-o", song.with_name("half.wav"))
    expected = song.with_name("half.wav").read_bytes()
    assert song.with_name("song.mine.wav").read_bytes() == expected


def test_existing_outputs_are_kept_unless_told(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = song.with_name("out.wav")
    target.write_bytes(b"old")
    code, said = call(capsys, song, "--make", "warm", "-o", target)
    assert (code, said) == (1, f"semeq: {target} exists: give --overwrite to replace it\n")
    assert target.read_bytes() == b"old"
    assert call(capsys, song, "--make", "warm", "-o", target, "--overwrite")[0] == 0
    assert len(read(target)) == FS


def test_inputs_are_never_replaced(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = song.read_bytes()
    other = tmp_path / "sub" / "song.wav"
    other.parent.mkdir()
    other.symlink_to(song)
    for options in (["-o", song], ["--out-dir", tmp_path], ["-o", other]):
        code, said = call(capsys, song, "--make", "warm", "--overwrite", *options)
        assert code == 1
        assert "is the input" in said
    # nor is another input of the same call
    second = write_float(tmp_path / "second.wav", noise(100))
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "second.wav").symlink_to(song)
    code, said = call(capsys, song, second, "--make", "warm", "--overwrite", "-d", folder)
    assert code == 1
    assert song.read_bytes() == before
    assert "1 rendered, 1 failed" in said


def test_a_failure_does_not_stop_the_rest(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "empty.wav").touch()
    last = write_float(tmp_path / "last.wav", noise(1000))
    sources = [tmp_path / "text.wav", tmp_path / "empty.wav", tmp_path, song, last]
    code, said = call(capsys, *sources, "--make", "warm", "-d", tmp_path / "out", "-j", "1")
    assert code == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["last.wav", "song.wav"]
    lines = said.splitlines()
    assert sum(line.startswith("semeq: ") for line in lines) == 3
    assert lines[-1] == "2 rendered, 3 failed"
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["song.wav"], 2, "give one of --make, --preset, --like and --replay, got none"),
        (["song.wav", "--make", "warm", "--preset", "late night"], 2, "got --make and --preset"),
        (["--make", "warm"], 2, "Missing argument 'IN...'"),
        (["song.wav", "--make", "warm", "--jobs", "0"], 2, "--jobs"),
        (["song.wav", "--make", "warm", "--adapt", "2"], 2, "--adapt"),
        (["song.wav", "--make", "warm", "--amount", "nan"], 1, "amount"),
        (["song.wav", "--make", "warm", "--frobnicate"], 2, "No such option"),
        (["song.wav", "a.wav", "--make", "warm", "-o", "b.wav"], 2, "-o names one file"),
        (["a/x.wav", "b/x.wav", "--make", "warm", "-d", "out"], 2, "would both become"),
        (["-", "--make", "warm"], 2, "name a file instead of -"),
        (["song.wav", "--make", "warm", "-o", "-"], 2, "name a file instead of -"),
        (["song.wav", "--make", "warm", "-o", "."], 2, "use --out-dir"),
        (["song.wav", "--make", "warm", "--report", "no/r.json"], 2, "--report must name a file"),
        (["song.wav", "--make", "warm", "--report", "song.wav"], 2, "--report must not be"),
        (
            ["song.wav", "--make", "warm", "-o", "x.wav", "--report", "x.wav"],
            2,
            "--report must not",
        ),
        (["song.wav", "--make", "wram"], 1, "did you mean warm"),
        (["song.wav", "--make", "warm:"], 1, "there must be a number"),
        (["song.wav", "--preset", "nonsense"], 2, "there is no preset 'nonsense'"),
        (["song.wav", "--make", "warm", "-o", "x.xyz"], 1, "must end in one of"),
        (["song.wav", "--make", "warm", "-o", "x.opus"], 1, "Opus cannot be written"),
        (["song.wav", "--make", "warm", "-o", "no/x.wav"], 1, "cannot be written: no such file"),
        (["song.wav", "--make", "warm", "-o", "/proc/x.wav"], 1, "cannot be written: "),
        (["song.wav", "--make", "warm", "-d", "/proc/x"], 2, "--out-dir /proc/x cannot be made"),
        (["no.wav", "--make", "warm"], 1, "no.wav cannot be read: no such file"),
        (["song.wav", "--replay", "no.log"], 1, "no.log"),
    ],
)
def test_mistakes(
    song: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(song.parent)
    before = sorted(path.name for path in song.parent.iterdir())
    got, message = call(capsys, *arguments)
    assert got == code
    assert said in message
    assert "Traceback" not in message
    if code == 1:
        assert len([line for line in message.splitlines() if line.startswith("semeq: ")]) == 1
    assert sorted(path.name for path in song.parent.iterdir()) == before


def test_help_says_what_one_needs() -> None:
    from semeq.presets.cli_render import render

    said = CliRunner().invoke(render, ["--help"]).output
    for word in ("--make", "song.warm.wav", "--overwrite", "late night", "exit code is then 1"):
        assert word in said


def test_several_processes_give_the_same_files(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [song]
    for n in range(3):
        sources.append(write_float(tmp_path / f"more{n}.wav", noise(20_000, 1 + n, 0.05, seed=n)))
    (tmp_path / "bad.wav").write_text("x")
    sources.insert(1, tmp_path / "bad.wav")
    for jobs in (1, 2):
        report = tmp_path / f"{jobs}.json"
        out = tmp_path / f"out{jobs}"
        code, said = call(
            capsys, *sources, "--make", "warm", "-d", out, "-j", jobs, "--report", report
        )
        assert code == 1
        assert said.endswith("4 rendered, 1 failed\n")
        # the report keeps the order of the call, whoever was ready first
        files = json.loads(report.read_text(encoding="utf-8"))["files"]
        assert [one["input"] for one in files] == list(map(str, sources))
    for path in (tmp_path / "out1").iterdir():
        assert path.read_bytes() == (tmp_path / "out2" / path.name).read_bytes()


def fulfil_or_die(request: batch.Request, progress: batch.Progress) -> RenderReport | str:
    if request.job.source.name == "song.wav":
        request.job.target.with_name(f".song.semeq-part-{request.job.token}.wav").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return batch.fulfil(request, progress)


def test_a_worker_that_dies_is_one_failed_file(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "fulfil", fulfil_or_die)
    others = [write_float(tmp_path / f"{n}.wav", noise(1000)) for n in range(3)]
    out = tmp_path / "out"
    out.mkdir()
    sources = [song, *others]
    requests = batch.make_requests(
        sources,
        [out / path.name for path in sources],
        Adaption(Recipe.parse("warm")),
        overwrite=False,
    )
    outcomes: dict[int, Outcome] = dict(batch.run(requests, 2, lambda n, share: None))
    assert outcomes[0].error == f"{song} failed: its process was ended by SIGKILL"
    assert [outcomes[n].error for n in (1, 2, 3)] == ["", "", ""]
    assert sorted(path.name for path in out.iterdir()) == ["0.wav", "1.wav", "2.wav"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("jobs", [1, 2])
def test_stopping_leaves_nothing_half_done(tmp_path: Path, jobs: int, number: int) -> None:
    sources = [write_float(tmp_path / f"{n}.wav", noise(60 * FS, 2, 0.05)) for n in range(2)]
    out = tmp_path / "out"
    command = [str(Path(sys.executable).with_name("semeq")), "render", *map(str, sources)]
    command += ["--make", "warm", "-d", str(out), "--jobs", str(jobs)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30.0
        while time.monotonic() < until and not (out.is_dir() and list(out.glob(".*part*"))):
            time.sleep(0.01)
        process.send_signal(number)
        if number == signal.SIGTERM:  # whoever ends a whole group may ask twice
            time.sleep(0.05)
            process.send_signal(number)
        _, said = process.communicate(timeout=20.0)
    assert process.returncode == (130 if number == signal.SIGINT else 143)
    assert "Traceback" not in said
    finished = {path.name for path in out.iterdir()}
    assert finished <= {"0.wav", "1.wav"}
    assert len(finished) < 2


def test_a_log_is_replayed(song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = read(song)
    settings = interpret(Recipe.parse("warm"), load_vocabulary()).settings
    take = Take(FS, 2, 0, None, (Event(0, ControlSet(design(settings, FS), 0)),), 0, len(x))
    log = tmp_path / "take.log"
    lines = [header_line(take), *map(event_line, take.events), end_line(len(x), 0)]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = write_float(tmp_path / "live.wav", x)
    code, said = call(capsys, source, "--replay", log)
    assert code == 0, said
    expected = np.concatenate(list(replay(take, [x], start=0)))
    assert np.array_equal(read(tmp_path / "live.replay.wav"), expected)


def test_compiling_is_announced_only_when_it_is_needed(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warm_up()
    assert not batch.needs_compiling()
    assert "compiling the audio" not in call(capsys, song, "--make", "warm")[1]


def test_values_are_frozen(song: Path) -> None:
    (request,) = batch.make_requests([song], [song], Adaption(Recipe()), overwrite=False)
    other = Adaption(Recipe(), 2.0)
    assert replace(request, adaption=other).adaption == other
    with pytest.raises(AttributeError):
        request.adaption = other  # type: ignore[misc]  # that is the point
