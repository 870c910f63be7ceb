"""Pairwise distances, which come on an arbitrary scale."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from tests.data_makers import duplicate_rows, offset, related

from visavis import linalg
from visavis.linalg import distances

FUNCTIONS = {
    "squared euclidean": (lambda X: linalg.squared_euclidean(X)[0], "sqeuclidean"),
    "manhattan": (linalg.manhattan, "cityblock"),
}
both = pytest.mark.parametrize(("function", "metric"), FUNCTIONS.values(), ids=FUNCTIONS)


def on_one_scale(D, like):
    return D * (like.max() / D.max())


@both
@pytest.mark.parametrize("shape", [(30, 6), (30, 1), (2, 3), (12, 300)])
@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 1e-14), (np.float32, 1e-6)])
def test_distances(function, metric, shape, dtype, atol):
    X = related(n=shape[0], p=shape[1])[0].astype(dtype)
    wanted = squareform(pdist(X.astype(float), metric))
    D = on_one_scale(function(X).astype(float), wanted)
    np.testing.assert_allclose(D, wanted, rtol=0, atol=atol * wanted.max())
    np.testing.assert_array_equal(np.diag(D), 0)


@both
@pytest.mark.parametrize("by", [1e-150, 1e-30, 1e30, 1e150])
def test_extreme_scales(function, metric, by):
    X = related()[0]
    wanted = squareform(pdist(X, metric))
    np.testing.assert_allclose(on_one_scale(function(by * X), wanted), wanted, atol=1e-13)


@both
def test_a_common_offset_cancels(function, metric):
    X = offset(by=1e4)[0].astype(np.float32)
    wanted = squareform(pdist(X.astype(float), metric))
    D = on_one_scale(function(X).astype(float), wanted)
    np.testing.assert_allclose(D, wanted, rtol=0, atol=1e-6 * wanted.max())


def test_squared_distances_of_equal_rows_are_not_negative():
    D, _ = linalg.squared_euclidean(duplicate_rows(n=40, p=50)[0].astype(np.float32) + 1)
    assert D.min() == 0


def test_the_largest_norm_tells_the_rounding_error():
    X = related()[0]
    X[3] = 100 * X[3]
    _, largest = linalg.squared_euclidean(X)
    moved, _ = linalg.shifted(X)
    assert float(largest) == pytest.approx((moved**2).sum(axis=1).max(), rel=1e-14)


@pytest.mark.parametrize("entries", [1, 60, 250, 10**6])
def test_manhattan_is_the_same_in_blocks_of_any_size(monkeypatch, entries):
    X = related(n=13, p=4)[0]
    whole = linalg.manhattan(X)
    monkeypatch.setattr(distances, "MANHATTAN_ENTRIES", entries)
    np.testing.assert_array_equal(linalg.manhattan(X), whole)
    assert whole.shape == (13, 13)
