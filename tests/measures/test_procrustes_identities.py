"""Procrustes: one minimum in four forms."""

import math

import numpy as np
import pytest
from tests.data_makers import related
from tests.measures.algebra import N, P, Q, centred, close

import visavis as vv


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


@pytest.mark.parametrize("form", ["euclidean", "angular"])
def test_a_small_distance_keeps_its_digits(form):
    X, _ = related(n=N, p=P, q=Q)
    noise = np.random.default_rng(9).standard_normal(X.shape)
    # To first order a perturbation ten times as large is ten times as far away.
    near, far = (float(vv.procrustes(X, X + h * noise, form=form)) for h in (1e-9, 1e-8))
    assert near > 0
    assert far / near == pytest.approx(10, rel=1e-6)


@pytest.mark.parametrize("by", [1e-150, 1e-80, 1e-3, 1e3, 1e80, 1e150])
def test_the_euclidean_distance_has_the_unit_of_the_features(pair, by):
    X, Y = pair
    expected = by * float(vv.procrustes(X, Y, form="euclidean"))
    assert close(vv.procrustes(by * X, by * Y, form="euclidean"), expected)
    assert close(
        vv.procrustes(by * X, Y, form="euclidean", scale=True),
        math.sqrt(2 - 2 * math.cos(vv.procrustes(X, Y))),
    )


def _cosine(X, Y):
    """The nuclear norm of the cross-covariance of both at norm 1, in float64, by its definition."""
    X, Y = (each.astype(np.float64) for each in (X, Y))
    X, Y = (each - each.mean(axis=0) for each in (X, Y))
    X, Y = (each / np.linalg.norm(each) for each in (X, Y))
    return np.linalg.svd(X.T @ Y, compute_uv=False).sum()


def _of_falling_variance(rng, n, p):
    return rng.normal(size=(n, p)) / np.arange(1, p + 1) @ rng.normal(size=(p, p))


def _of_low_rank(rng, n, p):
    return rng.normal(size=(n, 5)) @ rng.normal(size=(5, p))


def _mostly_dead(rng, n, p):
    return np.maximum(_of_low_rank(rng, n, p) - 3, 0)


@pytest.mark.parametrize("make", [_of_falling_variance, _of_low_rank, _mostly_dead])
@pytest.mark.parametrize(("p", "q"), [(150, 150), (40, 150), (400, 150)])
def test_in_single_precision_it_is_right_to_the_rounding_of_the_input(make, p, q):
    rng = np.random.default_rng(0)
    X, Y = (make(rng, 300, width).astype(np.float32) for width in (p, q))
    got = float(vv.procrustes(X, Y, form="similarity"))
    assert abs(got - _cosine(X, Y)) < 10 * np.finfo(np.float32).eps


@pytest.mark.parametrize("noise", [1e-9, 1e-6, 1e-3, 0.05, 0.1, 0.12, 0.2, 1.0])
def test_no_digits_are_lost_at_any_distance(noise):
    # Of a shape and a multiple of an orthogonal direction the distance is known.
    rng = np.random.default_rng(0)
    axes, _ = np.linalg.qr(centred(rng.normal(size=(60, 6))))
    X, Y = axes[:, :3], axes[:, :3] + noise * axes[:, 3:]
    # With XᵀY = 1 the nuclear norm is 3, the norms are √3 and √3·√(1 + noise²). Beside X the noise
    # is itself rounded.
    rounded = 4 * np.finfo(np.float64).eps / noise
    assert math.isclose(float(vv.procrustes(X, Y)), math.atan(noise), rel_tol=1e-11 + rounded)
