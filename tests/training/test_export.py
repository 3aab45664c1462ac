import json
from pathlib import Path

import numpy as np
import pytest

from semeq.engine.encoder import (
    ARRAYS_FILE,
    BOLDNESS_HZ,
    ENCODER_FILE,
    FEWEST_LEVELS,
    LATENT,
    NETWORK_FILE,
    SHORTEST_FRAMES,
    Heard,
    Model,
    boldness_at,
)
from semeq.engine.errors import DataError, SettingsError
from semeq.engine.frontend import BANDS, BandStream
from semeq.engine.model_file import load_model
from semeq.engine.morph import morph_curve
from semeq.engine.recipe import Recipe
from semeq.engine.units import Audio
from semeq.presets.library import load_vocabulary
from semeq.training.words import GRID_HZ

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from semeq.training.export import PARITY, export_model, without_front_end  # noqa: E402 (only with torch)
from semeq.training.models import AudioEncoder, EQAutoencoder  # noqa: E402
from semeq.training.put_on import PutOn  # noqa: E402
from semeq.training.stages import start_from_components  # noqa: E402

FS = 48_000.0
SIZE_LIMIT = 15 << 20
#: A level change of 20 dB must not move the EQ by more than this (dB rms); measured 1e-5.
LEVEL_DB = 0.01


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export networks that have learned nothing."""
    torch.manual_seed(0)
    autoencoder = EQAutoencoder()
    words = np.array([word.curve_db for word in load_vocabulary().words.values()])
    start_from_components(autoencoder, PutOn(words).draw(np.random.default_rng(0), 4000))
    target = tmp_path_factory.mktemp("model")
    parity = export_model(
        AudioEncoder(), autoencoder, load_vocabulary(), target, notes={"config": "abc", "seed": 0}
    )
    assert parity <= PARITY
    return target


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder)


def window(frames: int = 96_000, channels: int = 2, seed: int = 0) -> Audio:
    rng = np.random.default_rng(seed)
    noise: Audio = (0.1 * rng.normal(size=(frames, channels))).astype(np.float32)
    return noise


def test_files_are_small_and_say_what_made_them(folder: Path, model: Model) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < SIZE_LIMIT
    assert (model.notes["config"], model.notes["seed"]) == ("abc", 0)
    assert np.array_equal(model.freqs_hz, GRID_HZ)


def test_words_decode_to_their_curves(model: Model) -> None:
    errors = [
        np.sqrt(np.mean((model.decode(model.words[name]) - word.curve_db) ** 2))
        for name, word in load_vocabulary().words.items()
        if word.people > 1
    ]
    assert np.median(errors) < 0.1
    assert not model.decode(np.zeros(LATENT)).any()


def test_boldness_holds_where_it_is_said(model: Model) -> None:
    notes = {**model.notes, "boldness": [2.0, 1.0, 0.5]}
    bold = Model(None, model.freqs_hz, model.decoder, model.words, notes)
    z = np.random.default_rng(1).normal(size=32)
    plain, found = model.decode(z), bold.put_on_db(z)
    wanted = plain * boldness_at([2.0, 1.0, 0.5], model.freqs_hz)
    assert found == pytest.approx(wanted - wanted.mean(), abs=1e-9)
    for freq_hz, factor in zip(BOLDNESS_HZ, (2.0, 1.0, 0.5), strict=True):
        k = int(np.argmin(np.abs(np.log(model.freqs_hz / freq_hz))))
        assert boldness_at([2.0, 1.0, 0.5], model.freqs_hz)[k] == pytest.approx(factor, abs=0.05)
    assert found.mean() == pytest.approx(0.0, abs=1e-9)
    assert boldness_at(1.25, model.freqs_hz) == pytest.approx(1.25)


def test_heard(model: Model) -> None:
    heard = model.hear(window(), FS)
    assert (heard.z.shape, heard.spectrum_db.shape) == ((LATENT,), (len(GRID_HZ),))
    # White noise rises by 3 dB an octave where pink noise is flat.
    inside = (GRID_HZ > 100.0) & (GRID_HZ < 16_000.0)
    slope = np.polyfit(np.log2(GRID_HZ[inside]), heard.spectrum_db[inside], 1)[0]
    assert slope == pytest.approx(3.0, abs=0.2)
    assert np.array_equal(model.encode(window(), FS), heard.z)


@pytest.mark.parametrize("fs", [44_100.0, 48_000.0])
def test_levels_as_they_arrive_give_the_same(model: Model, fs: float) -> None:
    sound = window()
    one, two = model.hear(sound, fs), model.hear_levels(BandStream(fs, 2).feed(sound))
    assert two.z == pytest.approx(one.z, abs=PARITY)
    assert two.spectrum_db == pytest.approx(one.spectrum_db, abs=0.01)


def test_few_frames_are_enough(model: Model) -> None:
    levels = BandStream(FS, 2).feed(window())[:FEWEST_LEVELS]
    assert np.isfinite(model.hear_levels(levels).z).all()
    for bad in (levels[:-1], levels[:, :-1], levels * np.nan):
        with pytest.raises(SettingsError, match="levels must be"):
            model.hear_levels(bad)


def test_a_model_without_its_network_hears_windows_only(folder: Path, tmp_path: Path) -> None:
    for name in (ENCODER_FILE, ARRAYS_FILE):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    model = load_model(tmp_path)
    assert np.isfinite(model.hear(window(), FS).z).all()
    with pytest.raises(DataError, match=NETWORK_FILE):
        model.hear_levels(np.zeros((8, BANDS), dtype=np.float32))


def test_only_what_has_a_front_end_is_cut(folder: Path) -> None:
    with pytest.raises(DataError, match="front end"):
        without_front_end((folder / NETWORK_FILE).read_bytes())


@pytest.mark.parametrize("gain_db", [-60.0, -20.0, 20.0, 60.0])
def test_level_does_not_matter(model: Model, gain_db: float) -> None:
    recipe = Recipe.parse("warm")
    loud = (window() * 10.0 ** (gain_db / 20.0)).astype(np.float32)
    one, two = (morph_curve(model, recipe, model.hear(x, FS)) for x in (window(), loud))
    assert np.sqrt(np.mean((one - two) ** 2)) < LEVEL_DB


def test_channels_and_rates(model: Model) -> None:
    mono = window(channels=1)
    stereo = np.repeat(mono, 2, axis=1)
    assert model.encode(mono, FS) == pytest.approx(model.encode(stereo, FS), abs=1e-4)
    for fs in (44_100.0, 96_000.0):
        assert np.isfinite(model.encode(mono, fs)).all()


def test_silence_says_nothing(model: Model) -> None:
    heard = model.hear(np.zeros((SHORTEST_FRAMES, 1), dtype=np.float32), FS)
    assert not heard.z.any()
    assert isinstance(heard, Heard)


@pytest.mark.parametrize(
    ("sound", "fs", "said"),
    [
        (window(SHORTEST_FRAMES - 1), FS, "window must be"),
        (window()[:, :0], FS, "window must be"),
        (window()[:, 0], FS, "window must be"),
        (np.full((9000, 1), np.nan, dtype=np.float32), FS, "window must be finite"),
        (window(), 22_050.0, "fs must be"),
        (window(), float("nan"), "fs must be"),
    ],
)
def test_bad_windows_are_refused(model: Model, sound: Audio, fs: float, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        model.hear(sound, fs)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((name, None) for name in (ENCODER_FILE, ARRAYS_FILE)),
        *((name, b"") for name in (ENCODER_FILE, NETWORK_FILE, ARRAYS_FILE)),
        *((name, b"PK\x03\x04 cut off") for name in (ENCODER_FILE, NETWORK_FILE, ARRAYS_FILE)),
    ],
)
def test_damaged_models_are_refused(
    folder: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="must"):
        load_model(tmp_path)


@pytest.mark.parametrize("change", ["format", "decoder", "values", "words"])
def test_wrong_arrays_are_refused(folder: Path, tmp_path: Path, change: str) -> None:
    (tmp_path / ENCODER_FILE).write_bytes((folder / ENCODER_FILE).read_bytes())
    with np.load(folder / ARRAYS_FILE) as data:
        arrays = {name: data[name] for name in data.files}
    notes = json.loads(str(arrays["notes"]))
    if change == "format":
        notes["format"] = "other"
    elif change == "decoder":
        arrays["decoder"] = arrays["decoder"][:, :-1]
    elif change == "values":
        arrays["word_latents"] = np.full_like(arrays["word_latents"], np.nan)
    else:
        notes["words"] = notes["words"][:-1]
    arrays["notes"] = np.array(json.dumps(notes))
    with (tmp_path / ARRAYS_FILE).open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    with pytest.raises(DataError, match="must hold the arrays"):
        load_model(tmp_path)
