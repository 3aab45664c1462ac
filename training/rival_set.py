"""All rivals of one seed, made from the people of its fold."""

from collections.abc import Sequence
from pathlib import Path

from semeq.engine.units import Floats
from semeq.presets.library import shipped_vocabulary
from semeq.training.eq_sets import EqSet, read_people
from semeq.training.methods import BatchMethod, Method
from semeq.training.people import SALT, Fold, fold, trains
from semeq.training.rivals import (
    ConstantCurve,
    Identity,
    RandomEQ,
    SpectrumMatch,
    TargetOnly,
    vocabulary_curves,
)


def salt_of(seed: int) -> str:
    """Return the salt that splits people at a seed; seed 0 is the split of training."""
    return SALT if seed == 0 else f"{SALT}-{seed}"


class RivalSet:
    """Makes the rivals.

    Parameters
    ----------
    typical_db : Floats
        The typical spectrum of music that is not judged, shape ``(61,)``.
    people : Path or None
        Folder with the human data; None: the curves that ship with semeq, and no people held out.
    flow_epochs : int
        Epochs of flowEQ's VAE; 0 leaves it out.
    """

    def __init__(self, typical_db: Floats, people: Path | None, *, flow_epochs: int = 25) -> None:
        self._typical = typical_db
        self._flow_epochs = flow_epochs
        self._vocabulary = shipped_vocabulary()
        self._sets: tuple[EqSet, ...] = () if people is None else read_people(people)

    def fold(self, seed: int) -> Fold | None:
        """Return the people of a seed."""
        return fold(self._sets, salt_of(seed)) if self._sets else None

    def __call__(self, seed: int, people: Fold | None) -> Sequence[Method | BatchMethod]:
        """Return the rivals of a seed."""
        curves = vocabulary_curves(self._vocabulary)
        if people is not None:
            # A word that only held-out people gave keeps nothing of theirs: it is not known.
            curves = people.curves()
        methods: list[Method | BatchMethod] = [
            Identity(),
            RandomEQ(curves, seed),
            ConstantCurve(curves),
            SpectrumMatch(curves, self._typical),
            TargetOnly(curves),
        ]
        for method in methods:
            if isinstance(method, ConstantCurve | SpectrumMatch | RandomEQ):
                method.words = frozenset(curves)
        if self._flow_epochs and self._sets:
            # torch takes seconds to import: only who asks for flowEQ waits.
            from semeq.training.flow_eq import FlowConfig, train_flow_eq

            safe = self._sets[0]
            keep = [trains(safe, k, salt_of(seed)) for k in range(len(safe))]
            config = FlowConfig(epochs=self._flow_epochs, seed=seed)
            methods += train_flow_eq(safe, keep, config)
        return methods
