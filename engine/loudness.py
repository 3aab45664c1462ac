"""Integrated loudness of a stream (ITU-R BS.1770-4): blocks in, gated LUFS out.

Conventions
-----------
The K-weighting is a shelf and a high-pass, given by the standard as coefficients at 48 kHz. Here they
are re-derived for any sample rate from the analogue filters behind them [2]_, bilinear. At 48 kHz the
published numbers come out; at other rates the high-pass keeps the passband gain it has there (+0.04 dB),
which implementations that leave its numerator at 1, -2, 1 do not (+0.26 dB at 8 kHz).

A stretch of 100 ms leaves one number behind, the channel-weighted sum of its squares: three hours are
108,000 numbers. The gating blocks of 400 ms, one each 100 ms, are means of four of them.

Channels follow the WAV order: L R C LFE, then the surrounds; four are taken for L R Ls Rs and five for
L R C Ls Rs. The LFE counts nothing and a channel at the side counts 1.41, as the standard says.

References
----------
.. [1] ITU-R BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level".
.. [2] B. De Man, "Evaluation of implementations of the EBU R128 loudness measurement", AES 145, 2018.
"""

import math

import numpy as np

from semeq.engine.errors import SettingsError
from semeq.engine.jit import jit
from semeq.engine.simd import FEW, load_4, load_floats_4, splat_4, store_4
from semeq.engine.units import Audio, Floats, read_only

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
OFFSET_LUFS = -0.691
#: Weight of each channel, by number of channels.
WEIGHTS: dict[int, tuple[float, ...]] = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    4: (1.0, 1.0, 1.41, 1.41),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
    7: (1.0, 1.0, 1.0, 0.0, 1.0, 1.41, 1.41),
    8: (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.41, 1.41),
}
_STEPS_PER_S = 10
STEPS_PER_BLOCK = 4
_FLUSH_BELOW = 1e-30

# The analogue filters: centre, quality, and the shelf's gain at the top and at the centre.
_SHELF_HZ, _SHELF_Q = 1681.974450955533, 0.7071752369554196
_SHELF_TOP = 10.0 ** (3.999843853973347 / 20.0)
_SHELF_CENTRE = _SHELF_TOP**0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773


def _high_pass_norm(fs: float) -> float:
    t = math.tan(math.pi * _HIGH_PASS_HZ / fs)
    return 1.0 + t / _HIGH_PASS_Q + t * t


def k_weighting(fs: float) -> Floats:
    """Return the two K-weighting filters at `fs` Hz as ``(2, 6)`` rows ``b0 b1 b2 1 a1 a2``.

    Examples
    --------
    >>> k_weighting(48000.0)[0].round(8).tolist()
    [1.53512486, -2.69169619, 1.19839281, 1.0, -1.69065929, 0.73248077]
    """
    if not (math.isfinite(fs) and fs > 4.0 * _SHELF_HZ):
        raise SettingsError(
            f"fs must be above {4.0 * _SHELF_HZ:.0f} Hz to be K-weighted, got {fs:g}"
        )
    t = math.tan(math.pi * _SHELF_HZ / fs)
    norm = 1.0 + t / _SHELF_Q + t * t
    tilt = _SHELF_CENTRE * t / _SHELF_Q
    shelf = (
        (_SHELF_TOP + tilt + t * t) / norm,
        2.0 * (t * t - _SHELF_TOP) / norm,
        (_SHELF_TOP - tilt + t * t) / norm,
        1.0,
        2.0 * (t * t - 1.0) / norm,
        (1.0 - t / _SHELF_Q + t * t) / norm,
    )
    t = math.tan(math.pi * _HIGH_PASS_HZ / fs)
    norm = _high_pass_norm(fs)
    level = _high_pass_norm(48000.0) / norm
    high_pass = (
        level,
        -2.0 * level,
        level,
        1.0,
        2.0 * (t * t - 1.0) / norm,
        (1.0 - t / _HIGH_PASS_Q + t * t) / norm,
    )
    sos: Floats = read_only(np.array((shelf, high_pass)))
    return sos


@jit
def _gather(block: Audio, lane: int, room: Audio) -> None:
    """Copy the channels of a block into `room`, shape ``(frames, lanes)``, from `lane` on."""
    for channel in range(block.shape[1]):
        for n in range(block.shape[0]):
            room[n, lane + channel] = block[n, channel]


@jit
def _weigh(
    x: Audio, lanes: int, lane: int, first: int, last: int, sos: Floats, state: Floats, sums: Floats
) -> None:
    """Add the squares of four K-weighted lanes of flat `x` to ``sums[lane:]``."""
    b0, b1, b2 = splat_4(sos[0, 0]), splat_4(sos[0, 1]), splat_4(sos[0, 2])
    a1, a2 = splat_4(sos[0, 4]), splat_4(sos[0, 5])
    level, h1, h2 = splat_4(sos[1, 0]), splat_4(sos[1, 4]), splat_4(sos[1, 5])
    at = 4 * lane
    s1, s2 = load_4(state, at), load_4(state, at + 4)
    r1, r2 = load_4(state, at + 8), load_4(state, at + 12)
    total = load_4(sums, lane)
    for n in range(first, last):
        u = load_floats_4(x, n * lanes + lane)
        y = b0 * u + s1
        s1 = (b1 * u + s2) - a1 * y
        s2 = b2 * u - a2 * y
        v = level * y
        z = v + r1
        r1 = (r2 - (v + v)) - h1 * z
        r2 = v - h2 * z
        total = total + z * z
    store_4(state, at, s1)
    store_4(state, at + 4, s2)
    store_4(state, at + 8, r1)
    store_4(state, at + 12, r2)
    store_4(sums, lane, total)


@jit
def _accumulate(
    x: Audio,
    position: int,
    fs: int,
    sos: Floats,
    weights: Floats,
    state: Floats,
    sums: Floats,
    steps: Floats,
) -> int:
    """Weigh ``(frames, lanes)`` from frame `position` on; write finished steps, return their number.

    `weights` has shape ``(sides, lanes)``, `steps` ``(room, sides)``.
    """
    frames, lanes = x.shape
    flat = x.ravel()
    n, done = 0, 0
    while n < frames:
        step = (position + n) * _STEPS_PER_S // fs
        end = -((-(step + 1) * fs) // _STEPS_PER_S)  # the first frame of the next step
        last = min(frames, end - position)
        for lane in range(0, lanes, FEW):
            _weigh(flat, lanes, lane, n, last, sos, state, sums)
        n = last
        if position + n == end:
            for side in range(weights.shape[0]):
                total = 0.0
                for lane in range(lanes):
                    total += weights[side, lane] * sums[lane]
                steps[done, side] = total
            sums[:] = 0.0
            for i in range(state.size):
                if abs(state[i]) < _FLUSH_BELOW:  # denormals are slow
                    state[i] = 0.0
            done += 1
    return done


class LoudnessMeter:
    """Integrated loudness of one stream, or of several that run side by side.

    Four lanes cost what one costs: input and output of a stereo job are measured together.

    Parameters
    ----------
    fs : float
        Sample rate in Hz, a whole number in [8000, 192000].
    channels : int
        1 to 8, of each side.
    sides : int
        How many streams of equal length there are.

    Examples
    --------
    >>> meter = LoudnessMeter(48000, 1)
    >>> t = np.arange(96000) / 48000.0
    >>> meter.feed(np.sin(2.0 * np.pi * 997.0 * t).astype(np.float32)[:, None])
    >>> round(meter.integrated(), 2)
    -3.01
    """

    def __init__(self, fs: float, channels: int, *, sides: int = 1) -> None:
        if not (math.isfinite(fs) and fs == int(fs)):
            raise SettingsError(f"fs must be a whole number of Hz, got {fs:g}")
        if channels not in WEIGHTS:
            raise SettingsError(f"channels must be in 1..{len(WEIGHTS)}, got {channels}")
        self.fs = int(fs)
        self._channels = channels
        self._sos = k_weighting(fs)
        lanes = -(-sides * channels // FEW) * FEW
        self._weights = np.zeros((sides, lanes))
        for side, row in enumerate(self._weights):
            row[side * channels : (side + 1) * channels] = WEIGHTS[channels]
        self._state = np.zeros(4 * lanes)
        self._sums = np.zeros(lanes)
        self._room = np.zeros((0, lanes), dtype=np.float32)
        self._position = 0
        self._steps: list[Floats] = []
        self._taken = 0

    def feed(self, *blocks: Audio) -> None:
        """Measure the next block of each side, ``(frames, channels)``; any partition gives the same."""
        frames = len(blocks[0])
        if len(self._room) < frames:
            self._room = np.zeros((frames, self._room.shape[1]), dtype=np.float32)
        for side, block in enumerate(blocks):
            _gather(block, side * self._channels, self._room)
        steps = np.empty((frames * _STEPS_PER_S // self.fs + 2, len(self._weights)))
        done = _accumulate(
            self._room[:frames],
            self._position,
            self.fs,
            self._sos,
            self._weights,
            self._state,
            self._sums,
            steps,
        )
        self._position += frames
        if done:
            self._steps.append(steps[:done].copy())

    def take_steps(self) -> list[tuple[float, int]]:
        """Return energy and frames of each stretch of 100 ms of the first side since the last call.

        They are forgotten here: a meter that is asked for this knows no `integrated`.
        """
        taken = [float(energy) for steps in self._steps for energy in steps[:, 0]]
        self._steps.clear()
        edges = -(-np.arange(self._taken, self._taken + len(taken) + 1) * self.fs // _STEPS_PER_S)
        self._taken += len(taken)
        return list(zip(taken, np.diff(edges).tolist(), strict=True))

    def _blocks(self, side: int) -> Floats:
        """Return the mean square of each gating block."""
        steps = np.concatenate([np.zeros(0), *(steps[:, side] for steps in self._steps)])
        if len(steps) < STEPS_PER_BLOCK:
            return np.zeros(0)
        edges = -(-np.arange(len(steps) + 1) * self.fs // _STEPS_PER_S)
        energy = np.lib.stride_tricks.sliding_window_view(steps, STEPS_PER_BLOCK).sum(axis=1)
        blocks: Floats = energy / (edges[STEPS_PER_BLOCK:] - edges[:-STEPS_PER_BLOCK])
        return blocks

    def integrated(self, side: int = 0) -> float | None:
        """Return the gated loudness in LUFS, or None when nothing is louder than the gate of -70.

        A file shorter than 400 ms has no gating block, hence no loudness.
        """
        blocks = self._blocks(side)
        blocks = blocks[blocks > _power(ABSOLUTE_GATE_LUFS)]
        if not blocks.size:
            return None
        relative = blocks.mean() * 10.0 ** (RELATIVE_GATE_LU / 10.0)
        return lufs(float(blocks[blocks > relative].mean()))

    def ungated(self, side: int = 0) -> float | None:
        """Return the loudness of everything so far without gates, or None for silence.

        What remains to compare two versions of a sound that is too short or too quiet for the gates.
        """
        rest = float(np.dot(self._weights[side], self._sums))
        total = math.fsum(float(steps[:, side].sum()) for steps in self._steps) + rest
        return lufs(total / self._position) if total > 0.0 else None


def lufs(power: float) -> float:
    """Return the loudness in LUFS of a K-weighted power."""
    return OFFSET_LUFS + 10.0 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10.0 ** ((lufs - OFFSET_LUFS) / 10.0))
