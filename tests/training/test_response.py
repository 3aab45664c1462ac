from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import settings as any_settings

from semeq.engine import design
from semeq.engine.settings import LAYOUT, Band, EQSettings
from semeq.training.words import GRID_HZ

torch = pytest.importorskip("torch")

from semeq.training.response import (  # noqa: E402 (only with torch)
    from_tensor,
    power_response,
    response_db,
    to_tensor,
)

FS = 48_000.0
FREQS_HZ = np.geomspace(20.0, 20_000.0, 256)
#: Largest distance to the double-precision response over 256 random settings: measured 7e-6 dB, and
#: 3e-5 dB with what rounding the parameters themselves to float32 adds.
FLOAT32_DB = 1e-5
ROUNDED_DB = 4e-5
EXACT_DB = 1e-9


def random_settings(count: int, seed: int, *, gain_db: float = 12.0) -> list[EQSettings]:
    rng = np.random.default_rng(seed)
    return [
        EQSettings(
            tuple(
                Band(
                    kind,
                    float(np.exp(rng.uniform(np.log(22.0), np.log(18_000.0)))),
                    float(rng.uniform(-gain_db, gain_db)),
                    float(np.exp(rng.uniform(np.log(0.1), np.log(10.0)))),
                )
                for kind in LAYOUT
            )
        )
        for _ in range(count)
    ]


@settings(max_examples=60, deadline=None)
@given(any_settings())
def test_agrees_with_the_engine(eq: EQSettings) -> None:
    ours = response_db(to_tensor(eq, dtype=torch.float64), FREQS_HZ, FS).numpy()
    assert np.abs(ours - design.response_db(eq, FS, FREQS_HZ, design="rbj")).max() < EXACT_DB


def test_float32_is_exact_enough(record_property: Callable[[str, object], None]) -> None:
    many = random_settings(256, 0)
    truth = np.array([design.response_db(eq, FS, FREQS_HZ, design="rbj") for eq in many])
    parameters = torch.stack([to_tensor(eq) for eq in many])
    ours = response_db(parameters, FREQS_HZ, FS).numpy()
    same_parameters = response_db(parameters.double(), FREQS_HZ, FS).numpy()
    worst = float(np.abs(ours - same_parameters).max())
    record_property("float32_worst_db", worst)
    assert worst <= FLOAT32_DB
    assert np.abs(ours - truth).max() <= ROUNDED_DB


def test_centres_above_nyquist_count_as_the_highest_place() -> None:
    eq = EQSettings(tuple(Band(kind, 29_000.0, 6.0, 0.7) for kind in LAYOUT))
    ours = response_db(to_tensor(eq, dtype=torch.float64), FREQS_HZ, FS).numpy()
    assert np.abs(ours - design.response_db(eq, FS, FREQS_HZ, design="rbj")).max() < EXACT_DB


def test_gradients_are_the_slopes() -> None:
    parameters = torch.stack(
        [to_tensor(eq, dtype=torch.float64) for eq in random_settings(3, 1)]
    ).requires_grad_()
    freqs = np.array([25.0, 200.0, 1500.0, 9000.0, 19_000.0])
    assert torch.autograd.gradcheck(lambda x: response_db(x, freqs, FS), parameters)


def test_gradients_in_float32_are_finite_and_close() -> None:
    many = random_settings(64, 2)
    slopes = []
    for dtype in (torch.float32, torch.float64):
        x = torch.stack([to_tensor(eq, dtype=dtype) for eq in many]).requires_grad_()
        (slope,) = torch.autograd.grad(response_db(x, GRID_HZ, FS).square().mean(), x)
        slopes.append(slope.to(torch.float64))
    assert torch.isfinite(slopes[0]).all()
    assert (slopes[0] - slopes[1]).abs().max() < 1e-4 * slopes[1].abs().max()


def test_flat_is_exactly_zero_with_a_slope_to_leave_it_by() -> None:
    x = to_tensor(EQSettings.flat()).requires_grad_()
    response = response_db(x, GRID_HZ, FS)
    assert (response == 0.0).all()
    (slope,) = torch.autograd.grad(response.sum(), x)
    assert (slope[:, 0].abs() > 0.0).all()


def test_power_response_at_the_ends() -> None:
    eq = EQSettings(
        (
            Band(LAYOUT[0], 200.0, 6.0),
            *(Band(kind, 1000.0, 3.0) for kind in LAYOUT[1:-1]),
            Band(LAYOUT[-1], 5000.0, -9.0),
        )
    )
    power = power_response(to_tensor(eq, dtype=torch.float64), 129, FS).numpy()
    assert 10.0 * np.log10(power[[0, -1]]) == pytest.approx([6.0, -9.0], abs=1e-9)
    inside = 10.0 * np.log10(power[1:-1])
    freqs = np.linspace(0.0, FS / 2.0, 129)[1:-1]
    assert np.abs(inside - design.response_db(eq, FS, freqs, design="rbj")).max() < EXACT_DB


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_settings_there_and_back(seed: int) -> None:
    eq = random_settings(1, seed)[0]
    again = from_tensor(to_tensor(eq, dtype=torch.float64))
    for one, two in zip(eq.bands, again.bands, strict=True):
        assert (two.gain_db, two.freq_hz, two.q) == pytest.approx((one.gain_db, one.freq_hz, one.q))
