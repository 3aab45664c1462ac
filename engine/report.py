"""What a render did, as values that turn into JSON.

Levels that do not exist (the loudness of silence, the peak of nothing) are null, never -inf: the file
is JSON for every reader.
"""

import math
import sys
from dataclasses import dataclass, field
from typing import Any

from semeq.engine.balance import Balance
from semeq.engine.eq_track import EQTrack
from semeq.engine.reference import Likeness
from semeq.engine.settings import EQSettings
from semeq.engine.verdicts import Verification

_PACKAGES = ("semeq", "numba", "numpy", "pedalboard", "mutagen")


@dataclass(frozen=True, slots=True)
class Levels:
    """Integrated loudness in LUFS, peaks as amplitudes, and the balance, of one side of a render."""

    loudness_lufs: float | None
    true_peak: float
    sample_peak: float
    balance: Balance | None = field(default=None, compare=False, repr=False)

    def as_dict(self) -> dict[str, float | None]:
        """Return the levels in dB."""
        return {
            "loudness_lufs": _rounded(self.loudness_lufs),
            "true_peak_dbtp": _rounded(decibels(self.true_peak)),
            "sample_peak_dbfs": _rounded(decibels(self.sample_peak)),
        }


@dataclass(frozen=True, slots=True)
class Limiting:
    """What the limiter did: its delay is already taken off the output."""

    ceiling_db: float
    delay_frames: int
    limited_frames: int


@dataclass(frozen=True, slots=True)
class RenderReport:
    """Everything about one rendered file."""

    source: str
    target: str
    fs: float
    channels: int
    frames: int
    source_format: str
    target_format: str
    before: Levels
    after: Levels
    gain_db: float
    limiting: Limiting | None
    timeline: tuple[dict[str, Any], ...]
    bad_samples: int
    clipped_samples: int
    warnings: tuple[str, ...]
    seconds: float
    #: How the sound had a say; None where it had none.
    adaption: dict[str, Any] | None = None
    #: The EQ window by window, where it was asked for; it is not part of the JSON.
    track: EQTrack | None = None
    verification: Verification | None = None
    likeness: Likeness | None = None
    #: What each third-party plugin was and did, in the order of the call.
    inserts: tuple[dict[str, Any], ...] = ()
    #: The plugin that was the EQ, where its knobs are and how near that came; None where it was ours.
    through: dict[str, Any] | None = None

    @property
    def duration_s(self) -> float:
        """How long the sound is, in seconds."""
        return self.frames / self.fs

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        limiting = self.limiting
        return {
            "input": self.source,
            "output": self.target,
            "status": "done",
            "samplerate": self.fs,
            "channels": self.channels,
            "frames": self.frames,
            "duration_s": self.duration_s,
            "in": {"format": self.source_format, **self.before.as_dict()},
            "out": {"format": self.target_format, **self.after.as_dict()},
            "loudness_drift_lu": _rounded(drift_lu(self.before, self.after)),
            "gain_db": _rounded(self.gain_db),
            "limiter": {
                "used": limiting is not None,
                "ceiling_dbtp": None if limiting is None else _rounded(limiting.ceiling_db),
                "delay_frames": 0 if limiting is None else limiting.delay_frames,
                "delay_s": 0.0 if limiting is None else limiting.delay_frames / self.fs,
                "limited_frames": 0 if limiting is None else limiting.limited_frames,
            },
            "like": None if self.likeness is None else self.likeness.as_dict(),
            "verification": None if self.verification is None else self.verification.as_dict(),
            "adaption": self.adaption,
            "timeline": list(self.timeline),
            "inserts": list(self.inserts),
            "through": self.through,
            "bad_samples": self.bad_samples,
            "clipped_samples": self.clipped_samples,
            "warnings": list(self.warnings),
            "seconds": round(self.seconds, 3),
        }


def drift_lu(before: Levels, after: Levels) -> float | None:
    """Return by how much the output is louder than the input, or None where one has no loudness."""
    if before.loudness_lufs is None or after.loudness_lufs is None:
        return None
    return after.loudness_lufs - before.loudness_lufs


def decibels(amplitude: float) -> float | None:
    """Return an amplitude in dB, or None for zero."""
    return 20.0 * math.log10(amplitude) if amplitude > 0.0 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4) + 0.0


def timeline_entry(t_s: float, settings: EQSettings, gain_db: float) -> dict[str, Any]:
    """Return one entry of the EQ timeline: from `t_s` seconds on, these seven bands and this gain."""
    return {"t_s": t_s, "bands": settings.as_dicts(), "gain_db": _rounded(gain_db)}


def failure(source: str, target: str, error: str) -> dict[str, Any]:
    """Return what stands in a report for a file that failed."""
    return {"input": source, "output": target, "status": "failed", "error": error}


def versions() -> dict[str, str]:
    """Return the versions of everything that touched the samples."""
    # only here: it takes a while to load, and most renders write no report
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": sys.version.split()[0]}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
