"""JSON and TOML of anybody's: one kind of error, and one line for people."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from semeq.engine.errors import DataError, one_line
from semeq.engine.plugin_map import read_map
from semeq.engine.plugin_state import read_state
from semeq.engine.take_file import read_take
from semeq.engine.texts import load_json, load_toml, read_limited
from semeq.engine.words import Vocabulary
from semeq.presets.eq_source import find_source
from semeq.presets.midi_maps import load_map
from semeq.presets.personal import load_personal
from semeq.presets.recipes import load_recipe
from semeq.presets.remembered import NOTHING, recall
from semeq.presets.usual import parse_usual
from semeq.training.config import Config

HUGE = "1" + "0" * 400
DEEP = 100_000


@pytest.mark.parametrize(
    "text", ["", "{", "[" * DEEP, '{"a":' * DEEP, f"[{HUGE}]", f"[-{HUGE}]", "[" + "9" * 5000 + "]"]
)
def test_json_that_cannot_be_used(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, it is this
        load_json(text)


def test_what_fits_is_read() -> None:
    content = {"a": [1, -(2**62), 1.5e300, None, True, "x"]}
    assert load_json(json.dumps(content)) == content
    assert load_toml("a = [1, -4611686018427387904, 1e300]\nb.c = true") == {
        "a": [1, -(2**62), 1e300],
        "b": {"c": True},
    }


@pytest.mark.parametrize(
    "text", ["a", "a = " + "[" * DEEP, "a = " + "{a=" * DEEP, f"a = {HUGE}", f"a = [{{b = {HUGE}}}]"]
)  # fmt: skip
def test_toml_that_cannot_be_used(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        load_toml(text)


def test_no_more_is_read_than_may_be(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(10))
    assert read_limited(path, 10) == bytes(10)
    with pytest.raises(ValueError, match="more than 9 bytes"):
        read_limited(path, 9)


def test_one_line_of_anything() -> None:
    assert one_line("the word 'a\x1b[2J' is\n\t unknown") == "the word 'a?[2J' is unknown"
    assert one_line("x" * 10_000) == "x" * 300 + " … " + "x" * 300
    assert one_line(DataError("naïve 音")) == "naïve 音"


READERS: dict[str, Callable[[Path], object]] = {
    "recipe.toml": lambda path: load_recipe(str(path)),
    "midi.toml": lambda path: load_map(str(path)),
    "plugin.toml": read_map,
    "training.toml": Config.from_toml,
    "report.json": lambda path: find_source(str(path)),
    "words.json": load_personal,
    "vocabulary.json": lambda path: Vocabulary.from_json(path.read_text()),
    "usual.json": lambda path: parse_usual(path.read_text()),
    "state.json": read_state,
    "take.jsonl": read_take,
}
TEXTS = {
    "huge.json": f'{{"format": {HUGE}, "version": {HUGE}, "bands": [{HUGE}], "semeq_log": {HUGE}}}',
    "deep.json": '{"a":' * DEEP,
    "huge.toml": f"schema = {HUGE}\nmake = {HUGE}\namount = {HUGE}\nseed = {HUGE}\n",
    "deep.toml": "a = " + "[" * DEEP,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("how", ["huge", "deep"])
def test_every_reader_refuses_them(tmp_path: Path, name: str, how: str) -> None:
    path = tmp_path / name
    path.write_text(TEXTS[how + (".toml" if name.endswith("toml") else ".json")])
    with pytest.raises(DataError):
        READERS[name](path)


def test_a_state_with_huge_numbers_is_set_aside(tmp_path: Path) -> None:
    """It was an OverflowError when the session started."""
    said: list[str] = []
    content = f'{{"format": "semeq-live-state", "version": 1, "amount": {HUGE}}}'
    (tmp_path / "live.json").write_text(content)
    assert recall(said.append, folder=tmp_path) is NOTHING
    assert len(said) == 1
    assert "is damaged" in said[0]


def test_bands_with_huge_numbers(tmp_path: Path) -> None:
    """They were an OverflowError of an export."""
    path = tmp_path / "curve.json"
    bands = [{"kind": "peak", "freq_hz": 100.0, "gain_db": "x", "q": 1.0}] * 7
    path.write_text(json.dumps({"bands": bands}).replace('"x"', HUGE))
    with pytest.raises(DataError, match="must be JSON"):
        find_source(str(path))
