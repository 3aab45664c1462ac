"""With inserts and limiter: wet and dry lie on one sample, and what fades is the ideal cross-fade."""

import numpy as np
from numpy.testing import assert_array_equal
from played_inserts import BLOCK, DELAY, FS, IN_FRAMES, Played, noise

from semeq.engine.design import design
from semeq.engine.settings import LAYOUT, REST_FREQS_HZ, Band, EQSettings
from semeq.engine.timeline import ControlSet
from semeq.engine.units import Audio, Floats
from semeq.realtime.insert_callback import inserted_state, run_inserted
from semeq.realtime.insert_stage import BACK as BACK_WORD
from semeq.realtime.insert_stage import FADE as FADE_WORD
from semeq.realtime.insert_stage import WANTED, no_stage
from semeq.realtime.mailbox import post

LOOKAHEAD = 72
#: Of the whole session: two places of plugins, and the limiter.
LATE = 2 * DELAY + LOOKAHEAD
#: What is done happens at this frame, and lasts so long.
AT = 2 * IN_FRAMES // BLOCK * BLOCK
FADE = 960
FRAMES = AT + 40 * BLOCK
LEVEL = 0.1
CLICK_DB = -100.0
WARM = design(
    EQSettings(tuple(Band(k, f, 3.0) for k, f in zip(LAYOUT, REST_FREQS_HZ, strict=True))), FS
)
#: The plugins alone: a power of two, hence exact.
GAIN = Played.gain**2


def session(x: Audio, before: ControlSet, after: ControlSet | None = None) -> Audio:
    """Play a sound through plugins before and after the EQ, each of half the level."""
    pre, last = Played(), Played()
    state = inserted_state(
        FS, 2, pre.stage, no_stage(FS, 2), last.stage, lookahead_frames=LOOKAHEAD, ceiling_db=0.0
    )
    post(state.live.words, state.live.slots, before.pack(1))
    y = np.empty_like(x)
    for at in range(0, len(x), BLOCK):
        if at == AT and after is not None:
            post(state.live.words, state.live.slots, after.pack(2))
        run_inserted(state, x[at : at + BLOCK], y[at : at + BLOCK])
        pre.answer()
        last.answer()
    return y


def told(*, bypass: bool = False, delta: bool = False) -> ControlSet:
    return ControlSet(WARM, 0, bypass, FADE, True, 0, delta)


def late(x: Audio) -> Audio:
    return np.concatenate([np.zeros((LATE, 2), np.float32), x])[: len(x)]


def mixed(one: Audio, other: Audio, first: int, frames: int) -> Floats:
    """Return the cross-fade in double precision."""
    u = np.clip((np.arange(len(one)) + 1 - first) / frames, 0.0, 1.0)[:, None]
    share = u**4 * (35 - 84 * u + 70 * u**2 - 20 * u**3)
    return (1.0 - share) * one.astype(np.float64) + share * other.astype(np.float64)


def off_db(y: Audio, ideal: Floats) -> float:
    return float(20.0 * np.log10(np.abs(y - ideal)[IN_FRAMES + LATE :].max() / LEVEL + 1e-12))


def test_wet_and_dry_are_on_one_sample() -> None:
    """Bypassed it is the late input bit for bit; what the EQ changes is the rest, to a float's rounding."""
    x = noise(FRAMES)
    wet, dry, delta = (
        session(x, told(bypass=bypass, delta=delta))
        for bypass, delta in ((False, False), (True, False), (False, True))
    )
    heard = slice(2 * IN_FRAMES, None)
    assert_array_equal(dry[heard], GAIN * late(x)[heard])
    np.testing.assert_allclose((dry + delta)[heard], wet[heard], rtol=0, atol=1e-7)
    assert np.abs(delta[heard]).max() > 0.01


def test_bypass_between_plugins_is_the_ideal_cross_fade() -> None:
    x = noise(FRAMES)
    wet, dry = session(x, told()), session(x, told(bypass=True))
    first = AT + DELAY + LOOKAHEAD  # the plugins before the EQ have had their delay by then
    for before, after, one, other in ((False, True, wet, dry), (True, False, dry, wet)):
        y = session(x, told(bypass=before), told(bypass=after))
        assert off_db(y, mixed(one, other, first, FADE)) <= CLICK_DB
        assert off_db(y, np.where(np.arange(FRAMES)[:, None] < first, one, other)) > -40.0


def test_the_way_from_the_plugins_to_the_dry_sound_and_back_is_the_ideal_cross_fade() -> None:
    x = noise(AT + 30 * BLOCK)
    played = Played()
    y = [played.run(x[:AT])]
    away, back = AT, AT + 12 * BLOCK
    dry = np.concatenate([np.zeros((DELAY, 2), np.float32), x])[: len(x)]
    wet = played.gain * dry
    played.stage.words[WANTED] = 0
    y.append(played.run(x[away:back]))
    played.stage.words[WANTED] = 1
    y.append(played.run(x[back:]))
    steps = played.stage.words[FADE_WORD], played.stage.words[BACK_WORD]
    ideal = mixed(wet, dry, away, int(steps[0]))
    ideal[back:] = mixed(dry, wet, back, int(steps[1]))[back:]
    assert off_db(np.concatenate(y), ideal) <= CLICK_DB
