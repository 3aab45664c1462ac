"""MUSDB18 in both of its layouts [1]_ [2]_: mixtures, single stems, and mixes made anew.

::

    ROOT/train/ARTIST - TITLE.stem.mp4           five AAC streams: mixture, drums, bass, other, vocals
    ROOT/train/ARTIST - TITLE/mixture.wav        MUSDB18-HQ: and drums.wav, bass.wav, other.wav, vocals.wav
    ROOT/test/...

- *Split*: 100 songs to train on, of which the official list keeps 14 for validation, and 50 to test.
  Training songs whose artist is also on another side are left out (``share_artists`` keeps them).
- *Package*: the artist.
- *Views*: the mixture, one stem, or a remix: the four stems with a random gain each, some left out. A song
  remixed is a song of another colour that no equaliser made.

References
----------
.. [1] Z. Rafii, A. Liutkus, F.-R. Stöter, S. I. Mimilakis, R. Bittner, "The MUSDB18 corpus for music
       separation", 2017, doi:10.5281/zenodo.1117372.
.. [2] The same, "MUSDB18-HQ: an uncompressed version of MUSDB18", 2019, doi:10.5281/zenodo.3338373.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.random import Generator

from semeq.engine.errors import AudioFileError, DataError, SettingsError
from semeq.engine.units import Audio, db_to_gain
from semeq.training.crops import QUIET_DB
from semeq.training.decode import read_streams, read_stretch
from semeq.training.recordings import Recording, RecordingSet, Skips
from semeq.training.splits import Split, plain

#: In the order of the streams of a stem file.
STREAMS = ("mixture", "drums", "bass", "other", "vocals")
STEMS = STREAMS[1:]
VIEWS = ("mixture", "stem", "remix")
USUAL_VIEWS = {"mixture": 0.5, "stem": 0.2, "remix": 0.3}
STEM_SUFFIX = ".stem.mp4"
#: Songs of the folder train that the authors keep for validation.
VALIDATION_SONGS = frozenset(
    plain(song)
    for song in (
        "Actions - One Minute Smile",
        "Clara Berry And Wooldog - Waltz For My Victims",
        "Johnny Lokke - Promises & Lies",
        "Patrick Talbot - A Reason To Leave",
        "Triviul - Angelsaint",
        "Alexander Ross - Goodbye Bolero",
        "Fergessen - Nos Palpitants",
        "Leaf - Summerghost",
        "Skelpolu - Human Mistakes",
        "Young Griffo - Pennies",
        "ANiMAL - Rockshow",
        "James May - On The Line",
        "Meaxic - Take A Step",
        "Traffic Experiment - Sirens",
    )
)
#: Gains of a remix in dB, and how likely a stem is left out of it.
REMIX_DB, LEFT_OUT = 9.0, 0.15


def artist_of(song: str) -> str:
    """Return the artist in the name of a song.

    >>> artist_of("A Classic Education - NightOwl")
    'A Classic Education'
    """
    return song.partition(" - ")[0].strip()


def _songs(folder: Path, skips: Skips) -> list[Recording]:
    """Return the songs of ``train`` or ``test``, in whichever layout each is."""
    found: dict[str, Recording] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            absent = [name for name in STREAMS if not (path / f"{name}.wav").is_file()]
            if absent:
                skips.add(path.name, "without all stems", f"no {absent[0]}.wav")
                continue
            name = path.name
        elif path.is_file() and path.name.endswith(STEM_SUFFIX):
            name = path.name.removesuffix(STEM_SUFFIX)
        else:
            continue
        # Folders come before files of the same name: the uncompressed version is taken.
        found.setdefault(name, Recording(name, path, plain(artist_of(name))))
    return list(found.values())


class Musdb18(RecordingSet):
    """MUSDB18 or MUSDB18-HQ.

    Parameters
    ----------
    root : Path
        The folder with ``train`` and ``test``, or one of them.
    split : Split, optional
        One side of the official split; all if it is left out.
    views : mapping of str to float, optional
        How often each of `VIEWS` comes; `USUAL_VIEWS` if it is left out.
    remix_db : float
        A stem of a remix is louder or softer by up to this much, in [0, 60] dB.
    share_artists : bool
        Whether to keep training songs of an artist that validation or test has too.
    shortest_s, quiet_db, evenness
        See `semeq.training.recordings.RecordingSet`.

    Raises
    ------
    DataError
        If there is no such folder or no song (of this split).
    SettingsError
        If a view is unknown, a weight negative, or all are zero.
    """

    def __init__(
        self,
        root: Path,
        *,
        split: Split | None = None,
        views: Mapping[str, float] | None = None,
        remix_db: float = REMIX_DB,
        share_artists: bool = False,
        shortest_s: float = 1.0,
        quiet_db: float = QUIET_DB,
        evenness: float = 1.0,
    ) -> None:
        weights = dict(USUAL_VIEWS if views is None else views)
        for view, weight in weights.items():
            if view not in VIEWS or not (math.isfinite(weight) and weight >= 0.0):
                raise SettingsError(
                    f"views must give {', '.join(VIEWS)} weights of at least 0, got {view}: {weight:g}"
                )
        if not sum(weights.values()) > 0.0:
            raise SettingsError("views must have a weight above 0, got none")
        if not 0.0 <= remix_db <= 60.0:
            raise SettingsError(f"remix_db must be in [0, 60], got {remix_db:g}")
        self.remix_db = remix_db
        self._views = tuple(weights)
        self._shares = np.array(list(weights.values())) / sum(weights.values())
        folders = [Path(root) / name for name in ("train", "test")]
        if not any(folder.is_dir() for folder in folders):
            raise DataError(f"{root} must hold the folders train and test of MUSDB18, got neither")
        skips = Skips()
        sides: dict[Split, list[Recording]] = {side: [] for side in Split}
        for folder, other in zip(folders, (Split.TRAIN, Split.TEST), strict=True):
            for song in _songs(folder, skips) if folder.is_dir() else ():
                held = other is Split.TRAIN and plain(song.name) in VALIDATION_SONGS
                sides[Split.VALID if held else other].append(song)
        if not share_artists:
            elsewhere = {s.package for side in (Split.VALID, Split.TEST) for s in sides[side]}
            for song in [s for s in sides[Split.TRAIN] if s.package in elsewhere]:
                sides[Split.TRAIN].remove(song)
                skips.add(song.name, "by an artist of another split")
        chosen = sides[split] if split is not None else [s for side in Split for s in sides[side]]
        super().__init__(
            chosen, shortest_s=shortest_s, quiet_db=quiet_db, evenness=evenness, skips=skips
        )

    def _read(
        self, recording: Recording, rng: Generator, seconds: float
    ) -> tuple[Audio, float, str]:
        place = rng.random()
        view = str(rng.choice(self._views, p=self._shares))
        if view == "mixture":
            (audio,), fs = self._streams(recording, (0,), place, seconds)
            return audio, fs, view
        if view == "stem":
            number = int(rng.integers(1, len(STREAMS)))
            (audio,), fs = self._streams(recording, (number,), place, seconds)
            return audio, fs, STREAMS[number]
        gains_db = rng.uniform(-self.remix_db, self.remix_db, size=len(STEMS))
        left_out = rng.random(len(STEMS)) < LEFT_OUT
        left_out[rng.integers(len(STEMS))] = False
        numbers = tuple(k + 1 for k in range(len(STEMS)) if not left_out[k])
        stems, fs = self._streams(recording, numbers, place, seconds)
        mix = np.zeros_like(stems[0])
        for number, stem in zip(numbers, stems, strict=True):
            mix += np.float32(db_to_gain(float(gains_db[number - 1]))) * stem
        return mix, fs, view

    def _streams(
        self, recording: Recording, numbers: tuple[int, ...], place: float, seconds: float
    ) -> tuple[tuple[Audio, ...], float]:
        """Read the same stretch of some of `STREAMS`."""
        if recording.path.is_file():
            return read_streams(recording.path, numbers, place, seconds, shortest_s=self.shortest_s)
        parts = [
            read_stretch(
                recording.path / f"{STREAMS[k]}.wav", place, seconds, shortest_s=self.shortest_s
            )
            for k in numbers
        ]
        if len({(audio.shape, fs) for audio, fs in parts}) > 1:
            raise AudioFileError(f"{recording.path} must hold stems of one length, rate and width")
        return tuple(audio for audio, _ in parts), parts[0][1]
