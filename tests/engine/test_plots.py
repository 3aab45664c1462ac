"""Charts are well-formed, carry everything in themselves and draw what they are given."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from semeq.engine.plots import NARROW, WIDE, response_svg, spectra_svg

SVG = "{http://www.w3.org/2000/svg}"
FREQS = np.geomspace(20.0, 20_000.0, 101)
NASTY = 'warm & <script>"x"'


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in parse(svg).iter(f"{SVG}text")]


def curves(svg: str) -> list[list[tuple[float, float]]]:
    """Return the points of each drawn curve (the paths with many points, areas left out)."""
    found = []
    for node in parse(svg).iter(f"{SVG}path"):
        points = re.findall(r"([\d.]+) ([\d.]+)", node.attrib["d"])
        if len(points) > 10 and node.get("class") != "area":
            found.append([(float(x), float(y)) for x, y in points])
    return found


@pytest.fixture(params=[WIDE, NARROW])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_axes_carry_their_units(width: int) -> None:
    response = texts(response_svg({"a": np.zeros(101)}, FREQS, width=width))
    spectra = texts(spectra_svg({"a": (FREQS, np.zeros(101))}, width=width))
    assert {"Frequency (Hz)", "Gain (dB)", "0", "+6", "−6", "1k"} <= set(response)
    assert {"Frequency (Hz)", "Level (dB)", "1k"} <= set(spectra)


def test_curves_lie_where_they_should(width: int) -> None:
    """6 dB at 1 kHz, read back from pixels through the labelled grid lines."""
    shape = 6.0 * np.exp(-(np.log2(FREQS / 1000.0) ** 2))
    svg = response_svg({"bump": shape, "flat": np.zeros(101)}, FREQS, width=width)
    bump, flat = curves(svg)
    zero, top = flat[0][1], min(y for _, y in bump)
    ticks = {
        node.text: float(node.attrib["y"])
        for node in parse(svg).iter(f"{SVG}text")
        if node.text in {"0", "+6", "+3"}
    }
    assert top - zero == pytest.approx(ticks["+6"] - ticks["0"], abs=0.6)
    assert min(bump, key=lambda point: point[1])[0] == pytest.approx(
        next(float(n.attrib["x"]) for n in parse(svg).iter(f"{SVG}text") if n.text == "1k"), abs=4.0
    )


def test_the_scale_grows_with_the_curve(width: int) -> None:
    for reach in (0.0, 7.0, 14.0, 36.0):
        svg = response_svg(
            {"a": np.full(101, reach), "b": np.full(101, -reach)}, FREQS, width=width
        )
        above, below = curves(svg)
        assert below[0][1] - above[0][1] >= reach > 0 or above == below


def test_the_legend_stands_above_the_plot(width: int) -> None:
    labels = [f"warm:0.{i} + punchy:0.3" for i in range(6)]
    svg = response_svg({label: np.full(101, 5.9) for label in labels}, FREQS, width=width)
    lowest = max(
        float(node.attrib["y"])
        for node in parse(svg).iter(f"{SVG}text")
        if node.get("class") == "name"
    )
    assert lowest < min(y for curve in curves(svg) for _, y in curve)
    right = max(
        float(n.attrib["x"]) for n in parse(svg).iter(f"{SVG}text") if n.get("class") == "name"
    )
    assert right < width - 60


def test_lines_differ_in_colour_and_in_dashes() -> None:
    svg = response_svg({str(i): np.full(101, float(i)) for i in range(6)}, FREQS)
    styles = [
        (node.attrib["stroke"], node.attrib["stroke-dasharray"])
        for node in parse(svg).iter(f"{SVG}path")
        if node.attrib["d"].count("L") > 10
    ]
    assert len({colour for colour, _ in styles}) == len({dash for _, dash in styles}) == 6


def test_texts_are_escaped_and_nothing_is_fetched() -> None:
    svg = response_svg({NASTY: np.zeros(101)}, FREQS, title=NASTY)
    assert NASTY in texts(svg)
    rest = svg.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|<script|url\(|@import|href", rest)


def test_what_is_out_of_range_or_not_finite_is_left_out() -> None:
    db = np.zeros(103)
    db[50] = np.nan
    freqs = np.concatenate(([1.0], FREQS, [40_000.0]))
    (curve,) = curves(response_svg({"a": db}, freqs))
    assert len(curve) == 100


def test_spectra_far_below_stay_inside_the_plot() -> None:
    svg = spectra_svg({"a": (FREQS, np.full(101, -20.0)), "b": (FREQS, np.full(101, -150.0))})
    height = float(parse(svg).attrib["viewBox"].split()[3])
    assert all(0 < y <= height - 40 for curve in curves(svg) for _, y in curve)


def test_a_recipe_keeps_its_colour() -> None:
    spectrum = (FREQS, np.zeros(101))
    assert 'stroke="var(--c2)"' in spectra_svg({"mix": spectrum, "x": spectrum}, colour=2)
