"""Recordings on disk, and the draw of a random stretch of one: first the package, then the track.

Two packages may hold half of all minutes: whoever draws files would hear mostly those two. So a package
(artist, album) is drawn first, each as likely as another, then one of its tracks, then a place in it.

What cannot be used is not worth a stop: files that cannot be decoded or are too short are left out and
counted with their reason (`Skips`). A draw that meets one is repeated from the same generator, and so
is one that meets silence: the same seed gives the same crops, today and after a restart.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.random import Generator

from semeq.engine.errors import AudioFileError, DataError, MissingPackageError, SettingsError
from semeq.engine.units import Audio
from semeq.training.crops import QUIET_DB, Crop, level_db
from semeq.training.decode import read_stretch

logger = logging.getLogger(__name__)

#: So many draws in a row that cannot be used mean that the set is not what it should be.
TRIES = 100


@dataclass(frozen=True, slots=True)
class Recording:
    """One track.

    Parameters
    ----------
    name : str
        Unique in its set.
    path : Path
        The file, or the folder of its stems.
    package : str
        Artist, album or package: what is drawn first, and what a split keeps together.
    genre : str
        "" where it is not known.
    """

    name: str
    path: Path
    package: str
    genre: str = ""


class Skips:
    """What was left out, and why; each name counts once."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.reasons

    def __len__(self) -> int:
        return len(self.reasons)

    def add(self, name: str, reason: str, detail: str = "") -> None:
        """Count `name` under a short reason; the detail goes to the log (level info)."""
        if name not in self.reasons:
            self.reasons[name] = reason
            logger.info("left out %s: %s", name, detail or reason)

    def __str__(self) -> str:
        """Return one line, for example ``3 left out: 2 cannot be decoded, 1 too short``."""
        if not self.reasons:
            return "none left out"
        counts = Counter(self.reasons.values()).most_common()
        return f"{len(self)} left out: " + ", ".join(f"{n:,} {reason}" for reason, n in counts)


class AudioSource(Protocol):
    """Whatever crops can be drawn from: a set of recordings, noise, a mixture of sets."""

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """The tracks; empty for what is synthesised."""

    @property
    def left_out(self) -> int:
        """How many recordings could not be used so far."""

    def passage(self, rng: Generator, seconds: float) -> Crop:
        """Return a stretch of up to `seconds`, shorter where the recording is."""

    def summary(self) -> str:
        """Return one line: what there is and what was left out."""


def sample(source: AudioSource, rng: Generator, seconds: float) -> Crop:
    """Return a crop of exactly `seconds`, with silence behind where the recording is shorter."""
    crop = source.passage(rng, seconds)
    missing = round(seconds * crop.fs) - len(crop.audio)
    if missing == 0:
        return crop
    audio = np.pad(crop.audio, ((0, max(missing, 0)), (0, 0)))[: round(seconds * crop.fs)]
    return Crop(audio, crop.fs, crop.recording, crop.package, crop.source, crop.genre, crop.view)


class RecordingSet:
    """A set of recordings to draw from.

    Parameters
    ----------
    recordings : iterable of Recording
        The tracks, in any order.
    shortest_s : float
        Shorter files are left out.
    quiet_db : float
        A stretch below this rms level (dB full scale) is drawn again.
    evenness : float
        1: each package is as likely as another. 0: each file. Between: packages by files to ``1 - evenness``.
    skips : Skips
        What was left out already.

    Raises
    ------
    DataError
        If there are no recordings.
    """

    def __init__(
        self,
        recordings: Iterable[Recording],
        *,
        shortest_s: float = 1.0,
        quiet_db: float = QUIET_DB,
        evenness: float = 1.0,
        skips: Skips | None = None,
    ) -> None:
        if not 0.0 <= evenness <= 1.0:
            raise SettingsError(f"evenness must be in [0, 1], got {evenness:g}")
        self.skips = skips if skips is not None else Skips()
        self.shortest_s, self.quiet_db, self.evenness = shortest_s, quiet_db, evenness
        #: Draws repeated because of silence.
        self.quiet = 0
        self._set(recordings)

    @property
    def left_out(self) -> int:
        """How many recordings could not be used so far."""
        return len(self.skips)

    def _set(self, recordings: Iterable[Recording]) -> None:
        # Sorted: a folder's listing has no order that two machines share.
        self.recordings = tuple(sorted(recordings, key=lambda r: (r.package, r.name)))
        if not self.recordings:
            raise DataError(f"{type(self).__name__} must hold a recording, got none ({self.skips})")
        by_package: dict[str, list[Recording]] = defaultdict(list)
        for recording in self.recordings:
            by_package[recording.package].append(recording)
        self.packages = tuple(by_package)
        self._tracks = tuple(tuple(tracks) for tracks in by_package.values())
        weights = np.array([len(tracks) for tracks in self._tracks]) ** (1.0 - self.evenness)
        self._up_to = np.cumsum(weights / weights.sum())

    def restricted(self, keep: Callable[[Recording], bool]) -> Self:
        """Return the same set with some of its recordings.

        Raises
        ------
        DataError
            If none is kept.
        """
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._set(recording for recording in self.recordings if keep(recording))
        return other

    def sample(self, rng: Generator, seconds: float) -> Crop:
        """Return a crop of exactly `seconds`; see `sample`."""
        return sample(self, rng, seconds)

    def passage(self, rng: Generator, seconds: float) -> Crop:
        """Return a stretch of up to `seconds` of a random recording.

        Raises
        ------
        DataError
            If `TRIES` draws in a row find nothing to use.
        MissingPackageError
            If a file takes ffmpeg, and there is none.
        """
        for _ in range(TRIES):
            tracks = self._tracks[int(np.searchsorted(self._up_to[:-1], rng.random(), "right"))]
            recording = tracks[int(rng.integers(len(tracks)))]
            # Drawn in any case: what is known of a file may not change what comes after.
            own = np.random.default_rng(rng.integers(2**63))
            if recording.name in self.skips:
                continue
            try:
                audio, fs, view = self._read(recording, own, seconds)
            except MissingPackageError:
                raise
            except AudioFileError as error:
                short = "too short" in str(error)
                reason = "too short" if short else "cannot be decoded"
                self.skips.add(recording.name, reason, str(error))
                continue
            if level_db(audio) < self.quiet_db:
                self.quiet += 1
                continue
            return Crop(
                audio, fs, recording.name, recording.package, genre=recording.genre, view=view
            )
        raise DataError(
            f"{type(self).__name__} must hold sound that can be used, got none in {TRIES} draws "
            f"({self.skips})"
        )

    def _read(
        self, recording: Recording, rng: Generator, seconds: float
    ) -> tuple[Audio, float, str]:
        """Return the audio, its rate, and which view of the recording it is."""
        audio, fs = read_stretch(recording.path, rng.random(), seconds, shortest_s=self.shortest_s)
        return audio, fs, ""

    def summary(self) -> str:
        """Return one line: what there is and what was left out."""
        return (
            f"{type(self).__name__}: {len(self.recordings):,} recordings in "
            f"{len(self.packages):,} packages, {self.skips}, {self.quiet:,} quiet draws repeated"
        )
