"""Messages between a process and the child that runs a plugin: a line of JSON, then samples."""

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from semeq.engine.units import Audio

_HEAD = struct.Struct("<II")
NOTHING: Audio = np.zeros((0, 1), dtype=np.float32)


def send(pipe: BinaryIO, message: Mapping[str, Any], samples: Audio = NOTHING) -> None:
    """Write a message of plain values, and samples of shape ``(frames, channels)``."""
    payload = np.ascontiguousarray(samples, dtype="<f4").tobytes()
    head = json.dumps({**message, "shape": samples.shape}).encode()
    pipe.write(_HEAD.pack(len(head), len(payload)) + head + payload)
    pipe.flush()


def _exactly(pipe: BinaryIO, count: int) -> bytes:
    data = pipe.read(count)
    if len(data) != count:
        raise EOFError("the other process is gone")
    return data


def receive(pipe: BinaryIO) -> tuple[dict[str, Any], Audio]:
    """Read what `send` wrote.

    Raises
    ------
    EOFError
        If the other side is gone.
    """
    head_bytes, payload_bytes = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    message: dict[str, Any] = json.loads(_exactly(pipe, head_bytes))
    samples = np.frombuffer(_exactly(pipe, payload_bytes), dtype="<f4")
    return message, samples.reshape(message.pop("shape")).copy()
