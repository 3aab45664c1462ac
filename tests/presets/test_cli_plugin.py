"""``semeq plugin`` as it is called: what is found, shown, tried, mapped and fitted, and what fails."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semeq.engine.cli import main
from semeq.engine.plugin_map import read_map
from semeq.engine.plugin_scan import files_in, standard_folders
from semeq.engine.settings import Kind

Vst3 = Callable[[str], Path]
Capture = pytest.CaptureFixture[str]


def call(capsys: Capture, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["plugin", *map(str, arguments)])
    said = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    return caught.value.code, said.out, said.err


def call_json(capsys: Capture, *arguments: object) -> Any:  # noqa: ANN401
    code, out, err = call(capsys, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture
def folder(vst3: Vst3, tmp_path: Path) -> Path:
    """A folder with good and broken plugins, one of them in a folder of its own."""
    for name, where in (("gain", "."), ("three_band", "eq"), ("crashes", "."), ("hangs", ".")):
        shutil.copytree(vst3(name), tmp_path / "vst3" / where / f"{name}.vst3")
    (tmp_path / "vst3" / "text.vst3").write_text("no plugin", encoding="utf-8")
    return tmp_path / "vst3"


def test_scan_lists_what_works_and_what_does_not(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # none of this user's own
    monkeypatch.setenv("VST3_PATH", str(folder))
    found = {Path(one["path"]).stem: one for one in call_json(capsys, "scan", "--timeout", "4")}
    assert {name: one["status"] for name, one in found.items()} == {
        "gain": "ok",
        "three_band": "ok",
        "crashes": "failed",
        "hangs": "failed",
        "text": "failed",
    }
    assert found["three_band"]["name"] == "3 Band EQ"
    assert found["three_band"]["vendor"] == "DISTRHO"
    assert found["three_band"]["kind"] == "Fx|EQ"
    assert "low_db" in {facts["name"] for facts in found["three_band"]["parameters"]}
    assert "crashed while it was loaded" in found["crashes"]["error"]
    assert "did not answer while it was loaded within 4 s" in found["hangs"]["error"]
    assert "is not a plugin" in found["text"]["error"]


def test_scan_of_nothing_says_where_it_looked(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("VST3_PATH", raising=False)
    if files_in(standard_folders()):
        pytest.skip("plugins are installed for all users of this machine")
    code, out, err = call(capsys, "scan")
    assert (code, out) == (0, "")
    assert "no plugins are in " in err
    assert str(tmp_path / ".vst3") in err
    code, _, err = call(capsys, "scan", tmp_path / "none")
    assert code == 2
    assert err == f"semeq: FOLDER must be there, got {tmp_path / 'none'}\n"


def test_show(vst3: Vst3, capsys: Capture) -> None:
    gain = vst3("gain")
    shown = call_json(capsys, "show", gain, "--set", "gain_db=-3", "--set", "Reported Delay=64")
    assert shown["latency_frames"] == 64
    values = {facts["name"]: facts["value"] for facts in shown["parameters"]}
    assert values["gain_db"] == pytest.approx(-3.0, abs=1e-4)
    code, out, _ = call(capsys, "show", gain)
    assert code == 0
    assert out.startswith("Test Gain 1.0.0 by semeq tests")
    assert "-60 to 24 dB" in out


@pytest.mark.parametrize(
    ("name", "settings", "fault"),
    [
        ("gain", ("reported_delay_frames=300",), ""),
        ("three_band", ("low_db=12", "high_db=-12"), ""),
        (
            "gain",
            ("reported_delay_frames=64", "hidden_delay_frames=100"),
            "it reports a latency of 64 frames, but is late by 164",
        ),
        ("rogue", ("hum=0.5",), "out of silence comes sound at -6 dBFS"),
        ("rogue", ("not_a_number=on",), "samples are no numbers"),
        ("rogue", ("sleep_ms=15",), "too slow for live use at 1024 frames"),
        ("gain", ("gain_db=-60",), ""),
    ],
)
def test_a_trial(
    vst3: Vst3, capsys: Capture, name: str, settings: tuple[str, ...], fault: str
) -> None:
    options = [part for setting in settings for part in ("--set", setting)]
    # blocks of 21 ms: what a busy machine adds to one is far from half of that
    command = ("test", vst3(name), "--blocksize", 1024, *options, "--json")
    code, out, _ = call(capsys, *command)
    trial = json.loads(out)
    assert trial["verdict"] == ("faulty" if fault else "fine"), trial
    assert code == (1 if fault else 0)
    assert any(fault in said for said in trial["faults"]) or not fault
    if name == "gain" and not fault:
        latency = trial["latency_frames"]
        assert latency["measured"] == latency["reported"]


def test_a_crash_on_trial_is_a_verdict_in_json_and_a_line_otherwise(
    vst3: Vst3, capsys: Capture
) -> None:
    rogue = vst3("rogue")
    code, out, err = call(capsys, "test", rogue, "--set", "crash=on", "--json")
    assert (code, err) == (1, "")
    assert "crashed at its work" in json.loads(out)["faults"][0]
    code, out, err = call(capsys, "test", rogue, "--set", "crash=on")
    assert (code, out) == (1, "")
    assert err.startswith("semeq: ")
    assert err.count("\n") == 1


def test_a_map_is_proposed_and_fits(vst3: Vst3, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "map.toml"
    code, out, err = call(capsys, "map", vst3("three_band"), "-o", file)
    assert (code, out) == (0, ""), err
    made = read_map(file)
    assert [(band.kind, band.gain) for band in made.bands] == [
        (Kind.LOW_SHELF, "low_db"),
        (Kind.PEAK, "mid_db"),
        (Kind.HIGH_SHELF, "high_db"),
    ]
    turned = {name for band in made.bands for _, name in band.roles()}
    assert {"low_mid_freq_hz", "mid_high_freq_hz"} < turned
    assert "master_db" not in turned
    assert "warm: within 0." in err
    fitted = call_json(capsys, "fit", file, "warm")
    # measured 0.38 and 0.89: three bands of first order for a curve of seven
    assert fitted["error_rms_db"] < 0.5
    assert fitted["error_max_db"] < 1.2
    assert len(fitted["freqs_hz"]) == len(fitted["got_db"]) == len(fitted["wanted_db"])
    code, out, _ = call(capsys, "fit", file, "warm", "-", "bright:0.3")
    assert code == 0
    assert out.startswith("3 Band EQ follows the curve within ")
    code, _, err = call(capsys, "map", vst3("three_band"), "-o", file)
    assert code == 2
    assert "must not exist: give --overwrite" in err


def test_a_map_of_our_own_equaliser_goes_to_standard_output(
    vst3: Vst3, tmp_path: Path, capsys: Capture
) -> None:
    code, out, err = call(capsys, "map", vst3("equaliser"))
    assert code == 0, err
    file = tmp_path / "map.toml"
    file.write_text(out, encoding="utf-8")
    first = read_map(file).bands[0]
    assert (first.gain, first.freq, first.q) == (
        "band_1_gain_db",
        "band_1_frequency_hz",
        "band_1_q",
    )
    assert len(read_map(file).bands) == 4


def test_what_is_no_equaliser_is_not_mapped(vst3: Vst3, capsys: Capture) -> None:
    code, out, err = call(capsys, "map", vst3("gain"))
    assert (code, out) == (1, "")
    assert "Test Gain must have gains in dB that change its response" in err.splitlines()[-1]


@pytest.mark.parametrize("text", ["gain", "=3"])
def test_settings_that_are_none(vst3: Vst3, capsys: Capture, text: str) -> None:
    code, _, err = call(capsys, "show", vst3("gain"), "--set", text)
    assert code == 2
    assert f"--set must be PARAMETER=VALUE, got {text!r}" in err
