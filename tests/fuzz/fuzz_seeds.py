"""Small real files of every kind that semeq reads: what is damaged, case by case."""

# ruff: noqa: E501 (files as they are)

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
from sound_files import ffmpeg, noise, to_pcm, write_float, write_pcm

from semeq.engine.design import design
from semeq.engine.render import RenderJob, render_file
from semeq.engine.settings import EQSettings
from semeq.engine.take_file import end_line, event_line, header_line
from semeq.engine.timeline import ControlSet, Event, Take
from semeq.presets.library import shipped_vocabulary
from semeq.presets.midi_maps import map_text
from semeq.presets.personal import make_word, save_word
from semeq.presets.remembered import Remembered, remember
from semeq.presets.shipped_model import MODEL_FOLDER

ROOT = Path(__file__).parents[2]
FS = 44_100
FRAMES = 6_000
TAGS = ("-metadata", "title=Song", "-metadata", "artist=Nobody", "-metadata", "comment=ä 音")
#: Name of the seed, its suffix, and how ffmpeg makes it.
AUDIO = (
    ("wav24", "wav", ("-c:a", "pcm_s24le", *TAGS)),
    ("wav32", "wav", ("-c:a", "pcm_s32le")),
    ("alaw", "wav", ("-c:a", "pcm_alaw")),
    ("adpcm", "wav", ("-c:a", "adpcm_ms")),
    ("rf64", "wav", ("-rf64", "always")),
    ("aiff16", "aiff", ("-write_id3v2", "1", *TAGS)),
    ("aifc32", "aif", ("-c:a", "pcm_f32be")),
    ("aifc64", "aif", ("-c:a", "pcm_f64be")),
    ("flac16", "flac", TAGS),
    ("flac24", "flac", ("-sample_fmt", "s32")),
    ("ogg", "ogg", ("-c:a", "libvorbis", *TAGS)),
    ("mp3", "mp3", ("-b:a", "64k", *TAGS)),
    ("mp3plain", "mp3", ("-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0")),
    ("opus", "opus", ()),
    ("m4a", "m4a", ()),
    ("caf", "caf", ()),
    ("w64", "w64", ()),
    ("au", "au", ()),
)
RECIPE = (
    'about = "A voice, far away"\nmake = "warm:0.5 + clear:0.4 - \\"bright\\":0.2"\namount = 0.8\n'
)
PLUGIN_MAP = """schema = 1
plugin = "Some EQ.vst3"
settle_s = 0.02

[fixed]
output_db = 0.0

[[band]]
kind = "low_shelf"
gain = "band_1_gain_db"
freq = "band_1_frequency_hz"
q = "band_1_q"
gain_range = [-12.0, 12.0]
freq_range = [30.0, 16000.0]
q_range = [0.3, 4.0]

[[band]]
gain = "band_2_gain_db"
"""
STATUS = {
    "state": "running", "seconds": 1.5, "fs": 48000.0, "blocksize": 128, "recipe": "warm", "load": 0.01,
    "callback_us": {"p50": 3.0, "p99.9": 9.0, "max": 12.0}, "missed_deadlines": 0, "xruns": 0, "uptime_s": 2.0,
    "limited_frames": 0, "bad_samples": 0, "reconnects": 0, "away_s": 0.0,
}  # fmt: skip
IMPORTS = {
    "apo": (
        "Preamp: -3.2 dB\nFilter 1: ON PK Fc 1,000 Hz Gain 3.5 dB Q 1.41\n"
        "Filter 2: ON LS 12 dB Fc 105 Hz Gain -2 dB\nFilter: ON PK Fc 50 Hz Gain 2 dB BW Oct 1.5\nDevice: all\n"
    ),
    "graphic": "GraphicEQ: " + "; ".join(f"{f:g} {np.sin(f):.1f}" for f in np.geomspace(20, 20e3, 40)),
    "autoeq": "frequency,raw,smoothed\n"
    + "\n".join(f"{f:.2f},{3 * np.cos(np.log(f)):.2f},1.0" for f in np.geomspace(20, 20e3, 60)),
    "rew": "* Freq(Hz) SPL(dB) Phase(degrees)\n"
    + "\n".join(f"{f:.3f} {80 + np.sin(f):.3f} 0.0" for f in np.geomspace(20, 20e3, 60)),
    "table": "\n".join(f"{f:.1f};{3 * np.cos(np.log(f)):.2f}".replace(".", ",") for f in (30, 90, 400, 3e3, 9e3)),
}  # fmt: skip
TRAINING = 'seed = 3\nboldness = [1.4, 1.2, 1.0]\n[data]\naudio = ["music:2", "noise"]\n[audio]\nepochs = 3\n'


def take_text() -> str:
    """Return a recorded session of two sets."""
    sets = [ControlSet(design(EQSettings.flat(), FS, gain_db=gain), 0) for gain in (0.0, -2.0)]
    events = tuple(Event(1000 * at, one) for at, one in enumerate(sets))
    take = Take(float(FS), 2, 0, -1.0, events, first_sound=0, frames=FRAMES)
    lines = [header_line(take), *map(event_line, events), end_line(FRAMES, 0)]
    return "\n".join(lines) + "\n"


def _sounds(folder: Path) -> None:
    sound = noise(FRAMES)
    master = write_pcm(folder / "audio.wav16.wav", to_pcm(sound, 16), 16, FS)
    write_float(folder / "audio.float32.wav", sound, FS)
    write_float(folder / "audio.float64.wav", sound.astype(np.float64), FS)
    for name, suffix, options in AUDIO:
        target = folder / f"audio.{name}.{suffix}"
        try:
            ffmpeg(master, target, *options, "-fflags", "+bitexact", "-flags:a", "+bitexact")
        except subprocess.CalledProcessError:  # a codec that this ffmpeg was built without
            target.unlink(missing_ok=True)


def _texts(folder: Path) -> None:
    (folder / "take.jsonl").write_text(take_text())
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "formula.txt").write_text('warm:0.5 + "punchy":.3 - bright:-2e-1')
    (folder / "midi.toml").write_text(map_text("default")[2])
    (folder / "midi.14bit.toml").write_text(map_text("14bit")[2])
    (folder / "plugin.toml").write_text(PLUGIN_MAP)
    (folder / "training.toml").write_text(TRAINING)
    for name, text in IMPORTS.items():
        (folder / f"import.{name}.txt").write_text(text)
    (folder / "status.jsonl").write_text(2 * (json.dumps(STATUS) + "\n"))
    shipped = shipped_vocabulary()
    word = shipped.words["warm"]
    own = make_word("my own", word.settings, word.curve_db, 0.5, shipped)
    save_word(own, shipped, folder / "words.json", overwrite=False)
    weights = (("warm", 0.5), ("deep", 0.0))
    remember(Remembered(weights, 1.0, 0.5, "nano", "default", "in", "out"), folder)
    (folder / "live.json").rename(folder / "state.json")


def _reports(folder: Path) -> None:
    report = render_file(
        RenderJob(
            folder / "audio.wav16.wav",
            folder / "rendered.wav",
            shipped_vocabulary().words["warm"].settings,
        )
    )
    (folder / "rendered.wav").unlink()
    content = {"recipe": "warm", "files": [report.as_dict()]}
    (folder / "source.report.json").write_text(json.dumps(content))
    bands = shipped_vocabulary().words["warm"].settings.as_dicts()
    (folder / "source.curve.json").write_text(
        json.dumps({"recipe": "warm", "fs": 48000.0, "bands": bands})
    )
    usual = ROOT / "presets" / "usual.json"
    shutil.copy(usual, folder / "usual.json")


def _models(folder: Path) -> None:
    models = ROOT / "presets" / MODEL_FOLDER
    shutil.copy(models / "arrays.npz", folder / "arrays.npz")
    shutil.copy(models / "check.json", folder / "check.json")
    shutil.copy(models / "network.onnx", folder / "network.onnx")
    shutil.copy(models / "encoder.onnx", folder / "encoder.onnx")


def make_seeds(folder: Path) -> None:
    """Write a seed of each kind: ``KIND.suffix`` or ``KIND.name.suffix``."""
    folder.mkdir(parents=True)
    _sounds(folder)
    _texts(folder)
    _reports(folder)
    _models(folder)
