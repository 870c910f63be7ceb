"""Every record on plain and hostile data against its oracle, in float64 and in float32."""

import math
from functools import partial

import numpy as np
import pytest
from tests.data_makers import FLOAT32_SCALES, FLOAT64_SCALES, HOSTILE, PLAIN, related, scaled
from tests.measures.records import RECORDS, allowing, broad, every_record, given, oracle, over

import visavis as vv
from visavis.measures.measure import SCALING, TRANSLATION

NARROW = {"n": 40, "p": 12, "q": 10}
WIDE = {"n": 12, "p": 30, "q": 20}  # rank n − 1 on both sides

# Orthonormal columns and extreme scales have tests of their own.
DATA = {
    name: partial(maker, **NARROW)
    for name, maker in (PLAIN | HOSTILE).items()
    if name not in {"single_column", "rotated", "orthonormal", "wide", "scaled"}
}
DATA |= {
    "single_column": partial(PLAIN["single_column"], n=40),
    "rotated": partial(PLAIN["rotated"], n=40, p=12),
    # Twenty different rows: with more features several correlations are 1, and which canonical
    # variables (whose weights pwcca adds up) belong to equal correlations is anyone's choice.
    "duplicate_rows": partial(HOSTILE["duplicate_rows"], n=40, p=8, q=7),
    "more features than samples": partial(related, **WIDE),
    "wide and offset": partial(HOSTILE["offset"], **WIDE),
    "wide and heavy tailed": partial(HOSTILE["heavy_tailed"], **WIDE),
    "wide with an outlier": partial(HOSTILE["outlier_row"], **WIDE),
    "wide with duplicates": partial(HOSTILE["duplicate_columns"], **WIDE),
}
# All singular values of orthonormal columns are equal: no three of them come first.
WELL_POSED = [each for each in RECORDS if each.settings.get("components") is None]
SCALE_FREE = [each for each in RECORDS if SCALING in each.invariant_to]

every_data = pytest.mark.parametrize("data", DATA)


def tolerance(measure, data):
    """The relative error that float64 allows: its 1e-16 times what the data takes away."""
    centred = TRANSLATION in measure.invariant_to
    if not centred and ("offset" in data or "dead" in data):
        # Means 1e4 times the deviations stay in the kernel: its entries agree in eight digits.
        return 1e-6
    # One row a thousand times the others: squared, six digits. Otherwise a few roundings.
    return 1e-9 if "outlier" in data else 1e-12


def check(measure, X, Y, *, rel):
    measure = allowing(measure)
    X, Y = given(measure, X, Y)
    if X.shape[1] < broad(measure, 1):
        with pytest.raises(
            vv.DegenerateInputError, match=f"{measure.name}: `X` must have at least"
        ):
            measure(X, Y)
        return
    if measure.constant_features == "refused" and np.any(X.max(axis=0) == X.min(axis=0)):
        with pytest.raises(vv.DegenerateInputError, match=f"^{measure.name}: `X` .* do not vary"):
            measure(X, Y)
        return
    answer = measure(X, Y)
    assert answer.dtype == np.result_type(X.dtype, Y.dtype)
    # A debiased value near zero is what is left of terms of the size of its range.
    size = abs(measure.low) if math.isfinite(measure.low) else 0.0
    assert float(answer) == pytest.approx(oracle(measure, X, Y), rel=rel, abs=rel * max(size, 0.1))


@every_data
@every_record
def test_float64(measure, data):
    X, Y = DATA[data]()
    check(measure, X.astype(float), Y.astype(float), rel=tolerance(measure, data))


@every_data
@every_record
def test_float32(measure, data):
    # Against the oracle, in extended precision, of the same float32 numbers. The answer itself is
    # rounded to 6e-8 and so is each entry of a Gram matrix, whose errors average out: eight units
    # in the last place, 1e-6. What float32 cannot hold on the way must be computed in float64.
    X, Y = (Z.astype(np.float32) for Z in DATA[data]())
    check(measure, X, Y, rel=1e-6)


@over(WELL_POSED)
@pytest.mark.parametrize(("dtype", "rel"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_equal_singular_values(measure, dtype, rel):
    # Their means are zero, and the mean row of those who do not centre would have no direction.
    mean = 0.0 if TRANSLATION in measure.invariant_to else 0.1
    X, Y = ((Z + mean).astype(dtype) for Z in HOSTILE["orthonormal"](**NARROW))
    check(measure, X, Y, rel=rel)


@over(SCALE_FREE)
@pytest.mark.parametrize("by", FLOAT64_SCALES)
def test_extreme_scales_float64(measure, by):
    check(measure, *scaled(by=by, **NARROW), rel=1e-12)


@over(SCALE_FREE)
@pytest.mark.parametrize("by", FLOAT32_SCALES)
def test_extreme_scales_float32(measure, by):
    check(measure, *(Z.astype(np.float32) for Z in scaled(by=by, **NARROW)), rel=1e-6)


@over(SCALE_FREE)
def test_sides_of_different_scale(measure):
    X, Y = related(**NARROW)
    check(measure, 1e6 * X, 1e-6 * Y, rel=1e-12)


@every_record
def test_integers_are_exact(measure):
    X, Y = PLAIN["integers"](**NARROW)
    X, Y = given(measure, X, Y)
    assert float(measure(X, Y)) == float(measure(X.astype(float), Y.astype(float)))


def biased_linear_cka(X, Y):
    """‖YcᵀXc‖²/(‖XcᵀXc‖‖YcᵀYc‖) in float64, for more rows than an n × n oracle can take."""
    X, Y = (Z.astype(float) - Z.astype(float).mean(axis=0) for Z in (X, Y))
    return np.linalg.norm(Y.T @ X) ** 2 / np.linalg.norm(X.T @ X) / np.linalg.norm(Y.T @ Y)


def test_a_far_first_row_at_a_large_offset_in_float32():
    # What is subtracted before any product must be near the mean, not near the first row.
    X, Y = (Z + 1e5 for Z in related(n=20_000, p=6, q=5))
    X[0] = Y[0] = 1e5 + 50
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    value = float(vv.cka(X, Y, estimator="biased"))
    assert value == pytest.approx(biased_linear_cka(X, Y), rel=1e-6)


@pytest.mark.parametrize(("n", "p", "q"), [(3000, 100, 80), (20_000, 20, 10), (200, 900, 800)])
@pytest.mark.parametrize("by", [1e2, 1e4, 1e5])
def test_large_offsets_of_many_rows_in_float32(n, p, q, by):
    # The mean of many large numbers, added up one by one in float32, is no longer near the mean.
    X, Y = (Z.astype(np.float32) for Z in HOSTILE["offset"](by=by, n=n, p=p, q=q))
    value = float(vv.cka(X, Y, estimator="biased"))
    assert value == pytest.approx(biased_linear_cka(X, Y), rel=1e-6)


@pytest.mark.parametrize(
    ("by", "dtype"), [(1e150, np.float64), (1e-150, np.float64), (1e25, np.float32)]
)
@pytest.mark.parametrize("estimator", ["biased", "debiased"])
def test_a_value_outside_the_range_of_the_dtype_is_an_error(estimator, by, dtype):
    X, Y = (Z.astype(dtype) for Z in scaled(by=by, **NARROW))
    with pytest.raises(vv.DegenerateInputError, match=r"hsic: .*(too small|cannot be represented)"):
        vv.hsic(X, Y, estimator=estimator)


def test_a_squared_distance_outside_the_range_of_the_dtype_is_an_error():
    X, Y = (Z.astype(np.float32) for Z in scaled(by=1e25, **NARROW))
    with pytest.raises(vv.DegenerateInputError, match=r"procrustes: .* represented in float32"):
        vv.procrustes(X, Y, form="squared")
