"""What ``tests/bench/bench_adaptivity.py`` measures is what it says."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from judged_music import music, write_music

from semeq.engine.synth import demo_mix
from semeq.engine.units import Floats
from semeq.training.bootstrap import draws
from semeq.training.degrade import PRE_TILTS_DB, tilt_curves
from semeq.training.judges import spectral_tilt, tilt_of_curve, with_curves
from semeq.training.spectra import FREQS_HZ

#: How far the tilt that is measured on a file may be from the one put on (dB an octave); measured 0.0012.
TILT_MISSED = 0.01
#: What the demo song must at least come to at ``--adapt 1``; measured −0.96 and 0.35.
RHO, SPREAD = -0.8, 0.6
FS = 44_100.0
BRIGHT: Floats = 4.0 / (1.0 + (5000.0 / FREQS_HZ) ** 4)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "bench"))
    return importlib.import_module("bench_adaptivity")


def tilted() -> tuple[Floats, Floats]:
    """Return powers of clips under pre-tilts ``(clips, tilts, m)``, and weights of a bootstrap."""
    power = music(recordings=6, crops=1).power
    return with_curves(power[:, None], tilt_curves(PRE_TILTS_DB)[None]), draws(list("abcdef"))


def test_who_is_blind_does_not_adapt(bench: ModuleType) -> None:
    before, weights = tilted()
    constant = with_curves(before, BRIGHT)
    found = bench.figures("bright", before, constant, constant, weights)
    assert found["spread"].value == pytest.approx(1.0)
    assert found["right"].value == 1.0
    assert found["has"].value == pytest.approx(found["lacks"].value, abs=1.0)


def test_who_takes_the_tilt_off_adapts(bench: ModuleType) -> None:
    before, weights = tilted()
    constant = with_curves(before, BRIGHT)
    mended = with_curves(constant, -0.5 * tilt_curves(PRE_TILTS_DB)[None])
    found = bench.figures("bright", before, mended, constant, weights)
    assert found["rho"].value == pytest.approx(-1.0)
    assert found["spread"].value == pytest.approx(0.5, abs=0.01)
    assert found["has"].value < found["lacks"].value - 3.0
    wrong = bench.figures("dark", before, mended, constant, weights)
    assert wrong["right"].value < 0.5


def test_files_are_tilted_as_they_say(bench: ModuleType, tmp_path: Path) -> None:
    folder = write_music(tmp_path / "music", recordings=3, seconds=5.0)
    clips = bench.find_clips(folder, 2, 4.0)
    assert {clip.recording.split("/")[0] for clip in clips} == {"p0", "p1"}
    assert bench.find_clips(folder, 5, 6.0) == []
    (tmp_path / "in").mkdir()
    powers = bench.powers(bench.write_tilted(clips, tmp_path / "in"), 0.0)
    assert powers.shape == (2, len(PRE_TILTS_DB), len(FREQS_HZ))
    plain = PRE_TILTS_DB.index(0.0)
    measured = spectral_tilt(powers) - spectral_tilt(powers[:, plain : plain + 1])
    asked = tilt_of_curve(tilt_curves(PRE_TILTS_DB))
    assert np.abs(measured - asked).max() < TILT_MISSED


def test_the_command_gives_music_what_it_needs(bench: ModuleType) -> None:
    """The whole way on a made-up song: files, ``semeq render``, judges."""
    song = demo_mix(FS, 8.0)
    song *= np.float32(10.0 ** (bench.LEVEL_DB / 20.0) / np.sqrt(np.mean(song**2)))
    clips = [bench.Clip(str(k), half, FS) for k, half in enumerate(np.array_split(song, 2))]
    *_, found = bench.measure(clips, ["bright"], ["whole"], 0.0, 1)
    blind, adaptive = found["bright"]["adapt 0"], found["bright"]["whole"]
    assert blind["spread"].value == 1.0
    assert adaptive["right"].value == 1.0
    assert adaptive["rho"].value < RHO
    assert adaptive["spread"].value < SPREAD
    blindly, heard = (one["lacks"].value - one["has"].value for one in (blind, adaptive))
    assert heard > blindly + 2.0
    written = bench.table(found, "so").markdown()
    assert "| bright, `--look whole` |" in written


def test_a_command_that_fails_is_said(bench: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="adapt"):
        bench.render([tmp_path / "nothing.wav"], tmp_path / "out", "bright", "--adapt", "1")
