"""Kernels against their oracles, by hand, and where a careless formula loses the answer."""

import math

import numpy as np
import pytest
from tests.data_makers import HOSTILE, MAKERS, related
from tests.measures.records import gram_oracle

import visavis as vv
from visavis.kernels import cosine, laplacian, linear, polynomial, precomputed, rbf

KERNELS = [
    linear(),
    rbf(0.5),
    rbf(0.2),
    rbf(0.4, median="all"),
    laplacian(),
    laplacian(0.3),
    polynomial(),
    polynomial(2, gamma=0.5, coef0=0.0),
    polynomial(1, coef0=2.0),
    cosine(),
]
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=str)
DATA = {
    "related": lambda n: related(n=n, p=6, q=5)[0],
    "decaying": lambda n: MAKERS["decaying"](n=n)[0],
    "one column": lambda n: related(n=n, p=1, q=1)[0],
    "wide": lambda n: related(n=n, p=200, q=1)[0],
    "duplicate rows": lambda n: MAKERS["duplicate_rows"](n=n)[0],
    "offset": lambda n: MAKERS["offset"](n=n, by=100.0)[0],
}
every_data = pytest.mark.parametrize("data", DATA)


def expected(kernel, X):
    return gram_oracle(kernel, X.shape[1])(X).astype(float)


@every_kernel
@every_data
@pytest.mark.parametrize("n", [20, 21])  # 190 and 210 pairs; the next line has an odd number
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_gram_matrix(kernel, data, n, dtype, tolerance):
    X = DATA[data](n).astype(dtype)
    K, wanted = kernel.gram(X), expected(kernel, X)
    if kernel.name == "linear":
        # Centred to rounding error only: what is left of the mean, no use of the kernel can tell.
        K = K - K.mean(axis=0) - K.mean(axis=1)[:, None] + K.mean()
    assert K.shape == (n, n)
    np.testing.assert_allclose(K, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())
    np.testing.assert_allclose(K, K.T, rtol=0, atol=tolerance * np.abs(wanted).max())


@every_kernel
def test_a_gram_matrix_is_what_is_computed_with_over_the_squared_unit(kernel):
    X = 1e3 * related()[0]
    K, unit = kernel.scaled(X)
    np.testing.assert_allclose(kernel.gram(X) * unit**2, K, rtol=1e-14)


@pytest.mark.parametrize(
    ("kernel", "first"),
    [
        # Points 0, 1, 3: distances 1, 2, 3 with median 2; all nine squared ones have median 1.
        (rbf(0.5), math.exp(-1 / 2)),
        (rbf(0.5, median="all"), math.exp(-2)),
        (laplacian(0.5), math.exp(-1)),
        (polynomial(2, gamma=1.0), 1.0),
        (polynomial(2, gamma=1.0, coef0=3.0), 9.0),
    ],
    ids=str,
)
def test_three_points_by_hand(kernel, first):
    K = kernel.gram(np.array([[0.0], [1.0], [3.0]]))
    assert float(K[0, 1]) == pytest.approx(first, rel=1e-15)


def test_the_median_of_an_even_number_of_distances_is_not_the_root_of_that_of_squares():
    # Points 0, 1, 3, 7: distances 1 2 3 4 6 7, median 3.5, whose square is not (9 + 16)/2.
    K = rbf(1.0).gram(np.array([[0.0], [1.0], [3.0], [7.0]]))
    assert float(K[0, 1]) == pytest.approx(math.exp(-1 / (2 * 3.5**2)), rel=1e-15)


def test_polynomial_takes_one_over_the_width_unless_told():
    X = related(p=6)[0]
    np.testing.assert_allclose(polynomial().gram(X), polynomial(gamma=1 / 6).gram(X), rtol=1e-14)


@every_kernel
def test_diagonal(kernel):
    X = related()[0]
    if kernel.name in {"rbf", "laplacian", "cosine"}:
        np.testing.assert_allclose(np.diag(kernel.gram(X)), 1, rtol=1e-15)
    else:
        np.testing.assert_allclose(np.diag(kernel.gram(X)), np.diag(expected(kernel, X)), rtol=0.2)


@pytest.mark.parametrize(
    "kernel", [rbf(0.5), rbf(0.5, median="all"), laplacian(), cosine()], ids=str
)
@pytest.mark.parametrize("by", [1e-150, 1e-30, 1e30, 1e150])
def test_scale_does_not_matter(kernel, by):
    X = related()[0]
    np.testing.assert_allclose(kernel.gram(by * X), kernel.gram(X), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("kernel", [rbf(0.5), laplacian()], ids=str)
@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 1e-11), (np.float32, 2e-6)])
def test_translation_does_not_matter(kernel, dtype, atol):
    X = HOSTILE["offset"](by=1e4)[0].astype(dtype)
    np.testing.assert_allclose(kernel.gram(X), expected(kernel, X), rtol=0, atol=atol)


@pytest.mark.parametrize("median", ["pairs", "all"])
@pytest.mark.parametrize("row", [0, 17])
def test_rbf_in_float32_with_one_row_far_away(median, row):
    # In float32 the rounding error of the far row's distances is the size of the bandwidth.
    X = related()[0].astype(np.float32)
    X[row] *= 1e4
    kernel = rbf(0.5, median=median)
    np.testing.assert_allclose(kernel.gram(X), expected(kernel, X), rtol=0, atol=1e-6)


def test_rbf_in_float32_with_tight_clusters_far_apart():
    # Nine clusters of five: most pairs are far apart, but what differs is within the clusters.
    X = related(n=45, p=4)[0].astype(np.float32)
    X = X + 1e4 * np.repeat(np.arange(9, dtype=np.float32), 5)[:, None]
    kernel = rbf(0.5)
    np.testing.assert_allclose(kernel.gram(X), expected(kernel, X), rtol=0, atol=1e-6)


def test_cosine_of_rows_whose_scales_no_square_can_hold():
    X = related(n=6)[0]
    scales = np.array([1e-200, 1e-100, 1.0, 1e50, 1e100, 1e200])[:, None]
    np.testing.assert_allclose(cosine().gram(scales * X), cosine().gram(X), rtol=1e-13)


@pytest.mark.parametrize("by", [1e-150, 1e-40, 1e40, 1e150])
def test_powers_that_leave_the_range_of_floats_still_compare(by):
    # Without a constant the powers are those at scale 1, times what CKA does not see.
    X, Y = related()
    kernel = polynomial(8, coef0=0.0)
    expected = float(vv.cka(X, Y, kernel=kernel))
    assert float(vv.cka(by * X, by * Y, kernel=kernel)) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(("by", "reason"), [(1e-150, "too small"), (1e150, "be represented")])
def test_powers_that_leave_the_range_of_floats_have_no_hsic(by, reason):
    X, Y = related()
    with pytest.raises(vv.DegenerateInputError, match=f"hsic: .*{reason}"):
        vv.hsic(by * X, by * Y, kernel=polynomial(8, coef0=0.0))


@pytest.mark.parametrize("by", [1e-80, 1e-3, 1e3, 1e80])
def test_gamma_takes_the_scale_of_the_features_out_again(by):
    X = related()[0]
    kernel = polynomial(3, gamma=1 / by**2, coef0=2.0)
    wanted = polynomial(3, gamma=1.0, coef0=2.0).gram(X)
    np.testing.assert_allclose(kernel.gram(by * X), wanted, rtol=1e-11, atol=1e-11)


def test_precomputed_is_the_input():
    K = related(n=6, p=6, q=6)[0]
    np.testing.assert_allclose(precomputed().gram(K + K.T), K + K.T, rtol=1e-15)
