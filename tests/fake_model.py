"""Models that hear as they are told: at the edge of the listener, where the encoder would be."""

import threading
import time
from types import MappingProxyType

import numpy as np

from semeq.engine.encoder import LATENT, Heard, Model
from semeq.engine.errors import MissingPackageError
from semeq.engine.frontend import GRID_HZ, Levels
from semeq.presets.shipped_model import load_shipped_model


class FakeModel(Model):
    """Hears the mean level of a window in the first latent; does what `before` does first."""

    def __init__(self, before: object = None) -> None:
        decoder = np.zeros((LATENT, len(GRID_HZ)))
        decoder[0] = np.linspace(-1.0, 1.0, len(GRID_HZ))
        super().__init__(None, GRID_HZ, decoder, MappingProxyType({}), MappingProxyType({}))
        self.before = before

    def hear_levels(self, levels: Levels) -> Heard:
        if callable(self.before):
            self.before()
        z = np.zeros(LATENT)
        z[0] = float(levels.mean())
        return Heard(z, levels.mean(axis=0).astype(np.float64))


def load_plain() -> Model:
    return FakeModel()


def load_missing() -> Model:
    raise MissingPackageError("the audio encoder needs onnxruntime: pip install onnxruntime")


def load_broken() -> Model:
    raise RuntimeError("out of luck")


class Moody(Model):
    """The shipped model, but late or stuck when `mood` says so."""

    def __init__(self) -> None:
        shipped = load_shipped_model()
        super().__init__(None, shipped.freqs_hz, shipped.decoder, shipped.words, shipped.notes)
        self._shipped = shipped
        self.late_s = 0.0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.heard = 0

    def hear_levels(self, levels: Levels) -> Heard:
        time.sleep(self.late_s)
        self.may_go_on.wait()
        self.heard += 1
        return self._shipped.hear_levels(levels)
