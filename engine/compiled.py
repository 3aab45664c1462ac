"""Whether compiled kernels are at hand: loading the compiler takes longer than the work it would speed up."""

import sys


def is_at_hand() -> bool:
    """Return whether the compiler is loaded, as it is wherever sound is processed."""
    return "semeq.engine.jit" in sys.modules
