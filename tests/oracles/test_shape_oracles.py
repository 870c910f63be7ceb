"""Shape distance at both ends, and Bures from roots of matrices."""

import math

import numpy as np
import pytest
import scipy.linalg
from tests import oracles
from tests.data_makers import duplicate_columns, random_rotation, related
from tests.oracles import canonical_correlations, centred, procrustes
from tests.oracles.shape import fidelity, whitened


@pytest.mark.parametrize("maker", [related, duplicate_columns])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_singular_values_become_a_weighted_mean_with_one(maker, alpha):
    X, _ = maker(n=30)
    Xc = centred(X).astype(float)
    sigma = scipy.linalg.svdvals(Xc)[: oracles.rank(X)]
    found = scipy.linalg.svdvals(whitened(X, alpha).astype(float))[: len(sigma)]
    expected = alpha * sigma + 1 - alpha
    np.testing.assert_allclose(found / found[0], expected / expected[0], rtol=1e-12)


def test_whitening_by_the_inverse_root_of_the_covariance(pair):
    # As the paper writes it, where the rank is full.
    alpha, shapes = 0.3, []
    for Z in pair:
        Zc = centred(Z).astype(float)
        root = scipy.linalg.inv(scipy.linalg.sqrtm(Zc.T @ Zc).real)
        shapes.append(Zc @ (alpha * np.eye(Z.shape[1]) + (1 - alpha) * root))
    value = oracles.shape_distance(*pair, alpha=alpha)
    assert value == pytest.approx(procrustes(*shapes), rel=1e-12)


def test_full_whitening_leaves_the_canonical_correlations(pair):
    X, Y = pair
    cosine = canonical_correlations(X, Y).sum() / math.sqrt(X.shape[1] * Y.shape[1])
    assert oracles.shape_distance(X, Y, alpha=0.0) == pytest.approx(math.acos(cosine), rel=1e-12)


def test_no_whitening_is_the_procrustes_angle(pair):
    assert oracles.shape_distance(*pair) == pytest.approx(procrustes(*pair), rel=1e-14)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_a_turn_is_no_distance(alpha):
    X, _ = related(n=30, p=6)
    turned = X @ random_rotation(6, np.random.default_rng(0))
    assert oracles.shape_distance(X, turned, alpha=alpha) == pytest.approx(0, abs=1e-13)


def test_bures_and_its_similarity_from_roots_of_gram_matrices(pair):
    # Roots of eigenvalues that are zero but for rounding keep half of the digits.
    traces = [float((centred(Z) ** 2).sum()) for Z in pair]
    shared = fidelity(*pair)
    squared = sum(traces) - 2 * shared
    assert oracles.bures(*pair) == pytest.approx(math.sqrt(squared), rel=1e-5)
    assert oracles.nbs(*pair) == pytest.approx(shared / math.sqrt(math.prod(traces)), rel=1e-5)
