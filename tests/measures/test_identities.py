"""What the field proves of these measures, through the functions that users call."""

import math

import numpy as np
import pytest
import visavis as vv
from scipy.spatial.distance import pdist, squareform
from tests.data_makers import related, relu_like
from tests.oracles import basis, double_centred
from visavis.kernels import precomputed

N, P, Q = 40, 7, 5
both_estimators = pytest.mark.parametrize("estimator", ["biased", "debiased"])


@pytest.fixture(params=[related, relu_like])
def pair(request):
    return request.param(n=N, p=P, q=Q, seed=3)


def centred(Z):
    return Z - Z.mean(axis=0)


def spectrum(Z):
    """Eigenvalues and eigenvectors of the centred Gram matrix."""
    U, sigma, _ = np.linalg.svd(centred(Z), full_matrices=False)
    return sigma**2, U


def close(value, expected, rel=1e-12):
    return float(value) == pytest.approx(float(expected), rel=rel)


# HSIC and CKA


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


# CCA, regression and the family between them and CKA


def test_r2_cca_is_cka_of_projections(pair):
    P_x, P_y = (basis(Z) @ basis(Z).T for Z in pair)
    value = vv.cka(P_x, P_y, kernel=precomputed(), estimator="biased")
    assert close(vv.cca(*pair, form="r2"), value * math.sqrt(P / Q))


@pytest.mark.parametrize("form", ["rho", "r2"])
def test_svcca_of_everything_is_cca(pair, form):
    expected = vv.cca(*pair, form=form)
    assert close(vv.svcca(*pair, variance=1.0, form=form), expected)
    assert close(vv.svcca(*pair, components=99, form=form), expected)


def test_svcca_of_all_variance_keeps_axes_of_almost_none():
    # Squared, the last axis is below the rounding error of the sum, and still within the rank.
    X, Y = related(n=N, p=3, q=3)
    X, Y = X * [1, 1, 1e-9], Y * [1e-9, 1, 1]
    assert close(vv.svcca(X, Y, variance=1.0), vv.cca(X, Y), rel=1e-6)


def test_svcca_is_cca_of_the_leading_axes(pair):
    U, V = (spectrum(Z)[1] for Z in pair)
    expected = vv.cca(U[:, :3], V[:, :2])
    assert close(vv.svcca(*pair, components=(3, 2)), expected)


def test_svcca_keeps_the_axis_that_reaches_the_share():
    # Shares 0.5, 0.3, 0.2 of the variance.
    U = np.linalg.qr(centred(np.random.default_rng(0).standard_normal((N, 5))))[0]
    X, Y = U[:, :3] * np.sqrt([5, 3, 2]), U[:, [0, 3, 4]] * np.sqrt([5, 3, 2])
    # One axis on each side is shared; two of each or three of each hold no other in common.
    assert close(vv.svcca(X, Y, variance=0.4), 1)
    assert close(vv.svcca(X, Y, variance=0.7), 1 / 2)
    assert close(vv.svcca(X, Y, variance=0.9), 1 / 3)


def test_ridge_without_penalty_is_r2_cca(pair):
    assert close(vv.canonical_ridge(*pair), vv.cca(*pair, form="r2"))


def test_ridge_with_infinite_penalties_is_biased_cka(pair):
    value = vv.canonical_ridge(*pair, kappa=(math.inf, math.inf), normalization="cka")
    assert close(value, vv.cka(*pair, estimator="biased"))


def test_ridge_with_one_infinite_penalty_is_linear_regression(pair):
    X, Y = pair  # rank X is at least rank Y
    value = vv.canonical_ridge(X, Y, kappa=(0.0, math.inf))
    assert close(value, vv.linear_regression(X, Y))


@pytest.mark.parametrize(
    ("kappa", "limit"),
    [((1e9, 1e9), (math.inf, math.inf)), ((1e-9, 1e-9), (0.0, 0.0)), ((0.0, 1e9), (0.0, math.inf))],
)
@pytest.mark.parametrize("normalization", ["cca", "cka"])
def test_ridge_goes_to_its_limits(pair, kappa, limit, normalization):
    value = vv.canonical_ridge(*pair, kappa=kappa, normalization=normalization)
    expected = vv.canonical_ridge(*pair, kappa=limit, normalization=normalization)
    assert close(value, expected, rel=1e-6)


@pytest.mark.parametrize("normalization", ["cca", "cka"])
@pytest.mark.parametrize("by", [1e-100, 1e-3, 1e3, 1e100])
def test_ridge_penalties_are_in_squared_units_of_the_features(pair, normalization, by):
    X, Y = pair
    value = vv.canonical_ridge(
        by * X, Y / by, kappa=(2 * by**2, 3 / by**2), normalization=normalization
    )
    expected = vv.canonical_ridge(X, Y, kappa=(2.0, 3.0), normalization=normalization)
    assert close(value, expected)


@pytest.mark.parametrize("normalization", ["cca", "cka"])
@pytest.mark.parametrize("by", [1e-100, 1e-150])
def test_ridge_of_features_far_below_the_penalty_is_its_infinite_limit(pair, normalization, by):
    X, Y = (by * Z for Z in pair)
    value = vv.canonical_ridge(X, Y, kappa=(1.0, 1.0), normalization=normalization)
    limit = vv.canonical_ridge(X, Y, kappa=(math.inf, math.inf), normalization=normalization)
    assert close(value, limit)


@pytest.mark.parametrize("kappa", [(0.0, 5.0), (5.0, 0.0), (0.1, 100.0), (3.0, 3.0)])
def test_ridge_with_the_cca_norm_is_at_most_one(kappa):
    # tr(ST) ≤ Σ w_i v_i, both in descending order (von Neumann 1937): an equation for X with X.
    X, Y = related(n=N, p=P, q=Q, seed=4)
    assert float(vv.canonical_ridge(X, Y, kappa=kappa)) < 1
    assert close(vv.canonical_ridge(X, X, kappa=kappa), 1)
    assert vv.registry["canonical_ridge"].with_options(kappa=kappa).high == 1


def test_regression_predicts_the_second_from_the_first(pair):
    X, Y = (centred(Z) for Z in pair)
    residual = Y - X @ np.linalg.lstsq(X, Y, rcond=None)[0]
    assert close(vv.linear_regression(*pair), 1 - (residual**2).sum() / (Y**2).sum())


# Procrustes


@pytest.mark.parametrize("scale", [False, True])
def test_squared_procrustes_is_the_nuclear_norm_form(pair, scale):
    X, Y = (centred(Z) / (np.linalg.norm(centred(Z)) if scale else 1) for Z in pair)
    squared = (X**2).sum() + (Y**2).sum() - 2 * np.linalg.norm(X.T @ Y, "nuc")
    assert close(vv.procrustes(*pair, form="squared", scale=scale), squared)
    assert close(vv.procrustes(*pair, form="euclidean", scale=scale), math.sqrt(squared))


@pytest.mark.parametrize("scale", [False, True])
def test_the_procrustes_angle_has_the_similarity_as_cosine(pair, scale):
    angle, cosine = (vv.procrustes(*pair, form=f, scale=scale) for f in ("angular", "similarity"))
    assert close(angle, math.acos(cosine))


def test_squared_procrustes_is_no_metric():
    x = related(n=N, p=1, q=1)[0]
    steps = 2 * vv.procrustes(x, 2 * x, form="squared")
    assert vv.procrustes(x, 3 * x, form="squared") > 1.5 * steps
    assert not vv.registry["procrustes"].with_options(form="squared").metric


def test_procrustes_fills_the_narrower_side_with_zeros(pair):
    X, Y = pair
    filled = np.hstack([Y, np.zeros((N, P - Q))])
    assert close(vv.procrustes(X, filled), vv.procrustes(X, Y))


def test_a_small_procrustes_distance_keeps_its_digits():
    X, _ = related(n=N, p=P, q=Q)
    noise = centred(np.random.default_rng(0).standard_normal(X.shape))
    # To first order only what no infinitesimal rotation undoes remains of a perturbation.
    distances = [float(vv.procrustes(X, X + h * noise, form="euclidean")) / h for h in (1e-9, 1e-7)]
    assert distances[0] == pytest.approx(distances[1], rel=1e-6)
