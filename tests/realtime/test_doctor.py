"""``semeq doctor`` on machines where things are broken: a line a thing, no traceback, no waiting."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jack_server import BLOCK, FS, JackServer

import semeq.presets
from semeq.engine.encoder import ARRAYS_FILE, NETWORK_FILE
from semeq.engine.errors import DataError
from semeq.engine.model_check import CHECK_FILE, TOLERANCE, deviation, known_sound, write_check
from semeq.engine.model_file import load_model
from semeq.presets.remembered import FILE, Remembered, remember
from semeq.realtime import doctor_light as light
from semeq.realtime import doctor_probes as probes
from semeq.realtime.doctor import Check, Finding, Level, examine, note, ok, probe, problem, works

SEMEQ = Path(sys.executable).parent / "semeq"
MODELS = Path(semeq.presets.__path__[0]) / "models"
LEVELS = {"ok", "note", "problem"}


def doctor(
    extra: Mapping[str, str] | None = None, *options: str
) -> tuple[int, str, dict[str, dict[str, Any]], float]:
    """Run the command; return its code, its output, its findings by subject, and the time it took."""
    start = time.perf_counter()
    done = subprocess.run(
        [str(SEMEQ), "doctor", *(options or ["--json"])],
        env={**os.environ, **(extra or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    took_s = time.perf_counter() - start
    assert "Traceback" not in done.stderr + done.stdout
    if options:
        return done.returncode, done.stdout, {}, took_s
    report = json.loads(done.stdout)
    assert report["works"] is (done.returncode == 0)
    return done.returncode, done.stdout, {f["subject"]: f for f in report["findings"]}, took_s


def broken_sounddevice(folder: Path, body: str) -> dict[str, str]:
    """Return an environment in which the library under sounddevice is broken."""
    (folder / "sounddevice.py").write_text(body)
    return {"PYTHONPATH": str(folder)}


# ------------------------------------------------------------------------------------ the whole


@pytest.mark.jack
def test_a_machine_with_jack_is_ready(jack: JackServer) -> None:
    code, _, found, took_s = doctor()
    assert code == 0, found
    assert found["JACK"]["level"] == "ok"
    assert f"{FS} Hz, block {BLOCK}" in found["JACK"]["says"]
    assert found["PortAudio"]["level"] == found["devices"]["level"] == "ok"
    assert "JACK" in found["PortAudio"]["says"]
    assert found["model"]["level"] == found["software"]["level"] == found["words"]["level"] == "ok"
    assert set(found) == {
        *("software", "words", "model", "kernels", "PortAudio", "JACK", "devices", "MIDI"),
        *("rights", "processor", "disk", "memory", "terminal"),
    }
    for finding in found.values():
        assert finding["level"] in LEVELS
        assert finding["says"]
        assert (finding["level"] == "ok") or finding["means"]
    assert took_s <= 10.0  # 5 s on a machine that does nothing else


def test_people_get_a_line_a_thing(tmp_path: Path) -> None:
    broken = broken_sounddevice(tmp_path, "raise OSError('PortAudio library not found')")
    code, out, _, _ = doctor(broken, "--")
    lines = out.splitlines()
    assert code == 1
    assert {line.split()[0] for line in lines} <= LEVELS
    (line,) = [line for line in lines if " PortAudio " in line]
    assert line.startswith("problem")
    assert line.count(" — ") == 2
    assert "apt-get install libportaudio2" in line
    assert "\x1b" not in out


# ----------------------------------------------------------------------------- what is broken


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise OSError('PortAudio library not found')", "is not installed"),
        ("raise ImportError('no')", "'sounddevice' is not installed"),
        ("import os; os.abort()", "crashed (signal 6)"),
        ("import time; time.sleep(60)", "no answer within 2 s"),
        ("print('noise'); raise SystemExit(3)", "the check failed"),
        ("_initialized = 0; _libname = 'x'", "the check failed: AttributeError"),
    ],
    ids=["no PortAudio", "no sounddevice", "crash", "hang", "exit", "another sounddevice"],
)
def test_a_broken_portaudio_is_a_problem_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, says: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", broken_sounddevice(tmp_path, body)["PYTHONPATH"])
    start = time.perf_counter()
    found = examine([probe("sound", "PortAudio", Level.PROBLEM, 2.0)], 2.0)[0]
    assert time.perf_counter() - start <= 4.0
    assert found.level is Level.PROBLEM
    assert says in found.says
    assert found.means
    assert found.mend


def test_nothing_to_keep_compiled_code_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NUMBA_CACHE_DIR", "/proc/nowhere"), ("XDG_CACHE_HOME", "/proc/nowhere")):
        with monkeypatch.context() as patch:
            patch.delenv("NUMBA_CACHE_DIR", raising=False)
            patch.setenv(name, value)
            (found,) = examine([probe("kernels", "kernels", Level.NOTE)])
        assert found.level is Level.NOTE
        assert "NUMBA_CACHE_DIR" in found.mend


def test_a_model_that_answers_as_it_did(tmp_path: Path) -> None:
    assert deviation(load_model(MODELS), MODELS) is not None, (
        "the model that ships has no stored answers: run semeq.engine.model_check.write_check on it"
    )
    (found,) = probes.model(MODELS)
    assert found.level is Level.OK, found
    folder = tmp_path / "models"
    shutil.copytree(MODELS, folder)
    (folder / CHECK_FILE).unlink()
    assert probes.model(folder)[0].level is Level.NOTE
    write_check(folder)
    assert probes.model(folder)[0].level is Level.OK
    assert known_sound().shape == (96_000, 2)


def test_a_model_that_hears_something_else(tmp_path: Path) -> None:
    """Some weights are turned over: it loads, it answers, and only the stored answers tell."""
    onnx = pytest.importorskip("onnx")
    folder = tmp_path / "models"
    shutil.copytree(MODELS, folder)
    network = onnx.load(folder / NETWORK_FILE)
    weights = next(
        one for one in reversed(network.graph.initializer) if one.data_type == 1 and one.raw_data
    )
    values = bytearray(weights.raw_data)
    for sign in range(3, len(values) // 2, 4):
        values[sign] ^= 0x80
    weights.raw_data = bytes(values)
    onnx.save(network, folder / NETWORK_FILE)
    (found,) = probes.model(folder)
    assert found.level is Level.PROBLEM
    assert "from those it was made with" in found.says


@pytest.mark.parametrize("name", [ARRAYS_FILE, NETWORK_FILE, CHECK_FILE])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off"])
def test_a_corrupt_model_is_a_problem(tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / "models"
    shutil.copytree(MODELS, folder)
    (folder / name).write_bytes(content)
    (found,) = probes.model(folder)
    assert found.level is Level.PROBLEM
    assert name in found.says
    assert "install semeq again" in found.line()


def test_stored_answers_of_another_shape(tmp_path: Path) -> None:
    (tmp_path / CHECK_FILE).write_text('{"format": "semeq-model-check-1", "latents": [[1]]}')
    with pytest.raises(DataError, match=r"check\.json must hold a model's answers"):
        deviation(load_model(MODELS), tmp_path)
    assert TOLERANCE < 0.01


def test_no_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "no")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    (found,) = light.rights()
    assert found.level is Level.NOTE
    assert "rtprio" in found.mend
    assert works([found])


def test_packages_that_are_missing_or_old() -> None:
    (found,) = light.packages(["numpy>=999.0", "no-such-thing>=1.2", "click", 'x>=1; extra == "y"'])
    assert found.level is Level.PROBLEM
    assert "no-such-thing is missing" in found.says
    assert "'numpy>=999.0'" in found.mend
    assert "click" not in found.says
    (found,) = light.packages(["numpy>=1.0"])
    assert found.level is Level.OK


@pytest.mark.parametrize(
    ("governor", "boost", "levels"),
    [
        ("performance", "1", ["ok"]),
        ("powersave", "1", ["note"]),
        ("schedutil", "0", ["note", "note"]),
        (None, None, ["ok"]),
    ],
)
def test_the_processor(
    tmp_path: Path, governor: str | None, boost: str | None, levels: list[str]
) -> None:
    if governor is not None and boost is not None:
        for core in (0, 1):
            (tmp_path / f"cpu{core}" / "cpufreq").mkdir(parents=True)
            (tmp_path / f"cpu{core}" / "cpufreq" / "scaling_governor").write_text(governor + "\n")
        (tmp_path / "cpufreq").mkdir()
        (tmp_path / "cpufreq" / "boost").write_text(boost + "\n")
    found = [f for f in light.processor(tmp_path) if "core" not in f.says or "cores" in f.says]
    assert [finding.level.value for finding in found] == levels


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = light.disk([tmp_path / "not" / "yet"])
    assert found.level is Level.OK
    usage = shutil.disk_usage(tmp_path)._replace(free=3_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    (found,) = light.disk([tmp_path])
    assert found.level is Level.NOTE
    assert "3 MB free" in found.says


def test_a_damaged_memory_is_said_and_left_where_it_is(tmp_path: Path) -> None:
    (found,) = light.memory(tmp_path / "none")
    assert found.level is Level.OK
    remember(Remembered((("warm", 0.5),)), tmp_path)
    (found,) = light.memory(tmp_path)
    assert found.level is Level.OK
    (tmp_path / FILE).write_text("{")
    (found,) = light.memory(tmp_path)
    assert found.level is Level.NOTE
    assert "damaged" in found.says
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_text() == "{"
    (found,) = light.memory(Path("/proc/nowhere"))
    assert found.level is Level.NOTE
    assert "SEMEQ_STATE_DIR" in found.mend


# ------------------------------------------------------------------------------ how it examines


def test_a_check_that_hangs_or_fails_holds_nothing_up() -> None:
    def hang() -> list[Finding]:
        time.sleep(30.0)
        return []

    def fail() -> list[Finding]:
        raise RuntimeError("out of luck")

    start = time.perf_counter()
    found = examine(
        [
            Check("one", hang, Level.PROBLEM),
            Check("two", fail),
            Check("three", lambda: [ok("three", "fine")]),
        ],
        timeout_s=0.2,
    )
    assert time.perf_counter() - start < 3.0
    assert [f.level for f in found] == [Level.PROBLEM, Level.NOTE, Level.OK]
    assert "no answer within 0.2 s" in found[0].says
    assert "RuntimeError: out of luck" in found[1].says
    assert not works(found)
    assert works(found[1:])


def test_findings_survive_json() -> None:
    for finding in (ok("a", "b"), note("a", "b", "c"), problem("a", "b", "c", "d")):
        assert Finding.from_dict(json.loads(json.dumps(finding.as_dict()))) == finding
    assert problem("a", "b", "c", "d").line() == "problem  a          b — c — d"
