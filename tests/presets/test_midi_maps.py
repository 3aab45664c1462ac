import contextlib
import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semeq.engine.errors import AudioFileError, DataError, SettingsError
from semeq.presets import midi_maps
from semeq.presets.midi_bindings import (
    LIMITS,
    Binding,
    Control,
    Curve,
    Encoding,
    MidiMap,
    Order,
    Press,
    TakeOver,
)
from semeq.presets.midi_maps import available_maps, load_map, parse_map
from semeq.presets.midi_write import format_binding, with_binding, write_map

FACTORY = ("default", "relative", "14bit")
HEAD = "schema = 1\n"
WARM = HEAD + '[[bind]]\ncc = 20\nword = "warm"\n'
GAIN = HEAD + "[[bind]]\ncc = 20\nparam = 'comp.gain'\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "maps"
    monkeypatch.setattr(midi_maps, "user_maps_dir", lambda: folder)
    return folder


# ----------------------------------------------------------------------------------------- factory


@pytest.mark.parametrize("name", FACTORY)
def test_factory_maps(name: str) -> None:
    midi_map = load_map(name)
    assert midi_map.name == name
    assert midi_map.description
    by_cc = {binding.cc: binding.label for binding in midi_map.bindings}
    assert (by_cc[20], by_cc[21]) == ("warm", "bright")
    assert {"amount", "adapt", "trim", "bypass", "reset"} <= set(by_cc.values())
    encodings = {b.encoding for b in midi_map.bindings if b.control is Control.WORD}
    assert len(encodings) == 1
    assert len(midi_map.words) == 10


def test_all_factory_maps_are_found() -> None:
    assert {m.name for m in available_maps() if m.origin == "factory"} == set(FACTORY)


def test_a_map_of_the_users_replaces_ours(home: Path) -> None:
    home.mkdir()
    (home / "default.toml").write_text(WARM)
    (home / "mine.toml").write_text(WARM)
    maps = {m.name: m.origin for m in available_maps()}
    assert maps == {"default": "user", "mine": "user", "relative": "factory", "14bit": "factory"}
    assert len(load_map("default").bindings) == 1
    assert load_map(str(home / "mine.toml")).name == "mine"


# ----------------------------------------------------------------------------------------- reading


def test_everything_that_a_map_can_say() -> None:
    text = """
        schema = 1
        name = "all"
        description = "of it"
        takeover = "jump"
        channel = 2
        [[bind]]
        cc = 3
        word = "  Bass   BOOST "
        encoding = "absolute14"
        min = -0.5
        max = 1
        curve = "square"
        detent = 0.1
        order = "lsb"
        takeover = "scale"
        channel = 16
        [[bind]]
        cc = 80
        control = "bypass"
        press = "momentary"
        invert = true
    """
    midi_map = parse_map(text)
    assert (midi_map.name, midi_map.description) == ("all", "of it")
    assert midi_map.bindings == (
        Binding(
            3, Control.WORD, "bass boost", Encoding.ABSOLUTE14, -0.5, 1.0, Curve.SQUARE, 0.1,
            order=Order.LSB, takeover=TakeOver.SCALE, channel=16,
        ),
        Binding(
            80, Control.BYPASS, press=Press.MOMENTARY, invert=True, takeover=TakeOver.JUMP, channel=2
        ),
    )  # fmt: skip


BAD = [
    ("", "map: schema must be 1, got none: is this a MIDI map?"),
    ("schema = 2\n" + WARM[len(HEAD) :], "map:1: schema must be 1, got 2: is this a MIDI map?"),
    ("schema = 1\nname = [", "map:2: not TOML: "),
    ("schema = 1\nschema = 1", "map:2: not TOML: "),
    (HEAD, "map: bind is missing: a map needs at least one [[bind]] table"),
    (HEAD + "bind = []", "map: bind is missing"),
    (HEAD + "bind = 3", "map:2: bind must be a list of tables, got 3"),
    (HEAD + "bind = [3]", "map: bind must be a list of tables, got 3 in it"),
    (HEAD + "nmae = 'x'", "map:2: unknown key 'nmae': did you mean 'name'?"),
    (HEAD + "channel = 0\n" + WARM[len(HEAD) :], "map:2: channel must be in [1, 16], got 0"),
    (HEAD + "takeover = 'snap'", "map:2: takeover must be one of pickup, jump, scale, got 'snap'"),
    (HEAD + "[[bind]]\nword = 'warm'", "map:2: cc is missing: a binding needs its controller's number"),
    (HEAD + "[[bind]]\ncc = 1", "map:2: a binding needs one of word, control and param"),
    (WARM + "control = 'amount'", "map:2: a binding needs one of word, control and param"),
    (WARM + "\n# x\ncurv = 1", "map:7: unknown key 'curv': did you mean 'curve'?"),
    (WARM + "zzz = 1", "map:5: unknown key 'zzz': known are cc, word, control, "),
    (WARM + "min = 'low'", "map:5: min must be a number, got 'low'"),
    (WARM + "min = nan", "map:5: min must be in [-4, 4], got nan"),
    (WARM + "max = 5", "map:5: max must be in [-4, 4], got 5"),
    (WARM + "min = 1.0", "map:5: min and max must differ, got 1 twice"),
    (WARM + "detent = 0.6", "map:5: detent must be in [0, 0.5], got 0.6"),
    (WARM + "min = 0.5\ndetent = 0.1", "map:6: detent must lie inside the range 0.5 to 1, got 0.1"),
    (WARM + "step = 0", "map:5: step must be within the range and not 0, got 0"),
    (WARM + "invert = 1", "map:5: invert must be true or false, got 1"),
    (WARM + "curve = 'steep'", "map:5: curve must be one of linear, square, cubic, root, got 'steep'"),
    (WARM + "channel = 17", "map:5: channel must be in [1, 16], got 17"),
    (HEAD + "[[bind]]\ncc = 128\nword = 'warm'", "map:3: cc must be in [0, 127], got 128"),
    (HEAD + "[[bind]]\ncc = true\nword = 'warm'", "map:3: cc must be a whole number, got True"),
    (HEAD + "[[bind]]\ncc = 1\nword = ' '", "map:4: word must be a word for a knob of words alone"),
    (HEAD + "[[bind]]\ncc = 1\ncontrol = 'volume'", "map:4: control must be one of amount, adapt, trim"),
    (HEAD + "[[bind]]\ncc = 1\ncontrol = 'word'", "map:4: control = \"word\" is not needed"),
    (HEAD + "[[bind]]\ncc = 1\ncontrol = 'parameter'", "map:4: control = \"parameter\" is not needed"),
    (WARM + "param = 'comp.mix'", "map:2: a binding needs one of word, control and param"),
    (GAIN.replace("comp.gain", "gain"), "map:4: param must be PLUGIN.PARAMETER, such as"),
    (GAIN + "min = inf", "map:5: min must be a finite number, got inf"),
    (GAIN + "min = 3\nmax = 3.0", "map:5: min and max must differ, got 3 twice"),
    (GAIN + "detent = 0.1", "map:5: detent must be 0 for a plugin's parameter, got 0.1"),
    (GAIN + "step = 2", "map:5: step must be a share of the parameter's range, not 0, got 2"),
    (
        HEAD + "[[bind]]\ncc = 32\nword = 'warm'\nencoding = 'absolute14'",
        "map:3: cc must be in [0, 31] where 14 bits are sent, got 32",
    ),
    (
        HEAD + "[[bind]]\ncc = 1\ncontrol = 'bypass'\nencoding = 'relative-twos'",
        "map:5: encoding must be absolute for bypass, got relative-twos",
    ),
    (WARM + WARM[len(HEAD) :], "map:6: CC 20 is bound to warm twice"),
    (
        WARM + "[[bind]]\nword = 'deep'\ncc = 20\nencoding = 'relative-twos'",
        "map:7: CC 20 (deep, relative-twos) clashes with CC 20 (warm, absolute)",
    ),
    (
        HEAD + "[[bind]]\ncc = 5\nword = 'a'\nencoding = 'absolute14'\n[[bind]]\ncc = 37\nword = 'b'",
        "map:7: CC 37 (b, absolute) clashes with CC 5 (a, absolute14)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message[:50] for _, message in BAD])
def test_faults_have_one_line_with_their_place(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_map(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_the_same_controller_on_two_channels_is_no_clash() -> None:
    text = (
        WARM
        + "channel = 1\n[[bind]]\ncc = 20\nword = 'warm'\nchannel = 2\nencoding = 'relative-sign'"
    )
    assert len(parse_map(text).bindings) == 2


@given(st.text(max_size=200))
def test_no_text_gives_anything_but_a_map_or_a_clear_fault(text: str) -> None:
    for candidate in (text, HEAD + text, WARM + text):
        with contextlib.suppress(DataError):
            assert parse_map(candidate).bindings


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("nothing", "no MIDI map is called 'nothing': there are 14bit, default, relative"),
        ("missing.toml", "missing.toml: cannot be read: No such file or directory"),
    ],
)
def test_maps_that_are_not_there(wanted: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_map(wanted)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a text file in UTF-8"):
        load_map(str(path))
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        load_map(str(tmp_path / "..") + "/")


# ----------------------------------------------------------------------------------------- writing


def _bindings() -> st.SearchStrategy[Binding]:
    def make(control: Control, word: str, cc: int, **fields: object) -> Binding | None:
        if control not in LIMITS:
            fields = {key: fields[key] for key in ("press", "invert", "takeover", "channel")}
        try:
            return Binding(cc, control, word if control is Control.WORD else "", **fields)  # type: ignore[arg-type]  # drawn by kind below
        except SettingsError:
            return None

    return st.builds(
        make,
        st.sampled_from(list(Control)),
        st.sampled_from(["warm", "cálido", 'so "called"', "back\\slash"]),
        st.integers(0, 127),
        encoding=st.sampled_from(list(Encoding)),
        low=st.sampled_from([None, 0.0, 0.25]),
        high=st.sampled_from([None, 1.0, 0.75]),
        curve=st.sampled_from(list(Curve)),
        detent=st.sampled_from([0.0, 0.125]),
        step=st.sampled_from([None, 0.05, -0.05]),
        order=st.sampled_from(list(Order)),
        press=st.sampled_from(list(Press)),
        invert=st.booleans(),
        takeover=st.sampled_from(list(TakeOver)),
        channel=st.none() | st.integers(1, 16),
    ).filter(lambda binding: binding is not None)  # type: ignore[return-value]  # filtered


@given(_bindings())
def test_a_binding_written_and_read_is_the_same(binding: Binding) -> None:
    assert parse_map(HEAD + format_binding(binding)).bindings == (binding,)


@given(st.lists(_bindings(), min_size=1, max_size=8))
def test_maps_grow_one_binding_at_a_time(bindings: list[Binding]) -> None:
    text = ""
    for binding in bindings:
        text = with_binding(text, binding)
        assert parse_map(text).bindings[-1] == binding
    targets = [(b.control, b.word) for b in parse_map(text).bindings]
    assert len(set(targets)) == len(targets)


def test_what_a_person_wrote_stays() -> None:
    text = (
        "# my controller\nschema = 1\nname = 'mine'  # a name\n\n"
        "# left hand\n[[bind]]\ncc = 20\nword = 'warm'\n\n"
        "# right hand\n[[bind]]\ncc = 21\nword = 'bright'  # top row\n"
    )
    extended = with_binding(text, Binding(30, Control.AMOUNT))
    assert extended.startswith(text.rstrip())
    replaced = with_binding(text, Binding(25, Control.WORD, "warm"))
    assert "# my controller" in replaced
    assert "# right hand" in replaced
    assert "# top row" in replaced
    assert [b.cc for b in parse_map(replaced).bindings] == [21, 25]
    moved = with_binding(text, Binding(21, Control.WORD, "deep"))
    assert parse_map(moved).words == ("warm", "deep")


def test_inline_tables_are_not_rewritten() -> None:
    text = HEAD + "bind = [{cc = 1, word = 'warm'}]"
    assert parse_map(text).words == ("warm",)
    with pytest.raises(
        DataError, match="mine: only maps with \\[\\[bind\\]\\] tables can be extended"
    ):
        with_binding(text, Binding(30, Control.AMOUNT))


def test_files_are_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "mine.toml"
    write_map(path, WARM)
    assert tomllib.loads(path.read_text())["bind"][0]["cc"] == 20
    path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    write_map(link, WARM + "# more\n")
    assert link.is_symlink()
    assert path.read_text().endswith("# more\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640

    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(AudioFileError, match="cannot be written: no space left on device"):
        write_map(path, "nothing")
    assert path.read_text().endswith("# more\n")
    assert [p.name for p in path.parent.iterdir()] == ["mine.toml"]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(AudioFileError, match="cannot be written"):
        write_map(tmp_path / "file" / "mine.toml", WARM)


# ------------------------------------------------------------------------------------------ values


def test_clashes_are_seen_in_code_too() -> None:
    one = Binding(5, Control.WORD, "a", Encoding.ABSOLUTE14)
    with pytest.raises(
        SettingsError, match=r"CC 37 \(b, absolute\) clashes with CC 5 \(a, absolute14\)"
    ):
        MidiMap("x", (one, Binding(37, Control.WORD, "b")))


def test_a_word_is_for_knobs_of_words_alone() -> None:
    with pytest.raises(
        SettingsError, match="word must be a word for a knob of words alone, got 'warm'"
    ):
        Binding(5, Control.AMOUNT, "warm")


def test_a_parameter_is_read_and_written() -> None:
    binding = parse_map(GAIN + "min = -20\nstep = 0.05\nencoding = 'relative-sign'").bindings[0]
    assert (binding.control, binding.param, binding.word) == (Control.PARAMETER, "comp.gain", "")
    assert (binding.low, binding.high, binding.step, binding.label) == (
        -20.0,
        None,
        0.05,
        "comp.gain",
    )
    assert parse_map(HEAD + format_binding(binding)).bindings == (binding,)
    extended = with_binding(WARM, binding)
    assert parse_map(extended).params == ("comp.gain",)  # warm had the same controller: it gave way
    assert parse_map(extended).words == ()
