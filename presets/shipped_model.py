"""Finds and loads the model that ships with semeq."""

from collections.abc import Callable
from functools import cache
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

from semeq.engine.encoder import ARRAYS_FILE, NETWORK_FILE, Model
from semeq.engine.errors import DataError
from semeq.engine.model_file import load_model, load_tables

#: The folder of the model inside the package.
MODEL_FOLDER = "models"


@cache
def load_shipped_model() -> Model:
    """Return the model that ships with semeq; loaded once, then the same object every time.

    Raises
    ------
    DataError
        If it is missing or damaged.
    MissingPackageError
        If onnxruntime is not installed.
    """
    return _load(load_model)


@cache
def load_shipped_tables() -> Model:
    """Return decoder and words of the model that ships with semeq: it cannot hear, and loads in no time.

    Raises
    ------
    DataError
        If it is missing or damaged.
    """
    return _load(load_tables)


def why_deaf() -> str:
    """Return why the shipped model cannot be used to hear, without loading it; empty when it can."""
    folder = files("semeq.presets") / MODEL_FOLDER
    if not (folder / ARRAYS_FILE).is_file() or not (folder / NETWORK_FILE).is_file():
        return f"the model must be in {folder}, got none; install semeq again"
    if find_spec("onnxruntime") is None:
        return "the audio encoder needs onnxruntime: pip install onnxruntime"
    return ""


def _load(loader: Callable[[Path], Model]) -> Model:
    place = files("semeq.presets") / MODEL_FOLDER
    if not (place / ARRAYS_FILE).is_file():
        raise DataError(f"the model must be in {place}, got none; install semeq again")
    with as_file(place) as folder:
        return loader(Path(folder))
