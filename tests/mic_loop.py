"""A microphone before a loudspeaker: a simulated loop with a delay and a room that favours one frequency."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import iirpeak, lfilter

from semeq.engine.chain import Chain
from semeq.engine.units import Floats

#: What the room gives back at any other frequency, as a share of what it gives back at its favourite.
ELSEWHERE = 0.25
#: How wide the favourite is, Hz.
WIDTH_HZ = 25.0
_BLOCK = 64


def constant(value: float, from_s: float = 0.0) -> Callable[[float], float]:
    """Return a loop gain that is `value` from a moment on, and 0 before."""
    return lambda t_s: value if t_s >= from_s else 0.0


def whole_rounds_hz(freq_hz: float, round_s: float) -> float:
    """Return the nearest frequency at which a round takes a whole number of periods: there a loop howls."""
    return max(1, round(freq_hz * round_s)) / round_s


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """What was heard in the room: the microphone, the loudspeaker, the programme alone, ``(frames,)``."""

    microphone: Floats
    speaker: Floats
    programme: Floats
    fs: float
    freq_hz: float

    def narrow_and_growing(self) -> np.ndarray:
        """Return for each frame whether the loop's tone is a howl by definition.

        It holds more than half of the power, is above -50 dBFS, and has grown by 9 dB within the last second.
        Levels are means over 40 ms around the frame.
        """
        size = round(0.04 * self.fs)
        mean = np.ones(size) / size
        tone = np.convolve((self.microphone - self.programme) ** 2, mean, "same").clip(1e-12)
        rest = np.convolve(self.programme**2, mean, "same")
        step = size // 4
        level_db = 10.0 * np.log10(tone[::step])
        back = round(self.fs / step)
        before = np.lib.stride_tricks.sliding_window_view(
            np.pad(level_db, (back, 0), constant_values=level_db[0]), back + 1
        ).min(axis=1)
        grown = np.repeat(level_db >= before + 9.0, step)[: len(tone)]
        return grown & (tone > rest) & (tone > 0.5e-5)

    def delay_s(self, frame: int) -> float:
        """Return for how long, without a break, there has been a howl at this frame, s."""
        howls = self.narrow_and_growing()[:frame][::-1]
        return (len(howls) if howls.all() else int(howls.argmin())) / self.fs


def play(
    programme: Floats,
    fs: float,
    freq_hz: float,
    gain: Callable[[float], float],
    delay_s: float,
    guard: Callable[[Floats], float] | None = None,
) -> Played:
    """Play a programme before the microphone; `gain` is what the loop gives back on each round.

    Parameters
    ----------
    freq_hz : float
        The room's favourite; the nearest at which a round takes a whole number of periods is taken.
    guard : callable, optional
        Hears each block of 64 frames of the microphone and returns the gain of the loudspeaker.
    """
    late = round(delay_s * fs)
    freq_hz = whole_rounds_hz(freq_hz, late / fs)
    b, a = iirpeak(freq_hz, freq_hz / WIDTH_HZ, fs=fs)
    state = np.zeros(2)
    chain = Chain(fs, 1, ceiling_db=0.0)
    frames = len(programme) // _BLOCK * _BLOCK
    microphone, speaker = np.zeros(frames), np.zeros(frames + late)
    level = 1.0
    for at in range(0, frames, _BLOCK):
        heard = speaker[at : at + _BLOCK]
        favourite, state = lfilter(b, a, heard, zi=state)
        back = ELSEWHERE * heard + (1.0 - ELSEWHERE) * favourite
        block = programme[at : at + _BLOCK] + gain(at / fs) * back
        microphone[at : at + _BLOCK] = block
        sound = chain.process(block.astype(np.float32)[:, None])[:, 0]
        before = level
        level = 1.0 if guard is None else guard(block)
        fade = before + (level - before) * np.arange(1, _BLOCK + 1) / _BLOCK
        speaker[at + late : at + late + _BLOCK] = fade * sound
    return Played(microphone, speaker[late:], programme[:frames], fs, freq_hz)
