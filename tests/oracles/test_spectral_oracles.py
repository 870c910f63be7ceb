"""Spectral and intrinsic oracles by a second route: traces, pencils, heat kernels, SciPy."""

import numpy as np
import pytest
import scipy.linalg
from scipy.spatial.distance import cdist, pdist
from sklearn.neighbors import kneighbors_graph
from tests import oracles
from tests.oracles import intrinsic, spectral


@pytest.mark.parametrize("regularization", [1e-3, 0.01, 1.0])
def test_gulp_from_traces(pair, regularization):
    squared = oracles.gulp(*pair, regularization=regularization, form="squared")
    assert squared == pytest.approx(spectral.gulp_traces(*pair, regularization), rel=1e-10)


def test_gulp_without_regularization_is_its_limit(pair):
    near = oracles.gulp(*pair, regularization=1e-10)
    assert oracles.gulp(*pair, regularization=0.0) == pytest.approx(near, rel=1e-6)


def test_smoother_is_that_of_ridge_regression(pair):
    X = pair[0] - pair[0].mean(axis=0)
    n, p = X.shape
    expected = X @ np.linalg.solve(X.T @ X + 0.3 * n * np.eye(p), X.T)
    np.testing.assert_allclose(spectral.smoother(X, 0.3, scale=False), expected, atol=1e-14)


def test_overlap_from_correlations(pair):
    shared = (oracles.canonical_correlations(*pair) ** 2).sum()
    assert oracles.eigenspace_overlap(*pair) == pytest.approx(shared / 6, rel=1e-13)


@pytest.mark.parametrize("scale", [True, False])
def test_riemannian_from_the_pencil(pair, scale):
    A, B = (Z @ Z.T for Z in (each - each.mean(axis=0) for each in pair))
    if scale:
        A, B = A / np.trace(A), B / np.trace(B)
    A, B = (0.8 * M + 0.2 * np.trace(M) / len(M) * np.eye(len(M)) for M in (A, B))
    expected = np.linalg.norm(np.log(scipy.linalg.eigvalsh(A, B)))
    value = oracles.riemannian(*pair, shrinkage=0.2, scale=scale)
    assert value == pytest.approx(expected, rel=1e-11)


def test_norm_of_cosines_from_distances(pair):
    S, T = (cdist(Z, Z, "cosine") for Z in pair)
    value = oracles.rsm_norm_difference(*pair, similarity="cosine")
    assert value == pytest.approx(np.linalg.norm(S - T), rel=1e-13)
    S, T = (np.corrcoef(Z) for Z in pair)
    value = oracles.rsm_norm_difference(*pair, similarity="correlation")
    assert value == pytest.approx(np.linalg.norm(S - T), rel=1e-13)


def test_frequencies_are_those_of_the_heat_kernel(pair):
    A = kneighbors_graph(pair[0], 5).toarray()
    A = np.maximum(A, A.T)
    np.testing.assert_array_equal(intrinsic.graph(pair[0], 5), A)
    root = np.diag(1 / np.sqrt(A.sum(axis=1)))
    kernel = scipy.linalg.expm(-0.7 * (np.eye(30) - root @ A @ root))
    traced = np.exp(-0.7 * intrinsic.frequencies(A)).sum()
    assert traced == pytest.approx(np.trace(kernel), rel=1e-13)


def test_imd_over_many_times(pair):
    a, b = (intrinsic.frequencies(intrinsic.graph(Z, 5)) for Z in pair)
    t = np.geomspace(0.1, 10, 5001)[:, None]
    differences = np.exp(-a * t).mean(axis=1) - np.exp(-b * t).mean(axis=1)
    highest = (np.exp(-2 * (t + 1 / t))[:, 0] * abs(differences)).max()
    assert highest <= oracles.imd(*pair) <= highest * (1 + 1e-5)


def test_uniformity_from_pairwise_distances(pair):
    expected = []
    for Z in pair:
        rows = Z / np.linalg.norm(Z, axis=1, keepdims=True)
        expected.append(np.log(np.exp(-2 * pdist(rows, "sqeuclidean")).mean()))
    value = oracles.uniformity_difference(*pair)
    assert value == pytest.approx(abs(expected[0] - expected[1]), rel=1e-11)


def test_concentricity_from_cosine_distances(pair):
    values = [1 - cdist(Z, Z.mean(axis=0)[None], "cosine").mean() for Z in pair]
    value = oracles.concentricity_difference(*pair)
    assert value == pytest.approx(abs(values[0] - values[1]), rel=1e-11)
