"""A crop: a few seconds of one recording, and what may be done to it before it is looked at.

Conventions
-----------
- Audio is ``(frames, channels)`` float32 at the rate of its file.
- All randomness comes from a NumPy generator that is passed in: the same generator, the same crop.
- Levels are rms over all channels in dB against full scale (a square wave at full scale reads 0).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from semeq.engine.errors import SettingsError
from semeq.engine.units import Audio, db_to_gain, gain_to_db

#: A crop below this says nothing about its colour.
QUIET_DB = -60.0


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A stretch of sound and where it comes from.

    Parameters
    ----------
    audio : Audio
        Shape ``(frames, channels)``.
    fs : float
        Sample rate in Hz.
    recording, package : str
        The track, and the artist, album or package that it belongs to.
    source : str
        Name of the data set in a mixture.
    genre : str
        Where it is known.
    view : str
        What of the recording is heard: "" for all of it, or a stem.
    """

    audio: Audio
    fs: float
    recording: str
    package: str
    source: str = ""
    genre: str = ""
    view: str = ""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.audio) / self.fs


def level_db(audio: Audio) -> float:
    """Return the rms level.

    >>> round(level_db(np.full((4, 2), 0.1, dtype=np.float32)), 2)
    -20.0
    """
    if not audio.size:
        return -200.0
    return gain_to_db(math.sqrt(float(np.mean(np.square(audio, dtype=np.float64)))))


def with_channels(audio: Audio, channels: int | None) -> Audio:
    """Return `audio` as 1 channel (the mean), as 2 (the first two, or one twice), or as it is."""
    if channels not in (None, 1, 2):
        raise SettingsError(f"channels must be 1, 2 or None (as decoded), got {channels}")
    if channels is None or audio.shape[1] == channels:
        return audio
    if channels == 1:
        return np.asarray(audio.mean(axis=1, keepdims=True), dtype=np.float32)
    return audio[:, :2] if audio.shape[1] > 2 else np.repeat(audio, 2, axis=1)


def cut(audio: Audio, frames: int, rng: Generator, *, quiet_db: float = QUIET_DB) -> Audio:
    """Return a random stretch of exactly `frames`, with silence behind where there is less.

    Of a few places the first that is not quiet is taken; if all are, the loudest.
    """
    spare = len(audio) - frames
    if spare <= 0:
        return np.pad(audio, ((0, -spare), (0, 0)))
    best, loudest = audio[:0], -math.inf
    # Always as many numbers from the generator, whatever the sound.
    for start in rng.integers(0, spare + 1, size=4):
        piece = audio[start : start + frames]
        level = level_db(piece)
        if level > loudest:
            best, loudest = piece, level
        if level >= quiet_db:
            break
    return best.copy()


def jittered(crop: Crop, rng: Generator, range_db: float) -> Crop:
    """Return `crop` at a level changed by up to ±`range_db`, uniform in dB.

    Floats do not clip; what the level was says nothing any more.
    """
    gain = db_to_gain(float(rng.uniform(-range_db, range_db)))
    return replace(crop, audio=crop.audio * np.float32(gain))


def resampled(crop: Crop, fs: float) -> Crop:
    """Return `crop` at another whole-numbered rate in Hz (polyphase, linear phase)."""
    if crop.fs == fs:
        return crop
    if not (fs >= 1.0 and fs == int(fs)):
        raise SettingsError(f"fs must be a whole number of Hz, got {fs:g}")
    # Imported here: half a second that most users of crops do not need.
    from scipy.signal import resample_poly

    common = math.gcd(int(crop.fs), int(fs))
    audio = resample_poly(crop.audio, int(fs) // common, int(crop.fs) // common, axis=0)
    frames = round(len(crop.audio) * fs / crop.fs)
    return replace(crop, audio=np.asarray(audio[:frames], dtype=np.float32), fs=float(fs))
