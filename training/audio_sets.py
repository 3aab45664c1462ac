"""Plain folders of sound files as a data set: ``ROOT/PACKAGE/.../track.ogg``.

The first folder below the root is the package: an artist, an album, a software package. It is drawn
first, and it stays on one side of a split. Files that lie in the root itself are packages of their own.

Packages that share a file (the same bytes under any name) are split together: a track is never
in two splits, and its copies within a split are left out.

A package that outweighs the others always trains: were it held out by chance, much of the music would be
lost to training, and a test of it would be a test of that package.
"""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from semeq.engine.errors import DataError, SettingsError
from semeq.training.crops import QUIET_DB
from semeq.training.decode import FFMPEG_SUFFIXES, readable_suffixes
from semeq.training.recordings import Recording, RecordingSet, Skips
from semeq.training.splits import USUAL_SHARES, Shares, Split, joined, split_of

#: So much of a file's middle tells it from all others, with its length.
_FINGERPRINT_BYTES = 65_536


#: A package outweighs the others with this share of all bytes, and so many times the mean share.
LARGE_SHARE, LARGE_RATIO = 0.1, 3.0


def large_groups(weights: Iterable[tuple[str, int]]) -> frozenset[str]:
    """Return the groups that outweigh the others.

    >>> sizes = [("huge", 50), *((f"p{k}", 1) for k in range(50))]
    >>> large_groups(sizes)
    frozenset({'huge'})
    """
    total: Counter[str] = Counter()
    for group, weight in weights:
        total[group] += weight
    least = max(LARGE_SHARE, LARGE_RATIO / max(1, len(total))) * total.total()
    return frozenset(group for group, weight in total.items() if weight > least)


def fingerprint(path: Path) -> str:
    """Return what copies of a file share: its length and a hash of its middle."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, (size - _FINGERPRINT_BYTES) // 2))
        return f"{size}:{hashlib.sha256(file.read(_FINGERPRINT_BYTES)).hexdigest()}"


def sound_files(root: Path) -> Iterator[Path]:
    """Yield the files below `root` whose names promise sound, in order; hidden ones apart.

    Raises
    ------
    DataError
        If `root` is not a folder.
    """
    if not root.is_dir():
        raise DataError(f"{root} must be a folder of sound files, got no such folder")
    suffixes = readable_suffixes()
    for folder, below, names in os.walk(root, followlinks=True):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes:
                yield Path(folder, name)


class AudioFolder(RecordingSet):
    """Every sound file below a folder.

    Parameters
    ----------
    root : Path
        The folder.
    split : Split, optional
        One side of a split by package; all if it is left out.
    by : str
        What a split keeps together: "package", or "recording" where there are but a few packages and it
        may be the same artist on both sides.
    shares, salt
        See `semeq.training.splits.split_of`.
    shortest_s, quiet_db, evenness
        See `semeq.training.recordings.RecordingSet`.

    Raises
    ------
    DataError
        If `root` is no folder, or holds no sound (of this split).
    """

    def __init__(
        self,
        root: Path,
        *,
        split: Split | None = None,
        by: str = "package",
        shares: Shares = USUAL_SHARES,
        salt: str = "semeq",
        shortest_s: float = 1.0,
        quiet_db: float = QUIET_DB,
        evenness: float = 1.0,
    ) -> None:
        if by not in ("package", "recording"):
            raise SettingsError(f"by must be package or recording, got {by!r}")
        root = Path(root)
        skips = Skips()
        has_ffmpeg = shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None
        found: list[Recording] = []
        prints: list[str] = []
        for path in sound_files(root):
            relative = path.relative_to(root)
            if path.suffix.lower() in FFMPEG_SUFFIXES and not has_ffmpeg:
                skips.add(relative.as_posix(), "need ffmpeg")
                continue
            try:
                prints.append(fingerprint(path))
            except OSError as error:
                skips.add(relative.as_posix(), "cannot be opened", str(error))
                continue
            package = relative.parts[0] if len(relative.parts) > 1 else path.stem
            found.append(Recording(relative.as_posix(), path, package))
        groups = [r.package if by == "package" else r.name for r in found]
        together = joined(zip(groups, prints, strict=True))
        sizes = (int(mark.partition(":")[0]) for mark in prints)
        large = large_groups(zip((together[group] for group in groups), sizes, strict=True))

        def side(group: str) -> Split:
            return Split.TRAIN if group in large else split_of(group, shares, salt=salt)

        kept: dict[str, Recording] = {}
        for recording, group, mark in zip(found, groups, prints, strict=True):
            if split is not None and side(together[group]) is not split:
                continue
            if mark in kept:
                skips.add(recording.name, "copies", f"the same file as {kept[mark].name}")
            else:
                kept[mark] = recording
        if found and not kept:
            raise DataError(
                f"{root} must have a {by} for the split {split}, got none of its "
                f"{len(set(groups))}: name a folder for each split, or give other shares"
            )
        super().__init__(
            kept.values(),
            shortest_s=shortest_s,
            quiet_db=quiet_db,
            evenness=evenness,
            skips=skips,
        )
