"""What a session does again and again beside the sound, each in a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from semeq.realtime.record import InputRecorder
from semeq.realtime.stream import LiveStream
from semeq.realtime.tap import TAP_FRAMES

TAP_EVERY_S = 0.05


@contextmanager
def repeating(every_s: float, job: Callable[[], None]) -> Iterator[None]:
    """Run `job` in a thread of its own every so often."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(every_s):
            job()

    thread = threading.Thread(target=work, name="semeq-helper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextmanager
def recording(
    path: Path,
    stream: LiveStream,
    say: Callable[[str], None],
    on_end: Callable[[int], None] = lambda frames: None,
) -> Iterator[None]:
    """Write what comes in to a file, damage and all; a disk that is too slow is said.

    `on_end` is told up to which frame of the stream the file goes.
    """
    recorder = InputRecorder(path, stream.fs, stream.in_channels, say)
    read = 0

    def copy() -> None:
        nonlocal read
        written = stream.tap.written
        if written - read > TAP_FRAMES // 2:
            say(f"the recorded input misses {written - read} frames: the disk is too slow")
            read = written
        if written > read:
            recorder.feed(stream.tapped(read, written))
            read = written

    try:
        with repeating(TAP_EVERY_S, copy):
            yield
        copy()
        on_end(read)
    finally:
        recorder.close()
