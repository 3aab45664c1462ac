from pathlib import Path

import numpy as np
import pytest
from judged_music import FS, bump, music, write_music
from pedalboard.io import AudioFile

from semeq.engine.errors import AudioFileError, DataError
from semeq.training.clips import Clips, apply_curve
from semeq.training.spectra import (
    FREQS_HZ,
    Spectra,
    band_powers,
    read_crop,
    spectra_of_folder,
    to_bands,
)
from semeq.training.words import GRID_HZ


def test_a_folder_becomes_crops_of_its_recordings(tmp_path: Path) -> None:
    write_music(tmp_path, recordings=3, seconds=9.0)
    spectra = spectra_of_folder(tmp_path, crops=2, seconds=4.0)
    assert len(spectra) == 6
    assert set(spectra.packages) == {"p0", "p1"}
    assert spectra.power.sum(axis=1) == pytest.approx(1.0)
    assert (spectra.starts_s + spectra.seconds <= 9.0).all()
    audio, fs = spectra.audio(0)
    assert audio.shape == (4 * FS, 2)
    again = band_powers(audio, fs)
    assert again / again.sum() == pytest.approx(spectra.power[0])


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    write_music(tmp_path, recordings=1, seconds=4.5)
    (tmp_path / "p0" / "broken.wav").write_bytes(b"RIFF nonsense")
    (tmp_path / "p0" / "notes.txt").write_text("not music")
    for name, fs, frames, level in (
        ("low", 22_050, 220_500, 0.1),
        ("short", FS, FS, 0.1),
        ("silent", FS, 5 * FS, 0.0),
    ):
        with AudioFile(str(tmp_path / "p0" / f"{name}.wav"), "w", fs, 1) as file:
            noise = np.random.default_rng(0).standard_normal((1, frames))
            file.write((level * noise).astype(np.float32))
    spectra = spectra_of_folder(tmp_path, seconds=4.0)
    assert (len(spectra), spectra.left_out) == (1, 5)


def test_nothing_to_judge_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a folder of music"):
        spectra_of_folder(tmp_path / "nowhere")
    with pytest.raises(DataError, match="must hold music"):
        spectra_of_folder(tmp_path)
    with pytest.raises(AudioFileError, match="cannot be read"):
        read_crop(tmp_path / "none.wav", 0.0, 1.0)


def test_spectra_are_kept_and_damage_is_told(tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "s.npz"
    folder = write_music(tmp_path / "music", recordings=2)
    first = spectra_of_folder(folder, seconds=4.0, cache=cache)
    (folder / "p0" / "r0.wav").unlink()
    second = spectra_of_folder(folder, seconds=4.0, cache=cache)
    assert np.array_equal(first.power, second.power)
    assert (first.files, first.root) == (second.files, second.root)
    cache.write_bytes(cache.read_bytes()[:100])
    with pytest.raises(DataError, match="delete it"):
        Spectra.load(cache)


def test_curves_keep_their_shape_between_the_grids() -> None:
    line = np.log2(GRID_HZ)
    inside = GRID_HZ[-1] >= FREQS_HZ
    assert to_bands(line)[inside] == pytest.approx(np.log2(FREQS_HZ[inside]), abs=1e-6)
    assert to_bands(np.ones((3, 61))) == pytest.approx(np.ones((3, len(FREQS_HZ))))


def test_a_clip_sounds_like_its_power(tmp_path: Path) -> None:
    spectra = spectra_of_folder(write_music(tmp_path, recordings=1), seconds=4.0)
    clips = Clips(spectra, [0], to_bands(bump(2000.0, 9.0))[None])
    audio, fs = clips.audio(0)
    heard = band_powers(audio, fs)
    # Weighted by what is there: the narrowest bands hold one bin of the window.
    miss = 10.0 * np.log10(heard / heard.sum() / clips.power[0])
    assert np.sqrt((clips.power[0] * miss**2).sum()) < 0.2


def test_a_clip_needs_a_curve_for_each_crop() -> None:
    with pytest.raises(DataError, match="must have shape"):
        Clips(music(), [0, 1], np.zeros((1, len(FREQS_HZ))))


def test_no_curve_leaves_the_sound_alone() -> None:
    audio = np.random.default_rng(0).standard_normal((1000, 2)).astype(np.float32)
    assert apply_curve(audio, FS, np.zeros(61), GRID_HZ) is audio
    louder = apply_curve(audio, FS, np.full(61, 6.0206), GRID_HZ)
    assert louder == pytest.approx(2.0 * audio, abs=1e-4)


def test_short_sounds_have_a_spectrum_too() -> None:
    power = band_powers(np.ones((10, 1), dtype=np.float32) * 0.1, FS)
    assert np.isfinite(power).all()
