"""Scales from the smallest to the largest float: no overflow, no underflow, the same answer."""

import re

import numpy as np
import pytest
from tests.data_makers import related
from tests.measures.records import RECORDS, allowing, broad, every_record, given, oracle, over
from tests.oracles import exact

import visavis as vv
from visavis.measures.measure import SCALING

SCALE_FREE = [each for each in RECORDS if SCALING in each.invariant_to]
SHAPES = {"features": {"n": 40, "p": 6, "q": 5}, "gram": {"n": 8, "p": 60, "q": 50}}


def shape(measure, form):
    """A shape of a form, with rows for ten neighbours where they are counted."""
    counts = measure is not None and "k" in measure.defaults
    more = {"n": 14} if counts and form == "gram" else {}
    return {**SHAPES[form], **more}


every_form = pytest.mark.parametrize("form", SHAPES)
estimators = pytest.mark.parametrize("estimator", ["debiased", "biased"])


def scaled_pair(form, x, y, dtype, measure=None):
    pair = related(**shape(measure, form))
    X, Y = pair if measure is None else given(measure, *pair)
    return (X * x).astype(dtype), (Y * y).astype(dtype)


@every_form
@pytest.mark.parametrize(
    ("dtype", "powers"),
    [
        (np.float64, (490, 490)),
        (np.float64, (-490, -490)),
        (np.float64, (490, -490)),
        (np.float64, (-3, 1)),
        (np.float32, (80, 80)),
        (np.float32, (-80, -80)),
        (np.float32, (-80, 80)),
        (np.float32, (1, 7)),
    ],
)
@over(SCALE_FREE)
def test_power_of_two_changes_no_digit(measure, form, dtype, powers):
    # It changes no digit of the input. A choice made by the size of the sums may take another
    # branch, hence two units in the last place.
    measure = allowing(measure)
    plain = measure(*scaled_pair(form, 1.0, 1.0, dtype, measure))
    x, y = (2.0**power for power in powers)
    answer = measure(*scaled_pair(form, x, y, dtype, measure))
    assert float(answer) == pytest.approx(float(plain), rel=2 * float(np.finfo(dtype).eps), abs=0)


@every_form
@pytest.mark.parametrize(
    ("dtype", "x", "y", "rel"),
    [
        (np.float64, 1e150, 1e-150, 1e-12),
        (np.float64, 1e-150, 1.0, 1e-12),
        (np.float32, 1e25, 1e-25, 1e-6),
        (np.float32, 1.0, 1e25, 1e-6),
    ],
)
@over(SCALE_FREE)
def test_sides_of_different_scale(measure, form, dtype, x, y, rel):
    measure = allowing(measure)
    X, Y = scaled_pair(form, x, y, dtype, measure)
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=rel, abs=rel)


@pytest.mark.parametrize("estimator", ["debiased", "biased"])
@pytest.mark.parametrize(
    ("dtype", "scale"),
    [
        (dtype, scale)
        for dtype, scales in {
            np.float64: (1e-150, 1e-30, 3e-2, 1.0, 1e30, 1e150),
            np.float32: (1e-25, 1e-8, 3e-2, 1.0, 1e8, 1e25),
        }.items()
        for scale in scales
    ],
)
@pytest.mark.parametrize("form", SHAPES)
@pytest.mark.parametrize("kernel", ["linear", "rbf", "laplacian", "cosine"])
def test_alike_to_itself_at_every_scale(kernel, form, dtype, scale, estimator):
    X, _ = scaled_pair(form, scale, scale, dtype)
    # Its own numerator and norms: a few roundings apart.
    rel = 8 * float(np.finfo(dtype).eps)
    answer = vv.cka(X, X.copy(), kernel=kernel, estimator=estimator)
    assert float(answer) == pytest.approx(1.0, rel=rel)


@estimators
@pytest.mark.parametrize(
    ("dtype", "span", "rel"), [(np.float64, 100, 1e-12), (np.float32, 15, 1e-6)]
)
def test_columns_of_different_scale(dtype, span, rel, estimator):
    X, Y = related(n=10, p=5, q=4)
    X = (X * np.logspace(span, -span, 5)).astype(dtype)
    Y = (Y * np.logspace(-span, span, 4)).astype(dtype)
    expected = exact.cka(X, Y, estimator=estimator)
    assert float(vv.cka(X, Y, estimator=estimator)) == pytest.approx(expected, rel=rel, abs=rel)


@pytest.mark.parametrize(
    ("dtype", "scale", "rel"), [(np.float64, 1e-310, 1e-12), (np.float32, 1e-41, 1e-6)]
)
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_numbers_below_the_normal_ones(kernel, dtype, scale, rel):
    X, Y = ((each * scale).astype(dtype) for each in related(n=10, p=3, q=2))
    expected = exact.cka(X, Y, kernel={"linear": exact.linear, "rbf": exact.rbf(0.5)}[kernel])
    assert float(vv.cka(X, Y, kernel=kernel)) == pytest.approx(expected, rel=rel, abs=rel)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@over([each for each in SCALE_FREE if each.settings.get("kernel") != vv.kernels.precomputed()])
def test_numbers_near_the_largest(measure, dtype):
    # Their column means overflow. A right answer would do as well as the cause and the cure.
    X, Y = related(n=12, p=3, q=broad(measure, 2))
    largest = np.finfo(dtype).max
    X, Y = ((each / abs(each).max()).astype(dtype) * largest for each in (X, Y))
    try:
        outcome = float(allowing(measure)(X, Y))
    except vv.DegenerateInputError as error:
        outcome = str(error)
    if isinstance(outcome, str):
        assert re.search("rescale|Rescale", outcome)
        assert "equally far" not in outcome
    else:
        assert outcome == pytest.approx(oracle(measure, X, Y), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("form", SHAPES)
@pytest.mark.parametrize(
    ("dtype", "by", "rel"),
    [
        (np.float32, 1e3, 1e-6),
        (np.float32, 1e5, 1e-6),
        (np.float64, 1e3, 1e-9),
        # Sums over features hold the fourth power of the row, 1e20, beside what is asked for.
        (np.float64, 1e5, 1e-6),
    ],
)
@every_record
def test_first_row_far_away(measure, form, dtype, by, rel):
    # The row that a shift might be taken from, or a scale.
    X, Y = related(**shape(measure, form))
    X[0] *= by
    Y[0] *= by
    measure = allowing(measure)
    X, Y = (each.astype(dtype) for each in given(measure, X, Y))
    size = 1.0 if measure.name != "hsic" else abs(float(measure(X, Y)))
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=rel, abs=rel * size)
