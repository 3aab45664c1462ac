"""A model of anybody's: refused in one line unless it is a plain network of finite numbers that fit."""

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semeq.engine.arrays import read_arrays
from semeq.engine.errors import DataError
from semeq.engine.model_check import deviation
from semeq.engine.model_file import load_model, load_tables
from semeq.engine.network_file import MOST_BYTES, check_network
from semeq.presets.shipped_model import MODEL_FOLDER, load_shipped_model

SHIPPED = Path(str(files("semeq.presets"))) / MODEL_FOLDER
FLOAT32 = 1


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, content: bytes | int) -> bytes:
    """Return a field of a protocol buffer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(
    raw: bytes = np.float32(1.0).tobytes(), kind: int = FLOAT32, extra: bytes = b""
) -> bytes:
    return field(1, 1) + field(2, kind) + field(8, b"w") + field(9, raw) + extra


def node(attribute: bytes = b"", domain: bytes = b"") -> bytes:
    return (
        field(1, b"w")
        + field(2, b"z")
        + field(4, b"Identity")
        + field(5, attribute)
        + field(7, domain)
    )


def model(*graph: bytes, extra: bytes = b"") -> bytes:
    return field(1, 8) + field(7, b"".join(graph)) + field(8, field(2, 17)) + extra


def test_plain_networks_pass() -> None:
    check_network(model(field(1, node()), field(5, tensor())))
    for name in ("encoder.onnx", "network.onnx"):
        check_network((SHIPPED / name).read_bytes())


NAN = np.float32(np.nan).tobytes()
ELSEWHERE = field(13, field(1, b"location") + field(2, b"/etc/passwd")) + field(14, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (model(field(5, tensor(extra=ELSEWHERE))), "weights in another file"),
        (model(field(5, tensor(extra=field(14, 1)))), "weights in another file"),
        (model(field(1, node(field(5, tensor(extra=ELSEWHERE))))), "weights in another file"),
        (model(field(5, tensor(NAN))), "not finite"),
        (model(field(5, tensor(np.float64(np.inf).tobytes(), 11))), "not finite"),
        (model(field(5, tensor(b"", extra=field(4, NAN)))), "not finite"),
        (model(field(1, node(field(6, b"")))), "graphs inside its graph"),
        (model(field(1, node(domain=b"com.example"))), "domain b'com.example'"),
        (model(field(15, b"")), "sparse weights"),
        (model(extra=field(25, b"")), "functions"),
        (model(extra=field(7, b"")), "more than one graph"),
        (field(1, 8), "no graph"),
        (b"", "no graph"),
        (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "damaged"),
        (b"\xff" * 20, "damaged"),
        (b"\x07\x07", "damaged"),
        (bytes(MOST_BYTES + 1), "more than 67,108,864 bytes"),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_network(content)


def folder_with(tmp_path: Path, name: str, content: bytes) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(SHIPPED, folder)
    (folder / name).write_bytes(content)
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_model(folder)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < len(str(folder)) + 300
    return said


@pytest.mark.parametrize("name", ["encoder.onnx", "network.onnx"])
def test_damaged_weights_and_files(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    content = bytearray((SHIPPED / name).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 16] = b"\xff" * 16
    assert "weights that are not finite" in refused(folder_with(tmp_path, name, bytes(content)))
    for damaged in (
        bytes(content[:middle]),
        b"",
        b"not a model",
        model(field(1, node()), field(5, tensor())),
    ):
        (tmp_path / "model" / name).write_bytes(damaged)
        assert "must be semeq's encoder, got " in refused(tmp_path / "model")
    assert capfd.readouterr() == ("", "")


def test_weights_that_are_numbers_and_answers_that_are_none(tmp_path: Path) -> None:
    content = bytearray((SHIPPED / "network.onnx").read_bytes())
    middle = len(content) // 2 & ~3
    for at in range(middle, middle + 4000):  # any alignment: 3e38 each
        content[at] = (0xFF, 0xFF, 0x7F, 0x7F)[at % 4]
    said = refused(folder_with(tmp_path, "network.onnx", bytes(content)))
    assert "got " in said


ARRAYS = read_arrays(SHIPPED / "arrays.npz", most_bytes=1 << 26)
NOTES = json.loads(str(ARRAYS["notes"]))


def noted(**changes: object) -> np.ndarray[Any, Any]:
    return np.array(json.dumps(NOTES | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decoder": ARRAYS["decoder"].T}, "decoder of shape"),
        ({"decoder": ARRAYS["decoder"][:, :-1]}, "decoder of shape"),
        ({"decoder": ARRAYS["decoder"] * np.nan}, "decoder that is not finite"),
        ({"decoder": ARRAYS["decoder"] * 1e6}, "decoder beyond"),
        ({"word_latents": ARRAYS["word_latents"][1:]}, "word_latents of shape"),
        ({"word_latents": ARRAYS["word_latents"] * np.inf}, "not finite"),
        ({"freqs_hz": ARRAYS["freqs_hz"][::-1]}, "do not ascend"),
        ({"freqs_hz": -ARRAYS["freqs_hz"]}, "do not ascend"),
        ({"freqs_hz": np.float64(1.0)}, "shape"),
        ({"notes": noted(format="other")}, "format other"),
        ({"notes": noted(words=3)}, "no list of text"),
        ({"notes": noted(words=[1] * len(NOTES["words"]))}, "no list of text"),
        ({"notes": noted(boldness=1e9)}, "boldness"),
        ({"notes": noted(boldness=[1, 2])}, "got "),
        ({"notes": noted(boldness=10**400)}, "got "),
        ({"notes": np.array("[1]")}, "got "),
        ({"notes": np.array("[" * 100_000)}, "got "),
        ({"decoder": np.zeros((1 << 11, (1 << 12) + 1))}, "more than 67,108,864 bytes"),
    ],
)  # fmt: skip
def test_arrays_of_other_shapes_and_sizes(tmp_path: Path, changes: Any, said: str) -> None:  # noqa: ANN401
    folder = tmp_path / "model"
    shutil.copytree(SHIPPED, folder)
    np.savez_compressed(folder / "arrays.npz", **(ARRAYS | changes))
    for load in (load_model, load_tables):
        with pytest.raises(DataError) as caught:
            load(folder)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"latents": [[NaN]]}', '{"latents": ' + "[" * 9000, "\0"]
)
def test_answers_that_are_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "check.json").write_text(text)
    with pytest.raises(DataError, match="must hold a model's answers"):
        deviation(load_shipped_model(), tmp_path)
