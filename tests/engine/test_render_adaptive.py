"""An EQ that follows a file: the same as live, in any blocks, level, silence, and loudness."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sound_files import noise, write_float

from semeq.engine import spool as spool_module
from semeq.engine.adaptive import Designer
from semeq.engine.audiofile import AudioReader
from semeq.engine.chain import Chain
from semeq.engine.design import prototype_db
from semeq.engine.eq_track import EQTrack
from semeq.engine.errors import AudioFileError
from semeq.engine.limits import Limits
from semeq.engine.listener import Listener
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.render import RenderJob, render_file
from semeq.engine.render_adaptive import (
    NOTHING_HEARD,
    Adaption,
    AdaptiveEQ,
    Look,
    Mind,
)
from semeq.engine.render_whole import hear_whole
from semeq.engine.report import RenderReport
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio, Floats
from semeq.presets.library import load_vocabulary
from semeq.presets.shipped_model import load_shipped_model

FS = 48_000
MIND = Mind(load_shipped_model(), load_vocabulary())
FREQS_HZ = MIND.model.freqs_hz
WARM = Adaption(Recipe.parse("warm"))
TYPICAL = interpret(WARM.recipe, MIND.vocabulary).settings
MIX = demo_mix(FS, 6.0)


def read(path: Path) -> Audio:
    return np.concatenate(list(AudioReader(path).blocks()))


def render(source: Path, target: Path, adaption: Adaption = WARM, **more: object) -> RenderReport:
    job = RenderJob(source, target, TYPICAL, adaption=adaption, keep_track=True)
    return render_file(replace(job, **more), None, MIND)  # type: ignore[arg-type]


def filtered(sound: Audio, adaption: Adaption = WARM, *cuts: int) -> tuple[Audio, EQTrack]:
    eq = AdaptiveEQ(adaption, MIND, FS, sound.shape[1])
    blocks = np.split(sound, sorted(cuts))
    return np.concatenate([out for _, out in eq.filtered(blocks)]), eq.track


def curves(track: EQTrack) -> Floats:
    return np.array([prototype_db(track.settings(k), FREQS_HZ) for k in range(len(track))])


def tilted(sound: Audio, db_per_octave: float) -> Audio:
    freqs = np.maximum(np.fft.rfftfreq(len(sound), 1.0 / FS), 20.0)
    gain = 10.0 ** (db_per_octave * np.log2(freqs / 1000.0) / 20.0)
    made: Audio = np.fft.irfft(
        np.fft.rfft(sound, axis=0) * gain[:, None], len(sound), axis=0
    ).astype(np.float32)
    return made


@given(
    cuts=st.lists(st.integers(0, len(MIX)), max_size=8),
    look=st.sampled_from([Look.CAUSAL, Look.AHEAD]),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_blocks_give_the_same_output_bit_for_bit(cuts: list[int], look: Look) -> None:
    adaption = replace(WARM, look=look)
    whole, _ = filtered(MIX, adaption)
    pieces, _ = filtered(MIX, adaption, *cuts)
    assert np.array_equal(whole, pieces)


def test_it_is_the_listener_and_the_designer_at_the_frames_of_the_hearings() -> None:
    _, track = filtered(MIX)
    listener = Listener(MIND.model, FS, 2)
    designer = Designer(MIND.model, MIND.vocabulary, FS)
    wanted = [(0, designer.design(WARM.recipe, 1.0, 1.0, None, 0.0).settings)]
    for hearing in listener.feed(MIX):
        made = designer.design(WARM.recipe, 1.0, 1.0, hearing.heard, 0.1).settings
        if made != wanted[-1][1]:
            wanted.append((hearing.frame, made))
    assert [(track.frame(k), track.settings(k)) for k in range(len(track))] == wanted
    assert len(wanted) > 10


def test_nothing_is_known_before_it_was_heard() -> None:
    """Causal: what comes later changes nothing before it."""
    other = MIX.copy()
    other[3 * FS :] = tilted(MIX, 3.0)[3 * FS :]
    one, _ = filtered(MIX)
    two, _ = filtered(other)
    assert np.array_equal(one[: 3 * FS], two[: 3 * FS])
    assert not np.array_equal(one[-FS:], two[-FS:])


def test_it_begins_with_the_typical_move_and_does_not_jump() -> None:
    out, track = filtered(MIX)
    chain = Chain(FS, 2)
    chain.set_target(track.event(0).control.coefficients)
    before_hearing = track.frame(1)
    assert track.settings(0) == TYPICAL
    assert np.array_equal(out[:before_hearing], chain.process(MIX)[:before_hearing])
    assert before_hearing >= FS // 2
    # No point is further from the one before than the slew limit allows (and what a fit may add).
    steps = np.ptp(np.diff(curves(track), axis=0), axis=1)
    assert steps.max() < 2.0 * (0.1 * Limits().slew_db_s + 0.5)


def test_ahead_moves_half_a_window_earlier() -> None:
    sound = np.concatenate((tilted(MIX[: 5 * FS], -2.0), tilted(MIX[: 5 * FS], 2.0)))
    _, causal = filtered(sound)
    _, ahead = filtered(sound, replace(WARM, look=Look.AHEAD))
    shift = round(0.5 * WARM.listening.window_s * FS)
    later = [causal.frame(k) - shift for k in range(1, len(causal)) if causal.frame(k) > shift]
    assert later == [ahead.frame(k) for k in range(1, len(ahead))]
    assert ahead.frame(0) == 0
    assert ahead.settings(0) != TYPICAL


def test_the_second_filtering_is_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_float(tmp_path / "in.wav", MIX, FS)
    for look in Look:
        adaption = replace(WARM, look=look)
        kept = render(source, tmp_path / f"{look}.wav", adaption)
        with monkeypatch.context() as patch:
            patch.setattr(spool_module, "MAX_BYTES", 1000)
            again = render(source, tmp_path / f"{look}-again.wav", adaption)
        assert np.array_equal(read(tmp_path / f"{look}.wav"), read(tmp_path / f"{look}-again.wav"))
        assert kept.gain_db == again.gain_db


@pytest.mark.parametrize("look", Look)
def test_the_file_stays_as_loud_and_as_long(tmp_path: Path, look: Look) -> None:
    sound = np.concatenate((tilted(MIX, -2.0), tilted(MIX, 2.0))) * np.float32(0.2)
    source = write_float(tmp_path / "in.wav", sound.astype(np.float32), FS)
    report = render(source, tmp_path / "out.wav", replace(WARM, look=look))
    assert report.before.loudness_lufs == pytest.approx(report.after.loudness_lufs, abs=0.05)
    assert report.frames == len(sound)
    assert len(read(tmp_path / "out.wav")) == len(sound)
    assert report.adaption is not None
    assert report.adaption["look"] == look.value
    assert report.adaption["heard_share"] > 0.8


def test_passages_keep_their_loudness_too(tmp_path: Path) -> None:
    parts = [tilted(MIX, -3.0), tilted(MIX, 3.0)]
    parts = [(0.05 * part / np.sqrt(np.mean(part**2))).astype(np.float32) for part in parts]
    source = write_float(tmp_path / "in.wav", np.concatenate(parts), FS)
    render(source, tmp_path / "out.wav", replace(WARM, recipe=Recipe.parse("bright")))
    drifts = []
    for name, start in (("one", 2 * FS), ("two", len(MIX) + 3 * FS)):
        levels = []
        for path in (source, tmp_path / "out.wav"):
            piece = write_float(
                tmp_path / f"{name}-{path.stem}.wav", read(path)[start : start + 2 * FS], FS
            )
            flat = render_file(RenderJob(piece, tmp_path / "flat.wav", overwrite=True))
            levels.append(flat.before.loudness_lufs)
        assert levels[0] is not None
        assert levels[1] is not None
        drifts.append(levels[1] - levels[0])
    assert abs(drifts[0] - drifts[1]) < 1.5


def test_level_does_not_change_the_eq() -> None:
    # -30 dB and 20 dB less and more
    sound = (MIX * np.float32(0.3)).astype(np.float32)
    _, track = filtered(sound)
    reference = curves(track)[-1]
    for gain_db in (-20.0, 20.0):
        _, other = filtered((sound * 10.0 ** (gain_db / 20.0)).astype(np.float32))
        difference = curves(other)[-1] - reference
        assert np.sqrt(np.mean(difference**2)) < 0.5


def test_silence_holds_the_eq() -> None:
    pause = np.zeros((5 * FS, 2), dtype=np.float32)
    _, track = filtered(np.concatenate((MIX, pause, MIX)))
    frames = np.array([track.frame(k) for k in range(len(track))])
    # What was heard may still be moving in for a moment.
    assert not ((frames > len(MIX) + FS // 2) & (frames < len(MIX) + len(pause))).any()


@pytest.mark.parametrize("look", Look)
@pytest.mark.parametrize("frames", [1, 100, FS // 4, FS])
def test_silence_and_snippets_get_the_typical_move(tmp_path: Path, look: Look, frames: int) -> None:
    sound = np.zeros((frames, 2), dtype=np.float32) if frames == FS else MIX[FS : FS + frames]
    source = write_float(tmp_path / "in.wav", sound, FS)
    report = render(source, tmp_path / "out.wav", replace(WARM, look=look))
    assert NOTHING_HEARD in report.warnings
    assert report.timeline[0]["bands"] == TYPICAL.as_dicts()
    assert len(report.timeline) == 1
    assert len(read(tmp_path / "out.wav")) == frames


@pytest.mark.parametrize("look", Look)
@pytest.mark.parametrize("fs", [8000, 22_050, 44_100, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 8])
def test_rates_and_channels(tmp_path: Path, look: Look, fs: int, channels: int) -> None:
    sound = np.repeat(demo_mix(fs, 2.0)[:, :1], channels, axis=1) * np.float32(0.1)
    source = write_float(tmp_path / "in.wav", sound.astype(np.float32), fs)
    report = render(source, tmp_path / "out.wav", replace(WARM, look=look))
    assert report.adaption is not None
    assert report.adaption["heard_share"] > 0.3
    out = read(tmp_path / "out.wav")
    assert out.shape == sound.shape
    assert np.isfinite(out).all()


def test_whole_is_the_energy_weighted_mean() -> None:
    quiet = (tilted(MIX, 3.0) * np.float32(0.01)).astype(np.float32)
    both = hear_whole(WARM, MIND, FS, 2, [np.concatenate((MIX, quiet))]).heard
    loud = hear_whole(WARM, MIND, FS, 2, [MIX]).heard
    assert both is not None
    assert loud is not None
    difference = MIND.model.decode(both.z - loud.z)
    assert np.sqrt(np.mean(difference**2)) < 0.3


def test_flat_is_a_copy_whatever_is_heard(tmp_path: Path) -> None:
    source = write_float(tmp_path / "in.wav", MIX, FS)
    for adaption in (replace(WARM, amount=0.0), replace(WARM, recipe=Recipe())):
        flat = Designer(None, MIND.vocabulary, FS).design(
            adaption.recipe, adaption.amount, 0.0, None, 0.0
        )
        render(source, tmp_path / "out.wav", adaption, settings=flat.settings, overwrite=True)
        assert (tmp_path / "out.wav").read_bytes() == source.read_bytes()


def test_a_file_that_breaks_off_fails_as_ever(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    source.write_bytes(b"RIFF....WAVEfmt ")
    with pytest.raises(AudioFileError):
        render(source, tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


def test_a_locked_band_stays_and_limits_hold(tmp_path: Path) -> None:
    limits = Limits(max_db=2.0, locks=frozenset({1}), trims=(0.0,) * 5 + (1.0, 0.0))
    source = write_float(tmp_path / "in.wav", MIX, FS)
    report = render(source, tmp_path / "out.wav", replace(WARM, limits=limits))
    assert len(report.timeline) > 1
    for entry in report.timeline[1:]:
        assert entry["bands"][1]["gain_db"] == 0.0
        assert all(abs(band["gain_db"]) <= 3.0 for band in entry["bands"])
    assert sum("limit of 2 dB" in warning for warning in report.warnings) == 1


def test_an_error_while_listening_is_raised(tmp_path: Path) -> None:
    def blocks() -> Iterator[Audio]:
        yield noise(FS)
        raise RuntimeError("out of luck")

    eq = AdaptiveEQ(WARM, MIND, FS, 2)
    with pytest.raises(RuntimeError, match="out of luck"):
        list(eq.filtered(blocks()))
