"""Damage: bits, lengths, numbers and texts as no program writes them; some with the checksum put right."""

# ruff: noqa: E501, RUF001 (tables of what is odd)

import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

Mutation = Callable[[random.Random, bytes, bytes], bytes]
LONGEST = 300_000
INTEGERS = (
    0, 1, 2, 3, 7, 8, 9, 16, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x10000, 0xFFFFFF, 0x1000000,
    0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF, 0x100000000, 2**40, 2**62, 2**63, 2**64 - 1,
)  # fmt: skip
FLOATS = (
    float("nan"),
    float("inf"),
    -float("inf"),
    1e30,
    -1e38,
    1e-42,
    0.0,
    -0.0,
    1.0,
    -1.0,
    1e308,
)
NUMBERS = (
    "0", "-0", "-1", "1e999", "-1e999", "nan", "-inf", "inf", "NaN", "Infinity", "1e-999", "1" + "0" * 400, "9" * 5000,
    "0x7fffffff", "1_000", "2147483648", "9223372036854775808", "1e308", "0.1e-320", "true", '"text"', "[]", "{}",
    "[1, 2]", "1979-05-27T07:32:00Z", "٣", "½", "1.", ".5", "--1", "1e", "null", "",
)  # fmt: skip
TOKENS = (
    "\0", "\ufeff", "\u202e", "\ud7ff", "'", '"', '"""', "\\", "\\u0000", "[", "]", "[[", "{", "}", "=", ":", ";", ",",
    "#", "\r", "\n\n", "\x1b[31m", "ß" * 50, "a" * 10_000, "[" * 3000, '{"a":' * 3000, "a = " + "[" * 5000, "[a" + ".a" * 5000,
    "x = " + "{a=" * 2000, "../../etc/passwd", "~root", "%s%n", "ＡＢＣ", "e\u0301" * 40, "+" * 2000, "(" * 2000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 1e308, -1e308, float("nan"), float("inf"), 1e-320, "",
    "text", "a" * 5000, "\0", "nan", "1e999", [], {}, [[]], [None], {"": None}, [1, 2], ["warm", 0.5], "../../x", "\ud800",
)  # fmt: skip


def _at(random_: random.Random, size: int) -> int:
    """Return a place: every other time near the start, where headers are."""
    return random_.randrange(min(size, random_.choice((64, 256, size)))) if size else 0


def bits(random_: random.Random, data: bytes, _: bytes) -> bytes:
    out = bytearray(data)
    for _n in range(random_.choice((1, 1, 2, 8, 40)) if out else 0):
        out[_at(random_, len(out))] ^= 1 << random_.randrange(8)
    return bytes(out)


def integer(random_: random.Random, data: bytes, _: bytes) -> bytes:
    out = bytearray(data)
    for _n in range(random_.choice((1, 1, 2, 3))):
        width = random_.choice((1, 2, 4, 4, 8))
        value = random_.choice(INTEGERS) % (1 << 8 * width)
        at = _at(random_, max(len(out) - width, 1))
        at -= at % 2 if random_.random() < 0.8 else 0
        out[at : at + width] = value.to_bytes(width, random_.choice(("little", "big")))
    return bytes(out)


def floats(random_: random.Random, data: bytes, _: bytes) -> bytes:
    out = bytearray(data)
    kind = random_.choice(("<f", ">f", "<d", ">d"))
    value = random_.choice(FLOATS)
    raw = struct.pack(
        kind, max(min(value, 3e38), -3e38) if kind[1] == "f" and abs(value) < 1e309 else value
    )
    at = _at(random_, max(len(out), 1)) // len(raw) * len(raw)
    count = random_.choice((1, 2, 64, 1000))
    out[at : at + len(raw) * count] = raw * count
    return bytes(out[: max(len(data), 1)])


def cut(random_: random.Random, data: bytes, _: bytes) -> bytes:
    return data[: random_.choice((_at(random_, len(data)), random_.randrange(len(data) + 1)))]


def zeros(random_: random.Random, data: bytes, _: bytes) -> bytes:
    at, size = _at(random_, len(data)), random_.choice((1, 4, 64, 1024, len(data)))
    fill = random_.choice((b"\0", b"\xff", b" "))
    return data[:at] + fill * len(data[at : at + size]) + data[at + size :]


def delete(random_: random.Random, data: bytes, _: bytes) -> bytes:
    at = _at(random_, len(data))
    return data[:at] + data[at + random_.choice((1, 2, 8, 100, 2000)) :]


def repeat(random_: random.Random, data: bytes, _: bytes) -> bytes:
    at, size = _at(random_, len(data)), random_.choice((1, 8, 27, 100, 1000))
    piece = data[at : at + size]
    return data[: at + size] + piece * random_.choice((1, 2, 50, 3000)) + data[at + size :]


def insert(random_: random.Random, data: bytes, _: bytes) -> bytes:
    at = _at(random_, len(data))
    return data[:at] + random_.randbytes(random_.choice((1, 2, 3, 64, 1000))) + data[at:]


def splice(random_: random.Random, data: bytes, other: bytes) -> bytes:
    at, to = _at(random_, len(data)), _at(random_, len(other))
    return data[:at] + other[to:]


def noise(random_: random.Random, data: bytes, _: bytes) -> bytes:
    head = data[: random_.choice((0, 4, 12, 44))]
    return head + random_.randbytes(random_.choice((0, 1, 16, 500, 5000)))


def number(random_: random.Random, data: bytes, _: bytes) -> bytes:
    """Put a number where another one was."""
    text = data.decode("utf-8", "replace")
    found = list(re.finditer(r"-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?", text))
    if not found:
        return data + random_.choice(NUMBERS).encode()
    one = random_.choice(found)
    return (text[: one.start()] + random_.choice(NUMBERS) + text[one.end() :]).encode()


def token(random_: random.Random, data: bytes, _: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    at = random_.randrange(len(text) + 1)
    return (text[:at] + random_.choice(TOKENS) + text[at:]).encode("utf-8", "surrogatepass")


def lines(random_: random.Random, data: bytes, other: bytes) -> bytes:
    """Drop, double, swap or borrow lines."""
    rows = data.split(b"\n")
    theirs = other[:20_000].split(b"\n")
    at, to = random_.randrange(len(rows)), random_.randrange(len(rows))
    match random_.randrange(5):
        case 0:
            del rows[at]
        case 1:
            rows[at:at] = [rows[at]] * random_.choice((1, 5, 1000))
        case 2:
            rows[at], rows[to] = rows[to], rows[at]
        case 3:
            rows[at] = random_.choice(theirs)
        case _:
            rows[at] = rows[at].upper() if random_.random() < 0.5 else rows[at][::-1]
    return b"\n".join(rows)


def encoding(random_: random.Random, data: bytes, _: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(
        random_.choice(("utf-16", "utf-32", "utf-8-sig", "cp500", "utf-7")), "replace"
    )


def _nodes(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:  # noqa: ANN401
    keys = (
        value.keys()
        if isinstance(value, dict)
        else range(len(value))
        if isinstance(value, list)
        else ()
    )
    for key in keys:
        found.append((value, key))
        _nodes(value[key], found)
    return found


def json_value(random_: random.Random, data: bytes, _: bytes) -> bytes:
    """Put a value where another one was, in one line of JSON."""
    rows = data.decode("utf-8", "replace").split("\n")
    whole = [data.decode("utf-8", "replace")] if rows[0] in ("{", "[") else rows
    at = random_.randrange(len(whole))
    try:
        content = json.loads(whole[at])
    except (ValueError, RecursionError):
        return data
    nodes = _nodes(content, [])
    for _n in range(random_.choice((1, 1, 2, 5)) if nodes else 0):
        holder, key = random_.choice(nodes)
        match random_.randrange(5):
            case 0 if isinstance(holder, dict):
                holder.pop(key, None)
            case 1 if isinstance(holder, list) and key < len(holder):
                holder[key:key] = [holder[key]] * random_.choice((1, 7, 2000))
            case _ if isinstance(holder, dict) or key < len(holder):
                holder[key] = random_.choice(VALUES)
    whole[at] = json.dumps(content if random_.random() < 0.95 else random_.choice(VALUES))
    return "\n".join(whole).encode("utf-8", "surrogatepass")


def ogg_checksums(data: bytes) -> bytes:
    """Return an Ogg stream with the checksum of each page put right: a decoder drops pages that are wrong."""
    out, at = bytearray(data), 0
    while (at := out.find(b"OggS", at)) >= 0 and at + 27 <= len(out):
        end = at + 27 + out[at + 26]
        end += sum(out[at + 27 : end])
        out[at + 22 : at + 26] = bytes(4)
        crc = 0
        for byte in out[at:end]:
            crc = (crc << 8 & 0xFFFFFFFF) ^ _OGG[crc >> 24 ^ byte]
        out[at + 22 : at + 26] = struct.pack("<I", crc)
        at += 27
    return bytes(out)


def _ogg_table() -> list[int]:
    table = []
    for n in range(256):
        crc = n << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(crc)
    return table


_OGG = _ogg_table()


def archive(random_: random.Random, data: bytes, other: bytes) -> bytes:
    """Damage one member of a zip file and pack it again: the checksums are right."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        names = old.namelist()
        chosen = random_.choice(names)
        for name in names:
            content = old.read(name)
            if name != chosen:
                new.writestr(name, content)
                continue
            match random_.randrange(6):
                case 0:
                    continue
                case 1:
                    header = random_.choice(ARRAY_HEADERS).encode().ljust(118) + b"\n"
                    content = (
                        b"\x93NUMPY\x01\x00"
                        + struct.pack("<H", len(header))
                        + header
                        + content[128:]
                    )
                case 2:
                    content = random_.choice((floats, integer))(random_, content, other)
                case 3 if name.startswith("notes"):
                    head, text = content[:128], content[128:].decode("utf-32-le", "replace")
                    text = (
                        number(random_, text.encode(), b"").decode()[: len(text)].ljust(len(text))
                    )
                    content = head + text.encode("utf-32-le")
                case 4:
                    content = bytes(random_.choice((1 << 20, 1 << 27)))
                case _:
                    content = random_.choice(BINARY)(random_, content, other)
            new.writestr(random_.choice((name, name, name, "../" + name)), content)
    return out.getvalue()


ARRAY_HEADERS = (
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000000), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (2000000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2, 2, 2), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (10,), }",
    "{'descr': '<c16', 'fortran_order': False, 'shape': (10,), }",
    "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (10,), }",
    "{'descr': '<U1000000000', 'fortran_order': False, 'shape': (), }",
    "{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (4,), }",
    "((((((((((((((((((((((((((((((((((((((((",
)
BINARY: tuple[Mutation, ...] = (
    bits, bits, integer, integer, integer, floats, cut, zeros, delete, repeat, insert, splice, noise,
)  # fmt: skip
TEXT: tuple[Mutation, ...] = (
    number,
    number,
    token,
    lines,
    bits,
    cut,
    repeat,
    splice,
    encoding,
    zeros,
)
JSON: tuple[Mutation, ...] = (json_value, json_value, json_value, json_value, *TEXT)


def mutated(random_: random.Random, name: str, data: bytes, other: bytes) -> bytes:
    """Return a damaged copy of a seed.

    Parameters
    ----------
    random_ : Random
        What decides.
    name : str
        The seed's file name.
    data, other : bytes
        Its content, and that of another seed.
    """
    suffix = name.rpartition(".")[2]
    choices = {"json": JSON, "jsonl": JSON, "toml": TEXT, "txt": TEXT}.get(suffix, BINARY)
    if suffix == "npz":
        choices = (*(archive,) * 8, *BINARY[:6])
    for _ in range(random_.choice((1, 1, 1, 2, 3))):
        data = random_.choice(choices)(random_, data, other) if data else data
        if suffix == "npz":
            break
    if name.endswith(".ogg") and random_.random() < 0.8:
        data = ogg_checksums(data[:LONGEST])
    limit = LONGEST if suffix not in ("onnx", "npz") else len(data)
    return data[:limit]
