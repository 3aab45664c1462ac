"""A plugin put to the test: whether it survives, tells its true latency, is quick, and silent in silence."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from semeq.engine.plugin_guest import Guest
from semeq.engine.units import Audio, gain_to_db

NOISE_S, SILENCE_S, TAIL_S = 2.0, 1.0, 2.0
NOISE_LEVEL = 0.1
#: A latency may be off by so much (s): the delay of a filter is not the plugin's mistake.
LATENCY_TOLERANCE_S = 0.0005
#: How far the strongest answer has to stand above the others, for a delay to be told.
CLEAR = 8.0
#: Louder than this out of silence is a noise (dBFS).
SILENT_DB = -90.0
#: A block may take this share of its own duration.
MAX_SHARE = 0.5
_LOWEST_DB = -200.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What came out.

    Parameters
    ----------
    blocksize, fs, channels
        What it was run with.
    reported_frames : int
        The latency that it reports.
    measured_frames : int or None
        The latency that it has; None where what comes out is too unlike what went in.
    median_share, p99_share, max_share : float
        The time of a block as a share of its duration.
    gain_db : float
        How much louder noise comes out.
    silence_db, tail_db : float
        The peak out of silence before the noise, and at the end of `TAIL_S` after it, in dBFS.
    bad_samples : int
        Samples that are no numbers.
    faults : tuple of str
        What is wrong, each in a line.
    """

    fs: float
    channels: int
    blocksize: int
    reported_frames: int
    measured_frames: int | None
    median_share: float
    p99_share: float
    max_share: float
    gain_db: float
    silence_db: float
    tail_db: float
    bad_samples: int
    faults: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The whole in a word."""
        return "faulty" if self.faults else "fine"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "verdict": self.verdict,
            "faults": list(self.faults),
            "samplerate": self.fs,
            "channels": self.channels,
            "blocksize": self.blocksize,
            "latency_frames": {"reported": self.reported_frames, "measured": self.measured_frames},
            "share_of_block": {
                "median": round(self.median_share, 5),
                "p99": round(self.p99_share, 5),
                "max": round(self.max_share, 5),
            },
            "gain_db": round(self.gain_db, 2),
            "silence_db": round(self.silence_db, 1),
            "tail_db": round(self.tail_db, 1),
            "bad_samples": self.bad_samples,
        }


def delay_frames(sent: Audio, got: Audio) -> int | None:
    """Return by how many frames `got` is later than `sent`, one channel each; None if that is unclear."""
    size = 1 << (2 * len(sent) - 1).bit_length()
    one, other = np.fft.rfft(sent, size), np.fft.rfft(got, size)
    power = np.abs(one) ** 2
    answer = np.abs(np.fft.irfft(other * one.conj() / (power + 1e-3 * power.mean()), size))
    answer = answer[: len(sent)]
    at = int(np.argmax(answer))
    if answer[at] <= 0.0 or answer[at] < CLEAR * np.sqrt(np.mean(answer**2)):
        return None
    return at


def _peak_db(sound: Audio) -> float:
    peak = float(np.max(np.abs(np.nan_to_num(sound)), initial=0.0))
    return max(gain_to_db(peak), _LOWEST_DB) if peak > 0.0 else _LOWEST_DB


def run_trial(guest: Guest, fs: float, channels: int, blocksize: int) -> Trial:
    """Put a guest that was prepared to the test.

    Raises
    ------
    PluginError
        If it does not survive that.
    """

    def blocks_of(seconds: float) -> int:
        return -(-round(seconds * fs) // blocksize) * blocksize

    quiet = guest.stream(np.zeros((blocks_of(SILENCE_S), channels), dtype=np.float32))
    frames = blocks_of(NOISE_S)
    rng = np.random.default_rng(1)
    noise: Audio = (NOISE_LEVEL * rng.standard_normal((frames, channels))).astype(np.float32)
    noise[frames - min(frames // 4, round(0.5 * fs)) :] = 0.0  # room for what comes late
    out, seconds = guest.timed(noise)
    tail = guest.stream(np.zeros((blocks_of(TAIL_S), channels), dtype=np.float32))
    every = np.concatenate((quiet, out, tail))
    bad = int(np.count_nonzero(~np.isfinite(every)))
    fine = np.nan_to_num(out, posinf=0.0, neginf=0.0)
    shares = np.array(seconds) / (blocksize / fs)
    power = float(np.mean(fine.astype(np.float64) ** 2)) / float(np.mean(noise**2))
    measured = delay_frames(noise[:, 0], fine[:, 0])
    p99 = float(np.percentile(shares, 99))
    reported = guest.latency_frames
    silence_db, tail_db = _peak_db(quiet), _peak_db(tail[-blocks_of(0.5) :])
    faults = []
    if bad:
        faults.append(f"{bad:,} samples are no numbers")
    if not fine.any() and not bad:
        faults.append("no sound comes out")
    if measured is not None and abs(measured - reported) > LATENCY_TOLERANCE_S * fs:
        faults.append(f"it reports a latency of {reported} frames, but is late by {measured}")
    if p99 > MAX_SHARE:
        faults.append(
            f"one block in a hundred takes {100.0 * p99:.0f} % of its duration or more: too slow for "
            f"live use at {blocksize} frames"
        )
    if silence_db > SILENT_DB:
        faults.append(f"out of silence comes sound at {silence_db:.0f} dBFS")
    return Trial(
        fs=fs,
        channels=channels,
        blocksize=blocksize,
        reported_frames=reported,
        measured_frames=measured,
        median_share=float(np.median(shares)),
        p99_share=p99,
        max_share=float(shares.max()),
        gain_db=10.0 * float(np.log10(power)) if power > 0.0 else _LOWEST_DB,
        silence_db=silence_db,
        tail_db=tail_db,
        bad_samples=bad,
        faults=tuple(faults),
    )
