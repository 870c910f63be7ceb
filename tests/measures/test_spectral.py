"""Eigenspace overlap, GULP, Riemannian distance and norms of similarity matrices: identities."""

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from tests import oracles
from tests.data_makers import related
from tests.measures.algebra import N, P, Q, centred, close
from tests.measures.records import meeting

import visavis as vv
from visavis.stats import Overlap


def directions(n, *cosines):
    """Pairs of centred unit features (n, 1) with these cosines between the two of each pair."""
    basis = centred(np.random.default_rng(0).standard_normal((n, 2 * len(cosines))))
    Q, _ = np.linalg.qr(basis)
    X, Z = Q[:, ::2], Q[:, 1::2]
    c = np.array(cosines)
    return X, c * X + np.sqrt(1 - c**2) * Z


# Eigenspace overlap.


def test_overlap_is_the_mean_squared_correlation_by_the_larger_rank(pair):
    expected = float(vv.cca(*pair, form="r2")) * min(P, Q) / max(P, Q)
    assert close(vv.eigenspace_overlap(*pair), expected)


def test_overlap_of_known_angles():
    X, Y = directions(40, 1.0, 0.6, 0.0)
    assert close(vv.eigenspace_overlap(X, Y), (1 + 0.36) / 3)


def test_overlap_with_a_part_of_the_span():
    X, _ = related(n=40, p=6, q=1)
    mixed = X[:, :2] @ np.random.default_rng(0).standard_normal((2, 9))
    assert close(vv.eigenspace_overlap(X, mixed), 2 / 6)


def test_overlap_does_not_count_a_common_mean():
    # Not centred, the mean would be a dimension in common.
    X, Y = directions(40, 0.0)
    assert float(vv.eigenspace_overlap(X + 5, Y + 5)) < 1e-20


def test_overlap_of_a_side_that_spans_everything():
    X, Y = related(n=12, p=40, q=3)
    assert float(vv.eigenspace_overlap(X, Y, allow_saturated=True)) == 3 / 11


# GULP.


@pytest.mark.parametrize("regularization", [1e-4, 0.01, 1.0])
def test_gulp_is_the_formula_of_the_paper(pair, regularization):
    value = vv.gulp(*pair, regularization=regularization, form="squared")
    expected = oracles.spectral.gulp_traces(*pair, regularization)
    assert close(value, expected, rel=1e-10)
    assert close(vv.gulp(*pair, regularization=regularization) ** 2, value)


@pytest.mark.parametrize("regularization", [0.0, 0.01, 2.0])
@pytest.mark.parametrize("cosine", [0.0, 0.6, 1 - 1e-12])
def test_gulp_of_one_feature(cosine, regularization):
    X, Y = directions(40, cosine)
    sine = math.sqrt((1 - cosine) * (1 + cosine))
    expected = math.sqrt(2) * sine / (1 + regularization)
    assert close(vv.gulp(3 * X, Y, regularization=regularization), expected, rel=1e-8)


def test_gulp_without_regularization_counts_squared_correlations(pair):
    shared = float(vv.cca(*pair, form="r2")) * min(P, Q)
    value = vv.gulp(*pair, regularization=0, form="squared")
    assert close(value, P + Q - 2 * shared)


def test_gulp_of_a_strong_regularization_is_the_angle_of_cka(pair):
    # λd goes to ‖K/tr K − L/tr L‖.
    K, L = (centred(Z) @ centred(Z).T for Z in pair)
    expected = np.linalg.norm(K / np.trace(K) - L / np.trace(L))
    assert close(1e9 * vv.gulp(*pair, regularization=1e9), expected, rel=1e-8)


def test_gulp_scale_is_a_regularization_in_the_units_of_the_features(pair):
    unit = [Z / np.sqrt((centred(Z) ** 2).sum() / N) for Z in pair]
    assert close(vv.gulp(*pair), vv.gulp(*unit, scale=False))
    half = [0.5 * Z for Z in pair]
    value = vv.gulp(*half, scale=False, regularization=0.25)
    assert close(value, vv.gulp(*pair, scale=False, regularization=1.0))


@pytest.mark.parametrize("by", [1e-150, 1e-8, 1e8, 1e150])
def test_gulp_at_extreme_scales(pair, by):
    X, Y = pair
    assert close(vv.gulp(by * X, Y / by), vv.gulp(X, Y), rel=1e-11)
    everything = 0.0 if by < 1 else float(vv.gulp(X, Y, regularization=0))
    value = float(vv.gulp(by * X, by * Y, scale=False))
    assert value == pytest.approx(everything, rel=1e-12, abs=1e-12)


def test_gulp_bounds_the_difference_of_ridge_predictions(pair):
    H, G = (oracles.spectral.smoother(Z, 0.01, scale=True) for Z in pair)
    target = np.random.default_rng(0).standard_normal((N, 200))
    difference = ((H @ target - G @ target) ** 2).sum(axis=0)
    assert (difference <= float(vv.gulp(*pair)) ** 2 * (target**2).sum(axis=0)).all()


def test_gulp_is_refused_without_regularization_alone():
    X, Y = related(n=12, p=30, q=20)
    assert float(vv.gulp(X, Y)) > 0
    with pytest.raises(vv.SaturatedError, match="VV014 gulp: rank 11 and 11 against n = 12"):
        vv.gulp(X, Y, regularization=0)
    X, Y = related(n=12, p=30, q=3)
    assert float(vv.gulp(X, Y, regularization=0, allow_saturated=True)) == math.sqrt(8)


def test_a_small_gulp_keeps_its_digits(pair):
    X, _ = pair
    step = np.random.default_rng(0).standard_normal(X.shape)
    ratio = float(vv.gulp(X, X + 1e-6 * step)) / float(vv.gulp(X, X + 1e-9 * step))
    assert ratio == pytest.approx(1e3, rel=1e-4)


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, True, "0.5", None])
def test_regularization_is_not_negative(value):
    message = "gulp: `regularization` must be a finite number, 0 or more, got"
    with pytest.raises(ValueError, match=message):
        vv.gulp(*related(), regularization=value)
    with pytest.raises(ValueError, match=message):
        vv.registry["gulp"].with_options(regularization=value)


def test_gulp_refuses_other_options():
    with pytest.raises(ValueError, match="gulp: `form` must be one of 'distance', 'squared', got"):
        vv.gulp(*related(), form="angular")
    with pytest.raises(TypeError, match="gulp: `scale` must be True or False"):
        vv.gulp(*related(), scale="yes")


# Riemannian distance.


@pytest.mark.parametrize("n", [10, 40])
@pytest.mark.parametrize("by", [1e-100, 0.5, 3.0])
def test_riemannian_between_scales(n, by):
    # All n eigenvalues of A⁻¹B are by².
    X, _ = related(n=n, p=6, q=1)
    assert close(vv.riemannian(X, by * X), math.sqrt(n) * 2 * abs(math.log(by)), rel=1e-11)
    assert float(vv.riemannian(X, by * X, scale=True)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("shrinkage", [1e-4, 0.1, 0.9])
def test_riemannian_of_orthogonal_features(shrinkage):
    # A = ε(I + κuuᵀ), B = ε(I + κvvᵀ): eigenvalues 1 + κ and its reciprocal.
    X, Y = directions(40, 0.0)
    kappa = (1 - shrinkage) / shrinkage * 40
    expected = math.sqrt(2) * math.log1p(kappa)
    assert close(vv.riemannian(X, 7 * Y, shrinkage=shrinkage, scale=True), expected, rel=1e-10)


@pytest.mark.parametrize("shrinkage", [1e-3, 0.1, 0.9])
@pytest.mark.parametrize(("n", "p", "q"), [(40, 6, 5), (12, 6, 5), (11, 6, 5), (12, 30, 20)])
def test_riemannian_of_matrices_with_a_ridge(n, p, q, shrinkage):
    # A ridge of s/(1 − s) times the mean eigenvalue is the same as shrinking.
    X, Y = related(n=n, p=p, q=q)
    K, L = (centred(Z) @ centred(Z).T for Z in (X, Y))
    A, B = (M + shrinkage / (1 - shrinkage) * np.trace(M) / n * np.eye(n) for M in (K, L))
    logs = np.log(np.linalg.eigvals(np.linalg.solve(A, B)).real)
    expected = math.sqrt((logs**2).sum())
    assert close(vv.riemannian(X, Y, shrinkage=shrinkage), expected, rel=1e-7)


def test_riemannian_in_the_span_is_that_of_all_samples(pair):
    # Zero axes, as inside jit, make both sides wider than n and change no span.
    record = vv.registry["riemannian"]
    met = meeting(record, *pair)
    zeros = np.zeros((N, N))
    wide = [
        replace(each, left=np.hstack([each.left, zeros]), values=np.append(each.values, zeros[0]))
        for each in (met.x, met.y)
    ]
    assert met.matrix.shape == (P, Q)
    value = record.score(record.settings, Overlap(*wide))
    assert close(value, vv.riemannian(*pair))


def test_riemannian_grows_without_bound_as_shrinkage_vanishes(pair):
    values = [float(vv.riemannian(*pair, shrinkage=10.0**-k, scale=True)) for k in (2, 4, 6, 8)]
    steps = np.diff(values)
    assert (steps > 1).all()
    assert steps[2] == pytest.approx(steps[1], rel=0.1)


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, -0.1, math.nan, True, "0.5", None])
def test_shrinkage_is_between_zero_and_one(value):
    with pytest.raises(ValueError, match="riemannian: `shrinkage` must be between 0 and 1, got"):
        vv.riemannian(*related(), shrinkage=value)
    with pytest.raises(ValueError, match="riemannian: `shrinkage` must be between 0 and 1, got"):
        vv.registry["riemannian"].with_options(shrinkage=value)


# Norm of the difference of similarity matrices.


def test_the_norm_is_that_of_the_matrices_as_vectors():
    # The spectral norm, which some take, would be the same for one and for two directions.
    one, two = np.diag([1.0, 0, 0]), np.diag([1.0, 1.0, 0])
    nothing = np.array([[0.0], [0.0], [1e-200]])
    assert close(vv.rsm_norm_difference(one, nothing), 1)
    assert close(vv.rsm_norm_difference(two, nothing), math.sqrt(2))


def test_inner_products_of_centred_features_are_hsic(pair):
    # ‖K − L‖² = ‖K‖² + ‖L‖² − 2⟨K, L⟩.
    X, Y = (centred(Z) for Z in pair)
    hsic = functools.partial(vv.hsic, estimator="biased")
    squared = (N - 1) ** 2 * float(hsic(X, X) + hsic(Y, Y) - 2 * hsic(X, Y))
    assert close(vv.rsm_norm_difference(X, Y) ** 2, squared, rel=1e-11)


def test_cosines_and_correlations():
    X, Y = (
        np.array(rows, dtype=float) for rows in ([[1, 0, 0], [0, 2, 0]], [[3, 4, 0], [0, 1, 0]])
    )
    assert close(vv.rsm_norm_difference(X, Y, similarity="cosine"), 0.8 * math.sqrt(2))
    # The correlation of the first two rows is −1/2, that of the others 5/(2√13).
    expected = (0.5 + 2.5 / math.sqrt(13)) * math.sqrt(2)
    assert close(vv.rsm_norm_difference(X, Y, similarity="correlation"), expected)


def test_correlations_are_cosines_of_centred_rows(pair):
    X, Y = pair
    rows = [Z - Z.mean(axis=1, keepdims=True) for Z in pair]
    value = vv.rsm_norm_difference(X, Y, similarity="correlation")
    assert close(value, vv.rsm_norm_difference(*rows, similarity="cosine"), rel=1e-11)


@pytest.mark.parametrize(("x", "y"), [(1e-8, 1e-8), (1e8, 1e8), (1e100, 1e100), (1e100, 1e-100)])
def test_inner_products_at_other_scales(pair, x, y):
    X, Y = pair
    K, L = X @ X.T, Y @ Y.T
    expected = x**2 * np.linalg.norm(K - (y / x) ** 2 * L)
    assert close(vv.rsm_norm_difference(x * X, y * Y), expected, rel=1e-11)


def test_inner_products_out_of_range_are_refused(pair):
    message = "rsm_norm_difference: .*It cannot be represented in float64: rescale the input"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.rsm_norm_difference(*(1e160 * Z for Z in pair))


@pytest.mark.parametrize(
    ("similarity", "row", "what"),
    [("cosine", 0.0, "all-zero .row 3.*no angle"), ("correlation", 2.0, "constant .row 3")],
)
def test_a_row_without_direction_is_named(similarity, row, what):
    X, Y = related()
    Y[3] = row
    message = f"^rsm_norm_difference: `Y` has a row that is {what}.*, or use similarity='linear'"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.rsm_norm_difference(X, Y, similarity=similarity)


def test_two_features_have_no_correlation():
    message = "rsm_norm_difference: `X` must have at least 3 features .*similarity='linear'"
    with pytest.raises(vv.DegenerateInputError, match=message):
        vv.rsm_norm_difference(*related(p=2), similarity="correlation")


def test_similarity_is_known():
    message = "`similarity` must be one of 'linear', 'cosine', 'correlation', got 'rbf'"
    with pytest.raises(ValueError, match=message):
        vv.rsm_norm_difference(*related(), similarity="rbf")
    with pytest.raises(ValueError, match=message):
        vv.registry["rsm_norm_difference"].with_options(similarity="rbf")
