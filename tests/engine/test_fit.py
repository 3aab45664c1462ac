"""Fitting seven bands: the closed forms, what is found again, and that nothing jumps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import settings

from semeq.engine.design import prototype_db, response_db
from semeq.engine.errors import SettingsError
from semeq.engine.fit import (
    FIT_FREQ_RANGES_HZ,
    bounds,
    fit_bands,
    refine,
    to_parameters,
    to_settings,
)
from semeq.engine.responses import prototypes_db, responses_db
from semeq.engine.settings import LAYOUT, Band, EQSettings, Kind
from semeq.engine.units import Floats

FREQS = np.geomspace(20.0, 20_000.0, 61)
FS = 48_000.0
#: Two closed forms of one filter, in double precision.
SAME_DB = 1e-9
#: Central differences over 1e-5 of slopes up to a few hundred dB per unit.
SLOPE_ATOL = 1e-4


def rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def up_to(share: float, fs: float) -> Floats:
    """Return the points of the grid below a share of the rate."""
    freqs = FREQS.copy()
    return freqs[freqs < share * fs]


def random_parameters(seed: int, gain_db: float = 10.0, fs: float = FS) -> Floats:
    low, high = bounds(fs, gain_db)
    drawn: Floats = low + (high - low) * np.random.default_rng(seed).random(low.shape)
    return drawn


@given(settings(), st.sampled_from((44_100.0, 48_000.0, 192_000.0)))
def test_the_response_is_that_of_the_design(eq: EQSettings, fs: float) -> None:
    freqs = up_to(0.45, fs)
    found, _ = responses_db(to_parameters(eq), freqs, fs)
    np.testing.assert_allclose(
        found, response_db(eq, fs, freqs, design="rbj"), rtol=0, atol=SAME_DB
    )


@given(settings())
def test_without_a_rate_the_response_is_that_of_the_prototypes(eq: EQSettings) -> None:
    found, _ = prototypes_db(to_parameters(eq), FREQS)
    np.testing.assert_allclose(found, prototype_db(eq, FREQS), rtol=0, atol=SAME_DB)


def test_the_slopes_are_those_of_the_prototypes() -> None:
    for seed in range(5):
        parameters = random_parameters(seed)
        _, slopes = prototypes_db(parameters, FREQS)
        for k in range(parameters.size):
            nudge = np.zeros(parameters.shape)
            nudge.flat[k] = 1e-5
            above, _ = prototypes_db(parameters + nudge, FREQS)
            below, _ = prototypes_db(parameters - nudge, FREQS)
            np.testing.assert_allclose(slopes[k], (above - below) / 2e-5, rtol=0, atol=SLOPE_ATOL)


@pytest.mark.parametrize("fs", [8000.0, 44_100.0, 96_000.0])
def test_the_slopes_are_those_of_the_response(fs: float) -> None:
    freqs = up_to(0.45, fs)
    for seed in range(5):
        parameters = random_parameters(seed, fs=fs)
        # The clamp of a centre at 0.49 fs has a corner: stay below it.
        parameters[:, 1] = np.minimum(parameters[:, 1], np.log(0.46 * fs))
        _, slopes = responses_db(parameters, freqs, fs)
        for k in range(parameters.size):
            nudge = np.zeros(parameters.shape)
            nudge.flat[k] = 1e-5
            above, _ = responses_db(parameters + nudge, freqs, fs)
            below, _ = responses_db(parameters - nudge, freqs, fs)
            np.testing.assert_allclose(slopes[k], (above - below) / 2e-5, rtol=0, atol=SLOPE_ATOL)


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    parameters = np.array([random_parameters(seed) for seed in range(6)])
    targets = np.array([prototypes_db(random_parameters(9 + k), FREQS)[0] for k in range(6)])
    limits = bounds(None, 12.0)
    together = refine(parameters, targets, FREQS, limits=limits)
    for k in range(6):
        single = refine(parameters[k], targets[k], FREQS, limits=limits)
        np.testing.assert_allclose(together[k], single, rtol=0, atol=1e-9)


@given(settings())
def test_parameters_and_settings_are_inverse(eq: EQSettings) -> None:
    there = to_settings(to_parameters(eq))
    for a, b in zip(there.bands, eq.bands, strict=True):
        assert a.kind is b.kind
        assert a.gain_db == b.gain_db
        assert a.freq_hz == pytest.approx(b.freq_hz, rel=1e-12)
        assert a.q == pytest.approx(b.q, rel=1e-12)


def test_a_start_that_fits_is_handed_back_as_it_is() -> None:
    start = to_settings(random_parameters(3))
    curve, _ = prototypes_db(to_parameters(start), FREQS)
    assert fit_bands(curve, FREQS, start=start) is start


def test_a_flat_curve_from_a_flat_start_is_flat() -> None:
    assert fit_bands(np.zeros(61), FREQS, start=EQSettings.flat()).is_flat


def test_a_curve_is_followed_from_a_flat_start() -> None:
    octaves = np.log2(FREQS / 1000.0)
    tilt = 3.0 * np.tanh(octaves / 2.0)
    bump = 4.0 * np.exp(-((octaves - 1.5) ** 2))
    for curve in (tilt, -tilt, bump, tilt + bump):
        fitted = fit_bands(curve, FREQS, start=EQSettings.flat(), iterations=20)
        assert rms(prototype_db(fitted, FREQS) - curve) < 0.15 * rms(curve)


def test_more_steps_fit_no_worse() -> None:
    curve = 5.0 * np.sin(np.log2(FREQS))
    start = EQSettings.flat()
    errors = [
        rms(prototype_db(fit_bands(curve, FREQS, start=start, iterations=n), FREQS) - curve)
        for n in (0, 1, 4, 16)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.5 * errors[0]


@pytest.mark.parametrize("limit", [3.0, 12.0, 18.0])
def test_limits_are_kept(limit: float) -> None:
    curve = np.where(FREQS < 700.0, 40.0, -40.0)
    fitted = fit_bands(curve, FREQS, start=EQSettings.flat(), gain_limit_db=limit, iterations=30)
    assert max(abs(band.gain_db) for band in fitted.bands) == pytest.approx(limit)
    for band, (low, high) in zip(fitted.bands, FIT_FREQ_RANGES_HZ, strict=True):
        assert low * (1 - 1e-9) <= band.freq_hz <= high * (1 + 1e-9)
        assert 0.1 <= band.q <= 10.0
    assert tuple(band.kind for band in fitted.bands) == LAYOUT


@pytest.mark.parametrize("fs", [8000.0, 11_025.0, 22_050.0, 44_100.0, 192_000.0])
def test_bilinear_filters_can_be_fitted_at_every_rate(fs: float) -> None:
    curve = 4.0 * np.tanh(np.log2(FREQS / 800.0))
    fitted = fit_bands(curve, FREQS, fs, start=EQSettings.flat(), iterations=20)
    freqs = up_to(0.4, fs)
    assert rms(response_db(fitted, fs, freqs, design="rbj") - curve[: len(freqs)]) < 0.7
    assert max(band.freq_hz for band in fitted.bands) < 0.5 * fs


def test_equal_calls_give_equal_answers() -> None:
    curve = 4.0 * np.sin(2.0 * np.log2(FREQS))
    first, second = (fit_bands(curve, FREQS, start=EQSettings.flat()) for _ in range(2))
    assert first == second


@given(st.integers(0, 1000), st.integers(0, 60))
def test_a_small_change_of_the_curve_is_a_small_change_of_the_response(
    seed: int, point: int
) -> None:
    start = to_settings(random_parameters(seed, gain_db=5.0))
    curve = prototype_db(start, FREQS) + np.sin(np.log2(FREQS) + seed)
    nudged = curve.copy()
    nudged[point] += 1e-4
    one, two = (prototype_db(fit_bands(c, FREQS, start=start), FREQS) for c in (curve, nudged))
    # Four steps of a projected fit cannot do much more than follow.
    assert np.abs(one - two).max() < 1e-3


@pytest.mark.parametrize(
    ("curve", "freqs", "fs", "limit", "message"),
    [
        (np.zeros(3), np.ones(2), FS, 12.0, "one row of equal length, got shapes"),
        (np.zeros((1, 61)), FREQS, FS, 12.0, "one row of equal length"),
        (np.full(61, np.nan), FREQS, FS, 12.0, "curve_db must be finite"),
        (np.full(61, np.inf), FREQS, FS, 12.0, "curve_db must be finite"),
        (np.zeros(61), -FREQS, FS, 12.0, "at positive frequencies"),
        (np.zeros(61), FREQS, 20.0, 12.0, "got 0 usable points of 61"),
        (np.zeros(0), np.zeros(0), FS, 12.0, "got 0 usable points of 0"),
        (np.zeros(61), FREQS, float("nan"), 12.0, "fs must be a positive number"),
        (np.zeros(61), FREQS, -1.0, 12.0, "fs must be a positive number"),
        (np.zeros(61), FREQS, FS, 0.0, r"gain_limit_db must be in \(0, 18\], got 0"),
        (np.zeros(61), FREQS, FS, 19.0, "gain_limit_db must be in"),
        (np.zeros(61), FREQS, FS, float("nan"), "gain_limit_db must be in"),
    ],
)
def test_bad_input_is_refused(
    curve: Floats, freqs: Floats, fs: float, limit: float, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        fit_bands(curve, freqs, fs, start=EQSettings.flat(), gain_limit_db=limit)


def test_a_start_outside_the_limits_is_brought_inside() -> None:
    wild = EQSettings(
        (
            Band(Kind.LOW_SHELF, 5000.0, 18.0, 10.0),
            *(Band(Kind.PEAK, 20.0, -18.0, 10.0) for _ in range(5)),
            Band(Kind.HIGH_SHELF, 30.0, 18.0, 0.1),
        )
    )
    fitted = fit_bands(np.zeros(61), FREQS, start=wild, iterations=0)
    low, high = bounds(None, 12.0)
    parameters = to_parameters(fitted)
    assert (parameters >= low - 1e-12).all()
    assert (parameters <= high + 1e-12).all()
