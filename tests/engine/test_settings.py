"""Settings are checked once, when they are made."""

import re

import pytest
from hypothesis import given
from strategies import settings

from semeq.engine.errors import SemeqError, SettingsError
from semeq.engine.settings import LAYOUT, Band, EQSettings, Kind


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((5.0, 0.0, 1.0), "freq_hz must be in [10, 30000], got 5"),
        ((1000.0, 19.0, 1.0), "gain_db must be in [-18, 18], got 19"),
        ((1000.0, float("nan"), 1.0), "gain_db must be in [-18, 18], got nan"),
        ((1000.0, 0.0, 0.0), "q must be in [0.1, 10], got 0"),
        ((float("inf"), 0.0, 1.0), "freq_hz must be in [10, 30000], got inf"),
    ],
)
def test_a_value_out_of_range_says_which(values: tuple[float, float, float], message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)) as caught:
        Band(Kind.PEAK, *values)
    assert isinstance(caught.value, SemeqError | ValueError)


@pytest.mark.parametrize("kinds", [LAYOUT[:6], LAYOUT[::-1], (*LAYOUT, Kind.PEAK), ()])
def test_the_layout_is_fixed(kinds: tuple[Kind, ...]) -> None:
    with pytest.raises(
        SettingsError, match="bands must be a low shelf, five peaks and a high shelf"
    ):
        EQSettings(tuple(Band(kind, 1000.0) for kind in kinds))


@given(settings())
def test_amount_zero_is_flat_and_one_is_the_same(eq: EQSettings) -> None:
    assert eq.scaled(0.0).is_flat
    assert eq.scaled(1.0) == eq
    assert [b["kind"] for b in eq.as_dicts()] == [k.value for k in LAYOUT]
