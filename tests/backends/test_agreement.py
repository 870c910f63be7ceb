"""Every record in every library: the answer of NumPy, and nothing moved, converted or changed."""

import numpy as np
import pytest
from tests.backends.libraries import as_numpy, same_home
from tests.data_makers import related
from tests.measures.records import allowing, every_record, given, sides

# Fixed, for JAX compiles and torch dispatches for each: features are cheaper, Gram matrices are,
# one feature, sides of either kind.
SHAPES = {
    "tall": {"n": 40, "p": 6, "q": 5},
    "wide": {"n": 10, "p": 30, "q": 20},
    "single": {"n": 12, "p": 1, "q": 1},
    "mixed": {"n": 9, "p": 3, "q": 25},
}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@every_shape
@every_record
def test_answer_of_numpy(measure, home, shape):
    # The reference is NumPy in float64 on the values that the library was given: the answers
    # differ by what float32 loses and by the order in which sums are taken.
    measure = allowing(measure)
    originals = given(measure, *related(**shape, seed=1))
    X, Y = (home(each) for each in originals)
    held = [as_numpy(each) for each in (X, Y)]
    reference = measure(*(each.astype("float64") for each in held))

    answer = measure(X, Y)

    assert answer.shape == ()
    assert same_home(answer, X)
    rel = 1e-12 if "float64" in str(X.dtype) else 2e-6
    assert float(answer) == pytest.approx(float(reference), rel=rel, abs=rel * size(measure, *held))


def size(measure, X, Y):
    """The size of what the answer is a difference of: a debiased HSIC may be near zero."""
    if measure.name != "hsic":
        return 1.0
    alone = measure.with_options(estimator="biased")
    x, y = (float(alone(each.astype("float64"), each.astype("float64"))) for each in (X, Y))
    return float(np.sqrt(x * y))


@every_record
def test_input_is_not_changed(measure, home):
    measure = allowing(measure)
    originals = given(measure, *related(**SHAPES["wide"], seed=1))
    X, Y = (home(each) for each in originals)
    before = [as_numpy(each).copy() for each in (X, Y)]
    measure(X, Y)
    np.testing.assert_array_equal(as_numpy(X), before[0])
    np.testing.assert_array_equal(as_numpy(Y), before[1])


@every_record
def test_one_array_on_both_sides(measure, xp):
    measure = allowing(measure)
    if (kernels := sides(measure)) is not None:
        assert kernels[0] == kernels[1]
    X, _ = given(measure, *related(**SHAPES["tall"], seed=1))
    X = xp.array(X.astype(xp.dtypes[-1]))
    perfect = {"similarity": 1.0, "distance": 0.0}[measure.direction]
    if measure.name == "hsic" or "canonical_ridge(kappa=(10" in measure.label:
        perfect = float(measure(as_numpy(X), as_numpy(X)))  # no fixed value, but that of NumPy
    assert float(measure(X, X)) == pytest.approx(perfect, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_x64_of_jax_widens_no_answer(dtype):
    import jax
    import jax.numpy as jnp
    import visavis as vv

    with jax.enable_x64(True):
        X, Y = (jnp.asarray(each.astype(dtype)) for each in related(**SHAPES["tall"]))
        assert vv.cka(X, Y).dtype == dtype
        assert vv.procrustes(X, Y).dtype == dtype


@pytest.mark.parametrize("kind", ["int8", "uint8", "int64", "bool"])
def test_integers_are_lifted_to_the_widest_float(xp, kind):
    import visavis as vv

    X, Y = ((4 * each).round().clip(0, 100).astype(kind) for each in related(**SHAPES["tall"]))
    if xp.name == "jax" and kind == "int64":
        X, Y = (each.astype("int32") for each in (X, Y))  # what JAX makes of int64 without x64
    answer = vv.cka(xp.array(X), xp.array(Y))
    assert answer.dtype == xp.dtype(xp.dtypes[-1])
    assert float(answer) == pytest.approx(float(vv.cka(X.astype(float), Y.astype(float))), abs=1e-6)


def test_sides_of_different_floats_meet_in_the_wider(xp):
    import visavis as vv

    X, Y = related(**SHAPES["tall"])
    X, Y = X.astype("float32"), Y.astype(xp.dtypes[-1])
    answer = vv.cka(xp.array(X), xp.array(Y))
    assert answer.dtype == xp.dtype(xp.dtypes[-1])
    assert float(answer) == pytest.approx(float(vv.cka(X.astype(float), Y.astype(float))), abs=1e-6)
