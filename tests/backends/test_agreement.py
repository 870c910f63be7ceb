"""Every record in every library: the answer of NumPy, and nothing moved, converted or changed."""

import math

import numpy as np
import pytest
from tests.backends.libraries import LIBRARIES, SHAPES, as_numpy, same_home
from tests.data_makers import related
from tests.measures.records import allowing, broad, every_record, given

import visavis as vv

# Arrays of JAX cannot change, and the read-only ones of NumPy raise where someone tries.
MUTABLE = [LIBRARIES[name] for name in ("numpy", "array_api_strict", "torch")]


@every_record
def test_answer_of_numpy(measure, home):
    # The reference is NumPy in float64 on the values that the library was given: the answers
    # differ by what float32 loses and by the order in which sums are taken.
    put, shape = home
    measure = allowing(measure)
    shape = {"n": shape["n"], "p": broad(measure, shape["p"]), "q": broad(measure, shape["q"])}
    X, Y = (put(each) for each in given(measure, *related(**shape, seed=1)))
    held = [as_numpy(each).astype("float64") for each in (X, Y)]
    reference = float(measure(*held))

    answer = measure(X, Y)

    assert answer.shape == ()
    assert same_home(answer, X)
    rel = 1e-12 if "float64" in str(X.dtype) else 2e-6
    assert float(answer) == pytest.approx(reference, rel=rel, abs=rel * size(measure, *held))


def size(measure, X, Y):
    """The size of what the answer is a difference of: a debiased HSIC may be near zero."""
    if measure.name != "hsic":
        return 1.0
    alone = measure.with_options(estimator="biased")
    return math.sqrt(float(alone(X, X)) * float(alone(Y, Y)))


@pytest.mark.parametrize("library", MUTABLE, ids=[each.name for each in MUTABLE])
@pytest.mark.parametrize("shape", ["tall", "wide"])
@every_record
def test_input_is_not_changed(measure, library, shape):
    measure = allowing(measure)
    X, Y = (library.array(each) for each in given(measure, *related(**SHAPES[shape], seed=1)))
    before = [as_numpy(each).copy() for each in (X, Y)]
    measure(X, Y)
    np.testing.assert_array_equal(as_numpy(X), before[0])
    np.testing.assert_array_equal(as_numpy(Y), before[1])


@pytest.mark.parametrize("library", MUTABLE, ids=[each.name for each in MUTABLE])
@every_record
def test_one_array_on_both_sides(measure, library):
    measure = allowing(measure)
    X, _ = given(measure, *related(**SHAPES["tall"], seed=1))
    X, copy = library.array(X), library.array(X)
    assert float(measure(X, X)) == float(measure(X, copy))


def test_float32_stays_where_float64_is_to_be_had(xp):
    X, Y = (xp.array(each.astype("float32")) for each in related(**SHAPES["tall"]))
    assert vv.cka(X, Y).dtype == xp.dtype("float32")
    assert vv.procrustes(X, Y).dtype == xp.dtype("float32")


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "bool"])
def test_integers_are_lifted_to_the_widest_float(xp, kind):
    X, Y = ((4 * each).round().clip(0, 100).astype(kind) for each in related(**SHAPES["tall"]))
    answer = vv.cka(xp.array(X), xp.array(Y))
    assert answer.dtype == xp.dtype(xp.dtypes[-1])
    assert float(answer) == pytest.approx(float(vv.cka(X.astype(float), Y.astype(float))), abs=1e-6)


def test_sides_of_different_floats_meet_in_the_wider(xp):
    X, Y = related(**SHAPES["tall"])
    X, Y = X.astype("float32"), Y.astype(xp.dtypes[-1])
    answer = vv.cka(xp.array(X), xp.array(Y))
    assert answer.dtype == xp.dtype(xp.dtypes[-1])
    assert float(answer) == pytest.approx(float(vv.cka(X.astype(float), Y.astype(float))), abs=1e-6)
