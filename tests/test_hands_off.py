"""What no file can make semeq do: listen, load a plugin, write where nobody said. Watched while it runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sound_files import noise, write_float

#: Runs a command under the interpreter's audit hook; writes down what it opened, bound and started.
WATCHED = """
import json, os, sys
seen = open(sys.argv.pop(1), "w")
kinds = ("socket.bind", "socket.connect", "open", "os.rename", "os.remove", "os.link", "os.mkdir",
         "subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "ctypes.dlopen")
def hook(event, given):
    if event not in kinds or seen.closed:
        return
    if event == "open" and (given[1] is None or not set(str(given[1])) & set("wax+")):
        return
    seen.write(json.dumps([event, *map(str, given)]) + "\\n")
    seen.flush()
sys.addaudithook(hook)
from semeq.engine.cli import main
main(sys.argv[1:])
"""

SOUND = noise(30_000)


def watched(folder: Path, *arguments: str) -> tuple[list[list[str]], str]:
    """Run ``semeq`` in a folder; return its audited events and standard error."""
    log = folder.parent / "seen.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(log), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return [json.loads(line) for line in log.read_text().splitlines()], done.stderr


def written(events: list[list[str]], folder: Path) -> set[str]:
    """Return the names of what was written, moved or removed in or above a folder but temporary files."""
    names = set()
    for event, *given in events:
        if event in ("open", "os.rename", "os.remove", "os.link", "os.mkdir"):
            # what a cache of compiled code keeps is not in the user's folders
            paths = given[:2] if event in ("os.rename", "os.link") else given[:1]
            names |= {Path(path).name for path in paths if str(folder.parent) in str(folder / path)}
    return {name for name in names if "semeq-part" not in name and name != "seen.jsonl"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("SEMEQ_CONFIG_DIR", "SEMEQ_STATE_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    place = tmp_path / "place"
    place.mkdir()
    write_float(place / "in.wav", SOUND)
    return place


def test_a_render_and_an_analysis_open_no_socket_and_write_what_was_named(folder: Path) -> None:
    for arguments, outputs in (
        ("render in.wav -o out.wav --make warm --report r.json", {"out.wav", "r.json"}),
        ("analyze in.wav --json", set()),
    ):
        events, said = watched(folder, *arguments.split())
        assert not [one for one in events if one[0].startswith("socket.")], said
        assert not [one for one in events if one[0] in ("subprocess.Popen", "os.exec", "os.system")]
        inside = {name for name in written(events, folder) if (folder / name).exists()}
        assert inside == outputs
        assert {path.name for path in folder.iterdir()} >= outputs


EVIL = "/nowhere/Evil.vst3"
FILES = {
    "preset.toml": f'make = "warm"\ninsert = "post:{EVIL}"\n',
    "preset2.toml": 'make = "warm"\noutput = "../stolen.wav"\n',
    "take.jsonl": json.dumps({"semeq_log": 2, "fs": 48000.0, "channels": 2, "insert": EVIL}) + "\n",
    "report.json": json.dumps({"bands": [{"kind": "peak", "plugin": EVIL}] * 7, "insert": EVIL}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_no_file_names_a_plugin_or_an_output(folder: Path, name: str) -> None:
    (folder / name).write_text(FILES[name])
    if name.startswith("preset"):
        arguments = ["render", "in.wav", "-o", "out.wav", "--preset", name]
    elif name.startswith("take"):
        arguments = ["render", "in.wav", "-o", "out.wav", "--replay", name]
    else:
        arguments = ["export", name, "--to", "apo", "-o", "out.txt"]
    events, said = watched(folder, *arguments)
    assert said.startswith("semeq: ")
    assert said.count("\n") == 1
    assert not [one for one in events if "Evil" in " ".join(one[1:])]
    assert {path.name for path in folder.iterdir()} == {"in.wav", name}
    assert {path.name for path in folder.parent.iterdir()} <= {"place", "home", "seen.jsonl"}
