from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import sosfilt, sosfreqz

from semeq.engine import design
from semeq.engine.chain import Chain
from semeq.engine.errors import SettingsError
from semeq.engine.settings import LAYOUT, Band, EQSettings, Kind
from semeq.engine.units import Floats

torch = pytest.importorskip("torch")
pytest.importorskip("dasp_pytorch")

from semeq.training.diff_eq import DifferentiableEQ, sections  # noqa: E402 (only with torch)
from semeq.training.response import response_db, to_tensor  # noqa: E402

FS = 48_000.0
WARM = EQSettings(
    (
        Band(LAYOUT[0], 150.0, 4.0),
        Band(LAYOUT[1], 250.0, 2.0, 0.8),
        Band(LAYOUT[2], 600.0, 1.0, 1.0),
        Band(LAYOUT[3], 1500.0, -1.0, 1.0),
        Band(LAYOUT[4], 3000.0, -2.0, 0.9),
        Band(LAYOUT[5], 6000.0, -2.0, 0.7),
        Band(LAYOUT[6], 9000.0, -4.0),
    )
)


def one_band(k: int, freq_hz: float, gain_db: float, q: float) -> EQSettings:
    bands = list(EQSettings.flat().bands)
    bands[k] = Band(LAYOUT[k], freq_hz, gain_db, q)
    return EQSettings(tuple(bands))


def noise(frames: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(0.0, 0.1, frames)


def error_db(ours: Floats, truth: Floats) -> float:
    return float(10.0 * np.log10(np.sum((ours - truth) ** 2) / np.sum(truth**2)))


def filtered(eq: EQSettings, x: Floats, double: bool, tail_s: float) -> Floats:
    dtype = torch.float64 if double else torch.float32
    layer = DifferentiableEQ(FS, tail_s=tail_s)
    audio = torch.tensor(x, dtype=dtype)[None, None]
    filtered: Floats = layer(audio, to_tensor(eq, dtype=dtype)[None])[0, 0].double().numpy()
    return filtered


def test_sections_are_the_engines() -> None:
    ours = sections(to_tensor(WARM, dtype=torch.float64)[None], FS)[0].numpy()
    assert ours == pytest.approx(design.design_sos(WARM, FS, design="rbj"), abs=1e-12)


def test_agrees_with_the_live_kernel() -> None:
    x = noise(48_000)
    chain = Chain(FS, 1)
    chain.set_target(design.design(WARM, FS, design="rbj"))
    live = chain.process(x.astype(np.float32)[:, None])[:, 0]
    ours = filtered(WARM, x, False, 0.5)
    # The kernel starts at rest and so does the layer: float32 rounding is all that is left.
    assert error_db(ours, live.astype(np.float64)) < -110.0


def test_agrees_with_scipy_in_double() -> None:
    x = noise(48_000)
    truth = sosfilt(design.design_sos(WARM, FS, design="rbj"), x)
    assert error_db(filtered(WARM, x, True, 0.5), truth) < -250.0


def test_flat_changes_nothing() -> None:
    x = noise(4096)
    assert error_db(filtered(EQSettings.flat(), x, True, 0.5), x) < -280.0


# What wraps round in time: dasp's own padding on short sounds against ours. Measured -20, -26 and -49 dB.
@pytest.mark.parametrize(
    ("eq", "frames", "dasp_db", "ours_db"),
    [
        (one_band(0, 22.0, 12.0, 0.71), 128, -10.0, -60.0),
        (one_band(0, 22.0, 12.0, 0.71), 512, -15.0, -60.0),
        (one_band(1, 82.0, 12.0, 10.0), 4096, -30.0, -40.0),
        (WARM, 128, -40.0, -200.0),
    ],
)
def test_time_aliasing_is_bounded(
    eq: EQSettings,
    frames: int,
    dasp_db: float,
    ours_db: float,
    record_property: Callable[[str, object], None],
) -> None:
    x = noise(frames)
    truth = sosfilt(design.design_sos(eq, FS, design="rbj"), x)
    dasp = error_db(filtered(eq, x, True, 0.0), truth)
    ours = error_db(filtered(eq, x, True, 0.5), truth)
    record_property("aliasing_db", [dasp, ours])
    assert dasp < dasp_db
    assert ours < ours_db


@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_training_windows_are_long_enough_for_any_ordinary_band(seconds: float) -> None:
    x = noise(int(seconds * FS))
    for eq in (WARM, one_band(0, 22.0, -12.0, 0.71), one_band(1, 82.0, 12.0, 10.0)):
        truth = sosfilt(design.design_sos(eq, FS, design="rbj"), x)
        assert error_db(filtered(eq, x, True, 0.5), truth) < -100.0


# dasp's float32 coefficients below 40 Hz, and why the layer computes them in double.
@pytest.mark.parametrize(
    ("eq", "freq_hz"),
    [(one_band(1, 30.0, -12.0, 10.0), 30.0), (one_band(0, 20.0, -18.0, 6.0), 21.0)],
)
def test_float32_below_forty_hertz_is_cured(
    eq: EQSettings, freq_hz: float, record_property: Callable[[str, object], None]
) -> None:
    freqs = np.array([freq_hz])
    truth = design.response_db(eq, FS, freqs, design="rbj")[0]
    sos = sections(to_tensor(eq)[None], FS)[0].numpy()
    in_float32 = 20.0 * np.log10(abs(sosfreqz(sos, freqs, fs=FS)[1][0]))
    exact = sections(to_tensor(eq, dtype=torch.float32).to(torch.float64)[None], FS)[0].numpy()
    in_float64 = 20.0 * np.log10(abs(sosfreqz(exact, freqs, fs=FS)[1][0]))
    record_property("float32_error_db", float(in_float32 - truth))
    assert abs(in_float32 - truth) < 6.0
    assert abs(in_float64 - truth) < 2e-3
    closed = response_db(to_tensor(eq)[None], freqs, FS)[0, 0].item()
    assert abs(closed - truth) < 3e-5


def test_gradients_reach_gain_frequency_and_q() -> None:
    layer = DifferentiableEQ(8000.0, tail_s=0.0)
    audio = torch.tensor(noise(64), dtype=torch.float64)[None, None]
    eq = EQSettings(tuple(Band(b.kind, min(b.freq_hz, 3000.0), b.gain_db, b.q) for b in WARM.bands))
    parameters = to_tensor(eq, dtype=torch.float64)[None].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: layer(audio, x), parameters, atol=1e-6)


def test_a_gradient_step_finds_the_gain_back() -> None:
    layer = DifferentiableEQ(FS)
    audio = torch.tensor(noise(16_384), dtype=torch.float32)[None, None]
    target = layer(audio, to_tensor(one_band(3, 1000.0, 6.0, 1.0))[None])
    parameters = to_tensor(EQSettings.flat())[None].clone().requires_grad_()
    optimiser = torch.optim.Adam([parameters], lr=0.2)
    first = last = 0.0
    for step in range(60):
        loss = (layer(audio, parameters) - target).square().mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        last = loss.item()
        first = first if step else last
    assert last < 0.05 * first


@pytest.mark.parametrize("fs", [0.0, -1.0, float("nan")])
def test_bad_rates_are_refused(fs: float) -> None:
    with pytest.raises(SettingsError, match="fs must be a positive number"):
        DifferentiableEQ(fs)


def test_bad_shapes_are_refused() -> None:
    layer = DifferentiableEQ(FS)
    with pytest.raises(SettingsError, match="audio must be"):
        layer(torch.zeros(2, 100), torch.zeros(2, 7, 3))
    with pytest.raises(SettingsError, match="parameters"):
        layer(torch.zeros(2, 1, 100), torch.zeros(3, 7, 3))
    with pytest.raises(SettingsError, match="tail_s"):
        DifferentiableEQ(FS, tail_s=-1.0)


def test_kinds_are_all_known() -> None:
    assert {Kind.LOW_SHELF, Kind.PEAK, Kind.HIGH_SHELF} == set(LAYOUT)
