import io
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from semeq.engine.loudness_running import LoudnessNow
from semeq.realtime.bars import level_bar, weight_bar
from semeq.realtime.chart import ASCII, UNICODE, Glyphs, frequency_axis, plot, range_db
from semeq.realtime.view import render, view_lines
from semeq.realtime.view_model import (
    Ear,
    Engine,
    KnobRow,
    Level,
    ViewModel,
    WordRow,
    clock,
    plain_line,
)

FREQS_HZ = np.geomspace(20.0, 20_000.0, 200)
WORDS = ("warm", "bright", "deep", "crisp", "airy", "dark", "mellow", "light", "heavy", "muddy")
MODEL = ViewModel(
    words=tuple(WordRow(word, 0.5 if word == "warm" else 0.0) for word in WORDS),
    selected=0,
    freqs_hz=FREQS_HZ,
    response_db=4.0 * np.cos(np.log(FREQS_HZ)),
    levels_in=(Level(-12.3, -9.0),),
    levels_out=(Level(-10.0, -7.5),),
    engine=Engine("system → system (JACK)", 48_000.0, 64, 2.7, 0.011, 0.031, 0.082, 2),
    midi="nanoKONTROL2 (jack)",
    midi_last="CC 20 = 64 → warm",
    elapsed_s=75.0,
)
SIZES = [(80, 24), (120, 40), (60, 24), (60, 12), (200, 60), (30, 8), (24, 4)]


def texts(
    model: ViewModel, width: int = 80, height: int = 24, glyphs: Glyphs = UNICODE
) -> list[str]:
    return [line.plain for line in view_lines(model, width, height, glyphs)]


def screen(model: ViewModel, **kwargs: object) -> str:
    return "\n".join(texts(model, **kwargs))  # type: ignore[arg-type]  # handed on


def test_what_is_heard_is_said_without_colour() -> None:
    ear = Ear("listening", 0.12, 10.02, 0.0213, 0, (("low", 3.21), ("mid", -0.4), ("high", -2.0)))
    shown = screen(replace(MODEL, ear=ear))
    for part in ("ear listening", "hears low +3.2 mid -0.4 high -2.0 dB", "0.1 s old", "10/s 2.1%"):
        assert part in shown
    assert "late" not in shown
    assert "bands" not in shown
    shown = screen(replace(MODEL, ear=replace(ear, state="stale", age_s=3.4, stale=7)))
    assert "ear stale" in shown
    assert "3.4 s old" in shown
    assert "late 7" in shown
    assert "held in silence" in screen(replace(MODEL, ear=replace(ear, state="held")))
    assert "ear" not in screen(MODEL).replace("clear", "")


def test_parameters_of_plugins_are_shown_after_the_words() -> None:
    model = replace(MODEL, knobs=(KnobRow("1.gain_db", 0.25, "-6 dB"),), selected=len(WORDS))
    shown = screen(model)
    assert f"{UNICODE.pointer}1.gain_db" in shown
    assert "-6 dB" in shown
    for width, height in SIZES:
        assert all(len(line) <= width for line in texts(model, width, height))


def test_what_became_of_the_words_is_shown() -> None:
    verdicts = (("warm +0.9 dB", False), ("airy +7.6 dB: nothing there", True))
    lines = view_lines(replace(MODEL, verdicts=verdicts), 80, 24)
    (line,) = (line for line in lines if "warm +0.9 dB" in line.plain)
    assert "airy +7.6 dB: nothing there" in line.plain
    styles = {str(span.style): line.plain[span.start : span.end] for span in line.spans}
    assert "warm" in styles["green"]
    assert "airy" in styles["yellow"]


def test_bands_that_a_hand_has_been_on_are_shown() -> None:
    trims = (0.0, 0.0, 1.5, 0.0, 0.0, 0.0, -2.0)
    shown = screen(replace(MODEL, locks=(1, 3), band_trims_db=trims))
    assert "bands 1L 2 3L+1.5 4 5 6 7-2" in shown


# ----------------------------------------------------------------------------------------- layout


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_it_fits(width: int, height: int, glyphs: Glyphs) -> None:
    full = replace(MODEL, warnings=("one " * 30, "two " * 30), message="m" * 300, bypass=True)
    for model in (ViewModel(), MODEL, full, replace(full, shows_help=True, prompt="x" * 80)):
        lines = texts(model, width, height, glyphs)
        assert len(lines) <= height
        assert max(map(len, lines)) <= width
        assert "semeq" in lines[0]


@pytest.mark.parametrize(("width", "height"), SIZES[:4])
def test_what_is_played_with_is_always_there(width: int, height: int) -> None:
    shown = screen(MODEL, width=width, height=height)
    for part in (
        "warm:0.5",
        "live 1:15",
        "▸warm",
        "+0.50",
        "amount 1.00",
        "-9.0",
        "-7.5",
        "load 1.1%",
    ):
        assert part in shown


def test_a_roomy_terminal_shows_everything() -> None:
    shown = screen(MODEL)
    for word in WORDS:
        assert word in shown
    for part in (
        "+6┤",
        "0┤",
        "-6┤",
        "20 ",
        "1k",
        "20k",
        "system → system (JACK)",
        "48 kHz/64 2.7 ms",
    ):
        assert part in shown
    for part in (
        "p99.9 3.1%",
        "max 8.2%",
        "xruns 2",
        "MIDI nanoKONTROL2 (jack)",
        "CC 20 = 64 → warm",
    ):
        assert part in shown


def test_a_taller_terminal_gives_the_curve_more_room() -> None:
    rows = [sum("┤" in line for line in texts(MODEL, 80, height)) for height in (16, 24, 40)]
    assert rows[0] < rows[1] < rows[2]
    assert all(count % 2 == 1 for count in rows if count)


def test_bypass_can_be_seen_without_colour() -> None:
    shown = screen(replace(MODEL, bypass=True))
    assert "BYPASS" in shown
    assert "bypass ON" in shown
    assert "BYPASS" not in screen(MODEL)


def test_a_word_with_a_note_is_marked_and_explained_when_chosen() -> None:
    words = (WordRow("cold", 0.2, "people do not agree"), WordRow("warm", 0.0))
    shown = screen(replace(MODEL, words=words, selected=0))
    assert "cold?" in shown
    assert "! cold: people do not agree" in shown
    assert "do not agree" not in screen(replace(MODEL, words=words, selected=1))


def test_the_chosen_word_stays_in_sight() -> None:
    many = tuple(WordRow(f"word{a}{b}", 0.0) for a in "abcdefgh" for b in "abcd")
    for chosen in range(len(many)):
        shown = texts(replace(MODEL, words=many, selected=chosen), 60, 20)
        assert any(f"▸{many[chosen].word}" in line for line in shown)


def test_warnings_the_newest_last_and_the_first_to_stay() -> None:
    warned = replace(MODEL, warnings=("old one", "new one"))
    lines = texts(warned, 80, 24)
    assert [line for line in lines if "one" in line] == [" ! old one", " ! new one"]
    assert " ! new one" in texts(warned, 80, 12)
    assert " ! old one" not in texts(warned, 80, 12)


def test_counters_that_are_zero_are_left_out() -> None:
    assert "bad" not in screen(MODEL)
    engine = replace(MODEL.engine, bad_samples=3, clipped=7, limited=44, missed=1, load_max=0.6)
    shown = screen(replace(MODEL, engine=engine))
    for part in ("bad 3", "clipped 7", "limited 44", "missed 1", "max 60.0%!"):
        assert part in shown


def test_a_howl_is_shown_while_it_is_ducked_and_counted_after() -> None:
    assert "howl" not in screen(MODEL).lower()
    ducked = replace(MODEL.engine, howls=2, ducked_db=-12.0)
    assert "HOWL -12 dB" in screen(replace(MODEL, engine=ducked))
    assert "howls 2" in screen(replace(MODEL, engine=replace(ducked, ducked_db=0.0)))


def test_an_overload_is_said_and_levels_that_nobody_measures_are_not_shown() -> None:
    assert "OVERLOAD" not in screen(MODEL) + plain_line(MODEL)
    engine = replace(MODEL.engine, left_out=("meters", "look-ahead"))
    model = replace(MODEL, engine=engine)
    shown = screen(model, width=120, height=40)
    assert "OVERLOAD: no meters, no look-ahead" in shown
    assert "levels are not measured" in shown
    assert "-12.3" not in shown
    assert " OVERLOAD " in texts(model, 60, 8)[0]
    assert "OVERLOAD: no meters, no look-ahead" in plain_line(model)


def test_the_loudness_is_shown_under_the_meters() -> None:
    assert "LUFS" not in screen(MODEL)
    model = replace(MODEL, loudness=LoudnessNow(-17.94, None, -23.26))
    assert " LUFS  400 ms -17.9  3 s -inf  all -23.3" in texts(model, 120, 40)
    assert "-inf LUFS" in plain_line(model)
    assert "-18.0 LUFS" in plain_line(replace(MODEL, loudness=LoudnessNow(-17.0, -18.0, -19.0)))


def test_help_prompt_and_message() -> None:
    assert "choose a word" in screen(replace(MODEL, shows_help=True))
    assert "quit" in screen(replace(MODEL, shows_help=True), width=60, height=24)
    assert texts(replace(MODEL, prompt="warm:0."))[-1] == " / warm:0._  "
    assert texts(replace(MODEL, message="no such thing"))[-1] == " no such thing"
    assert texts(replace(MODEL, selected=None))[-1] == " Ctrl-C ends"


def test_ascii_is_ascii() -> None:
    for model in (MODEL, replace(MODEL, shows_help=True), replace(MODEL, warnings=("ü – ß",))):
        plain = screen(model, glyphs=ASCII).replace("ü", "").replace("ß", "")
        assert plain.isascii(), plain


def test_without_colour_only_the_colours_go() -> None:
    def printed(**kwargs: object) -> str:
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=80, **kwargs)  # type: ignore[arg-type]  # handed on
        console.print(render(MODEL, 80, 24))
        return out.getvalue()

    coloured, plain = printed(color_system="256"), printed(color_system="256", no_color=True)
    assert "\x1b[36m" in coloured
    assert "\x1b[36m" not in plain
    assert "▸warm" in plain


def test_an_overload_and_a_clip_are_marked() -> None:
    shown = screen(replace(MODEL, levels_out=(Level(0.5, 1.2),)))
    assert "1.2!" in shown
    assert "-inf" in screen(replace(MODEL, levels_in=(Level(),)))


_level = st.builds(Level, st.floats(-300, 20), st.floats(-300, 20))
_model = st.builds(
    ViewModel,
    words=st.lists(
        st.builds(WordRow, st.sampled_from(["warm", "é", "a very long word indeed", "x"]), st.floats(-4, 4)),
        max_size=12,
        unique_by=lambda row: row.word,
    ).map(tuple),
    selected=st.none() | st.integers(0, 12),
    bypass=st.booleans(),
    freqs_hz=st.just(FREQS_HZ),
    response_db=st.floats(-60, 60).map(lambda x: np.full(200, x)),
    levels_in=st.lists(_level, max_size=8).map(tuple),
    levels_out=st.lists(_level, max_size=8).map(tuple),
    warnings=st.lists(st.text(max_size=90), max_size=5).map(tuple),
    prompt=st.none() | st.text(max_size=20),
    shows_help=st.booleans(),
)  # fmt: skip


@settings(max_examples=60)
@given(model=_model, width=st.integers(1, 150), height=st.integers(1, 50))
def test_any_model_fits_any_terminal(model: ViewModel, width: int, height: int) -> None:
    lines = view_lines(model, width, height)
    assert len(lines) <= height
    assert all(line.cell_len <= max(width, 24) for line in lines)
    assert plain_line(model).count("\n") == 0


# ------------------------------------------------------------------------------------------ chart


def height_of(cells: list[str], column: int) -> float:
    """Return the mean height of the dots of a column of characters, 0 on top, in rows."""
    dots = [
        row + (dot + 0.5) / 4.0
        for row, line in enumerate(cells)
        for dot, bits in enumerate((0x09, 0x12, 0x24, 0xC0))
        if 0x2800 < ord(line[5 + column]) < 0x2900 and ord(line[5 + column]) & bits
    ]
    return float(np.mean(dots))


@pytest.mark.parametrize("gain_db", [-6.0, -3.0, 0.0, 3.0, 6.0])
def test_a_level_curve_is_drawn_at_its_height(gain_db: float) -> None:
    lines = plot(FREQS_HZ, np.full(200, gain_db), 45, 9)
    wanted = (6.0 - gain_db) / 12.0 * (36 - 1) / 4.0 + 0.125
    for column in range(40):
        assert height_of(lines, column) == pytest.approx(wanted, abs=0.13)


def test_a_rising_curve_rises() -> None:
    lines = plot(FREQS_HZ, 5.0 * np.log10(FREQS_HZ / 632.0), 85, 11)
    heights = [height_of(lines, column) for column in range(80)]
    assert all(a >= b for a, b in itertools.pairwise(heights))


def test_a_steep_curve_has_no_holes() -> None:
    lines = plot(FREQS_HZ, np.where(FREQS_HZ < 600.0, -6.0, 6.0), 45, 9)
    column = next(n for n in range(40) if all(line[5 + n] not in " ·" for line in lines[1:-1]))
    assert 10 < column < 30


@pytest.mark.parametrize(
    ("highest", "limit"), [(0.0, 6.0), (6.0, 6.0), (6.1, 12.0), (-17.0, 18.0), (90.0, 48.0)]
)
def test_the_scale_holds_the_curve(highest: float, limit: float) -> None:
    assert range_db(np.array([0.0, highest])) == limit


def test_what_is_not_finite_or_not_there_is_not_drawn() -> None:
    lines = plot(FREQS_HZ, np.full(200, np.nan), 45, 9)
    assert all(set(line[5:]) <= {" ", "·"} for line in lines)
    half = plot(FREQS_HZ[:100], np.zeros(100), 45, 9)  # 20–632 Hz
    assert set(half[4][5 + 22 :]) == {"·"}


def test_the_frequency_axis_has_its_labels_in_place() -> None:
    axis = frequency_axis(105)
    assert axis[5:].split() == ["20", "50", "100", "200", "500", "1k", "2k", "5k", "10k", "20k"]
    # 20 Hz–20 kHz over 100 columns: 1 kHz lies at log(50) / log(1000) of the way
    assert axis.index("1k") - 5 == pytest.approx(np.log(50) / np.log(1000) * 99, abs=1.0)
    assert frequency_axis(30)[5:].split() == ["20", "100", "1k", "2k", "10k"]
    assert all(len(frequency_axis(width)) <= width for width in range(10, 200))


# ------------------------------------------------------------------------------------------- bars


@pytest.mark.parametrize(
    ("share", "hold", "text"),
    [
        (0.0, None, "──────────"),
        (0.5, None, "━━━━━─────"),
        (1.0, None, "━━━━━━━━━━"),
        (0.5, 0.75, "━━━━━──╋──"),
        (0.5, 0.25, "━━╋━━─────"),
        (2.0, 2.0, "━━━━━━━━━╋"),
        (-1.0, -1.0, "──────────"),
    ],
)
def test_level_bars(share: float, hold: float | None, text: str) -> None:
    assert level_bar(share, 10, UNICODE, hold).plain == text


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        (0.0, "─────┼─────"),
        (1.0, "─────┼━━━━━"),
        (-0.6, "──━━━┼─────"),
        (0.01, "─────┼━────"),
        (9.0, "─────┼━━━━━"),
    ],
)
def test_weight_bars(weight: float, text: str) -> None:
    assert weight_bar(weight, 1.0, 11, UNICODE).plain == text


# ------------------------------------------------------------------------------------- plain lines


def test_the_plain_line() -> None:
    assert plain_line(MODEL) == (
        "1:15 | warm:0.5 | amount 1.00 | in -12.3 out -10.0 dBFS | load 1.1% max 8.2% | xruns 2 | "
        "MIDI nanoKONTROL2 (jack), CC 20 = 64 → warm"
    )
    assert plain_line(ViewModel(bypass=True)) == (
        "0:00 | bypass | amount 1.00 | in -inf out -inf dBFS | load 0.0% max 0.0% | xruns 0"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0:00"), (-1.0, "0:00"), (61.9, "1:01"), (3725.0, "1:02:05")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
