"""What a sound file holds besides sound, carried over to what became of it."""

from pathlib import Path

from semeq.engine.atomic import Replacement
from semeq.engine.chunks import carry_chunks


def carry_all(source: Path, new: Replacement, source_kind: str, kind: str) -> list[str]:
    """Copy chunks and tags of `source` into the finished output; return warnings."""
    if source_kind == kind and kind in ("wav", "aiff"):
        with source.open("rb") as theirs:
            return carry_chunks(theirs, new.file, kind)
    # only here: mutagen takes a while to load
    from semeq.engine.tags import carry_tags

    return carry_tags(source, source_kind, new.path, kind)
