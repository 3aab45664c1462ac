"""Verdicts: what was asked is reached, missed for a reason, or cannot be judged."""

import json
import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from made_sounds import balance_of, pink
from scipy.signal import butter, sosfilt

from semeq.engine.balance import CENTRES_HZ, WIDTHS, Balance, Meter
from semeq.engine.chain import Chain
from semeq.engine.design import design, design_sos, response_db
from semeq.engine.directions import PUBLISHED, derived, direction_of
from semeq.engine.meaning import interpret
from semeq.engine.recipe import Recipe
from semeq.engine.settings import EQSettings
from semeq.engine.units import Audio, Floats
from semeq.engine.verdicts import Outcome, Verdict
from semeq.engine.verify import judge, verify
from semeq.engine.watch import Watch
from semeq.presets.library import load_vocabulary

FS = 44_100.0
MUSIC = Path("/tmp/audio/valid/music")
WORDS = load_vocabulary()
FREQS = WORDS.freqs_hz
AGREED = sorted(
    w.word
    for w in WORDS.words.values()
    if not (w.single_person or w.low_agreement) and w.people > 3
)


def asked(text: str, before: Balance, after: Balance, amount: float = 1.0) -> tuple[Verdict, ...]:
    return judge(Recipe.parse(text), WORDS, before, after, amount)


def typical(text: str, amount: float = 1.0) -> EQSettings:
    return interpret(Recipe.parse(text), WORDS, amount=amount).settings


def made(before: Balance, eq: EQSettings) -> Balance:
    curve = response_db(eq, FS, np.minimum(CENTRES_HZ, 0.49 * FS))
    return before.through(curve, CENTRES_HZ)


def equalised(sound: Audio, eq: EQSettings, fs: float = FS) -> Audio:
    return np.asarray(sosfilt(design_sos(eq, fs), sound.astype(np.float64), axis=0), np.float32)


def low_passed(sound: Audio, freq_hz: float, fs: float = FS) -> Audio:
    sos = butter(16, freq_hz, fs=fs, output="sos")
    return np.asarray(sosfilt(sos, sound.astype(np.float64), axis=0), np.float32)


@pytest.mark.parametrize("word", AGREED)
def test_a_words_own_curve_reaches_it_on_pink_noise_by_exactly_as_much(word: str) -> None:
    pink_noise = Balance.pink()
    after = pink_noise.through(WORDS.get(word).curve_db, FREQS)
    (verdict,) = asked(word, pink_noise, after)
    assert verdict.outcome is Outcome.REACHED
    assert verdict.strength == pytest.approx(1.0)
    assert verdict.change_db == pytest.approx(verdict.expected_db)
    assert not verdict.is_miss


@pytest.mark.parametrize("word", AGREED)
def test_the_other_way_is_a_miss(word: str) -> None:
    pink_noise = Balance.pink()
    way = direction_of(word, WORDS.get(word).curve_db, FREQS)
    inside = (way.low_hz <= CENTRES_HZ) & (way.high_hz >= CENTRES_HZ)
    after = pink_noise.through(np.where(inside, -3.0 * way.sign, 0.0), CENTRES_HZ)
    (verdict,) = asked(word, pink_noise, after)
    assert verdict.outcome is Outcome.WRONG
    assert verdict.is_miss
    assert "so does the equaliser" in verdict.text


@pytest.mark.parametrize("word", AGREED)
def test_less_of_a_word_is_reached_by_its_curve_turned_round(word: str) -> None:
    before = Balance.pink()
    after = before.through(-WORDS.get(word).curve_db, FREQS)
    (less,) = asked(f"-{word}", before, after)
    assert less.outcome is Outcome.REACHED
    assert less.strength == pytest.approx(1.0)
    assert f"less {word}" in less.text


@pytest.mark.parametrize("text", ["warm", "bright", "airy:0.5", "-tinny:0.7", "clear", "dark:1.5"])
def test_real_sound_through_the_real_chain(text: str) -> None:
    sound = pink(3.0, channels=2)
    chain = Chain(FS, 2)
    chain.set_target(design(typical(text), FS, gain_db=-4.0))
    after = np.concatenate(
        [chain.process(sound[at : at + 4096].copy()) for at in range(0, len(sound), 4096)]
    )
    (verdict,) = asked(text, balance_of(sound), balance_of(after))
    assert verdict.outcome is Outcome.REACHED
    assert verdict.strength == pytest.approx(1.0, abs=0.35)  # seven bands are no curve


def test_a_low_passed_input_cannot_become_airy_and_is_told_why() -> None:
    sound = low_passed(pink(3.0), 4000.0)
    after = equalised(sound, typical("airy"))
    (verdict,) = asked("airy", balance_of(sound), balance_of(after))
    assert verdict.outcome is Outcome.EMPTY
    assert verdict.is_miss
    assert verdict.text.endswith("the input has nothing above 10 kHz")
    (dark,) = asked("dark", balance_of(sound), balance_of(equalised(sound, typical("dark"))))
    assert dark.outcome is Outcome.ALREADY
    assert "already" in dark.text


def test_a_low_rate_has_nothing_above_half_of_it() -> None:
    sound = pink(3.0, 8000.0)
    balance = balance_of(sound, 8000.0)
    (verdict,) = asked("bright", balance, balance)
    assert verdict.text == (
        "asked for bright, share above 6 kHz unchanged: the input has nothing above 6 kHz"
    )


def test_what_is_warm_already_is_told_so() -> None:
    sound = low_passed(pink(3.0), 150.0)
    before = balance_of(sound)
    (verdict,) = asked("warm", before, made(before, typical("warm")))
    assert verdict.outcome is Outcome.ALREADY
    assert "already" in verdict.text


def test_doing_nothing_is_little() -> None:
    before = Balance.pink()
    (verdict,) = asked("bright", before, before)
    assert verdict.outcome is Outcome.LITTLE
    assert verdict.text == (
        "asked for bright, share above 6 kHz unchanged: "
        "the equaliser that ran does next to nothing there"
    )


def test_bass_that_is_raised_more_is_named() -> None:
    # a loud hum that the equaliser raises as well: the share of 200-500 Hz falls, on pink noise it would rise
    power = WIDTHS * (1.0 + 300.0 * np.exp(-(((np.log2(CENTRES_HZ / 60.0)) / 0.1) ** 2)))
    before = Balance(power)
    curve = np.where((CENTRES_HZ > 200.0) & (CENTRES_HZ < 500.0), 4.0, 0.0)
    curve += 6.0 * ((CENTRES_HZ > 50.0) & (CENTRES_HZ < 72.0))
    (verdict,) = asked("muddy", before, before.through(curve, CENTRES_HZ))
    assert verdict.outcome is Outcome.WRONG
    assert "near 60 Hz, which was raised more" in verdict.text


def test_silence_is_not_judged() -> None:
    silent = balance_of(np.zeros((30_000, 1), dtype=np.float32))
    (verdict,) = asked("warm", silent, silent)
    assert verdict.outcome is Outcome.SILENT
    assert not verdict.is_miss
    assert "no sound" in verdict.text


@pytest.mark.parametrize(("text", "amount"), [("warm", 0.0), ("", 1.0), ("warm:0", 1.0)])
def test_who_asks_for_nothing_gets_no_verdict(text: str, amount: float) -> None:
    assert asked(text, Balance.pink(), Balance.pink(), amount) == ()


def test_who_asks_for_next_to_nothing_has_not_missed_it() -> None:
    (verdict,) = asked("warm", Balance.pink(), Balance.pink(), 0.01)
    assert verdict.outcome is Outcome.NOT_ASKED
    assert not verdict.is_miss


def test_words_that_pull_apart_are_judged_by_the_whole() -> None:
    before = Balance.pink()
    text = "warm:0.4 + bright"
    warm, bright = asked(text, before, made(before, typical(text)))
    assert bright.outcome is Outcome.REACHED
    assert warm.outcome is Outcome.OUTWEIGHED
    assert "outweigh" in warm.text
    assert not warm.is_miss
    # the whole asks for less low end: more of it is a miss, although "warm" was among the words
    raised = before.through(np.where(CENTRES_HZ < 400.0, 3.0, 0.0), CENTRES_HZ)
    warm, bright = asked(text, before, raised)
    assert warm.outcome is Outcome.WRONG
    assert bright.outcome is Outcome.WRONG


def test_amount_and_weight_mean_the_same() -> None:
    before = Balance.pink()
    after = made(before, typical("dark:0.6"))
    one, other = asked("dark:0.6", before, after), asked("dark", before, after, 0.6)
    assert one == other
    (less,) = asked("dark", before, after, -0.6)
    assert less.outcome is Outcome.WRONG


@given(
    colour=st.floats(-6.0, 6.0),
    word=st.sampled_from(["warm", "bright", "dark", "airy", "tinny", "clear", "mellow", "crisp"]),
    amount=st.floats(0.2, 1.0),
    level=st.floats(-60.0, 20.0),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_level_changes_no_verdict_and_every_line_is_json(
    colour: float, word: str, amount: float, level: float
) -> None:
    before = Balance(WIDTHS * 10.0 ** (colour * np.log2(CENTRES_HZ / 1000.0) / 10.0))
    after = made(before, typical(word, amount))
    (verdict,) = asked(word, before, after, amount)
    assert verdict.outcome not in (Outcome.SILENT, Outcome.NOT_ASKED, Outcome.EMPTY)
    gain = 10.0 ** (level / 10.0)
    (louder,) = asked(word, Balance(before.power * gain), Balance(after.power * gain), amount)
    assert louder.outcome is verdict.outcome
    assert louder.change_db == pytest.approx(verdict.change_db)
    assert "\n" not in verdict.text
    whole = verify(Recipe.parse(word), WORDS, before, after, amount)
    assert json.loads(json.dumps(whole.as_dict(), allow_nan=False))["verdicts"][0]["word"] == word


def test_published_bands_are_those_of_the_judges_of_training() -> None:
    judges = pytest.importorskip("semeq.training.judges")
    assert set(PUBLISHED) == set(judges.BAND_JUDGES)
    for word, judge_ in judges.BAND_JUDGES.items():
        mine = PUBLISHED[word]
        assert (mine.low_hz, mine.high_hz, mine.sign) == (
            judge_.low_hz,
            judge_.high_hz,
            judge_.sign,
        )


@pytest.mark.parametrize(
    ("low", "high", "gain"),
    [(200.0, 1000.0, 4.0), (2000.0, 8000.0, -5.0), (20.0, 300.0, 6.0), (5000.0, 20_000.0, 3.0)],
)
def test_a_step_in_a_curve_is_found(low: float, high: float, gain: float) -> None:
    curve = np.where((low <= FREQS) & (high >= FREQS), gain, 0.0)
    found = derived(curve - curve.mean(), FREQS)
    assert found.sign == math.copysign(1, gain)
    assert found.low_hz == pytest.approx(low, rel=0.1)
    assert found.high_hz == pytest.approx(min(high, 22_050.0), rel=0.12)


def test_a_curve_that_falls_towards_an_end_is_told_by_what_it_raises() -> None:
    curve = np.where(FREQS > 5000.0, -8.0, 0.0)
    found = derived(curve - curve.mean(), FREQS)
    assert found.sign == 1
    assert found.low_hz == 20.0
    assert found.high_hz == pytest.approx(5000.0, rel=0.06)
    assert direction_of("no such word", curve, FREQS) == found


def test_the_watch_agrees_with_the_output_that_it_does_not_hear() -> None:
    sound = pink(6.0, channels=2)
    watch, chain, heard = Watch(FS, 2, memory_s=math.inf), Chain(FS, 2), Meter(FS, 2)
    for at in range(0, len(sound), 1000):
        block = sound[at : at + 1000]
        eq = typical("bright" if at < len(sound) // 2 else "bright:0.3 + clear")
        chain.set_target(design(eq, FS))
        watch.feed(block, eq)
        heard.feed(chain.process(block.copy()))
    for low, high in ((20.0, 400.0), (400.0, 2000.0), (2000.0, 6000.0), (6000.0, 22_050.0)):
        ratio = watch.after.share(low, high) / heard.balance().share(low, high)
        assert abs(10.0 * math.log10(ratio)) < 0.05


def test_the_watch_waits_forgets_and_follows() -> None:
    watch = Watch(FS, 1, memory_s=2.0)
    warm = typical("warm")
    recipe = Recipe.parse("warm")
    sound = pink(12.0)
    watch.feed(sound[: int(0.5 * FS)], warm)
    assert watch.verification(recipe, WORDS) is None
    watch.feed(sound[int(0.5 * FS) : int(2 * FS)], warm)
    told = watch.verification(recipe, WORDS)
    assert told is not None
    assert told.misses == ()
    watch.feed(sound[int(2 * FS) :], typical("bright"))
    told = watch.verification(recipe, WORDS)
    assert told is not None
    assert told.verdicts[0].outcome is Outcome.WRONG
    watch.forget()
    assert watch.verification(recipe, WORDS) is None


@pytest.mark.alone
def test_a_verdict_a_second_costs_next_to_nothing() -> None:
    before = Balance.pink()
    after = made(before, typical("warm + clear:0.5"))
    recipe = Recipe.parse("warm + clear:0.5")
    verify(recipe, WORDS, before, after)
    start = time.process_time()
    for _ in range(20):
        verify(recipe, WORDS, before, after)
    assert (time.process_time() - start) / 20 < 0.01


@pytest.mark.skipif(not MUSIC.is_dir(), reason=f"there is no music in {MUSIC}")
@pytest.mark.parametrize("word", sorted(PUBLISHED))
def test_direction_agrees_with_the_judges_of_training_on_music(word: str) -> None:
    judges = pytest.importorskip("semeq.training.judges")
    spectra = pytest.importorskip("semeq.training.spectra")
    band = judges.BAND_JUDGES[word]
    eq, checked = typical(word), 0
    for path in sorted(MUSIC.rglob("*.ogg"))[::10]:
        sound, fs = spectra.read_crop(path, 4.0, 6.0)
        if len(sound) < fs or fs != FS:
            continue
        after = equalised(sound, eq)
        powers: list[Floats] = [spectra.band_powers(s, fs) for s in (sound, after)]
        if not all(band.can_judge(p) for p in powers):
            continue
        moved = float(band.score_db(powers[1]) - band.score_db(powers[0]))
        (verdict,) = asked(word, balance_of(sound), balance_of(after))
        assert band.sign * verdict.change_db == pytest.approx(moved, abs=0.001)
        if verdict.outcome is Outcome.REACHED:
            assert moved > judges.HIT_DB
        elif verdict.outcome is Outcome.WRONG:
            assert moved < 0.0
        checked += 1
    assert checked >= 4
