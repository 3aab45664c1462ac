"""Sound files for tests, written without the code under test: by the standard library and ffmpeg."""

import struct
import subprocess
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from semeq.engine.units import Audio


def noise(frames: int, channels: int = 2, level: float = 0.1, seed: int = 1) -> Audio:
    """Return noise with a slope, so that an EQ changes its loudness."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((frames + 3, channels))
    return (level * (white[3:] + 0.9 * white[2:-1] + 0.5 * white[1:-2])).astype(np.float32)


def to_pcm(x: Audio, bits: int) -> npt.NDArray[np.int64]:
    """Return samples as integers of so many bits."""
    full = 2 ** (bits - 1)
    steps: npt.NDArray[np.int64] = np.clip(
        np.rint(x.astype(np.float64) * full), -full, full - 1
    ).astype(np.int64)
    return steps


def write_pcm(path: Path, samples: npt.NDArray[np.int64], bits: int, fs: int = 48_000) -> Path:
    """Write an integer WAV, shape ``(frames, channels)``, with the standard library."""
    width = bits // 8
    raw = samples.astype("<i4").view(np.uint8).reshape(*samples.shape, 4)[..., :width]
    data = (samples + 128).astype(np.uint8).tobytes() if bits == 8 else raw.tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(fs)
        file.writeframes(data)
    return path


def float_wav(x: npt.NDArray[np.floating], fs: int = 48_000, extra: bytes = b"") -> bytes:
    """Return a float WAV of the array's own precision; `extra` chunks stand behind the data."""
    width = x.dtype.itemsize
    channels = x.shape[1]
    body = np.ascontiguousarray(x).astype(f"<f{width}").tobytes()
    fmt = struct.pack(
        "<4sIHHIIHH",
        b"fmt ",
        16,
        3,
        channels,
        fs,
        fs * channels * width,
        channels * width,
        8 * width,
    )
    data = struct.pack("<4sI", b"data", len(body)) + body + extra
    return struct.pack("<4sI4s", b"RIFF", 4 + len(fmt) + len(data), b"WAVE") + fmt + data


def write_float(path: Path, x: npt.NDArray[np.floating], fs: int = 48_000) -> Path:
    """Write a float WAV."""
    path.write_bytes(float_wav(x, fs))
    return path


def ffmpeg(source: Path, target: Path, *options: str) -> Path:
    """Convert a file."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), *options, str(target)]
    subprocess.run(command, check=True)
    return target


def decoded(path: Path, channels: int, kind: str = "f32le") -> npt.NDArray[np.generic]:
    """Return what ffmpeg reads from a file: float32, or integers of another raw format."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", kind]
    command += ["-c:a", f"pcm_{kind}", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    dtype = {"f32le": "<f4", "f64le": "<f8", "s16le": "<i2", "s32le": "<i4"}[kind]
    return np.frombuffer(raw, dtype).reshape(-1, channels)
