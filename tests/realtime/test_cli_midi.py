import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from jack_server import JackServer
from midi_sender import MidiSender

from semeq.engine import cli
from semeq.presets.midi_maps import load_map

SEMEQ = [sys.executable, "-c", "from semeq.engine.cli import main; main()"]


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "semeq" / "midi"


@pytest.fixture
def no_jack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "semeq-none")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")


def semeq(*arguments: str) -> tuple[int, str, str]:
    """Run the command in a process of its own, as a person does."""
    done = subprocess.run([*SEMEQ, "midi", *arguments], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def running(*arguments: str) -> "subprocess.Popen[str]":
    """Start the command; a context manager."""
    return subprocess.Popen(
        [*SEMEQ, "midi", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def quick(*arguments: str) -> tuple[int, str, str]:
    """Run the command in this process."""
    result = CliRunner().invoke(cli.semeq, ["midi", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return 1, result.stdout, str(result.exception)
    return result.exit_code, result.stdout, result.stderr


def test_maps() -> None:
    code, out, err = quick("maps")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["14bit", "default", "relative"]
    assert "your own maps belong in" in err
    listed = json.loads(quick("maps", "--json")[1])
    assert [(m["name"], m["origin"]) for m in listed][1] == ("default", "factory")
    assert listed[1]["words"][:2] == ["warm", "bright"]


def test_a_broken_map_of_the_users_is_listed_as_such(config: Path) -> None:
    config.mkdir(parents=True)
    (config / "mine.toml").write_text("schema = 9")
    code, out, _ = quick("maps")
    assert code == 0
    assert "mine         user     " in out
    assert "schema must be 1, got 9" in out


def test_show() -> None:
    code, out, err = quick("show", "default")
    assert (code, err) == (0, "")
    assert "CC  20  warm        -1 to 1" in out
    assert "CC  80  bypass      toggle" in out
    listed = json.loads(quick("show", "relative", "--json")[1])
    assert listed["bindings"][0] == {
        "cc": 20, "control": "word", "word": "warm", "channel": None, "encoding": "relative-twos",
        "min": -1.0, "max": 1.0, "curve": "linear", "detent": 0.0, "takeover": "pickup", "step": 0.02,
    }  # fmt: skip


def test_a_shown_file_is_the_file(tmp_path: Path) -> None:
    out = quick("show", "14bit", "--toml")[1]
    (tmp_path / "copy.toml").write_text(out)
    assert load_map(str(tmp_path / "copy.toml")).bindings == load_map("14bit").bindings
    code, _, err = quick("show", "14bit", "--toml", "--json")
    assert (code, err) == (1, "--json and --toml must not come together")


def test_check(tmp_path: Path) -> None:
    good, odd, bad = (tmp_path / f"{name}.toml" for name in ("good", "odd", "bad"))
    good.write_text('schema = 1\n[[bind]]\ncc = 20\nword = "warm"\n')
    odd.write_text('schema = 1\n[[bind]]\ncc = 20\nword = "wram"\n')
    bad.write_text('schema = 1\n[[bind]]\ncc = 200\nword = "warm"\n')
    assert quick("check", str(good)) == (0, f"{good}: fine, 1 bindings\n", "")
    code, out, err = quick("check", str(odd))
    assert (code, out) == (0, f"{odd}: fine, 1 bindings\n")
    assert err.startswith(f"semeq: {odd}: no one has taught us 'wram': did you mean warm?")
    code, out, err = semeq("check", str(good), str(bad))
    assert (code, out) == (1, f"{good}: fine, 1 bindings\n")
    assert err.splitlines() == [
        f"semeq: {bad}:3: cc must be in [0, 127], got 200",
        "semeq: 1 of 2 maps cannot be used",
    ]
    code, out, _ = quick("check", "--json", str(good), str(bad))
    assert code == 1
    assert [finding["ok"] for finding in json.loads(out)] == [True, False]


@pytest.mark.usefixtures("no_jack")
def test_without_any_midi() -> None:
    if os.path.exists("/dev/snd/seq"):
        pytest.skip("this machine has an ALSA sequencer")
    code, out, err = semeq("ports", "--json")
    assert code == 0
    assert json.loads(out) == {
        "ports": [],
        "missing": [
            "ALSA: no sequencer on this machine (kernel module snd-seq)",
            "JACK: no JACK server is running",
        ],
    }
    assert len(err.splitlines()) == 2
    code, out, err = semeq("monitor", "--duration", "0.1")
    assert (code, out) == (0, "")
    assert err.startswith("semeq: no MIDI here: ALSA: no sequencer")
    code, out, err = semeq("learn", "warm", "--timeout", "0.1")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == (
        "semeq: no controller was moved for warm within 0.1 s: 'semeq midi monitor' shows what comes in"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "nothing"], "no MIDI map is called 'nothing': there are 14bit, default, relative"),
        (["monitor", "--api", "x"], "MIDI system must be one of "),
        (["ports", "--api", "x"], "MIDI system must be one of "),
        (["learn", "wram"], "no one has taught us 'wram': did you mean warm?"),
        (["learn", "warm", "--map", "dir/file.txt"], "a map file must end in .toml, got 'dir/file.txt'"),
    ],
)  # fmt: skip
def test_bad_requests(arguments: list[str], message: str) -> None:
    code, out, err = quick(*arguments)
    assert code == 1
    assert out == ""
    assert err.startswith(message)


def test_usage_errors_have_their_exit_code() -> None:
    assert semeq("learn")[0] == 2
    assert semeq("check")[0] == 2
    code, _, err = semeq("learn", "warm", "--map", "file.txt/x")
    assert (code, err) == (2, "semeq: a map file must end in .toml, got 'file.txt/x'\n")


@pytest.mark.jack
def test_monitor(jack: JackServer) -> None:
    command = ["monitor", "monitored", "--api", "jack", "--json", "--map", "default"]
    with MidiSender("monitored", "knobs") as sender, running(*command) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "semeq: MIDI port monitored:knobs (JACK) is open\n"
        for message in ([0xB2, 21, 5], [0x90, 60, 1], [0xB0, 99, 0]):
            sender.send(*message)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert err.strip() == ""
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["bytes"] for line in lines] == [[0xB2, 21, 5], [0x90, 60, 1], [0xB0, 99, 0]]
    assert [line["moves"] for line in lines] == [["bright"], [], []]
    assert (lines[0]["channel"], lines[0]["cc"], lines[0]["value"]) == (3, 21, 5)


@pytest.mark.jack
def test_learn_writes_and_extends_a_map(jack: JackServer, config: Path) -> None:
    config.mkdir(parents=True)
    (config / "mine.toml").write_text("# my own\nschema = 1\n[[bind]]\ncc = 46\nword = 'deep'\n")
    command = ["learn", "warm", "comp.mix", "bypass", "--api", "jack", "--port", "taught"]
    with MidiSender("taught", "knobs") as sender, running(*command) as process:
        assert process.stderr is not None
        said: list[str] = []

        def hear(line: str) -> None:
            """Read on until the command has said it."""
            assert process.stderr is not None
            while line not in (said[-1] if said else ""):
                said.append(process.stderr.readline())
                assert said[-1], said

        hear("warm: turn its knob both ways")
        for value in (64, 65, 66, 67, 66, 65, 64):
            sender.send(0xB0, 44, value)
        hear("comp.mix: turn its knob both ways")
        for value in (64, 65, 66, 67, 66, 65, 64):
            sender.send(0xB0, 45, value)
        hear("bypass: press its button")
        sender.send(0xB0, 46, 127)
        sender.send(0xB0, 46, 0)
        out, err = process.communicate(timeout=15)
    assert process.returncode == 0
    assert out.count("[[bind]]") == 3
    assert err.splitlines()[-1].startswith(f"semeq: written to {config / 'mine.toml'}: use it with")
    learned = load_map(str(config / "mine.toml"))
    bound = [(b.cc, b.label, b.channel) for b in learned.bindings]
    assert bound == [(44, "warm", 1), (45, "comp.mix", 1), (46, "bypass", 1)]
    assert (config / "mine.toml").read_text().startswith("# my own\n")
