"""Damage in the input: nothing of it comes out, the sound is back within 20 ms, any partition alike."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from broken_sound import inputs
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sound_files import write_float
from strategies import partitions, settings

from semeq.engine.audiofile import AudioReader
from semeq.engine.chain import Chain
from semeq.engine.chain_state import BAD, LIVE_BAD_ABOVE
from semeq.engine.design import design
from semeq.engine.meaning import interpret
from semeq.engine.path import process
from semeq.engine.recipe import Recipe
from semeq.engine.render import RenderJob, render_file
from semeq.engine.settings import EQSettings
from semeq.engine.synth import demo_mix
from semeq.engine.timeline import ControlSet, Event, Take, apply_set, replay, session_chain
from semeq.engine.units import Audio, db_to_gain
from semeq.presets.library import load_vocabulary

FS = 48_000.0
CEILING_DB = -1.0
LOOKAHEAD_S = 0.0015
#: How soon the sound is back, and how near to what it would have been (full scale is 0 dB).
RECOVERY_FRAMES = 960
RECOVERED_DB = -60.0
MODES = [0.0, LOOKAHEAD_S]


def live(lookahead_s: float = 0.0, eq: EQSettings | None = None, gain_db: float = 0.0) -> Chain:
    chain = Chain(FS, 2, lookahead_s, CEILING_DB, LIVE_BAD_ABOVE)
    chain.set_target(design(eq or EQSettings.flat(), FS, gain_db=gain_db))
    return chain


@pytest.fixture(scope="module")
def music() -> Audio:
    mix = demo_mix(FS, 1.5)
    loud: Audio = (0.7 * mix / np.abs(mix).max()).astype(np.float32)
    return loud


@pytest.mark.parametrize("lookahead_s", MODES)
@given(eq=settings(), x=inputs(3000), blocks=partitions(3000), gain_db=st.sampled_from([0.0, 24.0]))
@hypothesis_settings(deadline=None, max_examples=60)
def test_whatever_comes_in_what_comes_out_is_sound(
    lookahead_s: float, eq: EQSettings, x: Audio, blocks: list[int], gain_db: float
) -> None:
    """Finite, under the ceiling, and the same bits however the input is cut."""
    whole_chain, cut_chain = (live(lookahead_s, eq, gain_db) for _ in range(2))
    whole = whole_chain.process(x)
    assert np.all(np.isfinite(whole))
    assert np.abs(whole).max() <= np.float32(db_to_gain(CEILING_DB))
    edges = np.cumsum([0, *blocks])
    cut = np.concatenate([cut_chain.process(x[a:b]) for a, b in pairwise(edges)])
    np.testing.assert_array_equal(cut, whole)
    with np.errstate(invalid="ignore"):
        certain = int(np.count_nonzero(~(np.abs(x) <= LIVE_BAD_ABOVE)))
    assert whole_chain.bad_samples == cut_chain.bad_samples >= certain
    if certain == 0:
        assert whole_chain.bad_samples == 0


@given(x=inputs(3000), eq=settings())
@hypothesis_settings(deadline=None, max_examples=40)
def test_the_filters_never_see_damage(x: Audio, eq: EQSettings) -> None:
    """The output is, bit for bit, that of a filter over what the flat path lets through."""
    concealed = Chain(FS, 2, bad_above=LIVE_BAD_ABOVE).process(x)
    assert np.abs(concealed).max() <= LIVE_BAD_ABOVE + 2.0
    damaged, reference = (Chain(FS, 2, bad_above=above) for above in (LIVE_BAD_ABOVE, 1e4))
    for chain in (damaged, reference):
        chain.set_target(design(eq, FS))
    np.testing.assert_array_equal(damaged.process(x), reference.process(concealed))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, -9e3, 17.0])
@pytest.mark.parametrize("length", [1, 64, 960])
def test_20_ms_later_a_flat_path_passes_bit_for_bit(
    music: Audio, value: float, length: int
) -> None:
    x, at = music.copy(), 20_000
    x[at : at + length, 0] = value
    chain = live()
    y = chain.process(x)
    assert chain.bad_samples == length
    np.testing.assert_array_equal(y[:at], music[:at])
    np.testing.assert_array_equal(y[:, 1], music[:, 1])  # the other channel is not touched
    back = at + length + RECOVERY_FRAMES
    np.testing.assert_array_equal(y[back:], music[back:])
    # no step where the damage begins, none where it ends
    steepest = np.abs(np.diff(music[:, 0])).max()
    assert np.abs(np.diff(y[:, 0])).max() <= 1.5 * steepest


def bursts(length: int) -> Iterator[tuple[str, Audio]]:
    rng = np.random.default_rng(length)
    yield "nan", np.full((length, 2), np.nan, dtype=np.float32)
    yield "9e3", np.full((length, 2), 9e3, dtype=np.float32)
    yield "20", np.full((length, 2), -20.0, dtype=np.float32)
    yield "bits", rng.integers(0, 2**32, (length, 2), dtype=np.uint32).view(np.float32)
    hidden = np.full((length, 2), np.inf, dtype=np.float32)
    hidden[0] = 15.0  # loud, but not so loud that it must be damage: the limiter has to give way
    yield "15, then inf", hidden


def ringing(eq: EQSettings) -> int:
    """Return how many frames the filters themselves ring with the loudest sample that counts as sound."""
    impulse = np.zeros((9600, 2), dtype=np.float32)
    impulse[0] = LIVE_BAD_ABOVE
    chain = Chain(FS, 2)
    chain.set_target(design(eq, FS, gain_db=-3.0))
    heard = np.abs(chain.process(impulse)).max(axis=1) > 10 ** (RECOVERED_DB / 20)
    return int(np.flatnonzero(heard)[-1])


@pytest.mark.parametrize("lookahead_s", MODES)
@pytest.mark.parametrize("length", [2, 64, 480])
def test_every_word_recovers_in_20_ms(music: Audio, lookahead_s: float, length: int) -> None:
    """Against the undamaged run; a few words in a hundred have filters that ring longer, and may."""
    vocabulary = load_vocabulary()
    at = 24_000
    delay = round(lookahead_s * FS)
    part = music[: at + 9600]
    words = sorted(vocabulary.words)[:: 12 if length == 64 else 24]
    in_time = 0
    for word in words:
        eq = interpret(Recipe(((word, 1.0),)), vocabulary).settings
        clean = live(lookahead_s, eq, -3.0).process(part)
        slowest = 0
        for name, burst in bursts(length):
            x = part.copy()
            x[at : at + length] = burst
            y = live(lookahead_s, eq, -3.0).process(x)
            far = np.abs(y - clean).max(axis=1) > 10 ** (RECOVERED_DB / 20)
            frames = int(np.flatnonzero(far)[-1]) + 1 - at - length - delay if far.any() else 0
            assert frames <= RECOVERY_FRAMES + ringing(eq), (word, name)
            if not name.startswith("15"):  # that is sound, and the filters ring with it
                slowest = max(slowest, frames)
        in_time += slowest <= RECOVERY_FRAMES
    assert in_time >= 0.95 * len(words)


@pytest.mark.parametrize("lookahead_s", MODES)
def test_a_limiter_at_work_is_not_let_go(music: Audio, lookahead_s: float) -> None:
    """Damage while the limiter holds loud sound down: the gain afterwards is what it would have been."""
    at, length = 24_000, 64
    x = music.copy()
    x[at : at + length] = 100.0
    y, clean = (live(lookahead_s, gain_db=12.0).process(sound) for sound in (x, music))
    back = at + length + RECOVERY_FRAMES + round(LOOKAHEAD_S * FS)
    assert 20 * np.log10(np.abs(y[back:] - clean[back:]).max() + 1e-12) <= RECOVERED_DB


def test_loud_floats_are_sound(music: Audio) -> None:
    """What is 20 dB over full scale is limited, not thrown away."""
    chain = live()
    chain.process(np.float32(10.0) * music)
    assert chain.bad_samples == 0
    assert chain.limited_samples > 10_000


@pytest.mark.parametrize("bad_above", [None, LIVE_BAD_ABOVE])
def test_a_take_with_damage_replays_as_it_was(music: Audio, bad_above: float | None) -> None:
    """Old logs (None) made silence of damage, and still do."""
    x = music[:12_000].copy()
    x[5000:5100] = np.nan
    x[7000] = 100.0
    control = ControlSet(design(EQSettings.flat(), FS), 0)
    chain = session_chain(FS, 2, ceiling_db=-1.0, bad_above=bad_above)
    apply_set(chain, control.pack())
    out = np.empty_like(x)
    process(chain, x, out)
    take = Take(FS, 2, 0, -1.0, (Event(0, control),), bad_above=bad_above)
    again: list[Any] = list(replay(take, [x[:6001], x[6001:]]))
    np.testing.assert_array_equal(np.concatenate(again), out)
    is_old = bad_above is None
    assert chain.ints[BAD] == (200 if is_old else 202)
    assert bool(np.all(out[5000:5100] == 0.0)) is is_old


def test_a_recorded_input_with_damage_renders_to_what_was_heard(tmp_path: Path) -> None:
    """From the file, too: a replay gets the damaged samples themselves."""
    x = (0.2 * np.random.default_rng(5).standard_normal((9000, 2))).astype(np.float32)
    x[4000:4100] = np.nan
    x[5000, 1] = -np.inf
    source, target = write_float(tmp_path / "input.wav", x), tmp_path / "again.wav"
    control = ControlSet(design(EQSettings.flat(), FS, gain_db=-3.0), 0)
    take = Take(FS, 2, 0, -1.0, (Event(0, control),), first_sound=0)
    report = render_file(RenderJob(source, target, take=take))
    expected = np.concatenate(list(replay(take, [x])))
    np.testing.assert_array_equal(np.concatenate(list(AudioReader(target).blocks())), expected)
    assert report.bad_samples == 201
    assert report.before.loudness_lufs is None or np.isfinite(report.before.loudness_lufs)
    assert report.warnings == ("201 damaged samples were bridged, as they were live",)
