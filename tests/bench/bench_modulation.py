"""What moving the EQ adds to the sound: spurious energy and overshoot.

Each case runs through the chain and, as the reference, through transposed direct form II sections
whose coefficients are swapped at each step with their state kept, as many live equalisers do
(scipy's ``sosfilt``, called step by step, is exactly that).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from bench_tables import Table
from scipy.signal import sosfilt
from scipy.signal.windows import kaiser

from semeq.engine.chain import Chain
from semeq.engine.design import design, design_sos
from semeq.engine.settings import LAYOUT, REST_FREQS_HZ, Band, EQSettings
from semeq.engine.units import Audio, Floats

FS = 48_000.0
FS_INT = int(FS)
STEP_S = 0.02
JUMP_FRAMES = 64
#: So many of the settings that are passed through are held still, for the comparison.
STILL = 300
#: As `semeq live` ramps: 5 ms.
RAMP_FRAMES = 240


def one_band(freq_hz: float, gain_db: float, q: float) -> EQSettings:
    """Return settings whose fourth band alone does something."""
    bands = [Band(kind, f) for kind, f in zip(LAYOUT, REST_FREQS_HZ, strict=True)]
    bands[3] = Band(LAYOUT[3], freq_hz, gain_db, q)
    return EQSettings(tuple(bands))


def through_chain(audio: Audio, steps: Sequence[EQSettings], frames: int) -> Floats:
    """Run `audio` with a new target every `frames`, each reached by the live ramp, or sooner."""
    chain = Chain(FS, audio.shape[1])
    chain.set_target(design(steps[0], FS))
    parts = []
    for i, settings in enumerate(steps):
        chain.set_target(design(settings, FS), ramp_frames=min(frames, RAMP_FRAMES))
        parts.append(chain.process(audio[i * frames : (i + 1) * frames]))
    return np.concatenate(parts).astype(np.float64)


def swapped(audio: Audio, steps: Sequence[EQSettings], frames: int) -> Floats:
    """Run `audio` in double precision, coefficients swapped every `frames`."""
    state = np.zeros((len(LAYOUT), 2, audio.shape[1]))
    parts = []
    for i, settings in enumerate(steps):
        block = audio[i * frames : (i + 1) * frames].astype(np.float64)
        out, state = sosfilt(np.array(design_sos(settings, FS)), block, axis=0, zi=state)
        parts.append(out)
    return np.concatenate(parts)


def textbook(audio: Audio, steps: Sequence[tuple[float, float, float]], frames: int) -> Floats:
    """Run `audio` through the state-variable bell of the textbook, coefficients moved in straight lines.

    Bilinear; `steps` are (Hz, dB, Q), each reached at the end of its `frames`.

    References
    ----------
    A. Simper, Solving the continuous SVF equations using trapezoidal integration (Cytomic, 2013), bell.
    """
    freq_hz, gain_db, q = np.array(steps).T
    root = 10.0 ** (gain_db / 40.0)
    damping = 1.0 / (q * root)
    targets = np.stack(
        [np.tan(np.pi * freq_hz / FS), damping, damping * (root * root - 1.0)], axis=1
    )
    targets = np.concatenate([targets[:1], targets])
    ends = frames * np.arange(len(targets))
    t = np.arange(1, len(audio) + 1)
    g, k, m = (np.interp(t, ends, column) for column in targets.T)
    c1 = 1.0 / (1.0 + g * (g + k))
    c2 = g * c1
    c3 = g * c2
    x, s1, s2 = audio[:, 0].astype(np.float64), 0.0, 0.0
    out = np.empty(len(x))
    rows = zip(x.tolist(), c1.tolist(), c2.tolist(), c3.tolist(), m.tolist(), strict=True)
    for i, (sample, a1, a2, a3, mix) in enumerate(rows):
        v3 = sample - s2
        v1 = a1 * s1 + a2 * v3
        v2 = s2 + a2 * s1 + a3 * v3
        s1, s2 = 2.0 * v1 - s1, 2.0 * v2 - s2
        out[i] = sample + mix * v1
    return out[:, None]


def spurious_db(audio: Floats, above_hz: float) -> float:
    """Return the energy above a frequency against the whole, in dB."""
    # A Kaiser window of beta 30 has no side lobe above −230 dB: nothing of the tone leaks up there.
    power = np.abs(np.fft.rfft(audio[:, 0] * kaiser(len(audio), 30.0))) ** 2
    freqs = np.fft.rfftfreq(len(audio), 1.0 / FS)
    return float(10.0 * np.log10(power[freqs > above_hz].sum() / power.sum()))


@dataclass(frozen=True, slots=True)
class Case:
    """A tone, what the band does to it, and where nothing should appear."""

    name: str
    tone_hz: float
    above_hz: float
    steps: Callable[[int], list[EQSettings]]


def _lfo(count: int) -> list[EQSettings]:
    gains = 12.0 * np.sin(2.0 * np.pi * 2.0 * STEP_S * np.arange(count))
    return [one_band(100.0, float(gain), 2.0) for gain in gains]


def _jumps(count: int) -> list[EQSettings]:
    gains = np.random.default_rng(7).uniform(-12.0, 12.0, count)
    return [one_band(1000.0, float(gain), 2.0) for gain in gains]


CASES = (
    Case(
        "100 Hz sine, band at 100 Hz, gain swings ±12 dB at 2 Hz; above 1 kHz", 100.0, 1000.0, _lfo
    ),
    Case("100 Hz sine, band at 1 kHz, jumps within ±12 dB; above 2 kHz", 100.0, 2000.0, _jumps),
    Case("1 kHz sine, band at 1 kHz, jumps within ±12 dB; above 4 kHz", 1000.0, 4000.0, _jumps),
)


def spurious(seconds: float) -> Table:
    """Return the spurious energy of the three cases."""
    frames = round(STEP_S * FS)
    t = np.arange(round(seconds * FS)) / FS
    table = Table(
        "What moves is not heard",
        f"Energy where there should be none, against the whole, while a band (Q 2) moves every "
        f"{STEP_S * 1000:.0f} ms under a sine of half full scale; {seconds:g} s, Kaiser window. "
        "*Swapped*: direct-form filters whose coefficients change at once.",
        ["", "semeq", "swapped"],
    )
    for case in CASES:
        tone = (0.5 * np.sin(2.0 * np.pi * case.tone_hz * t))[:, None].astype(np.float32)
        steps = case.steps(len(tone) // frames)
        ours = spurious_db(through_chain(tone, steps, frames), case.above_hz)
        theirs = spurious_db(swapped(tone, steps, frames), case.above_hz)
        table.rows.append((case.name, f"{ours:.0f} dB", f"{theirs:.0f} dB"))
        table.data[case.name] = {"semeq_db": ours, "swapped_db": theirs}
    return table


def overshoot(seconds: float) -> Table:
    """Return the highest peak while frequency, Q and gain jump every 64 samples."""
    rng = np.random.default_rng(11)
    count = round(seconds * FS) // JUMP_FRAMES
    noise = rng.standard_normal((count * JUMP_FRAMES, 1))
    noise = (0.44 * noise / np.abs(noise).max()).astype(np.float32)
    jumps = [
        (
            float(np.exp(rng.uniform(np.log(60.0), np.log(12_000.0)))),
            float(rng.uniform(-12.0, 12.0)),
            float(rng.uniform(0.5, 8.0)),
        )
        for _ in range(count)
    ]
    steps = [one_band(*jump) for jump in jumps]
    still = (
        max(float(np.abs(swapped(noise[:FS_INT], [s], FS_INT)).max()) for s in steps[:STILL]) / 0.44
    )
    ours = float(np.abs(through_chain(noise, steps, JUMP_FRAMES)).max()) / 0.44
    theirs = float(np.abs(swapped(noise, steps, JUMP_FRAMES)).max()) / 0.44
    book = float(np.abs(textbook(noise, jumps, JUMP_FRAMES)).max()) / 0.44
    table = Table(
        "Wild moves stay bounded",
        f"Peak of the output against the input's: noise, one band, frequency (60 Hz to 12 kHz), Q (0.5 to 8) "
        f"and gain (±12 dB) jump every {JUMP_FRAMES} samples. *Standing still*: the highest of {STILL} "
        "of these settings at rest. *Textbook*: a bilinear state-variable filter whose coefficients move in "
        "straight lines.",
        ["semeq", "textbook", "swapped", "standing still"],
    )
    table.rows.append((f"{ours:.2f} ×", f"{book:.2f} ×", f"{theirs:.2f} ×", f"{still:.2f} ×"))
    table.data = {"semeq": ours, "textbook": book, "swapped": theirs, "still": still}
    return table
