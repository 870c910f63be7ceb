"""Shifts, units and centring: what must be exact, and what must not overflow."""

import math

import numpy as np
import pytest
from tests.data_makers import dead_columns, offset, related
from tests.oracles import u_centred

from visavis import linalg

both_dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@both_dtypes
@pytest.mark.parametrize("value", [0.0, 0.1, -1e4 / 3, 1e30, 1e-30, 7.0])
@pytest.mark.parametrize("n", [1, 3, 1000])
def test_a_constant_column_becomes_exactly_zero(dtype, value, n):
    X = np.full((n, 2), value, dtype=dtype)
    shift = linalg.shift_of(X)
    assert shift.dtype == dtype
    assert shift.shape == (2,)
    np.testing.assert_array_equal(X - shift, 0)


@both_dtypes
def test_constant_columns_among_others(dtype):
    X = dead_columns()[0].astype(dtype)
    moved, _ = linalg.shifted(X)
    np.testing.assert_array_equal(moved[:, :2], 0)
    assert np.all(np.ptp(moved[:, 2:], axis=0) > 0)


@both_dtypes
def test_the_shift_is_near_the_mean_although_the_first_row_is_far_from_it(dtype):
    X = related(n=200)[0]
    X[0] = 1e6
    X = X.astype(dtype)
    # To the rounding error of that row, which is the largest there is.
    error = 4 * float(np.finfo(dtype).eps) * 1e6
    wanted = X.astype(float).mean(axis=0)
    np.testing.assert_allclose(linalg.shift_of(X), wanted, rtol=0, atol=error)


@both_dtypes
def test_after_the_shift_the_mean_is_at_most_of_the_size_of_the_deviations(dtype):
    X = offset(n=500, by=1e4)[0].astype(dtype)
    moved, unit = linalg.shifted(X)
    deviations = moved.std(axis=0)
    assert np.all(np.abs(moved.mean(axis=0)) < 4 * deviations)
    np.testing.assert_allclose(deviations / unit, X.astype(float).std(axis=0), rtol=1e-3)


@pytest.mark.parametrize("n", [100, 1000])
def test_a_far_first_row_does_not_become_the_shift(n):
    # Within a thousandth of the mean, and still fifty deviations away from it.
    X = np.random.default_rng(0).standard_normal((n, 2)) + 1e5
    X[0] = 1e5 + 50
    moved = X.astype(np.float32) - linalg.shift_of(X.astype(np.float32))
    assert np.all(np.abs(np.median(moved.astype(float), axis=0)) < 4)


@both_dtypes
@pytest.mark.parametrize("exponent", [-100, -3, 0, 5, 100])
def test_a_peak_unit_is_a_power_of_two_that_brings_the_peak_near_one(dtype, exponent):
    X = np.array([[0.7, -1.3], [0.2, 0.0]], dtype=dtype) * dtype(2.0) ** exponent
    unit = linalg.peak_unit(X)
    assert math.frexp(unit)[0] == 0.5
    assert 1 <= np.abs(X * dtype(unit)).max() < 2


@pytest.mark.parametrize(
    ("dtype", "by", "harmless"),
    [
        (np.float64, 1.0, True),
        (np.float64, 1e-30, True),
        (np.float64, 1e150, False),
        (np.float64, 1e-150, False),
        (np.float32, 1e3, True),
        (np.float32, 1e-3, True),
        (np.float32, 1e15, False),
        (np.float32, 1e-15, False),
    ],
)
def test_a_unit_is_taken_only_where_fourth_powers_leave_the_range(dtype, by, harmless):
    X = (by * related()[0]).astype(dtype)
    unit = linalg.unit_of(X)
    assert (unit == 1.0) == harmless
    assert 0 < ((X * dtype(unit)) ** 4).sum() < np.inf


@pytest.mark.parametrize("unit_of", [linalg.unit_of, linalg.peak_unit])
def test_the_unit_of_nothing_is_one(unit_of):
    assert unit_of(np.zeros((3, 2))) == 1.0


@both_dtypes
@pytest.mark.parametrize("by", [1e-30, 1.0, 1e30])
def test_centred(dtype, by):
    X = (offset(by=100.0)[0] * by).astype(dtype)
    centred, unit = linalg.centred(X)
    expected = X.astype(np.longdouble)
    expected = (expected - expected.mean(axis=0)).astype(float)
    assert centred.dtype == np.float64
    np.testing.assert_allclose(centred / unit, expected, rtol=0, atol=1e-13 * np.abs(X).max())
    np.testing.assert_allclose(centred.mean(axis=0), 0, atol=1e-15 * np.abs(centred).max())


@both_dtypes
@pytest.mark.parametrize("n", [3, 8, 31])
def test_hollow_centred_is_u_centred(dtype, n):
    K = related(n=n, p=n)[0]
    K = (K + K.T).astype(dtype)
    hollow, diagonal = linalg.hollow_centred(*linalg.split_diagonal(K.copy()))
    assert hollow.dtype == dtype
    assert diagonal.dtype == np.float64
    atol = 20 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(hollow, u_centred(K).astype(float), atol=atol)
    # The same vector was subtracted from rows and columns of the diagonal.
    shift = (np.diag(K) - diagonal) / 2
    off = ~np.eye(n, dtype=bool)
    np.testing.assert_allclose((K - shift[:, None] - shift)[off], hollow[off], atol=atol)


@both_dtypes
def test_hollow_centring_does_not_see_the_diagonal(dtype):
    K = related(n=8, p=8)[0].astype(dtype)
    hollow, _ = linalg.split_diagonal(K + K.T)
    huge = np.full(8, 1e30)
    wanted, small = linalg.hollow_centred(hollow, np.zeros(8))
    same, large = linalg.hollow_centred(hollow, huge)
    np.testing.assert_array_equal(same, wanted)
    np.testing.assert_allclose(large, huge + small, rtol=1e-15)


def test_hollow_centring_in_float32_of_entries_that_share_their_first_digits():
    # Differences in the last three bits: that they have 1 in common must cost none of them.
    K = np.random.default_rng(0).integers(0, 8, (30, 30)) * 2.0**-23
    K = (1 + np.triu(K, 1) + np.triu(K, 1).T).astype(np.float32)
    hollow, _ = linalg.hollow_centred(*linalg.split_diagonal(K.copy()))
    # What is left of the row means only shifts rows and columns, which is taken out exactly here.
    wanted = u_centred(K).astype(float)
    np.testing.assert_allclose(u_centred(hollow).astype(float), wanted, rtol=0, atol=2.0**-33)


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_rows_to_u_centre_stay_as_they_are(n):
    K = np.arange(1.0, 1 + n * n).reshape(n, n)
    hollow, diagonal = linalg.hollow_centred(*linalg.split_diagonal(K + K.T))
    np.testing.assert_array_equal(hollow + np.diag(diagonal), K + K.T)


def test_the_diagonal_is_split_off():
    K = np.arange(16.0).reshape(4, 4)
    before = K.copy()
    hollow, diagonal = linalg.split_diagonal(K)
    np.testing.assert_array_equal(diagonal, [0, 5, 10, 15])
    np.testing.assert_array_equal(hollow + np.diag(diagonal), before)
    np.testing.assert_array_equal(np.diag(hollow), 0)


def test_a_read_only_matrix_is_split_as_well():
    K = np.arange(9.0).reshape(3, 3)
    K.flags.writeable = False
    hollow, diagonal = linalg.split_diagonal(K)
    np.testing.assert_array_equal(K, hollow + np.diag(diagonal))
    np.testing.assert_array_equal(diagonal, [0, 4, 8])
