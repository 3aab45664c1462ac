"""A better place in the queue for the threads that carry a knob's move to the sound.

The audio thread has its priority from the audio system. The control threads sleep nearly always and work
for a millisecond or two when somebody turns a knob: with a low real-time priority (far below audio)
they need not wait behind whatever else keeps the machine busy. Systems that do not grant it change nothing.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: JACK's and PipeWire's audio threads run at 60 and above.
CONTROL_PRIORITY = 5
#: Plugins in processes of their own: their blocks are waited for, by nobody who must not wait.
PLUGIN_PRIORITY = 40
#: A process of real-time priority that computes for so long without a pause is ended by the system, µs.
LONGEST_SPELL_US = 400_000
#: How long one Python thread may keep the interpreter while another wants it; 5 ms by default.
SWITCH_INTERVAL_S = 0.0005


def prefer_this_thread() -> bool:
    """Ask for a real-time priority for the calling thread; return whether it was granted."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(CONTROL_PRIORITY))
    except (AttributeError, OSError):
        return False
    return True


def prefer_this_process() -> bool:
    """Ask for a plugin's priority for this process; one that spins is ended before the machine feels it."""
    try:
        import resource

        limit = (LONGEST_SPELL_US, LONGEST_SPELL_US)
        resource.setrlimit(resource.RLIMIT_RTTIME, limit)
        # its helpers' threads do not take it over
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(PLUGIN_PRIORITY))
    except (ImportError, AttributeError, OSError, ValueError):  # not Linux, or not granted
        return False
    return True


@contextmanager
def prompt_switching() -> Iterator[None]:
    """Let threads take turns more often while a session runs."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
