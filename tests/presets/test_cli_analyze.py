"""``semeq analyze`` as it is called: text, JSON, CSV, pictures, pages, folders, messages, exit codes."""

import csv
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sound_files import write_float

from semeq.engine.analysis_page import page
from semeq.engine.cli import main
from semeq.engine.synth import demo_mix

FS = 48_000
MIX = demo_mix(FS, 8.0)
CHROMIUM = next((p for n in ("chromium", "chromium-browser") if (p := shutil.which(n))), "")
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-sync", "--disable-background-networking", "--disable-component-update"),
    *("--virtual-time-budget=8000", "--window-size=1200,2000"),
]


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run ``semeq analyze`` here; return its exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as caught:
        main(["analyze", *map(str, arguments)])
    said = capsys.readouterr()
    code = caught.value.code
    assert isinstance(code, int)
    return code, said.out, said.err


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_float(tmp_path / "a <b> & song.wav", MIX, FS)


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:  # noqa: ANN401
    code, out, _ = call(capsys, *arguments, "--json")
    assert code == 0
    return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_json_holds_windows_and_the_whole(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = told(capsys, song, "--window", 2, "--hop", 0.5, "--make", "warm", "-m", "bright:0.5")
    assert [w["t_s"] for w in content["windows"]] == [0.5 * k for k in range(13)]
    first = content["windows"][0]
    assert {"t_s", "scores", "energy", "silent", "shares", "centroid_hz", "path"} <= set(first)
    assert set(first["scores"]) == {entry["word"] for entry in content["words"]}
    assert content["duration_s"] == 8.0
    assert [target["recipe"] for target in content["targets"]] == ["warm", "bright:0.5"]
    assert len(content["targets"][0]["overall"]["bands"]) == 7
    assert len(content["targets"][0]["sections"]) == len(content["sections"])
    # the whole is the energy-weighted mean of its windows
    energy = np.array([w["energy"] for w in content["windows"]])
    for word, score in content["overall"]["scores"].items():
        column = np.array([w["scores"][word] for w in content["windows"]])
        assert score == pytest.approx(float(energy @ column / energy.sum()), abs=2e-4)
        ends = content["overall"]["when"][word]
        assert ends["most"]["score"] == max(column)
        assert ends["least"]["score"] == min(column)


def test_csv_says_what_json_says(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = song.with_name("windows.csv")
    content = told(capsys, song, "--csv", target)
    rows = list(csv.DictReader(target.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(content["windows"])
    for row, window in zip(rows, content["windows"], strict=True):
        assert row["file"] == str(song)
        assert float(row["t_s"]) == window["t_s"]
        assert float(row["energy"]) == window["energy"]
        assert row["silent"] == str(window["silent"])
        for word, score in window["scores"].items():
            assert float(row[word]) == score
        for name, share in window["shares"].items():
            assert float(row[f"share {name}"]) == share


def test_text_is_for_people(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, song, "--make", "warm")
    assert (code, err) == (0, "")
    assert out.startswith(f"{song}: 0:08, 48 kHz, 2 ch, ")
    for text in ("On the whole: ", "most like:", "section", "EQ to make it warm", "high shelf"):
        assert text in out


def test_other_words(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = told(capsys, song, "--words", "Punchy, warm,warm")
    assert list(content["overall"]["scores"]) == ["punchy", "warm"]
    code, out, err = call(capsys, song, "--words", "warmer")
    assert (code, out) == (1, "")
    assert err == (
        "semeq: no one has taught us 'warmer': did you mean warm? 'semeq words' lists all words\n"
    )
    code, _, err = call(capsys, song, "--make", "wram")
    assert code == 1
    assert "did you mean warm" in err


def test_a_folder_and_a_file_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    album = tmp_path / "album"
    (album / "disc 1").mkdir(parents=True)
    write_float(album / "disc 1" / "one.wav", MIX[: 4 * FS], FS)
    write_float(album / "two.wav", MIX[4 * FS :], FS)
    (album / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEjunk")
    (album / "notes.txt").write_text("not a sound")
    outputs = [tmp_path / name for name in ("s.csv", "s.json", "all.html", "all.png", "w.csv")]
    options = ["--summary", outputs[0], "--html", outputs[2], "--plot", outputs[3]]
    options += ["--csv", outputs[4], "--make", "warm", "--json"]
    code, out, err = call(capsys, album, *options)
    assert code == 1
    content = json.loads(out)["files"]
    assert [Path(one["file"]).name for one in content] == ["broken.wav", "one.wav", "two.wav"]
    assert content[0]["status"] == "failed"
    lines = [line for line in err.splitlines() if "broken" in line]
    assert len(lines) == 1
    assert lines[0] == f"semeq: {content[0]['error']}"
    assert "2 analysed, 1 failed" in err
    rows = list(csv.DictReader(outputs[0].read_text(encoding="utf-8").splitlines()))
    assert [row["status"] for row in rows] == ["failed", "done", "done"]
    assert float(rows[1]["warm"]) == content[1]["overall"]["scores"]["warm"]
    assert float(rows[2]["dB rms to warm"]) > 0.0
    assert outputs[3].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    windows = list(csv.DictReader(outputs[4].read_text(encoding="utf-8").splitlines()))
    assert {Path(row["file"]).name for row in windows} == {"one.wav", "two.wav"}
    assert call(capsys, album / "two.wav", "--summary", outputs[1])[0] == 0
    assert json.loads(outputs[1].read_text(encoding="utf-8"))[0]["status"] == "done"
    alone = told(capsys, album / "disc 1" / "one.wav", "--make", "warm")
    assert alone == content[1]


def test_one_corrupt_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.flac"
    bad.write_bytes(b"fLaC" + bytes(200))
    code, out, err = call(capsys, bad, "--json", "--html", tmp_path / "out.html")
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert err.startswith(f"semeq: {bad}")
    assert not (tmp_path / "out.html").exists()


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_pictures(song: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    target = song.with_name(f"out{suffix}")
    assert call(capsys, song, "--plot", target)[0] == 0
    head = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert target.read_bytes().startswith(head)
    if suffix == ".png":
        from matplotlib.image import imread

        image = imread(target)
        assert image.shape[0] > 1000
        # something is drawn: lines, cells and dots in many colours
        assert len(np.unique((image[::3, ::3, :3] * 15).round().reshape(-1, 3), axis=0)) > 40


def test_silence_and_a_single_window_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, sound in (("silence", np.zeros((FS, 1), np.float32)), ("short", MIX[FS : FS + 9000])):
        source = write_float(tmp_path / f"{name}.wav", sound, FS)
        target = tmp_path / f"{name}.png"
        code, out, _ = call(capsys, source, "--plot", target, "--html", tmp_path / f"{name}.html")
        assert code == 0
        assert target.exists()
        assert name != "silence" or "silence" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--plot", "x.jpg"], "a picture must end in .png, .svg, .pdf, got x.jpg"),
        (["--summary", "x.txt"], "--summary must end in .csv or .json, got x.txt"),
        (["--html", "nowhere/x.html"], "--html must name a file in a folder that exists"),
        (["--html", "x.out", "--csv", "x.out"], "must be two files"),
    ],
)
def test_usage(
    song: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    code, out, err = call(capsys, song, *options)
    assert (code, out) == (2, "")
    assert said in err


def test_no_output_replaces_a_sound(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = song.read_bytes()
    assert call(capsys, song, "--csv", song)[0] == 2
    assert song.read_bytes() == before


def test_windows_that_cannot_be(song: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, song, "--hop", 5)
    assert code == 1
    assert err.startswith("semeq: hop must be in [0.1, window = 3] s, got 5")


def test_damaged_samples_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = MIX.copy()
    bad[5000:5003] = np.nan
    source = write_float(tmp_path / "nan.wav", bad, FS)
    code, _, err = call(capsys, source)
    assert code == 0
    assert err.count("\n") == 1
    assert "6 damaged samples" in err


def test_the_page_needs_nothing_and_cannot_be_broken_into(
    song: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = told(capsys, song)
    for outside in ("https:", "src=", "@import", "<link", "fetch(", "url("):
        text = page([content]).replace("http://www.w3.org/2000/svg", "")
        assert outside not in text, outside
    content["file"] = "</script><script>alert(1)</script><img src=x onerror=alert(1)>.wav"
    text = page([content])
    assert text.count("</script>") == 2
    assert "<img" not in text


def dom(tmp_path: Path, text: str, script: str) -> str:
    """Return what a browser made of a page after a script ran in it."""
    target = tmp_path / "page.html"
    check = (
        "<script>window.onerror = message => document.body.dataset.error = message;</script>",
        # Not before the page has drawn itself: on a busy machine frames come late.
        f"<script>const checked = left => document.querySelector('[data-line]') || left === 0 ?"
        f" (() => {{ {script} }})() : setTimeout(() => checked(left - 1), 100);"
        " setTimeout(() => checked(50), 500);</script></body>",
    )
    target.write_text(
        text.replace("<body>", "<body>" + check[0]).replace("</body>", check[1]), encoding="utf-8"
    )
    command = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run(
        [*command, target.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


@pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium")
def test_a_browser_draws_the_page_and_words_toggle(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = told(capsys, song, "--make", "warm")
    script = """
    const lines = () => [...document.querySelectorAll("[data-line]")].map(line => line.dataset.line).join();
    const said = {before: lines()};
    const chip = document.querySelector('#words [data-word="warm"]');
    chip.click(); said.once = lines(); said.pressed = chip.getAttribute("aria-pressed");
    chip.click(); said.twice = lines();
    const svg = document.querySelector("#words svg"), box = svg.getBoundingClientRect();
    svg.dispatchEvent(new PointerEvent("pointermove", {clientX: box.x + box.width / 2, clientY: box.y + 50}));
    const tip = document.querySelector("#words .tip");
    said.tip = tip.hidden ? "" : tip.textContent;
    said.regions = document.querySelectorAll("[data-region]").length;
    said.dots = document.querySelectorAll("#path circle").length;
    said.bands = document.querySelectorAll(".target tbody tr").length;
    said.title = document.title + " / " + document.querySelector("h1").textContent;
    document.body.dataset.said = JSON.stringify(said);
    """
    out = dom(tmp_path, page([content]), script)
    assert "data-error" not in out
    said = json.loads(
        out.split('data-said="')[1].split('"')[0].replace("&quot;", '"').replace("&amp;", "&")
    )
    before, once = (set(said[key].split(",")) for key in ("before", "once"))
    assert len(before) == 6
    assert before ^ once == {"warm"}
    assert said["twice"] == said["before"]
    assert said["pressed"] == str("warm" not in before).lower()
    assert "section 1" in said["tip"]
    assert "dBFS" in said["tip"]
    assert said["regions"] == 7
    assert said["dots"] == len(content["windows"]) + 1
    assert said["bands"] == 7
    assert song.name in said["title"].replace("&lt;", "<").replace("&gt;", ">")


@pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium")
def test_a_browser_goes_from_file_to_file(
    song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = told(capsys, song), told(capsys, song)
    one["file"], two["file"] = "one.wav", "two.wav"
    failed = {"file": "three.wav", "status": "failed", "error": "three.wav is no sound"}
    script = """
    const rows = document.querySelectorAll("#files tr.pick");
    const name = () => document.querySelectorAll("h1")[1].textContent;
    const said = [rows.length, name()];
    rows[1].click(); said.push(name());
    said.push(document.querySelector("#files .warn").textContent);
    document.body.dataset.said = said.join("|");
    """
    out = dom(tmp_path, page([one, two, failed]), script)
    assert "data-error" not in out
    assert 'data-said="2|one.wav|two.wav|three.wav is no sound"' in out
