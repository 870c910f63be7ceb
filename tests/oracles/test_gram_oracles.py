"""Kernels, HSIC and CKA: closed forms, identities, exact arithmetic."""

import itertools
import math

import numpy as np
import pytest
import sklearn.linear_model
import sklearn.metrics
from tests import oracles
from tests.data_makers import (
    FLOAT32_SCALES,
    FLOAT64_SCALES,
    HOSTILE,
    independent,
    offset,
    related,
    scaled,
)
from tests.oracles import centred, cka, double_centred, exact, hsic, u_centred
from tests.oracles.cases import KERNELS, both_estimators, every_kernel, spectrum


@pytest.mark.parametrize(
    ("kernel", "first"),
    [
        # Points 0, 1, 3: distances 1, 2, 3 with median 2; all nine squared ones have median 1.
        (oracles.rbf(0.5), math.exp(-1 / 2)),
        (oracles.rbf(0.5, median="all"), math.exp(-2)),
        (oracles.laplacian(0.5), math.exp(-1)),
    ],
)
def test_bandwidth_by_hand(kernel, first):
    K = kernel(np.array([[0.0], [1.0], [3.0]]))
    assert float(K[0, 1]) == pytest.approx(first, rel=1e-15)
    assert np.all(np.diag(K) == 1)


def test_kernels_agree_with_scikit_learn(pair):
    X, _ = pair
    D = sklearn.metrics.pairwise.manhattan_distances(X)
    sigma = 0.8 * np.median(D[np.triu_indices(30, 1)])
    pairwise = sklearn.metrics.pairwise
    np.testing.assert_allclose(
        KERNELS["laplacian"](X).astype(float), pairwise.laplacian_kernel(X, gamma=1 / sigma)
    )
    np.testing.assert_allclose(
        KERNELS["polynomial"](X).astype(float),
        pairwise.polynomial_kernel(X, degree=2, gamma=0.5, coef0=1.0),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        KERNELS["cosine"](X).astype(float), pairwise.cosine_similarity(X), atol=1e-15
    )


@both_estimators
def test_precomputed_takes_the_place_of_a_kernel(pair, estimator):
    X, Y = pair
    value = cka(X @ X.T, Y @ Y.T, kernel=oracles.precomputed, estimator=estimator)
    assert value == pytest.approx(cka(X, Y, estimator=estimator), rel=1e-12)


def test_biased_cka_of_two_columns_is_the_squared_correlation():
    X, Y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[1.0], [2.0], [3.0], [5.0]])
    assert cka(X, Y, estimator="biased") == pytest.approx(169 / 175, rel=1e-15)
    assert exact.cka(X, Y, estimator="biased") == 169 / 175


def test_biased_hsic_is_the_squared_norm_of_the_cross_covariance(pair):
    X, Y = pair
    cross = np.cov(X, Y, rowvar=False)[:6, 6:]
    assert hsic(X, Y, estimator="biased") == pytest.approx((cross**2).sum(), rel=1e-12)


@every_kernel
def test_debiased_hsic_is_the_three_term_sum(pair, kernel):
    expected = oracles.hsic_three_terms(*pair, kernel=kernel)
    assert hsic(*pair, kernel=kernel) == pytest.approx(expected, rel=1e-11)


@every_kernel
def test_debiased_hsic_is_the_mean_over_quadruples(kernel):
    X, Y = related(n=7, p=3, q=2)
    K, L = kernel(X), kernel(Y)
    terms = [
        K[i, j] * (L[i, j] + L[a, b] - 2 * L[i, a])
        for i, j, a, b in itertools.permutations(range(7), 4)
    ]
    assert hsic(X, Y, kernel=kernel) == pytest.approx(float(np.mean(terms)), rel=1e-12)


def test_debiased_hsic_in_feature_form(pair):
    X, Y = (centred(Z) for Z in pair)
    a, b = (X**2).sum(axis=1), (Y**2).sum(axis=1)
    n = 30
    total = ((X.T @ Y) ** 2).sum() - n / (n - 2) * (a @ b) + a.sum() * b.sum() / ((n - 1) * (n - 2))
    assert hsic(*pair) == pytest.approx(float(total / (n * (n - 3))), rel=1e-12)


@every_kernel
def test_u_centring_leaves_rows_that_sum_to_zero(pair, kernel):
    K = u_centred(kernel(pair[0]))
    np.testing.assert_allclose(K.sum(axis=1).astype(float), 0, atol=1e-13)
    np.testing.assert_array_equal(np.diag(K), 0)


def test_u_centring_ignores_what_is_added_to_rows_and_columns(pair):
    K = oracles.linear(pair[0])
    a = np.arange(30.0)
    np.testing.assert_allclose(
        u_centred(K + a[:, None] + a + 5).astype(float), u_centred(K).astype(float), atol=1e-14
    )
    np.testing.assert_allclose(
        u_centred(double_centred(K)).astype(float), u_centred(K).astype(float), atol=1e-14
    )


@every_kernel
@both_estimators
def test_cka_is_hsic_normalised(pair, kernel, estimator):
    X, Y = pair
    options = {"kernel": kernel, "estimator": estimator}
    norms = math.sqrt(hsic(X, X, **options) * hsic(Y, Y, **options))
    assert cka(X, Y, **options) == pytest.approx(hsic(X, Y, **options) / norms, rel=1e-13)


def test_debiased_cka_can_be_negative():
    assert min(cka(*independent(n=10, seed=seed)) for seed in range(10)) < -0.05


def test_gram_inner_product_is_the_cross_product_norm(pair):
    X, Y = pair
    assert np.vdot(X @ X.T, Y @ Y.T) == pytest.approx(((Y.T @ X) ** 2).sum(), rel=1e-12)


def test_linear_cka_from_spectra(pair):
    (lam, U), (mu, V) = spectrum(pair[0]), spectrum(pair[1])
    shared = (np.outer(lam, mu) * (U.T @ V) ** 2).sum()
    expected = shared / (np.linalg.norm(lam) * np.linalg.norm(mu))
    assert cka(*pair, estimator="biased") == pytest.approx(expected, rel=1e-12)


def test_linear_cka_is_the_cosine_of_centred_squared_distances(pair):
    K, L = (
        double_centred(((Z[:, None] - Z) ** 2).sum(axis=-1)).ravel().astype(float) for Z in pair
    )
    cosine = K @ L / (np.linalg.norm(K) * np.linalg.norm(L))
    assert cka(*pair, estimator="biased") == pytest.approx(cosine, rel=1e-12)


def test_linear_cka_is_the_rv_coefficient(pair):
    S = np.cov(*pair, rowvar=False)
    xx, xy, yy = S[:6, :6], S[:6, 6:], S[6:, 6:]
    rv = np.trace(xy @ xy.T) / math.sqrt(np.trace(xx @ xx) * np.trace(yy @ yy))
    assert cka(*pair, estimator="biased") == pytest.approx(rv, rel=1e-12)


@both_estimators
@pytest.mark.parametrize("maker", [related, *HOSTILE.values()])
def test_linear_cka_is_right_to_float_precision(maker, estimator):
    X, Y = maker(n=12, p=9, q=8)
    assert cka(X, Y, estimator=estimator) == pytest.approx(
        exact.cka(X, Y, estimator=estimator), rel=1e-12
    )


@both_estimators
@pytest.mark.parametrize("median", ["pairs", "all"])
@pytest.mark.parametrize("n", [9, 10])
def test_rbf_cka_is_right_to_float_precision(estimator, median, n):
    X, Y = offset(n=n, p=3, q=2)
    value = cka(X, Y, kernel=oracles.rbf(0.4, median), estimator=estimator)
    expected = exact.cka(X, Y, kernel=exact.rbf(0.4, median), estimator=estimator)
    assert value == pytest.approx(expected, rel=1e-12)


@both_estimators
def test_hsic_is_right_to_float_precision(estimator):
    X, Y = offset(n=12, p=4, q=3)
    assert hsic(X, Y, estimator=estimator) == pytest.approx(
        exact.hsic(X, Y, estimator=estimator), rel=1e-12
    )


@pytest.mark.parametrize("by", [2.0**-500, 2.0**500])
def test_exact_cka_does_not_see_a_power_of_two(by):
    X, Y = related(n=12, p=4, q=3)
    assert exact.cka(by * X, by * Y) == exact.cka(X, Y)


@both_estimators
@pytest.mark.parametrize(
    ("dtype", "by"),
    [(np.float64, by) for by in FLOAT64_SCALES] + [(np.float32, by) for by in FLOAT32_SCALES],
)
def test_extreme_scales(dtype, by, estimator):
    X, Y = (Z.astype(dtype) for Z in scaled(by=by, n=12, p=4, q=3))
    expected = exact.cka(X, Y, estimator=estimator)
    assert cka(X, Y, estimator=estimator) == pytest.approx(expected, rel=1e-12)
    # The same value as at scale one, up to what the input was rounded by. That is absolute: a
    # debiased CKA near 0 is what is left of terms near 1.
    unscaled = exact.cka(*related(n=12, p=4, q=3), estimator=estimator)
    assert expected == pytest.approx(unscaled, rel=0, abs=4 * float(np.finfo(dtype).eps))
