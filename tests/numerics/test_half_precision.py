"""float16 and bfloat16 are lifted before anything is added up: the answer of the lifted numbers."""

import array_api_compat
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.measures.records import RECORDS, allowing, every_record, given, over

import visavis as vv

# From float32 NumPy to half precision in a library, and from there to float32.
HALVES = {
    "numpy float16": (lambda x: x.astype(np.float16), lambda x: x.astype(np.float32)),
    "ml_dtypes bfloat16": (lambda x: x.astype(ml_dtypes.bfloat16), lambda x: x.astype(np.float32)),
    "torch float16": (lambda x: torch.tensor(x).half(), lambda x: x.float()),
    "torch bfloat16": (lambda x: torch.tensor(x).bfloat16(), lambda x: x.float()),
    "jax float16": (lambda x: jnp.asarray(x, jnp.float16), lambda x: x.astype(jnp.float32)),
    "jax bfloat16": (lambda x: jnp.asarray(x, jnp.bfloat16), lambda x: x.astype(jnp.float32)),
}
every_half = pytest.mark.parametrize("half", HALVES)

# Entries up to 4e4 below float16's largest, 65504: one square overflows. And entries so small
# that squares vanish in it.
SIZES = {"plain": 1.0, "near the largest": 1e4, "near the smallest": 1e-6}


def of_size(size, n=40):
    X, Y = related(n=n, p=6, q=5)
    return [(each * SIZES[size]).clip(-6e4, 6e4).astype(np.float32) for each in (X, Y)]


def held_in_float32(measure):
    """Whether float32 holds the answer to features up to 4e4."""
    kernel = str(measure.settings.get("kernel"))
    # HSIC of cubes is a sixth power; entries of a Gram matrix are given, not computed.
    return kernel != "precomputed" and (measure.name, kernel) != ("hsic", "polynomial(3)")


@every_half
@every_record
def test_answer_of_the_lifted_numbers(measure, half):
    shrink, lift = HALVES[half]
    measure = allowing(measure)
    X, Y = (shrink(each.astype(np.float32)) for each in given(measure, *of_size("plain")))
    answer = measure(X, Y)
    reference = measure(lift(X), lift(Y))
    assert answer.dtype == reference.dtype == lift(X).dtype
    assert float(answer) == float(reference)


@pytest.mark.parametrize("size", ["near the largest", "near the smallest"])
@pytest.mark.parametrize("half", ["numpy float16", "torch float16", "torch bfloat16"])
@over([each for each in RECORDS if held_in_float32(each)])
def test_squares_that_half_precision_cannot_hold(measure, half, size):
    shrink, lift = HALVES[half]
    measure = allowing(measure)
    X, Y = (shrink(each) for each in of_size(size))
    assert float(measure(X, Y)) == float(measure(lift(X), lift(Y)))


@every_half
@pytest.mark.parametrize("measure", [vv.cka, vv.procrustes, vv.cca])
def test_sums_over_many_rows(measure, half):
    # A mean of 3000 entries of size 1e4 overflows float16 at the seventh, and bfloat16 stops
    # growing at the 256th.
    shrink, lift = HALVES[half]
    X, Y = (shrink(abs(each)) for each in of_size("near the largest", n=3000))
    answer = measure(X, Y)
    namespace = array_api_compat.array_namespace(answer)
    assert answer.dtype == namespace.float32
    X, Y = (np.asarray(lift(each)).astype(float) for each in (X, Y))
    assert float(answer) == pytest.approx(float(measure(X, Y)), abs=1e-6)


@every_half
def test_streamed_half_precision(half):
    shrink, lift = HALVES[half]
    X, Y = (shrink(each) for each in of_size("near the largest"))
    moments = vv.Moments.empty().update(X[:17], Y[:17]).update(X[17:], Y[17:])
    assert float(moments.cka()) == pytest.approx(float(vv.cka(lift(X), lift(Y))), abs=1e-6)


def test_an_overflow_before_us_is_named():
    X, Y = of_size("plain")
    X[3, 2] = 7e4
    with np.errstate(over="ignore"):
        X = X.astype(np.float16)
    match = "`X` must be finite, got inf at row 3, column 2 .*Half precision overflows above 65504"
    with pytest.raises(vv.DegenerateInputError, match=match):
        vv.cka(X, Y.astype(np.float16))
