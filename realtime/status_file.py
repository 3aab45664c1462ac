"""Reads what ``semeq live --status FILE`` writes, while it is being written; and says it for people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semeq.engine.errors import DataError
from semeq.engine.texts import load_json
from semeq.realtime.view_model import clock

#: More than a few lines of a status file: where its last whole line is looked for.
_TAIL = 1 << 16


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        status = load_json(text)
        line(status)  # whoever reads on may rely on what this takes
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None  # being written, cut off, or something else
    is_status: dict[str, Any] = status
    return is_status


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"the status file {path} cannot be read: {error.strerror or error}; name the file that "
        "'semeq live --status' writes"
    )


def newest(path: Path) -> dict[str, Any]:
    """Return the newest status in `path`.

    Raises
    ------
    DataError
        If the file cannot be read or holds none.
    """
    return _newest(path)[0]


def _newest(path: Path) -> tuple[dict[str, Any], int]:
    """Return the newest status, and where the next line begins."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            start = max(file.tell() - _TAIL, 0)
            file.seek(start)
            content = file.read()
    except OSError as error:
        raise _unreadable(path, error) from None
    whole = content.rfind(b"\n") + 1
    for text in reversed(content[:whole].splitlines()):
        status = _parsed(text)
        if status is not None:
            return status, start + whole
    raise DataError(f"{path} must hold what 'semeq live --status' writes, got no such line")


class Follower:
    """Yields each status that is appended to a file; `first` is the newest that is there already.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    DataError
        If it cannot be read or holds no status.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.first, self._at = _newest(path)

    def fresh(self) -> Iterator[dict[str, Any]]:
        """Yield what has come since the last call; a file that was made anew is read from its start."""
        try:
            size = self._path.stat().st_size
            if size < self._at:
                self._at = 0
            with self._path.open("rb") as file:
                file.seek(self._at)
                content = file.read()
        except OSError as error:
            raise _unreadable(self._path, error) from None
        whole = content.rfind(b"\n") + 1
        self._at += whole
        for text in content[:whole].splitlines():
            status = _parsed(text)
            if status is not None:
                yield status


def summary(status: dict[str, Any]) -> str:
    """Return a session in one line: how long, how hard, what went wrong."""
    callback, get = status["callback_us"], status.get
    parts = [
        f"up {clock(get('uptime_s', status['seconds']))}, {status['seconds']:.1f} s of sound "
        f"at {status['fs']:g} Hz, block {status['blocksize']}: "
        f"callback p50 {callback['p50']:g}, p99.9 {callback['p99.9']:g}, max {callback['max']:g} µs "
        f"(load {100 * get('load', 0.0):.2f} %)",
        f"loudness {_lufs(get('loudness', {}).get('integrated_lufs'))}",
        f"{status['missed_deadlines']} deadlines missed",
        f"{status['xruns']} xruns",
        f"{get('overload', {}).get('steps', 0)} overload steps",
        f"{get('limited_frames', 0)} frames limited",
        f"{get('clipped_samples', 0)} input samples clipped",
        f"{get('bad_samples', 0)} damaged samples",
        f"{get('stale_encoder_results', 0)} late encoder results",
        f"{get('added_frames', 0)} frames added",
        f"{get('howl', {}).get('ducks', 0)} howls ducked",
        f"{get('reconnects', 0)} reconnects ({get('away_s', 0.0):.1f} s without the device)",
    ]
    return ", ".join(parts)


def _lufs(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} LUFS"


def line(status: dict[str, Any]) -> str:
    """Return a status as it stands, in one line."""
    return f"{status['state']}: {status.get('recipe') or 'flat'} | {summary(status)}"
