"""Finds and loads the model that ships with semeq."""

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from semeq.engine.encoder import ARRAYS_FILE, Model, load_model
from semeq.engine.errors import DataError

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
    place = files("semeq.presets") / MODEL_FOLDER
    if not (place / ARRAYS_FILE).is_file():
        raise DataError(f"the model must be in {place}, got none; install semeq again")
    with as_file(place) as folder:
        return load_model(Path(folder))
