import numpy as np
import pytest

from semeq.engine.units import Floats

torch = pytest.importorskip("torch")

from semeq.training.losses import (  # noqa: E402 (only with torch)
    contrastive_error,
    curve_error,
    explained,
    pair_error,
    quality_error,
    strength_excess,
)
from semeq.training.models import LATENT, AudioEncoder, EQAutoencoder  # noqa: E402
from semeq.training.put_on import PutOn  # noqa: E402
from semeq.training.stages import start_from_components  # noqa: E402
from semeq.training.words import GRID_HZ  # noqa: E402


def curves(count: int, seed: int = 0) -> Floats:
    human = np.sin(np.outer(np.arange(1, 9), np.linspace(0.0, 3.0, 61)))
    return PutOn(4.0 * human).draw(np.random.default_rng(seed), count)


def test_drawn_curves_have_no_level_and_a_wide_strength() -> None:
    drawn = curves(2000)
    assert np.abs(drawn.mean(axis=1)).max() < 1e-9
    rms = np.sqrt(np.mean(drawn**2, axis=1))
    assert 0.05 < np.mean(rms == 0.0) < 0.15
    assert 3.0 < np.median(rms[rms > 0]) < 9.0
    assert np.abs(drawn).max() < 60.0
    assert (curves(5, seed=3) == curves(5, seed=3)).all()


def test_autoencoder_starts_from_components_and_is_flat_at_flat() -> None:
    autoencoder = EQAutoencoder()
    drawn = curves(3000)
    start_from_components(autoencoder, drawn)
    x = torch.tensor(curves(200, seed=1), dtype=torch.float32)
    assert explained(autoencoder.decode(autoencoder.encode(x)), x) > 0.99
    assert (autoencoder.encode(torch.zeros(3, 61)) == 0.0).all()
    assert (autoencoder.decode(torch.zeros(3, LATENT)) == 0.0).all()


def test_decoded_differences_are_flat_when_equal_and_grow_in_proportion() -> None:
    autoencoder = EQAutoencoder()
    one, two = torch.randn(2, 4, LATENT)
    whole = autoencoder.decode(two) - autoencoder.decode(one)
    half = autoencoder.decode(one + 0.5 * (two - one)) - autoencoder.decode(one)
    assert torch.allclose(half, 0.5 * whole, atol=1e-4)
    assert ((autoencoder.decode(one) - autoencoder.decode(one)) == 0.0).all()
    assert whole.mean(dim=1).abs().max() < 1e-4


@pytest.mark.parametrize("frames", [30, 129, 200])
def test_encoder_takes_any_length_and_no_level(frames: int) -> None:
    torch.manual_seed(0)
    encoder = AudioEncoder().eval()
    levels = torch.randn(2, frames, 61) * 8.0 - 40.0
    with torch.no_grad():
        z = encoder(levels)
        louder = encoder(levels + torch.tensor([20.0, -20.0])[:, None, None])
    assert z.shape == (2, LATENT)
    assert (z - louder).abs().max() < 1e-4


def test_curve_errors() -> None:
    truth = torch.tensor(curves(64), dtype=torch.float32)
    assert curve_error(truth, truth) == 0.0
    assert curve_error(truth + 2.0, truth).item() == pytest.approx(4.0)
    # What is wrong by the same for both of a pair is the music's own.
    own = torch.tensor(curves(32, seed=5), dtype=torch.float32).repeat(2, 1)
    assert pair_error(truth + own, truth).item() == pytest.approx(0.0, abs=1e-8)
    assert pair_error(0.0 * truth, truth) > 1.0
    assert explained(truth, truth) == 1.0
    assert explained(0.0 * truth, truth) == pytest.approx(0.0)


def test_ends_count_less() -> None:
    middle, end = torch.zeros(1, 61), torch.zeros(1, 61)
    middle[0, int(np.argmin(np.abs(GRID_HZ - 1000.0)))] = 1.0
    end[0, 0] = 1.0
    flat = torch.zeros(1, 61)
    assert curve_error(end, flat) < 0.5 * curve_error(middle, flat)


def test_contrast_wants_words_together() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    together = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    apart = together[[0, 2, 1, 3]]
    assert contrastive_error(together, labels) < contrastive_error(apart, labels)
    assert contrastive_error(together, torch.arange(4)) == 0.0


def test_strength_beyond_the_limit_costs() -> None:
    assert strength_excess(torch.full((2, 61), 11.9)) == 0.0
    assert strength_excess(torch.full((2, 61), -14.0)).item() == pytest.approx(4.0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quality_is_best_for_the_sound_itself() -> None:
    pytest.importorskip("auraloss")
    sound = torch.randn(1, 1, 16_384, generator=torch.Generator().manual_seed(0))
    near, far = (quality_error(sound * gain, sound).item() for gain in (1.05, 3.0))
    assert near < far
