"""Streams of blocks: through a chain, amplified, measured on their way."""

from collections.abc import Iterable, Iterator

import numpy as np

from semeq.engine.chain import Chain
from semeq.engine.levels import Meters
from semeq.engine.samples import silence_damage
from semeq.engine.units import Audio, db_to_gain


def through(chain: Chain, blocks: Iterable[Audio]) -> Iterator[Audio]:
    """Run `blocks` through a chain and yield as many frames, its delay taken off."""
    early = chain.latency_frames
    for block in blocks:
        out = chain.process(block)
        skipped = min(early, len(out))
        early -= skipped
        if skipped < len(out):
            yield out[skipped:]
    if chain.latency_frames:
        silence = np.zeros((chain.latency_frames, chain.channels), dtype=np.float32)
        yield chain.process(silence)[early:]


def amplified(blocks: Iterable[Audio], gain_db: float) -> Iterator[Audio]:
    """Multiply blocks in place and yield them."""
    gain = np.float32(db_to_gain(gain_db))
    for block in blocks:
        block *= gain
        yield block


def metered(blocks: Iterable[Audio], meter: Meters) -> Iterator[Audio]:
    """Measure blocks on their way."""
    for block in blocks:
        meter.feed(block)
        yield block


def metered_as_sound(blocks: Iterable[Audio], meter: Meters) -> Iterator[Audio]:
    """Measure blocks on their way, with silence for their damage, which passes."""
    for block in blocks:
        sound = block.copy()
        silence_damage(sound.reshape(-1))
        meter.feed(sound)
        yield block


def first_sound(blocks: Iterable[Audio]) -> int | None:
    """Return the first frame that is not silence, having read everything."""
    first, at = None, 0
    for block in blocks:
        if first is None:
            found = np.flatnonzero(block.any(axis=1))
            first = at + int(found[0]) if found.size else None
        at += len(block)
    return first
