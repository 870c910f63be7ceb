"""CCA, SVCCA, linear regression, and the ridge that joins them with CKA."""

import math

import numpy as np
import pytest
from tests.data_makers import related
from tests.measures.algebra import N, P, Q, centred, close, spectrum
from tests.oracles import basis

import visavis as vv
from visavis.kernels import precomputed


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
