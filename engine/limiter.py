"""Peak limiter: looks ahead at true peaks, or guards without delay; costs nothing while not needed.

Conventions
-----------
All channels share one gain. The gain is held as an integer *deficit* (0 = unity, ``ONE`` = silence),
so that sums over windows are exact: when the signal is under the ceiling again the gain returns to
exactly 1 and samples pass bit for bit, for any partition into blocks.

With look-ahead L > 0 the peak of each frame is that of the waveform between the samples too (8 times
oversampled), held for the look-ahead, released exponentially and smoothed by two moving
averages (a triangular window, hence no corner in the gain). The delay is exactly L frames.
With L = 0 it is a guard: sample peaks, instant attack, no delay.

The interpolators (`semeq.engine.interpolators`) run only near peaks: where no sample within their reach is
above the ceiling divided by their L1 norm, no point between them can be above the ceiling.

References
----------
ITU-R BS.1770-4, annex 2 (true peak by oversampling).
"""

import math

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.interpolators import (
    GENTLE_FIRST,
    GENTLE_LAST,
    PHASES,
    REACH,
    TAPS,
    interpolator_rows,
    interpolators,
)
from semeq.engine.jit import jit
from semeq.engine.simd import load_4, splat_4, store_4
from semeq.engine.units import Audio, Floats, Ints

ONE = 1 << 40
RELEASE_S = 0.08
#: For so long after damage in the input (s) the gain comes back with this time constant (s).
RECOVERY_WINDOW_S = 0.02
RECOVERY_S = 0.0015
#: Sound beyond full scale is part of the damage that comes within this time (s).
DOUBT_S = 0.005
#: For so long (s) filters ring with it.
HURT_S = 0.003
MIN_LOOKAHEAD = REACH + 8
#: Between 8 times oversampled points a full-band sine can still rise by 0.14 dB.
TRUE_PEAK_MARGIN_DB = 0.1

# int64 state: scalars, then the held peaks (a monotonic queue), then two moving averages
WRITTEN, HOT, ENVELOPE, SUM1, SUM2, HEAD, TAIL, LIMITED, HOLD, BOX1, BOX2, RELEASE = range(12)
# around damage: until which frame peaks are not believed, the past is in doubt, the gain comes back fast; the
# envelope without what is in doubt; how long each of the three lasts, and how fast the gain comes back;
# whether peaks between the samples are left out
HURT_TO, DOUBT_TO, RECOVERS_TO, UNHURT, HURT_FRAMES, DOUBT_FRAMES, RECOVERY_FRAMES, RECOVERY = (
    range(12, 20)
)
SAMPLES_ONLY = 20
_SCALARS = 21
# float64 state: ceiling, hot threshold, last peak between samples; the interpolators, tap by tap, eight
# phases of the steep one, eight of the gentle one (the last of each is 0); the points between two samples
CEILING, THRESHOLD, BETWEEN = range(3)
_TABLE = 3
_ROW = 2 * PHASES
_POINTS = _TABLE + TAPS * _ROW


def lookahead_frames(lookahead_s: float, fs: float) -> int:
    """Return the look-ahead in frames, at least as long as the limiter needs; 0 is the guard."""
    return max(MIN_LOOKAHEAD, round(lookahead_s * fs)) if lookahead_s else 0


def limiter_state(
    fs: float, channels: int, lookahead_frames: int, ceiling_db: float
) -> tuple[Ints, Floats, Audio]:
    """Return the limiter's state: ``(int64 state, float64 state, float32 delay line)``.

    Raises
    ------
    SettingsError
        If the ceiling is not in [-60, 24] dB or the look-ahead is not 0 or at least 32 frames.
    """
    if not -60.0 <= ceiling_db <= 24.0:
        raise SettingsError(f"ceiling_db must be in [-60, 24], got {ceiling_db:g}")
    if lookahead_frames and lookahead_frames < MIN_LOOKAHEAD:
        raise SettingsError(
            f"lookahead_frames must be 0 or at least {MIN_LOOKAHEAD}, got {lookahead_frames}"
        )
    hold = lookahead_frames - REACH + 1 if lookahead_frames else 1
    box1 = max(1, hold // 2)
    box2 = hold - box1 + 1
    ints = np.zeros(_SCALARS + 2 * (hold + 1) + box1 + box2, dtype=np.int64)
    ints[[HOLD, BOX1, BOX2]] = hold, box1, box2
    ints[RELEASE] = _per_frame(RELEASE_S * fs)
    ints[RECOVERY] = _per_frame(RECOVERY_S * fs)
    ints[HURT_FRAMES] = lookahead_frames + round(HURT_S * fs)
    ints[DOUBT_FRAMES] = round(DOUBT_S * fs)
    ints[RECOVERY_FRAMES] = round(RECOVERY_WINDOW_S * fs) + lookahead_frames
    taps = interpolators()
    floats = np.zeros(_POINTS + _ROW)
    margin_db = TRUE_PEAK_MARGIN_DB if lookahead_frames else 0.0
    floats[CEILING] = 10.0 ** ((ceiling_db - margin_db) / 20.0)
    floats[THRESHOLD] = floats[CEILING] / np.abs(taps).sum(axis=2).max()
    floats[_TABLE:_POINTS] = interpolator_rows()
    ring = np.zeros((lookahead_frames + TAPS + 1, channels), dtype=np.float32)
    return ints, floats, ring


def _per_frame(frames: float) -> int:
    """Return what falls off in one frame, in units of 2 ** -20, where `frames` is the time constant."""
    return max(1, round((1 << 20) * -math.expm1(-1.0 / frames)))


@jit
def _released(envelope: int, per_frame: int) -> int:
    if envelope > 0:
        envelope -= ((envelope * per_frame) >> 20) + 1
    return envelope


@jit
def doubt(ints: Ints, frames: int, is_damaged: bool) -> None:
    """Say that the next `frames` are damaged, or so loud that they may be the beginning of damage.

    What damage costs in gain comes back at once. What was held back before it does not: sound that is being
    limited goes on as it was.
    """
    now = ints[WRITTEN]
    if now >= ints[DOUBT_TO] and now >= ints[RECOVERS_TO]:
        ints[UNHURT] = ints[ENVELOPE]
    ints[HURT_TO] = now + frames + ints[HURT_FRAMES]
    ints[DOUBT_TO] = now + frames + ints[DOUBT_FRAMES]
    if is_damaged:
        ints[RECOVERS_TO] = now + frames + ints[RECOVERY_FRAMES]


@jit
def _envelope(ints: Ints, frame: int, held: int) -> int:
    """Return the released maximum of what is held; after damage it falls fast to what it would have been."""
    is_recovering = frame < ints[RECOVERS_TO]
    if is_recovering or frame < ints[DOUBT_TO]:
        unhurt = _released(ints[UNHURT], ints[RELEASE])
        ints[UNHURT] = unhurt if frame < ints[HURT_TO] else max(held, unhurt)
    envelope = _released(ints[ENVELOPE], ints[RECOVERY] if is_recovering else ints[RELEASE])
    if is_recovering:
        envelope = max(envelope, ints[UNHURT])
    return int(max(held, envelope))


@jit
def _between(floats: Floats, ring: Audio, newest: int) -> float:
    """Return the highest peak between the two middle samples of the window ending at `newest`.

    The seven points between are computed side by side, in two vectors of four, by both interpolators.
    """
    size = ring.shape[0]
    highest = 0.0
    for channel in range(ring.shape[1]):
        low, high = splat_4(0.0), splat_4(0.0)
        low_gentle, high_gentle = splat_4(0.0), splat_4(0.0)
        at = (newest + size - TAPS + 1) % size
        for tap in range(TAPS):
            sample = splat_4(np.float64(ring[at, channel]))
            row = _TABLE + _ROW * tap
            low = low + sample * load_4(floats, row)
            high = high + sample * load_4(floats, row + 4)
            if GENTLE_FIRST <= tap < GENTLE_LAST:
                low_gentle = low_gentle + sample * load_4(floats, row + PHASES)
                high_gentle = high_gentle + sample * load_4(floats, row + PHASES + 4)
            at = at + 1 if at + 1 < size else 0
        store_4(floats, _POINTS, low)
        store_4(floats, _POINTS + 4, high)
        store_4(floats, _POINTS + PHASES, low_gentle)
        store_4(floats, _POINTS + PHASES + 4, high_gentle)
        for point in range(_POINTS, _POINTS + _ROW):
            highest = max(highest, abs(floats[point]))
    return highest


@jit
def _hold(ints: Ints, frame: int, deficit: int) -> int:
    """Return the greatest deficit of the last HOLD frames, by a queue whose values only fall."""
    size = ints[HOLD] + 1
    values, frames = _SCALARS, _SCALARS + size
    while ints[TAIL] > ints[HEAD] and ints[values + (ints[TAIL] - 1) % size] <= deficit:
        ints[TAIL] -= 1
    ints[values + ints[TAIL] % size] = deficit
    ints[frames + ints[TAIL] % size] = frame
    ints[TAIL] += 1
    if ints[frames + ints[HEAD] % size] <= frame - ints[HOLD]:
        ints[HEAD] += 1
    return int(ints[values + ints[HEAD] % size])


@jit
def _average(ints: Ints, start: int, length: int, total: int, frame: int, value: int) -> int:
    """Put `value` into a moving sum of `length` and return the new sum."""
    slot = start + frame % length
    total += value - ints[slot]
    ints[slot] = value
    return total


@jit
def _is_idle(ints: Ints, audio: Audio, below: float) -> bool:
    """Whether nothing is held, released or smoothed, and no sample here could change that."""
    if ints[HOT] > 0 or ints[ENVELOPE] > 0 or ints[SUM1] > 0 or ints[SUM2] > 0:
        return False
    bits = audio.view(np.int32)
    highest = np.int32(0)
    for t in range(audio.shape[0]):
        for channel in range(audio.shape[1]):
            highest = max(highest, bits[t, channel] & np.int32(0x7FFFFFFF))
    # non-negative floats compare as their bits do
    return bool(highest <= np.float32(below).view(np.int32))


@jit
def _delay(ring: Audio, frame: int, lookahead: int, audio: Audio) -> None:
    """Pass `audio` through the delay line: all that an idle limiter does."""
    if lookahead == 0:
        return
    size = ring.shape[0]
    entering = frame % size
    leaving = (frame + size - lookahead) % size
    for t in range(audio.shape[0]):
        for channel in range(audio.shape[1]):
            ring[entering, channel] = audio[t, channel]
            audio[t, channel] = ring[leaving, channel]
        entering = entering + 1 if entering + 1 < size else 0
        leaving = leaving + 1 if leaving + 1 < size else 0


@jit
def limit(ints: Ints, floats: Floats, ring: Audio, audio: Audio) -> None:
    """Limit `audio`, shape ``(frames, channels)``, in place; it comes out delayed by the look-ahead."""
    channels = audio.shape[1]
    size = ring.shape[0]
    lookahead = size - TAPS - 1
    hold = ints[HOLD]
    box1, box2 = ints[BOX1], ints[BOX2]
    box1_at = _SCALARS + 2 * (hold + 1)
    box2_at = box1_at + box1
    ceiling = floats[CEILING]
    looks_between = lookahead > 0 and ints[SAMPLES_ONLY] == 0
    threshold = floats[THRESHOLD] if looks_between else ceiling
    # float32 rounding of the bound: half an ulp below cannot let a louder sample through
    if _is_idle(ints, audio, threshold * (1.0 - 1e-7)):
        _delay(ring, ints[WRITTEN], lookahead, audio)
        ints[WRITTEN] += audio.shape[0]
        floats[BETWEEN] = 0.0
        return
    for t in range(audio.shape[0]):
        frame = ints[WRITTEN]
        newest = frame % size
        peak = 0.0
        for channel in range(channels):
            sample = audio[t, channel]
            ring[newest, channel] = sample
            peak = max(peak, abs(np.float64(sample)))
        if lookahead:
            if peak > threshold:
                ints[HOT] = TAPS + 1
            middle = (newest + size - REACH) % size
            peak = 0.0
            if ints[HOT] > 0:
                ints[HOT] -= 1
                if looks_between:
                    between = _between(floats, ring, newest)
                    peak = max(between, floats[BETWEEN])
                    floats[BETWEEN] = between
                for channel in range(channels):
                    peak = max(peak, abs(np.float64(ring[middle, channel])))
            else:
                floats[BETWEEN] = 0.0
        deficit = 0
        if peak > ceiling:
            deficit = int((1.0 - ceiling / peak) * ONE) + 1
        held = _hold(ints, frame, deficit)
        envelope = _envelope(ints, frame, held)
        ints[ENVELOPE] = envelope
        ints[SUM1] = _average(ints, box1_at, box1, ints[SUM1], frame, envelope)
        smooth = ints[SUM1] // box1
        ints[SUM2] = _average(ints, box2_at, box2, ints[SUM2], frame, smooth)
        reduction = (ints[SUM2] + box2 - 1) // box2
        ints[WRITTEN] = frame + 1
        leaving = (newest + size - lookahead) % size
        if reduction > 0:
            gain = 1.0 - reduction / ONE
            ints[LIMITED] += 1
            for channel in range(channels):
                value = gain * np.float64(ring[leaving, channel])
                audio[t, channel] = np.float32(min(max(value, -ceiling), ceiling))
        else:
            for channel in range(channels):
                audio[t, channel] = ring[leaving, channel]
