"""From trained networks to what the engine loads: ONNX with the front end inside, and plain arrays."""

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from semeq.engine.atomic import Replacement
from semeq.engine.encoder import ARRAYS_FILE, ENCODER_FILE, FORMAT, NETWORK_FILE
from semeq.engine.errors import DataError
from semeq.engine.model_check import write_check
from semeq.engine.model_file import load_model
from semeq.engine.units import Floats
from semeq.engine.words import Vocabulary
from semeq.training.features import (
    FFT_SIZE,
    HOP,
    POWER_FLOOR,
    UNIT_DB,
    long_term_db,
    normalised,
    weights_for,
)
from semeq.training.models import AudioEncoder, EQAutoencoder
from semeq.training.words import GRID_HZ

OPSET = 17
#: How far the exported encoder may be from torch.
PARITY = 1e-4
#: Sounds that parity is measured on: seconds, rate in Hz, channels, level.
PROBES = ((3.0, 48_000.0, 2, 0.1), (2.0, 44_100.0, 1, 0.001), (2.5, 96_000.0, 1, 0.5))


class SoundEncoder(torch.nn.Module):
    """Front end and encoder in one: ``(channels, time)`` and a rate to a latent and a spectrum."""

    def __init__(self, encoder: AudioEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.register_buffer("window", torch.hann_window(FFT_SIZE))

    def forward(self, audio: torch.Tensor, fs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the latent ``(32,)`` and the long-term spectrum ``(61,)`` in dB."""
        window = self.get_buffer("window")
        # Real and imaginary parts, since ONNX has no complex numbers.
        spectrum = torch.stft(
            audio, FFT_SIZE, HOP, window=window, center=False, return_complex=False
        )
        power = (spectrum**2).sum(dim=-1).mean(dim=0) / torch.sum(window**2)
        levels = 10.0 * torch.log10(weights_for(fs) @ power + POWER_FLOOR)
        levels = levels.T[None]
        long_term = long_term_db(normalised(levels) * UNIT_DB)
        return self.encoder(levels)[0], long_term[0]


def without_front_end(encoder: bytes) -> bytes:
    """Return the network of an exported encoder: band levels ``(frames, 61)`` in dB to the same outputs.

    Raises
    ------
    DataError
        If the encoder does not start with a front end.
    """
    import onnx
    from onnx.utils import Extractor

    model = onnx.load_from_string(encoder)
    nodes = [node.op_type for node in model.graph.node]
    try:
        # Levels are the first thing that is turned over after the logarithm.
        at = nodes.index("Transpose", nodes.index("Log"))
        levels = model.graph.node[at].output[0]
        float32 = onnx.TensorProto.FLOAT
        model.graph.value_info.append(
            onnx.helper.make_tensor_value_info(levels, float32, ["frames", len(GRID_HZ)])
        )
        network = Extractor(model).extract_model([levels], ["z", "spectrum_db"])
    except (ValueError, onnx.checker.ValidationError) as error:
        raise DataError(f"the encoder must have a front end, got {error}") from error
    network.graph.input[0].name = "levels"
    for node in network.graph.node:
        for index, name in enumerate(node.input):
            if name == levels:
                node.input[index] = "levels"
    onnx.checker.check_model(network)
    content: bytes = network.SerializeToString()
    return content


def word_latents(decoder: Floats, vocabulary: Vocabulary) -> Floats:
    """Return the latents whose curves are nearest to the words' own, shape ``(words, 32)``.

    Parameters
    ----------
    decoder : Floats
        Curves of unit latents, shape ``(32, n)``.
    vocabulary : Vocabulary
        Its words.
    """
    curves = np.array([word.curve_db for word in vocabulary.words.values()])
    latents: Floats = np.linalg.lstsq(decoder.T, curves.T, rcond=None)[0].T
    return latents


def export_model(
    encoder: AudioEncoder,
    autoencoder: EQAutoencoder,
    vocabulary: Vocabulary,
    folder: Path,
    *,
    notes: dict[str, Any],
) -> float:
    """Write a model that `semeq.engine.model_file.load_model` loads.

    Returns
    -------
    float
        The largest difference between its latents and torch's on `PROBES`.

    Raises
    ------
    DataError
        If that is more than `PARITY`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sound = SoundEncoder(encoder.cpu().eval()).eval()
    with torch.no_grad():
        decoder = autoencoder.cpu().decode(torch.eye(32)).double().numpy()
    arrays: dict[str, npt.NDArray[Any]] = {
        "freqs_hz": vocabulary.freqs_hz,
        "decoder": decoder.astype(np.float32),
        "word_latents": word_latents(decoder, vocabulary).astype(np.float32),
        "notes": np.array(json.dumps({**notes, "format": FORMAT, "words": list(vocabulary.words)})),
    }
    with tempfile.TemporaryDirectory(prefix="semeq-export-") as place:
        path = Path(place) / ENCODER_FILE
        with warnings.catch_warnings():
            # The exporter that needs no further package; it says that it is the older one.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                sound,
                (torch.randn(2, 48_000), torch.tensor(48_000.0)),
                str(path),
                dynamo=False,
                opset_version=OPSET,
                input_names=["audio", "fs"],
                output_names=["z", "spectrum_db"],
                dynamic_axes={"audio": {0: "channels", 1: "time"}},
            )
        content = path.read_bytes()
    network = without_front_end(content)
    for name, write in (
        (ENCODER_FILE, lambda file: file.write(content)),
        (NETWORK_FILE, lambda file: file.write(network)),
        (ARRAYS_FILE, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays)),
    ):
        with Replacement(folder / name, overwrite=True) as new:
            write(new.file)
            new.commit()
    parity = largest_difference(sound, folder)
    if not parity <= PARITY:
        raise DataError(f"the exported encoder must be within {PARITY:g} of torch, got {parity:g}")
    write_check(folder)
    return parity


def largest_difference(sound: SoundEncoder, folder: Path) -> float:
    """Return the largest difference between a model's latents and torch's on `PROBES`."""
    model = load_model(folder)
    worst = 0.0
    for seconds, fs, channels, level in PROBES:
        rng = np.random.default_rng(round(fs))
        noise = np.cumsum(rng.normal(size=(int(seconds * fs), channels)), axis=0)
        noise -= noise.mean(axis=0)
        noise *= level / np.sqrt(np.mean(noise**2))
        window = noise.astype(np.float32)
        heard = model.hear(window, fs)
        with torch.no_grad():
            scaled = torch.from_numpy(np.ascontiguousarray(window.T) * np.float32(0.1 / level))
            z, _ = sound(scaled, torch.tensor(fs))
        worst = max(worst, float(np.abs(heard.z - z.double().numpy()).max()))
    return worst
