"""Column means far from zero: what they take from the answer is what they took from the input."""

import numpy as np
import pytest
from tests.data_makers import related
from tests.measures.records import RECORDS, allowing, oracle, over

import visavis as vv
from visavis.measures.measure import TRANSLATION

CENTRED = [each for each in RECORDS if TRANSLATION in each.invariant_to]

# Where features are the cheaper form, and where Gram matrices are.
SHAPES = {"features": {"n": 200, "p": 12, "q": 10}, "gram": {"n": 20, "p": 100, "q": 80}}
every_form = pytest.mark.parametrize("form", SHAPES)


def moved(form, by, dtype):
    """The related pair with means `by` standard deviations from zero, of either sign."""
    X, Y = related(**SHAPES[form])
    signs = np.random.default_rng(1).choice([-1.0, 1.0], size=(2, 100))
    X, Y = X + by * signs[0, : X.shape[1]], Y + by * signs[1, : Y.shape[1]]
    return X.astype(dtype), Y.astype(dtype)


@every_form
@pytest.mark.parametrize("by", [1e4, 1e6])
@over(CENTRED)
def test_float32(measure, form, by):
    # Of float32's 24 bits an offset of 1e4 leaves ten for the deviations, and 1e6 leaves four. But
    # the oracle sees the same numbers, and to subtract their mean from them is exact but for the
    # rounding of the mean, which centring again removes. So 1e-6, as without an offset.
    measure = allowing(measure)
    X, Y = moved(form, by, np.float32)
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=1e-6, abs=1e-6)


@every_form
@pytest.mark.parametrize("by", [1e4, 1e12])
@over(CENTRED)
def test_float64(measure, form, by):
    measure = allowing(measure)
    X, Y = moved(form, by, np.float64)
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=1e-10, abs=1e-10)


@every_form
@pytest.mark.parametrize(("dtype", "by"), [(np.float32, 2.0**22), (np.float64, 2.0**50)])
@over(CENTRED)
def test_offset_that_rounds_nothing(measure, form, dtype, by):
    # Small integers beside a large one are held exactly, so nothing may change at all; what does
    # is the order in which rounded sums are taken.
    measure = allowing(measure)
    X, Y = (np.rint(each.clip(-1, 1)).astype(dtype) for each in related(**SHAPES[form]))
    rel = 1e-6 if dtype == np.float32 else 1e-12
    plain = float(measure(X, Y))
    assert float(measure(X + dtype(by), Y - dtype(by))) == pytest.approx(plain, rel=rel, abs=rel)


@pytest.mark.parametrize("rows", [4, 5, 40])
def test_constant_column_becomes_exactly_zero(rows):
    # The mean of n times 0.1 is not 0.1; what is left of it must not count as a direction.
    X, Y = (each.astype(np.float32) for each in related(n=rows, p=2, q=2))
    dead = np.full((rows, 1), 0.1, np.float32)
    with_dead = float(vv.cca(np.hstack([X, dead]), Y, allow_saturated=True))
    assert with_dead == pytest.approx(float(vv.cca(X, Y, allow_saturated=True)), rel=1e-6)
