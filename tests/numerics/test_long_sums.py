"""Sums over many rows or features in float32, against float64 on the same numbers."""

import numpy as np
import pytest
import torch
from tests.data_makers import relu_like

import visavis as vv

MANY_ROWS = {"n": 20_000, "p": 8, "q": 7}
MANY_WIDER_ROWS = {"n": 20_000, "p": 50, "q": 40}  # where float64 products would be felt
MANY_FEATURES = {"n": 2_000, "p": 3_000, "q": 2_500}
libraries = pytest.mark.parametrize("array", [np.asarray, torch.tensor], ids=["numpy", "torch"])
estimators = pytest.mark.parametrize("estimator", ["debiased", "biased"])


def pair(shape):
    # As activations are: none negative, means of the size of deviations. Every sum of squares
    # grows with each term, and rounds each time.
    return [each.astype(np.float32) for each in relu_like(**shape)]


def error(measure, X, Y, array, **options):
    """Relative error in float32."""
    reference = float(measure(X.astype(float), Y.astype(float), **options))
    return abs(float(measure(array(X), array(Y), **options)) / reference - 1)


@libraries
@estimators
@pytest.mark.parametrize("shape", [MANY_ROWS, MANY_WIDER_ROWS], ids=["narrow", "wider"])
@pytest.mark.parametrize("measure", [vv.cka, vv.hsic])
def test_many_rows(measure, shape, array, estimator):
    assert error(measure, *pair(shape), array, estimator=estimator) < 1e-6


@libraries
@pytest.mark.parametrize(
    "measure", [vv.cca, vv.svcca, vv.pwcca, vv.linear_regression, vv.procrustes]
)
def test_many_rows_without_kernel(measure, array):
    assert error(measure, *pair(MANY_ROWS), array) < 1e-6


@libraries
@estimators
def test_many_features(array, estimator):
    # Below is a sum of 3000 products in each entry of the Gram matrix, and of four million
    # entries; the debiased value is what two thousand dimensions by chance leave of it.
    X, Y = pair(MANY_FEATURES)
    assert error(vv.cka, X, Y, array, estimator=estimator) < 1e-6


@libraries
def test_many_distances(array):
    X, Y = pair({"n": 2_000, "p": 60, "q": 50})
    assert error(vv.cka, X, Y, array, kernel="rbf") < 1e-6


def test_many_rows_streamed():
    X, Y = pair(MANY_ROWS)
    moments = vv.Moments.empty()
    for start in range(0, len(X), 128):
        moments = moments.update(X[start : start + 128], Y[start : start + 128])
    reference = vv.cka(X.astype(float), Y.astype(float))
    assert float(moments.cka()) == pytest.approx(float(reference), rel=1e-6)
