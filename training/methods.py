"""What can be judged: anything that answers a word with an equaliser curve.

`Method` is asked about one sound. `BatchMethod` is asked about many clips at once, which is how the
evaluation asks (thousands of times); `as_batch` makes the first into the second, by rendering
every clip. A method that needs long-term spectra only derives from `SpectralMethod` and is both.

Conventions
-----------
A curve is in dB on the vocabulary's grid (`GRID_HZ`, 61 points), broadband level removed, and is put on the
sound as it is: amount 1 is the word at its natural strength, amount 0 changes nothing, a negative amount
asks for the reverse of the word. What else a method may offer is a protocol each: `Blender`, `SelfScorer`,
`Detector`, `Learner`; a method that knows few words says which in ``words``.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from semeq.engine.units import Audio, Floats
from semeq.training.clips import Clips


@runtime_checkable
class Method(Protocol):
    """A method that is asked about one sound."""

    @property
    def name(self) -> str:
        """What tables and figures call it."""

    def curve_db(self, word: str, amount: float, audio: Audio, fs: float) -> Floats:
        """Return its curve in dB, shape ``(61,)``, for ``audio`` of shape ``(frames, channels)``."""


@runtime_checkable
class BatchMethod(Protocol):
    """A method that is asked about many clips at once."""

    @property
    def name(self) -> str:
        """What tables and figures call it."""

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        """Return one curve in dB a clip, shape ``(len(clips), 61)``."""


class SpectralMethod(ABC):
    """Base of methods that look at nothing but long-term spectra: both a `Method` and a `BatchMethod`."""

    name: str
    words: Collection[str] | None = None

    @abstractmethod
    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        """Return one curve in dB a clip, shape ``(len(clips), 61)``."""

    def curve_db(self, word: str, amount: float, audio: Audio, fs: float) -> Floats:
        """Return the curve for one sound, shape ``(61,)``."""
        curve: Floats = self.curves_db(word, amount, Clips.of_audio(audio, fs))[0]
        return curve


@runtime_checkable
class Blender(Protocol):
    """A method that can be asked for several words at once."""

    def blends_db(self, weights: Mapping[str, float], clips: Clips) -> Floats:
        """Return one curve in dB a clip for weighted words, shape ``(len(clips), 61)``."""


@runtime_checkable
class SelfScorer(Protocol):
    """A method that says itself how much a sound is as a word says: its encoder's own score."""

    def own_scores(self, word: str, clips: Clips) -> Floats:
        """Return one score a clip, higher for more, shape ``(len(clips),)``."""


@runtime_checkable
class Detector(Protocol):
    """A method that estimates the curve which was put on a sound."""

    def put_on_db(self, clips: Clips) -> Floats:
        """Return one estimate in dB a clip, shape ``(len(clips), 61)``."""


@runtime_checkable
class Learner(Protocol):
    """A method whose words can be learned anew from some people, so that the others can judge it."""

    def learn(self, curves: Mapping[str, Floats]) -> None:
        """Take words from the mean curves ``(61,)`` of people."""


class _OneByOne:
    """Renders each clip and asks about its sound."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self.name = method.name
        self.words: Collection[str] | None = getattr(method, "words", None)

    def curves_db(self, word: str, amount: float, clips: Clips) -> Floats:
        sounds = (clips.audio(k) for k in range(len(clips)))
        return np.array([self._method.curve_db(word, amount, audio, fs) for audio, fs in sounds])


def known_words(method: object, words: Sequence[str]) -> tuple[str, ...]:
    """Return those of `words` that a method knows: all, unless it has a collection ``words``."""
    known: Collection[str] | None = getattr(method, "words", None)
    return tuple(word for word in words if known is None or word in known)


def as_batch(method: Method | BatchMethod) -> BatchMethod:
    """Return `method` as one that is asked about many clips at once."""
    return method if isinstance(method, BatchMethod) else _OneByOne(method)
