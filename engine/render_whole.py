"""A file that is heard as a whole: its mean latent, weighed with the energy of the windows, makes one EQ."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from semeq.engine.adaptive import Designer
from semeq.engine.encoder import Heard
from semeq.engine.listener import Listener
from semeq.engine.meaning import Meaning
from semeq.engine.render_adaptive import Adaption, Mind, beyond_the_words
from semeq.engine.units import Audio, Floats, read_only


@dataclass(frozen=True, slots=True)
class Overall:
    """What a whole file was heard as."""

    heard: Heard | None
    heard_share: float


def hear_whole(
    adaption: Adaption, mind: Mind, fs: float, channels: int, blocks: Iterable[Audio]
) -> Overall:
    """Return the mean of all windows in which there was sound, weighed with their energy."""
    listener = Listener(mind.model, fs, channels, adaption.listening)
    z: Floats = np.zeros(0)
    spectrum: Floats = np.zeros(0)
    total = hearings = with_sound = 0.0
    for block in blocks:
        for hearing in listener.feed(block):
            hearings += 1
            if hearing.is_held or hearing.raw is None:
                continue
            with_sound += 1
            energy = 10.0 ** (hearing.energy_db / 10.0)
            total += energy
            share = energy / total
            if not len(z):
                z, spectrum = np.zeros(len(hearing.raw.z)), np.zeros(len(hearing.raw.spectrum_db))
            z = z + share * (hearing.raw.z - z)
            spectrum = spectrum + share * (10.0 ** (hearing.raw.spectrum_db / 10.0) - spectrum)
    heard = None
    if len(z):
        level = read_only(10.0 * np.log10(np.maximum(spectrum, 1e-12)))
        heard = Heard(read_only(z), level)
    return Overall(heard, with_sound / hearings if hearings else 0.0)


def whole_settings(adaption: Adaption, mind: Mind, fs: float, heard: Heard | None) -> Meaning:
    """Return the one EQ for a file that was heard as a whole."""
    designer = Designer(mind.model, mind.vocabulary, fs, adaption.limits)
    made = designer.design(adaption.recipe, adaption.amount, adaption.adapt, heard, math.inf)
    return replace(made, warnings=beyond_the_words(made, adaption, mind.vocabulary))
