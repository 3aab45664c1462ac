"""``semeq render --insert`` as it is called: what is set where, and messages before any file is touched."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sound_files import noise, write_float

from semeq.engine.audiofile import AudioReader
from semeq.engine.cli import main
from semeq.engine.errors import UsageError
from semeq.engine.inserts import Place
from semeq.presets.insert_options import read_inserts

Vst3 = Callable[[str], Path]
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
    return write_float(tmp_path / "song.wav", noise(FS // 2, 2, 0.05))


def test_inserts_and_their_settings_arrive(
    vst3: Vst3, song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gain, report, state = vst3("gain"), tmp_path / "r.json", tmp_path / "gain.state"
    head = (song, "--make", "warm", "--amount", "0", "-o", tmp_path / "out.wav", "--overwrite")
    code, said = call(
        capsys,
        *(*head, "--insert", f"pre:{gain}", "--insert", f"post:{gain}", "--report", report),
        *("--set", "1.gain_db=-12", "--set", "2.gain_db=6 dB", "--set", "2.Reported Delay=100"),
        *("--save-state", f"2={state}"),
    )
    assert code == 0, said
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    assert [(note["place"], note["latency_frames"]) for note in files[0]["inserts"]] == [
        ("pre", 0),
        ("post", 100),
    ]
    before, after = (
        np.concatenate(list(AudioReader(path).blocks())) for path in (song, tmp_path / "out.wav")
    )
    assert after == pytest.approx(before * 10.0 ** (-6.0 / 20.0), abs=1e-6)
    code, said = call(capsys, *head, "--insert", f"post:{gain}", "--state", f"gain={state}")
    assert code == 0, said
    after = np.concatenate(list(AudioReader(tmp_path / "out.wav").blocks()))
    assert after == pytest.approx(before * 10.0 ** (6.0 / 20.0), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "extra", "said"),
    [
        ("crashes", (), "crashed while it was loaded"),
        ("no_factory", (), "is not a plugin that can be loaded here"),
        ("gain", ("--set", "gain.gane=3"), "has no parameter 'gane': did you mean gain_db?"),
        ("gain", ("--set", "gain.gain_db=77"), "gain_db must be in -60 to 24 dB, got '77'"),
        ("gain", ("--state", "gain=/nowhere.json"), "/nowhere.json cannot be read"),
    ],
)
def test_a_plugin_that_fails_is_one_line_and_no_output(
    vst3: Vst3,
    song: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    extra: tuple[str, ...],
    said: str,
) -> None:
    insert = ("--insert", f"post:{vst3(name)}")
    code, err = call(capsys, song, "--make", "warm", "--adapt", "0", *insert, *extra)
    assert code == 1
    assert err.startswith("semeq: ")
    assert said in err
    assert err.count("\n") == 1
    assert list(song.parent.iterdir()) == [song]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((["x.vst3"], [], []), "--insert must be pre:PATH or post:PATH, got 'x.vst3'"),
        ((["mid:x.vst3"], [], []), "--insert must be pre:PATH or post:PATH"),
        ((["pre:x.vst3"], ["gain=3"], []), r"--set must be PLUGIN.PARAMETER=VALUE, got 'gain=3'"),
        ((["pre:x.vst3"], ["y.gain=3"], []), r"--set must name an insert, got 'y': .*1 \(x\)"),
        ((["pre:x.vst3", "post:x.vst3"], ["x.g=3"], []), "'x' is more than one insert: say 1 or 2"),
        (([], ["x.gain=3"], []), "--set must name an insert, got 'x': there are none"),
        ((["pre:x.vst3"], [], ["x"]), "--state must be PLUGIN=FILE, got 'x'"),
    ],
)
def test_calls_that_cannot_be_understood(
    options: tuple[list[str], list[str], list[str]], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        read_inserts(*options)


def test_names_may_hold_dots() -> None:
    (insert,) = read_inserts(["pre:/a/EQ 2.1.vst3"], ["eq 2.1.Band 1.gain=3=4"], [])
    assert insert.place is Place.PRE
    assert insert.values == (("Band 1.gain", "3=4"),)
