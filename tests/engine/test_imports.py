"""Other programs' equalisers are read as these programs read them, and refused in one line otherwise."""

import numpy as np
import other_programs
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from semeq.engine.design import response_db
from semeq.engine.errors import DataError
from semeq.engine.exports import ANY, portable
from semeq.engine.exports_fit import cookbook_db
from semeq.engine.exports_text import APO, REW, apo, autoeq, rew
from semeq.engine.fit import bounds, to_parameters
from semeq.engine.imports import read_equaliser
from semeq.engine.imports_fit import seven_bands
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.settings import Kind
from semeq.presets.library import shipped_vocabulary

FS = 48_000.0
FREQS = np.geomspace(20.0, 20_000.0, 300)
PHONES = """Preamp: -6.3 dB
Filter 1: ON LSC Fc 105 Hz Gain 5.5 dB Q 0.70
Filter 2: ON PK Fc 198 Hz Gain -4.1 dB Q 0.42
Filter 3: ON PK Fc 2402 Hz Gain 5.7 dB Q 1.70
Filter 4: OFF PK Fc 4566 Hz Gain 5.1 dB Q 2.32
Filter 5: ON HSC Fc 10000 Hz Gain -3.5 dB Q 0.70
"""


@pytest.mark.parametrize("recipe", ["warm", "bright:2", "crisp - muddy"])
@pytest.mark.parametrize("form", ["apo", "autoeq", "rew"])
def test_what_was_written_is_read(form: str, recipe: str) -> None:
    settings = interpret(Recipe.parse(recipe), shipped_vocabulary()).settings
    writer = {"apo": apo, "autoeq": autoeq, "rew": rew}[form]
    eq = portable(settings, FS, {"apo": APO, "rew": REW}.get(form, ANY))
    read = read_equaliser(writer(eq, ["about"]))
    tolerance = 0.05 if form == "autoeq" else 0.01  # whole Hz
    assert read.what == "filters"
    miss = cookbook_db(read.bands, FS, FREQS) - cookbook_db(eq.bands, FS, FREQS)
    assert np.abs(miss).max() <= tolerance
    if form != "rew":
        assert read.preamp_db == pytest.approx(eq.preamp_db, abs=0.006)
    imported = seven_bands(read, FS)
    top = FREQS <= 16_000.0
    assert (
        np.abs(response_db(imported.settings, FS, FREQS) - response_db(settings, FS, FREQS))[
            top
        ].max()
        <= 0.2
    )


def test_autoeq() -> None:
    read = read_equaliser(PHONES)
    assert read.preamp_db == -6.3
    assert [band.kind for band in read.bands] == [
        *(Kind.LOW_SHELF, Kind.PEAK, Kind.PEAK, Kind.HIGH_SHELF)
    ]
    on = "\n".join(line for line in PHONES.splitlines() if "OFF" not in line)
    theirs = other_programs.equalizer_apo(on, FS, FREQS) + 6.3
    assert np.abs(cookbook_db(read.bands, FS, FREQS) - theirs).max() < 1e-9
    imported = seven_bands(read, FS)
    assert imported.largest_db <= 0.1
    assert imported.rms_db <= 0.02


@pytest.mark.parametrize(
    ("line", "freq_hz", "gain_db", "q"),
    [
        ("ON PK Fc 1,234 Hz Gain 3 dB Q 2", 1234.0, 3.0, 2.0),
        ("ON PK Fc 1.234 Hz Gain 3 dB Q 2", 1234.0, 3.0, 2.0),
        ("ON PK Fc 123,4 Hz Gain -3.5 dB Q 2", 123.4, -3.5, 2.0),
        ("ON  PEQ  Fc  50.0 Hz  Gain  -10.0 dB  BW Oct 1.0", 50.0, -10.0, 2.0**0.5),
        ("ON Modal Fc 100 Hz Gain 3 dB Q 5 T60 target 200 ms", 100.0, 3.0, 5.0),
        ("ON LSC 12 dB Fc 100 Hz Gain 6 dB", 100.0, 6.0, 0.5**0.5),
        ("ON LS Q     Fc  100.00 Hz  Gain   -3.0 dB Q   0.71", 100.0, -3.0, 0.71),
        ("ON HSC Fc 8000 Hz Gain 3 dB Q 0.6", 8000.0, 3.0, 0.6),
    ],
)
def test_one_filter(line: str, freq_hz: float, gain_db: float, q: float) -> None:
    (band,) = read_equaliser(f"Filter 1: {line}\n").bands
    assert band.gain_db == gain_db
    assert band.freq_hz == pytest.approx(freq_hz, rel=1e-9)
    assert band.q == pytest.approx(q, rel=1e-6)


@pytest.mark.parametrize(("kind", "sign"), [("LS", 1.0), ("HS", -1.0)])
@pytest.mark.parametrize("gain_db", [6.0, -9.0])
def test_a_corner_is_moved_to_the_centre(kind: str, sign: float, gain_db: float) -> None:
    # with a slope of 12 dB (S = 1) the factor is 10^(|gain| / 80)
    (band,) = read_equaliser(f"Filter: ON {kind} 12 dB Fc 1000 Hz Gain {gain_db} dB").bands
    assert band.freq_hz == pytest.approx(1000.0 * 10.0 ** (sign * abs(gain_db) / 80.0))
    (centre,) = read_equaliser(f"Filter: ON {kind}C 12 dB Fc 1000 Hz Gain {gain_db} dB").bands
    assert centre.freq_hz == 1000.0


def test_a_graphic_equaliser() -> None:
    read = read_equaliser("Preamp: -3 dB\nGraphicEQ: 20 -1.5; 1000 2; 100 0.5; 20000 -4\n")
    assert read.what == "graphic equaliser"
    assert read.freqs_hz.tolist() == [20.0, 100.0, 1000.0, 20_000.0]
    assert read.curve_db.tolist() == [-1.5, 0.5, 2.0, -4.0]


@pytest.mark.parametrize(
    "text",
    [
        "frequency,raw\n20,4\n200,3\n2000,-1\n20000,-3\n",
        "Frequency;SPL\n20;4,0\n200;3,0\n2000;-1,0\n20000;-3,0\n",
        "* REW export\n* Freq(Hz) SPL(dB)\n20 4 0\n200 3 0\n2000 -1 0\n20000 -3 0\n",
        "20\t4\n200\t3\n2000\t-1\n20000\t-3\n",
        "frequency,raw,error,target\r\n20,4,9,9\r\n200,3,9,9\r\n2000,-1,9,9\r\n20000,-3,9,9\r\n",
        "\ufefffrequency,phase,gain\n20,9,4\n200,9,3\n2000,9,-1\n20000,9,-3\n",
    ],
)
def test_a_table(text: str) -> None:
    read = read_equaliser(text)
    assert read.what == "curve"
    assert read.freqs_hz.tolist() == [20.0, 200.0, 2000.0, 20_000.0]
    assert read.curve_db.tolist() == [4.0, 3.0, -1.0, -3.0]


def test_the_level_of_a_curve_is_taken_off() -> None:
    low = seven_bands(read_equaliser("20,4\n200,3\n2000,-1\n20000,-3\n"))
    high = seven_bands(read_equaliser("20,84\n200,83\n2000,79\n20000,77\n"))
    assert high.level_db - low.level_db == pytest.approx(80.0)
    np.testing.assert_allclose(high.wanted_db, low.wanted_db, atol=1e-9)
    assert high.largest_db <= 0.5


def test_a_word_stays_where_recipes_let_bands_be() -> None:
    text = "Filter 1: ON PK Fc 3000 Hz Gain 6 dB Q 9\nFilter 2: ON LSC Fc 15 Hz Gain 9 dB Q 3\n"
    read = read_equaliser(text)
    low, high = bounds(None, 12.0)
    numbers = to_parameters(seven_bands(read, as_word=True).settings)
    assert np.all((numbers >= low - 1e-9) & (numbers <= high + 1e-9))
    # as a starting point they are what the file says
    taken = to_parameters(seven_bands(read).settings)
    assert not np.all((taken >= low - 1e-9) & (taken <= high + 1e-9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there must be filters, a GraphicEQ or a table of Hz and dB, got none"),
        ("hello world\n", "there must be filters, a GraphicEQ or a table"),
        ("Filter 1: ON LP Fc 100 Hz\n", "line 1: a filter must be a peak or a shelf"),
        ("Filter 1: OFF PK Fc 1 Hz Gain 1 dB Q 1", "at least one filter that is ON"),
        ("\nFilter 1: ON PK Fc 100 Hz Q 1", "line 2: a filter must have Fc in Hz and Gain in dB"),
        ("Filter 1: ON PK Fc 100 Hz Gain 3 dB", "line 1: a peak must have a Q or BW Oct"),
        ("Filter 1: ON PK Fc 100 Hz Gain 99 dB Q 1", "line 1: gain_db must be in"),
        ("Filter 1: ON PK Fc 1e9 Hz Gain 9 dB Q 1", "line 1: freq_hz must be in"),
        ("Filter 1: ON PK Fc e Hz Gain 9 dB Q 1", "line 1: Fc must be a number"),
        ("Filter 1: ON LS 0 dB Fc 100 Hz Gain 9 dB", "line 1: a slope must be above 0 dB"),
        ("Filter 1: MAYBE", "line 1: a filter must start with ON"),
        ("Preamp: loud\nFilter 1: ON PK Fc 100 Hz Gain 3 dB Q 1", "line 1: a preamp must be"),
        ("Channel: L\nFilter 1: ON PK Fc 100 Hz Gain 3 dB Q 1", "serve all channels"),
        ("Include: x.txt\nFilter 1: ON PK Fc 100 Hz Gain 3 dB Q 1", "only filters can be read"),
        ("GraphicEQ: 20 1; 30", "line 1: GraphicEQ must be pairs"),
        ("GraphicEQ: 20 1; 20 2", "each frequency once, got 20 Hz twice"),
        ("GraphicEQ: 20 1", "two points or more"),
        ("20,1\n30,x\n", "got '30,x' in row 2"),
        ("0,1\n30,2\n", "at positive frequencies"),
        ("20,0\n30,500\n", "span at most 120 dB"),
        ("GraphicEQ: 20 1; 90 2\nFilter: ON PK Fc 100 Hz Gain 3 dB Q 1", "got both"),
    ],
)
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_equaliser(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_curve_that_nobody_hears() -> None:
    with pytest.raises(DataError, match="must span an octave"):
        seven_bands(read_equaliser("1,0\n25,3\n"))


@given(
    st.one_of(
        st.text(max_size=300),
        st.text(alphabet="Filter 1:ONPKLSHCFczGaindBQ0123456789.,-;\n", max_size=300),
        st.lists(st.sampled_from(PHONES.split()), max_size=60).map(" ".join),
    )
)
@hypothesis_settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = read_equaliser(text)
    except DataError:
        return
    assert bool(read.bands) != bool(len(read.freqs_hz))
