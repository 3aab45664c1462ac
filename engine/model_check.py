"""What a model answers to one known sound, stored beside it: whether it still hears as it did.

A library, a processor or a damaged file that changes what the encoder says is found by this, and by nothing
else: a network always says something. Both of its entrances are asked, the whole encoder and the network
behind the front end, on which live sessions rely.
"""

import json
from pathlib import Path

import numpy as np

from semeq.engine.arrays import DAMAGE, reason
from semeq.engine.atomic import write_text
from semeq.engine.encoder import LATENT, Model
from semeq.engine.errors import DataError
from semeq.engine.frontend import BandStream
from semeq.engine.model_file import load_model
from semeq.engine.texts import load_json, read_limited
from semeq.engine.units import Audio, Floats

CHECK_FILE = "check.json"
FORMAT = "semeq-model-check-1"
FS, SECONDS = 48_000.0, 2.0
#: How far an answer may be from the stored one, of some 0.6. The two entrances differ by 4e-7 on one machine.
TOLERANCE = 1e-3
_LARGEST = 65_536


def known_sound() -> Audio:
    """Return the sound that is asked about, ``(96000, 2)``: swelling tones, the same on every machine."""
    t = np.arange(round(SECONDS * FS)) / FS
    sound = np.zeros((len(t), 2))
    for number, freq_hz in enumerate(np.geomspace(30.0, 18_000.0, 64)):
        swell = 1.0 + 0.8 * np.sin(2.0 * np.pi * (0.5 + 0.11 * number) * t + number)
        tone = swell * np.sin(2.0 * np.pi * freq_hz * t + 1.7 * number) / np.sqrt(freq_hz)
        sound[:, number % 2] += tone
        sound[:, 1 - number % 2] += 0.5 * tone
    scaled: Audio = (0.3 * sound / np.abs(sound).max()).astype(np.float32)
    return scaled


def answers(model: Model) -> Floats:
    """Return the latents of `known_sound`, shape ``(2, 32)``: by the encoder, and by the network alone."""
    sound = known_sound()
    levels = BandStream(FS, sound.shape[1]).feed(sound)
    return np.stack([model.hear(sound, FS).z, model.hear_levels(levels).z])


def write_check(folder: Path) -> None:
    """Store what the model in `folder` says now, beside it.

    Raises
    ------
    DataError
        If it does not load.
    AudioFileError
        If the file cannot be written.
    """
    said = np.round(answers(load_model(folder)), 7)
    text = json.dumps({"format": FORMAT, "latents": said.tolist()})
    write_text(folder / CHECK_FILE, text + "\n")


def deviation(model: Model, folder: Path) -> float | None:
    """Return how far the model's answers are from those stored in `folder`; None where none are.

    Raises
    ------
    DataError
        If the stored answers are damaged.
    """
    path = folder / CHECK_FILE
    try:
        content = load_json(read_limited(path, _LARGEST))
        stored = np.array(content["latents"], dtype=np.float64)
        if content["format"] != FORMAT or stored.shape != (2, LATENT):
            raise ValueError(f"shape {stored.shape}")
        if not np.isfinite(stored).all():
            raise ValueError("numbers that are not finite")
    except FileNotFoundError:
        return None
    except DAMAGE as error:
        raise DataError(f"{path} must hold a model's answers, got {reason(error)}") from None
    return float(np.abs(answers(model) - stored).max())
