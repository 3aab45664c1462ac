"""Loads a model from its folder: everything in it is checked before it is used.

A model may come from anybody. Its arrays are read without unpickling and within a size
(`semeq.engine.arrays`), its networks may hold nothing but a plain graph of finite numbers
(`semeq.engine.network_file`), every shape must fit every other, and both networks have to answer a short
sound in finite numbers before anybody hears with them.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from semeq.engine.arrays import DAMAGE, read_arrays, reason
from semeq.engine.encoder import (
    ARRAYS_FILE,
    BOLDEST,
    ENCODER_FILE,
    FEWEST_LEVELS,
    FORMAT,
    LATENT,
    LOWEST_FS,
    NETWORK_FILE,
    SHORTEST_FRAMES,
    Model,
    boldness_at,
)
from semeq.engine.errors import DataError, MissingPackageError
from semeq.engine.frontend import BANDS
from semeq.engine.network_file import MOST_BYTES, check_network
from semeq.engine.texts import load_json
from semeq.engine.units import Floats, read_only

#: What the arrays of a model may take, and how large their numbers may be: dB, and latents.
_MOST_ARRAY_BYTES, _LARGEST = 64 << 20, 1e3


def load_model(folder: Path, *, threads: int = 1) -> Model:
    """Load the model in a folder.

    Parameters
    ----------
    folder : Path
        With `ENCODER_FILE`, `ARRAYS_FILE` and, for `Model.hear_levels`, `NETWORK_FILE`.
    threads : int
        How many threads a window may take.

    Raises
    ------
    DataError
        If a file is missing, damaged or of another format.
    MissingPackageError
        If onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPackageError(
            "the audio encoder needs onnxruntime: pip install onnxruntime"
        ) from error
    arrays, notes = _read_arrays(folder / ARRAYS_FILE)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4  # what goes wrong is said by us, in one line

    def session(name: str, *inputs: str) -> Any:  # noqa: ANN401 (onnxruntime has no types)
        try:
            with (folder / name).open("rb") as file:
                content = file.read(MOST_BYTES + 1)
            check_network(content)
            # without the fallback, which prints what went wrong and tries the same again
            loaded = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
            names = {item.name for item in (*loaded.get_inputs(), *loaded.get_outputs())}
            if names != {*inputs, "z", "spectrum_db"}:
                raise ValueError(f"inputs and outputs {sorted(names)}")
        # onnxruntime's own errors share no base but RuntimeError and Exception.
        except Exception as error:
            raise DataError(
                f"{folder / name} must be semeq's encoder, got {reason(error)}"
            ) from error
        return loaded

    encoder = session(ENCODER_FILE, "audio", "fs")
    network = session(NETWORK_FILE, "levels") if (folder / NETWORK_FILE).exists() else None
    model = _model(arrays, notes, encoder, network)
    _try_out(model, folder)
    return model


def _try_out(model: Model, folder: Path) -> None:
    """Let both networks hear the least there is: shapes inside them may not fit, answers not be numbers."""
    t = np.arange(SHORTEST_FRAMES, dtype=np.float32)
    sound = np.sin(0.001 * t * np.sqrt(t))[:, None]
    levels = np.full((FEWEST_LEVELS, BANDS), -40.0, dtype=np.float32)
    levels += np.sin(np.arange(levels.size, dtype=np.float32)).reshape(levels.shape)
    try:
        model.hear(sound, LOWEST_FS)
        if (folder / NETWORK_FILE).exists():
            model.hear_levels(levels)
    except Exception as error:  # as above
        raise DataError(f"{folder} must hold a model that hears, got {reason(error)}") from error


def load_tables(folder: Path) -> Model:
    """Load decoder and words alone: a model that means something but cannot hear; needs no onnxruntime.

    Raises
    ------
    DataError
        If the file is missing, damaged or of another format.
    """
    return _model(*_read_arrays(folder / ARRAYS_FILE), None, None)


def _model(
    arrays: Mapping[str, Floats],
    notes: Mapping[str, Any],
    encoder: Any,  # noqa: ANN401
    network: Any,  # noqa: ANN401
) -> Model:
    words = {
        name: read_only(z) for name, z in zip(notes["words"], arrays["word_latents"], strict=True)
    }
    return Model(
        encoder,
        read_only(arrays["freqs_hz"]),
        read_only(arrays["decoder"]),
        MappingProxyType(words),
        MappingProxyType(notes),
        network,
    )


def _read_arrays(path: Path) -> tuple[dict[str, Floats], dict[str, Any]]:
    names = ("freqs_hz", "decoder", "word_latents")
    try:
        stored = read_arrays(path, ("notes", *names), most_bytes=_MOST_ARRAY_BYTES)
        notes = load_json(str(stored["notes"]))
        arrays = {name: stored[name].astype(np.float64) for name in names}
        if notes["format"] != FORMAT:
            raise ValueError(f"format {notes['format']}")
        words = notes["words"]
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError("words that are no list of text")
        points = arrays["freqs_hz"].size
        shapes = {
            "freqs_hz": (points,),
            "decoder": (LATENT, points),
            "word_latents": (len(words), LATENT),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape:
                raise ValueError(f"{name} of shape {arrays[name].shape}")
            if not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} that is not finite")
        freqs_hz = arrays["freqs_hz"]
        if points < 2 or not (freqs_hz[0] > 0.0 and np.all(np.diff(freqs_hz) > 0.0)):
            raise ValueError("frequencies that do not ascend")
        for name in ("decoder", "word_latents"):
            if not np.all(np.abs(arrays[name]) <= _LARGEST):
                raise ValueError(f"{name} beyond ±{_LARGEST:g}")
        bold = boldness_at(notes.get("boldness", 1.0), freqs_hz)
        if not ((bold >= 0.0) & (bold <= BOLDEST)).all():
            raise ValueError(f"boldness {notes['boldness']}")
    except DAMAGE as error:
        raise DataError(
            f"{path} must hold the arrays of a semeq model, got {reason(error)}"
        ) from error
    return arrays, notes
