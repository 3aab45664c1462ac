"""The Free Music Archive data set in its own layout [1]_.

::

    ROOT/fma_metadata/tracks.csv       two header rows (group, column), then a row that names the index
    ROOT/fma_metadata/genres.csv       genre_id, #tracks, parent, title, top_level
    ROOT/fma_small/000/000002.mp3      or fma_medium, fma_large (30 s clips), fma_full (whole tracks)

- *Sizes*: small is a part of medium, medium of large; large and full hold every track.
- *Split*: the official one (training, validation, test) keeps an artist on one side.
- *Package*: the artist.
- *Genre*: ``genre_top`` where it is given; where not, the root of the track's first genre.
- *Known bad*: 15 clips hold no sound and 6 are shorter than 30 s, since the length on record was wrong and
  the clip was cut behind the end [2]_. Their full tracks are good. Whatever else does not decode
  is found out when it is drawn.

References
----------
.. [1] M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: A dataset for music analysis", ISMIR 2017.
.. [2] https://github.com/mdeff/fma/wiki, "Excerpts shorter than 30s and erroneous audio length metadata".
"""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path

from semeq.engine.errors import DataError, SettingsError
from semeq.training.crops import QUIET_DB
from semeq.training.recordings import Recording, RecordingSet, Skips
from semeq.training.splits import Split

SIZES = ("small", "medium", "large", "full")
#: Clips without sound, and clips cut short.
EMPTY_CLIPS = frozenset(
    {
        *(1486, 5574, 65753, 80391, 98558, 98559, 98560, 98571, 99134, 105247),
        *(108925, 126981, 127336, 133297, 143992),
    }
)
SHORT_CLIPS = frozenset({98565, 98566, 98567, 98568, 98569, 108924})
OFFICIAL = {"training": Split.TRAIN, "validation": Split.VALID, "test": Split.TEST}
#: Biographies and album notes are longer than the csv module takes.
_FIELD_LIMIT = 1 << 24
_COLUMNS = (
    ("set", "subset"),
    ("set", "split"),
    ("artist", "id"),
    ("artist", "name"),
    ("track", "genre_top"),
    ("track", "genres"),
)


def clip_path(folder: Path, track: int) -> Path:
    """Return where a track lies.

    >>> clip_path(Path("fma_small"), 2).as_posix()
    'fma_small/000/000002.mp3'
    """
    return folder / f"{track // 1000:03d}" / f"{track:06d}.mp3"


def _rows(path: Path) -> Iterator[list[str]]:
    limit = csv.field_size_limit(_FIELD_LIMIT)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.reader(file)
    except OSError as error:
        raise DataError(
            f"{path} must be a readable file, got {error.strerror}; it is part of fma_metadata.zip"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} must be a UTF-8 CSV file, got {error}") from error
    finally:
        csv.field_size_limit(limit)


def read_genres(path: Path) -> dict[int, str]:
    """Return the title of the root of each genre by its number.

    Raises
    ------
    DataError
        If the file is missing or is not FMA's.
    """
    rows = _rows(path)
    header = next(rows, [])
    try:
        number, title, top = (header.index(name) for name in ("genre_id", "title", "top_level"))
        table = {int(row[number]): (row[title], int(row[top])) for row in rows if row}
        return {genre: table[root][0] for genre, (_, root) in table.items()}
    except (ValueError, IndexError, KeyError) as error:
        raise DataError(
            f"{path} must hold genre_id, title and top_level of each genre, got {error}"
        ) from None


def read_tracks(path: Path) -> Iterator[tuple[int, dict[tuple[str, str], str]]]:
    """Yield the number of each track and its columns ``(group, name)``.

    Raises
    ------
    DataError
        If the file is missing or is not FMA's.
    """
    rows = _rows(path)
    groups, names = next(rows, []), next(rows, [])
    columns = list(zip(groups, names, strict=False))
    missing = [column for column in _COLUMNS if column not in columns]
    if missing:
        raise DataError(
            f"{path} must have the column {'/'.join(missing[0])} in its two header rows, got none"
        )
    wanted = [(columns.index(column), column) for column in _COLUMNS]
    for row in rows:
        if not row or row[0] == "track_id":
            continue
        try:
            yield int(row[0]), {column: row[k] for k, column in wanted}
        except (ValueError, IndexError):
            raise DataError(
                f"{path} must hold a track with {len(columns)} columns in each row, "
                f"got {len(row)} in the row of {row[0]!r}"
            ) from None


class Fma(RecordingSet):
    """FMA, any size.

    Parameters
    ----------
    root : Path
        The folder with ``fma_metadata`` and ``fma_SIZE``.
    size : str
        One of `SIZES`.
    split : Split, optional
        One side of the official split; all if it is left out.
    genres : collection of str
        Only tracks of these root genres; all if it is empty.
    shortest_s, quiet_db, evenness
        See `semeq.training.recordings.RecordingSet`.

    Raises
    ------
    DataError
        If a file is missing, or no track is left.
    """

    def __init__(
        self,
        root: Path,
        size: str = "small",
        *,
        split: Split | None = None,
        genres: Collection[str] = (),
        shortest_s: float = 1.0,
        quiet_db: float = QUIET_DB,
        evenness: float = 1.0,
    ) -> None:
        if size not in SIZES:
            raise SettingsError(f"size must be one of {', '.join(SIZES)}, got {size!r}")
        root, self.size = Path(root), size
        folder, metadata = root / f"fma_{size}", root / "fma_metadata"
        if not folder.is_dir():
            raise DataError(f"{folder} must be a folder of clips: unpack fma_{size}.zip in {root}")
        roots = read_genres(metadata / "genres.csv")
        subsets = SIZES[: SIZES.index(size) + 1]
        skips, found = Skips(), []
        for track, values in read_tracks(metadata / "tracks.csv"):
            if size != "full" and values["set", "subset"] not in subsets:
                continue
            if split is not None and OFFICIAL.get(values["set", "split"]) is not split:
                continue
            genre = values["track", "genre_top"] or _first_root(values["track", "genres"], roots)
            if genres and genre not in genres:
                continue
            path = clip_path(folder, track)
            if size != "full" and track in EMPTY_CLIPS | SHORT_CLIPS:
                skips.add(path.stem, "known to be empty or short")
            elif not path.is_file():
                skips.add(path.stem, "missing")
            else:
                artist = values["artist", "id"] or values["artist", "name"]
                found.append(Recording(path.stem, path, f"artist {artist}", genre))
        unknown = set(genres) - set(roots.values())
        if unknown:
            raise SettingsError(
                f"genres must be among {', '.join(sorted(set(roots.values())))}, "
                f"got {', '.join(sorted(unknown))}"
            )
        super().__init__(
            found, shortest_s=shortest_s, quiet_db=quiet_db, evenness=evenness, skips=skips
        )


def _first_root(listed: str, roots: dict[int, str]) -> str:
    """Return the root genre of a list such as ``[21, 10]``; "" of an empty one."""
    numbers = listed.strip("[] ").split(",")
    return roots.get(int(numbers[0]), "") if numbers[0].strip().isdigit() else ""
