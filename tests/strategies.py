"""Hypothesis strategies for the values that semeq passes around."""

from itertools import pairwise

from hypothesis import strategies as st

from semeq.engine.settings import GAIN_LIMIT_DB, LAYOUT, Band, EQSettings


def bands(kind: str, max_hz: float = 18_000.0) -> st.SearchStrategy[Band]:
    """Return bands of one kind with audible values."""
    return st.builds(
        Band,
        st.just(kind),
        st.floats(20.0, max_hz),
        st.floats(-GAIN_LIMIT_DB, GAIN_LIMIT_DB),
        st.floats(0.1, 10.0),
    )


def settings(max_hz: float = 18_000.0) -> st.SearchStrategy[EQSettings]:
    """Return any seven bands."""
    return st.builds(EQSettings, st.tuples(*(bands(kind, max_hz) for kind in LAYOUT)))


def partitions(total: int) -> st.SearchStrategy[list[int]]:
    """Return ways to cut `total` frames into blocks, blocks of one sample included."""

    def cut(marks: set[int]) -> list[int]:
        edges = [0, *sorted(marks), total]
        return [b - a for a, b in pairwise(edges) if b > a]

    return st.sets(st.integers(1, total - 1), max_size=40).map(cut)
