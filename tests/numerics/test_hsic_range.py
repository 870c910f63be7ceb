"""HSIC is in fourth powers of the features' unit: exact while it can be held, named when not."""

import numpy as np
import pytest
from tests.data_makers import related
from tests.oracles import exact

import visavis as vv

# n, p, q of features and of Gram matrices.
SHAPES = {"features": (12, 4, 3), "gram": (6, 30, 20)}
every_form = pytest.mark.parametrize("form", SHAPES)
estimators = pytest.mark.parametrize("estimator", ["debiased", "biased"])


def pair(form, scale, dtype):
    n, p, q = SHAPES[form]
    return [(each * scale).astype(dtype) for each in related(n=n, p=p, q=q)]


@estimators
@every_form
@pytest.mark.parametrize(
    ("dtype", "scale", "rel"),
    [
        (np.float64, 1e-75, 1e-11),
        (np.float64, 1e-30, 1e-11),
        (np.float64, 1e30, 1e-11),
        (np.float64, 1e75, 1e-11),
        (np.float32, 1e-8, 1e-5),
        (np.float32, 1e8, 1e-5),
    ],
)
def test_representable(form, dtype, scale, rel, estimator):
    X, Y = pair(form, scale, dtype)
    expected = exact.hsic(X, Y, estimator=estimator)
    assert float(vv.hsic(X, Y, estimator=estimator)) == pytest.approx(expected, rel=rel)


@every_form
def test_sides_whose_scales_cancel(form):
    # Either square alone is out of range.
    X, _ = pair(form, 1e-120, np.float64)
    _, Y = pair(form, 1e120, np.float64)
    expected = exact.hsic(X * 2.0**400, Y * 2.0**-400)
    assert float(vv.hsic(X, Y)) == pytest.approx(expected, rel=1e-11)


@estimators
@every_form
@pytest.mark.parametrize(("dtype", "scale"), [(np.float64, 1e80), (np.float32, 1e12)])
def test_too_large(form, dtype, scale, estimator):
    match = rf"^hsic: .*cannot be represented in {np.dtype(dtype).name}: rescale the input"
    with pytest.raises(vv.DegenerateInputError, match=match):
        vv.hsic(*pair(form, scale, dtype), estimator=estimator)


@estimators
@every_form
@pytest.mark.parametrize(("dtype", "scale"), [(np.float64, 1e-90), (np.float32, 1e-14)])
def test_too_small(form, dtype, scale, estimator):
    match = f"^hsic: the value is too small for {np.dtype(dtype).name}. Rescale .*or use cka"
    with pytest.raises(vv.DegenerateInputError, match=match):
        vv.hsic(*pair(form, scale, dtype), estimator=estimator)


def test_zero_is_no_underflow():
    X, Y = related(n=12, p=4, q=3)
    assert float(vv.hsic(np.full_like(X, 0.1), Y)) == 0.0
