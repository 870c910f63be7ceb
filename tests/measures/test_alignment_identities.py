"""What the field proves of HSIC and CKA, through the functions that users call."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from tests.data_makers import related
from tests.measures.algebra import N, P, centred, close, spectrum
from tests.oracles import double_centred

import visavis as vv
from visavis.kernels import precomputed

both_estimators = pytest.mark.parametrize("estimator", ["biased", "debiased"])


def test_biased_hsic_is_the_squared_norm_of_the_cross_covariance(pair):
    X, Y = pair
    cross = np.cov(X, Y, rowvar=False)[:P, P:]
    assert close(vv.hsic(X, Y, estimator="biased"), (cross**2).sum())


def test_gram_inner_product_is_the_cross_product_norm(pair):
    X, Y = (centred(Z) for Z in pair)
    inner = np.vdot(X @ X.T, Y @ Y.T) / (N - 1) ** 2
    assert close(vv.hsic(X, Y, estimator="biased"), inner)


@both_estimators
def test_cka_is_hsic_normalised(pair, estimator):
    X, Y = pair
    norms = math.sqrt(vv.hsic(X, X, estimator=estimator) * vv.hsic(Y, Y, estimator=estimator))
    expected = vv.hsic(X, Y, estimator=estimator) / norms
    assert close(vv.cka(X, Y, estimator=estimator), expected)


def test_biased_linear_cka_is_the_rv_coefficient(pair):
    S = np.cov(*pair, rowvar=False)
    xx, xy, yy = S[:P, :P], S[:P, P:], S[P:, P:]
    rv = np.trace(xy @ xy.T) / math.sqrt(np.trace(xx @ xx) * np.trace(yy @ yy))
    assert close(vv.cka(*pair, estimator="biased"), rv)


def test_biased_linear_cka_is_the_cosine_of_centred_squared_distances(pair):
    k, m = (double_centred(squareform(pdist(Z, "sqeuclidean"))).ravel() for Z in pair)
    assert close(vv.cka(*pair, estimator="biased"), k @ m / np.sqrt((k @ k) * (m @ m)))


@both_estimators
def test_squared_distances_are_a_kernel_for_linear_cka(pair, estimator):
    # −‖x − y‖²/2 differs from ⟨x, y⟩ by what depends on one sample alone.
    K, L = (-squareform(pdist(Z, "sqeuclidean")) / 2 for Z in pair)
    value = vv.cka(K, L, kernel=precomputed(), estimator=estimator)
    assert close(value, vv.cka(*pair, estimator=estimator), rel=1e-11)


def test_biased_linear_cka_from_spectra(pair):
    (lam, U), (mu, V) = map(spectrum, pair)
    shared = lam @ (U.T @ V) ** 2 @ mu
    expected = shared / (np.linalg.norm(lam) * np.linalg.norm(mu))
    assert close(vv.cka(*pair, estimator="biased"), expected)


@both_estimators
def test_the_linear_kernel_is_its_own_gram_matrix(pair, estimator):
    X, Y = pair
    value = vv.hsic(X @ X.T, Y @ Y.T, kernel="precomputed", estimator=estimator)
    assert close(value, vv.hsic(X, Y, estimator=estimator), rel=1e-11)


@both_estimators
def test_hsic_does_not_see_what_is_added_to_rows_and_columns(pair, estimator):
    K, L = (Z @ Z.T for Z in pair)
    a = np.random.default_rng(0).standard_normal(N)
    options = {"kernel": precomputed(), "estimator": estimator}
    expected = vv.hsic(K, L, **options)
    assert close(vv.hsic(K + 5, L - 3, **options), expected, rel=1e-11)
    assert close(vv.hsic(K + a[:, None] + a, L, **options), expected, rel=1e-11)


def test_debiased_hsic_does_not_see_the_diagonal(pair):
    K, L = (Z @ Z.T for Z in pair)
    noise = np.diag(np.random.default_rng(0).uniform(0, 1e3, N))
    expected = vv.hsic(K, L, kernel=precomputed())
    assert close(vv.hsic(K + noise, L, kernel=precomputed()), expected, rel=1e-10)
    biased = vv.hsic(K + noise, L, kernel=precomputed(), estimator="biased")
    assert float(biased) != pytest.approx(float(expected), rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_debiased_hsic_of_one_representation_is_a_squared_norm(seed):
    X, _ = related(n=4, p=2, q=1, seed=seed)
    assert vv.hsic(X, X) > 0


def test_a_constant_side_has_no_dependence(pair):
    X, _ = pair
    constant = np.full((N, 3), 0.1)
    assert float(vv.hsic(X, constant)) == 0
    assert float(vv.hsic(constant, X, estimator="biased")) == 0


def test_biased_cka_of_two_columns_is_the_squared_correlation():
    X, Y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[1.0], [2.0], [3.0], [5.0]])
    assert close(vv.cka(X, Y, estimator="biased"), 169 / 175, rel=1e-15)
    assert close(vv.cca(X, Y, allow_saturated=True), math.sqrt(169 / 175), rel=1e-15)


@both_estimators
@pytest.mark.parametrize("width", [P, 400], ids=["features", "gram"])
@pytest.mark.parametrize(
    ("dtype", "by"),
    [(np.float64, 1e-70), (np.float64, 1e70), (np.float32, 1e-8), (np.float32, 1e8)],
)
def test_linear_hsic_has_the_unit_of_the_features_to_the_fourth(estimator, width, dtype, by):
    X, Y = (Z.astype(dtype) for Z in related(n=N, p=width, q=width))
    expected = by**4 * float(vv.hsic(X, Y, estimator=estimator))
    value = vv.hsic(dtype(by) * X, dtype(by) * Y, estimator=estimator)
    assert close(value, expected, rel=8 * float(np.finfo(dtype).eps))
