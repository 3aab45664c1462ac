"""What a conductor makes the bands with, and what it made of them: frozen values for all who look on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from semeq.engine.design import DEFAULT_DESIGN
from semeq.engine.encoder import Model
from semeq.engine.howl_guard import NO_DUCK, Duck
from semeq.engine.limits import Limits
from semeq.engine.settings import EQSettings
from semeq.engine.words import Vocabulary
from semeq.realtime.ear import Report
from semeq.realtime.governor import NO_RELIEF, Relief
from semeq.realtime.through import Through

#: Said where somebody asks for it all the same.
NO_DELTA = "what a plugin changes as the EQ cannot be heard alone: only semeq's own bands can"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was last published, in words: for the view, the status and the log.

    Two plans are equal that sound the same, whatever is said with them.
    """

    recipe: str = ""
    amount: float = 1.0
    adapt: float = 0.0
    settings: EQSettings = field(default_factory=EQSettings.flat)
    gain_db: float = 0.0
    bypass: bool = False
    delta: bool = False
    warnings: tuple[str, ...] = field(default=(), compare=False)
    relief: Relief = NO_RELIEF
    is_through: bool = False
    duck: Duck = NO_DUCK

    @property
    def is_dry(self) -> bool:
        """Whether the input is heard as it is: a person wants it so, or there is no time for more."""
        return self.bypass or self.relief.is_bypassed

    @property
    def own(self) -> EQSettings:
        """The bands of our own EQ: flat where a plugin is the EQ."""
        return EQSettings.flat() if self.is_through else self.settings

    def notes(self) -> dict[str, Any]:
        """Return what the log keeps beside the numbers."""
        return {
            "recipe": self.recipe,
            "amount": self.amount,
            "adapt": self.adapt,
            "gain_db": self.gain_db,
            "bands": self.own.as_dicts(),
        }


@dataclass(frozen=True, slots=True)
class Means:
    """What the meaning of a recipe is made with.

    Parameters
    ----------
    vocabulary : Vocabulary
        What the words mean.
    model : Model or None
        Decoder and latents, for a recipe that adapts to what is heard; None for typical moves alone.
    limits : Limits
        How far and how fast the sound may move the bands; locks and trims come from the desk.
    heard : callable
        Returns what the encoder heard last, or None; see `semeq.realtime.worker.Worker.latest`.
    design : str
        How bands become filters, see `semeq.engine.design.DESIGNERS`.
    through : Through, optional
        Turns the plugin that is the EQ instead of ours.
    """

    vocabulary: Vocabulary
    model: Model | None = None
    limits: Limits = field(default_factory=Limits)
    heard: Callable[[], Report | None] = lambda: None
    design: str = DEFAULT_DESIGN
    through: Through | None = None
