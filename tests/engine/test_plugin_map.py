"""Maps of plugins: read, written, and refused with a line that says where."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.errors import DataError
from semeq.engine.plugin_map import MapBand, PluginMap, map_text, read_map
from semeq.engine.settings import Kind

HEAD = 'schema = 1\nplugin = "eq.vst3"\n'
BAND = '[[band]]\ngain = "g"\n'
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).filter(
    str.strip
)


@given(
    names=st.lists(NAMES, min_size=3, max_size=9, unique=True),
    kind=st.sampled_from(Kind),
    low=st.floats(-100.0, 100.0),
    settle_s=st.sampled_from([0.0, 0.02, 1.5]),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[str],
    kind: Kind,
    low: float,
    settle_s: float,
) -> None:
    bands = (
        MapBand(kind, names[0], names[1], None, {"gain": (low, low + 1.0)}),
        *(MapBand(kind, name) for name in names[3:]),
    )
    given_map = PluginMap(Path("/a b/é#x.vst3"), bands, ((names[2], "0.5"),), settle_s)
    file = tmp_path_factory.mktemp("map") / "map.toml"
    file.write_text(map_text(given_map), encoding="utf-8")
    assert read_map(file) == given_map


def test_a_relative_plugin_lies_beside_the_map(tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    file.write_text(HEAD + BAND, encoding="utf-8")
    assert read_map(file).plugin == tmp_path / "eq.vst3"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "must be TOML"),
        ("schema = 2", "schema must be 1, got 2"),
        ("schema = 1\n" + BAND, "plugin must be a text, got None"),
        (HEAD, r"must hold 1 to 32 tables \[\[band\]\]"),
        (HEAD + BAND * 33, r"must hold 1 to 32 tables"),
        ("loud = 1\n" + HEAD + BAND, "only, got 'loud'"),
        (HEAD + "settle_s = 99\n" + BAND, r"settle_s must be in \[0, 5\], got 99"),
        (HEAD + "settle_s = nan\n" + BAND, "settle_s must be a number, got nan"),
        (HEAD + '[[band]]\nfreq = "f"\n', "band 1 must name the parameter of its gain"),
        (HEAD + BAND + 'kind = "notch"\n', "band 1: kind must be one of .*, got 'notch'"),
        (HEAD + BAND + "q_range = [1, 2]\n", "band 1: q_range must come with q"),
        (HEAD + BAND + "gain_range = [2, 1]\n", r"gain_range must be \[low, high\], got \[2, 1\]"),
        (HEAD + BAND + "gain_range = [0, inf]\n", "gain_range must be a number, got inf"),
        (HEAD + BAND + BAND, "band 2: gain must be 'g' only once"),
        (HEAD + "[fixed]\ng = 1\n" + BAND, "'g' must be fixed or turned, not both"),
        (HEAD + "[fixed]\nh = []\n" + BAND, r"fixed.h must be a value, got \[\]"),
    ],
)
def test_what_is_no_map(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "map.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said) as caught:
        read_map(file)
    assert str(file) in str(caught.value)


def test_a_map_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.toml cannot be read: No such file"):
        read_map(tmp_path / "none.toml")
