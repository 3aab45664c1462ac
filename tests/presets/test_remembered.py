"""What is remembered comes back; whatever else lies there never does harm."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semeq.engine.errors import AudioFileError
from semeq.presets.remembered import (
    FILE,
    FOLDER_VARIABLE,
    FORMAT,
    NOTHING,
    VERSION,
    Remembered,
    recall,
    remember,
    state_folder,
)

STATE = Remembered(
    (("warm", 0.5), ("bright", 0.0), ("deep", -0.25)), 0.8, 0.5, "nano", "mine", "mic", "phones"
)


def test_it_comes_back(tmp_path: Path) -> None:
    said: list[str] = []
    folder = tmp_path / "deep" / "down"
    remember(STATE, folder)
    remember(STATE, folder)
    assert recall(said.append, folder=folder) == STATE
    assert said == []
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert str(STATE.recipe) == "warm:0.5 - deep:0.25"


def test_nothing_there_is_nothing_said(tmp_path: Path) -> None:
    said: list[str] = []
    found = recall(said.append, folder=tmp_path)
    assert (found, found.is_found, said) == (NOTHING, False, [])


def test_the_variable_moves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    remember(STATE)
    assert state_folder() == tmp_path
    assert recall(lambda line: None) == STATE


def test_words_nobody_knows_are_left_out_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    remember(STATE, tmp_path)
    found = recall(said.append, lambda word: word != "deep", tmp_path)
    assert found.weights == (("warm", 0.5), ("bright", 0.0))
    assert len(said) == 1
    assert "'deep'" in said[0]


@pytest.mark.parametrize(
    ("text", "aside"),
    [
        (b"", "live.damaged.json"),
        (b"{", "live.damaged.json"),
        (b"\xff\xfe", "live.damaged.json"),
        (b"[1, 2]", "live.damaged.json"),
        (b"[" * 50_000, "live.damaged.json"),
        (b'{"format": "other", "version": 1}', "live.damaged.json"),
        (b" " * 70_000, "live.damaged.json"),
        (json.dumps({"format": FORMAT, "version": VERSION + 1}).encode(), "live.newer.json"),
        (json.dumps({"format": FORMAT, "version": "1"}).encode(), "live.damaged.json"),
        (
            json.dumps({"format": FORMAT, "version": 1, "weights": {"warm": 1}}).encode(),
            "live.damaged.json",
        ),
        (json.dumps({"format": FORMAT, "version": 1, "output": 7}).encode(), "live.damaged.json"),
    ],
)
def test_what_cannot_be_read_is_kept_aside_and_said_once(
    tmp_path: Path, text: bytes, aside: str
) -> None:
    said: list[str] = []
    (tmp_path / FILE).write_bytes(text)
    assert recall(said.append, folder=tmp_path) == NOTHING
    assert len(said) == 1
    assert aside in said[0]
    assert "\n" not in said[0]
    assert (tmp_path / aside).read_bytes() == text
    remember(STATE, tmp_path)
    assert (tmp_path / aside).read_bytes() == text


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    weights=st.lists(
        st.tuples(st.text(max_size=12) | st.just("warm"), _JSON).map(list), max_size=40
    )
    | _JSON,
    amount=_JSON,
    adapt=_JSON,
    extra=st.dictionaries(st.sampled_from(["midi", "input", "trim_db", "bypass"]), _JSON),
)
def test_whatever_it_says_the_values_are_safe(
    tmp_path: Path, weights: object, amount: object, adapt: object, extra: dict[str, object]
) -> None:
    content = {"format": FORMAT, "version": 1, "weights": weights, "amount": amount, "adapt": adapt}
    (tmp_path / FILE).write_text(json.dumps({**content, **extra}))
    found = recall(lambda line: None, folder=tmp_path)
    assert all(abs(weight) <= 4.0 for _, weight in found.weights)
    assert 0.0 <= found.amount <= 2.0
    assert found.adapt is None or 0.0 <= found.adapt <= 1.0
    assert len(found.recipe.terms) <= 32


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioFileError, match="cannot be"):
        remember(STATE, tmp_path / "file" / "below")
