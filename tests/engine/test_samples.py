"""Between files and floats: exact both ways, dither that is noise and repeats, damage that is silence."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from strategies import partitions

from semeq.engine.samples import (
    from_floats,
    from_integers,
    from_rounded,
    silence_damage,
    to_integers,
)
from semeq.engine.units import Audio

BITS = {8: np.int8, 16: np.int16, 24: np.int32}


def to_bits(
    x: Audio, bits: int, *, dither: bool = False, position: int = 0
) -> tuple[npt.NDArray[np.integer], int]:
    out = np.empty(x.shape[::-1], dtype=BITS[bits])
    clipped = to_integers(x, 2.0 ** (bits - 1), 0, dither, position, out)
    return out, clipped


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_every_integer_comes_back(bits: int) -> None:
    full = 2 ** (bits - 1)
    steps = np.unique(np.r_[-full : full : max(1, full // 30_000), -full, -1, 0, 1, full - 1])
    raw = np.stack([steps, steps[::-1]]).astype(BITS[bits])
    x = np.empty(raw.shape[::-1], dtype=np.float32)
    from_integers(raw, 1.0 / full, x)
    assert np.array_equal(x.T.astype(np.float64) * full, raw)
    back, clipped = to_bits(x, bits)
    assert clipped == 0
    assert np.array_equal(back, raw)


def test_pedalboards_24_bit_floats_are_undone() -> None:
    full = 2**23
    steps = np.r_[-full:full:37, -full, -1, 0, 1, full - 1]
    theirs = (steps / (full - 1.0)).astype(np.float32)[None]
    x = np.empty(theirs.shape[::-1], dtype=np.float32)
    from_rounded(theirs, full - 1.0, 1.0 / full, x)
    assert np.array_equal(x[:, 0].astype(np.float64) * full, steps)


def test_beyond_full_scale_is_clipped_and_counted() -> None:
    x = np.array([[1.0], [1.0001], [-1.0], [-1.0001], [3.0], [-3.0]], dtype=np.float32)
    out, clipped = to_bits(x, 16)
    assert out[0].tolist() == [32767, 32767, -32768, -32768, 32767, -32768]
    assert clipped == 4  # +1.0 is one step too high for the format, not damage


def test_rounding_is_to_the_nearest() -> None:
    x = (np.array([0.4, 0.6, -0.4, -0.6, 1.4, -1.6]) / 32768.0).astype(np.float32)[:, None]
    assert to_bits(x, 16)[0][0].tolist() == [0, 1, 0, -1, 1, -2]


def test_dither_makes_the_error_noise() -> None:
    # a sine of less than one step: rounding turns it into a square wave or nothing
    n = np.arange(1 << 16)
    sine = 0.4 * np.sin(2.0 * np.pi * 64.0 * n / len(n))
    x = (sine / 32768.0).astype(np.float32)[:, None]
    assert not to_bits(x, 16)[0].any()
    error = to_bits(x, 16, dither=True)[0][0] - sine
    # rectangular rounding noise (1/12) and triangular dither (1/6): 1/4 of a squared step
    assert np.mean(error**2) == pytest.approx(0.25, rel=0.03)
    assert abs(np.mean(error)) < 0.01
    spectrum = np.abs(np.fft.rfft(error)) / np.sqrt(len(n) * 0.25)
    assert spectrum[64 * 3 : 64 * 20 : 64].max() < 4.0  # no harmonics above the noise


def test_dither_keeps_silence_silent() -> None:
    x = np.zeros((1000, 2), dtype=np.float32)
    assert not to_bits(x, 16, dither=True)[0].any()


def test_dither_differs_between_channels() -> None:
    x = np.full((2000, 8), 0.3 / 32768.0, dtype=np.float32)
    out = to_bits(x, 16, dither=True)[0].astype(np.float64)
    together = np.corrcoef(out)
    assert np.abs(together - np.eye(8)).max() < 0.12


@given(blocks=partitions(700))
@hypothesis_settings(deadline=None, max_examples=40)
def test_dither_depends_on_the_position_alone(blocks: list[int]) -> None:
    x = np.random.default_rng(0).standard_normal((700, 2)).astype(np.float32) * 0.1
    whole = to_bits(x, 16, dither=True)[0]
    at, parts = 0, []
    for frames in blocks:
        parts.append(to_bits(x[at : at + frames], 16, dither=True, position=at)[0])
        at += frames
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


def test_damage_becomes_silence_and_is_counted() -> None:
    raw = np.array([[0.5, np.nan, np.inf], [-np.inf, 1e30, -2.0]], dtype=np.float32)
    out = np.empty((3, 2), dtype=np.float32)
    assert from_floats(raw, out) == 4
    assert out.T.tolist() == [[0.5, 0.0, 0.0], [0.0, 0.0, -2.0]]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sound_samples_are_not_damage(kind: type[np.floating]) -> None:
    flat = np.array([0.0, 1e-40, -1.5, 9999.0], dtype=kind)
    before = flat.copy()
    assert silence_damage(flat) == 0
    assert np.array_equal(flat, before)
    broken = np.array([1.0, np.nan, 1e4 * 1.01], dtype=kind)
    assert silence_damage(broken) == 2
    assert broken.tolist() == [1.0, 0.0, 0.0]
