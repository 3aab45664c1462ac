import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semeq.engine.errors import SettingsError
from semeq.engine.listener import LEAST_S, Hearing, Listener, ListenerConfig
from semeq.engine.loudness import LoudnessMeter
from semeq.engine.synth import demo_mix
from semeq.engine.units import Audio, Floats
from semeq.presets.shipped_model import load_shipped_model

FS = 48_000.0
MODEL = load_shipped_model()
#: Without the fades at its ends.
LOOP = demo_mix(FS, 4.0)[48_000:144_000]
MIX = np.tile(LOOP, (5, 1))


def listen(sound: Audio, fs: float = FS, config: ListenerConfig | None = None) -> list[Hearing]:
    return Listener(MODEL, fs, sound.shape[1], config).feed(sound)


def curve(hearing: Hearing) -> Floats:
    assert hearing.heard is not None
    return MODEL.decode(hearing.heard.z)


def rms(difference: Floats) -> float:
    return float(np.sqrt(np.mean(difference**2)))


def tilted(sound: Audio, db_per_octave: float, fs: float = FS) -> Audio:
    freqs = np.maximum(np.fft.rfftfreq(len(sound), 1.0 / fs), 20.0)
    gain = 10.0 ** (db_per_octave * np.log2(freqs / 1000.0) / 20.0)
    made: Audio = np.fft.irfft(
        np.fft.rfft(sound, axis=0) * gain[:, None], len(sound), axis=0
    ).astype(np.float32)
    return made


@given(cuts=st.lists(st.integers(0, len(LOOP) * 2), max_size=10))
@settings(max_examples=10, deadline=None)
def test_any_cut_gives_the_same_hearings_bit_for_bit(cuts: list[int]) -> None:
    sound = MIX[: 2 * len(LOOP)]
    whole = listen(sound)
    listener = Listener(MODEL, FS, 2)
    pieces = [h for piece in np.split(sound, sorted(cuts)) for h in listener.feed(piece)]
    assert [h.frame for h in pieces] == [h.frame for h in whole] == [4800 * n for n in range(1, 41)]
    for one, two in zip(pieces, whole, strict=True):
        assert (one.is_held, one.energy_db) == (two.is_held, two.energy_db)
        if one.heard is None or two.heard is None:
            assert one.heard is two.heard
        else:
            assert np.array_equal(one.heard.z, two.heard.z)


def test_nothing_is_known_until_enough_was_heard() -> None:
    hearings = listen(MIX)
    early = [h for h in hearings if h.heard is None]
    assert [h.frame for h in early] == [h.frame for h in hearings[: len(early)]]
    assert all(h.is_held for h in early)
    assert LEAST_S <= hearings[len(early)].frame / FS <= LEAST_S + 0.2


@pytest.mark.parametrize("fs", [8000.0, 22_050.0, 44_100.0, 96_000.0, 192_000.0])
@pytest.mark.parametrize("channels", [1, 8])
def test_rates_and_channels(fs: float, channels: int) -> None:
    sound = np.repeat(demo_mix(fs, 3.0)[:, :1], channels, axis=1)
    last = listen(sound, fs)[19]
    assert not last.is_held
    assert np.isfinite(curve(last)).all()


def test_what_is_heard_does_not_depend_on_the_rate() -> None:
    one = curve(listen(demo_mix(48_000.0, 6.0), 48_000.0)[-1])
    for fs in (44_100.0, 96_000.0):
        assert rms(curve(listen(demo_mix(fs, 6.0), fs)[-1]) - one) < 1.0


def test_what_is_heard_does_not_depend_on_the_channels() -> None:
    mono = MIX[:, :1]
    one = curve(listen(mono)[-1])
    two = curve(listen(np.repeat(mono, 2, axis=1))[-1])
    assert rms(one - two) < 0.01


@pytest.mark.parametrize("gain_db", [-20.0, 20.0])
def test_level_does_not_matter(gain_db: float) -> None:
    # Soft, but 20 dB less is still above the gate.
    sound = (0.5 * MIX).astype(np.float32)
    louder = (sound * 10.0 ** (gain_db / 20.0)).astype(np.float32)
    one, two = listen(sound), listen(louder)
    # The EQ may move by 0.5 dB; measured 0.1 dB, from soft frames that fall under the gate.
    assert max(rms(curve(a) - curve(b)) for a, b in zip(one[6:], two[6:], strict=True)) < 0.2


@pytest.mark.parametrize("level_db", [-200.0, -75.0, -55.0])
def test_silence_and_hiss_between_two_songs_hold(level_db: float) -> None:
    rng = np.random.default_rng(0)
    hiss = (10.0 ** (level_db / 20.0) * rng.normal(size=(int(12 * FS), 2))).astype(np.float32)
    hearings = listen(np.concatenate((MIX, hiss)))
    pause = [h for h in hearings if h.frame > len(MIX) + FS / 5]
    assert all(h.is_held for h in pause)
    assert len({id(h.heard) for h in pause}) == 1
    # What holds is what the music was heard as, within the last frames of it.
    assert rms(curve(pause[-1]) - curve(hearings[99])) < 0.5


def test_music_that_goes_on_after_a_rest_is_heard_as_before() -> None:
    """Wherever in the bar: 1.4 dB at most, 2.1 dB where its first, short hearings counted in full."""
    far_db = []
    for start in range(0, len(LOOP), 12_000):
        on = np.tile(np.roll(LOOP, -start, axis=0), (2, 1))
        rest = np.zeros((int(4 * FS), 2), dtype=np.float32)
        hearings = listen(np.concatenate((MIX, rest, on)))[len(MIX) // 4800 - 1 :]
        far_db.append(max(rms(curve(h) - curve(hearings[0])) for h in hearings))
    assert max(far_db) <= 1.6
    assert np.median(far_db) <= 0.7


def test_silence_from_the_start_is_no_hearing() -> None:
    hearings = listen(np.zeros((int(3 * FS), 2), dtype=np.float32))
    assert all(h.heard is None and h.is_held and h.energy_db == -200.0 for h in hearings)


@pytest.mark.parametrize("gain_db", [-20.0, 20.0])
def test_a_jump_of_the_level_changes_nothing_on_its_way(gain_db: float) -> None:
    sound = (0.2 * MIX).astype(np.float32)
    jump = np.concatenate((sound, sound * np.float32(10.0 ** (gain_db / 20.0))))
    hearings = listen(jump)
    before = curve(hearings[99])
    assert max(rms(curve(h) - before) for h in hearings[100:]) < 0.5
    assert sum(h.is_held for h in hearings[100:]) == 0
    # It is not deaf meanwhile: half a second after the jump it hears again, but for rests in the music.
    assert len({id(h.heard) for h in hearings[106:140]}) > 25


@pytest.mark.parametrize("gain_db", [-15.0, 15.0])
def test_a_step_to_brighter_and_louder_music_is_followed_in_time(gain_db: float) -> None:
    dark, bright = np.tile(tilted(LOOP, -1.5), (4, 1)), np.tile(tilted(LOOP, 1.5), (5, 1))
    bright *= np.float32(10.0 ** (gain_db / 20.0))
    hearings = listen((0.2 * np.concatenate((dark, bright))).astype(np.float32))
    end = np.mean([curve(h) for h in hearings[-20:]], axis=0)
    apart = rms(curve(hearings[79]) - end)
    assert apart > 3.0
    assert max(rms(curve(h) - end) for h in hearings[110:]) < max(1.0, 0.15 * apart)


def test_music_that_goes_on_far_quieter_is_heard_again() -> None:
    quiet = (np.tile(tilted(LOOP, -3.0), (20, 1)) * 10.0 ** (-34.0 / 20.0)).astype(np.float32)
    config = ListenerConfig(gate_lufs=-90.0)
    hearings = listen(np.concatenate((MIX, quiet)), config=config)
    assert any(h.is_held for h in hearings[100:130])
    assert sum(h.is_held for h in hearings[-100:]) == 0


@pytest.mark.parametrize("tilt", [0.75, 1.5, 3.0])
def test_a_step_from_dark_to_bright_is_followed_within_three_seconds(tilt: float) -> None:
    dark, bright = np.tile(tilted(LOOP, -tilt), (4, 1)), np.tile(tilted(LOOP, tilt), (5, 1))
    hearings = listen(np.concatenate((dark, bright)))
    end = np.mean([curve(h) for h in hearings[-20:]], axis=0)
    apart = rms(curve(hearings[79]) - end)
    assert apart > 3.0
    late = [rms(curve(h) - end) for h in hearings[110:]]
    assert max(late) < max(1.0, 0.15 * apart)


def test_a_slower_mean_moves_less() -> None:
    sound = np.concatenate((tilted(MIX, -0.5), tilted(MIX, 0.5)))
    moved = []
    for speed_s in (0.3, 1.0, 5.0):
        hearings = listen(sound, config=ListenerConfig(speed_s=speed_s))
        moved.append(rms(curve(hearings[115]) - curve(hearings[99])))
    assert moved[0] > moved[1] > moved[2]


def test_loudness_is_that_of_the_meter() -> None:
    meter = LoudnessMeter(FS, 2)
    meter.feed(MIX)
    theirs = meter.integrated(0)
    assert theirs is not None
    assert listen(MIX)[-1].energy_db == pytest.approx(theirs, abs=1.0)


def test_damage_is_silence() -> None:
    bad = MIX.copy()
    bad[50_000:50_010] = np.nan
    bad[90_000] = 1e30
    assert all(np.isfinite(curve(h)).all() for h in listen(bad)[10:])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window_s", 0.5),
        ("every_s", 0.0),
        ("speed_s", float("nan")),
        ("gate_lufs", 1.0),
        ("gate_lu", 0.0),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(SettingsError, match=name):
        ListenerConfig(**{name: value})
