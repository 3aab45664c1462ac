"""What libjack holds in memory tells whether a client of ours would ever be called."""

import pytest

from semeq.realtime.jack import is_deaf

OTHERS = """7f01-7f02 r-xp 00000000 08:01 99 /usr/lib/x86_64-linux-gnu/libjack.so.0
7fdd-7fde rw-s 00000000 00:15 22582 /dev/shm/jack_sem.0_default_freewheel
7fde-7fdf rw-s 00000000 00:15 22580 /dev/shm/jack_sem.0_default_system
"""
LEFT = "7fdf-7fe0 rw-s 00000000 00:15 22614 /dev/shm/jack_sem.0_default_lsp (deleted)\n"


def own(name: str) -> str:
    return f"7fe1-7fe2 rw-s 00000000 00:15 22590 /dev/shm/jack_sem.0_default_{name}\n"


@pytest.mark.parametrize("name", ["semeq", "semeq-01", "my eq"])
def test_who_has_a_call_of_its_own_hears(name: str) -> None:
    assert not is_deaf(name, OTHERS + own(name))
    assert not is_deaf(name, own(name) + OTHERS + LEFT)


def test_who_has_the_call_of_one_that_left_is_deaf() -> None:
    """As found in a session that was never called."""
    assert is_deaf("semeq", OTHERS + LEFT)
    assert is_deaf("semeq", OTHERS + own("semeq").rstrip() + " (deleted)\n")
    assert is_deaf("semeq", OTHERS + own("semeq-look"))


def test_names_are_as_in_files() -> None:
    assert not is_deaf("a/b", OTHERS + own("a_b"))


def test_other_libjacks_have_no_such_files() -> None:
    assert not is_deaf("semeq", OTHERS.splitlines()[0])
    assert not is_deaf("semeq", "")
