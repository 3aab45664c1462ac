import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import semeq.engine.jit  # noqa: F401 (the compiled loops are used where this is loaded)
from semeq.engine.hold import Hold, aim_of
from semeq.engine.morph import make_move
from semeq.engine.units import Floats

FREQS_HZ: Floats = np.geomspace(20.0, 20_000.0, 61)
#: Rounding: sums in another order. A halving more or less at the edge is 4e-5 dB of the step.
SAME_DB, SAME_STEP_DB = 1e-9, 1e-4


def curves(seed: int, count: int) -> Floats:
    walk: Floats = np.random.default_rng(seed).normal(0.0, 1.5, (count, 61)).cumsum(axis=1)
    walk -= walk.mean(axis=1, keepdims=True)
    return walk


@given(
    seed=st.integers(0, 10_000),
    weight=st.floats(-2.0, 2.0).filter(lambda w: abs(w) > 0.01),
    loud=st.sampled_from([0.1, 1.0, 5.0]),
)
@settings(max_examples=60, deadline=None)
def test_compiled_it_says_what_the_arrays_say(seed: int, weight: float, loud: float) -> None:
    typical, other, spectrum, heard, tried = curves(seed, 5)
    words = [("dark", weight, typical), ("a word of mine", 0.5, other)]
    one = make_move(words, loud * heard, spectrum, FREQS_HZ)
    many = make_move(words, loud * heard[None], spectrum[None], FREQS_HZ)
    np.testing.assert_allclose(one.curve_db, many.curve_db[0], atol=SAME_STEP_DB)
    assert one.hold is not None
    assert many.hold is not None
    lacks = many.hold.lacks_db(tried[None])[0]
    np.testing.assert_allclose(one.hold.lacks_db(tried), lacks, atol=SAME_STEP_DB)
    held = many.hold.held(tried[None])[0]
    np.testing.assert_allclose(one.hold.held(tried), held, atol=2.0 * SAME_STEP_DB)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_what_is_held_lacks_nothing(seed: int) -> None:
    typical, spectrum, move = curves(seed, 3)
    aim = aim_of([("bright", 1.0, typical)], FREQS_HZ)
    hold = Hold.on(aim, typical, spectrum, least_db=0.5)
    held = hold.held(move)
    assert float(hold.lacks_db(held)[0]) <= SAME_DB
    if float(hold.lacks_db(move)[0]) <= 0.0:
        assert held is move


def test_a_turned_knob_waits_for_no_compiler() -> None:
    """In a process of its own: once warm, no design brings a kernel for another type of array."""
    code = """
import numpy as np
import semeq.engine.jit
from semeq.engine import bands_kernel, fit_kernel, hold_kernel, sections_kernel
from semeq.engine.adaptive import Designer, warm_up
from semeq.engine.compensation import ProgrammeSpectrum
from semeq.engine.design import design
from semeq.engine.encoder import LATENT, Heard
from semeq.engine.recipe import Recipe
from semeq.engine.units import read_only
from semeq.presets.library import load_vocabulary
from semeq.presets.shipped_model import load_shipped_tables

model, vocabulary = load_shipped_tables(), load_vocabulary()
kernels = [
    *(fit_kernel.take_steps, fit_kernel.write_response),
    *(hold_kernel.contrast_db, hold_kernel.write_held_move),
    *(bands_kernel.write_typical, bands_kernel.write_held_bands),
    *(sections_kernel.write_decramped, sections_kernel.write_response),
]
warm_up(model, vocabulary, 48000.0)
assert all(len(kernel.signatures) == 1 for kernel in kernels)
designer, rng = Designer(model, vocabulary, 48000.0), np.random.default_rng(0)
for text in ("bright", "dark:-2", "warm + muddy:0.5"):
    for _ in range(20):
        heard = Heard(read_only(rng.normal(size=LATENT)), read_only(rng.normal(size=61)))
        settings = designer.design(Recipe.parse(text), 1.0, 1.0, heard, 0.1).settings
        design(settings, 48000.0, gain_db=ProgrammeSpectrum(48000.0).compensation_db(settings))
assert all(len(kernel.signatures) == 1 for kernel in kernels)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
