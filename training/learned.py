"""Networks in training as methods that can be judged within seconds.

`semeq.training.model_method` asks the files that users load, about sound. `LevelMethod` asks the networks
themselves about thousands of clips: a clip's curve is added to the band levels of its crop, decoded
once, and the encoder sees those. Both go through `semeq.engine.morph.make_move`. The literal formula of the
literature, ``decode(z_morphed)`` without taking off where the sound is, is there as `literal`.
"""

from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch

from semeq.engine.encoder import boldness_at
from semeq.engine.hold import HOLD
from semeq.engine.morph import make_move
from semeq.engine.units import Floats
from semeq.training.clips import Clips
from semeq.training.features import UNIT_DB, log_bands, long_term_db, normalised
from semeq.training.human import without_level
from semeq.training.models import AudioEncoder, EQAutoencoder
from semeq.training.spectra import FREQS_HZ, Spectra
from semeq.training.words import GRID_HZ

#: The longest crop that is looked at, in frames of the front end (8 s at 44.1 kHz).
FRAMES = 340
_BATCH = 64
_TO_GRID = np.array(
    [np.interp(np.log(GRID_HZ), np.log(FREQS_HZ), row) for row in np.eye(len(FREQS_HZ))]
)


class CropLevels:
    """Band levels of the crops of a `Spectra`, decoded when first asked for and kept."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, float], npt.NDArray[np.float16]] = {}

    def of(self, spectra: Spectra, k: int) -> npt.NDArray[np.float16]:
        """Return the levels of crop `k` in dB, shape ``(FRAMES, 61)``; a short crop is repeated."""
        place = (spectra.files[k], float(spectra.starts_s[k]))
        if place not in self._by_place:
            audio, fs = spectra.audio(k)
            levels = log_bands(torch.from_numpy(np.ascontiguousarray(audio.T)), fs).numpy()
            self._by_place[place] = np.resize(levels, (FRAMES, len(GRID_HZ))).astype(np.float16)
        return self._by_place[place]


class LevelMethod:
    """Networks as trained, asked about many clips at once by way of band levels.

    Parameters
    ----------
    encoder, autoencoder
        The networks.
    words_db : Mapping of str to Floats
        Curves of the words on the vocabulary's grid.
    levels : CropLevels
        Shared between methods that are asked about the same crops.
    name : str
        What tables call it.
    adapt, hold : float
        See `semeq.engine.morph`.
    boldness : float or sequence of float
        Factors on what is heard, see `semeq.engine.encoder.boldness_at`.
    literal : bool
        Apply ``h(z_morphed)`` itself, as the literature's formula says, instead of the difference.
    """

    def __init__(
        self,
        encoder: AudioEncoder,
        autoencoder: EQAutoencoder,
        words_db: Mapping[str, Floats],
        levels: CropLevels,
        *,
        name: str,
        adapt: float = 1.0,
        hold: float = HOLD,
        boldness: float | Sequence[float] = 1.0,
        literal: bool = False,
    ) -> None:
        self.name = name
        self.adapt, self.hold, self.literal = adapt, hold, literal
        self._boldness = boldness_at(boldness, GRID_HZ)
        self._encoder, self._autoencoder = encoder.eval(), autoencoder.eval()
        self._words, self._levels = words_db, levels
        self._heard: WeakKeyDictionary[Clips, tuple[Floats, Floats]] = WeakKeyDictionary()

    def heard(self, clips: Clips) -> tuple[Floats, Floats]:
        """Return the found curves and the long-term spectra in dB, both ``(clips, 61)``."""
        found = self._heard.get(clips)
        if found is None:
            found = self._heard[clips] = self._hear(clips)
        return found

    @torch.no_grad()
    def _hear(self, clips: Clips) -> tuple[Floats, Floats]:
        put_on = (clips.put_on_db @ _TO_GRID).astype(np.float32)
        curves, spectra = [], []
        for at in range(0, len(clips), _BATCH):
            rows = range(at, min(at + _BATCH, len(clips)))
            levels = np.array(
                [self._levels.of(clips.spectra, int(clips.index[k])) for k in rows],
                dtype=np.float32,
            )
            x = torch.from_numpy(levels + put_on[at : at + _BATCH, None, :])
            curves.append(self._autoencoder.decode(self._encoder(x)).double().numpy())
            spectra.append(long_term_db(normalised(x) * UNIT_DB).double().numpy())
        return np.concatenate(curves), np.concatenate(spectra)

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        """Return one move a clip in dB, shape ``(clips, 61)``."""
        found, spectra = self.heard(clips)
        own = self._words[word]
        if self.literal:
            moved: Floats = found + abs(amount) * (np.sign(amount) * own - found)
            return moved
        return make_move(
            [(word, amount, own)],
            without_level(found * self._boldness),
            spectra,
            GRID_HZ,
            adapt=self.adapt,
            hold=self.hold,
        ).curve_db
