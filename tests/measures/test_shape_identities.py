"""Shape distance at both ends of alpha, Bures, and what they are identical with."""

import functools
import math

import numpy as np
import pytest
import torch
from tests.data_makers import related
from tests.measures.algebra import N, P, Q, centred, close

import visavis as vv


def test_without_whitening_it_is_the_procrustes_angle(pair):
    assert close(vv.shape_distance(*pair), vv.procrustes(*pair))
    assert close(vv.shape_distance(*pair, alpha=1), vv.procrustes(*pair))


def test_with_full_whitening_its_cosine_is_the_sum_of_canonical_correlations(pair):
    # min(P, Q) of them, and whitened sides of norms √P and √Q.
    cosine = float(vv.cca(*pair)) * Q / math.sqrt(P * Q)
    assert close(vv.shape_distance(*pair, alpha=0), math.acos(cosine))


def test_of_equal_ranks_that_is_the_mean_canonical_correlation():
    X, Y = related(n=N, p=P, q=P)
    assert close(vv.shape_distance(X, Y, alpha=0), math.acos(vv.cca(X, Y)))


def test_with_full_whitening_no_linear_map_is_seen(pair):
    X, Y = pair
    random = np.random.default_rng(0)
    mixed = X @ random.standard_normal((P, P)), Y @ random.standard_normal((Q, Q))
    assert close(vv.shape_distance(*mixed, alpha=0), vv.shape_distance(X, Y, alpha=0), rel=1e-11)


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_the_rank_counts_and_not_the_width(pair, alpha):
    # Features within the span of the others must not be whitened into noise.
    X, Y = pair
    turned = X @ np.linalg.qr(np.random.default_rng(0).standard_normal((3 * P, P)))[0].T
    filled = np.hstack([Y, np.zeros((N, 4))])
    expected = vv.shape_distance(X, Y, alpha=alpha)
    assert close(vv.shape_distance(turned, filled, alpha=alpha), expected, rel=1e-11)


def test_partial_whitening_goes_from_one_end_to_the_other(pair):
    near_one, near_zero = (float(vv.shape_distance(*pair, alpha=a)) for a in (1 - 1e-9, 1e-9))
    assert near_one == pytest.approx(float(vv.shape_distance(*pair, alpha=1)), rel=1e-7)
    assert near_zero == pytest.approx(float(vv.shape_distance(*pair, alpha=0)), rel=1e-6)


@pytest.mark.parametrize("by", [1e-150, 1e-3, 1e3, 1e150])
def test_alpha_is_weighed_in_the_units_of_the_features(pair, by):
    # by·σ + 1 is a multiple of α·σ + 1 − α with α = by/(by + 1).
    X, Y = (by * Z for Z in pair)
    expected = vv.shape_distance(*pair, alpha=by / (by + 1))
    assert close(vv.shape_distance(X, Y, alpha=0.5), expected, rel=1e-11)


def test_partial_whitening_is_never_refused():
    X, Y = related(n=12, p=30, q=20)
    assert 0 < float(vv.shape_distance(X, Y, alpha=0.5)) < math.pi / 2
    with pytest.raises(vv.SaturatedError, match="VV014 shape_distance: rank 11 and 11 against"):
        vv.shape_distance(X, Y, alpha=0)


@pytest.mark.parametrize("alpha", [-0.1, 1.5, math.nan, True, "0.5", None])
def test_alpha_is_between_zero_and_one(alpha):
    with pytest.raises(ValueError, match=r"shape_distance: `alpha` must be in \[0, 1\], got"):
        vv.shape_distance(*related(), alpha=alpha)
    with pytest.raises(ValueError, match=r"shape_distance: `alpha` must be in \[0, 1\], got"):
        vv.registry["shape_distance"].with_options(alpha=alpha)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_gradient(alpha):
    pair = [torch.tensor(Z, requires_grad=True) for Z in related(n=12, p=3, q=2)]
    assert torch.autograd.gradcheck(functools.partial(vv.shape_distance, alpha=alpha), pair)


@pytest.mark.parametrize("measure", [vv.bures, vv.nbs])
def test_gradient_of_bures(measure):
    pair = [torch.tensor(Z, requires_grad=True) for Z in related(n=12, p=3, q=2)]
    assert torch.autograd.gradcheck(measure, pair)


def test_bures_is_the_euclidean_procrustes_distance(pair):
    assert float(vv.bures(*pair)) == float(vv.procrustes(*pair, form="euclidean"))


def test_normalised_bures_similarity_is_the_cosine_of_the_procrustes_angle(pair):
    assert close(vv.nbs(*pair), math.cos(vv.procrustes(*pair)))


def test_bures_from_fidelity(pair):
    # ‖X‖² + ‖Y‖² − 2F, where NBS = F/(‖X‖‖Y‖).
    x, y = (np.linalg.norm(centred(Z)) for Z in pair)
    assert close(vv.bures(*pair) ** 2, x**2 + y**2 - 2 * x * y * float(vv.nbs(*pair)))
