"""The impulse response is that of the equaliser, minimum-phase, and long enough."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from strategies import settings as any_settings

from semeq.engine.design import design_sos, response_db
from semeq.engine.errors import SettingsError
from semeq.engine.exports import PROMISED_DB
from semeq.engine.exports_impulse import SHORTEST, impulse, is_long_enough, missed_db
from semeq.engine.settings import LAYOUT, Band, EQSettings


@given(settings=any_settings())
@hypothesis_settings(max_examples=20, deadline=None)
def test_its_spectrum_is_the_response(settings: EQSettings) -> None:
    fs = 48_000.0
    response, preamp_db = impulse(settings, fs)
    freqs = np.geomspace(20.0, 20_000.0, 97)
    waves = np.exp(-2j * np.pi * np.outer(freqs / fs, np.arange(len(response))))
    level = 20.0 * np.log10(np.abs(waves @ response)) - preamp_db
    assert np.abs(level - response_db(settings, fs, freqs)).max() <= PROMISED_DB
    assert np.abs(np.fft.rfft(response, 1 << 18)).max() <= 1.0 + 1e-3


@given(settings=any_settings())
@hypothesis_settings(max_examples=50, deadline=None)
def test_it_is_minimum_phase(settings: EQSettings) -> None:
    for row in design_sos(settings, 48_000.0):
        assert np.abs(np.roots(row[:3])).max(initial=0.0) < 1.0
        assert np.abs(np.roots(row[3:])).max(initial=0.0) < 1.0


def narrow() -> EQSettings:
    low, first, *rest = EQSettings.flat().bands
    return EQSettings((low, Band(first.kind, 25.0, 12.0, 8.0), *rest))


def test_a_narrow_band_at_the_bottom_takes_longer() -> None:
    long, _ = impulse(narrow(), 48_000.0)
    short, _ = impulse(EQSettings.flat(), 48_000.0)
    assert (len(short), len(long) > 4 * SHORTEST) == (SHORTEST, True)


def test_too_short_is_seen() -> None:
    response, preamp_db = impulse(narrow(), 48_000.0, 1024)
    assert len(response) == 1024
    assert not is_long_enough(missed_db(response, narrow(), 48_000.0, preamp_db))


def test_flat_is_one_sample() -> None:
    response, preamp_db = impulse(EQSettings.flat(), 44_100.0, 64)
    assert preamp_db == 0.0
    np.testing.assert_array_equal(response, np.eye(1, 64)[0])


@pytest.mark.parametrize("length", [0, 63, 1 << 21])
def test_a_length_out_of_range(length: int) -> None:
    with pytest.raises(SettingsError, match="length must be in"):
        impulse(EQSettings.flat(), 48_000.0, length)


def test_the_layout_is_covered() -> None:
    assert len(LAYOUT) == len(design_sos(EQSettings.flat(), 48_000.0))
