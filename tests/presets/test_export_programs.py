"""The programs themselves, where they are installed: LSP's equaliser (EasyEffects) and PipeWire."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from other_programs import easyeffects_bands, spa_json
from pedalboard.io import AudioFile
from scipy.io import wavfile
from scipy.signal import csd, fftconvolve, sosfilt

from semeq.engine.design import design_sos, response_db
from semeq.engine.exports import PROMISED_DB, checked_hz, portable
from semeq.engine.exports_config import PIPEWIRE, easyeffects, pipewire
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.settings import EQSettings
from semeq.engine.units import db_to_gain
from semeq.presets.library import shipped_vocabulary

FS = 48_000
LSP = "http://lsp-plug.in/plugins/lv2/para_equalizer_x16_stereo"
#: The labels of EasyEffects as the plugin's numbers.
TYPES = {"Bell": 1, "Hi-shelf": 3, "Lo-shelf": 5}
MODES = {"APO (DR)": 6}
WAIT_S = 20.0


def meant(recipe: str) -> EQSettings:
    return interpret(Recipe.parse(recipe), shipped_vocabulary()).settings


def has_lsp() -> bool:
    if shutil.which("lv2apply") is None or shutil.which("lv2ls") is None:
        return False
    return LSP in subprocess.run(["lv2ls"], capture_output=True, text=True, check=False).stdout


@pytest.mark.skipif(
    not has_lsp(), reason="needs lv2apply and LSP Plugins (lilv-utils, lsp-plugins-lv2)"
)
@pytest.mark.parametrize("recipe", ["warm:2", "bright", "tinny - muddy"])
def test_the_equaliser_of_easyeffects(tmp_path: Path, recipe: str) -> None:
    settings = meant(recipe)
    eq = portable(settings, FS)
    gain_db, bands = easyeffects_bands(easyeffects(eq))
    controls: dict[str, float] = {"g_in": db_to_gain(gain_db)}
    for n, band in enumerate(bands):
        controls |= {
            f"ft_{n}": TYPES[band["type"]],
            f"fm_{n}": MODES[band["mode"]],
            f"s_{n}": 0,
            f"f_{n}": band["frequency"],
            f"g_{n}": db_to_gain(band["gain"]),
            f"q_{n}": band["q"],
        }
    sound = np.zeros((1 << 16, 2), dtype=np.float32)
    sound[1 << 13] = 0.5
    wavfile.write(tmp_path / "in.wav", FS, sound)
    call = ["lv2apply", "-i", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out.wav")]
    for name, value in controls.items():
        call += ["-c", name, repr(float(value))]
    subprocess.run([*call, LSP], check=True, capture_output=True)
    with AudioFile(str(tmp_path / "out.wav")) as file:
        response = file.read(file.frames)[0].astype(np.float64) / 0.5
    freqs = np.geomspace(20.0, checked_hz(FS), 120)
    waves = np.exp(-2j * np.pi * np.outer(freqs / FS, np.arange(len(response))))
    level = 20.0 * np.log10(np.abs(waves @ response)) - gain_db
    assert np.abs(level - response_db(settings, FS, freqs)).max() <= PROMISED_DB


@pytest.mark.skipif(
    shutil.which("spa-json-dump") is None, reason="needs spa-json-dump (pipewire-bin)"
)
def test_pipewire_parses_the_file_as_we_do(tmp_path: Path) -> None:
    path = tmp_path / "semeq.conf"
    text = pipewire(portable(meant("warm"), FS, PIPEWIRE), ['a "title" = {'])
    path.write_text(text, encoding="utf-8")
    dumped = subprocess.run(
        ["spa-json-dump", str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(dumped) == spa_json(text)


@pytest.fixture
def pipewire_with(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Return where a drop-in goes and the environment for a PipeWire of our own."""
    drop_ins = tmp_path / "conf" / "pipewire.conf.d"
    drop_ins.mkdir(parents=True)
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    shutil.copy("/usr/share/pipewire/pipewire.conf", tmp_path / "conf" / "pipewire.conf")
    return drop_ins / "semeq.conf", {**os.environ, "XDG_RUNTIME_DIR": str(runtime)}


def loaded_controls(environment: dict[str, str]) -> dict[str, float]:
    """Return the controls of our filter as PipeWire reports them, or nothing if it is not there yet."""
    dump = subprocess.run(
        ["pw-dump"], env=environment, capture_output=True, text=True, check=False, timeout=WAIT_S
    ).stdout
    for entry in json.loads(dump or "[]"):
        info = entry.get("info") or {}
        if info.get("props", {}).get("node.name") == "effect_input.semeq":
            for part in info["params"].get("Props", []):
                flat = part.get("params", [])
                found = dict(zip(flat[::2], flat[1::2], strict=True))
                if "preamp:Gain" in found:
                    return found
    return {}


@pytest.mark.skipif(
    shutil.which("pipewire") is None
    or shutil.which("pw-dump") is None
    or not Path("/usr/share/pipewire/pipewire.conf").exists(),
    reason="needs pipewire and pw-dump",
)
def test_pipewire_loads_the_file(pipewire_with: tuple[Path, dict[str, str]]) -> None:
    path, environment = pipewire_with
    eq = portable(meant("bright"), FS, PIPEWIRE)
    path.write_text(pipewire(eq, ["bright"]), encoding="utf-8")
    server = subprocess.Popen(
        ["pipewire"],
        env={**environment, "PIPEWIRE_CONFIG_DIR": str(path.parents[1])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        controls: dict[str, float] = {}
        end = time.monotonic() + WAIT_S
        while not controls and time.monotonic() < end:
            time.sleep(0.2)
            controls = loaded_controls(environment)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(WAIT_S)
    assert controls["preamp:Gain"] == pytest.approx(eq.preamp_db, abs=1e-4)
    for n, band in enumerate(eq.bands, 1):
        assert controls[f"band_{n}:Freq"] == pytest.approx(band.freq_hz, rel=1e-6)
        assert controls[f"band_{n}:Gain"] == pytest.approx(band.gain_db, abs=1e-5)
        assert controls[f"band_{n}:Q"] == pytest.approx(band.q, rel=1e-6)


NULL_SINK = """context.objects = [
    { factory = adapter
      args = {
          factory.name = support.null-audio-sink
          node.name = nullsink
          media.class = Audio/Sink
          object.linger = true
          audio.position = [ FL FR ]
          audio.rate = 48000
      }
    }
]
"""
#: Runs inside a message bus of its own, which WirePlumber needs: play into our filter, record behind it.
PLAY = """
PIPEWIRE_CONFIG_DIR="$1/conf" pipewire & server=$!
sleep 2; wireplumber & manager=$!
sleep 4
pw-cat -r --target nullsink --rate 48000 --channels 2 --format f32 \\
  -P '{stream.capture.sink=true}' "$1/out.wav" & recorder=$!
sleep 1
timeout 20 pw-cat -p --target effect_input.semeq "$1/in.wav"
sleep 1
kill -INT $recorder; wait $recorder
kill $manager $server; wait
"""
PLAYERS = ("pipewire", "wireplumber", "pw-cat", "dbus-run-session")


@pytest.mark.slow
@pytest.mark.skipif(not all(map(shutil.which, PLAYERS)), reason="needs " + ", ".join(PLAYERS))
def test_sound_through_pipewire(pipewire_with: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    path, environment = pipewire_with
    settings = meant("bright")
    eq = portable(settings, FS, PIPEWIRE)
    path.write_text(pipewire(eq, ["bright"]), encoding="utf-8")
    path.with_name("sink.conf").write_text(NULL_SINK, encoding="utf-8")
    noise = np.random.default_rng(1).standard_normal(6 * FS).astype(np.float32) * 0.05
    wavfile.write(tmp_path / "in.wav", FS, np.stack([noise, noise], axis=1))
    subprocess.run(
        ["dbus-run-session", "--", "bash", "-c", PLAY, "play", str(tmp_path)],
        env=environment,
        capture_output=True,
        check=False,
        timeout=60,
    )
    with AudioFile(str(tmp_path / "out.wav")) as file:
        heard = file.read(file.frames)[0].astype(np.float64)
    ours = sosfilt(design_sos(settings, FS), noise.astype(np.float64))
    # where our noise lies in the recording
    lag = int(np.argmax(fftconvolve(heard, ours[::-1]))) - (len(ours) - 1)
    assert lag >= 0, "nothing was recorded"
    end = min(len(ours), len(heard) - lag) - FS
    parts = {"fs": FS, "nperseg": 1 << 15}
    freqs, across = csd(ours[:end], heard[lag : lag + end], **parts)
    _, own = csd(ours[:end], ours[:end], **parts)
    audible = (freqs >= 20.0) & (freqs <= checked_hz(FS))
    level = 20.0 * np.log10(np.abs(across / own)[audible])
    assert np.abs(level - eq.preamp_db).max() <= PROMISED_DB
