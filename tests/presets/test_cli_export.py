"""``semeq export`` and ``semeq import`` as a user and a script meet them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import other_programs
import pytest
from scipy.io import wavfile

from semeq.engine.cli import main
from semeq.engine.design import response_db
from semeq.engine.exports import PROMISED_DB
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.report import timeline_entry
from semeq.engine.settings import EQSettings
from semeq.presets.library import load_vocabulary, shipped_vocabulary
from semeq.presets.personal import FOLDER_VARIABLE, personal_file

FREQS = np.geomspace(20.0, 16_000.0, 200)
PHONES = """Preamp: -6 dB
Filter 1: ON LSC Fc 105 Hz Gain 5.5 dB Q 0.70
Filter 2: ON PK Fc 2402 Hz Gain 5.7 dB Q 1.70
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own words out, and ours out of theirs."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    load_vocabulary.cache_clear()


def run(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    load_vocabulary.cache_clear()
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    return int(ended.value.code or 0), out, err


def meant(recipe: str) -> EQSettings:
    return interpret(Recipe.parse(recipe), shipped_vocabulary()).settings


def report(path: Path, *timelines: list[dict[str, Any]], fs: float = 44_100.0) -> Path:
    files = [
        {
            "input": f"song{n}.wav",
            "status": "done",
            "samplerate": fs,
            "duration_s": 10.0,
            "timeline": timeline,
        }
        for n, timeline in enumerate(timelines)
    ]
    content = {"recipe": "warm", "amount": 1.0, "files": files}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_recipe_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capfd, "export", "warm:0.5 - bright:0.2", "--to", "apo", "--fs", "44100")
    assert code == 0
    theirs = other_programs.equalizer_apo(out, 44_100.0, FREQS)
    preamp = float(out.split("Preamp: ")[1].split(" dB")[0])
    ours = response_db(meant("warm:0.5 - bright:0.2"), 44_100.0, FREQS)
    assert np.abs(theirs - preamp - ours).max() <= PROMISED_DB
    assert "for 44100 Hz: within 0.0" in err
    assert "preamp" in err
    assert all(line in out for line in err.splitlines())


def test_a_recipe_that_starts_with_a_minus(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capfd, "export", "-harsh", "--to", "camilladsp")
    assert code == 0
    assert other_programs.camilladsp(out, 48_000.0, FREQS).max() <= 1e-9


@pytest.mark.parametrize("channels", [1, 2])
def test_an_impulse_response(capfd: pytest.CaptureFixture[str], channels: int) -> None:
    code, out, err = run(
        capfd, "export", "bright", "--to", "wav-ir", "-o", "ir.wav", "--channels", str(channels)
    )
    assert (code, out) == (0, "")
    fs, frames = wavfile.read("ir.wav")
    assert (fs, frames.dtype) == (48_000, np.float32)
    one = frames if channels == 1 else frames[:, 1]
    waves = np.exp(-2j * np.pi * np.outer(FREQS / fs, np.arange(len(one))))
    level = 20.0 * np.log10(np.abs(waves @ one.astype(np.float64)))
    preamp = float(err.split("preamp ")[1].split(" dB")[0])
    assert np.abs(level - preamp - response_db(meant("bright"), fs, FREQS)).max() <= PROMISED_DB
    assert level.max() <= 1e-3


def test_json_is_that_of_curve(capfd: pytest.CaptureFixture[str]) -> None:
    _, exported, _ = run(capfd, "export", "warm", "--to", "json", "--fs", "44100")
    _, curve, _ = run(capfd, "curve", "warm", "--json", "--fs", "44100")
    assert json.loads(exported) == json.loads(curve)


def test_the_json_of_curve_comes_back(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, out, _ = run(capfd, "export", "warm", "--to", "json")
    path = tmp_path / "curve.json"
    path.write_text(out, encoding="utf-8")
    _, direct, _ = run(capfd, "export", "warm", "--to", "easyeffects")
    code, again, _ = run(capfd, "export", str(path), "--to", "easyeffects")
    assert (code, again) == (0, direct)


def test_a_preset_with_its_amount(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('make = "warm"\namount = 0.5\n', encoding="utf-8")
    _, preset, _ = run(capfd, "export", str(path), "--to", "easyeffects")
    _, recipe, _ = run(capfd, "export", "warm", "--amount", "0.5", "--to", "easyeffects")
    assert preset == recipe


def test_a_report(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = report(tmp_path / "r.json", [timeline_entry(0.0, meant("warm"), -1.0)])
    code, out, err = run(capfd, "export", str(path), "--to", "pipewire")
    assert code == 0
    assert "what song0.wav was rendered with (warm)" in err
    theirs = other_programs.pipewire(out, 44_100.0, FREQS)
    ours = response_db(meant("warm"), 44_100.0, FREQS)
    assert np.ptp(theirs - ours) <= 2.0 * PROMISED_DB


def test_a_timeline(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    entries = [timeline_entry(0.0, meant("warm"), 0.0), timeline_entry(2.5, meant("bright"), 0.0)]
    path = report(tmp_path / "r.json", entries, entries, fs=48_000.0)
    for at, word in (("0", "warm"), ("2.4", "warm"), ("2.5", "bright"), ("10", "bright")):
        _, out, err = run(capfd, "export", str(path), "--to", "easyeffects", "--at", at)
        _, direct, _ = run(capfd, "export", word, "--to", "easyeffects")
        assert out == direct
        assert f"at {at} s" in err
        assert "has 2 files: the first is taken" in err
    code, out, err = run(capfd, "export", str(path), "--to", "camilladsp")
    assert code == 0
    assert "the mean of 2 settings over 10.0 s is taken" in err
    mean = 0.25 * response_db(meant("warm"), 48_000.0, FREQS) + 0.75 * response_db(
        meant("bright"), 48_000.0, FREQS
    )
    said = float(err.split("met within ")[1].split(" dB")[0])
    theirs = other_programs.camilladsp(out, 48_000.0, FREQS)
    preamp = float(err.split("preamp ")[1].split(" dB")[0])
    assert np.abs(theirs - preamp - mean).max() <= said + PROMISED_DB
    assert said < 0.5


def test_what_is_there_stays(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "eq.txt"
    target.write_text("mine", encoding="utf-8")
    code, _, err = run(capfd, "export", "warm", "--to", "apo", "-o", str(target))
    assert (code, target.read_text(encoding="utf-8")) == (1, "mine")
    assert err.endswith("eq.txt exists: give --overwrite to replace it\n")
    code, _, _ = run(capfd, "export", "warm", "--to", "apo", "-o", str(target), "--overwrite")
    assert code == 0
    assert "Preamp" in target.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["eq.txt"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["xyzzy", "--to", "apo"], 1, "no one has taught us 'xyzzy'"),
        (["warm +", "--to", "apo"], 1, "there must be a word"),
        (["gone.json", "--to", "apo"], 1, "gone.json cannot be read: no such file or directory"),
        (["words.json", "--to", "apo"], 1, "must be a report of 'semeq render --report'"),
        (["text.json", "--to", "apo"], 1, "must be JSON"),
        (["empty.json", "--to", "apo"], 1, "must report a file that was rendered"),
        (["bad.json", "--to", "apo"], 1, "at 0 s, must hold seven bands"),
        (["text.txt", "--to", "apo"], 2, "'semeq import' reads other programs' equalisers"),
        (["warm", "--to", "apo", "--at", "3"], 2, "a recipe has none"),
        (["good.json", "--to", "apo", "--at", "11"], 2, "--at must be in [0, 10.000] s, got 11"),
        (["good.json", "--to", "apo", "-o", "good.json", "--overwrite"], 1, "choose another name"),
        (["warm", "--to", "apo", "--fs", "5"], 1, "fs must be in"),
        (["warm", "--to", "wav-ir"], 2, "needs -o FILE.wav"),
        (["warm", "--to", "apo", "--length", "9"], 2, "are for --to wav-ir"),
        (["warm", "--to", "wav-ir", "-o", "x.wav", "--length", "9"], 1, "length must be in"),
        (["warm", "--to", "apo", "-o", "no/folder/x"], 1, "cannot be written"),
        (["warm", "--to", "winamp"], 2, "winamp"),
        (["--warm", "--to", "apo"], 2, "No such option: --warm"),
        (["warm"], 2, "--to"),
    ],
)
def test_one_clear_line(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    report(tmp_path / "good.json", [timeline_entry(0.0, meant("warm"), 0.0)])
    report(tmp_path / "bad.json", [{"t_s": 0.0, "bands": [], "gain_db": 0.0}])
    (tmp_path / "empty.json").write_text('{"files": [{"status": "failed"}]}', encoding="utf-8")
    (tmp_path / "words.json").write_text('{"words": 3}', encoding="utf-8")
    for name in ("text.json", "text.txt"):
        (tmp_path / name).write_text("hello", encoding="utf-8")
    got, out, err = run(capfd, "export", *arguments)
    assert (got, out) == (code, "")
    assert message in err
    if code == 1:
        assert len(err.splitlines()) == 1
    assert not (tmp_path / "x.wav").exists()


def test_a_word_of_ones_own(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "phones.txt").write_text(PHONES, encoding="utf-8")
    code, out, err = run(capfd, "import", "phones.txt", "--as", "My  Phones")
    assert code == 0
    assert "low_shelf" in out
    assert "2 filters met within" in err
    assert "'my phones' is a word now" in err
    assert "the preamp of -6 dB is not part of the sound" in err
    _, curve, _ = run(capfd, "curve", '"my phones"', "--json")
    read = json.loads(curve)
    assert read["warnings"] == []
    theirs = other_programs.equalizer_apo(PHONES, 48_000.0, np.array(read["freqs_hz"])) + 6.0
    heard = np.array(read["freqs_hz"]) <= 16_000.0
    assert np.abs(np.array(read["response_db"]) - theirs)[heard].max() <= 0.1
    _, words, _ = run(capfd, "words", "--json")
    (entry,) = [one for one in json.loads(words) if one["word"] == "my phones"]
    assert entry["sources"] == {"yours": {"people": 1, "weight": 1.0}}
    _, table, _ = run(capfd, "words")
    assert "my phones" in table
    code, _, _ = run(capfd, "curve", "my phones:0.5 + warm")
    assert code == 0


def test_a_word_is_not_lost(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PHONES, encoding="utf-8")
    (tmp_path / "flat.txt").write_text("Filter: ON PK Fc 100 Hz Gain 0 dB Q 1", encoding="utf-8")
    assert run(capfd, "import", "a.txt", "--as", "one")[0] == 0
    before = personal_file().read_bytes()
    for name, arguments, message in (
        ("a.txt", ["--as", "one"], "you have a word 'one' already: give --overwrite"),
        ("a.txt", ["--as", "warm"], "must have a new name, got 'warm': people taught it"),
        ("a.txt", ["--as", "x" * 61], "a word must be a name of at most 60 characters"),
        ("a.txt", ["--as", 'a"b'], "without quotes"),
        ("flat.txt", ["--as", "nothing"], "a word must do something to the sound"),
        ("gone.txt", ["--as", "two"], "gone.txt cannot be read: no such file or directory"),
    ):
        code, out, err = run(capfd, "import", name, *arguments)
        assert (code, out, personal_file().read_bytes()) == (1, "", before)
        assert message in err
    assert run(capfd, "import", "a.txt", "--as", "two")[0] == 0
    assert run(capfd, "import", "a.txt", "--as", "one", "--overwrite")[0] == 0
    _, words, _ = run(capfd, "words", "--json")
    assert {"one", "two"} <= {entry["word"] for entry in json.loads(words)}
    personal_file().write_text("{", encoding="utf-8")
    code, _, err = run(capfd, "words")
    assert code == 1
    assert "repair the file or move it away" in err
    assert len(err.splitlines()) == 1


def test_a_curve_becomes_a_starting_equaliser(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "target.csv").write_text("frequency,raw\n20,4\n200,3\n2000,-1\n20000,-3\n")
    code, out, err = run(capfd, "import", "target.csv", "-o", "eq.json")
    assert code == 0
    assert out.count("peak") == 5
    assert "a curve met within" in err
    code, text, _ = run(capfd, "export", "eq.json", "--to", "apo")
    assert code == 0
    wanted = np.interp(np.log(FREQS), np.log([20, 200, 2000, 20_000]), [4.0, 3.0, -1.0, -3.0])
    miss = other_programs.equalizer_apo(text, 48_000.0, FREQS) - wanted
    assert np.ptp(miss) <= 1.0
    assert run(capfd, "import", "target.csv", "-o", "eq.json")[0] == 1
    assert run(capfd, "import", "target.csv", "-o", "eq.txt")[0] == 2


def test_text_of_windows(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "u16.txt").write_bytes(PHONES.encode("utf-16"))
    (tmp_path / "ansi.txt").write_bytes(("# Köln\r\n" + PHONES).encode("cp1252"))
    assert run(capfd, "import", "u16.txt")[1] == run(capfd, "import", "ansi.txt")[1]
    (tmp_path / "sound.wav").write_bytes(b"RIFF\0\0\0\xff\xffWAVE")
    code, _, err = run(capfd, "import", "sound.wav")
    assert (code, len(err.splitlines())) == (1, 1)
