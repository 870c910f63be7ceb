"""Input that leaves nothing to compare: argument, what was seen and cure, never a number."""

import numpy as np
import pytest
from tests.data_makers import related
from tests.measures.records import RECORDS, allowing, given, over

import visavis as vv
from visavis.measures.measure import SCALING, TRANSLATION

SHAPES = {"features": {"n": 20, "p": 6, "q": 5}, "gram": {"n": 14, "p": 60, "q": 50}}
every_form = pytest.mark.parametrize("form", SHAPES)
every_side = pytest.mark.parametrize("side", ["X", "Y"])
every_estimator = pytest.mark.parametrize("estimator", ["debiased", "biased"])
bandwidth_kernels = pytest.mark.parametrize("kernel", ["rbf", "laplacian"])

CENTRED = [each for each in RECORDS if TRANSLATION in each.invariant_to]
SCALE_FREE = [each for each in CENTRED if SCALING in each.invariant_to]


def named(measure):
    """The name of the measure's kernel, or "" without one."""
    return str(measure.settings.get("kernel", "")).split("(")[0]


# HSIC with a constant is zero by definition, if its kernel needs no bandwidth.
ZERO = [each for each in RECORDS if each.name == "hsic" and named(each) not in {"rbf", "laplacian"}]
NO_ANSWER = [each for each in RECORDS if each not in ZERO]


def beside(side, special, other):
    """Both arguments, the special one on that side."""
    return (special, other) if side == "X" else (other, special)


def constant_case(measure, form, side, value):
    """The related pair with one side constant, as the measure takes it."""
    X, Y = related(**SHAPES[form])
    special = np.full_like(X if side == "X" else Y, value)
    return given(measure, *beside(side, special, Y if side == "X" else X))


@pytest.mark.parametrize("value", [0.1, 1e4 / 3, -1e30])
@every_side
@every_form
@over(NO_ANSWER)
def test_constant(measure, form, side, value):
    X, Y = constant_case(measure, form, side, value)
    match = (
        rf"^{measure.name}: `{side}` must vary over the samples, got {len(X)} identical rows\. "
        r"A constant \(dead\) layer has no similarity to anything: leave it out\."
    )
    with pytest.raises(vv.DegenerateInputError, match=match):
        allowing(measure)(X, Y)


@every_side
@every_form
@over([each for each in NO_ANSWER if named(each) not in {"cosine", "precomputed"}])
def test_zero(measure, form, side):
    X, Y = constant_case(measure, form, side, 0.0)
    match = f"^{measure.name}: `{side}` must vary over the samples, got {len(X)} identical rows"
    with pytest.raises(vv.DegenerateInputError, match=match):
        allowing(measure)(X, Y)


@pytest.mark.parametrize("value", [0.1, 1e4 / 3, -1e3])
@every_side
@every_form
@over(ZERO)
def test_constant_has_hsic_zero(measure, form, side, value):
    X, Y = constant_case(measure, form, side, value)
    # Cubes of 1e6 and a few roundings of them, where the kernel is not centred first.
    size = float(measure(Y, Y) if side == "X" else measure(X, X))
    assert float(measure(X, Y)) == pytest.approx(0.0, abs=1e-9 * abs(size))


@every_form
@over([each for each in CENTRED if each.constant_features == "ignored"])
def test_dead_columns_change_nothing(measure, form):
    X, Y = related(**SHAPES[form])
    dead = np.tile([0.0, 0.1, 1e4 / 3, -1e8], (len(X), 1))
    measure = allowing(measure)
    alive = float(measure(X, Y))
    assert float(measure(np.hstack([dead, X]), Y)) == pytest.approx(alive, rel=1e-12, abs=1e-13)
    assert float(measure(X, np.hstack([Y, dead]))) == pytest.approx(alive, rel=1e-12, abs=1e-13)


@every_side
@every_form
@over([each for each in CENTRED if each.constant_features == "refused"])
def test_dead_columns_are_named(measure, form, side):
    X, Y = related(**SHAPES[form])
    special = X.copy()
    special[:, [1, 4]] = 0.1, -1e8
    match = f"^{measure.name}: `{side}` has units that do not vary .*: columns 1, 4\\. Leave them "
    with pytest.raises(vv.DegenerateInputError, match=match):
        measure(*beside(side, special, Y))


@every_form
@over(SCALE_FREE)
def test_every_column_twice_changes_nothing(measure, form):
    # Twice the Gram matrix, the same span, the same principal axes.
    X, Y = related(**SHAPES[form])
    measure = allowing(measure)
    once = float(measure(X, Y))
    twice = float(measure(np.hstack([X, X]), np.hstack([Y, Y])))
    assert twice == pytest.approx(once, rel=1e-12, abs=1e-13)


@every_side
@pytest.mark.parametrize("kernel", ["linear", "rbf", "cosine", "laplacian"])
def test_equidistant_rows(kernel, side):
    # The centred Gram matrix of one-hot rows is a multiple of the identity, and without its
    # diagonal nothing.
    X, Y = beside(side, np.eye(10), related(n=10, p=4, q=3)[0])
    match = f"^cka: `{side}` .*equally far .*one-hot"
    with pytest.raises(vv.DegenerateInputError, match=match):
        vv.cka(X, Y, kernel=kernel)


def test_equidistant_rows_have_a_biased_value():
    Y, _ = related(n=10, p=4, q=3)
    assert 0 < vv.cka(np.eye(10), Y, estimator="biased") < 1


@every_side
def test_one_row_apart_from_identical_ones(side):
    # Nine equal rows and another: no two different samples tell anything about each other.
    lone = np.zeros((10, 4))
    lone[3] = [1.0, 2.0, -1.0, 0.5]
    X, Y = beside(side, lone, related(n=10, p=4, q=3)[0])
    with pytest.raises(vv.DegenerateInputError, match=f"^cka: `{side}` "):
        vv.cka(X, Y)


def repeating(rows, times):
    """Rows of which the first stands there `times` over."""
    X, Y = related(n=rows, p=4, q=3)
    X[:times] = X[0]
    return X, Y


@every_estimator
@every_side
@bandwidth_kernels
@pytest.mark.parametrize("measure", [vv.cka, vv.hsic])
def test_median_distance_of_zero(measure, kernel, side, estimator):
    # 8 of 10 rows alike are 28 of 45 pairs.
    X, Y = beside(side, *repeating(10, 8))
    match = f"^{measure.__name__}: `{side}` .*median distance .*zero.* Drop the duplicate rows"
    with pytest.raises(vv.DegenerateInputError, match=match):
        measure(X, Y, kernel=kernel, estimator=estimator)


@bandwidth_kernels
def test_fewer_repetitions_leave_a_bandwidth(kernel):
    # 7 of 10 rows alike are 21 of 45 pairs: less than half.
    assert np.isfinite(vv.cka(*repeating(10, 7), kernel=kernel))


@every_side
@pytest.mark.parametrize("measure", [vv.cka, vv.hsic])
def test_zero_row_has_no_angle(measure, side):
    X, Y = related(n=10, p=4, q=4)
    special = X.copy()
    special[6] = 0.0
    match = f"^{measure.__name__}: `{side}` .*all-zero row.*row 6.* use the linear kernel"
    with pytest.raises(vv.DegenerateInputError, match=match):
        measure(*beside(side, special, Y), kernel="cosine")


@every_side
@pytest.mark.parametrize("measure", [vv.cka, vv.hsic])
def test_precomputed_is_no_gram_matrix(measure, side):
    X, Y = related(n=10, p=4, q=3)
    K, L = X @ X.T, Y @ Y.T
    bent = K.copy()
    bent[2, 5] += 0.25
    match = f"^{measure.__name__}: `{side}` must be symmetric, got entries that differ .*up to 0.25"
    with pytest.raises(ValueError, match=match):
        measure(*beside(side, bent, L), kernel="precomputed")


@every_side
@pytest.mark.parametrize("measure", [vv.cka, vv.hsic])
def test_precomputed_is_not_square(measure, side):
    X, Y = related(n=10, p=4, q=3)
    match = rf"^{measure.__name__}: `{side}` must be square \(n, n\), got shape \(10, 4\)"
    with pytest.raises(ValueError, match=match):
        measure(*beside(side, X, Y @ Y.T), kernel="precomputed")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_of_a_gram_matrix_is_no_asymmetry(dtype):
    X, Y = (each.astype(dtype) for each in related(n=30, p=200, q=100))
    K = np.einsum("ip,jp->ij", X, X) * (1 + np.finfo(dtype).eps * np.tri(30, dtype=dtype))
    assert np.isfinite(vv.cka(K, Y @ Y.T, kernel="precomputed"))
