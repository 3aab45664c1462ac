"""Both designs run as the same kind of section; the cookbook design is that of everybody else."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from strategies import bands, settings

from semeq.engine.design import DESIGNERS, design, design_sos, prototype_db, response_db
from semeq.engine.errors import SettingsError
from semeq.engine.settings import Band, EQSettings, Kind

# Evaluating z⁻¹ sums in double precision near DC costs this much; the closed form does not.
SOS_ATOL_DB = 2e-6
RATES = (8000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0)
DESIGNS = st.sampled_from(sorted(DESIGNERS))


def one_band(band: Band) -> EQSettings:
    flat = EQSettings.flat()
    at = {Kind.LOW_SHELF: 0, Kind.PEAK: 1, Kind.HIGH_SHELF: 6}[band.kind]
    return EQSettings((*flat.bands[:at], band, *flat.bands[at + 1 :]))


def cookbook(band: Band, fs: float) -> np.ndarray:
    """Return b, a of the audio-EQ cookbook, written out from its text as an independent judge."""
    w0 = 2 * np.pi * band.freq_hz / fs
    cos, alpha = np.cos(w0), np.sin(w0) / (2 * band.q)
    a = 10 ** (band.gain_db / 40)
    if band.kind is Kind.PEAK:
        return np.array(
            [[1 + alpha * a, -2 * cos, 1 - alpha * a], [1 + alpha / a, -2 * cos, 1 - alpha / a]]
        )
    s = 1.0 if band.kind is Kind.LOW_SHELF else -1.0
    root = 2 * np.sqrt(a) * alpha
    return np.array(
        [
            [
                a * ((a + 1) - s * (a - 1) * cos + root),
                s * 2 * a * ((a - 1) - s * (a + 1) * cos),
                a * ((a + 1) - s * (a - 1) * cos - root),
            ],
            [
                (a + 1) + s * (a - 1) * cos + root,
                -s * 2 * ((a - 1) + s * (a + 1) * cos),
                (a + 1) + s * (a - 1) * cos - root,
            ],
        ]
    )


@given(st.sampled_from(list(Kind)).flatmap(bands), st.sampled_from((44_100.0, 48_000.0, 96_000.0)))
def test_a_band_is_the_cookbook_filter(band: Band, fs: float) -> None:
    b, a = cookbook(band, fs)
    row = design_sos(one_band(band), fs, design="rbj")[
        {Kind.LOW_SHELF: 0, Kind.PEAK: 1, Kind.HIGH_SHELF: 6}[band.kind]
    ]
    np.testing.assert_allclose(row, np.concatenate([b, a]) / a[0], rtol=0, atol=3e-9)


@given(settings(), st.sampled_from(RATES[1:]), DESIGNS)
def test_the_closed_form_response_is_that_of_the_sections(
    eq: EQSettings, fs: float, name: str
) -> None:
    freqs = np.geomspace(60.0, min(20_000.0, 0.49 * fs), 60)
    _, h = scipy.signal.freqz_sos(design_sos(eq, fs, design=name), freqs, fs=fs)
    np.testing.assert_allclose(
        response_db(eq, fs, freqs, design=name), 20 * np.log10(np.abs(h)), rtol=0, atol=SOS_ATOL_DB
    )


@given(st.sampled_from([Kind.PEAK]).flatmap(bands), st.sampled_from(RATES[1:]))
def test_a_peak_has_its_gain_at_its_frequency(band: Band, fs: float) -> None:
    at = response_db(one_band(band), fs, np.array([band.freq_hz]), design="rbj")
    assert at[0] == pytest.approx(band.gain_db, abs=1e-9)


@given(settings())
def test_the_prototype_is_the_cookbook_without_a_rate(eq: EQSettings) -> None:
    freqs = np.geomspace(20.0, 20_000.0, 50)
    # At 40 MHz the bilinear transform has nothing left to cramp.
    np.testing.assert_allclose(
        prototype_db(eq, freqs), response_db(eq, 4e7, freqs, design="rbj"), rtol=0, atol=2e-4
    )


@given(settings(), st.sampled_from(RATES), DESIGNS)
def test_every_design_shrinks_its_state(eq: EQSettings, fs: float, name: str) -> None:
    """The step [p -b1; b1 1-b2] never lengthens a state: what makes any ramp stable."""
    for p, b1, b2, *_ in design(eq, fs, design=name).rows[:-1]:
        step = np.array([[p, -b1], [b1, 1.0 - b2]])
        assert np.linalg.norm(step, 2) <= 1.0 + 1e-12
        assert np.abs(np.linalg.eigvals(step)).max() < 1.0


@given(settings(), DESIGNS)
def test_plus_and_minus_cancel(eq: EQSettings, name: str) -> None:
    freqs = np.geomspace(20.0, 20_000.0, 50)
    there = response_db(eq, 48_000.0, freqs, design=name)
    back = response_db(eq.scaled(-1.0), 48_000.0, freqs, design=name)
    peaks = [i for i, b in enumerate(eq.bands) if b.kind is Kind.PEAK]
    assert peaks  # shelves of the cookbook cancel as well: all seven bands take part
    np.testing.assert_allclose(there + back, 0.0, atol=1e-8)


@pytest.mark.parametrize("fs", RATES)
@pytest.mark.parametrize("name", sorted(DESIGNERS))
def test_flat_is_the_identity_and_a_gain_is_not(fs: float, name: str) -> None:
    assert design(EQSettings.flat(), fs, design=name).is_identity
    assert not design(EQSettings.flat(), fs, gain_db=-1.0, design=name).is_identity
    assert not design(one_band(Band(Kind.PEAK, 1000.0, 0.1)), fs, design=name).is_identity


def test_coefficients_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        design(EQSettings.flat(), 48_000.0).rows[0, 0] = 1.0


@pytest.mark.parametrize("fs", [0.0, -1.0, float("nan"), float("inf")])
def test_a_bad_sample_rate_is_an_error(fs: float) -> None:
    with pytest.raises(SettingsError, match="fs must be a positive number of Hz"):
        design(EQSettings.flat(), fs)


def test_an_unknown_design_names_the_known_ones() -> None:
    with pytest.raises(
        SettingsError, match=f"design must be one of {', '.join(sorted(DESIGNERS))}"
    ):
        design(EQSettings.flat(), 48_000.0, design="magic")


def test_frequencies_of_any_shape_are_answered_in_their_shape() -> None:
    eq, freqs = one_band(Band(Kind.PEAK, 1000.0, 6.0)), np.geomspace(50.0, 10_000.0, 6)
    for shape in ((2, 3), (6, 1)):
        asked = freqs.reshape(shape)
        np.testing.assert_array_equal(
            response_db(eq, 48_000.0, asked), response_db(eq, 48_000.0, freqs).reshape(shape)
        )
        np.testing.assert_array_equal(
            prototype_db(eq, asked), prototype_db(eq, freqs).reshape(shape)
        )
    assert prototype_db(eq, freqs[3]) == prototype_db(eq, freqs)[3]
