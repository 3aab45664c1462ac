"""Where inserts stand in the audio path, compiled: sends a block, takes one back, or what is dry.

The sound is late by a fixed delay, whether the plugins answer or not: what comes back is heard `BUFFER`
frames after it was sent, and the dry sound is delayed by that and by the plugins' own latency. So wet and dry
are aligned to the sample, and every cross-fade is between two versions of one moment.

The last block of the buffer is kept for the fade: when what will be needed for the next block has not come
back by now, the fade to dry begins, over the sound that has. Where even that is missing (damage), the
difference that was heard last is held and faded out instead: the wave has no step.
"""

from typing import Any, NamedTuple

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.jit import jit
from semeq.engine.kernel import smoothstep
from semeq.engine.units import Audio
from semeq.realtime.atomic import acquire, publish
from semeq.realtime.insert_ring import (
    MAX_DELAY,
    RETURNED,
    RING_FRAMES,
    SENT,
    VALID_FROM,
    Ring,
    private_ring,
)

#: A fade to dry that has its sound takes so long, s, and never fewer frames than this.
FADE_S, LEAST_FADE = 0.005, 48
#: The way back to the plugins, s, and how long they must have kept up before, s.
BACK_S, HOLD_S = 0.02, 0.25
#: A plugin's samples beyond this are as wrong as what is no number.
LOUDEST = np.float32(1e4)

# int64 words of the stage
#: Frames processed, buffer, whole delay; whether the keeper wants to hear the plugins.
AT, BUFFER, DELAY, WANTED = range(4)
#: The share of dry: its clock, where it heads for (1 dry), frames for which the host has kept up.
SHARE_AT, SHARE_FRAMES, TO_DRY, GOOD = range(4, 8)
#: Counts: fades to dry because the host was late, samples that were no numbers, frames not heard wet though
#: they were wanted so.
LATE, WRONG, DRY_FRAMES = range(8, 11)
#: Lengths of the fades and of the probation, in frames.
FADE, BACK, HOLD = range(11, 14)
#: Whether the last block held wrong samples.
SPOILT = 14
WORDS = 16
_MASK = RING_FRAMES - 1


class Stage(NamedTuple):
    """The arrays of one place of inserts; keep them alive as long as the stream."""

    words: Any  # (16,) int64
    share: Any  # (2,) float64, the share of dry where its fade starts and ends
    held: Any  # (channels,) float64, the last difference between wet and dry
    line: Any  # (RING_FRAMES, channels) float32, the dry sound
    head: Any  # (64,) int64, shared, see `insert_ring`
    send: Any  # (RING_FRAMES, channels) float32, shared
    back: Any  # (RING_FRAMES, channels) float32, shared


def stage(ring: Ring, fs: float) -> Stage:
    """Return a stage on a ring: dry, without delay until `set_delay`."""
    words = np.zeros(WORDS, dtype=np.int64)
    words[TO_DRY] = 1
    words[[FADE, BACK, HOLD]] = [round(fs * s) for s in (FADE_S, BACK_S, HOLD_S)]
    line = np.zeros((RING_FRAMES, ring.channels), dtype=np.float32)
    line.fill(0)  # zeros are only promised until somebody writes
    held = np.zeros(ring.channels)
    return Stage(words, np.ones(2), held, line, ring.head, ring.send, ring.back)


def no_stage(fs: float, channels: int) -> Stage:
    """Return a stage that stands for no insert at all; it passes the sound as it is."""
    return stage(private_ring(channels), fs)


def set_delay(stage: Stage, buffer_frames: int, latency_frames: int) -> None:
    """Fix the delay, before the stream opens.

    Raises
    ------
    SettingsError
        If it is too long.
    """
    delay = buffer_frames + latency_frames
    if not 0 < buffer_frames <= delay <= MAX_DELAY:
        raise SettingsError(
            f"the delay of the inserts must be in 1..{MAX_DELAY} frames, got {delay}: fewer --insert-blocks, "
            "a smaller --blocksize, or a plugin with less latency"
        )
    stage.words[BUFFER], stage.words[DELAY] = buffer_frames, delay


@jit
def is_used(stage: Stage) -> bool:
    """Whether there is an insert at all."""
    return bool(stage.words[BUFFER] > 0)


@jit
def _share_now(stage: Stage) -> float:
    words, share = stage.words, stage.share
    if words[SHARE_AT] >= words[SHARE_FRAMES]:
        return float(share[1])
    return float(
        share[0] + (share[1] - share[0]) * smoothstep(words[SHARE_AT], words[SHARE_FRAMES])
    )


@jit
def _head_for(stage: Stage, dry: int, frames: int) -> None:
    words = stage.words
    stage.share[0] = _share_now(stage)
    stage.share[1] = float(dry)
    words[TO_DRY], words[SHARE_AT], words[SHARE_FRAMES] = dry, 0, frames


@jit
def _decide(stage: Stage, there: int, frames: int) -> None:
    """Head for wet or dry, by what is there and what is wanted."""
    words = stage.words
    keeps_up = there >= 2 * frames and not words[SPOILT]
    words[GOOD] = words[GOOD] + frames if keeps_up else 0
    if words[TO_DRY]:
        if words[WANTED] and words[GOOD] >= words[HOLD]:
            _head_for(stage, 0, words[BACK])
    elif not words[WANTED]:
        _head_for(stage, 1, words[FADE])
    elif not keeps_up:
        words[LATE] += 1
        length = words[FADE]
        if LEAST_FADE <= there < length:
            length = there
        _head_for(stage, 1, length)


@jit
def through(stage: Stage, y: Audio) -> None:
    """Send `y`, ``(frames, channels)`` of good numbers, and put in its place what is heard now."""
    words, head, frames = stage.words, stage.head, y.shape[0]
    at = words[AT]
    for t in range(frames):
        slot = (at + t) & _MASK
        for c in range(y.shape[1]):
            stage.line[slot, c] = y[t, c]
            stage.send[slot, c] = y[t, c]
    publish(head, SENT, at + frames)
    first = at - words[BUFFER]
    returned = acquire(head, RETURNED)
    there = 0
    # whatever a plugin has written over the words: no number in them leads out of the rings
    if head[VALID_FROM] <= first and first < returned <= at + RING_FRAMES // 2:
        there = returned - first
    _decide(stage, there, frames)
    wrong = 0
    for t in range(frames):
        share = _share_now(stage)
        words[SHARE_AT] += 1 if words[SHARE_AT] < words[SHARE_FRAMES] else 0
        wet_slot = (first + t) & _MASK
        dry_slot = (at + t - words[DELAY]) & _MASK
        for c in range(y.shape[1]):
            dry = stage.line[dry_slot, c]
            if share == 1.0:
                y[t, c] = dry
                continue
            wet = stage.back[wet_slot, c]
            is_good = abs(wet) <= LOUDEST
            if t < there and is_good:
                stage.held[c] = np.float64(wet) - np.float64(dry)
                if share == 0.0:
                    y[t, c] = wet
                    continue
            elif t < there:
                wrong += 1
            y[t, c] = np.float32(np.float64(dry) + (1.0 - share) * stage.held[c])
        if share > 0.0 and words[WANTED]:
            words[DRY_FRAMES] += 1
    words[WRONG] += wrong
    words[SPOILT] = 1 if wrong else 0
    words[AT] = at + frames
