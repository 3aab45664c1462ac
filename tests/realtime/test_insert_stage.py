"""Where inserts stand in the audio path, with a host that the test plays itself: what is heard, and when."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played_inserts import BLOCK, BUFFER, DELAY, FS, IN_FRAMES, LATENCY, OUT_FRAMES, Played, noise

from semeq.engine.errors import SettingsError
from semeq.engine.units import Audio
from semeq.realtime import insert_stage as native
from semeq.realtime.insert_ring import (
    MAX_DELAY,
    RETURNED,
    SENT,
    VALID_FROM,
    private_ring,
)
from semeq.realtime.insert_stage import set_delay, stage


def tone(frames: int) -> Audio:
    wave = 0.5 * np.sin(2 * np.pi * 220.0 / FS * np.arange(frames))
    return np.repeat(wave[:, np.newaxis], 2, axis=1).astype(np.float32)


def test_without_a_host_the_sound_is_late_by_the_whole_delay_and_else_untouched() -> None:
    x = noise(6000)
    y = Played().run(x, slice(0))
    np.testing.assert_array_equal(y[DELAY:], x[:-DELAY])
    assert not y[:DELAY].any()


@pytest.mark.parametrize("block", [16, 100, 128])
def test_what_the_plugins_make_is_heard_where_the_dry_sound_was(block: int) -> None:
    x = noise(40_000)
    played = Played()
    y = played.run(x, block=block)
    np.testing.assert_array_equal(y[IN_FRAMES:], played.gain * x[IN_FRAMES - DELAY : -DELAY])
    assert played.stage.words[native.LATE] == 0


def test_a_host_that_falls_silent_is_dry_within_20_ms_and_without_a_step() -> None:
    x = tone(48_000)
    played = Played()
    gone = 30_000 // BLOCK * BLOCK
    y = played.run(x, slice(0, gone))
    # the last answer came with the block before `gone`
    np.testing.assert_array_equal(y[gone + OUT_FRAMES :], x[gone + OUT_FRAMES - DELAY : -DELAY])
    assert np.abs(y[gone - BLOCK] - played.gain * x[gone - BLOCK - DELAY]).max() == 0.0
    # a tone of 220 Hz moves by 0.0144 a frame; the fade of 2.7 ms adds at most 1.9 · 0.25/128
    steps = np.abs(np.diff(y[IN_FRAMES:], axis=0))
    assert steps.max() < 0.0144 + 0.0040
    assert played.stage.words[native.LATE] == 1


def test_it_comes_back_by_itself_when_the_host_does() -> None:
    x = noise(80_000)
    played = Played()
    y = played.run(x[:30_080])
    y = np.concatenate([y, played.run(x[30_080:40_064], slice(0))])
    played.at = int(played.ring.head[SENT])
    played.ring.head[VALID_FROM] = played.at + LATENCY
    y = np.concatenate([y, played.run(x[40_064:])])
    back = 40_064 + IN_FRAMES + DELAY
    np.testing.assert_array_equal(y[39_000:40_064], x[39_000 - DELAY : 40_064 - DELAY])
    np.testing.assert_array_equal(y[back:], played.gain * x[back - DELAY : -DELAY])


def test_who_is_not_wanted_is_faded_out_and_keeps_his_place() -> None:
    x = noise(60_000)
    played = Played()
    y = played.run(x[:30_080])
    played.stage.words[native.WANTED] = 0
    y = np.concatenate([y, played.run(x[30_080:40_064])])
    played.stage.words[native.WANTED] = 1
    y = np.concatenate([y, played.run(x[40_064:])])
    dry, wet = slice(30_080 + OUT_FRAMES, 40_064), slice(40_064 + OUT_FRAMES + BLOCK, None)
    late = np.concatenate([np.zeros((DELAY, 2), np.float32), x])[: len(x)]
    np.testing.assert_array_equal(y[dry], late[dry])
    np.testing.assert_array_equal(y[wet], played.gain * late[wet])
    assert played.stage.words[native.LATE] == 0


@pytest.mark.parametrize("spoil", [np.nan, np.inf, -1e30])
def test_what_is_no_number_is_never_heard(spoil: float) -> None:
    x = tone(40_000)
    played = Played()
    y = played.run(x[:30_080])
    out = [y]
    for at in range(30_080, len(x), BLOCK):
        out.append(played.block(x[at : at + BLOCK]))
        played.answer(spoil)
    y = np.concatenate(out)
    assert np.isfinite(y).all()
    assert np.abs(y).max() <= 0.75  # the tone, and at most the difference that was held
    assert played.stage.words[native.WRONG] > 0
    clear = 30_080 + BUFFER + OUT_FRAMES
    np.testing.assert_array_equal(y[clear:], x[clear - DELAY : -DELAY])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-(1 << 63), (1 << 63) - 1)),
        min_size=1,
        max_size=20,
    )
)
def test_whatever_a_plugin_writes_over_the_words_the_sound_goes_on(
    words: list[tuple[int, int]],
) -> None:
    x = noise(BLOCK * 40)
    played = Played()
    out = []
    for at in range(0, len(x), BLOCK):
        played.ring.head[[RETURNED, VALID_FROM]] = words[(at // BLOCK) % len(words)]
        out.append(played.block(x[at : at + BLOCK]))
    y = np.concatenate(out)  # it has not been the host's turn for a quarter of a second: dry
    np.testing.assert_array_equal(y[DELAY:], x[:-DELAY])


def test_a_delay_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingsError, match="--insert-blocks"):
        set_delay(stage(private_ring(1), FS), 256, MAX_DELAY)
