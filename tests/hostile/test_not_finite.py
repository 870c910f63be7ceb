"""NaN and infinity: found by row and column, on failure alone."""

import array_api_strict
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.measures.records import allowing, every_record, given

import visavis as vv
from visavis._core import checks

SHAPES = {"features": {"n": 20, "p": 6, "q": 5}, "gram": {"n": 14, "p": 60, "q": 50}}
every_form = pytest.mark.parametrize("form", SHAPES)
every_side = pytest.mark.parametrize("side", ["X", "Y"])
every_value = pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)


def place(array, *labels):
    """A row and a column that differ from one case to the next."""
    random = np.random.default_rng(list(repr(labels).encode()))
    return tuple(int(random.integers(size)) for size in array.shape)


@every_value
@every_side
@every_form
@every_record
def test_located(measure, form, side, value):
    measure = allowing(measure)
    arrays = dict(zip("XY", given(measure, *related(**SHAPES[form])), strict=True))
    spoiled = arrays[side]
    row, column = place(spoiled, measure.label, form, side, value)
    spoiled[row, column] = value
    match = (
        f"^{measure.name}: `{side}` must be finite, got {value} at row {row}, column {column} "
        rf"\(1 such value in 1 of {len(spoiled)} rows\)\. "
    )
    with pytest.raises(vv.DegenerateInputError, match=match):
        measure(arrays["X"], arrays["Y"])


@pytest.mark.parametrize(
    "array", [array_api_strict.asarray, torch.tensor, jnp.asarray], ids=["strict", "torch", "jax"]
)
@pytest.mark.parametrize("measure", [vv.cka, vv.hsic, vv.cca, vv.procrustes])
def test_located_in_other_libraries(measure, array):
    X, Y = (each.astype(np.float32) for each in related(n=20, p=6, q=5))
    Y[13, 4] = np.nan
    with pytest.raises(vv.DegenerateInputError, match="`Y` must be finite, got nan at row 13, col"):
        measure(array(X), array(Y))


def test_counted():
    X, Y = related(n=20, p=6, q=5)
    X[4, 1] = X[4, 3] = np.nan
    X[11, 0] = np.inf
    match = r"got nan at row 4, column 1 \(3 such values in 2 of 20 rows\)"
    with pytest.raises(vv.DegenerateInputError, match=match):
        vv.cka(X, Y)


def test_everything():
    X, Y = related(n=20, p=6, q=5)
    match = r"`X` must be finite, got nan at row 0, column 0 \(120 such values in 20 of 20 rows\)"
    with pytest.raises(vv.DegenerateInputError, match=match):
        vv.cca(X * np.nan, Y)


def test_nan_beside_a_constant_is_the_nan():
    X, Y = related(n=20, p=6, q=5)
    Y[3, 2] = np.nan
    with pytest.raises(vv.DegenerateInputError, match="`Y` must be finite, got nan at row 3"):
        vv.cka(np.ones_like(X), Y)


def test_cure():
    X, Y = related(n=20, p=6, q=5)
    X[3, 2] = np.nan
    with pytest.raises(vv.DegenerateInputError, match="Drop these rows from both sides, or find"):
        vv.cka(X, Y)


@every_form
@every_record
def test_finite_input_is_not_searched(measure, form, monkeypatch):
    def search(*_, **__):
        raise AssertionError("searched for a cause, and there is no fault")

    monkeypatch.setattr(checks, "locate", search)
    monkeypatch.setattr(checks, "_locate_not_finite", search)
    monkeypatch.setattr(checks, "_locate_constant", search)
    measure = allowing(measure)
    assert np.isfinite(measure(*given(measure, *related(**SHAPES[form]))))


def test_finite_batches_are_not_searched(monkeypatch):
    def search(*_, **__):
        raise AssertionError("searched for a cause, and there is no fault")

    monkeypatch.setattr(checks, "_locate_not_finite", search)
    X, Y = related(n=20, p=6, q=5)
    assert np.isfinite(vv.Moments.empty().update(X, Y).cka())
