"""Few samples, many features, empty arrays and wrong shapes."""

import numpy as np
import pytest
from tests.data_makers import related
from tests.measures.records import RECORDS, allowing, broad, every_record, given, oracle, over

import visavis as vv

SIZES = [1, 2, 3, 4, 5]
ENOUGH = [(each, n) for each in RECORDS for n in SIZES if n >= each.minimum_rows]
TOO_FEW = [(each, n) for each in RECORDS for n in (0, *SIZES) if n < each.minimum_rows]


def cases(pairs):
    ids = [f"{measure.label}-{n}" for measure, n in pairs]
    return pytest.mark.parametrize(("measure", "n"), pairs, ids=ids)


@cases(ENOUGH)
def test_few_samples(measure, n):
    measure = allowing(measure)
    X, Y = given(measure, *related(n=n, p=3, q=broad(measure, 2), seed=1))
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=1e-9, abs=1e-12)


@cases(TOO_FEW)
def test_too_few_samples(measure, n):
    X, Y = np.zeros((n, max(n, 1))), np.zeros((n, max(n, 1)))
    match = (
        f"^{measure.name}: `X` and `Y` must have at least {measure.minimum_rows} rows, got {n}. "
        "Give more samples"
    )
    with pytest.raises(ValueError, match=match):
        measure(X, Y)


@every_record
def test_far_more_features_than_samples(measure):
    measure = allowing(measure)
    X, Y = given(measure, *related(n=14, p=400, q=300))
    assert float(measure(X, Y)) == pytest.approx(oracle(measure, X, Y), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("side", ["X", "Y"])
@every_record
def test_no_features(measure, side):
    X, Y = related(n=10, p=4, q=3)
    X, Y = (X[:, :0], Y) if side == "X" else (X, Y[:, :0])
    match = rf"^{measure.name}: `{side}` must have at least one feature, got shape \(10, 0\)"
    with pytest.raises(ValueError, match=match):
        measure(X, Y)


@every_record
def test_other_numbers_of_rows(measure):
    X, Y = related(n=10, p=4, q=3)
    match = (
        f"^{measure.name}: `X` and `Y` must describe the same samples, got 9 and 10 rows. "
        "Give both the same samples in the same order"
    )
    with pytest.raises(ValueError, match=match):
        measure(X[1:], Y)


@pytest.mark.parametrize("side", ["X", "Y"])
@pytest.mark.parametrize(
    ("shape", "cure"),
    [
        ((24,), r"One feature of n samples is an \(n, 1\) array: X\[:, None\]"),
        ((4, 3, 2), r"Reshape it to \(4, 6\), or pool it"),
        ((4, 3, 2, 1), r"Reshape it to \(4, 6\), or pool it"),
        ((), ""),
    ],
    ids=str,
)
@over([each for each in RECORDS if not each.options])
def test_not_two_dimensional(measure, side, shape, cure):
    other = np.ones((4, 5))
    given_arrays = (np.ones(shape), other) if side == "X" else (other, np.ones(shape))
    seen = str(shape).replace("(", r"\(").replace(")", r"\)")
    match = (
        rf"^{measure.name}: `{side}` must be 2-D \(samples, features\), got shape {seen}. {cure}"
    )
    with pytest.raises(ValueError, match=match):
        measure(*given_arrays)


def test_transposed_input_is_noticed_where_it_can_be():
    X, Y = related(n=10, p=4, q=4)
    assert vv.cka(X.T, Y.T).shape == ()  # 4 samples of 10 features: nothing to notice
    with pytest.raises(ValueError, match="must describe the same samples, got 4 and 10 rows"):
        vv.cka(X.T, Y)
