"""Principal axes and the tolerance by which their number is read."""

import numpy as np
import pytest
from tests.data_makers import dead_columns, decaying, duplicate_columns, related

from visavis import linalg

EPS32, EPS64 = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)
SHAPES = pytest.mark.parametrize("shape", [(30, 6), (6, 30), (12, 12), (20, 1)])
# Given in the working precision, and in less: two different decompositions.
PRECISIONS = pytest.mark.parametrize("given", [EPS64, EPS32, 2.0**-7])


def centred(n, p, seed=0):
    X = related(n=n, p=p, seed=seed)[0]
    return X - X.mean(axis=0)


@SHAPES
@PRECISIONS
def test_left_axes(shape, given):
    X = centred(*shape)
    left, values = linalg.left_axes(X, given=given)
    r = min(shape[0] - 1, shape[1])
    np.testing.assert_allclose(values[:r], np.linalg.svd(X, compute_uv=False)[:r], rtol=1e-10)
    np.testing.assert_allclose(left[:, :r].T @ left[:, :r], np.eye(r), atol=1e-10)
    np.testing.assert_allclose((left[:, :r] * values[:r] ** 2) @ left[:, :r].T, X @ X.T, atol=1e-9)
    assert np.all(np.diff(values) <= 0)


@PRECISIONS
@pytest.mark.parametrize("maker", [dead_columns, duplicate_columns])
def test_axes_beyond_the_rank_are_finite(given, maker):
    X = maker()[0]
    left, values = linalg.left_axes(X - X.mean(axis=0), given=given)
    assert np.isfinite(left).all()
    assert np.isfinite(values).all()


def test_eigen_gives_roots_in_descending_order():
    A = np.diag([4.0, 25.0, 9.0])
    values, vectors = linalg.eigen(A)
    np.testing.assert_allclose(values, [5, 3, 2])
    np.testing.assert_allclose(np.abs(vectors), np.eye(3)[:, [1, 2, 0]], atol=1e-15)


def test_an_eigenvalue_below_zero_by_rounding_is_zero():
    A = np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    A[0, 0] -= 1e-14
    values, _ = linalg.eigen(A)
    assert values[0] == pytest.approx(np.sqrt(14))
    assert np.all(values >= 0)
    assert np.all(values[1:] < 1e-6)


@pytest.mark.parametrize(("n", "p"), [(100, 10), (10, 100)])
def test_the_tolerance_of_full_precision_grows_with_the_larger_side(n, p):
    assert linalg.rank_tolerance(n, p, given=EPS64, working=EPS64) == 100 * EPS64


def test_the_tolerance_of_lower_precision_is_that_of_the_input():
    assert linalg.rank_tolerance(100, 10, given=EPS32, working=EPS64) == 10 * EPS32
    assert linalg.rank_tolerance(100, 10, given=2.0**-7, working=EPS64) == 10 * 2.0**-7
    # So many samples that the rounding error of their sums is larger still.
    assert linalg.rank_tolerance(10**11, 10, given=EPS32, working=EPS64) == 10**11 * EPS64


@pytest.mark.parametrize(("tolerance", "kept"), [(0.0, 6), (0.1, 4), (0.3, 2), (0.6, 1)])
def test_within_rank(tolerance, kept):
    # Singular values fall by half: 1, 1/2, 1/4, 1/8, 1/16, 1/32.
    values = 0.5 ** np.arange(6.0)
    vectors = np.linalg.qr(np.random.default_rng(0).standard_normal((9, 6)))[0]
    cut, held = linalg.within_rank(vectors, values, tolerance)
    np.testing.assert_array_equal(cut, vectors[:, :kept])
    np.testing.assert_array_equal(held, values[:kept])


def test_nothing_keeps_one_axis_that_is_zero():
    cut, held = linalg.within_rank(np.eye(4)[:, :3], np.zeros(3), 1e-12)
    np.testing.assert_array_equal(held, [0.0])
    np.testing.assert_array_equal(cut, np.zeros((4, 1)))


@pytest.mark.parametrize(("dtype", "rank"), [(np.float64, 6), (np.float32, 4)])
def test_what_the_input_could_not_resolve_is_no_rank(dtype, rank):
    # Two directions of 1e-8: real in float64, rounding error of the others in float32.
    X = decaying(n=40, p=4)[0]
    mixed = np.random.default_rng(0).standard_normal((4, 6))
    small = 1e-8 * np.random.default_rng(1).standard_normal((40, 6))
    X = (X @ mixed + small).astype(dtype)
    given, working = float(np.finfo(dtype).eps), EPS64
    Z = X.astype(float) - X.astype(float).mean(axis=0)
    _, values = linalg.left_axes(Z, given=given)
    tolerance = linalg.rank_tolerance(*X.shape, given=given, working=working)
    assert np.count_nonzero(values > tolerance * values[0]) == rank
