"""The story of a sound: what scores, sections and means over time have to be, whatever the sound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semeq.engine.analysis import analyse
from semeq.engine.analysis_meter import meter
from semeq.engine.analysis_types import Analysis, AnalysisConfig
from semeq.engine.analysis_windows import WindowStream
from semeq.engine.analysis_words import DEFAULT_WORDS, NOT_SAID, known_words, scores
from semeq.engine.design import response_db
from semeq.engine.errors import SettingsError, UnknownWordError
from semeq.engine.frontend import GRID_HZ
from semeq.engine.recipe import Recipe
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio, Floats
from semeq.presets.library import load_vocabulary
from semeq.presets.shipped_model import load_shipped_model

FS = 48_000.0
VOCABULARY, MODEL = load_vocabulary(), load_shipped_model()
MIX = demo_mix(FS, 16.0)
#: What a gain of 30 dB may change in a score: rounding of float32 levels.
LEVEL_TOLERANCE = 2e-3
#: A frame where the mix is loud.
LOUD_AT = 50_000


def story(sound: Audio, fs: float = FS, **options: object) -> Analysis:
    config = AnalysisConfig(**options)  # type: ignore[arg-type]
    return analyse([sound], fs, sound.shape[1], MODEL, VOCABULARY, config)


def equalised(sound: Audio, curve_db: Floats, fs: float = FS) -> Audio:
    """Return a sound with a curve put on in the frequency domain."""
    freqs = np.maximum(np.fft.rfftfreq(len(sound), 1.0 / fs), 1.0)
    gain = 10.0 ** (np.interp(np.log(freqs), np.log(VOCABULARY.freqs_hz), curve_db) / 20.0)
    out = np.fft.irfft(np.fft.rfft(sound, axis=0) * gain[:, None], len(sound), axis=0)
    return out.astype(np.float32)


def by_word(found: Analysis) -> dict[str, float]:
    return {w.word: float(v) for w, v in zip(found.words, found.overall.scores, strict=True)}


BEFORE = story(MIX)


@pytest.mark.parametrize("word", ["warm", "bright", "dark", "airy", "deep", "tinny", "crisp"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_words_own_move_moves_its_score_by_nearly_one(word: str, sign: float) -> None:
    after = story(equalised(MIX, sign * VOCABULARY.get(word).curve_db))
    change = sign * (by_word(after)[word] - by_word(BEFORE)[word])
    assert 0.5 < change < 1.2


def test_the_score_of_a_words_own_curve_is_one() -> None:
    curves = np.array([VOCABULARY.get(name).curve_db for name in DEFAULT_WORDS])
    assert np.allclose(np.diag(scores(curves, curves)), 1.0)
    assert np.allclose(scores(-0.5 * curves[0], curves)[0], -0.5)


@pytest.mark.parametrize("gain_db", [-40.0, -20.0, 12.0])
def test_level_changes_no_score(gain_db: float) -> None:
    other = story(MIX * np.float32(10.0 ** (gain_db / 20.0)))
    assert np.abs(other.windows.scores - BEFORE.windows.scores).max() < LEVEL_TOLERANCE
    assert np.allclose(other.windows.meter.shares, BEFORE.windows.meter.shares, atol=1e-5)
    change = 10.0 * np.log10(other.windows.energy / BEFORE.windows.energy)
    assert np.allclose(change, gain_db, atol=1e-3)
    assert other.overall.description == BEFORE.overall.description


@given(cuts=st.lists(st.integers(0, len(MIX)), max_size=20))
@settings(max_examples=8, deadline=None)
def test_any_cut_into_blocks_gives_the_same_bits(cuts: list[int]) -> None:
    blocks = np.split(MIX, sorted(cuts))
    found = analyse(blocks, FS, 2, MODEL, VOCABULARY)
    for name in ("start_s", "end_s", "energy", "z", "power", "scores"):
        assert np.array_equal(getattr(found.windows, name), getattr(BEFORE.windows, name)), name
    assert np.array_equal(found.novelty_db, BEFORE.novelty_db)
    assert [part.start_s for part in found.sections] == [p.start_s for p in BEFORE.sections]


def changing(at_s: float, word: str, fs: float = FS) -> Audio:
    """Return music that has the opposite of a word's move on from some time on."""
    sound = np.concatenate((demo_mix(fs, 16.0), demo_mix(fs, 16.0)))
    changed = equalised(sound, -1.5 * VOCABULARY.get(word).curve_db, fs)
    at = round(at_s * fs)
    return np.concatenate((sound[:at], changed[at:]))


@pytest.mark.parametrize(("at_s", "hop_s"), [(16.0, 1.0), (19.4, 1.0), (12.7, 0.5)])
def test_a_change_of_tone_starts_a_section_within_a_hop(at_s: float, hop_s: float) -> None:
    found = story(changing(at_s, "bright"), hop_s=hop_s)
    assert len(found.sections) == 2
    first, second = found.sections
    assert abs(second.start_s - at_s) <= hop_s
    change = dict(zip((w.word for w in found.words), second.scores - first.scores, strict=True))
    assert change["bright"] < -0.5
    assert change["airy"] < 0.0
    assert change["dark"] > 0.3
    assert second.meter.tilt_db_octave < first.meter.tilt_db_octave - 1.0
    assert second.meter.centroid_hz < first.meter.centroid_hz
    assert "less" in second.description


def test_music_that_does_not_change_is_one_section() -> None:
    assert len(BEFORE.sections) == 1
    louder = np.concatenate((MIX, MIX * np.float32(0.25)))
    assert len(story(louder).sections) == 1


def test_what_is_loud_counts() -> None:
    dull = equalised(MIX, 2.0 * VOCABULARY.get("dark").curve_db)
    quiet = dull * np.float32(0.05 * np.sqrt(np.mean(MIX**2) / np.mean(dull**2)))
    both = by_word(story(np.concatenate((MIX, quiet))))
    assert both["dark"] == pytest.approx(by_word(BEFORE)["dark"], abs=0.05)
    found = story(np.concatenate((MIX, quiet)))
    weights = found.windows.weights / found.windows.weights.sum()
    assert np.allclose(found.overall.scores, weights @ found.windows.scores)


def test_silence_is_marked_and_has_no_weight() -> None:
    silence = np.zeros((round(10.0 * FS), 2), dtype=np.float32)
    found = story(np.concatenate((MIX, silence)))
    assert found.windows.is_silent.sum() >= 7
    assert not found.windows.scores[found.windows.is_silent].any()
    assert found.sections[-1].is_silent
    assert found.sections[-1].description == "silence"
    assert abs(found.sections[-1].start_s - 16.0) <= 1.0
    for word, score in by_word(found).items():
        assert score == pytest.approx(by_word(BEFORE)[word], abs=0.1)


def test_nothing_but_silence() -> None:
    found = story(np.zeros((round(5.0 * FS), 2), np.float32), targets=(Recipe.parse("warm"),))
    assert found.overall.is_silent
    assert found.ranking == ()
    assert found.targets[0].overall is None


@pytest.mark.parametrize("fs", [8000.0, 22_050.0, 44_100.0, 96_000.0, 192_000.0])
@pytest.mark.parametrize("channels", [1, 8])
def test_rates_and_channels(fs: float, channels: int) -> None:
    sound = np.repeat(demo_mix(fs, 4.0)[:, :1], channels, axis=1)
    found = story(sound, fs, targets=(Recipe.parse("warm"),))
    assert len(found.windows.energy) == 2
    assert np.isfinite(found.windows.scores).all()
    assert found.windows.meter.shares.sum(axis=1) == pytest.approx(1.0)
    assert found.freqs_hz.max() < 0.5 * fs
    need = found.targets[0].overall
    assert need is not None
    assert np.isfinite(need.response_db).all()


def test_scores_hardly_depend_on_the_rate() -> None:
    one = by_word(story(demo_mix(44_100.0, 8.0), 44_100.0))
    other = by_word(story(demo_mix(96_000.0, 8.0), 96_000.0))
    for word, score in one.items():
        assert other[word] == pytest.approx(score, abs=0.25), word


@pytest.mark.parametrize("frames", [1, 100, 4096, 12_000, 100_000])
def test_sounds_shorter_than_a_window_are_one(frames: int) -> None:
    found = story(MIX[LOUD_AT : LOUD_AT + frames])
    assert len(found.windows.energy) == 1
    assert found.duration_s == pytest.approx(frames / FS)
    assert found.windows.end_s[0] == pytest.approx(found.duration_s)
    assert np.isfinite(found.overall.scores).all()


@given(frames=st.integers(1, 600_000), window=st.floats(0.5, 6.0), share=st.floats(0.2, 1.0))
@settings(max_examples=25, deadline=None)
def test_windows_cover_the_sound(frames: int, window: float, share: float) -> None:
    hop = max(0.1, share * window)
    stream = WindowStream(FS, 1, window, hop)
    sound = MIX[:frames, :1]
    found = stream.feed(sound)
    last, cells = stream.finish()
    found += last
    assert [one.start_s for one in found] == pytest.approx([k * hop for k in range(len(found))])
    assert stream.duration_s - found[-1].end_s <= 0.5 * hop + 1e-6
    assert found[-1].end_s <= stream.duration_s + 1e-6
    assert all(len(one.levels) >= 4 for one in found)
    assert len(cells.energy) == len(cells.power)


def test_the_energy_of_a_window_is_its_mean_square() -> None:
    found = story(MIX)
    for k in (0, 5):
        start = round(found.windows.start_s[k] * FS)
        exact = np.mean(MIX[start : start + round(3.0 * FS)].astype(np.float64) ** 2)
        # to the nearest 1024 samples
        assert 10.0 * np.log10(found.windows.energy[k] / exact) == pytest.approx(0.0, abs=0.1)


def test_damaged_samples_count_as_silence() -> None:
    bad = MIX.copy()
    bad[1000], bad[60_000], bad[70_000] = np.nan, np.inf, 1e30
    mended = bad.copy()
    mended[[1000, 60_000, 70_000]] = 0.0
    assert np.array_equal(story(bad).windows.scores, story(mended).windows.scores)
    assert np.isfinite(story(bad).windows.energy).all()


def test_what_is_needed_follows_the_recipe() -> None:
    targets = (Recipe.parse("warm:0.6 + crisp:0.4"), Recipe.parse("bright"), Recipe())
    found = story(changing(16.0, "bright"), targets=targets)
    blend, bright, nothing = found.targets
    assert nothing.overall is not None
    assert not nothing.overall.response_db.any()
    assert len(blend.sections) == len(found.sections) == 2
    # What has been dulled needs more to be bright.
    before, after = bright.sections
    assert before is not None
    assert after is not None
    assert after.strength_db > before.strength_db + 0.5
    for need in (blend.overall, bright.overall):
        assert need is not None
        assert np.allclose(need.response_db, response_db(need.settings, FS, found.freqs_hz))
    blind = story(MIX, targets=targets[1:2], adapt=0.0).targets[0].overall
    assert blind is not None
    assert blind.settings == VOCABULARY.get("bright").settings


def test_the_path_is_in_db_and_centred() -> None:
    found = story(changing(16.0, "bright"))
    weights = found.windows.weights / found.windows.weights.sum()
    assert np.allclose(weights @ found.path.points, 0.0, atol=1e-9)
    assert 1.0 >= found.path.explained[0] >= found.path.explained[1] >= 0.0
    curves = MODEL.decode(found.windows.z)
    spread = np.sqrt(np.mean((curves - weights @ curves) ** 2, axis=1))
    assert np.all(np.sqrt(np.square(found.path.points).sum(axis=1)) <= spread + 1e-9)


def test_the_meter_knows_pink_noise_and_tones() -> None:
    pink = meter(np.ones(61), FS)
    assert float(pink.tilt_db_octave) == pytest.approx(0.0, abs=1e-9)
    assert float(pink.centroid_hz) == pytest.approx(632.5, rel=0.01)
    tone = meter(np.eye(61)[np.argmin(np.abs(GRID_HZ - 1000.0))], FS)
    assert tone.shares.tolist() == [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    falling = meter(1.0 / GRID_HZ, FS)
    assert float(falling.tilt_db_octave) == pytest.approx(-3.01, abs=0.01)


def test_words_about_level_are_not_said_unasked() -> None:
    known = known_words(VOCABULARY)
    assert len(known) >= 10
    assert not set(known) & set(NOT_SAID)
    assert {fit.word for fit in BEFORE.ranking} == set(known)
    assert [fit.match for fit in BEFORE.ranking] == sorted(
        (fit.match for fit in BEFORE.ranking), reverse=True
    )


def test_default_words_are_agreed_on() -> None:
    for name in DEFAULT_WORDS:
        word = VOCABULARY.get(name)
        assert word.people >= 5
        assert not word.low_agreement


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"window_s": 0.1}, "window must be in"),
        ({"window_s": float("nan")}, "window must be in"),
        ({"hop_s": 4.0}, "hop must be in"),
        ({"hop_s": 0.0}, "hop must be in"),
        ({"words": ()}, "words must hold"),
    ],
)
def test_what_cannot_be_used_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        AnalysisConfig(**options)  # type: ignore[arg-type]


def test_no_sound_and_unknown_words_are_refused() -> None:
    with pytest.raises(SettingsError, match="one frame or more"):
        analyse([], FS, 2, MODEL, VOCABULARY)
    with pytest.raises(UnknownWordError, match="did you mean warm"):
        story(MIX, words=("warmer",))
