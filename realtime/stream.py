"""The duplex stream: PortAudio calling our native code, wrapped in one context manager.

sounddevice lets library authors pass a C function pointer instead of a Python callable
(``_StreamBase``, its door for projects such as rtmixer); nothing of Python then runs on the audio
thread.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from semeq.engine.design import design
from semeq.engine.errors import DeviceError
from semeq.engine.path import MAX_CHANNELS, PEAK_SLOTS, PEAKS
from semeq.engine.settings import EQSettings
from semeq.engine.timeline import ControlSet
from semeq.engine.units import Audio
from semeq.realtime import callback as native
from semeq.realtime import devices
from semeq.realtime.chatter import quiet
from semeq.realtime.counts import Counts, count_on, read_counts
from semeq.realtime.devices import Device
from semeq.realtime.insert_callback import inserted_callback, inserted_state, inserted_table
from semeq.realtime.insert_stage import Stage
from semeq.realtime.mailbox import post
from semeq.realtime.tap import TAP_FRAMES, Tap, cleaned, private_tap

CLOSE_TIMEOUT_S = 2.0
JACK_API = "JACK Audio Connection Kit"
#: Names of audio systems that are shorter than PortAudio's.
SHORT_NAMES = {JACK_API: "JACK"}
_unclosed: list[Any] = []


class _PortAudioStream(Protocol):
    """What we use of sounddevice's stream."""

    samplerate: float
    latency: tuple[float, float]
    active: bool
    _ptr: Any

    def start(self) -> None: ...
    def close(self, ignore_errors: bool) -> None: ...


def _close(library: Any, stream: Any, *, and_portaudio: bool) -> None:  # noqa: ANN401 (C pointers)
    """Close a stream with the library that opened it: by the time it answers there may be another."""
    library.Pa_AbortStream(stream)
    library.Pa_CloseStream(stream)
    if and_portaudio:
        devices.shut(library)


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What to open. None leaves the choice to the device.

    Parameters
    ----------
    input, output : Device
        Where the sound comes from and goes to.
    fs : float, optional
        Sample rate in Hz.
    blocksize : int
        Frames a callback; 0 takes whatever suits the device best.
    channels : int, optional
        1 to 8; by default two, or what the output device has.
    lookahead_frames : int
        Delay of the true-peak limiter; 0 leaves the guard, which adds no delay.
    ceiling_db : float
        What no sample exceeds, in dBFS.
    """

    input: Device
    output: Device
    fs: float | None = None
    blocksize: int = 0
    channels: int | None = None
    lookahead_frames: int = 0
    ceiling_db: float = 0.0


def shape_of(config: StreamConfig) -> tuple[float, int, int]:
    """Return sample rate in Hz, channels, and input channels of the stream that this opens."""
    channels = min(config.channels or 2, config.output.outputs, MAX_CHANNELS)
    fs = float(config.fs or config.output.fs)
    return fs, channels, min(channels, config.input.inputs)


class LiveStream:
    """A running duplex stream and the arrays it works on.

    Use as a context manager: the stream runs inside. The gate is closed until the first set opens it.
    `make_tap` makes the place for the newest input, given the number of channels; `stages` are where plugins
    stand before and after the EQ, if there are any.

    Raises
    ------
    DeviceError
        If the devices cannot be opened together with these settings.
    """

    #: What the tap lies in when another process shares it.
    _tap_memory: Any = None
    #: Closes a stream that does not answer.
    _closer: threading.Thread | None = None

    def __init__(
        self,
        config: StreamConfig,
        make_tap: Callable[[int], Tap] = private_tap,
        stages: tuple[Stage, Stage, Stage] | None = None,
    ) -> None:
        self.config = config
        self.fs, self.channels, self.in_channels = shape_of(config)
        tap = make_tap(self.in_channels)
        self._tap_memory = tap.memory
        fs, n_in, frames, ceiling_db = (
            self.fs,
            self.in_channels,
            config.lookahead_frames,
            config.ceiling_db,
        )
        if stages is None:
            self.state = native.live_state(
                fs, n_in, self.channels, lookahead_frames=frames, ceiling_db=ceiling_db, tap=tap
            )
            self._table = native.address_table(self.state, fs)
            self._function = native.native_callback()
            self._out_peaks = self.state.chain.peaks
        else:
            state = inserted_state(
                fs, n_in, *stages, lookahead_frames=frames, ceiling_db=ceiling_db, tap=tap
            )
            self.state, self._out_peaks = state.seen, state.last.peaks
            self._all = state
            self._table = inserted_table(state, fs)
            self._function = inserted_callback()
        self._stream: _PortAudioStream | None = None

    def __enter__(self) -> Self:
        sd = devices.portaudio()
        config = self.config
        try:
            with quiet():
                stream: _PortAudioStream = sd._StreamBase(
                    kind="duplex",
                    samplerate=self.fs,
                    blocksize=config.blocksize,
                    device=(config.input.number, config.output.number),
                    channels=(self.in_channels, self.channels),
                    dtype="float32",
                    latency="low",
                    clip_off=True,
                    dither_off=True,
                    callback=sd._ffi.cast("void*", self._function.address),
                    userdata=sd._ffi.cast("void*", self._table.ctypes.data),
                    wrap_callback=None,
                )
                # what the device really runs at decides the coefficients
                if abs(stream.samplerate - self.fs) > 0.5:
                    stream.close(True)
                    raise DeviceError(
                        f"{config.output.name} must run at {self.fs:g} Hz, got {stream.samplerate:g}: "
                        "leave --samplerate out to take what it has"
                    )
                stream.start()
        except (sd.PortAudioError, ValueError) as error:
            raise DeviceError(self._why(str(error))) from None
        self._stream = stream
        return self

    def _why(self, reason: str) -> str:
        config = self.config
        reason = reason.removeprefix("Error opening _StreamBase: ")
        return (
            f"{config.input.name} and {config.output.name} ({config.output.api}) do not open at "
            f"{self.fs:g} Hz, {self.channels} channels, block {config.blocksize or 'any'}: {reason}; "
            "'semeq devices' lists what there is"
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None and self.is_jack and not self.is_active:
            self.abandon()  # its server is gone
        stream, self._stream = self._stream, None
        if stream is None:
            return
        # A device that is gone, or a server that hangs, may never answer: closing would wait for ever.
        # PortAudio's own client of a JACK server that is not ours may be dead, too: nobody would know.
        is_safe = self.is_jack or JACK_API not in devices.apis()
        closer = threading.Thread(
            target=_close,
            args=(devices.portaudio()._lib, stream._ptr),
            kwargs={"and_portaudio": is_safe},
            name="semeq-closer",
            daemon=True,
        )
        with quiet():
            closer.start()
            closer.join(CLOSE_TIMEOUT_S)
        if not is_safe:
            devices.abandon()
        if closer.is_alive():
            self._closer = closer
            _unclosed.append((self, stream))  # its thread may still touch the arrays
            devices.abandon()

    def abandon(self) -> None:
        """Leave the stream unclosed: a JACK server that is gone never answers.

        Whatever of it should wake up again finds the gate shut and its arrays in place.
        """
        if self._stream is None:
            return
        shut = ControlSet(design(EQSettings.flat(), self.fs), 0, gate_open=False)
        post(self.state.words, self.state.slots, shut.pack())
        _unclosed.append((self, self._stream))
        self._stream = None
        devices.abandon()

    def wait_closed(self, timeout_s: float) -> None:
        """Wait for a stream that did not answer when it was closed: its server may have come to itself."""
        if self._closer is not None:
            self._closer.join(timeout_s)

    @property
    def is_jack(self) -> bool:
        """Whether a JACK server asks for the blocks."""
        return self.config.output.api == JACK_API

    @property
    def fs_now(self) -> float:
        """What the device runs at, in Hz: a server may change it under a stream."""
        if self._stream is None:
            return self.fs
        sd = devices.portaudio()
        info = sd._lib.Pa_GetStreamInfo(self._stream._ptr)
        return float(info.sampleRate) if info != sd._ffi.NULL else self.fs

    @property
    def tap(self) -> Tap:
        """The newest input, for whoever listens."""
        return Tap(self.state.counters, self.state.tap, self._tap_memory)

    @property
    def latency_s(self) -> tuple[float, float]:
        """What PortAudio reports for input and output, in seconds, our own part left out."""
        if self._stream is None:
            return 0.0, 0.0
        latency_in, latency_out = self._stream.latency
        return float(latency_in), float(latency_out)

    @property
    def is_active(self) -> bool:
        """Whether the device still asks for blocks."""
        return self._stream is not None and bool(self._stream.active)

    def count_on(self, other: "LiveStream") -> None:
        """Begin with what another stream has counted; before this one opens."""
        count_on(self.state, other.state)

    def counts(self) -> Counts:
        """Return the counters; reading them disturbs nobody."""
        return read_counts(self.state, self.fs)

    def newest_input(self, frames: int) -> Audio:
        """Return a copy of the newest `frames` of input, ``(frames, in_channels)``, damage removed."""
        written = self.tap.written
        frames = min(frames, written, TAP_FRAMES // 2)
        return cleaned(self.tapped(written - frames, written))

    def tapped(self, first: int, last: int) -> Audio:
        """Return the input frames `first` to `last` as they came, damage and all."""
        at = np.arange(first, last) & (TAP_FRAMES - 1)
        audio: Audio = self.state.tap[at]
        return audio

    def peaks(self, stretches: int = 4) -> tuple[float, float]:
        """Return the highest input and output sample of the last few stretches of 1024 frames."""
        newest = int(self.state.chain.ints[PEAKS])
        slots = (np.arange(newest - stretches, newest + 1)) % PEAK_SLOTS
        highest = self.state.chain.peaks[slots, 0].max(), self._out_peaks[slots, 1].max()
        return float(highest[0]), float(highest[1])
