import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from semeq.engine.units import Audio
from semeq.realtime import callback as native
from semeq.realtime.ear_process import shared_tap
from semeq.realtime.tap import TAP_FRAMES, Tap, TapReader, opened, private_tap

FS = 48_000.0


def play(tap: Tap, audio: Audio) -> None:
    """Let the callback's own code write to the ring."""
    state = native.live_state(FS, tap.channels, tap.channels, tap=tap)
    for start in range(0, len(audio), native.MAX_FRAMES):
        block = np.ascontiguousarray(audio[start : start + native.MAX_FRAMES])
        native.run_block(state, block, np.empty_like(block))


def ramp(frames: int, first: int = 0) -> Audio:
    """Return frames that say their own number."""
    numbers = np.arange(first, first + frames, dtype=np.float32) / 2**20
    return np.stack([numbers, -numbers], axis=1)


@settings(deadline=None, max_examples=30)
@given(sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=12), most=st.integers(16, 4000))
def test_every_frame_is_read_once_and_in_order(sizes: list[int], most: int) -> None:
    tap = private_tap(2)
    reader = TapReader(tap)
    got, sent = [], 0
    for size in sizes:
        play(tap, ramp(size, sent))
        sent += size
        got.append(reader.read(most)[0])
    while reader.waiting:
        got.append(reader.read(most)[0])
    np.testing.assert_array_equal(np.concatenate(got), ramp(sent))
    assert (reader.position, reader.lost) == (sent, 0)


def test_it_begins_at_the_newest_frame() -> None:
    tap = private_tap(2)
    play(tap, ramp(1000))
    reader = TapReader(tap)
    assert len(reader.read()[0]) == 0
    play(tap, ramp(10, 1000))
    np.testing.assert_array_equal(reader.read()[0], ramp(10, 1000))


def test_who_is_too_slow_loses_frames_and_knows_how_many() -> None:
    tap = private_tap(2)
    reader = TapReader(tap)
    total = TAP_FRAMES + 12_345
    play(tap, ramp(total))
    audio, is_gap = reader.read(4096)
    assert is_gap
    assert reader.lost == total - 4096
    np.testing.assert_array_equal(audio, ramp(4096, total - 4096))
    assert reader.read()[1] is False
    assert reader.position == total


def test_what_is_overwritten_while_it_is_copied_is_not_handed_out() -> None:
    tap = private_tap(2)

    class Overrun(Tap):
        """The audio thread writes a whole ring between two looks at the counter."""

        looks = 0

        @property
        def written(self) -> int:
            self.looks += 1
            return 5000 if self.looks == 2 else 5000 + TAP_FRAMES if self.looks > 2 else 0

    reader = TapReader(Overrun(tap.counters, tap.ring))
    audio, is_gap = reader.read()
    assert (len(audio), is_gap, reader.lost) == (0, True, 5000)


def test_damage_is_heard_as_silence() -> None:
    tap = private_tap(2)
    reader = TapReader(tap)
    x = ramp(64, 1)
    x[3, 0], x[5, 1], x[7, 0] = np.nan, np.inf, 1e30
    play(tap, x)
    audio = reader.read()[0]
    assert audio[3, 0] == audio[5, 1] == audio[7, 0] == 0.0
    assert np.isfinite(audio).all()


def test_a_shared_tap_is_the_same_memory_from_both_sides() -> None:
    tap = shared_tap(2)
    reader = TapReader(opened(tap.memory, 2))
    play(tap, ramp(3000))
    np.testing.assert_array_equal(reader.read()[0], ramp(3000))
    assert tap.counters[native.FIRST_SOUND] == 1
