"""CCA, regression, canonical ridge and Procrustes by their second routes."""

import math

import numpy as np
import pytest
import scipy.linalg
import sklearn.linear_model
import sklearn.metrics
from tests import oracles
from tests.data_makers import MAKERS, random_rotation, related, rotated
from tests.oracles import cca, centred, cka, procrustes
from tests.oracles.cases import every_maker, spectrum

RANKS = {
    "related": (6, 5),
    "offset": (6, 5),
    "dead_columns": (4, 3),
    "duplicate_columns": (6, 5),
    "duplicate_rows": (6, 5),
    "wide": (11, 11),
    "rank_one": (1, 1),
    "mixed_scales": (6, 5),
    "scaled": (6, 5),
}


@pytest.mark.parametrize(("name", "ranks"), RANKS.items(), ids=RANKS)
def test_rank(name, ranks):
    X, Y = MAKERS[name]()
    assert (oracles.rank(X), oracles.rank(Y)) == ranks


@every_maker
def test_projection_is_one(maker):
    X, _ = maker()
    P, Xc = oracles.projection(X), centred(X).astype(float)
    np.testing.assert_allclose(P @ P, P, atol=1e-13)
    np.testing.assert_allclose(P @ Xc, Xc, atol=1e-10 * np.abs(Xc).max())
    assert np.trace(P) == pytest.approx(oracles.rank(X), rel=1e-12)


@every_maker
def test_canonical_correlations_are_cosines_of_principal_angles(maker):
    X, Y = maker()
    U, V = (spectrum(Z)[1][:, : oracles.rank(Z)] for Z in (X, Y))
    cosines = np.cos(scipy.linalg.subspace_angles(U, V))[::-1]
    np.testing.assert_allclose(oracles.canonical_correlations(X, Y), cosines, atol=1e-10)


@pytest.mark.parametrize(("p", "q"), [(6, 4), (3, 8), (5, 5)])
def test_r2_cca_is_cka_of_projections(p, q):
    X, Y = related(n=30, p=p, q=q)
    P, R = oracles.projection(X), oracles.projection(Y)
    value = cka(P, R, kernel=oracles.precomputed, estimator="biased")
    assert cca(X, Y, form="r2") == pytest.approx(
        value * math.sqrt(max(p, q) / min(p, q)), rel=1e-12
    )


def test_svcca_is_cca_of_truncated_singular_vectors(pair):
    X, Y = pair
    kept = spectrum(X)[1][:, :3], spectrum(Y)[1][:, :3]
    assert oracles.svcca(X, Y, components=3) == pytest.approx(cca(*kept), rel=1e-12)


@pytest.mark.parametrize("options", [{"variance": 1.0}, {"components": 99}])
@pytest.mark.parametrize("name", ["related", "dead_columns", "duplicate_columns"])
def test_svcca_of_everything_is_cca(name, options):
    X, Y = MAKERS[name]()
    assert oracles.svcca(X, Y, **options) == pytest.approx(cca(X, Y), rel=1e-12)


@pytest.mark.parametrize(("p", "q"), [(6, 4), (4, 6)])
def test_pwcca_from_thin_singular_vectors(p, q):
    X, Y = related(n=30, p=p, q=q)
    Q_x, Q_y = spectrum(X)[1], spectrum(Y)[1]
    left, rho, _ = np.linalg.svd(Q_x.T @ Q_y, full_matrices=False)
    alpha = np.abs((Q_x @ left).T @ centred(X)).sum(axis=1)
    assert oracles.pwcca(X, Y) == pytest.approx(float(alpha @ rho / alpha.sum()), rel=1e-12)


@every_maker
def test_linear_regression_is_the_projected_share(maker):
    X, Y = maker()
    Yc = centred(Y) / np.abs(centred(Y)).max()
    share = ((oracles.projection(X) @ Yc) ** 2).sum() / (Yc**2).sum()
    assert oracles.linear_regression(X, Y) == pytest.approx(float(share), rel=1e-10)


def test_linear_regression_is_scikit_learn_r2(pair):
    X, Y = pair
    fitted = sklearn.linear_model.LinearRegression().fit(X, Y).predict(X)
    r2 = sklearn.metrics.r2_score(Y, fitted, multioutput="variance_weighted")
    assert oracles.linear_regression(X, Y) == pytest.approx(r2, rel=1e-12)


@pytest.mark.parametrize("kappa", [(0.0, 0.0), (2.0, 0.0), (1e-6, 30.0), (5.0, 7.0)])
@pytest.mark.parametrize("normalization", ["cca", "cka"])
def test_canonical_ridge_from_weights(pair, kappa, normalization):
    (lam, U), (mu, V) = spectrum(pair[0]), spectrum(pair[1])
    w, v = lam / (lam + kappa[0]), mu / (mu + kappa[1])
    paired = min(len(w), len(v))
    norm = {
        "cca": (w[:paired] * v[:paired]).sum(),
        "cka": np.linalg.norm(w) * np.linalg.norm(v),
    }
    expected = (np.outer(w, v) * (U.T @ V) ** 2).sum() / norm[normalization]
    value = oracles.canonical_ridge(*pair, kappa=kappa, normalization=normalization)
    assert value == pytest.approx(expected, rel=1e-12)


# An infinite κ is the limit itself, 1e9 is on the way to it.
LARGE = [(math.inf, 1e-12), (1e9, 1e-6)]


@every_maker
def test_canonical_ridge_without_ridge_is_r2_cca(maker):
    X, Y = maker()
    value = oracles.canonical_ridge(X, Y, kappa=(0.0, 0.0))
    assert value == pytest.approx(cca(X, Y, form="r2"), rel=1e-9)


@pytest.mark.parametrize(("large", "rel"), LARGE)
def test_canonical_ridge_on_one_side_is_linear_regression(pair, large, rel):
    # It is the ridged side that is predicted, and its rank may not exceed the other's: the norm
    # counts as many weights as the smaller rank, the regression all variance of its target.
    X, Y = pair
    value = oracles.canonical_ridge(Y, X, kappa=(large, 0.0))
    assert value == pytest.approx(oracles.linear_regression(X, Y), rel=rel)


@pytest.mark.parametrize(("large", "rel"), LARGE)
def test_canonical_ridge_on_both_sides_is_cka(pair, large, rel):
    value = oracles.canonical_ridge(*pair, kappa=(large, large), normalization="cka")
    assert value == pytest.approx(cka(*pair, estimator="biased"), rel=rel)


@pytest.mark.parametrize("scale", [False, True])
@every_maker
def test_squared_procrustes_is_the_nuclear_norm_form(maker, scale):
    X, Y = (centred(Z) / np.abs(centred(Z)).max() for Z in maker())
    X, Y = X.astype(float), Y.astype(float)
    if scale:
        X, Y = X / np.linalg.norm(X), Y / np.linalg.norm(Y)
    norms = (X**2).sum() + (Y**2).sum()
    squared = norms - 2 * np.linalg.norm(X.T @ Y, "nuc")
    value = procrustes(X, Y, form="squared", scale=scale)
    assert value == pytest.approx(squared, rel=1e-9, abs=1e-13 * norms)
    euclidean = procrustes(X, Y, form="euclidean", scale=scale)
    assert euclidean**2 == pytest.approx(value, rel=1e-12, abs=1e-30)


def test_no_random_rotation_beats_the_best_one():
    X, Y = related(p=4, q=4)
    X, Y = centred(X), centred(Y)
    random = np.random.default_rng(0)
    tried = [((X @ random_rotation(4, random) - Y) ** 2).sum() for _ in range(200)]
    assert procrustes(X, Y, form="squared") < min(tried)


@every_maker
def test_procrustes_angle_has_the_similarity_as_cosine(maker):
    X, Y = maker()
    assert math.cos(procrustes(X, Y)) == pytest.approx(
        procrustes(X, Y, form="similarity"), abs=1e-13
    )


@pytest.mark.parametrize("form", ["angular", "euclidean"])
def test_procrustes_distance_of_a_rotation_is_zero_to_full_precision(form):
    assert procrustes(*rotated(scale=1.0), form=form) == pytest.approx(0, abs=1e-13)
