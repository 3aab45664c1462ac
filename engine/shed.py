"""What the audio path leaves out while the machine is too slow for all of it, in a stated order.

First what nobody hears: the meters. Then the limiter looks at the samples only and no longer between them;
its delay stays, so nothing moves in time. Last the filters rest, once the bypass fade has ended and nothing
of them is heard. Each level leaves out what the ones before it do. Levels change by a `ControlSet`, hence at
a frame that a control log knows: a take renders again bit for bit.
"""

from semeq.engine.chain_state import SHED, ChainState
from semeq.engine.interpolators import TAPS
from semeq.engine.jit import jit
from semeq.engine.limiter import BETWEEN, HOT, SAMPLES_ONLY

#: Levels; so many are there.
NOTHING, METERS, LOOK_AHEAD, FILTERS = range(4)
LEVELS = 4


@jit
def set_shed(chain: ChainState, level: int) -> None:
    """Leave out what belongs to `level` from this frame on."""
    chain.ints[SHED] = level
    limiter = chain.limiter_ints
    samples_only = 1 if level >= LOOK_AHEAD else 0
    if samples_only != limiter[SAMPLES_ONLY]:
        limiter[SAMPLES_ONLY] = samples_only
        limiter[HOT] = TAPS + 1  # from this frame on no peak is missed
        chain.limiter_floats[BETWEEN] = 0.0
