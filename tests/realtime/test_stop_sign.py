"""A stop that is said in the middle of a wait for it."""

import subprocess
import sys
import threading
import time

import pytest

from semeq.realtime.stop_sign import StopSign

#: A signal comes every 30 µs or so and sets whatever is waited for at that moment, some ten thousand times.
STORM = """
import signal, time
from semeq.realtime.stop_sign import StopSign
signs, count = [StopSign()], 0
signal.signal(signal.SIGALRM, lambda number, frame: signs[0].set())
signal.setitimer(signal.ITIMER_REAL, 3e-5, 3e-5)
end = time.monotonic() + 2.0
while time.monotonic() < end:
    signs[0] = sign = StopSign()
    for _ in range(20):
        sign.wait(1e-4)
    count += sign.is_set()
signal.setitimer(signal.ITIMER_REAL, 0.0)
print(count)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no interval timer")
def test_a_signal_in_the_middle_of_a_wait_hangs_nothing() -> None:
    """With a `threading.Event` in its place this dies within a moment."""
    command = [sys.executable, "-c", STORM]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60.0)
    assert int(done.stdout) > 100


def test_it_wakes_who_waits_and_stays_set() -> None:
    sign = StopSign()
    began = time.monotonic()
    assert not sign.wait(0.02)
    assert not sign.wait(-1.0)
    assert time.monotonic() - began < 5.0
    threading.Timer(0.05, sign.set).start()
    assert sign.wait(30.0)
    sign.set()
    assert sign.is_set()
    assert sign.wait(30.0)
    assert sign.wait(30.0)
    assert time.monotonic() - began < 20.0
