"""How each kind of file is read: by the functions that the commands use."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path

import numpy as np
from fuzz_seeds import FRAMES, FS
from sound_files import noise, write_float

from semeq.engine.audiofile import AudioReader
from semeq.engine.imports import read_equaliser
from semeq.engine.imports_fit import seven_bands
from semeq.engine.model_check import deviation
from semeq.engine.model_file import load_model, load_tables
from semeq.engine.plugin_map import read_map
from semeq.engine.recipe import Recipe
from semeq.engine.render import RenderJob, render_file
from semeq.engine.take_file import read_take
from semeq.presets.cli_import import read_text
from semeq.presets.eq_source import find_source
from semeq.presets.library import shipped_vocabulary
from semeq.presets.midi_maps import load_map
from semeq.presets.personal import load_personal, with_personal
from semeq.presets.recipes import load_recipe
from semeq.presets.remembered import FILE, recall
from semeq.presets.shipped_model import MODEL_FOLDER
from semeq.presets.usual import parse_usual
from semeq.realtime.status_file import Follower, summary
from semeq.training.config import Config

Read = Callable[[Path, Path], None]


def _audio(path: Path, scratch: Path) -> None:
    """Render it, as most commands do: headers, samples twice, tags."""
    target = scratch / "out.wav"
    settings = shipped_vocabulary().words["warm"].settings
    render_file(RenderJob(path, target, settings, overwrite=True))
    for block in AudioReader(target).blocks():
        assert np.isfinite(block).all(), "the output must be finite"


def _tags(path: Path, scratch: Path) -> None:
    """Keep its tags in the other formats, too."""
    reader = AudioReader(path)
    suffix = {"wav": "flac", "flac": "ogg", "ogg": "mp3", "mp3": "aiff"}.get(
        reader.source.kind, "wav"
    )
    render_file(RenderJob(path, scratch / f"out.{suffix}", overwrite=True))


def _take(path: Path, scratch: Path) -> None:
    take = read_take(path)
    source, target = scratch / "in.wav", scratch / "out.wav"
    if not source.exists():
        write_float(source, noise(FRAMES), FS)
    job = RenderJob(source, target, overwrite=True, take=take)
    render_file(job)
    for block in AudioReader(target).blocks():
        assert np.isfinite(block).all(), "the output must be finite"


def _import(path: Path, _: Path) -> None:
    read = read_equaliser(read_text(path))
    imported = seven_bands(read)
    assert np.isfinite(imported.rms_db), "how near it is must be a number"


def _words(path: Path, _: Path) -> None:
    vocabulary = with_personal(shipped_vocabulary(), load_personal(path))
    for word in vocabulary.words.values():
        assert np.isfinite(word.curve_db).all(), "curves must be finite"


def _state(path: Path, scratch: Path) -> None:
    shutil.copy(path, scratch / FILE)
    said: list[str] = []
    state = recall(said.append, lambda word: word in shipped_vocabulary().words, scratch)
    assert replace(state) == state
    assert all(len(line) < 1000 for line in said)


def _status(path: Path, _: Path) -> None:
    summary(Follower(path).first)


def _source(path: Path, _: Path) -> None:
    find_source(str(path))


def _model(path: Path, scratch: Path, name: str) -> None:
    """Load a model of which one file is damaged; then let it hear."""
    shipped = Path(str(files("semeq.presets") / MODEL_FOLDER))
    folder = scratch / "model"
    folder.mkdir(exist_ok=True)
    for one in ("arrays.npz", "encoder.onnx", "network.onnx", "check.json"):
        shutil.copy(path if one == name else shipped / one, folder / one)
    if name == "arrays.npz":
        model = load_tables(folder)
        curve = model.put_on_db(np.ones(len(model.decoder)))
        assert np.isfinite(curve).all(), "curves must be finite"
        return
    off = deviation(load_model(folder), folder)
    assert off is None or np.isfinite(off), "what it hears must be finite"


#: By the kind that the name of a seed begins with.
READERS: dict[str, tuple[Read, ...]] = {
    "audio": (_audio, _audio, _tags),
    "take": (_take,),
    "recipe": (lambda path, _: void(load_recipe(str(path))),),
    "formula": (lambda path, _: void(Recipe.parse(path.read_text(errors="replace"))),),
    "words": (_words,),
    "midi": (lambda path, _: void(load_map(str(path))),),
    "plugin": (lambda path, _: void(read_map(path)),),
    "state": (_state,),
    "status": (_status,),
    "import": (_import,),
    "source": (_source,),
    "training": (lambda path, _: void(Config.from_toml(path)),),
    "usual": (lambda path, _: void(parse_usual(path.read_text(errors="replace"))),),
    "arrays": (partial(_model, name="arrays.npz"),),
    "check": (partial(_model, name="check.json"),),
    "network": (partial(_model, name="network.onnx"),),
    "encoder": (partial(_model, name="encoder.onnx"),),
}


def void(_: object) -> None:
    """Take what was read: that it was read is all that is asked."""
