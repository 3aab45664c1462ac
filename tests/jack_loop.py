"""A room between two JACK ports, in native code: what comes in goes out late, through a room's response.

With ``semeq live`` between its ports it is a microphone before a loudspeaker, sample by sample on JACK's own
clock; `mic_loop` is the same without JACK.
"""

from typing import Any

import numpy as np
from jack_probe import (
    FRAMES,
    N_IN,
    PLAY_AT,
    PORTS,
    POSITION,
    RECORD_AT,
    Probe,
    _buffer,
    _set_process,
)
from mic_loop import ELSEWHERE, WIDTH_HZ, whole_rounds_hz
from numba import cfunc, types
from numba.np.numpy_support import carray
from scipy.signal import iirpeak

from semeq.engine.units import Audio
from semeq.realtime.atomic import pointer_to

_LINE_AT, _LINE_FRAMES, _MIC_AT, _ON_AT, _OFF_AT, _FLOATS_AT = range(40, 46)
_GAIN, _B0, _A1, _A2, _Z1, _Z2, _ELSEWHERE = range(7)


@cfunc(types.int32(types.uint32, types.voidptr))
def _process(nframes: Any, arg: Any) -> int:
    table = carray(arg, 64, np.int64)
    total, at, size = table[FRAMES], table[POSITION], table[_LINE_FRAMES]
    play = carray(pointer_to(table[PLAY_AT]), total, np.float32)
    speaker = carray(pointer_to(table[RECORD_AT]), total, np.float32)
    line = carray(pointer_to(table[_LINE_AT]), size, np.float64)
    mic = carray(pointer_to(table[_MIC_AT]), total, np.float32)
    f = carray(pointer_to(table[_FLOATS_AT]), 7, np.float64)
    sink = carray(
        pointer_to(np.int64(_buffer(pointer_to(table[PORTS]), nframes))), int(nframes), np.float32
    )
    source = carray(
        pointer_to(np.int64(_buffer(pointer_to(table[PORTS + 1]), nframes))),
        int(nframes),
        np.float32,
    )
    left = max(0, min(int(nframes), total - at)) if at >= 0 else 0
    for t in range(int(nframes)):
        if t >= left:
            sink[t] = np.float32(0.0)
            continue
        now = at + t
        late = line[now % size]
        line[now % size] = source[t]
        favourite = f[_B0] * late + f[_Z1]
        f[_Z1] = f[_Z2] - f[_A1] * favourite
        f[_Z2] = -f[_B0] * late - f[_A2] * favourite
        gain = f[_GAIN] if table[_ON_AT] <= now < table[_OFF_AT] else 0.0
        back = f[_ELSEWHERE] * late + (1.0 - f[_ELSEWHERE]) * favourite
        mic[now] = play[now] + np.float32(gain * back)
        sink[t] = mic[now]
        speaker[now] = source[t]
    if at >= 0:
        table[POSITION] = at + left
    return 0


class Room(Probe):
    """A client with a port ``out_1`` (the microphone) and a port ``in_1`` (the loudspeaker).

    Parameters
    ----------
    programme : Audio
        What else the microphone hears, ``(frames, 1)``.
    fs, freq_hz, gain, delay_s
        As in `mic_loop.play`.
    block : int
        Frames of JACK's cycle: what goes round in a loop is a cycle late, besides.
    on_s, off_s : float
        When the loop begins and ends.

    Attributes
    ----------
    microphone : Audio
        What went out, ``(frames,)``.
    """

    def __init__(
        self,
        name: str,
        programme: Audio,
        fs: float,
        freq_hz: float,
        gain: float,
        delay_s: float,
        block: int,
        on_s: float,
        off_s: float,
    ) -> None:
        super().__init__(name, programme, 1)
        assert self._table[N_IN] == 1
        self._line = np.zeros(round(delay_s * fs))
        self.microphone = np.zeros(len(programme), dtype=np.float32)
        freq_hz = whole_rounds_hz(freq_hz, (len(self._line) + block) / fs)
        b, a = iirpeak(freq_hz, freq_hz / WIDTH_HZ, fs=fs)
        self._floats = np.array([gain, b[0], a[1], a[2], 0.0, 0.0, ELSEWHERE])
        self._table[_LINE_AT : _FLOATS_AT + 1] = (
            self._line.ctypes.data,
            len(self._line),
            self.microphone.ctypes.data,
            round(on_s * fs),
            round(off_s * fs),
            self._floats.ctypes.data,
        )
        _set_process(self._client, _process.address, self._table.ctypes.data)
