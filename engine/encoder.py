"""The audio encoder at run time: a window of sound to a latent, by onnxruntime; and what goes with it.

Conventions
-----------
A model is a folder of three files: ``encoder.onnx`` (sound in, latent and long-term spectrum out, the front
end inside), ``network.onnx`` (the same without the front end: band levels in, for whoever computes them
as the sound arrives, see `semeq.engine.frontend`) and ``arrays.npz`` (decoder, latents of words, and notes in
JSON; plain arrays, no pickle).
A window is ``(frames, channels)`` at any rate from 44.1 kHz on, `SHORTEST_FRAMES` or longer: 2 to 3 s are
meant. The level of a window changes nothing. Latents of successive windows may be averaged: the mean is
surer than each.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from semeq.engine.errors import DataError, SettingsError
from semeq.engine.frontend import BANDS, Levels
from semeq.engine.units import Audio, Floats, read_only

FORMAT = "semeq-model-1"
ENCODER_FILE, NETWORK_FILE, ARRAYS_FILE = "encoder.onnx", "network.onnx", "arrays.npz"
LATENT = 32
#: Where the factors of a model's boldness hold (Hz); straight lines over log-frequency between them.
BOLDNESS_HZ = (100.0, 1000.0, 8000.0)
BOLDEST = 4.0
#: What the front end's first frame takes.
SHORTEST_FRAMES = 4096
#: Frames of band levels that the network compares with each other.
FEWEST_LEVELS = 4
LOWEST_FS = 44_100.0
#: Full scale is 1; a window below this rms says nothing.
SILENCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What the encoder makes of a window.

    Parameters
    ----------
    z : Floats
        The latent of the curve that was put on the sound, as far as it can be told, shape ``(32,)``.
    spectrum_db : Floats
        The long-term spectrum on the model's grid, shape ``(n,)``, in dB relative to the window's level;
        pink noise is flat.
    """

    z: Floats
    spectrum_db: Floats


class Model:
    """A loaded model; make one with `semeq.engine.model_file.load_model`.

    Parameters
    ----------
    session : object
        The onnxruntime session.
    freqs_hz : Floats
        Grid of the curves, shape ``(n,)``.
    decoder : Floats
        Curves in dB of unit latents, shape ``(32, n)``.
    words : Mapping of str to Floats
        Latents of words.
    notes : Mapping
        What made it: hashes of configuration and data, figures.
    network : object, optional
        The onnxruntime session of the encoder without its front end.
    """

    def __init__(
        self,
        session: Any,  # noqa: ANN401 (onnxruntime has no types)
        freqs_hz: Floats,
        decoder: Floats,
        words: Mapping[str, Floats],
        notes: Mapping[str, Any],
        network: Any = None,  # noqa: ANN401
    ) -> None:
        self._session, self._network = session, network
        self.freqs_hz, self.decoder = freqs_hz, decoder
        self.words, self.notes = words, notes
        self._typical: dict[str, Floats] = {}
        self._boldness = read_only(boldness_at(notes.get("boldness", 1.0), freqs_hz))

    def hear(self, window: Audio, fs: float) -> Heard:
        """Return the latent and the long-term spectrum of a window ``(frames, channels)``.

        A silent window gives a latent of 0: nothing is known of it.

        Raises
        ------
        SettingsError
            If the window is too short, not finite, or its rate too low.
        DataError
            If what the network answers is not finite.
        """
        if window.ndim != 2 or len(window) < SHORTEST_FRAMES or window.shape[1] < 1:
            raise SettingsError(
                f"window must be (frames, channels) with {SHORTEST_FRAMES} frames or more, "
                f"got {window.shape}"
            )
        if not (math.isfinite(fs) and fs >= LOWEST_FS):
            raise SettingsError(f"fs must be {LOWEST_FS:g} Hz or more, got {fs:g}: resample first")
        sound = np.ascontiguousarray(window.T, dtype=np.float32)
        # In double precision: a sum of float32 squares can overflow where no sample does.
        rms = math.sqrt(float(np.mean(np.square(sound, dtype=np.float64))))
        if not math.isfinite(rms):
            raise SettingsError("window must be finite, got NaN or infinity")
        if rms < SILENCE:
            return Heard(read_only(np.zeros(LATENT)), read_only(np.zeros(len(self.freqs_hz))))
        # One level for all: what is far below full scale would sink in the floor of the front end.
        inputs = {"audio": sound * np.float32(0.1 / rms), "fs": np.array(fs, dtype=np.float32)}
        return self._run(self._session, inputs, len(self.freqs_hz))

    def hear_levels(self, levels: Levels) -> Heard:
        """Return the latent and the long-term spectrum of frames from the front end.

        Parameters
        ----------
        levels : Levels
            In dB, shape ``(frames, 61)``, see `semeq.engine.frontend.BandStream`; `FEWEST_LEVELS` or more.

        Raises
        ------
        SettingsError
            If there are too few frames, or values that are not finite.
        DataError
            If the model has no network apart from the front end, or its answer is not finite.
        """
        if levels.ndim != 2 or len(levels) < FEWEST_LEVELS or levels.shape[1] != BANDS:
            raise SettingsError(
                f"levels must be (frames, {BANDS}) with {FEWEST_LEVELS} frames or more, "
                f"got {levels.shape}"
            )
        if not np.isfinite(levels).all():
            raise SettingsError("levels must be finite, got NaN or infinity")
        if self._network is None:
            raise DataError(f"the model must have {NETWORK_FILE}, got none; export it again")
        levels = np.ascontiguousarray(levels, dtype=np.float32)
        return self._run(self._network, {"levels": levels}, len(self.freqs_hz))

    @staticmethod
    def _run(session: Any, inputs: dict[str, npt.NDArray[Any]], points: int) -> Heard:  # noqa: ANN401
        z, spectrum = (
            np.asarray(one, dtype=np.float64) for one in session.run(["z", "spectrum_db"], inputs)
        )
        if z.shape != (LATENT,) or spectrum.shape != (points,):
            raise DataError(
                f"the network must answer ({LATENT},) and ({points},), got {z.shape} and {spectrum.shape}"
            )
        if not (np.isfinite(z).all() and np.isfinite(spectrum).all()):
            raise DataError("the network must answer in finite numbers, got NaN or infinity")
        return Heard(read_only(z), read_only(spectrum))

    def encode(self, window: Audio, fs: float = 48_000.0) -> Floats:
        """Return the latent of a window, shape ``(32,)``; see `hear`."""
        return self.hear(window, fs).z

    def decode(self, z: Floats) -> Floats:
        """Return the curve in dB that a latent stands for, shape ``(..., n)``; 0 is flat."""
        curve: Floats = z @ self.decoder
        return curve

    def typical(self, word: str) -> Floats:
        """Return the curve in dB that one of the model's words stands for, shape ``(n,)``, read-only."""
        if word not in self._typical:
            self._typical[word] = read_only(self.decode(self.words[word]))
        return self._typical[word]

    def put_on_db(self, z: Floats) -> Floats:
        """Return the curve in dB that was put on a sound, as boldly as the model is meant, ``(..., n)``.

        A network trained for the least squared error says too little of what it is unsure of, most of all in
        the bass. The notes' ``boldness`` makes up for it; level removed.
        """
        curve = self.decode(z) * self._boldness
        level_free: Floats = curve - curve.sum(axis=-1, keepdims=True) / curve.shape[-1]
        return level_free


def boldness_at(boldness: float | Sequence[float], freqs_hz: Floats) -> Floats:
    """Return a model's boldness at frequencies: one factor for all, or one each at `BOLDNESS_HZ`."""
    factors = np.broadcast_to(np.asarray(boldness, dtype=np.float64), len(BOLDNESS_HZ))
    at: Floats = np.interp(np.log(freqs_hz), np.log(BOLDNESS_HZ), factors)
    return at
