"""A short mix made of nothing but arithmetic: drums, bass, chords and a singing lead.

It is what ``semeq demo`` and many tests listen to: in tune, in stereo, with energy in every octave
from 31 Hz to 16 kHz, and the same samples on every run.

Conventions
-----------
Instruments are functions that return one note or hit as mono float64, peak about 1. The song is a
table of bars; `demo_mix` places the notes on a grid, pans them and adds a room.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.units import Audio, Floats, db_to_gain

BPM = 120.0
BEAT_S = 60.0 / BPM
BEATS_PER_BAR = 4
PEAK_DB = -6.0
_SEED = 20_13
#: Nothing is synthesised above this share of fs.
_TOP_OF_FS = 0.45

# A minor, F major 7, C major, G 6: root of the bass and four notes of the chord, as MIDI numbers.
_CHORDS = (
    (33, (57, 60, 64, 67)),
    (29, (57, 60, 64, 65)),
    (36, (55, 60, 64, 67)),
    (31, (55, 59, 62, 64)),
)
# The lead of each bar: (start in beats, length in beats, MIDI number, vowel).
_TUNE = (
    ((0.0, 1.5, 64, "a"), (1.5, 0.5, 67, "e"), (2.0, 1.75, 69, "o")),
    ((0.0, 1.0, 69, "a"), (1.0, 0.5, 67, "e"), (1.5, 2.25, 65, "o")),
    ((0.5, 1.0, 64, "e"), (1.5, 0.5, 67, "a"), (2.0, 1.75, 72, "a")),
    ((0.0, 1.0, 71, "o"), (1.0, 1.0, 69, "e"), (2.0, 1.75, 67, "a")),
)
# Formants of sung vowels: centre in Hz, level in dB, bandwidth in Hz.
_FORMANTS = {
    "a": (
        (800.0, 0.0, 90.0),
        (1150.0, -6.0, 100.0),
        (2900.0, -14.0, 140.0),
        (3900.0, -20.0, 160.0),
    ),
    "e": (
        (400.0, 0.0, 80.0),
        (1600.0, -16.0, 100.0),
        (2700.0, -15.0, 140.0),
        (3300.0, -20.0, 160.0),
    ),
    "o": ((450.0, 0.0, 80.0), (800.0, -9.0, 90.0), (2830.0, -18.0, 130.0), (3800.0, -24.0, 150.0)),
}


def _hz(note: float) -> float:
    """Return the frequency of a MIDI note number (A4 = 69 = 440 Hz)."""
    return float(440.0 * 2.0 ** ((note - 69.0) / 12.0))


def _time(fs: float, seconds: float) -> Floats:
    return np.arange(round(fs * seconds)) / fs


def _edges(note: Floats, fs: float, attack_s: float, release_s: float) -> Floats:
    """Fade a note in and out in place, so that it starts and ends at 0."""
    rise = min(len(note), max(2, round(fs * attack_s)))
    fall = min(len(note), max(2, round(fs * release_s)))
    note[:rise] *= np.linspace(0.0, 1.0, rise) ** 2
    note[-fall:] *= np.linspace(1.0, 0.0, fall) ** 2
    return note


def _harmonics(phase: Floats, levels: Floats) -> Floats:
    """Sum ``levels[k] sin((k + 1) phase)`` by powers of one complex oscillator."""
    step = np.exp(1j * phase)
    power = step.copy()
    total = np.zeros_like(phase)
    for level in levels:
        total += level * power.imag
        power *= step
    return total


def _noise(
    rng: np.random.Generator, fs: float, seconds: float, low_hz: float, high_hz: float
) -> Floats:
    """Return noise between two frequencies, first-order slopes outside, rms 1."""
    frames = round(fs * seconds)
    freqs = np.fft.rfftfreq(frames, 1.0 / fs)
    shape = 1.0 / np.hypot(1.0, low_hz / np.maximum(freqs, 1e-3)) ** 2
    shape /= np.hypot(1.0, freqs / high_hz)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(frames)) * shape, frames)
    return np.asarray(noise / max(float(np.sqrt(np.mean(noise**2))), 1e-9))


def _kick(fs: float) -> Floats:
    t = _time(fs, 0.42)
    # The pitch falls from 170 to 46 Hz; its integral is the phase.
    phase = 2.0 * np.pi * (46.0 * t + 124.0 * 0.022 * (1.0 - np.exp(-t / 0.022)))
    body = np.sin(phase) * np.exp(-t / 0.13)
    sub = 0.35 * np.sin(2.0 * np.pi * 33.0 * t) * np.exp(-t / 0.16)
    return _edges(body + sub, fs, 0.001, 0.08)


def _snare(rng: np.random.Generator, fs: float) -> Floats:
    t = _time(fs, 0.28)
    drum = np.sin(2.0 * np.pi * 186.0 * t) + 0.6 * np.sin(2.0 * np.pi * 331.0 * t)
    wires = _noise(rng, fs, 0.28, 1400.0, 9000.0)
    return _edges(
        0.5 * drum * np.exp(-t / 0.05) + 0.3 * wires * np.exp(-t / 0.075), fs, 0.0008, 0.05
    )


def _hat(rng: np.random.Generator, fs: float, seconds: float) -> Floats:
    t = _time(fs, seconds)
    return _edges(
        0.3 * _noise(rng, fs, seconds, 7500.0, 18_000.0) * np.exp(-4.0 * t / seconds),
        fs,
        0.0005,
        0.01,
    )


def _bass(fs: float, note: float, seconds: float) -> Floats:
    t = _time(fs, seconds)
    f0 = _hz(note)
    k = np.arange(1, max(2, int(min(20.0, _TOP_OF_FS * fs / f0))))
    bright = _harmonics(2.0 * np.pi * f0 * t, 1.0 / k)
    round_ = np.sin(2.0 * np.pi * f0 * t)
    # A plucked string: the overtones die first.
    tone = round_ * np.exp(-t / 1.2) + 0.45 * bright * np.exp(-t / 0.18)
    return _edges(0.7 * tone, fs, 0.004, 0.04)


@lru_cache(maxsize=4)
def _key_shape(fs: float, seconds: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return time, modulation index, level of the tine and of the whole, alike for all keys."""
    t = _time(fs, seconds)
    return t, 1.9 * np.exp(-t / 0.4), 0.2 * np.exp(-t / 0.12), np.exp(-t / 1.1)


def _key(fs: float, note: float, seconds: float, detune_cents: float) -> Floats:
    """Return an electric-piano note by frequency modulation: a bell, then round."""
    t, index, tine, body = _key_shape(fs, seconds)
    phase = 2.0 * np.pi * _hz(note + detune_cents / 100.0) * t
    bell = tine * np.sin(min(7.0, _TOP_OF_FS * fs / _hz(note)) * phase)
    return _edges(body * (np.sin(phase + index * np.sin(phase)) + bell), fs, 0.006, 0.12)


def _vowel(freqs_hz: Floats, name: str) -> Floats:
    """Return the amplitude of harmonics at `freqs_hz` in a sung vowel."""
    total = np.zeros_like(freqs_hz)
    for centre, level_db, width in _FORMANTS[name]:
        total += db_to_gain(level_db) / np.hypot(1.0, 2.0 * (freqs_hz - centre) / width)
    return np.asarray(total * (freqs_hz / freqs_hz[0]) ** -0.5)


def _voice(rng: np.random.Generator, fs: float, note: float, seconds: float, vowel: str) -> Floats:
    t = _time(fs, seconds)
    f0 = _hz(note)
    # Vibrato comes in late and the pitch is scooped up from half a semitone below.
    cents = -50.0 * np.exp(-t / 0.035) + 28.0 * np.clip((t - 0.18) / 0.3, 0.0, 1.0) * np.sin(
        2.0 * np.pi * 5.4 * t
    )
    phase = 2.0 * np.pi * f0 * np.cumsum(2.0 ** (cents / 1200.0)) / fs
    freqs = f0 * np.arange(1.0, max(2.0, min(9000.0, _TOP_OF_FS * fs) // f0))
    levels = _vowel(freqs, vowel)
    breath = _noise(rng, fs, seconds, 3500.0, 12_000.0)
    tone = _harmonics(phase, levels / np.sqrt(np.sum(levels**2)))
    return _edges(0.6 * tone + 0.012 * breath, fs, 0.03, 0.07)


@dataclass(slots=True)
class _Desk:
    """The mixing desk: notes go in, stereo comes out. Past the end, notes are cut."""

    fs: float
    dry: Floats
    send: Floats

    def add(
        self, start_s: float, note: Floats, level: float, pan: float = 0.0, room: float = 0.0
    ) -> None:
        """Add a mono note at `start_s`; `pan` in [-1, 1] is constant-power, `room` a send level."""
        first = round(start_s * self.fs)
        frames = min(len(note), len(self.dry) - first)
        if frames <= 0:
            return
        angle = (pan + 1.0) * math.pi / 4.0
        for bus, gain in ((self.dry, 1.0), (self.send, room)):
            bus[first : first + frames, 0] += level * gain * math.cos(angle) * note[:frames]
            bus[first : first + frames, 1] += level * gain * math.sin(angle) * note[:frames]


def _drums(desk: _Desk, rng: np.random.Generator, bar_s: float) -> None:
    kick, snare = _kick(desk.fs), _snare(rng, desk.fs)
    for beat in (0.0, 1.5, 2.0):
        desk.add(bar_s + beat * BEAT_S, kick, 0.62 if beat == 1.5 else 0.85)
    for beat in (1.0, 3.0):
        desk.add(bar_s + beat * BEAT_S, snare, 0.6, pan=-0.08, room=0.25)
    for eighth in range(2 * BEATS_PER_BAR):
        hat = _hat(rng, desk.fs, 0.24 if eighth == 7 else 0.075)
        desk.add(bar_s + eighth * BEAT_S / 2, hat, 0.4 if eighth % 2 else 0.6, pan=0.35, room=0.05)


def _harmony(desk: _Desk, bar: int, bar_s: float) -> None:
    root, chord = _CHORDS[bar % len(_CHORDS)]
    for beat, length, up in ((0.0, 1.4, 0), (1.5, 0.45, 0), (2.0, 0.9, 12), (3.0, 0.9, 7)):
        desk.add(bar_s + beat * BEAT_S, _bass(desk.fs, root + up, length * BEAT_S), 0.42)
    for beat, length in ((0.0, 2.4), (2.5, 1.4)):
        for voice, note in enumerate(chord):
            for side, cents in ((-0.7, -4.0), (0.7, 4.0)):
                key = _key(desk.fs, note, length * BEAT_S, cents + voice)
                start = bar_s + beat * BEAT_S + 0.006 * voice  # a hand never lands all at once
                desk.add(start, key, 0.075, pan=side, room=0.3)


def _lead(desk: _Desk, rng: np.random.Generator, bar: int, bar_s: float) -> None:
    for beat, length, note, vowel in _TUNE[bar % len(_TUNE)]:
        sung = _voice(rng, desk.fs, note, length * BEAT_S, vowel)
        desk.add(bar_s + beat * BEAT_S, sung, 0.5, pan=0.05, room=0.5)


def _room(rng: np.random.Generator, send: Floats, fs: float) -> Floats:
    """Return the reverberation of the send: noise that fades by 60 dB in 1.1 s, one tail a side."""
    seconds = 1.1
    t = _time(fs, seconds)
    size = -(-(len(send) + len(t)) // 4096) * 4096
    wet = np.empty_like(send)
    for side in range(2):
        tail = _noise(rng, fs, seconds, 250.0, 5000.0) * 10.0 ** (-3.0 * t / seconds)
        tail[: round(0.012 * fs)] = 0.0
        tail /= np.sqrt(np.sum(tail**2))
        both = np.fft.rfft(send[:, side], size) * np.fft.rfft(tail, size)
        wet[:, side] = np.fft.irfft(both, size)[: len(send)]
    return wet


def demo_mix(fs: float = 48_000.0, seconds: float = 12.0) -> Audio:
    """Return a stereo mix of drums, bass, chords and a voice-like lead at 120 beats a minute.

    Parameters
    ----------
    fs : float
        Sample rate in Hz, in [8000, 192000].
    seconds : float
        Length in seconds, in [0.5, 600]; the four bars repeat, the end is faded.

    Returns
    -------
    Audio
        Shape ``(frames, 2)``, float32, peak −6 dBFS, the same on every call.

    Raises
    ------
    SettingsError
        If a value is out of its range.

    Examples
    --------
    >>> demo_mix(8000.0, 1.0).shape
    (8000, 2)
    """
    for name, value, low, high in (("fs", fs, 8e3, 192e3), ("seconds", seconds, 0.5, 600.0)):
        if not low <= value <= high:
            raise SettingsError(f"{name} must be in [{low:g}, {high:g}], got {value:g}")
    rng = np.random.default_rng(_SEED)
    frames = round(fs * seconds)
    desk = _Desk(fs, np.zeros((frames, 2)), np.zeros((frames, 2)))
    for bar in range(math.ceil(seconds / (BEATS_PER_BAR * BEAT_S))):
        bar_s = bar * BEATS_PER_BAR * BEAT_S
        _drums(desk, rng, bar_s)
        _harmony(desk, bar, bar_s)
        _lead(desk, rng, bar, bar_s)
    mix = desk.dry + 0.5 * _room(rng, desk.send, fs)
    # Kicks have a mean of their own: nothing below the lowest octave leaves the desk.
    freqs = np.fft.rfftfreq(frames, 1.0 / fs)
    keep = 1.0 / (1.0 + (20.0 / np.maximum(freqs, 1e-3)) ** 6)
    mix = np.fft.irfft(np.fft.rfft(mix, axis=0) * keep[:, None], frames, axis=0)
    for side in range(2):
        _edges(mix[:, side], fs, 0.002, min(0.5, seconds / 4.0))
    mix *= db_to_gain(PEAK_DB) / np.max(np.abs(mix))
    return mix.astype(np.float32)
