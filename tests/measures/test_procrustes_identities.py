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
