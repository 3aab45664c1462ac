"""What an ONNX file of a network may hold, looked at before onnxruntime gets it: a plain graph of numbers.

ONNX can name other files for its weights, bring functions and loops of its own, and use operators of other
domains. A network of semeq does none of it, so what does is refused. The file is a protocol buffer;
the few fields that matter are walked through here, without another library.

References
----------
The ONNX intermediate representation (onnx.proto3); protocol buffers, encoding.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

MOST_BYTES = 64 << 20
#: Field numbers.
_GRAPH, _TRAINING, _FUNCTIONS = 7, 20, 25  # of a model
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15  # of a graph
_ATTRIBUTE, _DOMAIN = 5, 7  # of a node
_TENSOR, _SUBGRAPH, _TENSORS, _SUBGRAPHS, _SPARSE_TENSOR, _SPARSE_TENSORS = 5, 6, 10, 11, 22, 23
_TYPE, _FLOATS, _RAW, _EXTERNAL, _LOCATION = 2, 4, 9, 13, 14  # of a tensor
_FLOAT32, _FLOAT64 = 1, 11
_KINDS: dict[int, np.dtype[Any]] = {_FLOAT32: np.dtype("<f4"), _FLOAT64: np.dtype("<f8")}
_DOMAINS = (b"", b"ai.onnx")
Field = tuple[int, int, memoryview]


def check_network(content: bytes) -> None:
    """Let a network pass that holds its own finite numbers and plain operators.

    Raises
    ------
    ValueError
        If it holds anything else, or is damaged; in one line.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES:,} bytes")
    graphs = 0
    for number, _, body in _fields(memoryview(content)):
        if number in (_TRAINING, _FUNCTIONS):
            raise ValueError("functions or training of its own")
        if number == _GRAPH:
            graphs += 1
            _check_graph(body)
    if graphs != 1:
        raise ValueError("no graph" if not graphs else "more than one graph")


def _check_graph(graph: memoryview) -> None:
    for number, _, body in _fields(graph):
        if number == _NODE:
            _check_node(body)
        elif number == _INITIALIZER:
            _check_tensor(body)
        elif number == _SPARSE:
            raise ValueError("sparse weights")


def _check_node(node: memoryview) -> None:
    for number, _, body in _fields(node):
        if number == _DOMAIN and bytes(body) not in _DOMAINS:
            raise ValueError(f"operators of the domain {bytes(body[:40])!r}")
        if number != _ATTRIBUTE:
            continue
        for kind, _, value in _fields(body):
            if kind in (_SUBGRAPH, _SUBGRAPHS):
                raise ValueError("graphs inside its graph")
            if kind in (_SPARSE_TENSOR, _SPARSE_TENSORS):
                raise ValueError("sparse weights")
            if kind in (_TENSOR, _TENSORS):
                _check_tensor(value)


def _check_tensor(tensor: memoryview) -> None:
    stored, values = 0, []
    for number, value, body in _fields(tensor):
        if number == _EXTERNAL or (number == _LOCATION and value):
            raise ValueError("weights in another file")
        if number == _TYPE:
            stored = value
        elif number in (_RAW, _FLOATS):
            values.append((number, body))
    for number, body in values:
        kind = _KINDS[_FLOAT32] if number == _FLOATS else _KINDS.get(stored)
        if kind is None or len(body) % kind.itemsize:
            continue
        if not np.isfinite(np.frombuffer(body, kind)).all():
            raise ValueError("weights that are not finite")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a damaged file")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: memoryview) -> Iterator[Field]:
    """Yield number, value and content of each field of a message; the value of one that has no content."""
    at, nothing = 0, memoryview(b"")
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value, nothing
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError("a damaged file")
        if size > len(data) - at:
            raise ValueError("a damaged file")
        yield number, 0, data[at : at + size]
        at += size
