import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import semeq.engine.jit  # noqa: F401 (the compiled loop is used where this is loaded)
from semeq.engine.fit import bounds, refine
from semeq.engine.fit_kernel import _solve, write_response
from semeq.engine.responses import prototypes_db
from semeq.engine.units import Floats

FREQS_HZ: Floats = np.geomspace(20.0, 20_000.0, 61)
LIMITS = bounds(None, 12.0)
#: Rounding: sums in another order. 1e-12 was measured at worst.
SAME = 1e-10


def bands(seed: int) -> Floats:
    drawn: Floats = np.random.default_rng(seed).uniform(LIMITS[0], LIMITS[1])
    return drawn


@given(seed=st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_compiled_it_says_what_the_arrays_say(seed: int) -> None:
    response, slopes = np.empty(61), np.empty((61, 21))
    write_response(bands(seed), FREQS_HZ, response, slopes)
    wanted, wanted_slopes = prototypes_db(bands(seed), FREQS_HZ)
    np.testing.assert_allclose(response, wanted, atol=SAME)
    np.testing.assert_allclose(slopes.T, wanted_slopes, atol=SAME)


def test_the_source_says_the_same_uncompiled() -> None:
    response, slopes = np.empty(61), np.empty((61, 21))
    write_response.py_func(bands(3), FREQS_HZ, response, slopes)  # type: ignore[attr-defined]
    np.testing.assert_allclose(response, prototypes_db(bands(3), FREQS_HZ)[0], atol=SAME)


def test_one_curve_and_many_are_fitted_alike() -> None:
    curves = np.random.default_rng(1).normal(0.0, 1.0, (4, 61)).cumsum(axis=1)
    start = np.broadcast_to(bands(5), (4, 7, 3))
    fixed = frozenset({2})
    many = refine(start, curves, FREQS_HZ, limits=LIMITS, iterations=10, fixed=fixed)
    for k, curve in enumerate(curves):
        one = refine(bands(5), curve, FREQS_HZ, limits=LIMITS, iterations=10, fixed=fixed)
        np.testing.assert_allclose(one, many[k], atol=1e-7)


@given(seed=st.integers(0, 10_000), size=st.integers(1, 21))
@settings(max_examples=30, deadline=None)
def test_it_solves_what_it_is_for(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    slopes = rng.standard_normal((size, 61))
    matrix = slopes @ slopes.T / 61.0 + np.diag(rng.uniform(0.005, 2.0, size))
    x = rng.standard_normal(size)
    wanted = np.linalg.solve(matrix, x)
    _solve(matrix, x)
    np.testing.assert_allclose(x, wanted, rtol=1e-9, atol=1e-10)


def test_no_compiler_is_loaded_for_it() -> None:
    code = (
        "import sys, numpy as np, semeq.engine.fit as fit;"
        "fit.refine(np.zeros((7, 3)), np.zeros(9), np.arange(1.0, 10.0), limits=(-1.0, 1.0));"
        "print('semeq.engine.fit_kernel' in sys.modules, 'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
